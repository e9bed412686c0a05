r"""Compiles MJML to HTML with mjml-python (mrml).

mrml accepts unknown elements and attributes, wrong nesting and a second body without an error: `check_mjml` rejects
them first. It writes some characters of attribute values as Rust escapes (`\u{200d}`, `\\`, `\n`), so these are passed
as numeric references. It drops white space with a line break between two tags, and with it the space between two
words, so this is passed as a single space. It reads a padding of `0` as the end of the list, so that columns are too
wide in Outlook on Windows; it gets `0px`. It labels the letter with its title, again with Rust escapes, also for
combining marks as in Hindi; the label is replaced. It does not join conditional comments that follow each other, as
npm's mjml does. It links Google Fonts for any font family that it knows; an empty table of fonts turns that off. It
adds no `alt` to pictures, and does not inline `mj-style inline="inline"`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feeds.edges.render import mjml_elements, mjml_faults
from feeds.errors import TemplateError
from feeds.spelling import closest_name

#: An attribute with a character that mrml would escape. Text cannot look like one: Jinja2 escapes its quotation marks.
_ATTRIBUTE = re.compile(r'="([^"<>]*(?:[^\x20-\x7e]|\\)[^"<>]*)"')
_PADDING = re.compile(r'\b(?<!cell)padding="[^"<>]*"')
#: A zero without a unit.
_BARE_ZERO = re.compile(r"(?<![\w.])0(?![\w.%])")
_TITLE = re.compile(r"<mj-title>(.*?)</mj-title>", re.DOTALL)
_LABEL = re.compile(r'(?<=<div aria-label=")[^"]*(?=" aria-roledescription="email")')
_STYLE = re.compile(r'\bstyle="[^"]*"')
#: Patterns and what is left of them, in the order in which they are replaced.
_MEANINGLESS = tuple(
    (re.compile(pattern, re.DOTALL), rest)
    for pattern, rest in (
        (r'<!--\[if !mso\]><!--><meta http-equiv="X-UA-Compatible"[^<>]*><!--<!\[endif\]-->', ""),
        (r"<!--\[if lte mso 11\]>.*?<!\[endif\]-->\s*", ""),
        (r"\bmj-outlook-group-fix ", ""),
        (r"(?:\.moz-text-html )?\.mj-column-per-100 \{[^{}]*\} *", ""),
        (r"<style[^<>]*>(?:@media[^{}]*\{\s*\})?\s*</style>", ""),
        (r' class="mj-column-per-100"', ""),
        (r"</?tbody>", ""),
        (r' vertical-align="[a-z]+"', ""),
        (r'<table border="0"', "<table"),
        (r"<!--\[if mso \| IE\]>", "<!--[if mso]>"),
        (r'<body style="word-spacing:normal;', '<body style="margin:0;padding:0;'),
    )
)
_BETWEEN_TAGS = re.compile(r"(</?(?!mj-)[a-z][^<>]*>)[ \t]*\n\s*(?=</?(?!/?mj-)[a-z])")


def compile_mjml(
    source: str, template: str, parts: Sequence[str] = (), spliced: Mapping[str, str] | None = None
) -> str:
    """Return the HTML of *source*, the output of a template and its *parts* (paths of files).

    *spliced* maps placeholders in *source* to HTML that is put in after compiling, so that it need not be XML.

    Raises:
        TemplateError: *source* is not valid MJML; the error has the file and line of the template.
    """
    from mjml import mjml2html

    check_mjml(source, template, parts)
    try:
        html = _correct(str(mjml2html(_prepare(source), disable_comments=True, fonts={})), source)
    except Exception as e:  # mrml raises Exception, ValueError and OSError
        unknown = (template, None, f"MJML cannot compile the output of this template: {e}")
        raise TemplateError(*(mjml_faults.find_fault(source, (template, *parts)) or unknown)) from e
    for placeholder, content in (spliced or {}).items():
        html = html.replace(placeholder, content)
    return html


def _prepare(source: str) -> str:
    """Return MJML that mrml compiles as it is meant."""
    spaced = _PADDING.sub(lambda padding: _BARE_ZERO.sub("0px", padding[0]), _BETWEEN_TAGS.sub(r"\1 ", source))
    return _ATTRIBUTE.sub(_escape_attribute, spaced)


def _correct(html: str, source: str) -> str:
    """Return mrml's HTML of *source* with the title as its label, and shorter where it means the same."""
    title = _TITLE.search(source)
    label = " ".join(title[1].split()).replace('"', "&#34;") if title else ""
    labelled = _LABEL.sub(lambda _: label, html, count=1)
    joined = _leave_out(labelled.replace("<![endif]--><!--[if mso | IE]>", ""))
    return _STYLE.sub(lambda style: style[0].replace("&#39;", "'").replace(';"', '"'), joined)


