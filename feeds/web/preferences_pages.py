"""The pages of preferences: what a letter's link may do, what a mailed link may do, and another address.

A letter's link never expires and letters are passed on, so it may only unsubscribe, show a masked address, and mail a
fresh link to that address. The mailed link works for a day, and may do everything.
"""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.core.newsletters import tokens
from feeds.core.posts.locales import language_name
from feeds.core.subscribers import addresses
from feeds.errors import AddressError
from feeds.jobs.subscribers import change_address, erase, leave, preferences, subscribe
from feeds.jobs.subscribers.preferences import InvalidPreferencesError, PreferencesInput, PreferencesView
from feeds.jobs.subscribers.sign_up import consent_words
from feeds.jobs.subscribers.subscriber_document import subscriber_document
from feeds.web.door import Door
from feeds.web.personal_pages import client_of, personal_route

#: Characters of a field that a page shows again; a longer text is neither an address nor a day.
_LONGEST_TEXT = 320


def routes(door: Door) -> list[Route]:
    """Return the routes of the pages."""
    pages = _PreferencesPages(door)
    return [
        personal_route("/preferences", pages.ask_address, pages.request_link),
        personal_route("/preferences/{token}", pages.show, pages.save, pages.show_expired),
        personal_route("/preferences/{token}/link", pages.show, pages.mail_link, pages.show_expired),
        personal_route("/preferences/{token}/address", pages.show, pages.request_address, pages.show_expired),
        personal_route("/preferences/{token}/erase", pages.show, pages.erase, pages.show_expired),
        personal_route("/preferences/{token}/data.json", pages.download, _refuse, pages.show_expired),
        personal_route("/address/{token}", pages.ask_change, pages.confirm_change),
    ]


def _refuse(_request: Request, _form: FormData) -> Response:
    raise HTTPException(405)


