"""Signals, trends, evidence, projections and recommendations of the day, worked out again in SQL from the stored rows.

The SQL is written from the formulas' definitions and shares no line with the code that filled the tables.
"""

from collections.abc import Iterator

import duckdb
import pytest

from tests.acceptance.day import Day
from tests.acceptance.sql import agree, opened, rows_of

SHAPES = """
shapes(win, span_hours, half_life) AS (VALUES
    ('intraday', NULL, 4.0), ('1d', 24.0, 8.0), ('7d', 168.0, 48.0), ('30d', 720.0, 240.0), ('90d', 2160.0, 720.0)),
-- The synthetic market's sessions are the UTC days: the previous one closed at midnight.
asked AS (SELECT DISTINCT as_of, win, span_hours, half_life,
        CASE WHEN span_hours IS NULL THEN date_trunc('day', as_of) ELSE as_of - to_hours(span_hours::BIGINT) END AS since
    FROM trend_history, shapes)
"""
WEIGHED = (
    "WITH "
    + SHAPES
    + """,
known AS (
    SELECT a.*, s.*, (epoch_us(a.as_of) - epoch_us(s.published_at)) / 3.6e9 AS age
    FROM signals s JOIN asked a ON s.available_at <= a.as_of AND s.published_at <= a.as_of),
first_told AS (
    SELECT * FROM known QUALIFY row_number() OVER (
        PARTITION BY as_of, win, ticker, layer, cluster_id ORDER BY published_at, document_id, impact DESC, signal_id) = 1),
weighed AS (
    SELECT *, pow(2, -age / half_life) AS recency_of,
        CASE layer WHEN 'company' THEN 1.0 WHEN 'macro' THEN 0.3 WHEN 'competitive' THEN 0.2 END
        * CASE WHEN duration = 'short' AND age > 48 THEN 0.25 ELSE 1.0 END
        * pow(2, -age / half_life) * credibility * (0.5 + 0.5 * novelty) * confidence * impact AS w
    FROM first_told WHERE published_at > since),
sums AS (
    SELECT as_of, ticker, win, sum(w) AS t, sum(w * w) AS squares, sum(w * confidence) AS trust, count(*) AS n,
        coalesce(sum(w * sentiment) FILTER (sentiment > 0), 0) AS p,
        coalesce(sum(w * -sentiment) FILTER (sentiment < 0), 0) AS m,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'company'), 0) AS by_company,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'macro'), 0) AS by_macro,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'competitive'), 0) AS by_competitors
    FROM weighed WHERE w > 0 GROUP BY as_of, ticker, win),
trends AS (
    SELECT *, (p - m) / t AS score_of, if(p + m = 0, 0, 2 * least(p, m) / (p + m)) AS contradiction_of,
        t * t / squares AS kish
    FROM sums)
"""
)
TRENDS = (
    WEIGHED
    + """
SELECT as_of, ticker, win AS window, score_of AS score, contradiction_of AS contradiction, kish AS n_effective,
    abs(score_of) * (1 - exp(-t)) AS strength, trust / t * (1 - exp(-kish)) * (1 - 0.5 * contradiction_of) AS confidence,
    CASE WHEN score_of >= 0.15 THEN 'bullish' WHEN score_of <= -0.15 THEN 'bearish'
        WHEN contradiction_of >= 0.4 THEN 'mixed' ELSE 'neutral' END AS direction,
    p AS positive, m AS negative, t AS total_weight, n AS signals_counted,
    if(p + m = 0, 0, by_company / (p + m)) AS company_share, if(p + m = 0, 0, by_macro / (p + m)) AS macro_share,
    if(p + m = 0, 0, by_competitors / (p + m)) AS competitive_share
FROM trends SEMI JOIN trend_history h ON (h.as_of = trends.as_of AND h.ticker = trends.ticker)
"""
)
EVIDENCE = (
    WEIGHED
    + """
, ranked AS (
    SELECT w.as_of, w.ticker, w.win, w.signal_id, w.document_id, w.layer, w.w, w.recency_of,
        0.4 * w.w / max(w.w) OVER trend + 0.3 * impact + 0.2 * recency_of + 0.1 * confidence AS points,
        if(w.sentiment * t.score_of < 0, 'contradicting', 'supporting') AS stance
    FROM weighed w JOIN trends t USING (as_of, ticker, win) WHERE w.w > 0
    WINDOW trend AS (PARTITION BY w.as_of, w.ticker, w.win)),
placed AS (
    SELECT *, row_number() OVER (
        PARTITION BY as_of, ticker, win ORDER BY round(points, 12) DESC, document_id, signal_id) AS place FROM ranked)
SELECT h.trend_id, p.place AS rank, p.signal_id, p.document_id, p.layer, p.stance, p.w AS weight, p.recency_of AS recency,
    p.points AS evidence_score
FROM placed p JOIN trend_history h ON (h.as_of = p.as_of AND h.ticker = p.ticker AND h."window" = p.win) WHERE place <= 10
"""
)
NOVELTY = """
-- What was known when a signal became known: of each other story of the ticker, its first teller by then.
WITH tellers AS (
    SELECT s.signal_id, o.cluster_id AS other, o.catalyst AS said, sign(o.sentiment) AS lean, o.published_at AS told
    FROM signals s JOIN signals o ON o.ticker = s.ticker AND o.available_at <= s.available_at AND o.cluster_id <> s.cluster_id
    QUALIFY row_number() OVER (PARTITION BY s.signal_id, o.layer, o.cluster_id
        ORDER BY o.published_at, o.document_id, o.impact DESC, o.signal_id) = 1),
earlier AS (
    SELECT s.signal_id, count(DISTINCT t.other) AS clusters FROM signals s JOIN tellers t ON t.signal_id = s.signal_id
        AND t.said = s.catalyst AND t.lean = sign(s.sentiment)
        AND t.told >= s.published_at - INTERVAL 48 HOURS AND t.told < s.published_at GROUP BY s.signal_id)
SELECT s.signal_id, 1.0 / (1 + coalesce(e.clusters, 0)) AS novelty,
    first_value(s.signal_id) OVER (PARTITION BY s.ticker, s.layer, s.cluster_id
        ORDER BY s.published_at, s.document_id, s.impact DESC, s.signal_id) AS origin_signal_id
FROM signals s LEFT JOIN earlier e USING (signal_id)
"""
MARKET = (
    "WITH "
    + SHAPES
    + """,
bars AS (
    SELECT a.as_of, b.ticker, b.end_at, b.close, b.volume,
        row_number() OVER (PARTITION BY a.as_of, b.ticker ORDER BY b.end_at DESC) AS back,
        ln(b.close / lag(b.close) OVER (PARTITION BY a.as_of, b.ticker ORDER BY b.end_at)) AS change
    FROM market_snapshots b JOIN (SELECT DISTINCT as_of FROM asked) a ON b.available_at <= a.as_of WHERE b.span = '1d'),
recent AS (
    SELECT as_of, ticker,
        max(volume) FILTER (back = 1) / avg(volume) FILTER (back <= 20) AS volume_ratio,
        stddev_samp(change) FILTER (back <= 20) * sqrt(365) AS volatility
    FROM bars GROUP BY as_of, ticker),
newest AS (
    SELECT a.as_of, b.ticker, arg_max(b.close, b.end_at) AS price
    FROM market_snapshots b JOIN (SELECT DISTINCT as_of FROM asked) a ON b.available_at <= a.as_of
    WHERE b.span = '1d' OR b.day = strftime(a.as_of AT TIME ZONE 'UTC', '%Y-%m-%d') GROUP BY ALL),
begun AS (
    SELECT a.as_of, b.ticker, a.win, arg_max(b.close, b.end_at) AS close
    FROM asked a JOIN bars b ON b.as_of = a.as_of AND b.end_at <= a.since GROUP BY a.as_of, b.ticker, a.win)
SELECT h.trend_id, n.price AS reference_price, r.volume_ratio, r.volatility, n.price / b.close - 1 AS window_return
FROM trend_history h JOIN recent r ON r.as_of = h.as_of AND r.ticker = h.ticker
JOIN newest n ON n.as_of = h.as_of AND n.ticker = h.ticker
LEFT JOIN begun b ON b.as_of = h.as_of AND b.ticker = h.ticker AND b.win = h."window"
"""
)
PROJECTIONS = (
    "WITH "
    + SHAPES
    + """,
points AS (
    SELECT n.ticker, n."window" AS win, n.as_of, h.score, n.score AS last_score,
        (epoch_us(h.as_of) - epoch_us(n.as_of)) / 8.64e10 AS x
    FROM trend_windows n JOIN trend_history h ON h.ticker = n.ticker AND h."window" = n."window" AND h.as_of <= n.as_of
    QUALIFY row_number() OVER (PARTITION BY n.ticker, n."window" ORDER BY h.as_of DESC) <= 20),
weights AS (
    SELECT p.*, pow(2, x * 24 / half_life) AS g, coalesce(span_hours, (epoch_us(p.as_of) - epoch_us(a.since)) / 3.6e9) AS hours
    FROM points p JOIN asked a USING (as_of, win)),
means AS (
    SELECT ticker, win, as_of, any_value(last_score) AS y0, any_value(hours) AS hours, count(*) AS n, sum(g) AS s,
        sum(g * x) / sum(g) AS mx, sum(g * score) / sum(g) AS my FROM weights GROUP BY ALL),
lines AS (
    SELECT m.*, sum(g * (x - mx) * (score - my)) / sum(g * (x - mx) ** 2) AS b, sum(g * (score - my) ** 2) AS dev
    FROM means m JOIN weights w USING (ticker, win, as_of) WHERE m.n >= 2 GROUP BY ALL),
fits AS (
    SELECT l.*, if(any_value(dev) < 1e-24, 0, 1 - sum(g * (score - my - b * (x - mx)) ** 2) / any_value(dev)) AS r2
    FROM lines l JOIN weights w USING (ticker, win, as_of) GROUP BY ALL)
SELECT ticker, win AS window, as_of, b AS slope, greatest(-1, least(1, y0 + b * hours / 48)) AS projected_score,
    r2 AS r_squared, r2 * (1 - exp(-n / 5)) AS confidence, n AS points
FROM fits WHERE r2 * (1 - exp(-n / 5)) >= 0.3
"""
)
RECOMMENDED = """
WITH judged AS (
    SELECT t.*, t.confidence * if(p.projected_score * t.score < 0, 0.8, 1.0) AS trust
    FROM trend_history t LEFT JOIN trend_projections p
        ON p.ticker = t.ticker AND p."window" = t."window" AND p.as_of = t.as_of),
acted AS (
    SELECT *, CASE WHEN direction = 'bullish' AND strength >= 0.30 AND trust >= 0.40 THEN 'buy'
        WHEN direction = 'bearish' AND strength >= 0.30 AND trust >= 0.40 THEN 'sell'
        WHEN direction <> 'neutral' THEN 'watch' ELSE 'hold' END AS action
    FROM judged)
SELECT r.recommendation_id, a.ticker, a."window", a.action, a.trust AS confidence, a.score, a.strength, a.contradiction,
    CASE WHEN a.company_share = 0 OR a.action NOT IN ('buy', 'sell') THEN 'informational'
        WHEN a.trust >= 0.75 AND a.contradiction < 0.3 THEN 'live_eligible'
        WHEN a.trust >= 0.50 THEN 'paper_eligible' ELSE 'informational' END AS mode,
    CASE WHEN a.contradiction >= 0.5 OR a.volatility >= 0.6 THEN 'high'
        WHEN a.trust >= 0.7 AND a.contradiction < 0.2 AND a.volatility < 0.3 THEN 'low' ELSE 'moderate' END AS risk_class,
    a.as_of + to_microseconds(greatest(3600000000, CASE a."window" WHEN '1d' THEN 43200000000 WHEN '7d' THEN 302400000000
        WHEN '30d' THEN 1296000000000 WHEN '90d' THEN 3888000000000
        ELSE (epoch_us(a.as_of) - epoch_us(date_trunc('day', a.as_of))) // 2 END)) AS expires_at,
    a.reference_price, a.company_share = 0 AS suppressed
FROM acted a JOIN recommendations r ON r.trend_id = a.trend_id
"""


