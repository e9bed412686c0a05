"""The settings of a Docusaurus site: the literal keys of its config module.

Sources: the pages on docusaurus.config.js and plugin-content-blog of docusaurus.io.
"""

import re
from collections.abc import Iterator
from typing import Any

from feeds.core.generators.javascript import find_objects
from feeds.core.generators.site_files import (
    SiteFacts,
    SiteFiles,
    join_folder,
    join_url,
    read_cname,
    to_folder,
    to_list,
    to_table,
    to_text,
)

#: The files that are read.
FILES = re.compile(r"docusaurus\.config\.(?:js|ts|mjs|mts|cjs|cts)|CNAME|static/CNAME")
_PLUGIN = "plugin-content-blog"
#: `feedOptions.type` -> file name and format.
_FEEDS = {"rss": ("rss.xml", "rss"), "atom": ("atom.xml", "atom"), "json": ("feed.json", "json")}


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `docusaurus.config.js` says."""
    facts = site.new_facts("build")
    name = next((path for path in site.texts if path.startswith("docusaurus.config.")), "docusaurus.config.js")
    objects = find_objects(site.texts.get(name, ""))
    config = next((one for one in objects if "baseUrl" in one or ("url" in one and "title" in one)), {})
    base = to_text(config.get("baseUrl")).strip("/")
    facts.set("site.title", config.get("title"), f"{name}: title")
    facts.set("site.url", join_url(config.get("url"), base), f"{name}: url" + (" and baseUrl" if base else ""))
    read_cname(site, facts)
    facts.set("site.language", to_table(config.get("i18n")).get("defaultLocale"), f"{name}: i18n.defaultLocale")
    facts.set("site.language", "en", "Docusaurus's default")
    blog = next(_blog_options(config), {})
    folder = to_folder(blog.get("path"), "blog")
    facts.set("posts.folder", folder, f"{name}: blog.path" if "path" in blog else "Docusaurus's default")
    route = to_text(blog.get("routeBasePath", "blog")).strip("/")
    end = "/" if config.get("trailingSlash") is True else ""
    source = f"{name}: blog.routeBasePath" if "routeBasePath" in blog else "Docusaurus's default"
    facts.set("posts.permalink", f"/{route}/{{path}}{end}".replace("//", "/"), source)
    if authors := to_text(blog.get("authorsMapPath")):
        facts.set("posts.authors", join_folder(folder, authors), f"{name}: blog.authorsMapPath")
    _read_feeds(facts, blog, route, name)
    return facts


def _blog_options(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the options of the blog: those of a preset, then those of the plug-in."""
    for preset in to_list(config.get("presets")):
        yield from (one["blog"] for one in to_list(preset) if isinstance(to_table(one).get("blog"), dict))
    for plugin in to_list(config.get("plugins")):
        if any(_PLUGIN in one or one == "content-blog" for one in to_list(plugin) if isinstance(one, str)):
            yield from (one for one in to_list(plugin) if isinstance(one, dict))


def _read_feeds(facts: SiteFacts, blog: dict[str, Any], route: str, name: str) -> None:
    options = to_table(blog.get("feedOptions"))
    written = options.get("type", ["rss", "atom"])
    kinds = list(_FEEDS) if written == "all" else [to_text(kind) for kind in to_list(written)]
    source = f"{name}: blog.feedOptions" if "type" in options else "Docusaurus's default"
    for kind in kinds:
        if kind in _FEEDS:
            file, form = _FEEDS[kind]
            facts.add_feed(f"{route}/{file}", form, source)  # type: ignore[arg-type] # the values of the table above
