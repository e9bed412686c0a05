"""Nunjucks in the posts of Eleventy, rendered by Jinja2, which it is a copy of: without files, calls and the clock.

Source: the pages on templating of mozilla.github.io/nunjucks. Jinja2 has no limits of its own for a template's time and
memory, so every loop, text and sum is counted here.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from feeds.core.posts.tags.liquid import template_values
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.urls import below_site

#: The tags that Jinja2 renders, and the words inside of them.
LOGIC = frozenset({"if", "elif", "elseif", "else", "for", "set"})
#: What Liquid does not have: these tags, comments, and in outputs filters with brackets, `~` and `a if b`.
_ONLY_NUNJUCKS = re.compile(
    r"\{%-?\s*(?:set|elif|elseif|macro|import|from)\b|\{#(?:(?!#\}|\{#).)*#\}"
    r"|\{\{(?:(?!\}\}|\{\{).)*?(?:~|\|\s*\w+\(|\bif\b)|\{[{%]-?\s*(?:for\s+\w+\s+in\s+\[|loop\.|(?:if|elif)\b[^%]*(?:\bnot\b|[!=]==))",
    re.DOTALL,
)
_COMMENT = re.compile(r"\{#(?:(?!#\}|\{#).)*#\}", re.DOTALL)
#: JavaScript's signs and names.
_WORDS = (
    (re.compile(r"(\{%-?\s*)elseif\b"), r"\1elif"),
    (re.compile(r"([!=]=)="), r"\1"),
    (re.compile(r"&&"), " and "),
    (re.compile(r"\|\|"), " or "),
    (re.compile(r"\b(?:null|undefined)\b"), "none"),
)
_MAX_ITERATIONS = 10_000
_MAX_TEXT = 5_000_000
_MAX_NUMBER = 10**15
_TEXTS = "feeds_texts"
#: Filters of Jinja2 that make no text much longer.
_FILTERS = (
    *("abs", "capitalize", "d", "default", "e", "escape", "first", "float", "int", "last", "length", "list", "lower"),
    *("reverse", "round", "safe", "sort", "string", "striptags", "title", "trim", "truncate", "unique", "upper"),
    *("urlencode", "wordcount"),
)


def is_nunjucks(text: str) -> bool:
    """Return whether a text surely has Nunjucks, and not Liquid, which Eleventy's Markdown has by default."""
    return _ONLY_NUNJUCKS.search(text) is not None


class NunjucksTemplate:
    """A template that is put together from tags and from text that Nunjucks must not read."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._texts: list[str] = []
        self._size = 1

    def add_text(self, text: str, *, is_code: bool = False) -> None:
        """Add text that is shown as it is; comments in it are left out unless it is code."""
        shown = text if is_code else _COMMENT.sub("", text)
        self._size += len(shown)
        if "{" in shown:
            self._parts.append(f"{{{{ {_TEXTS}[{len(self._texts)}] }}}}")
            self._texts.append(shown)
        else:
            self._parts.append(shown)

    def add_tag(self, written: str) -> None:
        """Add a tag or output."""
        for pattern, replacement in _WORDS:
            written = pattern.sub(replacement, written)
        self._size += len(written)
        self._parts.append(written)

    def render(self, page: TagPage) -> tuple[str, list[str]]:
        """Return the text, and the names of values that are not known and so are empty.

        Raises:
            ValueError: it is not Nunjucks, or takes too long.
        """
        budget = _Budget(_MAX_TEXT // self._size)
        try:
            template = _environment_class()(budget, page.settings.site.url).from_string("".join(self._parts))
            text = template.render(**template_values(page), **{_TEXTS: self._texts})
        except Exception as e:  # whatever a template does, the post is shown without it
            raise ValueError(f"{type(e).__name__}: {e}".partition("\n")[0]) from e
        return text, list(dict.fromkeys(budget.unknown))


class _Budget:
    """What a template may still do, and the names of values that it does not know."""

    def __init__(self, iterations: int) -> None:
        self._iterations, self._text = min(iterations, _MAX_ITERATIONS), _MAX_TEXT
        self.unknown: list[str] = []

    def loop(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield *items* as far as the template may go on."""
        for item in items:
            self._iterations -= 1
            if self._iterations < 0:
                raise ValueError("a template with too many repetitions")
            yield item

    def text(self, value: Any) -> Any:
        """Return a value that is written, counted; a list as in JavaScript, and a function or mapping as nothing."""
        if callable(value) or isinstance(value, dict):
            return ""
        if isinstance(value, (list, tuple)):
            return self.join(self.flat(value), ",")
        self._text -= len(str(value))
        if self._text < 0:
            raise ValueError("a template with too much text")
        return value

    def join(self, values: Iterable[Any], separator: object = "") -> str:
        """Return values as one text."""
        parts = [str(value) for value in self.flat(list(values))]
        self._text -= len(str(separator)) * len(parts)
        return str(separator).join(str(self.text(part)) for part in parts)

    @staticmethod
    def flat(values: Any) -> Any:
        """Return a list or mapping without others inside: a few lines could make one too large to be written."""
        if any(
            isinstance(value, (list, tuple, dict))
            for value in (values.values() if isinstance(values, dict) else values)
        ):
            raise ValueError("a list in a list")
        return values

    def replace(self, value: object, old: object, new: object = "") -> str:
        """Return a text with another one replaced."""
        self._text -= str(value).count(str(old)) * len(str(new))
        return str(self.text("")) + str(value).replace(str(old), str(new))

    def calculate(self, operator: str, left: Any, right: Any) -> Any:
        """Return the sum or difference of numbers, or two texts as one; nothing else is calculated."""
        if isinstance(left, str) or isinstance(right, str):
            if operator == "+":
                return self.join([left, right])
            raise ValueError("a calculation with text")
        if not all(isinstance(side, (int, float)) and abs(side) < _MAX_NUMBER for side in (left, right)):
            raise ValueError("a calculation with large numbers or lists")
        return {"+": left + right, "-": left - right, "*": left * right}[operator]


