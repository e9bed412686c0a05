"""The access log: a line for each answer, without the address of the client and without tokens."""

from collections.abc import Callable
from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feeds.web.paths import hide_token

_LONGEST_AGENT = 120


class AccessLog:
    """Passes requests on, and logs each answer."""

    def __init__(self, app: ASGIApp, log: Callable[[str], None]) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        status, begin = 0, perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app(scope, receive, send_and_note)
        milliseconds = (perf_counter() - begin) * 1000
        agent = Headers(scope=scope).get("user-agent", "")[:_LONGEST_AGENT]
        self._log(f"{scope['method']} {hide_token(scope['path'])} {status} {milliseconds:.1f} ms {agent}".rstrip())
