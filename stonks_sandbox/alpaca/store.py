"""Orders, executions and settling marks in SQLite. Every method that writes belongs inside `transaction()`.

WAL with synchronous=NORMAL: a killed process loses nothing that was committed, and leaves nothing half done.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from stonks_sandbox.alpaca.model import OPEN_STATUSES, Execution, Order

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS marks (symbol TEXT PRIMARY KEY, bar_start TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, client_order_id TEXT NOT NULL UNIQUE,
    symbol TEXT NOT NULL, side TEXT NOT NULL, type TEXT NOT NULL, time_in_force TEXT NOT NULL,
    submitted_at TEXT NOT NULL, updated_at TEXT NOT NULL, expires_at TEXT, status TEXT NOT NULL, qty TEXT,
    notional TEXT, limit_price TEXT, stop_price TEXT, extended_hours INTEGER NOT NULL, position_intent TEXT NOT NULL,
    reserve_price TEXT, reserve_qty TEXT, triggered_at TEXT, filled_qty TEXT NOT NULL, filled_cost TEXT NOT NULL,
    filled_at TEXT, expired_at TEXT, canceled_at TEXT, failed_at TEXT, replaced_at TEXT, replaced_by TEXT,
    replaces TEXT);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, seq);
CREATE INDEX IF NOT EXISTS orders_by_time ON orders (submitted_at, seq);
CREATE TABLE IF NOT EXISTS executions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL REFERENCES orders (id),
    symbol TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, bar_start TEXT NOT NULL,
    executed_at TEXT NOT NULL, cum_qty TEXT NOT NULL, leaves_qty TEXT NOT NULL, order_status TEXT NOT NULL);
"""
_TYPES: dict[str, Any] = {field.name: field.type for kind in (Order, Execution) for field in fields(kind)}
_ORDER = [field.name for field in fields(Order)]
_EXECUTION = [field.name for field in fields(Execution)]
_OPEN = ", ".join(f"'{status}'" for status in sorted(OPEN_STATUSES))
INSERT_ORDER = (
    f"INSERT INTO orders ({', '.join(n for n in _ORDER if n != 'seq')}) "
    f"VALUES ({', '.join(f':{n}' for n in _ORDER if n != 'seq')})"
)
UPDATE_ORDER = f"UPDATE orders SET {', '.join(f'{n} = :{n}' for n in _ORDER if n != 'seq')} WHERE seq = :seq"
INSERT_EXECUTION = f"INSERT INTO executions ({', '.join(_EXECUTION)}) VALUES ({', '.join(f':{n}' for n in _EXECUTION)})"
SELECT_ORDERS = f"SELECT {', '.join(_ORDER)} FROM orders"
SELECT_EXECUTIONS = f"SELECT {', '.join(_EXECUTION)} FROM executions"
SET_MARK = "INSERT INTO marks VALUES (?, ?) ON CONFLICT (symbol) DO UPDATE SET bar_start = excluded.bar_start"


@dataclass(frozen=True)
class OrderQuery:
    """Orders of a status class (open, closed, all) accepted inside (after, until), at most `limit` of them."""

    status: str = "open"
    after: datetime | None = None
    until: datetime | None = None
    symbols: frozenset[str] = frozenset()
    side: str | None = None
    limit: int = 50
    newest_first: bool = True


def instant(value: datetime) -> str:
    """An instant as text of fixed width in UTC, so that order of text is order of time."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _encode(record: Order | Execution) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, Decimal):
            return str(value)
        return instant(value) if isinstance(value, datetime) else value

    return {field.name: plain(getattr(record, field.name)) for field in fields(record)}


def _decode(row: Mapping[str, Any]) -> dict[str, Any]:
    def rich(name: str, value: Any) -> Any:
        kind = str(_TYPES[name])
        if value is None:
            return None
        if "Decimal" in kind:
            return Decimal(value)
        if "datetime" in kind:
            return datetime.fromisoformat(value)
        return bool(value) if _TYPES[name] is bool else value

    return {name: rich(name, row[name]) for name in row.keys()}  # noqa: SIM118  a Row iterates over values


class Store:
    """The broker's file. One process owns it; use it from one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen together, or none where an exception leaves the block."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def meta(self, name: str, default: str) -> str:
        """A named fact of this account, set to `default` when asked for the first time."""
        self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    def set_meta(self, name: str, value: str) -> None:
        """Change a named fact of this account."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def insert_order(self, order: Order) -> Order:
        """Keep a new order and return it with its place in the sequence."""
        cursor = self._db.execute(INSERT_ORDER, _encode(order))
        return replace(order, seq=int(cursor.lastrowid or 0))

    def update_order(self, order: Order) -> None:
        """Keep the new state of a known order."""
        self._db.execute(UPDATE_ORDER, _encode(order))

    def insert_execution(self, execution: Execution) -> None:
        """Keep an execution. Raises sqlite3.IntegrityError where its id is known: nothing is booked twice."""
        self._db.execute(INSERT_EXECUTION, _encode(execution))

    def order(self, order_id: str) -> Order | None:
        """One order by the broker's id."""
        return self._one("id", order_id)

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """One order by the client's id."""
        return self._one("client_order_id", client_order_id)

    def _one(self, column: str, value: str) -> Order | None:
        row = self._db.execute(f"{SELECT_ORDERS} WHERE {column} = ?", (value,)).fetchone()
        return Order(**_decode(row)) if row else None

    def open_orders(self) -> list[Order]:
        """All orders that can still fill, in the order of acceptance."""
        rows = self._db.execute(f"{SELECT_ORDERS} WHERE status IN ({_OPEN}) ORDER BY seq")
        return [Order(**_decode(row)) for row in rows]

    def orders(self, wanted: OrderQuery) -> list[Order]:
        """The orders that a query selects, by time of acceptance."""
        clauses, values = ["1 = 1"], list[Any]()
        if wanted.status != "all":
            clauses.append(f"status {'IN' if wanted.status == 'open' else 'NOT IN'} ({_OPEN})")
        for clause, at in (("submitted_at > ?", wanted.after), ("submitted_at < ?", wanted.until)):
            if at is not None:
                clauses.append(clause)
                values.append(instant(at))
        if wanted.symbols:
            clauses.append(f"symbol IN ({', '.join('?' * len(wanted.symbols))})")
            values.extend(sorted(wanted.symbols))
        if wanted.side:
            clauses.append("side = ?")
            values.append(wanted.side)
        direction = "DESC" if wanted.newest_first else "ASC"
        query = f"{SELECT_ORDERS} WHERE {' AND '.join(clauses)} ORDER BY seq {direction} LIMIT ?"
        return [Order(**_decode(row)) for row in self._db.execute(query, [*values, wanted.limit])]

    def executions(self) -> list[Execution]:
        """All executions, in the order in which they were booked."""
        return [Execution(**_decode(row)) for row in self._db.execute(f"{SELECT_EXECUTIONS} ORDER BY seq")]

    def marks(self) -> dict[str, datetime]:
        """Per symbol the start of the last bar that is settled for good."""
        rows = self._db.execute("SELECT symbol, bar_start FROM marks")
        return {row["symbol"]: datetime.fromisoformat(row["bar_start"]) for row in rows}

    def set_mark(self, symbol: str, bar_start: datetime) -> None:
        """Remember that a symbol's bars up to and including `bar_start` are settled for good."""
        self._db.execute(SET_MARK, (symbol, instant(bar_start)))
