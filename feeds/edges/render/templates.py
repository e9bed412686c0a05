"""Jinja2 templates and the texts of each language, from the site's templates folder or else the shipped one."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.utils import LRUCache

from feeds.edges.files import resources
from feeds.edges.render import mjml, template_files
from feeds.edges.render.template_files import texts_file
from feeds.errors import TemplateError
from feeds.language_tags import fallback_tags

_TEMPLATE_SUFFIXES = frozenset({".html", ".mjml", ".txt", ".css"})
_SYNTAX: Mapping[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
#: More than the templates of a site.
_KEPT = 256
#: What an expression in a template can raise.
_ERRORS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)


class Templates:
    """Renders templates and loads texts; those of the site come first."""

    def __init__(self, site: Path, filters: Mapping[str, Callable[..., str]]) -> None:
        self._folders = [site / "templates", resources.resource_folder() / "templates"]
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self._folders),
            autoescape=jinja2.select_autoescape(("html", "mjml"), default=False),
            undefined=jinja2.StrictUndefined,
            auto_reload=False,  # a file that is being edited must not change what was checked
            bytecode_cache=_compiled_templates(frozenset(filters.items())),
            **_SYNTAX,
        )
        self._jinja.filters.update(filters)
        self.texts = cache(self._load_texts)
        #: True if the site has templates or texts of its own.
        self.has_own = self._folders[0].is_dir()
        self.english_texts = cache(self._english_texts)

    def has_texts(self, lang: str) -> bool:
        """Return whether there are texts in a language or in one that may stand in for it (`pt-BR`: `pt`)."""
        return template_files.has_texts(self._folders[0].parent, lang)

    def languages(self) -> list[str]:
        """Return the languages that have texts, sorted; like the texts, they stay as they were at the first call."""
        return list(self._found_languages)

    def own_languages(self) -> list[str]:
        """Return the languages in which the site has texts of its own, sorted."""
        return sorted(file.stem for file in (self._folders[0] / "texts").glob("*.toml"))

    @cached_property
    def _found_languages(self) -> Sequence[str]:
        return sorted({file.stem for folder in self._folders for file in (folder / "texts").glob("*.toml")})

    def template_path(self, name: str) -> Path:
        """Return the path of a template, of the site's if it does not exist."""
        return next((f / name for f in self._folders if (f / name).is_file()), self._folders[0] / name)

    def _shorten(self, path: str | Path) -> str:
        """Return the path of a template or text as messages name it: from the folder that has `templates`."""
        folder = next((folder for folder in self._folders if Path(path).is_relative_to(folder)), None)
        return Path(path).relative_to(folder.parent).as_posix() if folder else str(path)

    def own_template_without(self, word: str, names: Sequence[str]) -> str:
        """Return the path of the first of the site's own templates that lacks a word, or else of its first one.

        If all are the shipped ones, it is the path of the last. It is as in messages.
        """
        own = [file for name in names if (file := self._folders[0] / name).is_file()]
        own.sort(key=lambda file: word in file.read_text("utf-8"))
        return self._shorten(own[0] if own else self.template_path(names[-1]))

    def render_mjml(self, name: str, context: Mapping[str, Any], spliced: Mapping[str, str]) -> str:
        """Render a template of a letter and compile it; *spliced* is as in `compile_mjml`.

        Raises:
            TemplateError: it does not exist, has an error, or its output is not MJML; the error has its file and line.
        """
        source = self.render(name, context)
        parts = [str(file) for folder in self._folders for file in sorted((folder / "letter").glob("*.mjml"))]
        try:
            return mjml.compile_mjml(source, str(self.template_path(name)), parts, spliced)
        except TemplateError as e:
            raise TemplateError(self._shorten(e.path), e.line, e.reason) from e

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """Render a template.

        Raises:
            TemplateError: the template does not exist or has an error; the error has its file and line.
        """
        with self._errors_of(name):
            return self._jinja.get_template(name).render(context)

    def check(self, names: Iterable[str]) -> None:
        """Compile templates, with those that they extend, include or import by name, and load all texts.

        Raises:
            TemplateError: one does not exist or has an error; the error has its file and line.
        """
        for lang in self.languages():
            self.texts(lang)
        waiting, checked = [*names], set[str]()
        while waiting:
            name = waiting.pop()
            checked.add(name)
            waiting += [other for other in self._compile(name) if other not in checked]

    def find_problems(self) -> Iterator[TemplateError]:
        """Yield an error for each text file, and each template of the site, that cannot be used."""
        own = self._folders[0]
        for lang in self.languages():
            yield from self._errors_in(self.texts, lang)
        for file in sorted(own.rglob("*")):
            if file.suffix in _TEMPLATE_SUFFIXES and file.is_file():
                name = file.relative_to(own).as_posix()
                yield from self._errors_in(self._compile, name)

    @staticmethod
    def _errors_in(load: Callable[[str], object], name: str) -> Iterator[TemplateError]:
        """Yield the error that loading a text file or a template raises."""
        try:
            load(name)
        except TemplateError as e:
            yield e

    def _compile(self, name: str) -> list[str]:
        """Compile a template; return the names of the templates that it needs."""
        with self._errors_of(name):
            file = Path(self._jinja.get_template(name).filename or "")
            needed = _find_needed(file.read_text("utf-8"))
        for line, other in needed:
            if not any((folder / other).is_file() for folder in self._folders):
                raise TemplateError(self._shorten(file), line, f"the template {other} does not exist")
        return [other for _, other in needed]

    @contextmanager
    def _errors_of(self, name: str) -> Iterator[None]:
        """Raise what goes wrong with a template as a TemplateError."""
        path = self._shorten(self.template_path(name))
        try:
            yield
        except jinja2.TemplateNotFound as e:
            raise TemplateError(*self._error_position(name, e), f"the template {e.name} does not exist") from e
        except jinja2.TemplateSyntaxError as e:
            place = self._shorten(e.filename) if e.filename else path
            raise TemplateError(place, e.lineno, e.message or "syntax error") from e
        except OSError as e:
            raise TemplateError(path, None, e.strerror or str(e)) from e
        except (jinja2.TemplateError, *_ERRORS) as e:
            raise TemplateError(*self._error_position(name, e), str(e) or type(e).__name__) from e

    def _error_position(self, name: str, error: BaseException) -> tuple[str, int | None]:
        """Return file and line of the innermost template in the traceback, which Jinja2 has rewritten."""
        position: tuple[str, int | None] = (self._shorten(self.template_path(name)), None)
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if any(Path(file).is_relative_to(folder) for folder in self._folders):
                position = (self._shorten(file), trace.tb_lineno)
            trace = trace.tb_next
        return position

    def _load_texts(self, lang: str) -> dict[str, Any]:
        """Return the texts for *lang*; those that it lacks are in the languages that may stand in for it, or English.

        What the site's own files say in any of these languages comes before what is shipped.
        """
        site, shipped = self._folders
        found = dict(self._english)
        for folder in (shipped, site):
            for tag in reversed(fallback_tags(lang)):
                file = texts_file(folder, tag)
                if tag != "en" and file.is_file():
                    texts = _read_texts(file)
                    _check_texts(file, texts, self._english)
                    found |= texts
        return found

    @cached_property
    def _english(self) -> dict[str, Any]:
        site, shipped = self._folders
        found = dict(_read_texts(texts_file(shipped, "en")))
        if (file := texts_file(site, "en")).is_file():
            texts = _read_texts(file)
            _check_texts(file, texts, found)
            found |= texts
        return found

    def _english_texts(self, lang: str) -> frozenset[str]:
        """Return the names of the texts that are English because *lang*, which is another language, lacks them."""
        tags = fallback_tags(lang)
        if "en" in tags:
            return frozenset()
        files = (texts_file(folder, tag) for tag in tags for folder in self._folders)
        own = {name for file in files if file.is_file() for name in _read_texts(file)}
        return frozenset(self._english.keys() - own)


