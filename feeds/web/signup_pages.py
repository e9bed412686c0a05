"""The pages of sign-up: the form, the answer to it, and the confirmation."""

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feeds.jobs.subscribers.confirm import Confirmation, LinkState, confirm_signup, look_at_link
from feeds.jobs.subscribers.sign_up import SentForm, SignupAnswer, accept_form, open_form
from feeds.web.door import Door
from feeds.web.forms import form_route

_STATUS = {
    SignupAnswer.BAD_ADDRESS: HTTPStatus.BAD_REQUEST,
    SignupAnswer.NO_NEWSLETTER: HTTPStatus.BAD_REQUEST,
    SignupAnswer.STALE: HTTPStatus.BAD_REQUEST,
    SignupAnswer.CLOSED: HTTPStatus.FORBIDDEN,
    SignupAnswer.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    SignupAnswer.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}
#: Seconds until another try can succeed.
_RETRY_AFTER = {SignupAnswer.TOO_MANY: "3600", SignupAnswer.BUSY: "60"}
_LINK_STATUS = {LinkState.EXPIRED: HTTPStatus.GONE, LinkState.INVALID: HTTPStatus.NOT_FOUND}
#: The field that people do not see.
_HONEYPOT = "website"
#: Characters of an address that a page shows again; a longer one is none.
_LONGEST_ADDRESS = 320


def routes(door: Door) -> list[BaseRoute]:
    """Return the routes of sign-up."""
    pages = _SignupPages(door)
    return [
        Route("/", pages.show_form),
        Route("/subscribe", pages.show_form),
        form_route("/subscribe", pages.accept),
        Route("/confirm/{token}", pages.show_confirmation),
        form_route("/confirm/{token}", pages.confirm),
    ]


class _SignupPages:
    def __init__(self, door: Door) -> None:
        self._door = door

    def show_form(self, request: Request) -> Response:
        """Show a fresh form; a link or a form of a static site may fill it in by `email` and `newsletter`.

        Of several newsletters none is chosen otherwise: a box that is ticked in advance is not consent (Court of
        Justice of the EU, C-673/17, Planet49).
        """
        lang = self._door.texts(request).lang
        query = request.query_params
        return self._render_form(request, lang, query.get("email", ""), query.getlist("newsletter"))

    def accept(self, request: Request, form: FormData) -> Response:
        """Accept a form."""
        lang = self._form_language(request, form)
        email, chosen = _text(form, "email"), [value for value in form.getlist("newsletter") if isinstance(value, str)]
        sent = SentForm(
            email=email,
            newsletters=tuple(chosen),
            token=_text(form, "token"),
            honeypot=_text(form, _HONEYPOT),
            client=request.client.host if request.client else "",
        )
        answer = accept_form(self._door.site, sent, lang, self._door.context.clock())
        if answer is SignupAnswer.ACCEPTED:
            self._door.mail_due.set()
            return self._door.render(request, "pages/signup_done.html", lang=lang)
        return self._render_form(request, lang, email, chosen, answer)

    def _form_language(self, request: Request, form: FormData) -> str:
        """Return the language that the form was shown in."""
        lang = _text(form, "lang")
        return lang if lang in self._door.site.templates.languages() else self._door.texts(request).lang

    def _render_form(
        self, request: Request, lang: str, email: str, chosen: list[str], answer: SignupAnswer | None = None
    ) -> Response:
        form = open_form(self._door.site, lang, self._door.context.clock())
        offered = form.newsletters if form else ()
        values = {
            "form": form,
            "honeypot": _HONEYPOT,
            "email": email[:_LONGEST_ADDRESS],
            "chosen": [one.name for one in offered if one.name in chosen],
            "wrong": answer.name.lower() if answer else "",
        }
        status = _STATUS[answer] if answer else HTTPStatus.OK
        headers = {"Retry-After": _RETRY_AFTER[answer]} if answer in _RETRY_AFTER else None
        return self._door.render(request, "pages/signup.html", values, status, lang=lang, headers=headers)

    # Confirmation -------------------------------------------------------------------------------------------------

    def show_confirmation(self, request: Request) -> Response:
        """Show a button: programs that check mail follow its links, so GET and HEAD change nothing."""
        token = request.path_params["token"]
        return self._render(request, look_at_link(self._door.site, token, self._door.context.clock()))

    def confirm(self, request: Request, _form: FormData) -> Response:
        """Confirm a sign-up."""
        client = request.client.host if request.client else ""
        found = confirm_signup(self._door.site, request.path_params["token"], client, self._door.context)
        if found.state is LinkState.CONFIRMED:
            self._door.mail_due.set()
        return self._render(request, found)

    def _render(self, request: Request, found: Confirmation) -> Response:
        values = {"state": found.state.value, "titles": found.titles}
        status = _LINK_STATUS.get(found.state, HTTPStatus.OK)
        return self._door.render(request, "pages/confirm.html", values, status, lang=found.lang or None)


def _text(form: FormData, name: str) -> str:
    """Return a field; empty if it is missing."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
