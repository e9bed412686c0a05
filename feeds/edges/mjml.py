r"""MJML -> HTML through mjml-python.

It writes some characters of attribute values as Rust escapes (`\u{200d}`); numeric references come through, so every
character beyond ASCII in an attribute becomes one before. It links Google's copy of any font family it knows by name,
also when a letter only lists it after the system's own; an empty table of fonts turns that off.
"""

import re

from feeds.errors import TemplateError

#: An attribute in rendered MJML. Text cannot look like one: Jinja2's autoescape leaves no bare quotation mark in it.
_ATTRIBUTE = re.compile(r'="([^"<>]*[^\x00-\x7f][^"<>]*)"')


def compile(source: str, path: str) -> str:  # noqa: A001 - what MJML calls it
    """Return the HTML of *source*.

    Raises:
        TemplateError: *source* is not MJML; *path* names its template.
    """
    from mjml import mjml2html  # noqa: PLC0415 - only a due issue needs it

    try:
        html = str(mjml2html(_ATTRIBUTE.sub(_with_references, source), disable_comments=True, fonts={}))
    except Exception as e:  # the Rust side raises bare ones, ValueError and OSError
        raise TemplateError(path, None, f"MJML does not understand what this template gives: {e}") from e
    if unknown := re.search(r"<(mj-[a-z-]+)", html):
        raise TemplateError(path, None, f"MJML has no element <{unknown[1]}>, or not in this place")
    return html


def _with_references(found: re.Match[str]) -> str:
    return '="' + "".join(c if c.isascii() else f"&#{ord(c)};" for c in found[1]) + '"'
