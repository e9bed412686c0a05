"""The paths of URLs: which are files of `public/`, and what of them may be logged."""

from feeds.settings import PAGE_PATHS

#: What of `public/` is served.
FOLDERS = ("/feeds/", "/newsletters/")
_LONGEST_LOGGED = 200


def parse_path(path: str) -> str | None:
    """Return the path of a file below `public/` for the decoded path of a URL; a folder has the file `index.html`.

    None for a path that no file of ours has: with empty, hidden or `..` parts, or characters that are not in a name.
    """
    *folders, name = path[1:].split("/")
    parts = [*folders, name or "index.html"]
    is_odd = any(not part or part[0] == "." or "\\" in part or not part.isprintable() for part in parts)
    return None if is_odd else "/".join(parts)


def is_in_folders(path: str) -> bool:
    """Return whether a path is one of the folders that are served, or below it."""
    return path.startswith(FOLDERS) or f"{path}/" in FOLDERS


def is_page(path: str) -> bool:
    """Return whether a path is that of a page of ours, or below it."""
    return path[1:].partition("/")[0] in PAGE_PATHS


def hide_token(path: str) -> str:
    """Return a path for a log: of pages for one reader, without what follows the first part."""
    if path.startswith(FOLDERS):
        return path[:_LONGEST_LOGGED]
    first, slash, rest = path.lstrip("/").partition("/")
    return f"/{first[:_LONGEST_LOGGED]}{slash}{'…' if rest else ''}"
