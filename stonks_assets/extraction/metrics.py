"""`model_performance_metrics`: how each model fares as each agent and variant, day by day, out of the log of its readings."""

from datetime import UTC, date, datetime, time, timedelta

from stonks_core.stores.postgres import Database


def refresh_metrics(database: Database, first: date, last: date) -> int:
    """Compute the metrics of the UTC days from `first` to `last` anew; how many rows were written.

    A metric without a sample has no row. `valid_share` is that of the records that held among those that were made,
    `ok_share` that of the documents that were read. Latency and tokens are those of answers that were paid for.
    """
    begin = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    return database.execute(
        """
        INSERT INTO model_performance_metrics (model, agent, variant, metric, value, samples, at)
        SELECT model, agent, variant, metric, value, samples, day
        FROM (
            SELECT model, agent, variant, date_trunc('day', at, 'UTC') AS day, count(*) AS documents,
                   count(*) FILTER (WHERE NOT recorded AND latency_ms > 0) AS paid,
                   avg(ok::int::float) AS ok_share, avg(recorded::int::float) AS recorded_share,
                   sum(kept) AS kept, sum(dropped) AS dropped,
                   avg(latency_ms) FILTER (WHERE NOT recorded AND latency_ms > 0) AS latency,
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms)
                       FILTER (WHERE NOT recorded AND latency_ms > 0) AS latency_p95,
                   sum(prompt_tokens) AS prompt_tokens, sum(output_tokens) AS output_tokens
            FROM agent_performance_log WHERE at >= %(begin)s AND at < %(end)s GROUP BY 1, 2, 3, 4
        ) AS log
        CROSS JOIN LATERAL (VALUES
            ('documents', documents::float, documents),
            ('ok_share', ok_share, documents),
            ('recorded_share', recorded_share, documents),
            ('kept', kept::float, documents),
            ('dropped', dropped::float, documents),
            ('valid_share', kept::float / NULLIF(kept + dropped, 0), kept + dropped),
            ('latency_ms_mean', latency, paid),
            ('latency_ms_p95', latency_p95, paid),
            ('prompt_tokens', prompt_tokens::float, paid),
            ('output_tokens', output_tokens::float, paid)
        ) AS metrics (metric, value, samples)
        WHERE value IS NOT NULL
        ON CONFLICT (model, agent, variant, metric, at)
            DO UPDATE SET value = excluded.value, samples = excluded.samples
        """,
        {"begin": begin, "end": end},
    )
