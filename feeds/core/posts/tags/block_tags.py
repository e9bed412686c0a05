"""The tags `{% x %}` that Jekyll, Octopress, Hexo and Eleventy have beside Liquid's own.

Sources: https://jekyllrb.com/docs/liquid/tags/, https://hexo.io/docs/tag-plugins, http://octopress.org/docs/plugins/,
https://www.11ty.dev/docs/plugins/syntaxhighlight/.
"""

import re
import shlex
from collections.abc import Callable, Mapping

from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.page import TagPage
from feeds.core.posts.tags.tokens import Tag

#: Their content is not a template, and of most of them no Markdown.
VERBATIM = frozenset({"raw", "highlight", "codeblock", "code", "comment", "macro", "mermaid", "katex", "verbatim"})
#: Lists of contents and parts of the page around the post.
_WITHOUT_TEXT = frozenset({"toc", "seo", "feed_meta", "more"})
_PICTURE = re.compile(r"(?:https?:/)?/?\S*\.(?:png|jpe?g|gif|webp|avif|svg)(?:[?#]\S*)?\Z", re.IGNORECASE)
_NAMED = re.compile(r"(?P<name>[\w-]+)\s*[=:]\s*(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)'|(?P<c>[^\s\"']+))")
_SRC_AND_ALT = 2
#: Between values in quotes, as in Nunjucks.
_COMMA = re.compile(r"([\"'])\s*,")
_LANGUAGE = re.compile(r"\blang:(\S+)")
_OPTION = re.compile(r"\b[a-z_]+:\S+|https?://\S+")


def words(written: str) -> list[str]:
    """Return the values of a tag, which are separated by spaces, or in quotes and separated by commas."""
    written = _COMMA.sub(r"\1 ", written)
    try:
        return shlex.split(written)
    except ValueError:  # a quotation mark without its other half
        return written.split()


def values(written: str) -> tuple[dict[str, str], list[str]]:
    """Return the named and the other values of a tag."""
    named = {
        found["name"]: next(found[key] for key in "abc" if found[key] is not None) for found in _NAMED.finditer(written)
    }
    return named, words(_NAMED.sub(" ", written))


def render_tag(tag: Tag, page: TagPage) -> str | None:
    """Return what a tag without an end tag, or with content that is not read, shows; None if that is not known."""
    if tag.content is not None:
        return _of_content(tag)
    if tag.name in {"include", "include_relative", "include_cached"}:
        named, others = values(tag.arguments)
        name = others[0].rpartition("/")[2].partition(".")[0] if others else ""
        return fragments.guess(name, named, is_bundle=page.is_bundle)
    if tag.name in _WITHOUT_TEXT:
        return ""
    if tag.name == "image" and page.settings.posts.generator == "eleventy":
        return _eleventy_image(tag.arguments)
    given = words(tag.arguments)
    render = _BY_NAME.get(tag.name)
    return render(given) if render and given else None


def wrap_content(tag: Tag, *, is_block: bool) -> tuple[str, str]:  # noqa: ARG001 - as in the other languages
    """Return what a tag puts before and behind its content."""
    if tag.name in {"blockquote", "quote"}:
        source = _source(tag.arguments)
        return "<blockquote>\n\n", f"\n\n{source and f'— {source}'}\n\n</blockquote>\n\n"
    if tag.name == "pullquote":
        return "<blockquote>\n\n", "\n\n</blockquote>\n\n"
    if tag.name in {"details", "folding", "spoiler", "hideToggle", "hideBlock"}:
        return fragments.details(tag.arguments or "Details")
    return "", ""


def _of_content(tag: Tag) -> str | None:
    """Return what a tag makes of content that is not a template."""
    content = tag.content or ""
    if tag.name in {"raw", "verbatim"}:
        return content
    if tag.name in {"comment", "macro"}:
        return ""
    if tag.name in {"mermaid", "katex"}:
        return fragments.code(content, tag.name)
    named = _LANGUAGE.search(tag.arguments)
    if tag.name == "highlight":
        return fragments.code(content, (words(tag.arguments) or [""])[0].rstrip(":"))
    title = " ".join(_OPTION.sub(" ", tag.arguments).split())
    return fragments.code(content, named[1] if named else "", title)


def _link(given: list[str]) -> str | None:
    """Return an address of Jekyll, `link path`, or a link of Hexo, `link text url`."""
    if given[1:]:
        url = next((word for word in given if re.match(r"https?://|/", word)), "")
        return fragments.link(url, " ".join(given[: given.index(url)])) if url else None
    path = given[0]
    is_page = path.endswith((".md", ".markdown", ".html"))
    return fragments.post_address(path) if is_page else "/" + path.lstrip("/")


def _post_link(given: list[str]) -> str:
    text = given[1] if given[1:] else given[0]
    return f'<a href="{fragments.post_address(given[0])}">{fragments.inline(text)}</a>'


def _film(service: str) -> Callable[[list[str]], str | None]:
    return lambda given: fragments.player_of_id(service, given[0].rpartition("/")[2].rpartition("=")[2])


def _image(given: list[str]) -> str | None:
    """Return a picture: classes, its address, width and height, then `"title" "alt"` or one text with both."""
    at = next((n for n, word in enumerate(given) if _PICTURE.match(word)), None)
    if at is None:
        return None
    texts = [word for word in given[at + 1 :] if not re.fullmatch(r"\d+(?:px|%)?", word)]
    texts = texts if len(texts) > 1 else _quoted_parts(texts)
    title, alt = (texts[0] if texts else ""), (texts[1] if len(texts) > 1 else "")
    return fragments.picture(given[at], alt or title)


def _eleventy_image(written: str) -> str | None:
    """Return a picture of the shortcode that Eleventy's image plug-in is used with; its description without an address.

    The plug-in gives a file of the site a name of its own, which is known when the site is built.
    """
    named, others = ({}, words(written)) if written.startswith(("'", '"')) else values(written)
    src, alt = [*others, "", ""][:_SRC_AND_ALT] if not named else (named.get("src", ""), named.get("alt", ""))
    if re.match(r"https?://", src):
        return fragments.picture(src, alt)
    return fragments.inline(alt) if alt else None


def _quoted_parts(texts: list[str]) -> list[str]:
    """Return title and alternative text, which Hexo has in quotes inside of quotes."""
    return [part.strip() for part in re.split(r"[\"']", texts[0]) if part.strip()] if texts else []


def _source(written: str) -> str:
    """Return author, work and address of a quotation as Markdown: `Author, Title http://… Link title`."""
    found = re.search(r"https?://\S+", written)
    if not found:
        return written.strip()
    before, title = written[: found.start()].strip(" ,"), written[found.end() :].strip() or found[0]
    return ", ".join(filter(None, (before, f"[{title}]({found[0]})")))


_BY_NAME: Mapping[str, Callable[[list[str]], str | None]] = {
    "post_url": lambda given: fragments.post_address(given[0]),
    "post_path": lambda given: fragments.post_address(given[0]),
    "link": _link,
    "post_link": _post_link,
    "img": _image,
    "image": _image,
    "asset_img": _image,
    "asset_path": lambda given: given[0],
    "asset_link": lambda given: fragments.link(given[0], " ".join(given[1:]) or given[0]),
    **{service: _film(service) for service in fragments.PLAYERS},
    "gist": lambda given: fragments.gist(given[0]),
    **dict.fromkeys(("iframe", "video", "audio"), lambda given: fragments.player(given[0])),
    "jsfiddle": lambda given: fragments.player(f"https://jsfiddle.net/{given[0]}/embedded/"),
}
