"""Macro impacts and competitive signals of the day, worked out again in SQL from events, registry, records and bars."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.acceptance.day import Day
from tests.acceptance.sql import agree, opened, rows_of

MACRO = """
WITH events AS (SELECT * FROM global_events WHERE confidence >= 0.4 AND type <> 'none'),
regions AS (
    SELECT event_id, json_extract_string(r.value, '$.name') AS name, (r.value ->> 'weight')::DOUBLE AS weight
    FROM events, json_each(events.regions) r),
sectors AS (
    SELECT event_id, json_extract_string(s.value, '$.name') AS name, (s.value ->> 'weight')::DOUBLE AS weight
    FROM events, json_each(events.sectors) s),
commodities AS (
    SELECT event_id, json_extract_string(c.value, '$.name') AS name, (c.value ->> 'weight')::DOUBLE AS weight,
        (c.value ->> 'price_direction')::DOUBLE AS heading
    FROM events, json_each(events.commodities) c),
shares AS (SELECT ticker, key AS name, value::DOUBLE AS share FROM exposures, json_each(revenue_by_region::JSON)),
sensitivities AS (SELECT ticker, key AS name, value::DOUBLE AS feels FROM exposures, json_each(commodity_sensitivity::JSON)),
geo AS (SELECT event_id, ticker, sum(weight * share) AS geo FROM regions JOIN shares USING (name) GROUP BY ALL),
pressed AS (
    SELECT event_id, ticker, abs(weight * feels) AS commodity, sign(heading * feels) AS pull
    FROM commodities JOIN sensitivities USING (name)
    QUALIFY row_number() OVER (PARTITION BY event_id, ticker ORDER BY abs(weight * feels) DESC, name) = 1),
reached AS (
    SELECT e.event_id, c.ticker, e.direction, e.duration, e.confidence, coalesce(g.geo, 0) AS geo, coalesce(s.weight, 0) AS sector,
        coalesce(p.commodity, 0) AS commodity, p.pull,
        CASE e.severity WHEN 'low' THEN 0.25 WHEN 'moderate' THEN 0.5 WHEN 'high' THEN 0.75 WHEN 'critical' THEN 1.0 END AS severe
    FROM events e CROSS JOIN companies c LEFT JOIN geo g USING (event_id, ticker)
    LEFT JOIN sectors s ON s.event_id = e.event_id AND s.name = c.sector LEFT JOIN pressed p USING (event_id, ticker)),
exposed AS (SELECT *, 1 - (1 - 0.6 * geo) * (1 - 0.8 * sector) * (1 - 0.7 * commodity) AS exposure FROM reached)
SELECT event_id, ticker, geo, sector, commodity, exposure, severe * exposure AS impact, duration, confidence,
    if(commodity > greatest(geo, sector), pull * abs(direction), direction) AS sentiment
FROM exposed WHERE severe * exposure > 0
"""
MAJOR = (
    """('merger_acquisition', 'management_change', 'guidance_raise', 'guidance_cut', 'regulatory', 'capital_raise')"""
)
COMPETITIVE = f"""
WITH sessions AS (
    SELECT ticker, close, end_at, available_at, row_number() OVER (PARTITION BY ticker ORDER BY end_at) AS number
    FROM market_snapshots WHERE span = '1d'),
told AS (
    SELECT r.impact_id, r.ticker AS source, r.catalyst, r.sentiment, r.impact, r.available_at AS judged,
        r.catalyst IN {MAJOR} AS major, s.published_at AS sample_at
    FROM impact_records r JOIN impact_records s ON s.ticker = r.ticker AND s.catalyst = r.catalyst
        AND s.cluster_id <> r.cluster_id AND s.published_at < r.published_at AND s.available_at <= r.available_at
        AND s.published_at >= r.available_at - if(r.catalyst IN {MAJOR}, INTERVAL 365 DAYS, INTERVAL 180 DAYS)
    WHERE r.quote <> 'told before'
    QUALIFY row_number() OVER (PARTITION BY r.impact_id, s.cluster_id ORDER BY s.published_at, s.document_id) = 1),
responses AS (
    SELECT b.ticker, b.end_at AS begun, after.close / b.close - 1 AS gain, greatest(b.available_at, after.available_at) AS known
    FROM sessions b JOIN sessions after ON after.ticker = b.ticker AND after.number = b.number + 5),
