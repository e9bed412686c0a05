"""The settings of an Eleventy site: the literal keys of its config module and of its data files.

Sources: the pages on configuration, permalinks, data files and the RSS plug-in of 11ty.dev.
"""

import re
from typing import Any

from feeds.core.generators.data_files import read_front_matter, read_table
from feeds.core.generators.javascript import find_calls, find_objects
from feeds.core.generators.site_files import (
    SECTION_NAMES,
    SiteFacts,
    SiteFiles,
    choose_section,
    feed_format,
    join_folder,
    join_url,
    read_cname,
    to_folder,
    to_table,
    to_text,
)

#: The files that are read: settings, global data, data of a folder, templates of feeds, files that are ignored.
FILES = re.compile(
    r"\.?eleventy(?:\.config)?\.(?:js|mjs|cjs|ts)|CNAME|(?:public|src)/CNAME|\.eleventyignore|\.gitignore"
    r"|(?:[\w-]+/)?_data/(?:metadata|site|meta)\.(?:js|cjs|mjs|json|ya?ml)"
    r"|(?:[\w-]+/)*[\w-]+(?:\.11tydata)?\.(?:json|11tydata\.(?:js|cjs|mjs))"
    r"|(?:[\w-]+/)*(?:feed|rss|atom|index)[\w-]*(?:\.xml)?\.(?:njk|liquid|11ty\.js)"
    r"|(?:[\w-]+/)?_includes/(?:[\w-]+/)?[\w-]+\.(?:njk|liquid|html)"
)
_METADATA = ("metadata", "site", "meta")
#: What the expressions in a permalink stand for.
_EXPRESSIONS = {
    "page.fileslug": "{name}",
    "title|slugify": "{title}",
    "title|slug": "{title}",
    "page.date|date:'%y'": "{year}",
    "page.date|date:'%m'": "{month}",
    "page.date|date:'%d'": "{day}",
}
_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what the config module and the data files say."""
    facts = site.new_facts("_site")
    name = next(
        (path for path in site.texts if re.fullmatch(r"\.?eleventy(\.config)?\.\w+", path)), "eleventy.config.js"
    )
    text = site.texts.get(name, "")
    objects = [one for one in find_objects(text) if "dir" in one or "pathPrefix" in one]
    config: dict[str, Any] = {key: value for one in objects for key, value in one.items()}
    folders = to_table(config.get("dir"))
    source = to_folder(next(iter(find_calls(text, "setInputDirectory")), folders.get("input")), ".")
    facts.output = to_folder(next(iter(find_calls(text, "setOutputDirectory")), folders.get("output")), "_site")
    _read_metadata(site, facts, join_folder(source, to_folder(folders.get("data"), "_data")), config)
    read_cname(site, facts)
    _set_posts(site, facts, source)
    _set_permalink(site, facts, source)
    _read_feeds(site, facts, text, name)
    _advise(site, facts, source)
    return facts


def _read_metadata(site: SiteFiles, facts: SiteFacts, folder: str, config: dict[str, Any]) -> None:
    """Set what the global data of the site says; it has no fixed names, but usual ones."""
    folder = _resolve(folder)
    files = [path for one in _METADATA for path in site.texts if path.startswith(f"{folder}/{one}.")]
    prefix = to_text(config.get("pathPrefix"))
    for path in files:
        is_data = path.endswith((".json", ".yml", ".yaml"))
        tables = [read_table(site, path, facts)] if is_data else find_objects(site.texts[path])
        for table in tables:
            author = table.get("author")
            facts.set("site.title", table.get("title") or table.get("name"), f"{path}: title")
            facts.set(
                "site.url", join_url(table.get("url"), prefix), f"{path}: url" + (" and pathPrefix" if prefix else "")
            )
            facts.set("site.language", table.get("language") or table.get("lang"), f"{path}: language")
            facts.set("site.author", to_table(author).get("name") or author, f"{path}: author")


def _resolve(folder: str) -> str:
    """Return a path without `..`: the folder of data is relative to that of the input."""
    parts: list[str] = []
    for part in folder.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return "/".join(parts) or "."


def _set_posts(site: SiteFiles, facts: SiteFacts, source: str) -> None:
    """Set the first folder with a usual name that has posts, at most two folders deep."""
    usual = (join_folder(source, below, name) for below in ("", "content") for name in SECTION_NAMES)
    folder = next((one for one in usual if site.posts_below(one)), None)
    if folder is None and source != "." and site.posts_below(source):
        folder = choose_section(site, source, ())
    facts.set("posts.folder", folder, "the folder that has posts")


def _set_permalink(site: SiteFiles, facts: SiteFacts, source: str) -> None:
    folder = facts.value("posts.folder")
    below = folder.removeprefix(source).strip("/") if source != "." else folder
    start = f"/{below}/" if below else "/"
    for path, table in _folder_data(site, facts, folder):
        written = to_raw_text(table.get("permalink"))
        pattern = _take_pattern(written, start)
        facts.set("posts.permalink", pattern, f"{path}: permalink")
        if written and not pattern:
            facts.problems.append(f"{path}: permalink: {written!r} is a template that only Eleventy can render")
    facts.set("posts.permalink", f"{start}{{path}}/", "Eleventy's default")


def _folder_data(site: SiteFiles, facts: SiteFacts, folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the data files of the folder of posts: `posts.json`, `posts.11tydata.js`."""
    name = folder.rpartition("/")[2]
    found = []
    for path, text in site.texts.items():
        if path in {f"{folder}/{name}.json", f"{folder}/{name}.11tydata.json"}:
            found.append((path, read_table(site, path, facts)))
        elif path.startswith(f"{folder}/{name}.11tydata."):
            found += [(path, table) for table in find_objects(text)]
    return found


