"""Create the settings of a site: for a folder of posts, also that of a site generator, or for the sample."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from feeds.config_types import Url
from feeds.edges.files import resources
from feeds.edges.files.write_files import create_file
from feeds.edges.process.system import system_language, system_time_zone
from feeds.errors import FeedsError
from feeds.generators import Generator, find_generator, read_config, recognise_config
from feeds.settings import FeedSettings

#: The config file that is written.
CONFIG = "feeds.toml"
#: Tables of the reference that are examples as a whole.
_EXAMPLES = re.compile(r"\[\[|\[categories\.")
_KEY_LINE = re.compile(r"(\w+) *= ")
_TRAILING = re.compile(r'((?:# )?(?:"(?:[^"\\]|\\.)*"|[^"#])*(?<=\S)) +(# .*)')
#: Where posts are looked for if the generator is not known.
_USUAL_POSTS = ("posts", "_posts", "content/posts", "content")


@dataclass(frozen=True, kw_only=True)
class NewSite:
    """The site that was created."""

    #: The files and folders that were written, relative to the site's folder.
    written: tuple[str, ...]
    #: The folder of posts.
    posts: str
    generator: Generator | None = None


def create_site(
    folder: Path, *, title: str | None, url: str | None, now: datetime, environ: Mapping[str, str]
) -> NewSite:
    """Write the settings of a site with its own posts; everything else in *folder* stays as it is.

    Only what is known is set: *title* and *url*, the system's language and time zone, and the folders of the site
    generator that is found. With *url*, the tagging authority for new ids is its host and the year of *now*.

    Raises:
        FeedsError: the folder has a config file of Feeds already, or cannot be written, or *url* is not a URL.
    """
    _refuse_existing(folder)
    generator = find_generator(folder)
    candidates = generator.posts if generator else _USUAL_POSTS
    posts = next((name for name in candidates if (folder / name).is_dir()), candidates[0])
    values = dict(_site_values(title, url, now, environ)) | {("posts", "folder"): posts}
    if generator is not None and generator.output != FeedSettings().folder:
        values["feeds", "folder"] = generator.output
    written = [CONFIG] if (folder / posts).is_dir() else [CONFIG, f"{posts}/"]
    try:
        (folder / posts).mkdir(parents=True, exist_ok=True)
        _write_config(folder, comment_out(_reference(), values))
    except OSError as e:
        raise FeedsError(f"{folder}: cannot be written: {e.strerror or e}") from e
    return NewSite(written=tuple(written), posts=posts, generator=generator)


def create_sample(folder: Path) -> NewSite:
    """Copy the sample site to *folder*.

    Raises:
        FeedsError: the folder has a config file of Feeds or posts already, or cannot be written.
    """
    _refuse_existing(folder)
    if (folder / "posts").exists():
        raise FeedsError(f"{folder / 'posts'} already exists; name an empty folder: feeds init --sample DIR")
    try:
        shutil.copytree(resources.resource_folder() / "posts", folder / "posts")
        _write_config(folder, _reference())
    except OSError as e:
        raise FeedsError(f"{folder}: cannot be written: {e.strerror or e}") from e
    return NewSite(written=(CONFIG, "posts/"), posts="posts")


def _write_config(folder: Path, text: str) -> None:
    create_file(folder / CONFIG, [text.encode()])


def _reference() -> str:
    return (resources.resource_folder() / "config.toml").read_text("utf-8")


# What is there already --------------------------------------------------------------------------------------------


def _refuse_existing(folder: Path) -> None:
    raw = read_config(folder)
    for name, is_ours in ((CONFIG, (folder / CONFIG).exists()), ("config.toml", raw and not recognise_config(raw))):
        if is_ours:
            raise FeedsError(f"{folder / name} already exists; edit it, or name another folder: feeds init DIR")


# The text of the settings -----------------------------------------------------------------------------------------


def _site_values(
    title: str | None, url: str | None, now: datetime, environ: Mapping[str, str]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the values that are known, by table and key."""
    if title is not None:
        yield ("site", "title"), " ".join(title.split())
    if url is not None:
        try:
            parsed = Url.parse(url)
        except ValueError as e:
            raise FeedsError(f"--url: {e}") from e
        yield ("site", "url"), parsed
        yield ("site", "id_authority"), f"{urlsplit(parsed).hostname},{now.year}"
    yield ("site", "language"), system_language(environ)
    yield ("site", "timezone"), system_time_zone()


def comment_out(reference: str, values: Mapping[tuple[str, str], str]) -> str:
    """Return the reference of all keys with only *values* set, by table and key: every other key is a comment."""
    lines, table = [], ""
    is_example = False
    for line in reference.splitlines():
        if line.startswith("["):
            table, is_example = line.partition("]")[0].strip("["), bool(_EXAMPLES.match(line))
        key = _KEY_LINE.match(line)
        if key and (table, key[1]) in values:
            lines.append(_set_value(line, key[0], values[table, key[1]]))
        else:
            lines.append(_comment(line) if key or (is_example and line.startswith("[")) else line)
    return "\n".join(lines) + "\n"


def _set_value(line: str, start: str, value: str) -> str:
    """Return the line of a key with another value."""
    quoted = json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string
    return _align(start + re.sub(r'"[^"]*"', lambda _: quoted, line.removeprefix(start), count=1), line)


def _comment(line: str) -> str:
    return _align(f"# {line}", line)


def _align(changed: str, line: str) -> str:
    """Return a changed line with its trailing comment in the column where *line* has it, if there is room."""
    parts, column = _TRAILING.match(changed), _TRAILING.match(line)
    if parts is None or column is None:
        return changed
    return f"{parts[1].ljust(column.start(2) - 1)} {parts[2]}"
