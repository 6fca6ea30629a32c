"""`stonks backfill`: past days of news, filings, macro news and bars, as runs that Dagster's pages show, oldest first."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from stonks_assets.automation.jobs import CYCLE_ASSETS, cycle_job
from stonks_cli.environment import dagster_folders, process_environment, with_running_sandbox
from stonks_cli.root import ERR
from stonks_core.errors import BadInputError, StonksError
from stonks_core.settings import Settings
from stonks_core.stores.opening import Stores, open_stores
from stonks_core.vocabulary import SourceType

ASKABLE = (SourceType.NEWS_API, SourceType.FILINGS_API, SourceType.MACRO_NEWS, SourceType.MARKET_API)
"""The source types that can be asked for a past day; pages, feeds and the broker only ever tell of the present."""
OF_THE_MARKET = ("corporate_actions", "market_snapshots")
LAST_ASSET = {
    "documents": "document_company_mentions",
    "signals": "signals",
    "recommendations": "recommendation_evidence",
}
"""How far a backfill may go beyond the raw tables, and the last asset of each way."""
CHUNK = timedelta(days=31)


@dataclass(frozen=True)
class Came:
    """What one source type brought: runs of its sources, items, and the sentences of those that failed."""

    source_type: str
    days: int
    items_seen: int
    items_new: int
    failures: list[str]


def backfill(
    settings: Settings, first: date, last: date, source_types: Sequence[SourceType], through: str, now: datetime
) -> list[Came]:
    """Fetch the days from `first` to `last` and go on `through` the named stage; what each type brought.

    Run again, it fetches only what is missing. Raises BadInputError for days or types that cannot be asked for.
    """
    _require(first, last, source_types, now)
    located = with_running_sandbox(settings)
    with open_stores(located, os.environ) as stores:
        environment = process_environment(stores.settings)
        os.environ.update(environment)  # the assets read their settings from this process's environment
        dagster_folders(environment)
        for begin, end in chunks(first, last):
            _run(begin, end, source_types, through)
        return list(_came(stores, first, last, source_types, now))


def chunks(first: date, last: date) -> Iterator[tuple[date, date]]:
    """A span in runs of at most a month, so that a long one is kept as far as it came."""
    while first <= last:
        end = min(last, first + CHUNK - timedelta(days=1))
        yield first, end
        first = end + timedelta(days=1)


def selected(source_types: Sequence[SourceType], through: str) -> list[str]:
    """The assets of a backfill: the asked source types, then the chain as far as it shall go."""
    raws = [f"raw_{source_type.value}" for source_type in source_types]
    bars = list(OF_THE_MARKET) if SourceType.MARKET_API in source_types else []
    if through == "raw":
        return raws + bars
    chain = [name for name in CYCLE_ASSETS if not name.startswith("raw_") and name not in OF_THE_MARKET]
    return raws + bars + chain[: chain.index(LAST_ASSET[through]) + 1]


def _require(first: date, last: date, source_types: Sequence[SourceType], now: datetime) -> None:
    if last < first:
        raise BadInputError(f"--to {last} lies before --from {first}: give the earlier day first")
    if last > now.date():
        raise BadInputError(f"--to {last} lies ahead: the last day that can be fetched is {now.date()} (UTC)")
    for source_type in source_types:
        if source_type not in ASKABLE:
            possible = ", ".join(kind.value for kind in ASKABLE)
            raise BadInputError(
                f"{source_type} sources tell of the present only and cannot be asked for {first}; possible are {possible}"
            )


def _run(first: date, last: date, source_types: Sequence[SourceType], through: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        from stonks_assets.definitions import defs  # noqa: PLC0415  builds the whole graph: only once it is needed

    ERR.print(f"fetching {first} to {last} …", highlight=False)
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def(cycle_job.name).execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in selected(source_types, through)],
            tags={
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
                "stonks/kind": "backfill",
            },
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            instance=instance,
            raise_on_error=False,
        )
    if not result.success:
        failed = [str(event.message) for event in result.all_events if event.is_step_failure]
        raise StonksError(
            f"the run of {first} to {last} failed ({'; '.join(failed)[:500] or result.run_id}); what had come in is kept: "
            "see the run on Dagster's pages, then give the same command again"
        )


def _came(
    stores: Stores, first: date, last: date, source_types: Sequence[SourceType], since: datetime
) -> Iterator[Came]:
    for source_type in source_types:
        row: dict[str, Any] | None = stores.database.fetch_one(
            """
            SELECT count(DISTINCT r.day) AS days, COALESCE(sum(r.items_seen), 0)::int AS seen,
                   COALESCE(sum(r.items_new), 0)::int AS new,
                   COALESCE(array_agg(s.name || ', ' || r.day || ': ' || r.error) FILTER (WHERE r.error <> ''), '{}') AS failures
            FROM ingestion_runs r JOIN sources s USING (source_id)
            WHERE s.source_type = %s AND r.day BETWEEN %s AND %s AND r.started_at >= %s
            """,
            (source_type.value, first, last, since),
        )
        if row is not None:
            yield Came(source_type.value, row["days"], row["seen"], row["new"], list(row["failures"]))


def as_rows(came: Sequence[Came]) -> list[dict[str, Any]]:
    """The report as plain rows."""
    return [asdict(each) for each in came]
