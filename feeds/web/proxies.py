"""The address of the client: from the connection, or from a proxy that the config trusts."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from feeds.jobs.site import web_url
from feeds.web.door import Door

_SCHEMES = ("http", "https")


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[str]) -> str | None:
    """Return the address of the client: the last one of the chain that no trusted proxy has.

    *peer* is the other end of the connection, None for a Unix socket: who may connect to that is decided by the file's
    permissions, so it is a proxy. *forwarded* has the values of `X-Forwarded-For`, in their order: each proxy appends
    the address that it was called from, so only what trusted proxies have appended is believed. None if there is no
    address.
    """
    networks = [ip_network(network) for network in trusted]
    chain = [part.strip() for value in forwarded for part in value.split(",")]
    client = peer
    while chain and (client is None or any(_parse(client) in network for network in networks)):
        named = _parse(chain.pop())
        if named is None:
            break
        client = str(named)
    return client


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, with or without a port; an IPv4 address inside of an IPv6 one as itself."""
    host = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class TrustedProxies:
    """Middleware: sets client and scheme of a request, and makes its path relative to `web.url`."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            config = self._door.config
            headers, peer = Headers(scope=scope), scope["client"][0] if scope["client"] else None
            trusted = config.settings.web.trusted_proxies
            client = client_address(peer, headers.getlist("x-forwarded-for"), trusted)
            if client != peer and client is not None:
                scope["client"] = (client, 0)
            scope["root_path"] = urlsplit(web_url(config)).path.rstrip("/")
        await self._app(scope, receive, send)
