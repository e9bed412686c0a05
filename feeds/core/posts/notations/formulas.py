r"""Formulas between `$$`, of which a site's scripts make pictures -> their LaTeX as code.

Markdown would read `_`, `*` and `\\` in them. Source: "Math Blocks" of kramdown.
"""

import re
from html import escape

from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.tokens import code_ranges, is_in

_FORMULA = re.compile(r"(?<![\\$])\$\$(?!\$)(?P<latex>[^$`]++)\$\$(?!\$)")
#: A formula has one of these; two prices or numbers of processes do not.
_OF_LATEX = re.compile(r"\\[A-Za-z]|[_^=+<>]")
#: Characters that mean something to Markdown.
_MARKS = frozenset("\\*_[]~!#|:")
_LINE = re.compile(r"[ \t>]*\Z"), re.compile(r"[ \t]*(?:\n|\Z)")


def convert_formulas(text: str) -> str:
    """Return Markdown with each formula as code: a block if it has lines of its own."""
    if "$$" not in text or not _FORMULA.search(text):
        return text
    code = code_ranges(text)
    return _FORMULA.sub(lambda found: found[0] if is_in(code, found.start()) else _shown(text, found), text)


def _shown(text: str, found: re.Match[str]) -> str:
    latex = found["latex"].strip()
    if not _OF_LATEX.search(latex):
        return found[0]
    before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    if _LINE[0].match(before) and _LINE[1].match(text, found.end()):
        return f"{fragments.code(latex, 'latex')}\n"
    line = " ".join(latex.split())
    # Between the tags Markdown is read: no character of a formula may be one of its marks.
    return f"<code>{''.join(f'&#{ord(c)};' if c in _MARKS else escape(c) for c in line)}</code>"
