r"""Formulas between `$$`, of which a site's scripts make pictures -> their LaTeX as code.

Markdown would read `_`, `*` and `\\` in them. Sources: "Math Blocks" of kramdown; for formulas between single signs
`tex_math_dollars` in Pandoc's manual, for those between `\(` and `\)` "TeX and LaTeX input" of MathJax.
"""

import re
from html import escape

from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.tokens import replace_outside_code

_FORMULA = re.compile(r"(?<![\\$])\$\$(?!\$)(?P<latex>[^$`]++)\$\$(?!\$)")
#: Behind the first sign and before the second there is no space, and no digit behind: `$5 and $10` is no formula.
_SINGLE = re.compile(
    r"(?<![\\$\w])\$(?![\s$])(?P<latex>(?:[^$`\\\n]|\\.|\n(?!\s*\n)){1,1000}?)(?<![\s\\])\$(?![\d$])"
    r"|\\{1,2}(?:\((?P<inline>(?:(?!\\[()])[^`]){1,1000}?)\\{1,2}\)|\[(?P<block>(?:(?!\\[\[\]])[^`]){1,5000}?)\\{1,2}\])"
)
#: A formula has one of these; two prices or numbers of processes do not.
_OF_LATEX = re.compile(r"\\[A-Za-z]|[_^=+<>]")
#: Characters that mean something to Markdown.
_MARKS = frozenset("\\*_[]~!#|:")
_LINE = re.compile(r"[ \t>]*\Z"), re.compile(r"[ \t]*(?:\n|\Z)")


def convert_formulas(text: str, *, single: bool = False) -> str:
    """Return Markdown with each formula as code: a block if it has lines of its own.

    *single* is whether there are also formulas between single signs, and between brackets with backslashes.
    """
    for pattern in (_FORMULA, _SINGLE) if single else (_FORMULA,):
        text = replace_outside_code(pattern, _shown, text)
    return text


def _shown(found: re.Match[str]) -> str:
    latex = next(part for part in found.groups() if part is not None).strip()
    is_sure = found.re is _SINGLE and not found[0].startswith((r"\(", r"\["))  # `\[a\]` may also be a text in brackets
    if not is_sure and not _OF_LATEX.search(latex):
        return found[0]
    text = found.string
    before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    if _LINE[0].match(before) and _LINE[1].match(text, found.end()):
        return f"{fragments.code(latex, 'latex')}\n"
    line = " ".join(latex.split())
    # Between the tags Markdown is read: no character of a formula may be one of its marks.
    return f"<code>{''.join(f'&#{ord(c)};' if c in _MARKS else escape(c) for c in line)}</code>"