def to_raw_text(value: object) -> str:
    """Return a value that may be a template; empty for everything but text."""
    return value.strip() if isinstance(value, str) else ""


def _take_pattern(written: str, start: str) -> str:
    """Return a permalink of Eleventy as a pattern; empty if an expression in it is not known."""
    known = _EXPRESSIONS | {"page.filepathstem": f"{start.rstrip('/')}/{{folder}}/{{name}}"}

    def expand(found: re.Match[str]) -> str:
        expression = re.sub(r"\s+", "", found[1]).replace('"', "'").lower()
        return known.get(expression, "\0")

    pattern = _EXPRESSION.sub(expand, written)
    if not pattern or "\0" in pattern or "{%" in pattern or "{" not in pattern:
        return ""
    return re.sub("/{2,}", "/", f"/{pattern}").removesuffix("index.html")


def _read_feeds(site: SiteFiles, facts: SiteFacts, text: str, name: str) -> None:
    """Add the feed of the plug-in (`feedPlugin`) and those of templates with a permalink that ends in `.xml`."""
    for one in find_objects(text):
        if {"outputPath", "collection"} <= one.keys():
            kind = to_text(one.get("type")) or "atom"
            facts.add_feed(
                to_text(one["outputPath"]), "atom" if kind == "atom" else feed_format(kind), f"{name}: outputPath"
            )
    for path, template in site.texts.items():
        if path.endswith((".njk", ".liquid")) and template.startswith("---"):
            permalink = to_text(read_front_matter(site, path, facts).get("permalink"))
            if permalink.endswith((".xml", ".json")) and ("<rss" in template or "<feed" in template):
                facts.add_feed(permalink, feed_format(permalink, template), path)


def _advise(site: SiteFiles, facts: SiteFacts, source: str) -> None:
    """Eleventy makes pages of all Markdown and HTML files below its input, also in hidden folders.

    It follows a `.gitignore` in the site's folder, but not the one in `.feeds/`.
    """
    ignored = f"{site.texts.get('.eleventyignore', '')}\n{site.texts.get('.gitignore', '')}".split()
    names = {line.strip("/") for line in ignored}
    private = [one for one in (".feeds", "letters") if one not in names and not site.has_folder(one)]
    if source == "." and private:
        lines = " and ".join(f"`{one}/`" for one in private)
        facts.advice.append(f".eleventyignore: add {lines}, or Eleventy publishes what is written there")
