r"""MJML -> HTML through mjml-python (mrml).

It takes unknown elements and attributes, wrong nesting and a second body without a word: `check` refuses them first.
It writes some characters of attribute values as Rust escapes (`\u{200d}`, `\\`, `\n`); numeric references come through,
so each of these becomes one. It swallows white space with a line break in it between two tags, and with it the space
between two words; as a single space it comes through. It links Google's copy of any font family it knows by name; an
empty table of fonts turns that off. Pictures without `alt` get none. `mj-style inline="inline"` is not inlined.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from feeds.edges.render import mjml_elements as known
from feeds.errors import TemplateError
from feeds.spelling import closest_name

#: An attribute in rendered MJML. Text cannot look like one: Jinja2's autoescape leaves no bare quotation mark in it.
_ATTRIBUTE = re.compile(r'="([^"<>]*(?:[^\x20-\x7e]|\\)[^"<>]*)"')
_BETWEEN_TAGS = re.compile(r"(</?(?!mj-)[a-z][^<>]*>)[ \t]*\n\s*(?=</?(?!/?mj-)[a-z])")


def compile_mjml(
    source: str, template: str, parts: Sequence[str] = (), spliced: Mapping[str, str] | None = None
) -> str:
    """Return the HTML of *source*, which a template and its *parts* gave.

    *spliced* is HTML that MJML need not understand, by the word that stands for it in *source*.

    Raises:
        TemplateError: *source* is not MJML; the template's file and line are named.
    """
    from mjml import mjml2html  # noqa: PLC0415 - only a due issue needs it

    check_mjml(source, template, parts)
    safe = _ATTRIBUTE.sub(_with_references, _BETWEEN_TAGS.sub(r"\1 ", source))
    try:
        html = str(mjml2html(safe, disable_comments=True, fonts={}))
    except Exception as e:  # the Rust side raises bare ones, ValueError and OSError
        raise TemplateError(template, None, f"MJML does not understand what this template gives: {e}") from e
    for word, content in (spliced or {}).items():
        html = html.replace(word, content)
    return html


def _with_references(found: re.Match[str]) -> str:
    kept = (c if " " <= c <= "~" and c != "\\" else f"&#{ord(c)};" for c in found[1])
    return f'="{"".join(kept)}"'


def check_mjml(source: str, template: str, parts: Sequence[str] = ()) -> None:
    """Refuse what MJML does not know, or not in this place.

    Raises:
        TemplateError: the file and line of the template where that is written, and the nearest known name.
    """
    for word, reason in _faults(source):
        path, line = _find_position(word, (template, *parts))
        raise TemplateError(path, line, reason)


def _faults(source: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, and the word by which its place is found in a template."""
    from lxml import etree  # noqa: PLC0415 - only a due issue needs it

    # A parser of HTML: what stands in mj-text is HTML, and need not be XML.
    root = etree.HTML(source.encode(), etree.HTMLParser(encoding="utf-8", huge_tree=True))
    found = root.find(".//mjml") if root is not None else None
    if found is None:
        yield "mjml", "there is no <mjml> element"
        return
    seen: dict[str, int] = {}
    yield from _below(found, "", seen)
    if "mj-body" not in seen:
        yield "mjml", "there is no <mj-body>"


def _below(element: Any, parent: str, seen: dict[str, int]) -> Iterator[tuple[str, str]]:
    name = element.tag
    seen[name] = seen.get(name, 0) + 1
    if parent == "mj-attributes" and name in known.PARENTS:
        yield from _describe_allowed(element, known.defaults())
        return
    yield from _misplaced(name, parent, seen)
    if name in known.PARENTS:
        yield from _describe_allowed(element, known.attributes(name))
    if name not in known.OPAQUE:
        for child in element:
            if isinstance(child.tag, str):
                yield from _below(child, name, seen)


def _misplaced(name: str, parent: str, seen: dict[str, int]) -> Iterator[tuple[str, str]]:
    if name not in known.PARENTS:
        yield f"<{name}", f"MJML has no element <{name}>{_nearest(name, known.PARENTS)}"
    elif parent not in known.PARENTS[name]:
        where = " or ".join(f"<{place}>" for place in sorted(known.PARENTS[name]) if place)
        yield f"<{name}", f"<{name}> stands in <{parent}>; it belongs in {where}"
    elif name in known.ONCE and seen[name] > 1:
        yield f"<{name}", f"there is more than one <{name}>; MJML would show the last one only"


def _describe_allowed(element: Any, allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    for attribute in element.attrib:
        if attribute not in allowed:
            yield f"{attribute}=", f"<{element.tag}> knows no {attribute}{_nearest(attribute, allowed)}"
    if element.tag == "mj-image" and element.get("alt") is None:
        yield "<mj-image", '<mj-image> has no alt: write what the picture says, or alt="" where it says nothing'


def _nearest(word: str, names: Any) -> str:
    close = closest_name(word, names)
    return f"; did you mean {close}?" if close else ""


def _find_position(word: str, files: Sequence[str]) -> tuple[str, int | None]:
    """Return the first of *files* that holds a word, and the line; the first file where none does."""
    for file in files:
        try:
            lines = Path(file).read_text("utf-8").splitlines()
        except OSError:
            continue
        for number, line in enumerate(lines, 1):
            if re.search(rf"{re.escape(word)}(?![\w-])" if word.startswith("<") else re.escape(word), line):
                return file, number
    return files[0], None
