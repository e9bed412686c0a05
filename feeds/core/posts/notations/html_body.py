"""A Markdown file whose text is HTML throughout, as kramdown and Python-Markdown read it.

To CommonMark an indented line below a blank one is code (section 4.4), also between two tags.
"""

import re

from feeds.core.posts.tags.tokens import replace_outside_code, without

_BEGIN = re.compile(
    r"\s*<(?:address|article|aside|blockquote|center|details|div|dl|figure|footer|form|h[1-6]|header|main|nav|ol|p|"
    r"section|table|ul)\b",
    re.IGNORECASE,
)
_INDENTED_TAG = re.compile(r"\n[ \t]*\n(?: {4}|\t)[ \t]*<")
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_GENERATORS = frozenset({"auto", "jekyll", "pelican"})


def dedent_html(text: str, generator: str) -> str:
    """Return a text that begins and ends with a block of HTML without its indentation, except that of code."""
    is_html = generator in _GENERATORS and _BEGIN.match(text) and text.rstrip().endswith(">")
    if not is_html or not _INDENTED_TAG.search(text):
        return text
    return replace_outside_code(_INDENTATION, without, text)
