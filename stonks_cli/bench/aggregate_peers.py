"""The same trends and evidence by other means: polars, DuckDB, pandas, and a loop per company in plain Python.

Each reads the same columns of the same files, as fast as it knows how, and answers two tables: `figures` and the scores
of the ten best signals of each trend. They share the formulas' text (`DOMAIN`), and no line with the product.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pa_dataset

from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import SIGNALS

FIGURES = ("score", "strength", "confidence", "contradiction", "n_effective", "total_weight")
LAYERS = {"company": 1.0, "macro": 0.3, "competitive": 0.2}
STALE_HOURS, STALE = 48, 0.25
HALF_LIVES = {"intraday": 4.0, "1d": 8.0, "7d": 48.0, "30d": 240.0, "90d": 720.0}
SPANS = {"1d": 24.0, "7d": 168.0, "30d": 720.0, "90d": 2160.0}
COLUMNS = (
    *("signal_id", "ticker", "layer", "document_id", "cluster_id", "sentiment", "impact", "confidence", "novelty"),
    *("credibility", "duration", "published_at", "available_at"),
)
STORY = ["ticker", "layer", "cluster_id"]
FIRST = ["published_at", "document_id", "impact", "signal_id"]
Answer = tuple[pa.Table, pa.Table]
Peer = Callable[[Lake, datetime, datetime], Answer]


def files_of(lake: Lake) -> list[str]:
    """The Parquet files of the newest version."""
    return list(lake.ensure(SIGNALS).file_uris())


def windows(as_of: datetime, closed: datetime) -> dict[str, tuple[datetime, float]]:
    """Since when each window looks back, and its half-life in hours."""
    since = {name: as_of - timedelta(hours=span) for name, span in SPANS.items()} | {"intraday": closed}
    return {name: (since[name], half_life) for name, half_life in HALF_LIVES.items()}


def by_duckdb(lake: Lake, as_of: datetime, closed: datetime) -> Answer:
    """One SQL statement for each of the two tables, over the files, with two threads."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 2; SET enable_progress_bar = false")
        listed = ", ".join(f"'{path}'" for path in files_of(lake))
        shapes = ", ".join(
            f"('{name}', TIMESTAMPTZ '{since.isoformat()}', {half_life})"
            for name, (since, half_life) in windows(as_of, closed).items()
        )
        connection.execute(
            f"""
            CREATE TEMP TABLE weighed AS
            WITH known AS (SELECT {", ".join(COLUMNS)} FROM read_parquet([{listed}])
                WHERE available_at <= $now AND published_at <= $now),
            first_told AS (SELECT * FROM known QUALIFY row_number() OVER (
                PARTITION BY ticker, layer, cluster_id ORDER BY published_at, document_id, impact DESC, signal_id) = 1),
            aged AS (SELECT *, (epoch_us($now) - epoch_us(published_at)) / 3.6e9 AS age FROM first_told)
            SELECT ticker, win, sentiment AS v, impact, confidence, pow(2, -age / half_life) AS fade,
                CASE layer WHEN 'company' THEN 1.0 WHEN 'macro' THEN 0.3 ELSE 0.2 END
                * if(duration = 'short' AND age > {STALE_HOURS}, {STALE}, 1.0)
                * fade * credibility * (0.5 + 0.5 * novelty) * confidence * impact AS w
            FROM aged, (VALUES {shapes}) shape(win, since, half_life) WHERE published_at > since AND w > 0
            """,
            {"now": as_of},
        )
        figures = connection.sql(
            """
            WITH sums AS (SELECT ticker, win, sum(w) AS t, sum(w * w) AS squares, sum(w * confidence) AS trust,
                coalesce(sum(w * v) FILTER (v > 0), 0) AS p, coalesce(-sum(w * v) FILTER (v < 0), 0) AS n
                FROM weighed GROUP BY ticker, win),
            told AS (SELECT *, (p - n) / t AS score, if(p + n = 0, 0, 2 * least(p, n) / (p + n)) AS contradiction,
                t * t / squares AS n_effective FROM sums)
            SELECT ticker, win AS "window", score, abs(score) * (1 - exp(-t)) AS strength,
                trust / t * (1 - exp(-n_effective)) * (1 - 0.5 * contradiction) AS confidence, contradiction, n_effective,
                t AS total_weight FROM told
            """
        ).to_arrow_table()
        evidence = connection.sql(
            """
            WITH judged AS (SELECT ticker, win, 0.4 * w / max(w) OVER (PARTITION BY ticker, win) + 0.3 * impact + 0.2 * fade
                + 0.1 * confidence AS points FROM weighed)
            SELECT ticker, win AS "window", points AS evidence_score FROM judged
            QUALIFY row_number() OVER (PARTITION BY ticker, win ORDER BY points DESC) <= 10
            """
        ).to_arrow_table()
    return figures, evidence


