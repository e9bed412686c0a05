"""Zola's shortcodes (https://www.getzola.org/documentation/content/shortcodes/)."""

import re

from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.tags.tokens import Tag

_ARGUMENT = re.compile(r"(?P<name>\w+)\s*=\s*(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)'|`(?P<c>[^`]*)`|(?P<d>[^,\s]+))")
#: `{{ f(x) }}` may also be an output of another language: of unknown generators only these are shortcodes.
KNOWN = frozenset({"youtube", "vimeo", "streamable", "gist", "figure", "image", "img", "resize_image", "picture"})


def arguments(written: str) -> dict[str, str]:
    """Return the values of a shortcode."""
    return {
        found["name"]: next(found[key] for key in "abcd" if found[key] is not None)
        for found in _ARGUMENT.finditer(written)
    }


def render_tag(tag: Tag, page: TagPage) -> str | None:
    """Return what a shortcode without content shows; None if that is not known."""
    named = arguments(tag.arguments)
    if tag.name == "gist" and named.get("url"):
        return fragments.gist(named["url"].removeprefix("https://gist.github.com/").removesuffix(".js"))
    if tag.name in {"figure", "image", "img", "picture"} and (src := named.get("src") or named.get("path")):
        caption = named.get("caption", "")
        return fragments.picture(src, named.get("alt", ""), fragments.inline(caption) if caption else "")
    return fragments.guess(tag.name, named, is_bundle=page.is_bundle)


def wrap_content(tag: Tag, *, is_block: bool) -> tuple[str, str]:
    """Return what a shortcode puts before and behind its content, which has several lines or is inside of one."""
    named = arguments(tag.arguments)
    if tag.name in {"details", "expand", "collapse", "spoiler"}:
        return fragments.details(fragments.title_of(named) or "Details")
    if "quote" in tag.name.lower():
        source = named.get("author") or named.get("cite") or ""
        return "<blockquote>\n\n", f"\n\n{source and f'— {source}'}\n\n</blockquote>\n\n"
    return fragments.titled(fragments.title_of(named), is_block=is_block)