@pytest.fixture(scope="module")
def sql(day: Day) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = opened(day)
    yield connection
    connection.close()


def test_novelty_and_origins(sql: duckdb.DuckDBPyConnection) -> None:
    stored = rows_of(sql, "SELECT signal_id, novelty, origin_signal_id FROM signals")
    assert {row["novelty"] for row in stored} > {1.0, 0.5}, "no story was told twice: the day is too quiet"
    assert any(row["origin_signal_id"] != row["signal_id"] for row in stored)
    agree(stored, rows_of(sql, NOVELTY), ("signal_id",), "novelty", "origin_signal_id")


def test_signals_carry_what_their_records_say(sql: duckdb.DuckDBPyConnection) -> None:
    shared = "ticker, document_id, cluster_id, sentiment, impact, confidence, credibility, published_at, available_at"
    computed = f"""
        SELECT impact_id AS source_record_id, 'company' AS layer, catalyst, '' AS duration, {shared} FROM impact_records
            WHERE quote <> 'told before'
        UNION ALL SELECT macro_impact_id, 'macro', 'macro', duration, {shared} FROM macro_impacts
        UNION ALL SELECT competitive_id, 'competitive', catalyst, '', {shared} FROM competitive_signals"""
    columns = [*shared.split(", "), "catalyst", "duration"]
    stored = rows_of(sql, "SELECT * FROM signals")
    assert {row["layer"] for row in stored} == {"company", "macro", "competitive"}
    agree(stored, rows_of(sql, computed), ("layer", "source_record_id"), *columns)


