"""Serve a local page that shows the next issue of each newsletter and reloads when anything changes."""

import os
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from feeds.edges.render.templates import Templates
from feeds.errors import FeedsError
from feeds.jobs.preview import Preview, PreviewIssue, lint_preview
from feeds.model import SubscriberPreferences

#: Only these names of this machine: a foreign web page that resolves its own name to us gets nothing (DNS rebinding).
_HOSTS = ["127.0.0.1", "localhost"]
#: A letter may load images and use inline styles, and nothing else: as in a mail program.
_AS_MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; sandbox allow-popups"


def app(preview: Preview, folder: Path) -> Starlette:
    """Return the web application; *folder* is the site's, which may have its own templates."""
    templates = Templates(folder, {})

    def show_index(request: Request) -> Response:
        try:
            issues = preview.rendered_issues().values()
            rows = [_row(issue, _choice(request, issue.newsletter.name)) for issue in issues]
            error = ""
        except FeedsError as e:
            rows, error = [], str(e)
        page = {"newsletters": rows, "error": error, "state": preview.state()}
        return HTMLResponse(templates.render("pages/preview.html", {"page": page}))

    def show_letter(request: Request) -> Response:
        issue = preview.rendered_issues().get(request.path_params["name"])
        letter = issue.letter(_choice(request, "choice")) if issue else None
        if letter is None:
            return PlainTextResponse(issue.reason if issue else "unknown newsletter", 404)
        part = request.path_params["part"]
        if part != "html":
            return PlainTextResponse(letter.text if part == "text" else letter.html)
        pictures = "'none'" if "pictures" in request.query_params else "http: https: data:"
        html = _force_scheme(letter.html, request.query_params.get("scheme", ""))
        return HTMLResponse(html, headers={"Content-Security-Policy": _AS_MAIL.format(pictures=pictures)})

    def show_state(_: Request) -> Response:
        return PlainTextResponse(preview.state(), headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/", show_index),
            Route("/state", show_state),
            Route("/letter/{name}/{part:str}", show_letter),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
    )


def _force_scheme(html: str, scheme: str) -> str:
    """Return a letter in the dark or light scheme: not all browsers pass the scheme of a frame on to its page."""
    query = {"dark": "@media all", "light": "@media not all"}.get(scheme)
    return html.replace("@media (prefers-color-scheme: dark)", query) if query else html


def _choice(request: Request, name: str) -> int:
    """Return the number of the subscriber preferences to show, from a query parameter; 0 if it is not a number."""
    value = request.query_params.get(name, "0")
    return int(value) if value.isdecimal() else 0


def _row(issue: PreviewIssue, choice: int) -> dict[str, object]:
    """Return one newsletter for the template."""
    letter = issue.letter(choice)
    no_letter = "" if letter or issue.reason else "subscribers with these preferences get no letter: no post matches"
    return {
        "name": issue.newsletter.name,
        "title": issue.newsletter.heading,
        "subject": letter.subject if letter else "",
        "reason": issue.reason or no_letter,
        "bytes": f"{len(letter.html.encode()):,}" if letter else "",
        "diagnostics": lint_preview(issue, letter),
        "choices": [_format_choice(preferences) for preferences in issue.choices] if issue.issue else [],
        "chosen": choice,
    }


def _format_choice(preferences: SubscriberPreferences) -> str:
    parts = [preferences.lang or "", ", ".join(preferences.topics)]
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
