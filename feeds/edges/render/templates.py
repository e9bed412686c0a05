"""The templates folder of the site, and behind it the shipped one: Jinja2 templates and the texts of each language."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import jinja2

from feeds.edges.files import resources
from feeds.errors import TemplateError

#: What an expression in a template can raise.
_FAULTS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)


class Templates:
    """Renders templates and finds texts; the site's own come first."""

    def __init__(self, site: Path, filters: Mapping[str, Callable[..., str]]) -> None:
        self._folders = [site / "templates", resources.resource_folder() / "templates"]
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self._folders),
            autoescape=jinja2.select_autoescape(("html", "mjml"), default=False),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.filters.update(filters)
        self.texts = cache(self._texts)

    def has_texts(self, lang: str) -> bool:
        """Return whether there are texts in a language (`pt-BR`, else `pt`)."""
        names = {lang, lang.split("-", maxsplit=1)[0]}
        return any((folder / "texts" / f"{name}.toml").is_file() for name in names for folder in self._folders)

    def languages(self) -> list[str]:
        """Return the languages that there are texts in, sorted."""
        return sorted({file.stem for folder in self._folders for file in (folder / "texts").glob("*.toml")})

    def template_path(self, name: str) -> str:
        """Return where a template lies, for messages."""
        return str(next((f / name for f in self._folders if (f / name).is_file()), self._folders[0] / name))

    def part_paths(self, below: str) -> list[str]:
        """Return where the templates in a folder lie, the site's own before the shipped ones."""
        return [str(file) for folder in self._folders for file in sorted((folder / below).glob("*.mjml"))]

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """Return the template filled in.

        Raises:
            TemplateError: there is no such template, or it has a fault; file and line are named.
        """
        try:
            return self._jinja.get_template(name).render(context)
        except jinja2.TemplateNotFound as e:
            raise TemplateError(self.template_path(name), None, f"there is no template {e.name}") from e
        except jinja2.TemplateSyntaxError as e:
            raise TemplateError(e.filename or self.template_path(name), e.lineno, e.message or "syntax error") from e
        except (jinja2.TemplateError, *_FAULTS) as e:
            raise TemplateError(*self._place(name, e), str(e) or type(e).__name__) from e

    def _place(self, name: str, error: BaseException) -> tuple[str, int | None]:
        """Return file and line of the innermost template that was at work; Jinja rewrites tracebacks to say so."""
        place: tuple[str, int | None] = (self.template_path(name), None)
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if any(Path(file).is_relative_to(folder) for folder in self._folders):
                place = (file, trace.tb_lineno)
            trace = trace.tb_next
        return place

    def _texts(self, lang: str) -> dict[str, Any]:
        """Return the texts for *lang* (`pt-BR`, else `pt`), over the English ones where some are missing."""
        found: dict[str, Any] = {}
        for name in dict.fromkeys(("en", lang.split("-", maxsplit=1)[0], lang)):
            for folder in reversed(self._folders):
                file = folder / "texts" / f"{name}.toml"
                if file.is_file():
                    texts = _read(file)
                    _check(file, texts, found)
                    found |= texts
        return found


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise TemplateError(str(file), None, f"cannot be read: {e}") from e


def _check(file: Path, texts: dict[str, Any], known: dict[str, Any]) -> None:
    """Refuse a text that is filled in with other values than the English one, and plurals without `other`."""
    for name, text in texts.items():
        like = known.get(name, text)
        if isinstance(text, dict) != isinstance(like, dict) or (isinstance(text, dict) and "other" not in text):
            raise TemplateError(str(file), None, f"{name}: must be as in en.toml; a table of plurals needs `other`")
        if _gaps(text) - _gaps(like):
            raise TemplateError(str(file), None, f"{name}: nothing is filled in for {_gaps(text) - _gaps(like)}")


def _gaps(text: Any) -> set[str]:
    """Return the names in braces."""
    forms = text.values() if isinstance(text, dict) else [text]
    try:
        return {gap for form in forms for _, gap, _, _ in Formatter().parse(str(form)) if gap is not None}
    except ValueError:
        return {str(text)}
