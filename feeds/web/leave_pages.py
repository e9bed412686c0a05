"""The pages of the unsubscribe links in letters (RFC 8058): GET shows a button, POST unsubscribes."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.errors import LinkError
from feeds.jobs.subscribers import leave
from feeds.jobs.subscribers.leave import Departure
from feeds.jobs.subscribers.sign_up import consent_words
from feeds.web.door import Door
from feeds.web.personal_pages import client_of, personal_route

#: The field that mail providers send, as a form of either type (RFC 8058 section 3.2).
_ONE_CLICK = b"List-Unsubscribe"


def routes(door: Door) -> list[Route]:
    """Return the routes of the pages."""
    pages = _LeavePages(door)
    return [
        Route("/unsubscribe/{token}", pages.unsubscribe, methods=["GET", "POST"]),
        personal_route("/unsubscribe/undo/{token}", pages.ask_undo, pages.undo),
    ]


class _LeavePages:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def unsubscribe(self, request: Request) -> Response:
        """Show the button, or unsubscribe.

        Every POST unsubscribes, whatever its body: a provider that sends another one than the standard's must not make
        a subscriber who wants to leave report spam instead.
        """
        try:
            if request.method != "POST":
                return await run_in_threadpool(self._ask, request)
            return await run_in_threadpool(self._leave, request, await request.body())
        except LinkError as e:
            raise HTTPException(404) from e

    def _ask(self, request: Request) -> Response:
        found = leave.find_subscription(self._door.config, request.path_params["token"], self._door.context)
        return self._show(request, found, "ask" if found.is_subscribed else "gone")

    def _leave(self, request: Request, body: bytes) -> Response:
        found = leave.leave(self._door.config, request.path_params["token"], self._door.context)
        # A mail provider shows no page, and must get neither a redirect nor a cookie (section 3.1).
        return Response() if _ONE_CLICK in body else self._show(request, found, "gone")

    def ask_undo(self, request: Request) -> Response:
        """Show the button that undoes an unsubscribe."""
        found = leave.find_undo(self._door.config, request.path_params["token"], self._door.context)
        return self._show(request, found, "back" if found.is_subscribed else "gone")

    def undo(self, request: Request, form: FormData) -> Response:
        """Undo an unsubscribe."""
        wording = form.get("wording")
        found = leave.undo_leave(
            self._door.config,
            request.path_params["token"],
            self._door.context,
            wording=wording if isinstance(wording, str) else "",
            client=client_of(request),
        )
        return self._show(request, found, "back")

    def _show(self, request: Request, found: Departure, state: str) -> Response:
        consent, wording = consent_words(self._door.texts(request, found.lang))
        token = request.path_params["token"]
        values = {"state": state, "found": found, "token": token, "consent": consent, "wording": wording}
        return self._door.render(request, "pages/leave.html", values, lang=found.lang)
