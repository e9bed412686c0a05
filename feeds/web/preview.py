"""A local page with the next issue of each newsletter: frames, schemes, parts and remarks; it reloads by itself."""

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

#: Of this machine only; a page elsewhere that calls us by another name gets nothing (DNS rebinding).
_HOSTS = ["127.0.0.1", "localhost"]
#: A letter may show pictures and its own look, and nothing else: as in a mail program.
_AS_MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; sandbox allow-popups"


def app(preview: Preview, folder: Path) -> Starlette:
    """Return the application; *folder* is the site's, for templates of its own."""
    templates = Templates(folder, {})

    def index(request: Request) -> Response:
        try:
            rows, wrong = (
                [_row(one, _place(request, one.newsletter.name)) for one in preview.rendered_issues().values()],
                "",
            )
        except FeedsError as e:
            rows, wrong = [], str(e)
        page = {"newsletters": rows, "wrong": wrong, "state": preview.state()}
        return HTMLResponse(templates.render("pages/preview.html", {"page": page}))

    def letter(request: Request) -> Response:
        found = preview.rendered_issues().get(request.path_params["name"])
        shown = found.letter(_place(request, "choice")) if found else None
        if shown is None:
            return PlainTextResponse(found.reason if found else "no such newsletter", 404)
        part = request.path_params["part"]
        if part != "html":
            return PlainTextResponse(shown.text if part == "text" else shown.html)
        pictures = "'none'" if "pictures" in request.query_params else "http: https: data:"
        html = _in_scheme(shown.html, request.query_params.get("scheme", ""))
        return HTMLResponse(html, headers={"Content-Security-Policy": _AS_MAIL.format(pictures=pictures)})

    def state(_: Request) -> Response:
        return PlainTextResponse(preview.state(), headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/", index),
            Route("/state", state),
            Route("/letter/{name}/{part:str}", letter),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
    )


def _in_scheme(html: str, scheme: str) -> str:
    """Return a letter that looks as in one scheme, whatever the browser's is: not all pass a frame's own on to it."""
    asked = {"dark": "@media all", "light": "@media not all"}.get(scheme)
    return html.replace("@media (prefers-color-scheme: dark)", asked) if asked else html


def _place(request: Request, name: str) -> int:
    """Return which of a newsletter's choices is asked for."""
    asked = request.query_params.get(name, "0")
    return int(asked) if asked.isdecimal() else 0


def _row(shown: PreviewIssue, place: int) -> dict[str, object]:
    letter = shown.letter(place)
    nothing = "" if letter or shown.reason else "who asked for this gets no letter: none of its posts are among it"
    return {
        "name": shown.newsletter.name,
        "title": shown.newsletter.heading,
        "subject": letter.subject if letter else "",
        "reason": shown.reason or nothing,
        "bytes": f"{len(letter.html.encode()):,}" if letter else "",
        "remarks": lint_preview(shown, letter),
        "choices": [_asked_for(choice) for choice in shown.choices] if shown.issue else [],
        "chosen": place,
    }


def _asked_for(choice: SubscriberPreferences) -> str:
    said = [choice.lang or "", ", ".join(choice.topics)]
    return ": ".join(filter(None, said)) or "Everything"


def serve(preview: Preview, folder: Path, port: int) -> None:
    """Show it on this machine until somebody stops it."""
    uvicorn.run(app(preview, folder), host=_HOSTS[0], port=port, log_level="warning")
