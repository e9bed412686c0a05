"""Liquid's own tags and outputs, rendered by python-liquid without any of the site's data, files or the clock."""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit

from feeds.core.posts.tags.fragments import post_address
from feeds.core.posts.tags.page import TagPage

#: The tags that python-liquid renders, and the words inside of them.
LOGIC = frozenset(
    {"assign", "capture", "case", "when", "else", "elsif", "cycle", "decrement", "echo", "for", "break", "continue"}
    | {"if", "ifchanged", "increment", "liquid", "tablerow", "unless", "#"},
)
#: In a site of an unknown generator, only these outputs are Liquid: others may be words about templates.
CERTAIN_OUTPUT = re.compile(r"(?:site|page|post|layout)\.\w|([\"'])[^\"']*\1\s*\|\s*[a-z_]+|\.[A-Z]")
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_PATH = re.compile(r"[\w.\[\]\"'-]+")
_MAX_ITERATIONS = 10_000
_MAX_OUTPUT = 5_000_000
_MAX_MEMORY = 5_000_000
_TEXTS = "feeds_texts"


class LiquidTemplate:
    """A template that is put together from tags and from text that Liquid must not read."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._texts: list[str] = []

    def add_text(self, text: str, *, is_code: bool = False) -> None:  # noqa: ARG002 - as in Nunjucks
        """Add text that is shown as it is."""
        if "{" in text:
            self._parts.append(f"{{{{ {_TEXTS}[{len(self._texts)}] }}}}")
            self._texts.append(text)
        else:
            self._parts.append(text)

    def add_tag(self, written: str) -> None:
        """Add a tag or output of Liquid."""
        self._parts.append(written)

    def render(self, page: TagPage) -> tuple[str, list[str]]:
        """Return the text, and the names of values that are not known and so are empty.

        Raises:
            ValueError: it is not Liquid, or takes too long.
        """
        from liquid.exceptions import LiquidError

        unknown: list[str] = []
        environment = _environment(unknown)
        environment.filters.update(_filters(page, environment))
        try:
            text = environment.from_string("".join(self._parts)).render(
                **template_values(page), **{_TEXTS: self._texts}
            )
        except (LiquidError, RecursionError) as e:
            raise ValueError(str(e).partition("\n")[0]) from e
        return text, list(dict.fromkeys(unknown))


def _environment(unknown: list[str]) -> Any:
    """Return an environment of python-liquid that adds the names of unknown values to *unknown*.

    Mistakes in a template are left out, as in Jekyll; a limit ends it.
    """
    from liquid import Environment, Mode, Undefined
    from liquid.exceptions import ResourceLimitError

    class _Unknown(Undefined):
        def __str__(self) -> str:
            unknown.append(_path_at(self.token.source, self.token.start_index) if self.token else self.name)
            return ""

    class _Environment(Environment):
        loop_iteration_limit = _MAX_ITERATIONS
        output_stream_limit = _MAX_OUTPUT
        local_namespace_limit = _MAX_MEMORY

        def error(self, exc: Any, msg: str | None = None, token: Any = None) -> None:
            """Ignore an error as python-liquid does, which would ignore limits too."""
            if isinstance(exc, ResourceLimitError) or (isinstance(exc, type) and issubclass(exc, ResourceLimitError)):
                raise exc if isinstance(exc, ResourceLimitError) else exc(msg, token=token)

    return _Environment(tolerance=Mode.LAX, strict_filters=False, undefined=_Unknown)


def _path_at(source: str, start: int) -> str:
    """Return the name of a value, with the names inside of it, as it is written in a template."""
    found = _PATH.match(source, start)
    return found[0] if found else ""


def template_values(page: TagPage) -> dict[str, Any]:
    """Return the values that a template can use."""
    site = urlsplit(page.settings.site.url)
    own = {str(key): value for key, value in page.metadata.items()}
    given = {"date": page.date, "url": post_address("")}
    values = {
        "site": {
            "url": f"{site.scheme}://{site.netloc}",
            "baseurl": site.path.rstrip("/"),
            "title": page.settings.site.title,
            "author": page.settings.site.author,
            "lang": page.settings.site.language,
            "time": page.date,
        },
        "page": {**own, **given},
    }
    return values if page.settings.posts.generator == "jekyll" else {**own, **values}


def _filters(page: TagPage, environment: Any) -> Mapping[str, Callable[..., Any]]:
    """Return the filters of Jekyll and Eleventy, and some of Liquid's: without the time of day, and with limits."""
    parts = urlsplit(page.settings.site.url)
    base, host = parts.path.rstrip("/"), f"{parts.scheme}://{parts.netloc}"
    date, replace, join, size = (environment.filters[name] for name in ("date", "replace", "join", "size"))

    def relative_url(path: object) -> str:
        written = str(path)
        return written if _HAS_SCHEME.match(written) else f"{base}/{written.lstrip('/')}"

    def absolute_url(path: object) -> str:
        written = relative_url(path)
        return f"{host}{written}" if written.startswith("/") else written

    def format_date(value: object, pattern: object) -> Any:
        is_now = str(value).strip().lower() in {"now", "today"}
        return date(page.date if is_now else value, pattern, environment=environment)

    def replace_all(value: object, old: object, new: object = "") -> Any:
        _limit(str(value).count(str(old)) * len(str(new)))
        return replace(value, old, new)

    def join_all(value: object, separator: object = " ") -> Any:
        _limit(len(value) * len(str(separator)) if isinstance(value, (list, tuple)) else 0)
        return join(value, separator)

    def count(value: object) -> Any:
        return value if isinstance(value, environment.undefined) else size(value)

    return {
        "size": count,
        "relative_url": relative_url,
        "absolute_url": absolute_url,
        "url": relative_url,
        "date": format_date,
        "date_to_xmlschema": lambda value: format_date(value, "%Y-%m-%dT%H:%M:%S%:z"),
        "date_to_string": lambda value, *_: format_date(value, "%d %b %Y"),
        "date_to_long_string": lambda value, *_: format_date(value, "%d %B %Y"),
        "replace": replace_all,
        "join": join_all,
        "xml_escape": lambda value: escape(str(value)),
    }


def _limit(length: int) -> None:
    """Raise ValueError for a text that would be too long."""
    if length > _MAX_OUTPUT:
        raise ValueError(f"a text of {length:,} characters")
