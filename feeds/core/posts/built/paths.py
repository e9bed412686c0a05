"""Where the page of a post is in the folder of a built site."""

from urllib.parse import unquote, urlsplit

_PAGE_ENDINGS = (".html", ".htm", ".xhtml")


def page_paths(url: str, site: str) -> tuple[str, ...]:
    """Return the paths of files that may be the page at *url*, the likeliest first; none if it is not on the site.

    A site in a folder of its host (`https://example.com/project/`) may be built with that folder or without it. Servers
    find `x/` and `x` as `x/index.html`, `x.html` or `x`.
    """
    path, folder = urlsplit(url).path, urlsplit(site).path
    if not path.startswith(folder):
        return ()
    names = dict.fromkeys((path[len(folder) :], path[1:]))
    return tuple(file for name in names for file in _files(unquote(name)) if _is_inside(file))


def _files(name: str) -> tuple[str, ...]:
    bare = name.strip("/")
    if not bare:
        return ("index.html",)
    if name.endswith("/"):
        return (f"{bare}/index.html", f"{bare}.html", bare)
    return (bare,) if bare.endswith(_PAGE_ENDINGS) else (f"{bare}.html", f"{bare}/index.html", bare)


def _is_inside(file: str) -> bool:
    return "\0" not in file and ".." not in file.split("/")
