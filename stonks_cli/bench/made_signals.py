"""A lake of made signals: ninety days, five thousand companies, three layers, and copies of what was told before."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.tables import UTC_MICROS

SEED = 20_260_310
DAYS = 90
AS_OF = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
COPIED = 0.3
SHARES = {"company": 0.6, "macro": 0.25, "competitive": 0.15}
_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_DAY = 86_400_000_000
Letters = npt.NDArray[np.uint8]


def fill(lake: Lake, count: int, companies: int, days: int = DAYS) -> None:
    """About `count` signals of the last days, a file a day, in the shape and with the ids that the pipeline writes."""
    chance = np.random.default_rng(SEED)
    for back in range(days, 0, -1):
        lake.append(SIGNALS, _of_day(chance, AS_OF - timedelta(days=back), max(1, count // days), companies))


def _of_day(chance: np.random.Generator, begin: datetime, count: int, companies: int) -> pa.Table:
    published = int(begin.timestamp() * 1e6) + np.sort(chance.integers(0, _DAY - 60_000_000, count))
    available = np.minimum(published + chance.exponential(60e6, count).astype(np.int64), int(AS_OF.timestamp()) * 10**6)
    ticker = chance.integers(0, companies, count)
    dated = np.tile(np.frombuffer(f"{begin:%Y%m%d}-".encode(), dtype=np.uint8), (count, 1))
    document = np.hstack([dated, _hexadecimal(chance, count, 20)])
    names = _texts(_hexadecimal(chance, count, 24))
    layer = np.array(list(SHARES), dtype=object)[chance.choice(len(SHARES), count, p=list(SHARES.values()))]
    short = (layer == "macro") & (chance.random(count) < 0.3)
    columns = {
        "day": [begin.date().isoformat()] * count,
        "signal_id": names,
        "ticker": np.array([f"T{number:04d}" for number in range(companies)], dtype=object)[ticker],
        "layer": layer,
        "source_record_id": _texts(_hexadecimal(chance, count, 24)),
        "document_id": _texts(document),
        "cluster_id": _texts(_copied(chance, document, ticker)),
        "origin_signal_id": names,
        "sentiment": np.round(chance.uniform(-1, 1, count), 2),
        "impact": np.round(chance.random(count), 2),
        "confidence": np.round(chance.random(count), 2),
        "novelty": 1 / (1 + chance.integers(0, 4, count)),
        "credibility": chance.choice([0.5, 0.6, 0.95], count),
        "catalyst": np.array(["earnings_beat", "litigation", "other"], dtype=object)[chance.integers(0, 3, count)],
        "duration": np.where(short, "short", "").astype(object),
        "published_at": pa.array(published, pa.int64()).cast(UTC_MICROS),
        "available_at": pa.array(available, pa.int64()).cast(UTC_MICROS),
    }
    return pa.table({name: pa.array(column) for name, column in columns.items()}).cast(SIGNALS.schema)


def _copied(chance: np.random.Generator, document: Letters, ticker: npt.NDArray[np.int64]) -> Letters:
    """Each document's cluster: its own id, or that of the signal of the same company before it."""
    by_company = np.argsort(ticker, kind="stable")
    before = by_company[np.maximum(np.arange(ticker.size) - 1, 0)]
    copies = (ticker[before] == ticker[by_company]) & (chance.random(ticker.size) < COPIED)
    cluster = document.copy()
    cluster[by_company[copies]] = document[before[copies]]
    return cluster


def _hexadecimal(chance: np.random.Generator, count: int, width: int) -> Letters:
    return _DIGITS[chance.integers(0, 16, (count, width), dtype=np.uint8)]


def _texts(letters: Letters) -> pa.StringArray:
    count, width = letters.shape
    bounds = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(np.ascontiguousarray(letters)))