def test_every_trend(sql: duckdb.DuckDBPyConnection) -> None:
    stored = rows_of(sql, "SELECT * FROM trend_history")
    assert len({row["as_of"] for row in stored}) == 2
    assert {row["direction"] for row in stored} >= {"bullish", "bearish"}
    agree(
        stored, rows_of(sql, TRENDS), ("as_of", "ticker", "window"),
        *("score", "contradiction", "n_effective", "strength", "confidence", "direction", "positive", "negative"),
        *("total_weight", "signals_counted", "company_share", "macro_share", "competitive_share"),
    )  # fmt: skip


def test_a_stale_short_event_is_among_what_was_weighed(sql: duckdb.DuckDBPyConnection) -> None:
    stale = """SELECT count(*) AS n FROM signals s, (SELECT max(as_of) AS newest FROM trend_history)
        WHERE duration = 'short' AND published_at < newest - INTERVAL 48 HOURS"""
    assert rows_of(sql, stale)[0]["n"] > 0


def test_the_newest_trends_are_those_of_history(sql: duckdb.DuckDBPyConnection) -> None:
    newest = """SELECT * FROM trend_history QUALIFY row_number() OVER (PARTITION BY ticker, "window" ORDER BY as_of DESC) = 1"""
    columns = [name for name in rows_of(sql, "SELECT * FROM trend_windows LIMIT 1")[0] if name != "trend_id"]
    agree(rows_of(sql, "SELECT * FROM trend_windows"), rows_of(sql, newest), ("trend_id",), *columns)


