"""Pages for HTTP errors; a fault of ours is one line in the log."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route

from feeds.errors import FeedsError, LockedError
from feeds.web.door import PAGE_HEADERS, Door
from feeds.web.paths import hide_token


class ErrorPages:
    """Exception handlers of the application."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def show_status(self, request: Request, error: Exception) -> Response:
        """Return the page of an HTTP status that a handler or the router has raised."""
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "app" in request.scope:
            headers["Allow"] = ", ".join(sorted(_allowed_methods(request))) or headers["Allow"]
        return self._render(request, error.status_code, headers)

    def show_fault(self, request: Request, error: Exception) -> Response:
        """Log a fault, and return HTTP 503 if it is enough to try again later, else 500."""
        if isinstance(error, ClientDisconnect):
            return Response(
                status_code=HTTPStatus.BAD_REQUEST
            )  # of a form that has not come to its end; it is not sent
        lines = error.lines if isinstance(error, FeedsError) else [f"{type(error).__name__}: {error}"]
        for line in lines:
            self._door.log(f"{request.method} {hide_token(request.scope['path'])}: {line}")
        if isinstance(error, LockedError):
            return self._render(request, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
        return self._render(request, HTTPStatus.INTERNAL_SERVER_ERROR, {})

    def _render(self, request: Request, status: int, headers: dict[str, str]) -> Response:
        try:
            return self._door.render(request, "pages/error.html", {"status": int(status)}, status, headers=headers)
        except Exception as e:  # noqa: BLE001 - the fault may be in what this page needs too
            self._door.log(str(e) if isinstance(e, FeedsError) else f"{type(e).__name__}: {e}")
            return PlainTextResponse(f"{status} {HTTPStatus(status).phrase}", status, {**PAGE_HEADERS, **headers})


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes with this path; the router knows only those of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    return {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
