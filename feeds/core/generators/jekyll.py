"""The settings of a Jekyll site.

Sources: the pages on configuration, collections, permalinks and front matter defaults of jekyllrb.com; jekyll-feed's
README; `add_default_collections` in lib/jekyll/configuration.rb and `url_template` in lib/jekyll/collection.rb.
"""

import re
from typing import Any

from feeds.core.generators.data_files import read_table
from feeds.core.generators.site_files import (
    SiteFacts,
    SiteFiles,
    feed_format,
    join_folder,
    join_url,
    read_cname,
    to_folder,
    to_list,
    to_table,
    to_text,
)

#: The files that are read. A feed in the site's folder is a template of the feed.
FILES = re.compile(
    r"_config\.(?:yml|yaml|toml)|CNAME|Gemfile|(?:[\w-]+/)?(?:atom|feed|rss|index)\.xml"
    r"|(?:[\w-]+/)?_(?:layouts|includes)/[^/]+\.html"
)
#: Styles of addresses and the end of the addresses of a collection (`Utils.add_permalink_suffix`).
_ENDS = {"pretty": "/", "date": ":output_ext", "ordinal": ":output_ext", "none": ":output_ext", "": ":output_ext"}
#: What Jekyll would publish: the settings, and the editor's notes for issues that are not sent yet.
_PRIVATE = ("feeds.toml", "letters")


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `_config.yml` says."""
    facts = site.new_facts("_site")
    name = site.first("_config.yml", "_config.yaml", "_config.toml")
    config = read_table(site, name, facts) if name else {}
    name = name or "_config.yml"
    for key, names in {"title": ("title", "name"), "timezone": ("timezone",), "author": ("author",)}.items():
        for one in names:
            value = config.get(one)
            facts.set(
                f"site.{key}", to_table(value).get("name") if isinstance(value, dict) else value, f"{name}: {one}"
            )
    for one in ("lang", "locale", "language"):
        facts.set("site.language", config.get(one), f"{name}: {one}")
    base = to_text(config.get("baseurl"))
    facts.set("site.url", join_url(config.get("url"), base), f"{name}: url" + (" and baseurl" if base else ""))
    read_cname(site, facts)
    facts.output = to_folder(config.get("destination"), "_site")
    _read_posts(site, facts, config, name)
    _read_feed(site, facts, config, name)
    _advise(site, facts, config, name)
    return facts


def _read_posts(site: SiteFiles, facts: SiteFacts, config: dict[str, Any], name: str) -> None:
    source = to_folder(config.get("source"), ".")
    base = join_folder(source, to_folder(config.get("collections_dir"), "."))
    collections = _collections(config)
    own = {join_folder(base, f"_{label}"): label for label, table in collections.items() if table.get("output") is True}
    usual = [join_folder(base, "_posts"), *_folders_of_posts(site, source), *own]
    folder = facts.value("posts.folder") or next((one for one in usual if site.posts_below(one)), "")
    label = own.get(folder, "posts")
    facts.set("posts.folder", folder, f"{name}: collections" if label != "posts" else "the folder that has posts")
    if label == "posts":
        _set_permalink(facts, config, collections.get("posts", {}), name)
        return
    facts.set("posts.permalink", collections[label].get("permalink"), f"{name}: collections.{label}.permalink")
    facts.set("posts.permalink", _collection_style(to_text(config.get("permalink"))), "Jekyll's default")


def _collections(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the collections; they may be a list of names."""
    written = config.get("collections")
    if isinstance(written, list):
        return {to_text(one): {} for one in written}
    return {name: to_table(options) for name, options in to_table(written).items()}


def _folders_of_posts(site: SiteFiles, source: str) -> list[str]:
    """Return every other folder `_posts`, the one with most posts first: their parents are categories."""
    start = "" if source == "." else f"{source}/"
    folders: dict[str, int] = {}
    for path in site.paths:
        before, sign, _ = path.partition("/_posts/")
        if sign and path.startswith(start):
            folders[f"{before}/_posts"] = folders.get(f"{before}/_posts", 0) + 1
    return sorted(folders, key=lambda one: -folders[one])


def _set_permalink(facts: SiteFacts, config: dict[str, Any], collection: dict[str, Any], name: str) -> None:
    """Set the pattern of posts: of the front matter defaults, of the collection, of the site, or Jekyll's default."""
    for default in to_list(config.get("defaults")):
        scope, values = to_table(to_table(default).get("scope")), to_table(to_table(default).get("values"))
        is_of_posts = scope.get("type") in (None, "posts") and (to_text(scope.get("path")) or "_posts") == "_posts"
        if is_of_posts:
            facts.set("posts.permalink", values.get("permalink"), f"{name}: defaults.permalink")
    facts.set("posts.permalink", collection.get("permalink"), f"{name}: collections.posts.permalink")
    facts.set("posts.permalink", config.get("permalink"), f"{name}: permalink")
    facts.set("posts.permalink", "date", "Jekyll's default")


def _collection_style(permalink: str) -> str:
    end = _ENDS.get(permalink) or ("/" if permalink.endswith("/") else "")
    return f"/:collection/:path{':output_ext' if permalink.endswith(':output_ext') else end}"


def _read_feed(site: SiteFiles, facts: SiteFacts, config: dict[str, Any], name: str) -> None:
    plugins = [*to_list(config.get("plugins")), *to_list(config.get("gems"))]
    is_in_gemfile = re.search(r"""^[^#\n]*gem ['"]jekyll-feed['"]""", site.texts.get("Gemfile", ""), re.MULTILINE)
    if "jekyll-feed" in plugins or is_in_gemfile:
        path = to_text(to_table(config.get("feed")).get("path")) or "feed.xml"
        facts.add_feed(path, "atom", f"{name}: jekyll-feed" if "jekyll-feed" in plugins else "Gemfile: jekyll-feed")
    start = to_folder(config.get("source"), "")
    for path, text in site.texts.items():
        below = path.removeprefix(f"{start}/") if start not in ("", ".") else path
        if path.endswith(".xml") and "/" not in below and text.startswith("---") and "<sitemapindex" not in text:
            facts.add_feed(below, feed_format(path, text), path)


def _advise(site: SiteFiles, facts: SiteFacts, config: dict[str, Any], name: str) -> None:
    """Jekyll publishes every file in its source, and empties the built site except what `keep_files` names."""
    excluded = [to_text(one).strip("/") for one in to_list(config.get("exclude"))]
    private = [one for one in _PRIVATE if one not in excluded and not site.has_folder(one)]
    if private and to_folder(config.get("source"), ".") == ".":
        lines = " and ".join(f"`- {one}`" for one in private)
        what = f"{lines} to `exclude`" if excluded else f"`exclude: [{', '.join(private)}]`"
        facts.advice.append(f"{name}: add {what}, or Jekyll publishes your settings and notes")
        facts.advice.append(f"Delete {facts.output}/feeds.toml, if Jekyll has written it already.")
    if not {"feeds", "newsletters"} <= {to_text(one) for one in to_list(config.get("keep_files"))}:
        facts.advice.append(f"{name}: add `keep_files: [feeds, newsletters]`, or each build removes the feeds")
