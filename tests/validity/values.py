"""Parsing, fault lines, and the shapes of URLs, dates and names, for all formats."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lxml import etree

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
Rule = Callable[[Any], Iterator[str]]


class Shape(NamedTuple):
    """The shape of a value, and the message for a value without it."""

    fits: Callable[[Any], bool]
    message: str


def document_faults(document: bytes, tags: Iterable[str], rules: Iterable[Rule]) -> list[str]:
    """Return a line for each fault that *rules* find in an XML *document* whose root is one of *tags*."""
    # A new parser each time, since it keeps errors; without entities, other files and huge trees.
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        return [f"XML 1.0: {error}"]
    if root.getroottree().docinfo.doctype:
        return ["XML 1.0 section 2.8: a feed has no document type declaration"]
    if root.tag not in tags:
        return [f"XML 1.0 section 2.1: the root is <{root.tag}>, not one of {', '.join(tags)}"]
    return [line for rule in rules for line in rule(root)]


def fault(section: str, element: Any, message: str) -> str:
    """Return the line for a fault of *element*."""
    return f"{section}, line {element.sourceline}: {message}"


def elements(root: Any, *tags: str) -> Iterator[Any]:
    """Yield *root* and all elements below it, only those with one of *tags* if any are given."""
    return root.iter(*(tags or (etree.Element,)))


def name_of(element: Any) -> str:
    """Return the local name of an element."""
    return str(etree.QName(element).localname)


def namespace_of(element: Any) -> str:
    """Return the namespace of an element, "" for none."""
    return etree.QName(element).namespace or ""


def text_of(element: Any) -> str:
    """Return the text of an element, "" for none and for None."""
    return "" if element is None else element.text or ""


def language_rule(section: str) -> Rule:
    """Return the rule that every xml:lang is a language tag."""

    def rule(root: Any) -> Iterator[str]:
        for element in elements(root):
            if XML_LANG in element.attrib and not LANGUAGE.fits(element.get(XML_LANG)):
                yield fault(section, element, f"xml:lang {element.get(XML_LANG)!r} {LANGUAGE.message}")

    return rule


def parse_rfc3339(text: str) -> datetime | None:
    """Return the time in a text, None if it is not a valid time in RFC 3339."""
    if not re.fullmatch(_RFC_3339, text, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_rfc_822(value: Any) -> bool:
    """Return whether *value* is a valid date of RFC 822 with the four-digit year of RFC 1123."""
    found = re.fullmatch(_RFC_822, value, re.ASCII) if isinstance(value, str) else None
    if not found:
        return False
    weekday, day, month, year = found.group(1, 2, 3, 4)
    try:
        date = datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC)
    except ValueError:
        return False
    return _WEEKDAYS[date.weekday()] == weekday


def _matching(pattern: str, flags: re.RegexFlag = re.ASCII) -> Callable[[Any], bool]:
    """Return a function that returns whether a value is a text that matches all of *pattern*."""
    compiled = re.compile(pattern, flags)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


# Dates. Names of days and months are English in any locale, so strptime cannot be used.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_RFC_3339 = rf"\d{{4}}-\d\d-\d\dT{_CLOCK}:[0-5]\d(?:\.\d{{1,6}})?(?:Z|[+-]{_CLOCK})"
_RFC_822 = (
    rf"({'|'.join(_WEEKDAYS)}), (\d\d) ({'|'.join(_MONTHS)}) (\d{{4}})"
    rf" {_CLOCK}:[0-5]\d (?:GMT|[+-](?:[01]\d|2[0-3])[0-5]\d)"
)

# Addresses: RFC 3986, appendix A, and for identifiers what RFC 3987 adds.
_SCHEME = r"(?!https?:(?!//))[A-Za-z][A-Za-z0-9+.\-]*:(?=.)"


def _after_scheme(more: str = "") -> str:
    """Return the pattern of a URI after its scheme; *more* are further allowed characters."""
    plain = rf"[A-Za-z0-9\-._~!$&'()*+,;={more}]|%[0-9A-Fa-f]{{2}}"
    part = rf"(?:{plain}|[:@/])"
    authority = rf"//(?:(?:{plain}|:)*@)?(?:\[[0-9A-Fa-f:.]+\]|(?:{plain})+)(?::\d*)?(?=[/?#]|\Z)"
    return rf"(?:{authority}|(?!//)){part}*(?:\?(?:{part}|\?)*)?(?:#(?:{part}|\?)*)?"


# RFC 3987 allows spaces and marks of direction beyond ASCII; they are invisible, so they are faults here.
_BEYOND_ASCII = r"\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\U000effff"

IRI = Shape(_matching(_SCHEME + _after_scheme(_BEYOND_ASCII)), "is not an absolute IRI")
URI = Shape(_matching(_SCHEME + _after_scheme()), "is not an absolute URI")
REFERENCE = Shape(_matching(f"(?:{_SCHEME}|(?![^/?#]*:)){_after_scheme()}"), "is not a URI reference")
HTTP = Shape(_matching("https?:(?=//)" + _after_scheme()), "is not an absolute http(s) URL")

# RFC 5646, section 2.1: well-formed tags, without the irregular ones.
LANGUAGE = Shape(
    _matching(
        r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
        r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
        r"|x(?:-[a-z0-9]{1,8})+",
        re.ASCII | re.IGNORECASE,
    ),
    "is not a language tag (BCP 47)",
)

_TOKEN = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]*"
MEDIA_TYPE = Shape(_matching(rf"{_TOKEN}/{_TOKEN}(?: *;.+)?"), "is not a media type")
RFC_3339 = Shape(lambda value: isinstance(value, str) and parse_rfc3339(value) is not None, "is not a date of RFC 3339")
RFC_822 = Shape(_is_rfc_822, "is not a date of RFC 822 with a four-digit year and its weekday")
EMAIL = Shape(_matching(r"[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+"), "is not an e-mail address")
EMAIL_AND_NAME = Shape(_matching(r"[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+(?: \([^()]+\))?"), "is not an e-mail address")
COUNT = Shape(_matching(r"\d+"), "is not a whole number")
BOOLEAN = Shape(_matching("true|false"), "is neither true nor false")
NON_EMPTY = Shape(lambda value: isinstance(value, str) and bool(value.strip()), "is empty or not a text")
