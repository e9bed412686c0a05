"""The settings of an Astro site: the literal keys of its config module, and the files of its routes.

Sources: the pages on configuration, routing and RSS of docs.astro.build.
"""

import re
from urllib.parse import urljoin

from feeds.core.generators.javascript import find_constants, find_objects
from feeds.core.generators.site_files import (
    SECTION_NAMES,
    SiteFacts,
    SiteFiles,
    choose_section,
    feed_format,
    join_folder,
    read_cname,
    to_folder,
    to_table,
    to_text,
)

#: The files that are read: the blog template has the title in a module of constants.
FILES = re.compile(
    r"astro\.config\.(?:js|ts|mjs|mts|cjs|cts)|CNAME|public/CNAME|src/(?:consts|constants|config|site\.config)\.(?:js|ts|mjs)"
    r"|src/pages/(?:[\w-]+/)?[\w.-]+\.(?:xml|json)\.(?:js|ts)|src/layouts/[^/]+\.astro"
)
_KEYS = frozenset({"site", "base", "outDir", "srcDir", "trailingSlash", "integrations", "output", "markdown", "vite"})
_TITLES = ("SITE_TITLE", "TITLE")
#: The file that has a page for each post, below the folder of pages.
_ROUTE = re.compile(r"(?P<folder>.*?)/?\[(?:\.\.\.)?\w+\](?:/index)?\.astro")


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `astro.config.mjs` says."""
    facts = site.new_facts("dist")
    name = next((path for path in site.texts if path.startswith("astro.config.")), "astro.config.mjs")
    config = next((one for one in find_objects(site.texts.get(name, "")) if _KEYS & one.keys()), {})
    base = to_text(config.get("base")).strip("/")
    # Astro resolves `base` against `site` (`new URL(config.base, config.site)`), so a path of `site` does not count.
    start = to_text(config.get("site"))
    facts.set(
        "site.url",
        urljoin(start, f"/{base}/") if base and start else start,
        f"{name}: site" + (" and base" if base else ""),
    )
    read_cname(site, facts)
    facts.set("site.language", to_table(config.get("i18n")).get("defaultLocale"), f"{name}: i18n.defaultLocale")
    _set_title(site, facts)
    facts.output = to_folder(config.get("outDir"), "dist")
    source = to_folder(config.get("srcDir"), "src")
    _set_posts(site, facts, source)
    _set_permalink(site, facts, config, source)
    for path, text in site.texts.items():
        below = path.removeprefix(f"{source}/pages/").rpartition(".")[0]
        if path.startswith(f"{source}/pages/") and re.search("rss|feed|atom", below):
            form = feed_format(below, text)
            facts.add_feed(below, "rss" if "@astrojs/rss" in text else form, path)
    return facts


def _set_title(site: SiteFiles, facts: SiteFacts) -> None:
    for path, text in site.texts.items():
        if path.startswith("src/") and path.count("/") == 1:
            constants = find_constants(text)
            for key in _TITLES:
                facts.set("site.title", constants.get(key), f"{path}: {key}")
            for one in find_objects(text):
                facts.set("site.title", one.get("title"), f"{path}: title")


def _set_posts(site: SiteFiles, facts: SiteFacts, source: str) -> None:
    for base in (f"{source}/content", f"{source}/data", f"{source}/pages"):
        if site.posts_below(base):
            facts.set("posts.folder", choose_section(site, base, SECTION_NAMES), "the folder that has posts")


def _set_permalink(site: SiteFiles, facts: SiteFacts, config: dict[str, object], source: str) -> None:
    """Set the pattern after the route of the collection's pages."""
    pages = f"{source}/pages"
    folder = facts.value("posts.folder")
    end = "" if config.get("trailingSlash") == "never" or to_table(config.get("build")).get("format") == "file" else "/"
    if folder.startswith(pages):
        facts.set("posts.permalink", join_folder("", folder.removeprefix(pages)) + "/{path}" + end, folder)
        return
    section = folder.rpartition("/")[2] or "blog"
    routes = {
        found["folder"]: path
        for path in sorted(site.paths)
        if path.startswith(f"{pages}/") and (found := _ROUTE.fullmatch(path.removeprefix(f"{pages}/")))
    }
    preferred = (section, section.rstrip("s"), f"{section}s", *SECTION_NAMES, "")
    route = next((one for one in preferred if one in routes), None)
    place = routes[route] if route is not None else "the usual place"
    start = f"/{section if route is None else route}/".replace("//", "/")
    facts.set("posts.permalink", f"{start}{{path}}{end}", place)