abnormal AS (
    SELECT *, gain - avg(gain) OVER (PARTITION BY begun) AS beyond, max(known) OVER (PARTITION BY begun) AS settled
    FROM responses),
sampled AS (
    SELECT t.*, a.ticker AS whose, a.beyond FROM told t
    JOIN abnormal a ON a.begun = (SELECT max(end_at) FROM sessions WHERE end_at <= t.sample_at) AND a.settled <= t.judged),
patterns AS (
    SELECT impact_id, whose, count(*) AS n, avg(beyond) AS mean_response, any_value(major) AS major,
        (epoch_us(any_value(judged)) - epoch_us(max(sample_at))) / 8.64e10 AS age, list(sign(beyond)) AS signs
    FROM sampled GROUP BY impact_id, whose HAVING count(*) >= 3),
trusted AS (
    SELECT *, list_count(list_filter(signs, lambda s: s = sign(mean_response))) / n AS consistency FROM patterns),
confident AS (
    SELECT *, least(1, consistency * (1 - exp(-n / 5)) * if(major, 1.3, 1))
        * if(age <= 90, 1, greatest(0.5, 1 - 0.5 * (age - 90) / 90)) AS trust FROM trusted),
candidates AS (
    SELECT r.impact_id, r.ticker AS source, l.target, l.relationship, l.strength, r.sentiment, r.impact,
        if(l.relationship IN ('direct_competitor', 'substitute'), -1, 1) AS turn,
        c.n AS cross_n, c.mean_response AS cross_mean, c.consistency AS cross_consistency, c.trust AS cross_trust,
        o.n AS own_n, o.mean_response AS own_mean, o.consistency AS own_consistency, o.trust AS own_trust
    FROM impact_records r JOIN relations l ON l.source = r.ticker
    LEFT JOIN confident c ON c.impact_id = r.impact_id AND c.whose = l.target
    LEFT JOIN confident o ON o.impact_id = r.impact_id AND o.whose = r.ticker
    WHERE r.quote <> 'told before'),
judged AS (
    SELECT *, CASE WHEN cross_n IS NOT NULL THEN 'cross' WHEN own_n IS NOT NULL THEN 'self' ELSE 'none' END AS pattern,
        coalesce(cross_trust, own_trust, 0.3) AS pattern_confidence,
        CASE WHEN cross_n IS NOT NULL THEN sign(cross_mean) WHEN own_n IS NOT NULL THEN turn * sign(own_mean)
            ELSE turn * sign(sentiment) END AS way
    FROM candidates)
SELECT impact_id, source AS source_ticker, target AS ticker, relationship, strength, pattern,
    coalesce(cross_n, own_n, 0) AS samples, coalesce(cross_mean, own_mean) AS mean_response,
    coalesce(cross_consistency, own_consistency) AS consistency, pattern_confidence, way * abs(sentiment) AS sentiment,
    impact * strength * pattern_confidence AS impact
FROM judged WHERE pattern_confidence >= 0.3 AND impact * strength * pattern_confidence >= 0.2
"""


@pytest.fixture(scope="module")
def sql(day: Day) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = opened(day)
    yield connection
    connection.close()


def test_every_macro_impact(sql: duckdb.DuckDBPyConnection) -> None:
    agree(
        rows_of(sql, "SELECT * FROM macro_impacts"), rows_of(sql, MACRO), ("event_id", "ticker"),
        *("geo", "sector", "commodity", "exposure", "impact", "sentiment", "duration", "confidence"),
    )  # fmt: skip


def test_every_competitive_signal(sql: duckdb.DuckDBPyConnection) -> None:
    stored = rows_of(sql, "SELECT * FROM competitive_signals")
    assert {row["pattern"] for row in stored} >= {"cross", "none"}
    assert len({row["relationship"] for row in stored}) == 6
    agree(
        stored, rows_of(sql, COMPETITIVE), ("impact_id", "ticker"),
        *("source_ticker", "relationship", "strength", "pattern", "samples", "mean_response", "consistency"),
        *("pattern_confidence", "sentiment", "impact"),
    )  # fmt: skip
