"""Pages that anybody may have written lead to public addresses only, whatever they redirect to or resolve to."""

import ipaddress
import itertools
from collections.abc import Iterable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.public_net import PublicOnlyTransport, is_public, system_resolve
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from tests.assets.ingestion.asking import NOON
from tests.assets.ingestion.hostile import head, serving

PUBLIC = "93.184.216.34"


class Inside(httpx.BaseTransport):
    """Notes what would have been connected to, and answers from a table of Host headers."""

    def __init__(self, answers: dict[str, httpx.Response] | None = None) -> None:
        self.answers = answers or {}
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.get(request.headers["host"], httpx.Response(200, text="page"))


def get(
    url: str, addresses: dict[str, Iterable[str]], inside: Inside | None = None, origins: tuple[str, ...] = ()
) -> Inside:
    inside = inside or Inside()

    def resolve(host: str, port: int) -> Iterable[str]:
        del port
        return addresses[host] if host in addresses else system_resolve(host, 80)

    transport = PublicOnlyTransport(origins, resolve=resolve, inner=inside)
    with Fetcher(ManualClock(NOON), transport=transport, attempts=1) as fetcher:
        fetcher.get(url)
    return inside


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0",  # noqa: S104
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
        "::127.0.0.1", "::8.8.8.8", "2002:808:808::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::808:808",
        "192.88.99.1", "198.18.0.1", "240.0.0.1", "3fff::1", "2001:20::1",
    ],
)  # fmt: skip
def test_special_addresses_are_refused_by_name_and_as_literals(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    literal = f"[{address}]" if ":" in address else address
    for url, names in ((f"http://{literal}/x", {}), ("https://innocent.example/x", {"innocent.example": [address]})):
        inside = Inside()
        with pytest.raises(PermanentError, match="is no public address"):
            get(url, names, inside)
        assert inside.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://localhost/", "http://127.1/",
        "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://017700000001/", "http://localhost./", "http://127.0.0.1./", "http://0/",
        "http://LOCALHOST/", "http://①②⑦.⓪.⓪.①/", "http://１２７。０。０。１/", "http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
def test_other_spellings_of_this_machine_are_refused(url: str) -> None:
    inside = Inside()
    with pytest.raises(PermanentError, match=r"is no public address|cannot be asked: Invalid"):
        get(url, {}, inside)
    assert inside.requests == []


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(PermanentError, match=r"mixed.example leads to 10\.0\.0\.1"):
        get("https://mixed.example/", {"mixed.example": [PUBLIC, "10.0.0.1"]})


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    answers = itertools.chain([[PUBLIC]], itertools.repeat(["127.0.0.1"]))
    inside = Inside()
    transport = PublicOnlyTransport(resolve=lambda *_: next(answers), inner=inside)
    with Fetcher(ManualClock(NOON), transport=transport, attempts=1) as fetcher:
        fetcher.get("https://rebound.example:8443/x?y=1")
        (request,) = inside.requests
        assert str(request.url) == f"https://{PUBLIC}:8443/x?y=1"
        assert request.headers["host"] == "rebound.example:8443"
        assert request.extensions["sni_hostname"] == "rebound.example"
        with pytest.raises(PermanentError, match="is no public address"):
            fetcher.get("https://rebound.example:8443/x")


def test_an_address_of_the_newer_kind_is_connected_to() -> None:
    inside = get("http://six.example/x", {"six.example": ["2606:4700::1111"]})
    assert str(inside.requests[0].url) == "http://[2606:4700::1111]/x"


@pytest.mark.parametrize("target", ["http://127.0.0.1/admin", "http://[::1]:5432/", "https://inner.example/"])
def test_a_redirect_leads_nowhere_else(target: str) -> None:
    inside = Inside({"outer.example": httpx.Response(302, headers={"location": target})})
    with pytest.raises(PermanentError, match="is no public address"):
        get("http://outer.example/", {"outer.example": [PUBLIC], "inner.example": ["192.168.0.1"]}, inside)
    assert len(inside.requests) == 1


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/web/x"),
        (" http://intranet.example/ ", "http://intranet.example/x"),
        ("http://intranet.example:80", "http://intranet.example/x"),
    ],
)
def test_a_named_origin_is_let_in(origin: str, url: str) -> None:
    inside = get(url, {"intranet.example": ["10.0.0.1"]}, origins=("", origin))
    assert str(inside.requests[0].url) == url


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:4001/", "https://127.0.0.1:4000/", "http://127.0.0.2:4000/", "http://localhost:4000/"],
)
def test_only_the_very_origin_is_let_in(url: str) -> None:
    with pytest.raises(PermanentError, match="is no public address"):
        get(url, {}, origins=("http://127.0.0.1:4000",))


