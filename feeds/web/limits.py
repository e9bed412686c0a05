"""Bounds on request bodies: their size, and the time they may take."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest form has an address, a name for each newsletter, and topics.
MOST_BYTES = 64 * 1024
#: Seconds until the whole body must be there.
MOST_SECONDS = 10.0


class BodyLimit:
    """Middleware: a body that is too large is refused with HTTP 413, one that takes too long with HTTP 408."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            receive = _bounded(receive, Headers(scope=scope).get("content-length", ""))
        await self._app(scope, receive, send)


def _bounded(receive: Receive, announced: str) -> Receive:
    """Return a receive function that raises HTTPException if the body exceeds a bound."""
    size, ends_at = 0, asyncio.get_running_loop().time() + MOST_SECONDS
    is_complete = False

    async def receive_part() -> Message:
        nonlocal size, is_complete
        if is_complete:  # waits for the end of the connection, which may take as long as the answer
            return await receive()
        if announced.isdecimal() and int(announced) > MOST_BYTES:
            raise HTTPException(413)
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        size += len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        if size > MOST_BYTES:
            raise HTTPException(413)
        return message

    return receive_part
