"""Links from one post to another that are written as paths of files, or as tags that name a post.

The address of a post is known only when all posts are read. So `find_links` says which posts a text links to, and
`replace_links` puts in their addresses when the text is rendered.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from urllib.parse import unquote

from feeds.core.posts.tags.fragments import NO_ADDRESS, POST_SCHEME
from feeds.core.posts.tags.tokens import Code, Tokenizer

_EXTENSION = r"\.(?:mdx?|markdown)"
#: A path from the folder of all posts: `@/` in Zola, `{filename}` and, in old posts, `|filename|` in Pelican.
_ROOT = r"(?:@/|\{filename\}|\|filename\|)"
_SCHEME = re.escape(POST_SCHEME)
#: In Markdown: where an address begins, and one of a post.
_IN_MARKDOWN = re.compile(
    rf"(?:\]\(\s*|^[ \t>]*\[[^\]\n]+\]:[ \t]*|\bhref\s*=\s*[\"']?)"
    rf"(?:<(?P<angle>[^<>\n:]+?(?:{_EXTENSION})|{_ROOT}[^<>\n]+?)(?:[#?][^<>\n]*)?>"
    rf"|(?P<plain>{_ROOT}[^\s<>\"'#?)]+|(?!//)[^\s<>\"'#?:)(]+{_EXTENSION})(?=[\s#?)\"'>]|\Z))"
    rf"|{_SCHEME}(?P<key>[\w%.~-]*)",
    re.MULTILINE,
)
#: In HTML, where addresses are percent-encoded and escaped.
_IN_HTML = re.compile(
    rf"(?P<attribute>\shref=\")?(?:https?://[^\s\"'<>/]*)?{_SCHEME}(?P<key>[\w%.~-]*)(?P<rest>[#?][^\s\"'<>]*)?(?P<end>\")?"
    rf"|\shref=\"(?P<path>(?:@/|%7Bfilename%7D|%7Cfilename%7C|\{{filename\}}|\|filename\|)[^\"#?]*"
    rf"|(?!//)[^\"#?:]*{_EXTENSION})(?P<part>[#?][^\"]*)?\"",
    re.IGNORECASE,
)


def find_links(text: str) -> list[str]:
    """Return the posts that a text without template tags links to, each once.

    Each is the path that is written, or `POST_SCHEME` and what a tag names, without percent-encoding.
    """
    if ".m" not in text and POST_SCHEME not in text and "filename" not in text:
        return []
    return list(dict.fromkeys(_targets(text)))


def _targets(text: str) -> Iterator[str]:
    for part in Tokenizer(text, frozenset()).tokens():
        if isinstance(part, str) and not isinstance(part, Code):
            for found in _IN_MARKDOWN.finditer(part):
                if found["key"] is None:
                    yield unquote(found["angle"] or found["plain"])
                elif found[0] != NO_ADDRESS:
                    yield POST_SCHEME + unquote(found["key"])


def replace_links(html: str, urls: Mapping[str, str]) -> str:
    """Return *html* with the addresses in *urls* of the posts that it links to; other links to posts become text.

    A path from the site's root that is not one of a post may be that of another file, and stays.
    """
    if ".m" not in html and POST_SCHEME not in html and "filename" not in html:
        return html

    def replace(found: re.Match[str]) -> str:
        if found["path"] is not None:
            url = urls.get(unquote(unescape(found["path"])))
            stays = url is None and found["path"].startswith("/")
            return found[0] if stays else f' href="{escape(url)}{found["part"] or ""}"' if url else ""
        url = urls.get(POST_SCHEME + unquote(found["key"]))
        if not url:
            return "" if found["attribute"] else found["end"] or ""
        return f"{found['attribute'] or ''}{escape(url)}{found['rest'] or ''}{found['end'] or ''}"

    return _IN_HTML.sub(replace, html)
