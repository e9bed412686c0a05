"""Plain text, excerpts and reading time."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from html import unescape
from itertools import chain
from typing import Any

from feeds.core.posts import sentences

#: Elements without text of the post: scripts, embedded documents, drawings and metadata.
WITHOUT_TEXT = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "title"}
)
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s"}
    | {"rp", "rt", "ruby", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr", "font", "tt"}
    | {"acronym", "big", "blink", "nobr", "rb", "rtc", "strike"},
)
#: Elements of forms, which are in a line too, but do not mark up text.
_CONTROLS = frozenset({"button", "label", "meter", "option", "output", "progress", "select", "slot"})
_IN_LINES = INLINE | _CONTROLS
#: Han, kana, Bopomofo and their compatibility forms: counted by characters. Hangul is counted by words.
CJK = re.compile(
    r"[\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003fa1f]"
)
#: The characters of `CJK`, and those that are between them.
CJK_OR_MARK = CJK.pattern[:-1] + r"\u3000-\u3004\u3008-\u301f\uff01-\uff60]"
#: A line break inside of Japanese or Chinese, which is not shown as a space (CSS Text 3, section 4.1.3).
BREAK_INSIDE_CJK = re.compile(rf"(?<={CJK_OR_MARK})[ \t]*[\n\r][ \t\n\r]*(?={CJK_OR_MARK})")
#: Marks, joiners and soft hyphens are removed before.
_WORD = re.compile(r"[^\W_]+(?:['’.·׳״‐‑-][^\W_]+)*")
#: Blocks with combining marks, joiners and soft hyphens, or with scripts that have such marks or no spaces.
_MAY_HAVE_MARKS = re.compile(r"[\xad\u0300-\u036f\u0483-\u1fff\u200b-\u200d\u2060\ua000-\uabff\U00010000-\U0001efff]")
#: Of Thai, Lao, Khmer or Burmese, which have no spaces between words: about so many letters are a word.
_LETTERS_OF_A_WORD = 3
#: A character reference. HTML also knows some without a semicolon, which would take `&copy=1` in a URL for a sign.
_REFERENCE = re.compile(r"&(?:#\d{1,9}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z]\w{0,40});", re.ASCII)
#: Control characters, line and paragraph separators, lone surrogates and noncharacters.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
#: Embeddings, overrides and isolates, their ends, and controls that Unicode has deprecated.
DIRECTION_CONTROL = re.compile(r"[\u202a-\u202e\u2066-\u206f]")
_CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c") | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
#: Three lines of a letter's column: this many Latin letters, or half as many wide ones.
EXCERPT_WIDTH = 240
#: What is behind so many characters does not decide where a text is cut.
_MOST_SHORTENED = 10_000


def text_blocks(html: str) -> Iterator[tuple[str, str]]:
    """Yield (name of its element, text) for each block in *html*; white space is collapsed."""
    return tree_blocks(parse_html(html), WITHOUT_TEXT, "footnote-backref", lambda text: " ".join(text.split()))


def tree_blocks(
    root: Any, without: frozenset[str], without_class: str, collapse: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Yield (name of its element, text) for each block below *root*; *collapse* makes a line of a text.

    Elements with a name in *without*, or with *without_class* in a class, are left out.
    """
    block, parts = "div", [""]
    for tag, text in chain(_walk(root, without, without_class), [("end", "")]):
        if tag:
            if collapsed := collapse("".join(parts)):
                yield block, collapsed
            block, parts = tag, []
        parts.append(text)


def parse_html(html: str) -> Any:
    """Return the `body` element of an lxml tree that holds *html*, a fragment of any kind."""
    from lxml.html import document_fromstring

    return document_fromstring(f"<html><body>{html}</body></html>").find("body")


