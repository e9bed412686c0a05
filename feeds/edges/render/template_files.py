"""Finds the texts of a language, and what nothing uses in a site's templates folder: most of it is misspelled."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from feeds.edges.files import resources
from feeds.language_tags import fallback_tags
from feeds.spelling import closest_name

_TEXTS = re.compile(r"texts/[^/]+\.toml")


def has_texts(site: Path, lang: str) -> bool:
    """Return whether there are texts in a language or in one that may stand in for it (`pt-BR`: `pt`)."""
    folders = [site / "templates", resources.resource_folder() / "templates"]
    is_exact = any(texts_file(folder, lang).is_file() for folder in folders)
    return is_exact or any(texts_file(folder, tag).is_file() for tag in fallback_tags(lang) for folder in folders)


def texts_file(folder: Path, lang: str) -> Path:
    """Return the path of the texts of a language in a templates folder."""
    return folder / "texts" / f"{lang}.toml"


def find_unused(site: Path) -> list[str]:
    """Return a line for each file or text that is neither shipped nor named in a template of the site."""
    folder, shipped = site / "templates", resources.resource_folder() / "templates"
    names = sorted(_visible_files(folder))
    if not names:
        return []
    known = set(_visible_files(shipped))
    used = "\n".join(_read(folder / name) for name in names if not _TEXTS.fullmatch(name))
    problems = list(_find_unused_files([name for name in names if not _TEXTS.fullmatch(name)], known, used))
    texts = tomllib.loads((shipped / "texts/en.toml").read_text("utf-8"))
    for name in filter(_TEXTS.fullmatch, names):
        problems += _find_unused_texts(folder, name, texts, used)
    return problems


def _visible_files(folder: Path) -> Iterator[str]:
    """Yield the paths of files below a folder, but not of the hidden ones and backups that editors leave."""
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not any(part.startswith((".", "#")) for part in name.split("/")) and name[-1] != "~":
            yield name


def _find_unused_files(names: Iterable[str], known: Iterable[str], used: str) -> Iterator[str]:
    known = set(known)
    for name in names:
        if name not in known and name not in used:
            yield f"templates/{name}: is not a template that Feeds or another template uses{_suggest(name, known)}"


def _find_unused_texts(folder: Path, name: str, known: Iterable[str], used: str) -> Iterator[str]:
    content = _read(folder / name)
    try:
        keys = tomllib.loads(content).keys()
    except tomllib.TOMLDecodeError:
        return  # reported when the texts are used
    for key in sorted(keys - set(known)):
        if not re.search(rf"\b{re.escape(key)}\b", used):
            found = re.search(rf"^\s*\[?[\"']?{re.escape(key)}\b", content, re.MULTILINE)
            line = content.count("\n", 0, found.end()) + 1 if found else 1
            yield f"templates/{name}:{line}: {key}: is not a known text{_suggest(key, known)}"


def _suggest(name: str, known: Iterable[str]) -> str:
    close = closest_name(name, known)
    return f"; did you mean `{close}`?" if close else ""


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
