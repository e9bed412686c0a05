"""Pelican's addresses of files: `{static}/images/a.png`, `{attach}a.png`, `{index}` -> addresses on the site.

Source: "Linking to internal content" of docs.getpelican.com. `{filename}` names a post and is resolved with the others.
"""

import re
from posixpath import join, normpath
from urllib.parse import urlsplit

from feeds.core.posts.tags.tokens import replace_outside_code
from feeds.settings import Settings

_MARKS = ("{static}", "{attach}", "{index}", "|static|", "|attach|", "|index|")
_ADDRESS = re.compile(
    r"(?P<mark>\{(?P<kind>static|attach|index)\}|\|(?P<old>static|attach|index)\|)(?P<path>[^\s<>\"')]*)"
)


def resolve_static(text: str, path: str, settings: Settings) -> str:
    """Return the text of the post at *path* with the addresses of Pelican's static files; code is left alone.

    A file has the address that its path has below the content folder; one that is attached to a post and beside it, or
    below, is beside the post's page.
    """
    if settings.posts.generator not in {"pelican", "auto"} or not any(mark in text for mark in _MARKS):
        return text
    base = urlsplit(settings.site.url).path
    folder = join(_below_content(settings.posts.folder), path.rpartition("/")[0])

    def replace(found: re.Match[str]) -> str:
        kind, written = found["kind"] or found["old"], found["path"]
        if kind == "attach" and written and not written.startswith(("/", "..")):
            return written.removeprefix("./")
        whole = written if written.startswith("/") else join("/", folder, written)
        return base if kind == "index" else base + normpath(whole).lstrip("/")

    return replace_outside_code(_ADDRESS, replace, text)


def _below_content(folder: str) -> str:
    """Return the path of the posts folder below Pelican's content folder, which is its first part."""
    return "" if folder.startswith("/") else folder.strip("/").partition("/")[2]