class _PreferencesPages:
    def __init__(self, door: Door) -> None:
        self._door = door

    # A link on request --------------------------------------------------------------------------------------------

    def ask_address(self, request: Request) -> Response:
        """Show the form that asks for the address."""
        return self._render(request, "link", {"state": "ask", "wrong": False, "email": ""})

    def request_link(self, request: Request, form: FormData) -> Response:
        """Record the address; the answer is the same for every address."""
        email = _text(form, "email")
        try:
            key = addresses.parse_address(email).key
        except AddressError:
            return self._render(request, "link", {"state": "ask", "wrong": True, "email": email[:_LONGEST_TEXT]}, 422)
        if not preferences.request_link(self._door.config, key, client_of(request), self._door.context):
            raise HTTPException(429, headers={"Retry-After": "3600"})
        self._door.mail_due.set()
        return self._render(request, "link", {"state": "typed"})

    def mail_link(self, request: Request, _form: FormData) -> Response:
        """Mail a fresh link to the address of a letter's link."""
        door, token = self._door, _token(request)
        found = leave.find_subscription(door.config, token, door.context)
        if not found.address:
            return self._render(request, "letter_link", {"found": found}, lang=found.lang)
        is_mailed = preferences.mail_link(door.config, token, door.context)
        door.mail_due.set()
        values: dict[str, object] = {"state": "mailed" if is_mailed else "not mailed", "address": found.address}
        return self._render(request, "link", values, lang=found.lang)

    def show_expired(self, request: Request) -> Response:
        """Say that a link has expired, and offer to have a fresh one mailed."""
        return self._render(request, "link", {"state": "expired", "wrong": False, "email": ""}, HTTPStatus.GONE)

    # Preferences --------------------------------------------------------------------------------------------------

    def show(self, request: Request) -> Response:
        """Show what the link may do."""
        if len(_token(request)) == tokens.LENGTH:
            found = leave.find_subscription(self._door.config, _token(request), self._door.context)
            return self._render(request, "letter_link", {"found": found}, lang=found.lang)
        return self._show(request, self._load(request))

    def save(self, request: Request, form: FormData) -> Response:
        """Store the preferences: all of them, or none if a field is wrong, and then the page has what was entered."""
        view, pause, lang = self._load(request), _text(form, "pause"), _text(form, "lang") or None
        names = _texts(form, "newsletter")
        topics = {one.name: _texts(form, f"topic:{one.name}") for one in view.subscriptions}
        chosen = PreferencesInput(
            newsletters={name: topics.get(name, ()) for name in names},
            lang=lang,
            pause=pause,
            wording=_text(form, "wording"),
            client=client_of(request),
        )
        try:
            saved = preferences.save_preferences(self._door.config, _token(request), chosen, self._door.context)
        except InvalidPreferencesError as e:
            entered = preferences.fill_in(view, names, topics, lang and lang[:_LONGEST_TEXT])
            return self._show(request, view, entered=entered, wrong=e.fields, text=pause, status=422)
        return self._show(request, saved, done="saved")

    def request_address(self, request: Request, form: FormData) -> Response:
        """Mail a link to the new address, which has to confirm it."""
        door, view, email = self._door, self._load(request), _text(form, "email")
        try:
            is_accepted = change_address.request_change(door.config, _token(request), email, door.context)
        except AddressError:
            return self._show(request, view, wrong=["address"], text=email, status=422)
        if not is_accepted:
            raise HTTPException(429)
        door.mail_due.set()
        return self._show(request, view, done="address")

    def erase(self, request: Request, form: FormData) -> Response:
        """Erase the subscriber if they have ticked that they mean it."""
        view = self._load(request)
        if _text(form, "sure") != "yes":
            return self._show(request, view, wrong=["erase"], status=422)
        erase.request_erasure(self._door.config, _token(request), self._door.context)
        self._door.mail_due.set()
        return self._render(request, "erased", {}, lang=view.lang)

    def download(self, request: Request) -> Response:
        """Send everything that is stored about the subscriber."""
        config = self._door.config
        found = subscribe.load_subscriber_data(config, self._load(request).email)
        headers = {
            "Content-Disposition": 'attachment; filename="subscriber.json"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(b"".join(subscriber_document(found)), media_type="application/json", headers=headers)

    def _load(self, request: Request) -> PreferencesView:
        return preferences.load_preferences(self._door.config, _token(request), self._door.context)

    def _show(
        self,
        request: Request,
        view: PreferencesView,
        *,
        entered: PreferencesView | None = None,
        done: str = "",
        wrong: Collection[str] = (),
        text: str = "",
        status: int = 200,
    ) -> Response:
        """Show what is stored, or with *wrong* fields what was *entered*, and the *text* of the day or the address."""
        consent, wording = consent_words(self._door.texts(request, view.lang))
        values = {
            "consent": consent,
            "wording": wording,
            "view": entered or view,
            "stored": view,
            "languages": [(lang, language_name(lang)) for lang in view.languages],
            "done": done,
            "wrong": wrong,
            "text": text[:_LONGEST_TEXT],
            "pause": text[:_LONGEST_TEXT] if entered else view.paused_until or "",
        }
        return self._render(request, "preferences", values, status, lang=view.lang)

    # Another address ----------------------------------------------------------------------------------------------

    def ask_change(self, request: Request) -> Response:
        """Show the button that confirms the new address."""
        found = change_address.find_change(self._door.config, _token(request), self._door.context)
        return self._render(request, "address", {"found": found}, lang=found.lang)

    def confirm_change(self, request: Request, _form: FormData) -> Response:
        """Move the subscriber to the new address."""
        client = client_of(request)
        found = change_address.confirm_change(self._door.config, _token(request), self._door.context, client=client)
        return self._render(request, "address", {"found": found}, lang=found.lang)

    def _render(
        self, request: Request, name: str, values: dict[str, object], status: int = 200, *, lang: str | None = None
    ) -> Response:
        values["token"] = request.path_params.get("token", "")
        return self._door.render(request, f"pages/{name}.html", values, status, lang=lang)


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(form: FormData, name: str) -> Collection[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]
