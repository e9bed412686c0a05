"""Links from one post to another that are written as paths of files, or as tags that name a post.

The address of a post is known only when all posts are read. So `find_links` says which posts a text links to, and
`replace_links` puts in their addresses when the text is rendered.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from urllib.parse import unquote

from feeds.core.posts.tags.fragments import NO_ADDRESS, POST_SCHEME
from feeds.core.posts.tags.tokens import code_ranges, is_in

#: What a link to a post holds: the end of a path, the begin of one from the folder of all posts (`@/` in Zola,
#: `{filename}` and, in old posts, `|filename|` in Pelican), or what a tag has become. Each begins with a fixed text,
#: which makes the search fast.
_END = r"(?=[\s#?)\"'>]|\Z)"
_EXTENSIONS = re.compile(rf"\.m(?:dx?|arkdown){_END}")
_ZOLA = re.compile("@/")
_PELICAN = re.compile(r"\{filename\}"), re.compile(r"\|filename\|")
_TAG = re.compile(rf"{re.escape(POST_SCHEME)}(?P<key>[\w%.~-]*)")
#: In Markdown: what is in front of an address, and the address as far as the sign.
_BEFORE = re.compile(r"(?:\]\(\s*|\]:[ \t]*|\bhref\s*=\s*[\"']?)(?:<(?P<angle>[^<>\n]*)|(?P<plain>[^\s<>\"'()]*))\Z")
_REST = re.compile(r"[^\s<>\"'#?)]*")
#: No path is longer.
_LONGEST = 500
_ELSEWHERE = re.compile(r"//|[A-Za-z][A-Za-z0-9+.-]*:")
_HREF = re.compile(r"\shref=\"(?P<url>[^\"#?]*)(?P<rest>[#?][^\"]*)?\"")
_PATH = re.compile(r"@/|[{|]filename[|}]|.*\.(?:mdx?|markdown)\Z", re.IGNORECASE | re.DOTALL)
#: The scheme and host are those that a template puts before an address.
_KEY = re.compile(rf"(?:https?://[^\s\"'<>/]*)?{re.escape(POST_SCHEME)}(?P<key>[\w%.~-]*)")


def find_links(text: str, *, has_tags: bool) -> list[str]:
    """Return the posts that a text links to, each once; *has_tags* if it had template tags, which are replaced.

    Each is the path that is written, or `POST_SCHEME` and what a tag names, without percent-encoding.
    """
    signs = [sign for pattern in _patterns(text, has_tags=has_tags) for sign in pattern.finditer(text)]
    signs.sort(key=lambda sign: sign.start())
    found = [(sign.start(), target) for sign in signs if (target := _target(text, sign)) is not None]
    if not found:
        return []
    code = code_ranges(text)
    return list(dict.fromkeys(target for at, target in found if not is_in(code, at)))


def _patterns(text: str, *, has_tags: bool) -> Iterator[re.Pattern[str]]:
    """Yield the patterns of the signs that a text may have; most texts have none, which single characters tell."""
    if ".m" in text:
        yield _EXTENSIONS
    if "@" in text and "@/" in text:
        yield _ZOLA
    if ("{" in text or "|" in text) and "filename" in text:
        yield from _PELICAN
    if has_tags:
        yield _TAG


def _target(text: str, sign: re.Match[str]) -> str | None:
    """Return the target of the link that a sign is in; None if it is in none, or in one to another site."""
    if sign.re is _TAG:
        return None if sign[0] == NO_ADDRESS else POST_SCHEME + unquote(sign["key"])
    before = _BEFORE.search(text[max(0, sign.start() - _LONGEST) : sign.start()])
    if before is None:
        return None
    path = (before["angle"] if before["plain"] is None else before["plain"]) + sign[0]
    if not sign[0].startswith("."):
        rest = _REST.match(text, sign.end())
        path += rest[0] if rest else ""
    return None if _ELSEWHERE.match(path) else unquote(path)


def replace_links(html: str, urls: Mapping[str, str]) -> str:
    """Return *html* with the addresses in *urls* of the posts that it links to; other links to posts become text.

    A path from the site's root that is not one of a post may be that of another file, and stays.
    """
    if not any(sign in html for sign in (".m", "@/", "filename", POST_SCHEME)):
        return html

    def replace(found: re.Match[str]) -> str:
        written = unescape(found["url"])
        if key := _KEY.fullmatch(written):
            url = urls.get(POST_SCHEME + unquote(key["key"]))
        elif _ELSEWHERE.match(written) or not _PATH.match(path := unquote(written)):
            return found[0]
        else:
            url = urls.get(path)
            if url is None and path.startswith("/"):
                return found[0]
        return f' href="{escape(url)}{found["rest"] or ""}"' if url else ""

    html = _HREF.sub(replace, html)
    if POST_SCHEME not in html:
        return html
    return _KEY.sub(lambda found: escape(urls.get(POST_SCHEME + unquote(found["key"]), "")), html)
