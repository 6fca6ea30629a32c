"""Every figure of every trend, worked out again in SQL by somebody who shares no line of code with it."""

import random
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from stonks_assets.aggregation.signals import placed
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CLOSE = NOW - timedelta(hours=19)

TRENDS = """
WITH shape(win, since, half_life) AS (VALUES
    ('intraday', $close::TIMESTAMPTZ, 4.0), ('1d', $now::TIMESTAMPTZ - INTERVAL 24 HOUR, 8.0),
    ('7d', $now::TIMESTAMPTZ - INTERVAL 168 HOUR, 48.0), ('30d', $now::TIMESTAMPTZ - INTERVAL 720 HOUR, 240.0),
    ('90d', $now::TIMESTAMPTZ - INTERVAL 2160 HOUR, 720.0)),
known AS (SELECT *, (epoch_us($now::TIMESTAMPTZ) - epoch_us(published_at)) / 3.6e9 AS age FROM signals
    WHERE available_at <= $now::TIMESTAMPTZ AND published_at <= $now::TIMESTAMPTZ),
origins AS (SELECT * FROM known QUALIFY
    row_number() OVER (PARTITION BY ticker, layer, cluster_id ORDER BY published_at, document_id) = 1),
weighed AS (
    SELECT o.*, s.win, pow(2.0, -age / half_life) AS recency,
        CASE layer WHEN 'company' THEN 1.0 WHEN 'macro' THEN 0.3 ELSE 0.2 END
        * CASE WHEN duration = 'short' AND age > 48 THEN 0.25 ELSE 1 END
        * pow(2.0, -age / half_life) * credibility * (0.5 + 0.5 * novelty) * confidence * impact AS w
    FROM origins o, shape s WHERE published_at > s.since),
sums AS (
    SELECT ticker, win, sum(w) AS t, sum(w * w) AS t2, sum(w * confidence) / sum(w) AS c, count(*) AS n,
        coalesce(sum(w * sentiment) FILTER (sentiment > 0), 0) AS p,
        coalesce(-sum(w * sentiment) FILTER (sentiment < 0), 0) AS m,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'company'), 0) AS company,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'macro'), 0) AS macro
    FROM weighed WHERE w > 0 GROUP BY ALL),
scored AS (
    SELECT *, (p - m) / t AS score, CASE WHEN p + m = 0 THEN 0 ELSE 2 * least(p, m) / (p + m) END AS k FROM sums)
"""
FIGURES = (
    TRENDS
    + """
SELECT ticker, win AS "window", score, abs(score) * (1 - exp(-t)) AS strength,
    c * (1 - exp(-t * t / t2)) * (1 - 0.5 * k) AS confidence, k AS contradiction, p AS positive, m AS negative,
    t AS total_weight, t * t / t2 AS n_effective, n AS signals_counted, company / (p + m) AS company_share,
    macro / (p + m) AS macro_share,
    CASE WHEN score >= 0.15 THEN 'bullish' WHEN score <= -0.15 THEN 'bearish' WHEN k >= 0.4 THEN 'mixed'
        ELSE 'neutral' END AS direction
FROM scored
"""
)
EVIDENCE = (
    TRENDS
    + """, ranked AS (
SELECT ticker, w.win AS "window", signal_id, w AS weight, recency,
    document_id, 0.4 * w / max(w) OVER trend + 0.3 * impact + 0.2 * recency + 0.1 * confidence AS evidence_score,
    CASE WHEN sentiment * s.score < 0 THEN 'contradicting' ELSE 'supporting' END AS stance
FROM weighed w JOIN (SELECT ticker, win, score FROM scored) s USING (ticker, win) WHERE w > 0
WINDOW trend AS (PARTITION BY ticker, w.win))
SELECT *, row_number() OVER (PARTITION BY ticker, "window" ORDER BY evidence_score DESC, document_id) AS rank
FROM ranked QUALIFY rank <= 10
"""
)
NOVELTY = """
WITH asked AS (SELECT s.*, o.signal_id AS other, o.cluster_id AS other_cluster FROM signals s LEFT JOIN signals o
    ON o.ticker = s.ticker AND o.catalyst = s.catalyst AND sign(o.sentiment) = sign(s.sentiment)
    AND o.cluster_id <> s.cluster_id AND o.available_at <= s.available_at
    AND o.published_at < s.published_at AND o.published_at >= s.published_at - INTERVAL 48 HOUR
    AND NOT EXISTS (FROM signals e WHERE e.ticker = o.ticker AND e.layer = o.layer AND e.cluster_id = o.cluster_id
        AND e.available_at <= s.available_at AND (e.published_at, e.document_id) < (o.published_at, o.document_id)))
SELECT signal_id, 1.0 / (1 + count(DISTINCT other_cluster)) AS novelty FROM asked GROUP BY ALL
"""


@pytest.fixture(scope="module")
def table(signals):
    chance = random.Random(11)
    rows = []
    for n in range(1500):
        hours = min(chance.expovariate(1 / 200), 100 * 24)
        published = NOW - timedelta(hours=hours)
        rows.append(
            {
                "id": f"{n:05d}",
                "ticker": chance.choice(["AAA", "BBB", "CCC", "DDD", "EEE"]),
                "layer": chance.choice(["company", "company", "macro", "competitive"]),
                "published_at": published,
                "available_at": published + timedelta(minutes=chance.expovariate(1 / 60)),
                "cluster_id": f"c{chance.randrange(900)}",
                "sentiment": chance.choice([0.0, round(chance.uniform(-1, 1), 3)]),
                "impact": chance.random(),
                "confidence": chance.random(),
                "credibility": chance.choice([0.5, 0.6, 0.95]),
                "catalyst": chance.choice(["earnings_beat", "litigation", "other"]),
                "duration": chance.choice(["", "short", "long"]),
            }
        )
    return placed(signals(*rows))


@pytest.fixture(scope="module")
def sql(table):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("signals", table)
    times = {"now": NOW.isoformat(), "close": CLOSE.isoformat()}

    def rows(query):
        return connection.sql(query, params=times if "$now" in query else {}).to_arrow_table().to_pylist()

    return rows


def same(ours, theirs, key, names):
    ours, theirs = ({tuple(row[k] for k in key): row for row in rows} for rows in (ours, theirs))
    assert ours.keys() == theirs.keys()
    for place, row in ours.items():
        for name in names:
            wanted = theirs[place][name]
            got = row[name]
            assert got == (wanted if isinstance(wanted, str) else pytest.approx(wanted, rel=1e-9, abs=1e-9)), (
                place,
                name,
            )


def test_trends(table, sql):
    trends, _ = aggregate(table, NOW, LayerWeights(), CLOSE)
    theirs = sql(FIGURES)
    assert len(theirs) == 25
    same(
        trends.to_pylist(),
        theirs,
        ("ticker", "window"),
        [name for name in theirs[0] if name not in {"ticker", "window"}],
    )


def test_evidence(table, sql):
    trends, evidence = aggregate(table, NOW, LayerWeights(), CLOSE)
    of = {row["trend_id"]: row for row in trends.to_pylist()}
    ours = [{**row, **{k: of[row["trend_id"]][k] for k in ("ticker", "window")}} for row in evidence.to_pylist()]
    names = ("signal_id", "weight", "recency", "evidence_score", "stance")
    same(ours, sql(EVIDENCE), ("ticker", "window", "rank"), names)


def test_novelty(table, sql):
    same(table.to_pylist(), sql(NOVELTY), ("signal_id",), ("novelty",))
    assert len({row["novelty"] for row in table.to_pylist()}) > 3
