"""Forms: a POST route whose handler gets the parsed fields, urlencoded or multipart."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

#: Called in a thread with the request and its form.
FormHandler = Callable[[Request, FormData], Response]

_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
#: A newsletter may have hundreds of topics, each of them a field of the preferences; the size of a body is limited too.
_MOST_FIELDS = 1000


def form_route(path: str, handler: FormHandler) -> Route:
    """Return the POST route of a form. Its fields are texts; a file is refused.

    A body that is too large or too slow is refused before (`feeds.web.limits`), one that is not a form with HTTP 415,
    and one that cannot be read with HTTP 400.
    """

    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _TYPES:
            raise HTTPException(415)
        async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
            return await run_in_threadpool(handler, request, form)

    return Route(path, endpoint, methods=["POST"], name=f"{handler.__name__}")
