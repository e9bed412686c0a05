"""A letter's HTML as some mail programs show it, for the preview; and the text beside its subject in a mailbox."""

import re
from collections.abc import Callable
from html import escape, unescape

from feeds.core.posts.text import clean_line, text_blocks

_STYLE_SHEET = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
#: A comment that Word reads as HTML, and what it leaves out: a comment for others, or what is between two comments
#: (conditional comments: https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/).
_FOR_WORD = re.compile(r"<!--\[if (?:gte )?mso\b[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_FOR_OTHERS = re.compile(r"<!--\[if !mso[^\]]*\]>(?:<!-->.*?<!--|.*?)<!\[endif\]-->", re.DOTALL)
#: Its settings, which a browser without scripts would show as text.
_SETTINGS = re.compile(r"<noscript\b.*?</noscript>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r'(?<= style=")[^"]*(?=")')
#: The beginnings of declarations that Outlook on Windows does not know (https://www.caniemail.com/clients/outlook/);
#: it knows `max-width` since 2019, on tables only.
_UNKNOWN_TO_WORD = re.compile(
    r"\s*(?:max-width|min-width|max-height|background-image|background:\s*url|border-radius|box-shadow|object-fit"
    r"|aspect-ratio|opacity|transform|display:\s*(?:inline-block|flex|grid)|overflow|position)\b",
    re.IGNORECASE,
)
#: Of an image, Word takes sizes from the attributes only.
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SIZE = re.compile(r"\s*(?:width|height)\s*:", re.IGNORECASE)
_URL = re.compile(r'https?://[^\s",<>]+')
#: The preheader: the first element that is not shown.
_HIDDEN = re.compile(r'<(div|span)\b[^>]*style="[^"]*display:\s*none[^"]*"[^>]*>(.*?)</\1>', re.DOTALL | re.IGNORECASE)
#: Characters that fill a preheader, so that no text of the letter follows it.
_FILLERS = re.compile("[\u034f\u00ad\u200b-\u200f\u2007\u2060\ufeff\u00a0]+")
_MOST_PREHEADER = 200


def without_style_sheets(html: str) -> str:
    """Return a letter as mail programs show it that drop style sheets."""
    return _STYLE_SHEET.sub("", html)


def as_in_word(html: str) -> str:
    """Return a letter roughly as Outlook on Windows shows it, whose engine is Word's.

    What is in comments for it is shown, and what is for others is left out; style sheets go, which here hold only what
    it does not know, and declarations that it does not know.
    """
    conditional = _COMMENT.sub("", _FOR_WORD.sub(r"\1", _FOR_OTHERS.sub("", html)))
    shown = _SETTINGS.sub("", without_style_sheets(conditional))
    known = _STYLE.sub(lambda style: _filter_style(style[0], _UNKNOWN_TO_WORD), shown)
    return _IMAGE.sub(lambda image: _STYLE.sub(lambda style: _filter_style(style[0], _SIZE), image[0]), known)


def _filter_style(style: str, unknown: re.Pattern[str]) -> str:
    return ";".join(part for part in style.split(";") if not unknown.match(part))


def force_scheme(html: str, scheme: str) -> str:
    """Return a letter in the dark or light scheme: not all browsers pass the scheme of a frame on to its page."""
    query = {"dark": "@media all", "light": "@media not all"}.get(scheme)
    return html.replace("@media (prefers-color-scheme: dark)", query) if query else html


def replace_pictures(html: str, replacement: Callable[[str], str | None]) -> str:
    """Return a letter in which the address of a picture is its *replacement*, unless that is None."""

    def replace(url: re.Match[str]) -> str:
        new = replacement(unescape(url[0]))
        return url[0] if new is None else escape(new)

    return _IMAGE.sub(lambda image: _URL.sub(replace, image[0]), html)


def preheader(html: str) -> str:
    """Return the text that a mailbox shows after the subject: the hidden one of a letter, else its beginning."""
    hidden = _HIDDEN.search(html)
    shown = hidden[2] if hidden else without_style_sheets(html)
    words = " ".join(text for _, text in text_blocks(shown))
    return clean_line(_FILLERS.sub(" ", words))[:_MOST_PREHEADER]
