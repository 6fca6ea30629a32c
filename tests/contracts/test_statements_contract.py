"""The broker's statements as a source: one promise, held over the sandbox's process and over recorded answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from stonks_assets.ingestion.alpaca import AlpacaBrokerAdapter
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.protocol import RawItem
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.vocabulary import SourceType
from tests.acceptance.stage import sandbox
from tests.assets.ingestion.asking import WrittenWeb, ask_for

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "a-secret"}
BASE = "https://broker.example"


@pytest.fixture(scope="module", params=["sandbox", "recorded"])
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlpacaBrokerAdapter]:
    if request.param == "sandbox":
        with (
            sandbox(tmp_path_factory.mktemp("statements") / "state", NOW) as played,
            Fetcher(ManualClock(NOW), headers=KEYS, follow_redirects=False) as fetcher,
        ):
            yield AlpacaBrokerAdapter(fetcher, f"{played.url}/alpaca")
        return
    folder: Path = request.getfixturevalue("shared_data") / "alpaca" / "alpaca_py_recorded"
    web = WrittenWeb({f"{BASE}/v2/{name}": _recorded(folder, name) for name in ("account", "positions")})
    yield AlpacaBrokerAdapter(web.fetcher(), BASE)


def _recorded(folder: Path, name: str) -> httpx.Response:
    kind = dict if name == "account" else list
    wanted = "account_number" if name == "account" else "avg_entry_price"
    for file in sorted(folder.glob("*.json")):
        content = file.read_bytes()
        if wanted.encode() in content and isinstance(json.loads(content), kind):
            return httpx.Response(200, content=content)
    pytest.fail(f"no recorded answer is a statement of {name}")


def statements(adapter: AlpacaBrokerAdapter, known: frozenset[str] = frozenset()) -> list[RawItem]:
    asked, _ = ask_for(SourceType.BROKER, day=NOW.date(), as_of=NOW, known=known)
    return list(adapter.fetch(asked))


def test_each_statement_is_kept_as_the_broker_wrote_it(adapter: AlpacaBrokerAdapter) -> None:
    account, positions = statements(adapter)
    assert (account.kind, positions.kind) == ("account", "positions")
    assert {"account_number", "equity", "cash"} <= json.loads(account.payload).keys()
    assert isinstance(json.loads(positions.payload), list)
    assert "a-secret" not in str(account.answer.request)


def test_a_statement_that_is_the_same_is_not_kept_again(adapter: AlpacaBrokerAdapter) -> None:
    known = frozenset(item.item_id for item in statements(adapter))
    assert statements(adapter, known) == []


def test_a_past_day_cannot_be_asked_for(adapter: AlpacaBrokerAdapter) -> None:
    asked, _ = ask_for(SourceType.BROKER, day=NOW.date() - timedelta(days=1), as_of=NOW)
    assert list(adapter.fetch(asked)) == []


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(401, json={"message": "unauthorized."}), PermanentError),
        (httpx.Response(403, json={"code": 40310000, "message": "forbidden"}), PermanentError),
        (httpx.Response(429), TransientError),
        (httpx.Response(200, content=b""), TransientError),
        (httpx.ConnectError("down"), TransientError),
    ],
)
def test_a_broker_that_refuses_or_is_down_has_failed_and_is_never_empty(
    answer: httpx.Response | Exception, failure: type[Exception]
) -> None:
    web = WrittenWeb({f"{BASE}/v2/account": answer})
    with pytest.raises(failure):
        statements(AlpacaBrokerAdapter(web.fetcher(attempts=1), BASE))