def _walk(root: Any, without: frozenset[str], without_class: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) where a block begins and ("", text) for more text of the same block."""
    todo: list[tuple[Any, bool]] = [(root, False)]
    while todo:  # not recursive: a post may nest deeper than Python's stack
        element, leaving = todo.pop()
        if leaving:
            tag = element.tag if isinstance(element.tag, str) else "!"
            outer = element.getparent()
            yield (
                "" if tag in _IN_LINES or tag == "!" else (outer.tag if outer is not None else "div"),
                element.tail or "",
            )
            continue
        if element is not root:
            todo.append((element, True))
        if not isinstance(element.tag, str) or element.tag in without:
            continue
        if without_class in element.get("class", ""):
            continue
        yield ("" if element.tag in _IN_LINES else element.tag, element.text or "")
        todo.extend((child, False) for child in reversed(element))


def text_content(html: str) -> str:
    """Return the text of *html* with single spaces; four times as fast as joining `text_blocks`."""
    from lxml.etree import strip_elements, tostring

    root = parse_html(html)
    strip_elements(root, *WITHOUT_TEXT, with_tail=False)
    return " ".join(str(tostring(root, method="text", encoding="unicode")).split())


def join_lines(text: str) -> str:
    """Return the text of a paragraph in one line: no space where Japanese or Chinese is broken, else one."""
    return " ".join((text if text.isascii() else BREAK_INSIDE_CJK.sub("", text)).split())


def clean_line(value: str) -> str:
    """Return a title or name on one line: entities resolved, white space collapsed, no zero-width marks at its ends."""
    resolved = _REFERENCE.sub(lambda found: unescape(found[0]), value) if "&" in value else value
    return " ".join(resolved.split()).strip("\u200b\ufeff\u2060 ")


def balance_directions(line: str) -> str:
    """Return a line without controls of its direction that are not closed in it, or close nothing, and deprecated ones.

    An override or an isolate that is not closed would also turn what follows the line (UAX #9, sections 2.1-2.4).
    """
    if line.isascii() or not DIRECTION_CONTROL.search(line):
        return line
    opened: list[int] = []
    kept = set()
    for at, character in enumerate(line):
        if character in _CLOSED_BY:
            opened.append(at)
        elif opened and _CLOSED_BY[line[opened[-1]]] == character:
            kept |= {opened.pop(), at}
    return "".join(c for at, c in enumerate(line) if at in kept or not DIRECTION_CONTROL.match(c))


def normalize(text: str) -> str:
    """Return *text* for comparison: NFKC, one space for any white space."""
    normalised = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)
    return " ".join(normalised.split())


def reading_minutes(text: str, words_per_minute: int, cjk_characters_per_minute: int) -> int:
    """Return the minutes that reading *text* takes, rounded up; 0 if it has no words."""
    latin, characters = (text, 0) if text.isascii() else CJK.subn(" ", text)
    return math.ceil(_count_words(latin) / words_per_minute + characters / cjk_characters_per_minute)


def _count_words(text: str) -> float:
    """Return the number of words in *text*: an estimate for scripts without spaces between words."""
    if text.isascii() or not _MAY_HAVE_MARKS.search(text):
        return len(_WORD.findall(text))
    import regex

    unmarked = regex.sub(r"[\p{M}\xad\u200c\u200d\u2060]+", "", text)
    spaced, letters = regex.subn(r"\p{Line_Break=SA}", " ", unmarked)
    return len(_WORD.findall(spaced)) + letters / _LETTERS_OF_A_WORD


def shorten(text: str, width: int = EXCERPT_WIDTH) -> str:
    """Return *text* cut to *width* after a sentence; if none fits, between words or graphemes, with `…`."""
    if display_width(text) <= width:
        return text
    kept = ""
    for sentence in sentences.split_sentences(text[:_MOST_SHORTENED]):
        if display_width(kept + sentence.rstrip()) > width:
            break
        kept += sentence
    return kept.rstrip() or _cut(text, width)


def display_width(text: str) -> int:
    """Return the width of *text*: 2 for each wide character, 1 for each other (UAX #11)."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, width: int) -> str:
    """Return the graphemes of *text* that fit, cut at a space if one is near the end, and `…`."""
    import regex

    kept, used = "", 1
    for grapheme in regex.findall(r"\X", text[:width]):  # none is narrower than its number of characters
        used += display_width(grapheme)
        if used > width:
            break
        kept += grapheme
    whole_words, space, _ = kept.rpartition(" ")
    is_near = space and display_width(whole_words) > width * 2 // 3
    return (whole_words if is_near else kept).rstrip(" 、,;:") + "…"
