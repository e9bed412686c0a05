"""Pages behind a personal link: GET shows something, POST does something, and a link that is not valid is an error."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.errors import LinkError
from feeds.web.forms import FormHandler, form_route

#: Called in a thread with the request.
PageHandler = Callable[[Request], Response]


def client_of(request: Request) -> str:
    """Return the network address of who has sent a request; empty if it is not known."""
    return request.client.host if request.client else ""


def personal_route(path: str, show: PageHandler, submit: FormHandler, show_expired: PageHandler | None = None) -> Route:
    """Return the route of a page (GET and HEAD) and of the form on it (POST).

    A link that is not valid is HTTP 404, one that was valid HTTP 410, with the page of *show_expired* if there is one.
    """
    send_form = form_route(path, submit).endpoint

    async def endpoint(request: Request) -> Response:
        try:
            if request.method == "POST":
                response: Response = await send_form(request)
                return response
            return await run_in_threadpool(show, request)
        except LinkError as e:
            if e.is_expired and show_expired is not None:
                return await run_in_threadpool(show_expired, request)
            raise HTTPException(410 if e.is_expired else 404) from e

    return Route(path, endpoint, methods=["GET", "POST"], name=show.__name__)