class _CompiledTemplates(jinja2.BytecodeCache):
    """Keeps compiled templates while this process runs: compiling one takes far longer than rendering it.

    They are found by path and text, so that a template that was edited is compiled again.
    """

    def __init__(self) -> None:
        self._kept = LRUCache(_KEPT)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Set the code of a template that was compiled before."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._kept[bucket.key, bucket.checksum] = bucket.code


@lru_cache(maxsize=8)
def _compiled_templates(_filters: frozenset[tuple[str, Callable[..., str]]]) -> _CompiledTemplates:
    """Return what is compiled with these filters, which the compiler applies to constants."""
    return _CompiledTemplates()


@lru_cache(maxsize=_KEPT)
def _find_needed(source: str) -> Sequence[tuple[int, str]]:
    """Return line and name of each template that one cannot do without, if the name is fixed."""
    parsed = jinja2.Environment(**_SYNTAX).parse(source)  # noqa: S701 - nothing is rendered
    needed = []
    for node in parsed.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        target = getattr(node, "template", None)
        name = target.value if isinstance(target, nodes.Const) else None
        if isinstance(name, str) and not getattr(node, "ignore_missing", False):
            needed.append((node.lineno, name))
    return needed


def _read_texts(file: Path) -> Mapping[str, Any]:
    """Return the texts of a file. A file is parsed once: that takes longer than everything else for a page."""
    try:
        status = file.stat()
        return _parse_texts(file, status.st_mtime_ns, status.st_size)
    except tomllib.TOMLDecodeError as e:
        found = re.search(r"at line (\d+)", str(e))
        raise TemplateError(_shorten_path(file), int(found[1]) if found else None, f"is not TOML: {e}") from e
    except (UnicodeDecodeError, OSError) as e:
        raise TemplateError(_shorten_path(file), None, f"cannot be read: {e}") from e


@lru_cache(maxsize=256)
def _parse_texts(file: Path, _modified: int, _size: int) -> Mapping[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _shorten_path(file: Path) -> str:
    """Return the path of a file of texts below the folder that has the templates, for messages."""
    return file.relative_to(file.parents[2]).as_posix()


def _check_texts(file: Path, texts: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Check that texts have no placeholder that the *known* (English) ones lack, and that plurals have `other`."""
    for name, text in texts.items():
        english = known.get(name, text)
        if isinstance(text, dict) != isinstance(english, dict) or (isinstance(text, dict) and "other" not in text):
            reason = f"{name}: must be a text or a table as in en.toml; a table of plurals needs `other`"
            raise TemplateError(_shorten_path(file), _find_line(file, name), reason)
        if unknown := _placeholders(text) - _placeholders(english):
            reason = f"{name}: unknown placeholders: {', '.join(sorted(unknown))}"
            raise TemplateError(_shorten_path(file), _find_line(file, name), reason)


def _find_line(file: Path, name: str) -> int | None:
    """Return the line of a text in its file; None if it is not found."""
    content = file.read_text("utf-8")
    found = re.search(rf"^\s*\[?[\"']?{re.escape(name)}\b", content, re.MULTILINE)
    return content.count("\n", 0, found.end()) + 1 if found else None


def _placeholders(text: Any) -> set[str]:
    """Return the names in braces."""
    forms = text.values() if isinstance(text, dict) else [text]
    try:
        return {name for form in forms for _, name, _, _ in Formatter().parse(str(form)) if name is not None}
    except ValueError:
        return {str(text)}
