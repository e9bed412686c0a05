"""Tell requests of our own pages from those of forms on other sites."""

from urllib.parse import urlsplit

from starlette.requests import Request

#: `none` is a request that a person makes with the browser itself (https://www.w3.org/TR/fetch-metadata/).
_OWN_SITES = ("same-origin", "none")


def is_same_origin(request: Request) -> bool:
    """Return whether a request comes from a page of this server, by `Sec-Fetch-Site`, else by `Origin`.

    A request with neither header is refused: browsers send at least `Origin` with each POST.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OWN_SITES
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")
