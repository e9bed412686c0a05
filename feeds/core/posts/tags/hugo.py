"""Hugo's shortcodes (https://gohugo.io/shortcodes/): those that it has itself, and what the values of others say."""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import NamedTuple

from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.tags.tokens import Tag

#: Their content is not Markdown.
VERBATIM = frozenset({"highlight", "comment", "mermaid", "math", "rawhtml", "raw"})
_ARGUMENT = re.compile(
    r'(?:(?P<name>[\w-]+)\s*=\s*)?(?:"(?P<quoted>(?:\\.|[^"\\])*)"|`(?P<raw>[^`]*)`|(?P<bare>[^\s"`]+))',
    re.DOTALL,
)
#: Names of other sites' shortcodes that do what `ref` does are told by their value.
_MARKDOWN_FILE = re.compile(r"[^\s:]+\.(?:md|markdown|mdx)(?:#\S*)?\Z")


class _Call(NamedTuple):
    """A shortcode with its values."""

    tag: Tag
    positional: list[str]
    named: dict[str, str]
    page: TagPage

    @property
    def first(self) -> str:
        """The first positional value."""
        return self.positional[0] if self.positional else ""

    def value(self, name: str) -> str:
        """Return a named value, or else the first one."""
        return self.named.get(name) or self.first


def arguments(written: str) -> tuple[list[str], dict[str, str]]:
    """Return the positional and the named values of a shortcode."""
    positional: list[str] = []
    named: dict[str, str] = {}
    for found in _ARGUMENT.finditer(written):
        value = next((found[key] for key in ("quoted", "raw", "bare") if found[key] is not None), "")
        if found["quoted"] is not None:
            value = re.sub(r'\\(["\\])', r"\1", value)
        if found["name"]:
            named[found["name"]] = value
        else:
            positional.append(value)
    return positional, named


def render_tag(tag: Tag, page: TagPage) -> str | None:
    """Return what a shortcode without content shows; None if that is not known."""
    call = _Call(tag, *arguments(tag.arguments), page)
    if render := _OWN.get(tag.name):
        return render(call)
    if tag.content is not None:
        return tag.content if tag.name.startswith("raw") else fragments.code(tag.content, tag.name)
    if _MARKDOWN_FILE.fullmatch(call.first) and not call.named:
        return fragments.post_address(call.first)
    return fragments.guess(tag.name, call.named, call.positional, is_bundle=page.is_bundle)


def wrap_content(tag: Tag, *, is_block: bool) -> tuple[str, str]:
    """Return what a shortcode puts before and behind its content, which has several lines or is inside of one."""
    positional, named = arguments(tag.arguments)
    if tag.name in {"details", "expand", "collapse", "spoiler"}:
        return fragments.details(fragments.title_of(named) or (positional[0] if positional else "") or "Details")
    if "quote" in tag.name.lower():
        source = named.get("author") or named.get("cite") or named.get("source") or ""
        return "<blockquote>\n\n", f"\n\n{source and f'— {source}'}\n\n</blockquote>\n\n"
    address = named.get("href") or named.get("url") or named.get("link") or ""
    if re.match(r"https?://|/", address) and not is_block:
        return f'<a href="{escape(address)}">', "</a>"
    return fragments.titled(fragments.title_of(named), is_block=is_block)


def _figure(call: _Call) -> str | None:
    """Return a picture with title, caption and source, of which `caption` and `attr` are Markdown."""
    named = call.named
    if not named.get("src"):
        return None
    source = named.get("attr", "")
    cited = fragments.link(named["attrlink"], source) if named.get("attrlink") and source else fragments.inline(source)
    title = f"<strong>{fragments.inline(named['title'])}</strong>" if named.get("title") else ""
    caption = " ".join(filter(None, (title, fragments.inline(named.get("caption", "")), cited)))
    return fragments.picture(named["src"], named.get("alt", ""), caption, named.get("link", ""))


def _highlight(call: _Call) -> str | None:
    """Return code; a site's own `highlight` without a language marks words in a text."""
    content = call.tag.content
    if content is None or (not call.tag.arguments and "\n" not in content):
        return content
    return fragments.code(content, call.first)


def _param(call: _Call) -> str | None:
    """Return a value of the front matter."""
    name = call.value("name").lower()
    low = {str(key).lower(): value for key, value in call.page.metadata.items()}
    params = low.get("params")
    inside = {str(key).lower(): value for key, value in params.items()} if isinstance(params, dict) else {}
    value = inside.get(name, low.get(name))
    return str(value) if isinstance(value, (str, int, float)) else None


def _gist(call: _Call) -> str | None:
    return fragments.gist("/".join(call.positional[:2])) if call.positional else None


def _status(call: _Call) -> str | None:
    """Return a link to a post on X."""
    user, id_ = call.named.get("user", ""), call.value("id")
    if not re.fullmatch(r"\d+", id_):
        return None
    return fragments.link(f"https://x.com/{user or 'i'}/status/{id_}", f"@{user} on X" if user else "A post on X")


def _instagram(call: _Call) -> str | None:
    return fragments.link(f"https://www.instagram.com/p/{call.value('id')}/", "Instagram") if call.value("id") else None


def _ref(call: _Call) -> str | None:
    return fragments.post_address(call.value("path")) if call.value("path") else None


_OWN: Mapping[str, Callable[[_Call], str | None]] = {
    "ref": _ref,
    "relref": _ref,
    "figure": _figure,
    "highlight": _highlight,
    "comment": lambda _: "",
    "param": _param,
    "gist": _gist,
    **dict.fromkeys(("tweet", "twitter", "twitter_simple", "x", "x_simple"), _status),
    **dict.fromkeys(("instagram", "instagram_simple"), _instagram),
}
