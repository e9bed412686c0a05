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
    if source == "." and _folders_of_posts(site, source) == {"source/_posts"}:
        source = "source"  # Octopress
    base = join_folder(source, to_folder(config.get("collections_dir"), "."))
    collections = _collections(config)
    own = {join_folder(base, f"_{label}"): label for label, table in collections.items() if table.get("output") is True}
    has_categories = base == source and "posts.folder" not in facts.values
    if has_categories and any("/" in one for one in _folders_of_posts(site, source)):
        facts.set("posts.folder", source, "the folder that has folders of posts")
        facts.set("posts.only_in", "_posts", "Jekyll's rule")
    usual = [join_folder(base, "_posts"), *own]
    folder = facts.value("posts.folder") or next((one for one in usual if site.posts_below(one)), "")
    label = own.get(folder, "posts")
    facts.set("posts.folder", folder, f"{name}: collections" if label != "posts" else "the folder that has posts")
    if label == "posts":
        _warn_of_category(facts, source)
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


def _folders_of_posts(site: SiteFiles, source: str) -> set[str]:
    """Return every folder `_posts` with Markdown that Jekyll reads, from the source: their parents are categories.

    It does not read folders with names such as `_old` or `old~` (lib/jekyll/entry_filter.rb).
    """
    found = set()
    for path in site.posts_below(source):
        folders = path.split("/")[:-1]
        above = folders[: folders.index("_posts")] if "_posts" in folders else ["_"]
        if not any(name.startswith(("_", "#")) or name.endswith("~") for name in above):
            found.add("/".join([*above, "_posts"]))
    return found


def _warn_of_category(facts: SiteFacts, source: str) -> None:
    """Add a problem if the folder of posts has been named and a folder above it is a category."""
    above = facts.value("posts.folder").removeprefix("" if source == "." else f"{source}/").rpartition("/_posts")[0]
    if above:
        facts.problems.append(
            f"{above}/_posts: {above!r} is a category of these posts in Jekyll, but not with this posts.folder;"
            f" set posts.folder = {source!r} and posts.only_in = '_posts', which takes all folders of posts"
        )


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
