"""The addresses that a site has for files that a post names by their place among the sources, such as pictures.

To a browser a relative address begins at the post's page, and most generators copy the files of a post beside it: Hugo
and Zola those of a folder with an `index.md`, Eleventy and Jekyll what their settings name. What they do otherwise is
here. Sources: "Static Assets" and "Assets" of docusaurus.io, "Images" of docs.astro.build, "Asset Folders" of hexo.io,
`lib/models/post_asset.ts` of hexo and `lib/renderer.js` of hexo-renderer-marked, "Directory structure" of gohugo.io and
getzola.org, and the README of jekyll-relative-links.
"""

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from posixpath import commonpath, join, normpath
from urllib.parse import unquote, urlsplit

from feeds.core.posts.urls import below_site, quote_url
from feeds.permalinks import GeneratorName
from feeds.settings import Settings

#: The folders whose content is copied to the root of the site, beside that of the posts or above it.
_STATIC: Mapping[GeneratorName, str] = {
    "hugo": "static",
    "zola": "static",
    "docusaurus": "static",
    "astro": "public",
    "eleventy": "public",
    "hexo": "source",
}
#: Generators that put the root of the site before an address that begins with a slash.
_ROOTED = frozenset({"docusaurus", "hexo"})
#: Generators that give a file beside a post a name of their own, with a digest, when they build the site.
_HASHED = frozenset({"docusaurus", "astro"})
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|[#?]")
#: Docusaurus: the folder of static files, and an address that is not looked for among the sources.
_STATIC_FOLDER, _PATH_NAME = "@site/static/", "pathname://"
#: The name of a file that is not a page.
_FILE = re.compile(r"[^/?#]\.(?!html?\b|mdx?\b|markdown\b|php\b)[A-Za-z0-9]{2,5}(?:[?#].*)?\Z", re.IGNORECASE)
_TAG = re.compile(r"<(?P<name>img|a|source|video|audio)\b(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?P<before>\s(?:src|href|poster)\s*=\s*)(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>=`]+))",
    re.IGNORECASE,
)
_ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=`]+))", re.IGNORECASE)


def static_folder(generator: GeneratorName) -> str | None:
    """Return the folder, below that of the site, whose content a generator copies to the root; None if unknown."""
    return _STATIC.get(generator)


class FileAddresses:
    """The addresses of the files that one post names."""

    def __init__(self, settings: Settings, path: str, page_url: Callable[[], str]) -> None:
        """*path* is that of the post below the posts folder, *page_url* returns the URL of its page."""
        posts, self._site, self._page_url = settings.posts, settings.site.url, page_url
        self._generator = posts.generator_name
        self._posts_folder = "" if posts.folder == "." else normpath(posts.folder)
        folder, _, name = path.rpartition("/")
        self._folder = join(self._posts_folder, folder) if folder else self._posts_folder
        self._stem = name.rpartition(".")[0]
        self._static = _STATIC.get(self._generator, "")

    def may_differ(self, html: str) -> bool:
        """Return whether *html* may have an address that a browser would not find as it is written."""
        if self._generator in _HASHED or self._generator in _ROOTED:
            return True
        has_paths = "../" in html and (bool(self._static) or self._generator == "jekyll")
        return has_paths or _STATIC_FOLDER in html

    def find(self, written: str) -> str | None:
        """Return the address of a file, absolute or relative to the post's page; None if only the built site has it.

        What is not the address of a file is returned as it is.
        """
        if written.startswith(_PATH_NAME):
            written = "/" + written.removeprefix(_PATH_NAME).lstrip("/")
        if written.startswith("/"):
            return below_site(written, self._site) if self._generator in _ROOTED else written
        if _ABSOLUTE.match(written) or not _FILE.search(written):
            return written
        found = self._in_static_folder(written)
        if found is None and self._generator == "hexo":
            found = self._in_asset_folder(written)
        if found is not None:
            return found
        return None if self._generator in _HASHED else written

    def _in_static_folder(self, written: str) -> str | None:
        """Return the address of a file that is copied to the root of the site; None for another one."""
        if written.startswith(_STATIC_FOLDER):
            return below_site("/" + written.removeprefix(_STATIC_FOLDER), self._site)
        below = self._below_site_folder(written) if written.startswith("../") else ""
        if self._generator == "jekyll":
            is_copied = bool(below) and not any(part.startswith(("_", ".")) for part in below.split("/"))
            return below_site(f"/{below}", self._site) if is_copied else None
        root, _, rest = below.partition("/")
        is_copied = bool(rest) and root == self._static and not rest.startswith("_")
        return below_site(f"/{rest}", self._site) if is_copied else None

    def _below_site_folder(self, written: str) -> str:
        """Return a path that leads out of a folder of posts, from where it leads to; empty for another one.

        For Jekyll and Hexo it begins at the folder of the site, of which that of the posts is a part.
        """
        target = normpath(join(self._folder, written))
        if target.startswith("../"):
            return ""
        if self._generator in {"jekyll", "hexo"}:
            return "" if target.startswith("/") else target
        shared = commonpath([target, self._folder])
        is_above = commonpath([shared, self._posts_folder]) == shared
        return target[len(shared) :].lstrip("/") if is_above else ""

    def _in_asset_folder(self, written: str) -> str:
        """Return the address of a file in the folder that Hexo has for a post, which its plug-ins allow to be named."""
        if written.startswith("../"):
            return written
        plain = written.removeprefix("./")
        own = f"{self._stem}/"
        plain = plain.removeprefix(own) if unquote(plain).startswith(own) else plain
        page = urlsplit(self._page_url())
        folder = re.sub(r"\.html?\Z", "", page.path)
        return f"{folder.removesuffix('/')}/{plain}" if folder != page.path else plain


def resolve_files(html: str, addresses: FileAddresses) -> tuple[str, list[str]]:
    """Return *html* with the addresses that files have on the site, and those that only the built site knows.

    A picture with such an address becomes its alternative text, a link to it its text.
    """
    unknown: list[str] = []

    def replace_tag(tag: re.Match[str]) -> str:
        rest = _ATTRIBUTE.sub(replace, tag["rest"])
        if tag["name"].lower() == "img" and rest != tag["rest"] and not _ATTRIBUTE.search(rest):
            return _alternative_text(tag["rest"])
        return f"<{tag['name']}{rest}>"

    def replace(found: re.Match[str]) -> str:
        value = next(found[key] for key in ("double", "single", "bare") if found[key] is not None)
        written = unescape(value)
        address = addresses.find(written)
        if address == written:
            return found[0]
        if address is None:
            unknown.append(written)
            return ""
        return f'{found["before"]}"{escape(quote_url(address))}"'

    if addresses.may_differ(html):
        html = _TAG.sub(replace_tag, html)
    return html, unknown


def _alternative_text(attributes: str) -> str:
    """Return the alternative text in the attributes of a picture, as HTML."""
    found = _ALT.search(attributes)
    value = next((part for part in found.groups() if part is not None), "") if found else ""
    return escape(unescape(value), quote=False)
