"""A transport for pages that anybody may have written: it reaches public addresses only.

The name is resolved here, the address is checked and then connected to as it was checked, for every redirect anew, so
that neither a redirect nor a name that changes its address leads inside.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable

import httpx

from stonks_assets.ingestion.connections import TimedTransport
from stonks_core.errors import PermanentError, TransientError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
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
            raise PermanentError(f"{url} was refused: pages are fetched over http and https only")
        if _origin(url) in self._allowed:
            return self._inner.handle_request(request)
        name = url.raw_host.decode("ascii")
        headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"host"]
        pinned = httpx.Request(
            request.method,
            url.copy_with(host=self._public_address(name, _origin(url)[2])),
            headers=[*headers, (b"Host", request.headers.get("host", url.netloc.decode()).encode())],
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": name},
        )
        return self._pinned.handle_request(pinned)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
        self._pinned.close()

    def _public_address(self, host: str, port: int) -> str:
        try:
            addresses = list(self._resolve(host, port))
        except OSError as error:
            raise TransientError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            if not is_public(ipaddress.ip_address(address.split("%")[0])):
                raise PermanentError(f"{host} leads to {address}, which is no public address: the page was refused")
        if not addresses:
            raise TransientError(f"{host} has no address")
        return addresses[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is anybody's on the Internet; an IPv4 address inside an IPv6 one must be so too."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        carried = [part for part in inside if part is not None]
        if address in _NAT64:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or not all(is_public(part) for part in carried):
            return False
    return address.is_global and not address.is_multicast


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
