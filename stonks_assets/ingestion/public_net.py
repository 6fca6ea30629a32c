"""A transport for pages that anybody may have written: it reaches public addresses only.

The name is resolved here, the address is checked and then connected to as it was checked, for every redirect anew, so
that neither a redirect nor a name that changes its address leads inside. No proxy of the environment is used: it would
resolve names by itself.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable

import httpx

from stonks_assets.ingestion.connections import TimedTransport
from stonks_assets.ingestion.http import shown
from stonks_core.errors import PermanentError, TransientError

PORTS = frozenset({80, 443, 8080, 8443})
"""Where web servers listen; on the others listen services that a page has no business with."""
MOST_TRIED = 3
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",  # protocol assignments, 6to4 relays, benchmarks
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16",  # old embeddings, local NAT64, Teredo, 6to4
        "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip
"""Networks that lead elsewhere than to a host of the Internet, some of them global by the library's tables."""
Resolve = Callable[[str, int], Iterable[str]]


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class PublicOnlyTransport(httpx.BaseTransport):
    """Refuses loopback, private, link-local and otherwise special addresses, except of named origins."""

    def __init__(
        self,
        private_origins: Collection[str] = (),
        *,
        resolve: Resolve = system_resolve,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        self._allowed = {_origin(httpx.URL(origin.strip())) for origin in private_origins if origin.strip()}
        self._resolve = resolve
        self._inner = inner or TimedTransport()
        # Two hosts may share an address: a kept connection would be the first one's, name and certificate.
        self._pinned = inner or TimedTransport(kept=0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or raise PermanentError naming the address that it would have led to."""
        url = request.url
        if url.scheme not in {"http", "https"}:
            raise PermanentError(f"{shown(str(url))} was refused: pages are fetched over http and https only")
        if url.userinfo:
            raise PermanentError(f"{shown(str(url))} was refused: it has a user's name in it")
        if _origin(url) in self._allowed:
            return self._inner.handle_request(request)
        name, port = url.raw_host.decode("ascii").rstrip("."), _origin(url)[2]
        addresses = self._public_addresses(name, port)
        if port not in PORTS:
            raise PermanentError(
                f"{shown(str(url))} was refused: pages are fetched from ports 80, 443, 8080 and 8443 only"
            )
        return self._first_that_answers(request, name, addresses)

    def _first_that_answers(self, request: httpx.Request, name: str, addresses: list[str]) -> httpx.Response:
        headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"host"]
        host = request.headers.get("host", request.url.netloc.decode()).encode()
        for number, address in enumerate(addresses, 1):
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=[*headers, (b"Host", host)],
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": name},
            )
            try:
                return self._pinned.handle_request(pinned)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
        raise TransientError(f"{name} has no address")

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
        self._pinned.close()

    def _public_addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, a few of them; PermanentError where a single one of all is not public."""
        try:
            addresses = list(self._resolve(host, port))
        except UnicodeError as error:
            raise PermanentError(f"{host[:100]} was refused: it is no name of a host: {error}") from error
        except OSError as error:
            raise TransientError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            if not is_public(ipaddress.ip_address(address.split("%")[0])):
                raise PermanentError(f"{host} leads to {address}, which is no public address: the page was refused")
        return addresses[:MOST_TRIED]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is anybody's on the Internet; an IPv4 address inside an IPv6 one must be so too."""
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address.version == network.version and address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
