"""Create the settings of a site: for a folder of posts, also that of a site generator, or for the sample."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from feeds.config_types import Url
from feeds.core.config_text import fill_reference
from feeds.core.generators.old_feeds import feed_to_adopt
from feeds.core.generators.site_files import Found, SiteFacts, to_folder
from feeds.edges.files import resources
from feeds.edges.files.write_files import create_file
from feeds.edges.process.system import system_language, system_time_zone
from feeds.errors import FeedsError
from feeds.generators import GENERATORS, Generator, find_generator, read_config, recognise_config
from feeds.jobs.existing_site import read_site
from feeds.permalinks import GeneratorChoice, GeneratorName
from feeds.settings import FeedSettings

#: The config file that is written.
CONFIG = "feeds.toml"
#: The keys that are set, in the order in which they are shown.
_KEYS = (
    *("site.title", "site.url", "site.id_authority", "site.language", "site.timezone", "site.author"),
    *("posts.folder", "posts.only_in", "posts.generator", "posts.date_from"),
    *("posts.permalink", "posts.permalink_lang", "posts.permalinks", "posts.authors", "posts.rendered"),
    *("feeds.folder", "feeds.moved"),
)


@dataclass(frozen=True, kw_only=True)
class InitOptions:
    """The values that the user gives for the site; None is found out."""

    title: str | None = None
    url: str | None = None
    posts: str | None = None
    generator: GeneratorChoice = "auto"


@dataclass(frozen=True, kw_only=True)
class NewSite:
    """The site that is created."""

    folder: Path
    #: The folder of posts.
    posts: str
    #: The name of the site generator, for people; empty if it is not known.
    generator: str = ""
    #: Whether there is something already: the settings of a generator, or a folder of posts.
    is_existing: bool = False
    #: Table and key -> value and where it is from, in the order in which they are shown.
    values: Mapping[str, Found] = field(default_factory=dict)
    #: What could not be taken, and what to add to the settings of the generator: one line each.
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    #: The folder into which the generator builds the site, if it is not there yet.
    unbuilt: str = ""
    #: The file or URL of the feed whose ids are to be adopted; empty without one.
    old_feed: str = ""


def plan_site(folder: Path, options: InitOptions, *, now: datetime, environ: Mapping[str, str]) -> NewSite:
    """Return the settings of a site with its own posts; nothing is written.

    They are taken from *options*, from the settings of the site generator, and from the system (language, time zone).
    The tagging authority for new ids is the host of the URL and the year of *now*.

    Raises:
        FeedsError: the folder has a config file of Feeds already, or an option is not valid.
    """
    _refuse_existing(folder)
    found = find_generator(folder)
    name = _generator_name(options.generator, found)
    facts = read_site(folder, name, _posts_folder(folder, options, name))
    values = dict(_site_values(options, facts, now, environ)) | dict(_folder_values(facts))
    if options.generator not in ("auto", found.name.lower() if found else "none"):
        values["posts.generator"] = Found(value=name, source="--generator")
    return NewSite(
        folder=folder,
        posts=str(values["posts.folder"].value),
        is_existing=name != "none" or (folder / str(values["posts.folder"].value)).is_dir(),
        generator=next((one.name for one in GENERATORS if one.name.lower() == name), ""),
        values={key: values[key] for key in _KEYS if key in values},
        problems=tuple(facts.problems),
        advice=tuple(facts.advice),
        unbuilt=facts.output if facts.output and "posts.rendered" not in values else "",
        old_feed=_old_feed(folder, facts, values),
    )


def create_site(site: NewSite) -> tuple[str, ...]:
    """Write the settings of a site, and its folder of posts if there is none; everything else stays as it is.

    Return what was written, relative to the site's folder.

    Raises:
        FeedsError: the folder cannot be written.
    """
    has_posts = (site.folder / site.posts).is_dir()
    try:
        (site.folder / site.posts).mkdir(parents=True, exist_ok=True)
        text = fill_reference(_reference(), {key: found.value for key, found in site.values.items()})
        _write_config(site.folder, text)
    except OSError as e:
        raise FeedsError(f"{site.folder}: cannot be written: {e.strerror or e}") from e
    return (CONFIG,) if has_posts else (CONFIG, f"{site.posts}/")


def create_sample(folder: Path) -> tuple[NewSite, tuple[str, ...]]:
    """Copy the sample site to *folder*; return it, and what was written.

    Raises:
        FeedsError: the folder has a config file of Feeds or posts already, is the site of a generator, or cannot be
            written.
    """
    _refuse_existing(folder)
    if generator := find_generator(folder):
        raise FeedsError(f"{folder} is a site of {generator.name}: leave out --sample, or name an empty folder")
    if (folder / "posts").exists():
        raise FeedsError(f"{folder / 'posts'} already exists; name an empty folder: feeds init --sample DIR")
    try:
        shutil.copytree(resources.resource_folder() / "posts", folder / "posts")
        _write_config(folder, _reference())
    except OSError as e:
        raise FeedsError(f"{folder}: cannot be written: {e.strerror or e}") from e
    return NewSite(folder=folder, posts="posts"), (CONFIG, "posts/")


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


def _generator_name(chosen: GeneratorChoice, found: Generator | None) -> GeneratorName:
    if chosen != "auto":
        return chosen
    name: GeneratorName = found.name.lower() if found else "none"  # type: ignore[assignment] # the names of the table
    return name


def _posts_folder(folder: Path, options: InitOptions, generator: GeneratorName) -> Found | None:
    """Return the folder that `--posts` names; None without the option. Only a new site may have none yet."""
    if options.posts is None:
        return None
    posts = to_folder(options.posts, ".")
    if not (folder / posts).is_dir() and (generator != "none" or (folder / posts).exists()):
        raise FeedsError(f"--posts: {folder / posts} is not a folder; name the folder of your posts")
    return Found(value=posts, source="--posts")


def _old_feed(folder: Path, facts: SiteFacts, values: Mapping[str, Found]) -> str:
    """Return the file of the feed whose ids are to be adopted; its URL if the site is not built; empty without one."""
    feed = feed_to_adopt(facts.feeds)
    if feed is None:
        return ""
    if "posts.rendered" in values:
        return str(folder / facts.output / feed.path)
    return f"{values['site.url'].value}{feed.path}" if "site.url" in values else ""


# The values -------------------------------------------------------------------------------------------------------


def _site_values(
    options: InitOptions, facts: SiteFacts, now: datetime, environ: Mapping[str, str]
) -> Iterator[tuple[str, Found]]:
    """Yield the values of `[site]`: what the user says, what the site says, what the system says."""
    yield from ((key, found) for key, found in facts.values.items() if key.startswith("site."))
    if options.title is not None:
        yield "site.title", Found(value=" ".join(options.title.split()), source="--title")
    url = facts.value("site.url")
    if options.url is not None:
        try:
            url = Url.parse(options.url)
        except ValueError as e:
            raise FeedsError(f"--url: {e}") from e
        yield "site.url", Found(value=url, source="--url")
    if url:
        authority = f"{urlsplit(url).hostname},{now.year}"
        yield "site.id_authority", Found(value=authority, source="the URL and this year; never change it")
    if "site.language" not in facts.values:
        yield "site.language", Found(value=system_language(environ), source="the system")
    if "site.timezone" not in facts.values:
        yield "site.timezone", Found(value=system_time_zone(), source="the system")


def _folder_values(facts: SiteFacts) -> Iterator[tuple[str, Found]]:
    """Yield the values of `[posts]` and `[feeds]`."""
    yield from ((key, found) for key, found in facts.values.items() if not key.startswith("site."))
    if facts.output and facts.output != FeedSettings().folder:
        yield "feeds.folder", Found(value=facts.output, source="the folder of the built site")
