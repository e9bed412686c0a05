"""Read what the settings and files of a site say that is to get feeds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from feeds.config_types import ConfigString, Language, TimeZone, Url
from feeds.core.generators.old_feeds import USUAL_PATHS, check_feeds, linked_feeds, moved_feeds
from feeds.core.generators.readers import READERS
from feeds.core.generators.site_files import Found, SiteFacts, SiteFiles
from feeds.edges.files.site_scan import list_site, read_head, read_texts
from feeds.jobs.posts.authors import author_names
from feeds.permalinks import GeneratorName, check_pattern

#: Key -> the type of its values.
_TYPES: Mapping[str, type[ConfigString] | type[TimeZone]] = {
    "site.url": Url,
    "site.language": Language,
    "site.timezone": TimeZone,
}


def read_site(folder: Path, generator: GeneratorName, posts: Found | None) -> SiteFacts:
    """Return what is known of the site in *folder*; every value is valid for its key.

    *posts* is the folder of posts if it is known before. What is there but cannot be taken is in `problems`.
    """
    reader = READERS[generator]
    paths = list_site(folder)
    site = SiteFiles(paths=paths, texts=read_texts(folder, paths, reader.files), posts=posts)
    facts = reader.read(site)
    if "posts.folder" not in facts.values:
        usual = next((name for name in reader.posts if (folder / name).is_dir()), reader.posts[0])
        facts = reader.read(replace(site, posts=Found(value=usual, source="the usual folder")))
    if language := site.html_language():
        facts.set("site.language", language[0], f"{language[1]}: lang")
    for key in _TYPES:
        _check_value(facts, key)
    for key in ("posts.permalink", "posts.permalink_lang"):
        _check_permalink(facts, key, generator)
    _find_authors(folder, facts)
    if facts.output:
        _find_built_site(folder, facts)
    return facts


def _check_value(facts: SiteFacts, key: str) -> None:
    """Write a value as `feeds.toml` has it; drop what is not valid."""
    found = facts.values.pop(key, None)
    if found is None or not isinstance(found.value, str):
        return
    try:
        parsed = _TYPES[key].parse(found.value.replace("_", "-") if key == "site.language" else found.value)
    except ValueError as e:
        facts.problems.append(f"{found.source} was not taken: {e}")
        return
    text = parsed.key if isinstance(parsed, TimeZone) else str(parsed)
    facts.values[key] = Found(value=text, source=found.source)


def _check_permalink(facts: SiteFacts, key: str, generator: GeneratorName) -> None:
    """Drop a pattern with placeholders that are not known; the default of Feeds is in its place."""
    found = facts.values.get(key)
    if found is None:
        return
    try:
        check_pattern(str(found.value), generator)
    except ValueError as e:
        del facts.values[key]
        facts.problems.append(f"{found.source}: {found.value!r} was not taken ({e}); set {key}")


def _find_authors(folder: Path, facts: SiteFacts) -> None:
    """Set the file of authors that the settings name, if it exists, else the one that is at a usual place."""
    named = facts.values.pop("posts.authors", None)
    if named and (folder / str(named.value)).exists():
        facts.values["posts.authors"] = named
        return
    for name in author_names(facts.value("posts.folder")):
        if (folder / name).exists():
            facts.set("posts.authors", name, "the file that has authors")


def _find_built_site(folder: Path, facts: SiteFacts) -> None:
    """Set what depends on the built site: its folder, and the feeds that it has."""
    built = folder / facts.output
    if next(built.rglob("*.html"), None) is not None:
        facts.set("posts.rendered", facts.output, "the built site")
        facts.feeds = check_feeds(facts.feeds, dict(_heads(built, facts)), facts.output)
    moved = moved_feeds(facts.feeds)
    if moved:
        source = ", ".join(dict.fromkeys(one.source for one in facts.feeds))
        facts.values["feeds.moved"] = Found(value=moved, source=source)


def _heads(built: Path, facts: SiteFacts) -> Iterator[tuple[str, str]]:
    """Yield the files of the built site that may be feeds, and how they begin; links count if there is no other."""
    found = False
    for path in dict.fromkeys([*(one.path for one in facts.feeds), *USUAL_PATHS]):
        if (head := read_head(built / path)) is not None:
            found = True
            yield path, head
    if not found:
        base = urlsplit(facts.value("site.url")).path
        for path in linked_feeds(read_head(built / "index.html") or "", base):
            if path and ".." not in path and (head := read_head(built / path)) is not None:
                yield path, head
