"""Every figure of every trend, worked out again in SQL by somebody who shares no line of code with it."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from stonks_assets.aggregation.signals import placed
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.silver_tables import SIGNALS

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
    row_number() OVER (PARTITION BY ticker, layer, cluster_id
        ORDER BY published_at, document_id, impact DESC, signal_id) = 1),
weighed AS (
    SELECT o.*, s.win, pow(2.0, -age / half_life) AS recency,
        CASE layer WHEN 'company' THEN $company WHEN 'macro' THEN $macro ELSE $competitive END
        * CASE WHEN duration = 'short' AND age > $stale THEN 0.25 ELSE 1 END
        * pow(2.0, -age / half_life) * credibility * (0.5 + 0.5 * novelty) * confidence * impact AS w
    FROM origins o, shape s WHERE published_at > s.since),
sums AS (
    SELECT ticker, win, sum(w) AS t, sum(w * w) AS t2, sum(w * confidence) / sum(w) AS c, count(*) AS n,
        coalesce(sum(w * sentiment) FILTER (sentiment > 0), 0) AS p,
        coalesce(-sum(w * sentiment) FILTER (sentiment < 0), 0) AS m,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'company'), 0) AS company,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'macro'), 0) AS macro,
        coalesce(sum(w * abs(sentiment)) FILTER (layer = 'competitive'), 0) AS competitive
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
    macro / (p + m) AS macro_share, competitive / (p + m) AS competitive_share,
    CASE WHEN score >= 0.15 THEN 'bullish' WHEN score <= -0.15 THEN 'bearish' WHEN k >= 0.4 THEN 'mixed'
        ELSE 'neutral' END AS direction
FROM scored
"""
)
EVIDENCE = (
    TRENDS
    + """, ranked AS (
SELECT ticker, w.win AS "window", signal_id, w AS weight, recency, layer,
    document_id, 0.4 * w / max(w) OVER trend + 0.3 * impact + 0.2 * recency + 0.1 * confidence AS evidence_score,
    CASE WHEN sentiment * s.score < 0 THEN 'contradicting' ELSE 'supporting' END AS stance
FROM weighed w JOIN (SELECT ticker, win, score FROM scored) s USING (ticker, win) WHERE w > 0
WINDOW trend AS (PARTITION BY ticker, w.win))
SELECT *, row_number() OVER (PARTITION BY ticker, "window" ORDER BY round(evidence_score, 12) DESC,
    document_id, signal_id) AS rank
FROM ranked QUALIFY rank <= 10
"""
)
NOVELTY = """
WITH asked AS (SELECT s.*, o.signal_id AS other, o.cluster_id AS other_cluster FROM signals s LEFT JOIN signals o
    ON o.ticker = s.ticker AND o.catalyst = s.catalyst AND sign(o.sentiment) = sign(s.sentiment)
    AND o.cluster_id <> s.cluster_id AND o.available_at <= s.available_at
    AND o.published_at < s.published_at AND o.published_at >= s.published_at - INTERVAL 48 HOUR
    AND NOT EXISTS (FROM signals e WHERE e.ticker = o.ticker AND e.layer = o.layer AND e.cluster_id = o.cluster_id
        AND e.available_at <= s.available_at
        AND (e.published_at, e.document_id, -e.impact, e.signal_id)
            < (o.published_at, o.document_id, -o.impact, o.signal_id)))
SELECT signal_id, 1.0 / (1 + count(DISTINCT other_cluster)) AS novelty FROM asked GROUP BY ALL
"""


WEIGHTS = {
    "as set": LayerWeights(),
    "macro off": LayerWeights(macro=0.0),
    "competitive off": LayerWeights(competitive=0.0),
    "company alone": LayerWeights(macro=0.0, competitive=0.0),
    "other weights": LayerWeights(company=0.8, macro=0.55, competitive=0.9, short_staleness=timedelta(hours=12)),
}


@pytest.fixture(scope="module")
def table(lake_of_signals):
    return lake_of_signals.read(SIGNALS)


