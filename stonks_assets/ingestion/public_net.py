"""A transport for pages that anybody may have written: it reaches public addresses only.

The name is resolved here, the address is checked and then connected to as it was checked, for every redirect anew, so
that neither a redirect nor a name that changes its address leads inside.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable

import httpx

from stonks_assets.ingestion.http import trusted
from stonks_core.errors import PermanentError, TransientError

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
        self._allowed = {origin.strip().rstrip("/") for origin in private_origins if origin.strip()}
        self._resolve = resolve
        self._inner = inner or httpx.HTTPTransport(verify=trusted())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or raise PermanentError naming the address that it would have led to."""
        url = request.url
        if url.scheme not in {"http", "https"}:
            raise PermanentError(f"{url} was refused: pages are fetched over http and https only")
        port = url.port or (443 if url.scheme == "https" else 80)
        if f"{url.scheme}://{url.host}:{port}" in self._allowed:
            return self._inner.handle_request(request)
        address = self._public_address(url.host, port)
        host_header = request.headers.get("host", url.netloc.decode())
        pinned = httpx.Request(
            request.method,
            url.copy_with(host=address),
            headers=[
                *((k, v) for k, v in request.headers.raw if k.lower() != b"host"),
                (b"Host", host_header.encode()),
            ],
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _public_address(self, host: str, port: int) -> str:
        try:
            addresses = list(self._resolve(host, port))
        except OSError as error:
            raise TransientError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            parsed = ipaddress.ip_address(address.split("%")[0])
            if not parsed.is_global or parsed.is_multicast:
                raise PermanentError(f"{host} leads to {address}, which is no public address: the page was refused")
        if not addresses:
            raise TransientError(f"{host} has no address")
        return addresses[0]
