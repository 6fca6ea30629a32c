"""`stonks bench crash` in small: real processes are killed, each kind of victim twice, and the books agree to the last digit."""

import socket

from stonks_cli.bench.crash.run import run
from stonks_cli.bench.crash.wire import Cut, line_to


def test_nothing_is_lost_or_doubled_when_everything_is_struck_in_turn() -> None:
    report = run(points=6, seed=5)
    strikes: list[dict[str, object]] = report["strikes"]  # type: ignore[assignment]
    by_victim: dict[object, int] = {}
    for row in strikes:
        by_victim[row["victim"]] = by_victim.get(row["victim"], 0) + int(str(row["strikes"]))
    assert by_victim == {"daemon": 2, "PostgreSQL": 2, "broker's connection": 2}
    books = {row["what"]: row["count"] for row in report["books"]}  # type: ignore[attr-defined]
    assert books["recommendations"] == 6
    assert books["orders at the broker"] >= books["decided act: sized"] > 0
    assert books["executions"] >= books["decided act: sized"], "some fill in parts"
    for evil in ("orders placed twice", "orphans", "fills lost", "fills booked twice"):
        assert books[evil] == 0


def test_the_line_cuts_where_it_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker, line_to(broker.getsockname()[1]) as line:

        def ask(cut: Cut | None, request: bytes) -> tuple[bytes, bytes]:
            """What the broker got of a request and the client of its answer, which is `0123456789`."""
            if cut is not None:
                line.cut(cut)
            with socket.create_connection(("127.0.0.1", line.port), timeout=10) as client:
                client.sendall(request)
                far, _ = broker.accept()
                with far:
                    far.settimeout(10)
                    heard = _heard(far)
                    if heard:
                        far.sendall(b"0123456789")
                    return heard, _heard(client)

        order, look = b"POST /alpaca/v2/orders HTTP/1.1\r\n\r\n", b"GET /alpaca/v2/orders HTTP/1.1\r\n\r\n"
        assert ask(Cut.UNSENT, order) == (b"", b"")
        assert ask(Cut.UNANSWERED, look) == (look, b"0123456789"), "a look-up is let through"
        assert ask(None, order) == (order, b"")
        assert ask(Cut.HALF_ANSWERED, order) == (order, b"01234")
        assert ask(None, order) == (order, b"0123456789"), "a cut happens once"
        assert line.cuts == 3


def _heard(end: socket.socket) -> bytes:
    try:
        return end.recv(1000)
    except ConnectionResetError:
        return b""