def by_polars(lake: Lake, as_of: datetime, closed: datetime) -> Answer:
    """Lazy frames over the files, a window after the other."""
    import polars as pl  # noqa: PLC0415  a peer need not be installed

    c = pl.col
    age = (pl.lit(as_of) - c("published_at")).dt.total_microseconds() / 3.6e9
    base = (
        c("layer").replace_strict(LAYERS, return_dtype=pl.Float64)
        * pl.when((c("duration") == "short") & (age > STALE_HOURS)).then(STALE).otherwise(1.0)
        * c("credibility") * (0.5 + 0.5 * c("novelty")) * c("confidence") * c("impact")
    )  # fmt: skip
    counting = (
        pl.scan_parquet(files_of(lake))
        .select(COLUMNS)
        .filter((c("available_at") <= as_of) & (c("published_at") <= as_of))
        .sort(FIRST, descending=[name == "impact" for name in FIRST])
        .unique(STORY, keep="first")
        .select("ticker", "published_at", "impact", "confidence", v="sentiment", age=age, base=base)
        .collect()
    )
    figures, evidence = [], []
    for name, (since, half_life) in windows(as_of, closed).items():
        told = counting.lazy().filter(c("published_at") > since).with_columns(fade=2.0 ** (-c("age") / half_life))
        weighed = told.with_columns(w=c("base") * c("fade")).filter(c("w") > 0)
        lean = c("w") * c("v")
        sums = weighed.group_by("ticker").agg(
            t=c("w").sum(), squares=(c("w") ** 2).sum(), trust=(c("w") * c("confidence")).sum(),
            p=lean.filter(lean > 0).sum(), n=-lean.filter(lean < 0).sum(),
        )  # fmt: skip
        both = c("p") + c("n")
        scored = sums.with_columns(
            score=(c("p") - c("n")) / c("t"), n_effective=c("t") ** 2 / c("squares"), total_weight=c("t"),
            contradiction=pl.when(both > 0).then(2 * pl.min_horizontal("p", "n") / both).otherwise(0.0),
        )  # fmt: skip
        trust = c("trust") / c("t") * (1 - (-c("n_effective")).exp()) * (1 - 0.5 * c("contradiction"))
        strength = c("score").abs() * (1 - (-c("t")).exp())
        figures.append(
            scored.with_columns(strength=strength, confidence=trust)
            .select("ticker", pl.lit(name).alias("window"), *FIGURES)
            .collect()
        )
        points = (
            0.4 * c("w") / c("w").max().over("ticker") + 0.3 * c("impact") + 0.2 * c("fade") + 0.1 * c("confidence")
        )
        best = weighed.select("ticker", evidence_score=points).group_by("ticker").agg(c("evidence_score").top_k(10))
        best = best.explode("evidence_score").select("ticker", pl.lit(name).alias("window"), "evidence_score")
        evidence.append(best.collect())
    return pl.concat(figures).to_arrow(), pl.concat(evidence).to_arrow()


