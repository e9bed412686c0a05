"""Objects for every handler of the web server: the site, the clock, and pages in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from feeds.config import Config
from feeds.core.newsletters.i18n import Texts
from feeds.jobs.context import Context
from feeds.jobs.health import Pulse
from feeds.jobs.reader_pages import READER_PAGES, find_page_errors, render_reader_page
from feeds.jobs.site import Site, web_url
from feeds.web.languages import choose_language
from feeds.web.reader_counts import ReaderCounts

#: Headers of every page. A page loads its style sheet and the site's own pictures, and sends forms to us alone. Its URL
#: may have a token, so no link passes it on and no cache keeps it.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class _Current:
    """Everything that follows from one version of the config."""

    site: Site

    def check(self) -> "_Current":
        """Return it if its pages can be shown.

        Raises:
            TemplateError: a template of a page, or a file of texts, has a fault.
        """
        self.site.templates.check(READER_PAGES)
        assert self.style
        for error in find_page_errors(self.site):
            raise error
        return self

    @cached_property
    def style(self) -> tuple[str, bytes]:
        """The path of the style sheet below `web.url`, and its content."""
        content = self.site.templates.render("pages/reader.css", {}).encode()
        return f"style-{blake2b(content, digest_size=8).hexdigest()}.css", content


class Door:
    """The web face of one site. `config` and `site` may change between requests: a handler reads them once.

    Raises:
        TemplateError: a template of the pages has a fault.
    """

    def __init__(
        self, config: Config, context: Context, log: Callable[[str], None], pulse: Pulse | None = None
    ) -> None:
        self.context = context
        #: Writes one line about a fault into the log of the process.
        self.log = log
        #: Set when mail waits, such as a confirmation; `feeds.web.mail_worker` sends it.
        self.mail_due = Event()
        self.reader_counts = ReaderCounts()
        #: When this process publishes, if it does.
        self.pulse = pulse or Pulse()
        self._current = _Current(Site(config)).check()

    def seconds_until_publish(self) -> int:
        """Return for how many seconds feeds stay as they are: until the next publish, else `publish.every`."""
        every = self.config.settings.publish.every.total_seconds()
        left = every
        if self.pulse.next_publish_at is not None:
            left = (self.pulse.next_publish_at - self.context.clock()).total_seconds()
        return int(min(max(left, 1), every))

    def use_config(self, config: Config, *, reread: bool = False) -> None:
        """Replace the config; requests that have begun end with the old one.

        The same config changes nothing, unless texts and templates have to be *reread* too.

        Raises:
            TemplateError: a template of the pages has a fault; the old config and templates are still used.
        """
        if reread or config != self.config:
            self._current = _Current(Site(config)).check()

    @property
    def config(self) -> Config:
        """The config of the site."""
        return self._current.site.config

    @property
    def site(self) -> Site:
        """The site, with its templates and texts."""
        return self._current.site

    @property
    def style(self) -> tuple[str, bytes]:
        """The path of the style sheet below `web.url`, and its content."""
        return self._current.style

    def url(self, path: str = "") -> str:
        """Return the absolute URL of a page; *path* is relative to `web.url`, such as `subscribe`."""
        return f"{web_url(self.config)}{path}"

    def path(self, path: str = "") -> str:
        """Return the path of a page for links and forms, such as `/subscribe`."""
        return urlsplit(self.url(path)).path

    def texts(self, request: Request, lang: str | None = None) -> Texts:
        """Return the texts for a page.

        Their language is the one that the URL chooses (`?lang=de`), else the reader's, *lang*, if that is known, else
        the one that the browser asks for.
        """
        site, accepted = self.site, request.headers.get("accept-language", "")
        chosen = self._choose_by_url(request) or lang
        return site.texts(preferred=chosen or choose_language(accepted, site.templates.languages()))

    def _choose_by_url(self, request: Request) -> str | None:
        """Return the language that the URL of a page chooses; None if the site has no texts in it."""
        return choose_language(request.query_params.get("lang", ""), self.site.templates.languages())

    def _page_path(self, request: Request, path: str) -> str:
        """Return the path of another page, which keeps the language that the URL of this one chooses."""
        chosen = self._choose_by_url(request)
        return f"{self.path(path)}?lang={chosen}" if chosen else self.path(path)

    def render(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any] | None = None,
        status: int = 200,
        *,
        lang: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return a page with *values* for its template; *lang* is the reader's language.

        Raises:
            TemplateError: the template has a fault.
        """
        texts = self.texts(request, lang)
        html = render_reader_page(
            self.site,
            template,
            values or {},
            texts,
            style=self.path(self.style[0]),
            link=partial(self._page_path, request),
            link_language=partial(_change_language, request),
        )
        page_headers = {**PAGE_HEADERS, "Content-Language": texts.lang, "Vary": "Accept-Language"}
        return HTMLResponse(html, status, {**page_headers, **(headers or {})})


def _change_language(request: Request, lang: str) -> str:
    """Return the relative address of a page in another language; what else its URL has stays."""
    return f"?{request.url.include_query_params(lang=lang).query}"
