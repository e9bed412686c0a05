"""Slugs, and the absolute URLs of what a post refers to."""

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

from feeds.core.posts import text
from feeds.idn import ascii_host

#: In bytes: a file name has at most 255, and a number may be appended.
LONGEST_SLUG = 200
_UNSAFE_IN_SLUG = re.compile(r"[\s/\\?#%<>\"'`|{}^\[\]:;=&+,!*()$@~]+")
#: What a URL may hold unescaped (RFC 3986 section 2.2), and `%`, with which escapes begin.
_SAFE_IN_URL = "%/:=&?~#+!$,;'@()*[]"
#: RFC 3986 section 3.1.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
#: Browsers leave line breaks and tabs out of a URL (https://url.spec.whatwg.org/#url-parsing).
_IGNORED = re.compile(r"[\t\n\r]+")


def slugify(name: str) -> str:
    """Return *name* as one part of a path: in its own script, in lower case, unsafe characters as hyphens."""
    plain_name = text.normalize(name)
    if not plain_name.isprintable():
        plain_name = text.CONTROL.sub("", plain_name)
    slug = _UNSAFE_IN_SLUG.sub("-", plain_name.lower()).strip("-.")
    if len(slug) * 4 <= LONGEST_SLUG:
        return slug
    return slug.encode()[:LONGEST_SLUG].decode(errors="ignore").rstrip("-.")


def is_uri(written: str) -> bool:
    """Return whether *written* begins as an absolute URI does, with a scheme."""
    return _SCHEME.match(written) is not None


def move_to_site(url: str, site: str) -> str | None:
    """Return *url* with the scheme and host of *site*; None if it is on another host.

    `http`, `https` and a leading `www.` make no difference.
    """
    parts, own = urlsplit(url), urlsplit(site)
    if _host(parts.netloc) != _host(own.netloc):
        return None
    return parts._replace(scheme=own.scheme, netloc=own.netloc).geturl()


def _host(netloc: str) -> str:
    return netloc.lower().removeprefix("www.")


def page_of(url: str) -> str:
    """Return *url* for comparison with others: two that lead to one page are equal.

    Web servers serve `/x/`, `/x` and `/x/index.html` from one file. Upper and lower case are different pages (RFC 3986
    section 6.2.2.1).
    """
    plain = unquote(url) if "%" in url else url
    return plain.removesuffix("/index.html").rstrip("/")


def below_site(written: str, site: str) -> str:
    """Return an address that starts with a slash as one on the site, which may be in a folder of its host."""
    folder = urlsplit(site).path
    is_outside = written.startswith("/") and not written.startswith(("//", folder))
    return folder + written.lstrip("/") if is_outside else written


def remove_ignored(url: str) -> str:
    """Return *url* without the characters that browsers leave out of one."""
    return _IGNORED.sub("", url)


def quote_url(url: str) -> str:
    """Return *url* in ASCII: other characters percent-encoded, existing escapes kept."""
    return quote(url, safe=_SAFE_IN_URL)


def resolve_url(base: str, written: str) -> str | None:
    """Return *written* as an absolute http(s) URL in ASCII, relative to *base*; None if it is not one."""
    if text.CONTROL.search(written):
        return None
    try:
        url = urljoin(base, written)
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return quote_url(ascii_host(url))