@lru_cache(maxsize=1)
def _environment_class() -> Any:  # noqa: C901 - its classes need what is imported here
    """Return a class of environments of Jinja2 that count what a template does; Jinja2 takes time to import."""
    from jinja2 import ChainableUndefined, Undefined, nodes
    from jinja2.filters import FILTERS
    from jinja2.sandbox import SandboxedEnvironment
    from jinja2.visitor import NodeTransformer

    class _Filters(dict[str, Any]):
        """Filters by name; an unknown one changes nothing, as with Liquid."""

        def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 - as in dict
            return self[key]

        def __missing__(self, key: str) -> Any:
            return lambda value, *_, **__: value

    def counted(node: Any, name: str) -> Any:
        return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)

    class _Counted(NodeTransformer):
        """Has each loop and each joined text counted."""

        def visit_For(self, node: Any) -> Any:  # noqa: N802 - the name is Jinja2's
            self.generic_visit(node)
            node.iter = counted(node.iter, "feeds_loop")
            return node

        def visit_List(self, node: Any) -> Any:  # noqa: N802 - as above
            self.generic_visit(node)
            return counted(node, "feeds_flat") if getattr(node, "ctx", "load") == "load" else node

        visit_Dict = visit_Tuple = visit_List  # noqa: N815 - as above

        def visit_Concat(self, node: Any) -> Any:  # noqa: N802 - as above
            self.generic_visit(node)
            return counted(nodes.List(node.nodes, lineno=node.lineno), "feeds_join")

    class _Environment(SandboxedEnvironment):
        intercepted_binops = frozenset({"+", "-", "*", "**", "/", "//", "%"})

        def __init__(self, budget: _Budget, site: str) -> None:
            def shown(value: Any) -> Any:
                return str(value) if isinstance(value, Undefined) else budget.text(value)

            class _Unknown(ChainableUndefined):
                def __str__(self) -> str:
                    budget.unknown.append(self._undefined_name or "a value")
                    return ""

            class _UnknownCount(int):
                """The length of what only the site knows: 0 in conditions, nothing in text."""

                value: Any

                def __str__(self) -> str:
                    return str(self.value)

            def counting(count: Any) -> Any:
                def count_known(value: Any) -> Any:
                    if not isinstance(value, Undefined):
                        return count(value)
                    found = _UnknownCount(0)
                    found.value = value
                    return found

                return count_known

            super().__init__(undefined=_Unknown, finalize=shown, optimized=False, keep_trailing_newline=True)
            self.budget = budget
            self.globals.clear()
            self.filters = _Filters({name: FILTERS[name] for name in _FILTERS})
            self.filters |= {name: counting(FILTERS[name]) for name in ("length", "wordcount")}
            self.filters |= {"feeds_loop": budget.loop, "feeds_join": budget.join, "feeds_flat": budget.flat}
            self.filters |= {
                "join": budget.join,
                "replace": budget.replace,
                "url": lambda value, *_: below_site(str(value), site),
            }

        def _parse(self, source: str, name: str | None, filename: str | None) -> Any:
            return _Counted().visit(super()._parse(source, name, filename))

        def call(self, _context: Any, called: Any, *_: Any, **__: Any) -> Any:
            """Return nothing: functions are those of the site."""
            return self.undefined(name=f"{getattr(called, '_undefined_name', None) or 'a function'}()")

        def call_binop(self, _context: Any, operator: str, left: Any, right: Any) -> Any:
            return self.budget.calculate(operator, left, right)

    return _Environment