@pytest.mark.parametrize("port", [21, 22, 25, 3306, 4000, 5432, 6379, 9200, 11211])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(PermanentError, match="from ports 80, 443, 8080 and 8443 only"):
        get(f"http://open.example:{port}/", {"open.example": [PUBLIC]})


def test_a_user_s_name_in_an_address_is_refused_and_not_told() -> None:
    for url in (
        "http://good.example:80@127.0.0.1/",
        "http://u:word@open.example/",
        "http://127.0.0.1:4000@evil.example/",
    ):
        with pytest.raises(PermanentError, match="has a user's name in it") as caught:
            get(url, {"open.example": [PUBLIC]}, origins=("http://127.0.0.1:4000",))
        assert "word" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://" + "a" * 70 + ".example/", "http://a..example/", "http://bücher.example:80/"])
def test_strange_names_raise_nothing_else(url: str) -> None:
    def resolve(host: str, port: int) -> Iterable[str]:
        host.encode("idna")
        return [PUBLIC]

    transport = PublicOnlyTransport(resolve=resolve, inner=Inside())
    with Fetcher(ManualClock(NOON), transport=transport, attempts=1) as fetcher:
        if "bücher" in url:
            assert fetcher.get(url).status == 200
            return
        with pytest.raises(PermanentError, match=r"no name of a host|cannot be asked"):
            fetcher.get(url)


def test_the_next_checked_address_is_tried_where_one_does_not_answer() -> None:
    class Half(Inside):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if ":" in request.url.host:
                raise httpx.ConnectError("no route")
            return super().handle_request(request)

    inside = get("https://both.example/", {"both.example": ["2606:4700::1111", PUBLIC]}, Half())
    assert [request.url.host for request in inside.requests] == [PUBLIC]
    with pytest.raises(TransientError, match="no route"):
        get("https://six.example/", {"six.example": ["2606:4700::1111"]}, Half())


def test_no_proxy_of_the_environment_sees_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def note(request: bytes) -> list[bytes]:
        seen.append(request)
        return [head("Content-Length: 0")]

    with serving(note) as proxy, serving(lambda _: [head("Content-Length: 4"), b"page"]) as origin:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        with Fetcher(ManualClock(NOON), transport=PublicOnlyTransport([origin]), attempts=1) as fetcher:
            assert fetcher.get(f"{origin}/x").content == b"page"
    assert seen == []


def test_a_redirect_out_of_a_named_origin_is_checked() -> None:
    inside = Inside({"127.0.0.1:4000": httpx.Response(302, headers={"location": "http://127.0.0.1:5432/"})})
    with pytest.raises(PermanentError, match="is no public address"):
        get("http://127.0.0.1:4000/", {}, inside, origins=("http://127.0.0.1:4000",))


def test_names_that_lead_nowhere_may_do_so_later() -> None:
    with pytest.raises(TransientError, match=r"nowhere\.example has no address"):
        get("https://nowhere.example/", {"nowhere.example": []})

    def failing(host: str, port: int) -> Iterable[str]:
        raise OSError(f"no {host}:{port}")

    with pytest.raises(TransientError, match=r"x\.example cannot be resolved"):
        Fetcher(ManualClock(NOON), transport=PublicOnlyTransport(resolve=failing), attempts=1).get("https://x.example")


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_public_as_itself(inner: ipaddress.IPv4Address) -> None:
    carried = [ipaddress.IPv6Address(f"64:ff9b::{inner}"), ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80))]
    assert not is_public(ipaddress.IPv6Address(f"::ffff:{inner}")) or is_public(inner)
    if not is_public(inner):
        assert not any(is_public(address) for address in carried)


def test_the_ordinary_internet_is_public() -> None:
    for address in (PUBLIC, "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"):
        assert is_public(ipaddress.ip_address(address)), address