def test_the_evidence_of_every_trend(sql: duckdb.DuckDBPyConnection) -> None:
    agree(
        rows_of(sql, "SELECT * FROM trend_evidence"), rows_of(sql, EVIDENCE), ("trend_id", "rank"),
        *("signal_id", "document_id", "layer", "stance", "weight", "recency", "evidence_score"),
    )  # fmt: skip


def test_the_market_around_every_trend(sql: duckdb.DuckDBPyConnection) -> None:
    stored = rows_of(
        sql, "SELECT trend_id, reference_price, volume_ratio, volatility, window_return FROM trend_history"
    )
    assert any(row["volatility"] for row in stored)
    columns = ("reference_price", "volume_ratio", "volatility", "window_return")
    agree(stored, rows_of(sql, MARKET), ("trend_id",), *columns)


def test_every_projection(sql: duckdb.DuckDBPyConnection) -> None:
    columns = ("as_of", "slope", "projected_score", "r_squared", "confidence", "points")
    agree(rows_of(sql, "SELECT * FROM trend_projections"), rows_of(sql, PROJECTIONS), ("ticker", "window"), *columns)


def test_every_recommendation(sql: duckdb.DuckDBPyConnection) -> None:
    stored = rows_of(sql, "SELECT *, suppression <> '' AS suppressed FROM recommendations")
    assert {row["action"] for row in stored} >= {"buy", "sell", "watch"}
    assert {row["mode"] for row in stored} == {"informational", "paper_eligible", "live_eligible"}
    agree(
        stored, rows_of(sql, RECOMMENDED), ("recommendation_id",),
        *("ticker", "window", "action", "mode", "risk_class", "score", "strength", "confidence", "contradiction"),
        *("expires_at", "reference_price", "suppressed"),
    )  # fmt: skip


