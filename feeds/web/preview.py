"""Serve a local page that shows the next issue of each newsletter and reloads when anything changes."""

import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from feeds.core.newsletters.client_views import (
    as_in_word,
    force_scheme,
    preheader,
    replace_pictures,
    without_style_sheets,
)
from feeds.core.posts.locales import language_name, text_direction
from feeds.display import format_count
from feeds.edges.render.templates import Templates
from feeds.errors import FeedsError
from feeds.jobs.preview import Preview, PreviewIssue, lint_preview
from feeds.model import SubscriberPreferences
from feeds.web.forms import form_route
from feeds.web.same_origin import is_same_origin

#: Only these names of this machine: a foreign web page that resolves its own name to us gets nothing (DNS rebinding).
_HOSTS = ["127.0.0.1", "localhost"]
#: A letter may load images and use inline styles, and nothing else: as in a mail program.
_AS_MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; sandbox allow-popups"
#: A picture may be an SVG file, which must not run scripts if it is opened by itself.
_AS_PICTURE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
#: What the frames show, by the value of `view` in their URL.
_VIEWS: dict[str, Callable[[str], str]] = {"plain": without_style_sheets, "word": as_in_word}
#: Characters of an address that are read.
_MOST_ADDRESS = 320


def app(preview: Preview, folder: Path) -> Starlette:
    """Return the web application; *folder* is the site's, which may have its own templates."""
    pages = _Pages(preview, Templates(folder, {}))
    return Starlette(
        routes=[
            Route("/", pages.show_index),
            Route("/state", pages.show_state),
            Route("/letter/{name}/{part:str}", pages.show_letter),
            Route("/picture/{name}", pages.show_picture),
            form_route("/test/{name}", pages.send_test),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
    )


class _Pages:
    """The pages of one preview."""

    def __init__(self, preview: Preview, templates: Templates) -> None:
        self._preview, self._templates = preview, templates
        #: What became of the last test message of each newsletter, until the page has shown it.
        self._answers: dict[str, str] = {}

    def show_index(self, request: Request) -> Response:
        """Return the page with all newsletters."""
        try:
            issues = self._preview.rendered_issues().values()
            rows = [self._row(issue, _choice(request, issue.newsletter.name)) for issue in issues]
            error = ""
        except FeedsError as e:
            rows, error = [], str(e)
        page = {"newsletters": rows, "error": error, "state": self._preview.state()}
        return HTMLResponse(self._templates.render("pages/preview.html", {"page": page}))

    def show_letter(self, request: Request) -> Response:
        """Return a letter in a frame, its text part or its source."""
        issue = self._preview.rendered_issues().get(request.path_params["name"])
        letter = issue.letter(_choice(request, "choice")) if issue else None
        if issue is None or letter is None:
            return PlainTextResponse(issue.reason if issue else "unknown newsletter", 404)
        part = request.path_params["part"]
        if part != "html":
            return PlainTextResponse(letter.text if part == "text" else letter.html)
        pictures = "'none'" if "pictures" in request.query_params else "http: https: data:"
        html = self._with_local_pictures(issue, letter.html)
        html = _VIEWS.get(request.query_params.get("view", ""), str)(html)
        html = force_scheme(html, request.query_params.get("scheme", ""))
        return HTMLResponse(html, headers={"Content-Security-Policy": _AS_MAIL.format(pictures=pictures)})

    def _with_local_pictures(self, issue: PreviewIssue, html: str) -> str:
        """Return a letter with the pictures that are on this machine, since they may not be on the web yet."""

        def local(url: str) -> str | None:
            name = self._preview.register_picture(issue, url)
            return name and f"/picture/{name}"

        return replace_pictures(html, local)

    def show_picture(self, request: Request) -> Response:
        """Return a picture of this machine that a letter shows; its name is not a path."""
        path = self._preview.pictures.get(request.path_params["name"])
        if path is None or not Path(path).is_file():
            return PlainTextResponse("unknown picture", 404)
        return FileResponse(path, headers=_AS_PICTURE)

    def show_state(self, _: Request) -> Response:
        """Return a digest that changes with the page."""
        return PlainTextResponse(self._preview.state(), headers={"Cache-Control": "no-store"})

    def send_test(self, request: Request, form: FormData) -> Response:
        """Send a test message and show the page again."""
        if not is_same_origin(request):
            return PlainTextResponse("refused: this form is on another site", 403)
        name = request.path_params["name"]
        try:
            sent = self._preview.send_test(name, str(form.get("to", ""))[:_MOST_ADDRESS])
            self._answers[name] = f"{sent.subject!r} was sent to {sent.recipient}: {sent.answer}"
        except FeedsError as e:
            self._answers[name] = f"not sent: {e}"
        return RedirectResponse(f"/#n-{quote(name)}", 303)

    def _row(self, issue: PreviewIssue, choice: int) -> dict[str, object]:
        """Return one newsletter for the template."""
        letter = issue.letter(choice)
        no_letter = (
            "" if letter or issue.reason else "subscribers with these preferences get no letter: no post matches"
        )
        return {
            "name": issue.newsletter.name,
            "title": issue.newsletter.heading,
            "has_letter": letter is not None,
            "subject": letter.subject if letter else "",
            "sender": issue.sender,
            "preheader": preheader(letter.html) if letter else "",
            "lang": letter.lang if letter else "",
            "dir": text_direction(letter.lang) if letter else "",
            "number": issue.issue.renderer.number if issue.issue else 0,
            "when": issue.when,
            "readers": format_count(issue.readers, "reader"),
            "is_sample": issue.is_sample,
            "reason": issue.reason or no_letter,
            "bytes": f"{len(letter.html.encode()):,}" if letter else "",
            "text": letter.text if letter else "",
            "diagnostics": lint_preview(issue, letter),
            "choices": _format_choices(issue.choices.used),
            "other_languages": _format_choices(issue.choices.other_languages, len(issue.choices.used)),
            "chosen": choice,
            "test_address": issue.test_address,
            "answer": self._answers.pop(issue.newsletter.name, ""),
        }


def _choice(request: Request, name: str) -> int:
    """Return the number of the subscriber preferences to show, from a query parameter; 0 if it is not a number."""
    value = request.query_params.get(name, "0")
    return int(value) if value.isdecimal() else 0


def _format_choices(choices: Iterable[SubscriberPreferences], first: int = 0) -> list[dict[str, object]]:
    """Return number and label of choices, and the language that a label is in; the number *first* is the first's."""
    return [
        {"number": number, "label": _format_choice(one), "lang": one.lang if one.lang and not one.topics else ""}
        for number, one in enumerate(choices, first)
    ]


def _format_choice(preferences: SubscriberPreferences) -> str:
    parts = [language_name(preferences.lang) if preferences.lang else "", ", ".join(preferences.topics)]
    return ": ".join(filter(None, parts)) or "Everything"


def listen(port: int) -> socket.socket:
    """Return a socket of this machine that listens at *port*, or at a free port if that is 0.

    Raises:
        FeedsError: another program uses the port, or only root may use it.
    """
    try:
        return socket.create_server((_HOSTS[0], port))
    except OSError as e:
        raise FeedsError(
            f"port {port} cannot be used: {os.strerror(e.errno or 0)}; choose another one with --port"
        ) from e


def serve(preview: Preview, folder: Path, listener: socket.socket) -> None:
    """Serve the preview until the process is stopped."""
    with listener:
        uvicorn.Server(uvicorn.Config(app(preview, folder), log_level="warning")).run(sockets=[listener])