@pytest.fixture(scope="module")
def lake_of_signals(signals, tmp_path_factory):
    """Stored in pieces, some rows of which were replaced: what aggregation is given is what SQL reads."""
    chance = random.Random(11)
    rows = []
    for n in range(1500):
        hours = chance.uniform(2100, 2400) if n % 50 == 0 else min(chance.expovariate(1 / 200), 2400)
        published = NOW - timedelta(hours=round(hours) if n % 7 == 0 else hours)
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
    # Copies of one instant, and two signals of one document: which one counts is for the document, impact and id to say.
    told = [row for row in rows if row["cluster_id"] < "c3"]
    rows += [{**row, "id": f"1{n:04d}", "impact": chance.random()} for n, row in enumerate(told)]
    rows += [{**row, "id": f"2{n:04d}", "document_id": "20260101-same"} for n, row in enumerate(told[::2])]
    rows += [{**row, "id": f"3{n:04d}", "document_id": "20260101-same"} for n, row in enumerate(told[::2])]
    placed_rows = placed(signals(*rows))
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("signals"))))
    wrong = placed_rows.slice(0, 700)
    zero = pa.array([0.0] * 700, pa.float64())
    lake.merge(SIGNALS, wrong.set_column(wrong.column_names.index("impact"), SIGNALS.schema.field("impact"), zero))
    lake.merge(SIGNALS, placed_rows, update=True)
    return lake


@pytest.fixture(scope="module")
def sql(lake_of_signals):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    files = ", ".join(f"'{path}'" for path in lake_of_signals.ensure(SIGNALS).file_uris())
    connection.execute(f"CREATE VIEW signals AS SELECT * FROM read_parquet([{files}])")

    def rows(query, weights=None):
        given = {"now": NOW.isoformat(), "close": CLOSE.isoformat()}
        if weights is not None:
            given |= {"company": weights.company, "macro": weights.macro, "competitive": weights.competitive}
            given |= {"stale": weights.short_staleness / timedelta(hours=1)}
        return connection.sql(query, params=given if "$now" in query else {}).to_arrow_table().to_pylist()

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


@pytest.mark.parametrize("name", WEIGHTS)
def test_trends(table, sql, name):
    trends, _ = aggregate(table, NOW, WEIGHTS[name], CLOSE)
    theirs = sql(FIGURES, WEIGHTS[name])
    assert {row["window"] for row in theirs} == {"intraday", "1d", "7d", "30d", "90d"}
    assert len(theirs) == 25
    figures = [column for column in trends.column_names if column not in {"trend_id", "ticker", "window", "as_of"}]
    same(trends.to_pylist(), theirs, ("ticker", "window"), figures)


@pytest.mark.parametrize("name", WEIGHTS)
def test_evidence(table, sql, name):
    trends, evidence = aggregate(table, NOW, WEIGHTS[name], CLOSE)
    of = {row["trend_id"]: row for row in trends.to_pylist()}
    ours = [{**row, **{k: of[row["trend_id"]][k] for k in ("ticker", "window")}} for row in evidence.to_pylist()]
    names = ("signal_id", "document_id", "layer", "weight", "recency", "evidence_score", "stance")
    same(ours, sql(EVIDENCE, WEIGHTS[name]), ("ticker", "window", "rank"), names)


def test_what_the_sql_is_asked_about_is_there(table):
    """Copies of one instant, stale events, unequal novelty and credibility, and signals beyond the longest window."""
    rows = table.to_pylist()
    stories = Counter((r["ticker"], r["layer"], r["cluster_id"], r["published_at"]) for r in rows)
    assert max(stories.values()) >= 4
    assert any(r["duration"] == "short" and NOW - r["published_at"] > timedelta(hours=48) for r in rows)
    assert len({r["novelty"] for r in rows}) > 3
    assert len({r["credibility"] for r in rows}) == 3
    assert any(r["published_at"] <= NOW - timedelta(days=90) for r in rows)
    assert any(r["available_at"] > NOW for r in rows)


def test_novelty(table, sql):
    same(table.to_pylist(), sql(NOVELTY), ("signal_id",), ("novelty",))
    assert len({row["novelty"] for row in table.to_pylist()}) > 3