def test_every_trend_is_spoken_of_unless_the_same_was_said_within_five_minutes(sql: duckdb.DuckDBPyConnection) -> None:
    silent = """SELECT t.trend_id FROM trend_history t ANTI JOIN recommendations r USING (trend_id)"""
    twice = """
        SELECT a.identity FROM recommendations a JOIN recommendations b ON a.identity = b.identity AND a.as_of < b.as_of
        AND b.as_of - a.as_of < INTERVAL 5 MINUTES"""
    assert rows_of(sql, silent) == []
    assert rows_of(sql, twice) == []


def test_recommendations_rest_on_their_trends_evidence_and_its_quotes(sql: duckdb.DuckDBPyConnection) -> None:
    computed = """
        SELECT r.recommendation_id, e.rank, e.signal_id, e.layer, e.stance, e.weight, e.evidence_score, s.source_record_id,
            coalesce(i.quote, via.quote, g.quote) AS quote, coalesce(i.quote_start, via.quote_start, g.quote_start) AS quote_start,
            coalesce(i.quote_end, via.quote_end, g.quote_end) AS quote_end, d.sha256 AS document_sha256
        FROM recommendations r JOIN trend_evidence e USING (trend_id) JOIN signals s USING (signal_id)
        LEFT JOIN impact_records i ON i.impact_id = s.source_record_id
        LEFT JOIN competitive_signals c ON c.competitive_id = s.source_record_id
        LEFT JOIN impact_records via ON via.impact_id = c.impact_id
        LEFT JOIN macro_impacts m ON m.macro_impact_id = s.source_record_id
        LEFT JOIN global_events g ON g.event_id = m.event_id
        JOIN documents d ON d.document_id = s.document_id"""
    columns = ("signal_id", "layer", "stance", "weight", "evidence_score", "source_record_id", "quote", "quote_start")
    agree(
        rows_of(sql, "SELECT * FROM recommendation_evidence"), rows_of(sql, computed), ("recommendation_id", "rank"),
        *columns, "quote_end", "document_sha256",
    )  # fmt: skip


def test_every_quote_stands_where_it_is_said_to(sql: duckdb.DuckDBPyConnection) -> None:
    astray = """
        SELECT e.document_id, e.quote FROM recommendation_evidence e JOIN documents d USING (document_id)
        WHERE substring(d.text, e.quote_start + 1, e.quote_end - e.quote_start) <> e.quote OR sha256(d.text) <> d.sha256"""
    assert rows_of(sql, astray) == []
