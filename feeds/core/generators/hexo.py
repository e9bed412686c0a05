"""The settings of a Hexo site. Sources: the pages on configuration and permalinks of hexo.io; hexo-generator-feed."""

import re

from feeds.core.generators.data_files import read_table
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
FILES = re.compile(r"_config\.ya?ml|package\.json|CNAME|source/CNAME")
_FEED = "hexo-generator-feed"


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `_config.yml` says."""
    facts = site.new_facts("public")
    name = site.first("_config.yml", "_config.yaml") or "_config.yml"
    config = read_table(site, name, facts) if name in site.texts else {}
    for key in ("title", "timezone", "author"):
        facts.set(f"site.{key}", config.get(key), f"{name}: {key}")
    root = to_text(config.get("root")).strip("/")
    facts.set("site.url", join_url(config.get("url"), root), f"{name}: url" + (" and root" if root else ""))
    read_cname(site, facts)
    languages = [to_text(one) for one in to_list(config.get("language"))]
    facts.set("site.language", next((one for one in languages if one != "default"), ""), f"{name}: language")
    facts.output = to_folder(config.get("public_dir"), "public")
    facts.set(
        "posts.folder", join_folder(to_folder(config.get("source_dir"), "source"), "_posts"), f"{name}: source_dir"
    )
    permalink = to_text(config.get("permalink"))
    if to_table(config.get("pretty_urls")).get("trailing_html") is False:
        permalink = permalink.removesuffix(".html")
    facts.set("posts.permalink", permalink, f"{name}: permalink")
    facts.set("posts.permalink", ":year/:month/:day/:title/", "Hexo's default")
    package = read_table(site, "package.json", facts) if "package.json" in site.texts else {}
    if _FEED in to_table(package.get("dependencies")):
        _read_feeds(facts, to_table(config.get("feed")), name)
    return facts


def _read_feeds(facts: SiteFacts, feed: dict[str, object], name: str) -> None:
    """Add the feeds that the plug-in makes; its default is Atom."""
    kinds = [to_text(one) for one in to_list(feed.get("type"))] or ["atom"]
    paths = [to_text(one) for one in to_list(feed.get("path"))]
    for n, kind in enumerate(kinds):
        default = "rss2.xml" if kind == "rss2" else "atom.xml"
        path = paths[n] if n < len(paths) else default
        facts.add_feed(path, "rss" if kind == "rss2" else "atom", f"{name}: feed" if feed else f"package.json: {_FEED}")
