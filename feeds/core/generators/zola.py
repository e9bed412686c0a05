"""The settings of a Zola site. Sources: the pages on configuration, feeds and sections of getzola.org."""

import re

from feeds.core.generators.data_files import read_front_matter, read_table
from feeds.core.generators.site_files import (
    SECTION_NAMES,
    SiteFacts,
    SiteFiles,
    choose_section,
    feed_format,
    read_cname,
    to_folder,
    to_list,
    to_table,
    to_text,
)

#: The files that are read: a feed may have a template of its own, and sections may have feeds.
FILES = re.compile(
    r"(?:zola|config)\.toml|CNAME|static/CNAME|content/(?:[^/]+/)?_index\.md|templates/[\w.-]+\.xml"
    r"|(?:themes/[^/]+/)?templates/(?:base|index|layout)\.html"
)
_CONTENT = "content"


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `config.toml` says."""
    facts = site.new_facts("public")
    name = site.first("zola.toml", "config.toml") or "config.toml"
    config = read_table(site, name, facts) if name in site.texts else {}
    for key, own in {"title": "title", "url": "base_url", "language": "default_language", "author": "author"}.items():
        facts.set(f"site.{key}", config.get(own), f"{name}: {own}")
    home = f"{_CONTENT}/_index.md"
    facts.set("site.title", read_front_matter(site, home, facts).get("title"), f"{home}: title")
    if to_table(config.get("languages")):
        facts.set("site.language", "en", "Zola's default")
    read_cname(site, facts)
    facts.output = to_folder(config.get("output_dir"), "public")
    if site.posts_below(_CONTENT):
        facts.set("posts.folder", choose_section(site, _CONTENT, SECTION_NAMES), "the section that has posts")
    facts.set("posts.permalink", "/{path}/", "Zola's default")
    _warn_of_slugs(facts, config, name)
    _read_feeds(site, facts, config, name)
    return facts


def _warn_of_slugs(facts: SiteFacts, config: dict[str, object], name: str) -> None:
    """Add a problem for settings that keep signs, capital letters or dates in addresses (`[slugify]`)."""
    slugify = to_table(config.get("slugify"))
    paths = to_text(slugify.get("paths")).lower() or "on"
    lacks = "names with capital letters, underscores, spaces or other signs have other addresses"
    if paths != "on":
        facts.problems.append(
            f"{name}: slugify.paths = {paths!r} is not known to Feeds: {lacks};"
            " set `path` in the front matter of such posts"
        )
    if slugify.get("paths_keep_dates") in (True, "true"):
        facts.problems.append(
            f"{name}: slugify.paths_keep_dates is not known to Feeds: files with a date in their name have other"
            " addresses; compare `feeds posts`, and set posts.permalink to, for example, '/blog/{stem}/'"
        )


def _read_feeds(site: SiteFiles, facts: SiteFacts, config: dict[str, object], name: str) -> None:
    """Add the feed of the section of posts, which has nothing else, and that of the site."""
    written = config.get("feed_filenames") or config.get("feed_filename") or "atom.xml"
    names = [one for one in map(to_text, to_list(written)) if one.endswith(".xml")]
    section = facts.value("posts.folder").removeprefix(_CONTENT).strip("/")
    page = f"{_CONTENT}/{section}/_index.md" if section else ""
    front = read_front_matter(site, page, facts)
    places = ({f"{section}/": (front, page)} if section else {}) | {"": (config, name)}
    for start, (table, source) in places.items():
        key = next((key for key in ("generate_feeds", "generate_feed") if table.get(key) in (True, "true")), None)
        for one in names if key else ():
            facts.add_feed(start + one, feed_format(one, site.texts.get(f"templates/{one}", "")), f"{source}: {key}")
