"""What tags of several languages become: pictures, players, code, links and quotations, as HTML inside Markdown."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from textwrap import dedent
from urllib.parse import quote

from feeds.core.posts import markdown

_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|avif|svg)(?:[?#].*)?\Z", re.IGNORECASE)
_FILM = re.compile(r"\.(?:mp4|m4v|webm|ogv|mov)(?:[?#].*)?\Z", re.IGNORECASE)
_RECORDING = re.compile(r"\.(?:mp3|m4a|ogg|oga|opus|wav|flac)(?:[?#].*)?\Z", re.IGNORECASE)
_ABSOLUTE = re.compile(r"(?:https?:)?//|/", re.IGNORECASE)
_ID = re.compile(r"[\w-]+", re.ASCII)
#: The names of parameters that other tags give their values.
_ADDRESSES = ("src", "image_path", "image", "img", "file", "path", "url", "href", "link")
_TEXTS = ("text", "label", "title", "name")
_TITLES = ("title", "summary", "heading", "header", "caption", "kicker")
#: A player by a word in the name of its tag.
PLAYERS: Mapping[str, str] = {
    "youtube": "https://www.youtube.com/embed/{}",
    "vimeo": "https://player.vimeo.com/video/{}",
    "bilibili": "https://player.bilibili.com/player.html?bvid={}",
    "streamable": "https://streamable.com/e/{}",
}
#: The scheme of addresses that `feeds.core.posts.tags.links` replaces.
POST_SCHEME = "x-post:"


#: Stands for an address that is not known.
NO_ADDRESS = f"{POST_SCHEME}%3F"


def post_address(target: str) -> str:
    """Return an address that stands for that of another post until it is known; see `links.PostLinks`."""
    path, mark, fragment = target.partition("#")
    return f"{POST_SCHEME}{quote(path, safe='')}{mark}{fragment}"


def inline(written: str) -> str:
    """Return a line of Markdown as HTML."""
    html = markdown.to_html(written.strip()).strip()
    inside = html.removeprefix("<p>").removesuffix("</p>")
    return inside if "<p>" not in inside else html


def link(url: str, text: str) -> str:
    """Return a link; *text* is Markdown."""
    return f'<a href="{escape(url)}">{inline(text) if text.strip() else escape(url)}</a>'


def picture(src: str, alt: str = "", caption: str = "", url: str = "") -> str:
    """Return a picture, with its caption and the address that it links to, if there are any."""
    image = f'<img src="{escape(src)}" alt="{escape(alt)}">'
    if url:
        image = f'<a href="{escape(url)}">{image}</a>'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>" if caption else image


def player(url: str, title: str = "") -> str:
    """Return an embedded page."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<iframe src="{escape(url)}"{named}></iframe>'


def player_of_id(service: str, id_: str, title: str = "") -> str | None:
    """Return the player of a film by its id at a service; None if it is not an id."""
    return player(PLAYERS[service].format(id_), title) if _ID.fullmatch(id_) else None


def code(source: str, language: str = "", caption: str = "") -> str:
    """Return a block of code in one line: the lines of a list are indented, and those of code must not be."""
    name = f' class="language-{escape(language)}"' if language else ""
    lines = escape(dedent(source.strip("\n").rstrip()), quote=False).replace("\n", "&#10;")
    above = f"<p><strong>{escape(caption)}</strong></p>" if caption else ""
    return f"{above}<pre><code{name}>{lines}&#10;</code></pre>"


def gist(id_: str) -> str:
    """Return a gist, `user/id`, as GitHub embeds it."""
    return f'<script src="https://gist.github.com/{escape(id_)}.js"></script>'


def quotation(text: str, source: str = "") -> str:
    """Return a quotation of one paragraph of Markdown."""
    cited = f"<footer>— {inline(source)}</footer>" if source else ""
    return f"<blockquote><p>{inline(text)}</p>{cited}</blockquote>"


def titled(title: str, *, is_block: bool) -> tuple[str, str]:
    """Return what is put before and behind a content so that it has a title."""
    if not title:
        return "", ""
    return (
        f"\n\n<p><strong>{inline(title)}</strong></p>\n\n" if is_block else f"<strong>{inline(title)}</strong> "
    ), ""


def details(summary: str) -> tuple[str, str]:
    """Return what is put before and behind a content that opens when its summary is clicked."""
    return f"<details><summary>{inline(summary)}</summary>\n\n", "\n\n</details>\n\n"


def guess(name: str, values: Mapping[str, str], others: Sequence[str] = (), *, is_bundle: bool = False) -> str | None:
    """Return what the values of an unknown tag say: a player, a picture, a recording, a quotation, a link or a text.

    None if they say nothing that a reader could use. The address of a picture that is neither absolute nor beside the
    post (*is_bundle*) is known to the site's template only: of such a picture the caption stays.
    """
    low = {key.lower(): value for key, value in values.items()}
    address = next((low[key] for key in _ADDRESSES if low.get(key)), others[0] if others else "")
    is_usable = is_bundle or _ABSOLUTE.match(address) is not None
    if found := _guess_player(name, low, others):
        return found
    if _PICTURE.search(address):
        return _guess_picture(low, address if is_usable else "")
    text = next((low[key] for key in _TEXTS if low.get(key)), "")
    if _FILM.search(address) or _RECORDING.search(address) or "iframe" in name.lower():
        return player(address, text) if is_usable else inline(text) or None
    if low.get("quote") or ("quote" in name.lower() and text):
        return quotation(low.get("quote") or text, low.get("cite") or low.get("author") or "")
    return _guess_link(low, text, address if is_usable else "")


def _guess_player(name: str, low: Mapping[str, str], others: Sequence[str]) -> str | None:
    given = (name.lower(), low.get("provider", "").lower())
    service = next((word for word in PLAYERS if any(word in one for one in given)), "")
    id_ = low.get("id") or (others[0] if others else "")
    return player_of_id(service, id_, low.get("title", "")) if service else None


def _guess_picture(low: Mapping[str, str], address: str) -> str | None:
    caption = inline(low["caption"]) if low.get("caption") else ""
    if address:
        return picture(address, low.get("alt", ""), caption)
    return f"<p>{caption}</p>" if caption else None


def _guess_link(low: Mapping[str, str], text: str, address: str) -> str | None:
    """Return a link; the text without an address, if it is not only the name of a tag's box."""
    if text and address:
        return link(address, text)
    if low.get("text") or low.get("label"):
        return inline(text)
    return link(address, "") if re.fullmatch(r"https?://\S+", address) else None


def title_of(values: Mapping[str, str]) -> str:
    """Return the title that the values of a tag give its content."""
    return next((values[key] for key in _TITLES if values.get(key)), "")