def _leave_out(html: str) -> str:
    """Return mrml's HTML without what means nothing.

    The width of a column of 100 % is in its style. What is for Outlook 2003 and Internet Explorer, no program reads.
    """
    for pattern, rest in _MEANINGLESS:
        html = pattern.sub(rest, html)
    return html


def _escape_attribute(attribute: re.Match[str]) -> str:
    characters = (c if " " <= c <= "~" and c != "\\" else f"&#{ord(c)};" for c in attribute[1])
    return f'="{"".join(characters)}"'


def check_mjml(source: str, template: str, parts: Sequence[str] = ()) -> None:
    """Check that *source* has only elements and attributes that MJML allows in their place.

    Raises:
        TemplateError: it has another one; the error has the file and line of the template, and the nearest name.
    """
    for word, reason in _errors(source):
        path, line = mjml_faults.find_word(word, (template, *parts))
        raise TemplateError(path, line, reason)


def _errors(source: str) -> Iterator[tuple[str, str]]:
    """Yield each error, with a word by which its position is found in a template."""
    from lxml import etree

    # An HTML parser, because the content of mj-text is HTML and need not be XML.
    root = etree.HTML(source.encode(), etree.HTMLParser(encoding="utf-8", huge_tree=True))
    mjml = root.find(".//mjml") if root is not None else None
    if mjml is None:
        yield "", "the <mjml> element is missing"
        return
    counts: dict[str, int] = {}
    yield from _element_errors(mjml, "", counts)
    if "mj-body" not in counts:
        yield "<mjml", "the <mj-body> element is missing"


def _element_errors(element: Any, parent: str, counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the errors of an element and those below it; count the elements by name."""
    name = element.tag
    counts[name] = counts.get(name, 0) + 1
    if parent == "mj-attributes" and name in mjml_elements.PARENTS:
        yield from _attribute_errors(element, mjml_elements.defaults())
        return
    yield from _placement_errors(name, parent, counts)
    if name in mjml_elements.PARENTS:
        yield from _attribute_errors(element, mjml_elements.attributes(name))
    if name not in mjml_elements.OPAQUE:
        for child in element:
            if isinstance(child.tag, str):
                yield from _element_errors(child, name, counts)


def _placement_errors(name: str, parent: str, counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    parents = mjml_elements.PARENTS.get(name)
    if parents is None:
        yield f"<{name}", f"MJML has no element <{name}>{_suggestion(name, mjml_elements.PARENTS)}"
    elif parent not in parents:
        allowed = " or ".join(f"<{one}>" for one in sorted(parents) if one)
        yield f"<{name}", f"<{name}> is in <{parent}>; it is allowed in {allowed}"
    elif name in mjml_elements.ONCE and counts[name] > 1:
        yield f"<{name}", f"there is more than one <{name}>; MJML would show the last one only"


def _attribute_errors(element: Any, allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    for attribute in element.attrib:
        if attribute not in allowed:
            yield f"{attribute}=", f"<{element.tag}> has no attribute {attribute}{_suggestion(attribute, allowed)}"
    if element.tag == "mj-image" and element.get("alt") is None:
        yield "<mj-image", '<mj-image> has no alt: describe the picture, or write alt="" if it is decoration'


def _suggestion(word: str, names: Any) -> str:
    close = closest_name(word, names)
    return f"; did you mean {close}?" if close else ""
