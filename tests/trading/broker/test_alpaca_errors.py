"""How the adapter sorts what goes wrong: a server that answers as it is told, and none at all."""

import json
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stonks_core.errors import PermanentError, TransientError
from stonks_trading.broker.alpaca import AlpacaBroker
from stonks_trading.broker.protocol import InDoubt, NotSent, OrderRequest, Refused

REQUEST = OrderRequest("so-1", "ORCL", "buy", "market", notional=Decimal("12.30"))


class Scripted(ThreadingHTTPServer):
    """Answers every request with one status and body, and keeps what was asked."""

    status, body = 200, "{}"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append((f"{self.command} {self.path}", self.rfile.read(length).decode()))
        if self.server.status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


def serving() -> Iterator[Scripted]:
    """A server that answers as it is told, until it is left."""
    running = Scripted()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


server = pytest.fixture(serving, name="server")


def broker(server: Scripted) -> AlpacaBroker:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return AlpacaBroker(url, url, "k", "s", feed="iex", feed_name="iex")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            403,
            '{"code": 40310000, "message": "insufficient buying power"}',
            Refused("40310000", "insufficient buying power"),
        ),
        (422, '{"code": 42210000, "message": "sub-penny"}', Refused("42210000", "sub-penny")),
        (401, '{"message": "unauthorized."}', Refused("401", "unauthorized.")),
        (422, '{"code": 40010001, "message": "client_order_id must be unique"}', InDoubt),
        (429, "", NotSent),
        (500, "<html>oops</html>", InDoubt),
        (504, "", InDoubt),
        (200, "<html>a proxy</html>", InDoubt),
        (200, "", InDoubt),
        (200, '{"id": null}', InDoubt),
        (0, "", InDoubt),
    ],
)
def test_the_four_outcomes_of_placing(server: Scripted, status: int, body: str, expected: object) -> None:
    server.status, server.body = status, body
    outcome = broker(server).submit(REQUEST)
    assert outcome == expected if isinstance(expected, Refused) else type(outcome) is expected
    assert len(server.asked) == 1, "one request is one request, whatever the library would repeat"
    path, sent = server.asked[0]
    assert path == "POST /v2/orders"
    assert json.loads(sent) == {
        "symbol": "ORCL",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": "so-1",
        "notional": "12.30",
    }


def test_nobody_there_means_not_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    outcome = AlpacaBroker(url, url, "k", "s", feed="iex", feed_name="iex").submit(REQUEST)
    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, '{"message": "unauthorized."}', PermanentError, "BROKER_API_KEY"),
        (403, "", PermanentError, "BROKER_API_KEY"),
        (429, "", TransientError, "429"),
        (500, "<html>oops</html>", TransientError, "500"),
        (200, "<html>a proxy</html>", TransientError, "no readable answer"),
        (404, "", PermanentError, "BROKER_BASE_URL"),
        (200, '{"id": "a", "cash": "many"}', PermanentError, "no number"),
    ],
)
def test_reads_raise_what_the_caller_can_act_on(
    server: Scripted, status: int, body: str, error: type[Exception], words: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(error, match=words):
        broker(server).account()
    assert len(server.asked) == 1


@pytest.mark.parametrize("removed", [True, False])
def test_accounts_parse_with_and_without_the_removed_fields(server: Scripted, removed: bool) -> None:
    body = {"id": "a", "account_number": "PA", "status": "ACTIVE", "cash": "10.5", "equity": "11", "buying_power": "21"}
    if not removed:
        body |= {"pattern_day_trader": "false", "daytrade_count": "0", "daytrading_buying_power": "0"}
    server.body = json.dumps(body)
    account = broker(server).account()
    assert (account.cash, account.equity, account.buying_power) == (Decimal("10.5"), 11, 21)


def test_a_final_order_cannot_be_cancelled(server: Scripted) -> None:
    server.status, server.body = 422, '{"code": 42210000, "message": "order is not cancelable"}'
    assert broker(server).cancel("b1") is False
