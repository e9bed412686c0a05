"""The web application for readers: the routes of each area, and what holds for all of them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.errors import FeedsError
from feeds.web import leave_pages, operation, preferences_pages, signup_pages
from feeds.web.door import Door
from feeds.web.error_pages import ErrorPages
from feeds.web.limits import BodyLimit
from feeds.web.proxies import TrustedProxies


def make_app(door: Door) -> Starlette:
    """Return the application; each area adds its routes by a line."""
    errors = ErrorPages(door)

    def show_style(request: Request) -> Response:
        path, content = door.style
        if f"style-{request.path_params['digest']}.css" != path:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type="text/css", headers=headers)

    app = Starlette(
        routes=[
            Route("/style-{digest}.css", show_style),
            *operation.routes(door),
            *signup_pages.routes(door),
            *leave_pages.routes(door),
            *preferences_pages.routes(door),
        ],
        middleware=[
            Middleware(TrustedProxies, door=door),
            Middleware(BodyLimit),
        ],
        exception_handlers={
            HTTPException: errors.show_status,
            FeedsError: errors.show_fault,
            Exception: errors.show_fault,
        },
    )
    # The target would have the Host header, which anybody can set, and a one-click POST must not be redirected
    # (RFC 8058, section 3.1).
    app.router.redirect_slashes = False
    return app