def by_pandas(lake: Lake, as_of: datetime, closed: datetime) -> Answer:
    """Data frames, a window after the other."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415  takes a second to load

    files = pa_dataset.dataset(files_of(lake), format="parquet")
    told = files.to_table(columns=list(COLUMNS)).to_pandas()
    told = told[(told.available_at <= as_of) & (told.published_at <= as_of)]
    told = told.sort_values(FIRST, ascending=[name != "impact" for name in FIRST]).drop_duplicates(STORY)
    age = (as_of - told.published_at).dt.total_seconds() / 3600
    stale = np.where((told.duration == "short") & (age > STALE_HOURS), STALE, 1.0)
    quality = told.credibility * (0.5 + 0.5 * told.novelty) * told.confidence * told.impact
    told = told.assign(age=age, base=told.layer.map(LAYERS) * stale * quality)
    figures, evidence = [], []
    for name, (since, half_life) in windows(as_of, closed).items():
        near = told[told.published_at > since]
        fade = 2.0 ** (-near.age / half_life)
        near = near.assign(fade=fade, w=near.base * fade)
        near = near[near.w > 0]
        lean = near.w * near.sentiment
        parts = {"t": near.w, "squares": near.w**2, "trust": near.w * near.confidence}
        parts |= {"p": lean.clip(lower=0), "n": -lean.clip(upper=0)}
        s = pd.DataFrame({"ticker": near.ticker, **parts}).groupby("ticker").sum()
        both = s.p + s.n
        s["score"], s["n_effective"], s["total_weight"] = (s.p - s.n) / s.t, s.t**2 / s.squares, s.t
        s["contradiction"] = (2 * s[["p", "n"]].min(axis=1) / both).where(both > 0, 0.0)
        s["strength"] = s.score.abs() * (1 - np.exp(-s.t))
        s["confidence"] = s.trust / s.t * (1 - np.exp(-s.n_effective)) * (1 - 0.5 * s.contradiction)
        figures.append(s.reset_index().assign(window=name)[["ticker", "window", *FIGURES]])
        heaviest = near.groupby("ticker").w.transform("max")
        points = 0.4 * near.w / heaviest + 0.3 * near.impact + 0.2 * near.fade + 0.1 * near.confidence
        best = near.assign(evidence_score=points, window=name).sort_values("evidence_score", ascending=False)
        evidence.append(best.groupby("ticker").head(10)[["ticker", "window", "evidence_score"]])
    answers = [pa.Table.from_pandas(pd.concat(rows), preserve_index=False) for rows in (figures, evidence)]
    return answers[0], answers[1]


def by_loop(lake: Lake, as_of: datetime, closed: datetime) -> Answer:
    """A company after the other, a signal after the other."""
    rows = lake.read(SIGNALS, as_of=as_of, columns=COLUMNS)
    listed = zip(*(rows[name].to_pylist() for name in COLUMNS), strict=True)
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for values in listed:
        signal = dict(zip(COLUMNS, values, strict=True))
        if signal["published_at"] <= as_of:
            of[signal["ticker"]].append(signal)
    figures: list[Mapping[str, Any]] = []
    evidence: list[Mapping[str, Any]] = []
    for ticker, signals in of.items():
        for trend, best in _trends_of(signals, as_of, closed):
            figures.append({"ticker": ticker, **trend})
            evidence += [{"ticker": ticker, "window": trend["window"], "evidence_score": score} for score in best]
    return pa.Table.from_pylist(figures), pa.Table.from_pylist(evidence)


def _trends_of(
    signals: list[dict[str, Any]], as_of: datetime, closed: datetime
) -> Iterator[tuple[dict[str, Any], list[float]]]:
    signals.sort(
        key=lambda s: (*(s[n] for n in STORY), s["published_at"], s["document_id"], -s["impact"], s["signal_id"])
    )
    firsts = [next(told) for _, told in groupby(signals, key=lambda s: (s["layer"], s["cluster_id"]))]
    for name, (since, half_life) in windows(as_of, closed).items():
        weighed = []
        for s in firsts:
            if s["published_at"] > since:
                age = (as_of - s["published_at"]).total_seconds() / 3600
                fade = 2.0 ** (-age / half_life)
                stale = STALE if s["duration"] == "short" and age > STALE_HOURS else 1.0
                quality = s["credibility"] * (0.5 + 0.5 * s["novelty"]) * s["confidence"] * s["impact"]
                if (w := LAYERS[s["layer"]] * stale * fade * quality) > 0:
                    weighed.append((w, s["sentiment"], s["impact"], fade, s["confidence"]))
        if weighed:
            yield {"window": name, **_figures(weighed)}, _best(weighed)


def _figures(weighed: Sequence[tuple[float, ...]]) -> dict[str, float]:
    total = math.fsum(w for w, *_ in weighed)
    positive = math.fsum(w * v for w, v, *_ in weighed if v > 0)
    negative = math.fsum(-w * v for w, v, *_ in weighed if v < 0)
    both = positive + negative
    score, kish = (positive - negative) / total, total**2 / math.fsum(w * w for w, *_ in weighed)
    contradiction = 2 * min(positive, negative) / both if both else 0.0
    trust = math.fsum(w * confidence for w, *_, confidence in weighed) / total
    return {
        "score": score,
        "strength": abs(score) * (1 - math.exp(-total)),
        "confidence": trust * (1 - math.exp(-kish)) * (1 - 0.5 * contradiction),
        "contradiction": contradiction,
        "n_effective": kish,
        "total_weight": total,
    }


def _best(weighed: Sequence[tuple[float, ...]]) -> list[float]:
    heaviest = max(w for w, *_ in weighed)
    points = (0.4 * w / heaviest + 0.3 * impact + 0.2 * fade + 0.1 * trust for w, _, impact, fade, trust in weighed)
    return sorted(points, reverse=True)[:10]


PEERS: Mapping[str, Peer] = {
    "peer: polars": by_polars,
    "peer: DuckDB": by_duckdb,
    "peer: pandas": by_pandas,
    "peer: loop per company": by_loop,
}
