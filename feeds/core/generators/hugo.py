"""The settings of a Hugo site.

Sources: the pages on configuration of gohugo.io: all settings, languages, permalinks, front matter, outputs; and on
content organization. Keys are in any case, files of `config/_default/` are tables, those of `config/production/` win.
"""

import re
from collections.abc import Callable
from typing import Any

from feeds.core.generators.data_files import read_table
from feeds.core.generators.site_files import (
    SECTION_NAMES,
    Found,
    SiteFacts,
    SiteFiles,
    choose_section,
    join_folder,
    read_cname,
    to_folder,
    to_list,
    to_table,
    to_text,
)
from feeds.permalinks import check_pattern

#: The files that are read.
FILES = re.compile(
    r"(?:hugo|config)\.(?:toml|ya?ml|json)|config/(?:_default|production)/[\w-]+\.(?:toml|ya?ml|json)"
    r"|(?:static|content)/CNAME|CNAME|(?:themes/[^/]+/)?layouts/(?:_default/)?baseof\.html"
)
#: Key -> the place where it is set, for people.
Source = Callable[[str], str]
_KINDS = ("toml", "yaml", "yml", "json")
#: Hugo's placeholders that have the same meaning in braces, and what `:slug` is if dates are in file names.
_BRACES = {"year": "year", "month": "month", "day": "day", "section": "section", "slug": "name", "filename": "name"}

#: Formats of Go for dates.
_GO_DATES = {"2006": "year", "01": "month", "02": "day"}


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `hugo.toml`, or another file that may have the settings, says."""
    facts = site.new_facts("public")
    config, sources = _read_config(site, facts)

    def source(key: str) -> str:
        return f"{sources.get(key.partition('.')[0].lower(), 'hugo.toml')}: {key}"

    default = to_text(config.get("defaultcontentlanguage"))
    languages = to_table(config.get("languages"))
    code = default or ("en" if languages else "")
    own = to_table(languages.get(code.lower()))
    for key in ("title", "baseURL"):
        target = "site.title" if key == "title" else "site.url"
        facts.set(target, own.get(key.lower()), source(f"languages.{code}.{key}"))
        facts.set(target, config.get(key.lower()), source(key))
    read_cname(site, facts)
    if len(languages) > 1:  # in addresses, the languages of files are compared with the key
        facts.set("site.language", code, source("defaultContentLanguage" if default else "languages"))
    for key in ("locale", "languageCode"):
        facts.set("site.language", own.get(key.lower()), source(f"languages.{code}.{key}"))
        facts.set("site.language", config.get(key.lower()), source(key))
    facts.set("site.language", default, source("defaultContentLanguage"))
    facts.set("site.timezone", own.get("timezone"), source(f"languages.{code}.timeZone"))
    facts.set("site.timezone", config.get("timezone"), source("timeZone"))
    _set_author(facts, config, source)
    facts.output = to_folder(config.get("publishdir"), "public")
    content = to_folder(own.get("contentdir") or config.get("contentdir"), "content")
    _read_posts(site, facts, config, content, source)
    is_in_folder = code and config.get("defaultcontentlanguageinsubdir") in (True, "true")
    _set_permalink(facts, config, content, f"/{code.lower()}" if is_in_folder else "", source)
    _read_feeds(facts, config, content, source)
    return facts


def _read_config(site: SiteFiles, facts: SiteFacts) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings with keys in lower case, and the file that each top-level key is from."""
    config: dict[str, Any] = {}
    sources: dict[str, str] = {}
    single = site.first(*(f"{name}.{kind}" for name in ("hugo", "config") for kind in _KINDS))
    folders = [
        path
        for base in ("config/_default/", "config/production/")
        for path in sorted(site.texts)
        if path.startswith(base)
    ]
    for path in [*([single] if single else []), *folders]:
        table = _lower_keys(read_table(site, path, facts))
        name = path.rpartition("/")[2].rpartition(".")[0].lower()
        if path != single and name not in {"hugo", "config"}:
            table = {name: table}
        for key, value in table.items():
            is_merged = isinstance(value, dict) and isinstance(config.get(key), dict)
            config[key] = config[key] | value if is_merged else value
            sources[key] = path
    return config, sources


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key).lower(): _lower_keys(inner) for key, inner in value.items()}
    return value


def _set_author(facts: SiteFacts, config: dict[str, Any], source: Source) -> None:
    for key, value in (
        ("params.author", to_table(config.get("params")).get("author")),
        ("author", config.get("author")),
    ):
        name = to_table(value).get("name") if isinstance(value, dict) else value
        facts.set("site.author", name, source(f"{key}.name" if isinstance(value, dict) else key))


def _read_posts(site: SiteFiles, facts: SiteFacts, config: dict[str, Any], content: str, source: Source) -> None:
    """Set the folder of posts: that of the main section, or all content if there are several."""
    own = config.get("mainsections") or to_table(config.get("params")).get("mainsections")
    names = [to_text(one) for one in to_list(own)]
    sections = [join_folder(content, name) for name in names if site.posts_below(join_folder(content, name))]
    if sections:
        facts.set("posts.folder", sections[0] if len(sections) == 1 else content, source("params.mainSections"))
    elif site.posts_below(content):
        facts.set("posts.folder", choose_section(site, content, SECTION_NAMES), "the section that has posts")


def _set_permalink(facts: SiteFacts, config: dict[str, Any], content: str, start: str, source: Source) -> None:
    patterns = _patterns(config)
    folder = facts.value("posts.folder")
    sections = [part for part in folder.removeprefix(content).split("/") if part]
    order = to_list(to_table(config.get("frontmatter")).get("date"))
    is_named = bool(order) and order[0] == ":filename"
    default = f"{start}/{'/'.join(sections)}/{{folder}}/{{name}}/" if is_named else f"{start}/{{path}}/"
    default = re.sub("/{2,}", "/", default)
    if config.get("uglyurls") in (True, "true"):
        default = default.rstrip("/") + ".html"
    if sections and sections[0] in patterns:
        pattern = _take_pattern(facts, patterns[sections[0]], source, start=start, is_named=is_named)
        facts.set("posts.permalink", pattern, source(f"permalinks.{sections[0]}"))
    elif patterns and folder == content:
        taken = {
            name: pattern
            for name, written in patterns.items()
            if (pattern := _take_pattern(facts, written, source, start=start, is_named=is_named))
        }
        if taken:
            facts.values["posts.permalinks"] = Found(value=taken, source=source("permalinks"))
    facts.set("posts.permalink", default, source("frontmatter.date") if is_named else "Hugo's default")


def _patterns(config: dict[str, Any]) -> dict[str, str]:
    """Return the patterns by section; newer sites have them below the kind of page."""
    written = to_table(config.get("permalinks"))
    written |= to_table(written.get("page"))
    return {name: text for name, value in written.items() if (text := to_text(value))}


def _take_pattern(facts: SiteFacts, written: str, source: Source, *, start: str, is_named: bool) -> str:
    """Return a pattern for `feeds.toml`; empty, with a problem, if it has placeholders that are not known."""
    pattern = re.sub(r":(2006|01|02)(?!\w)", lambda found: f":{_GO_DATES[found[1]]}", written)
    if is_named and {name.lower() for name in re.findall(r":(\w+)", pattern)} <= _BRACES.keys():
        pattern = "/" + re.sub(r":(\w+)", lambda found: f"{{{_BRACES[found[1].lower()]}}}", pattern.strip("/")) + "/"
    try:
        _check_pattern(pattern)
    except ValueError as e:
        facts.problems.append(f"{source('permalinks')} = {written!r} was not taken: {e}")
        return ""
    return f"{start}/{pattern.lstrip('/')}" if start else pattern


def _check_pattern(pattern: str) -> None:
    if unknown := re.search(r":\d+|\[.*", pattern):
        raise ValueError(f"{unknown[0]} is a notation of Hugo that is not known here")
    check_pattern(pattern, "hugo")


def _read_feeds(facts: SiteFacts, config: dict[str, Any], content: str, source: Source) -> None:
    """Add the feed of the section of posts, which has nothing else, and that of the home page: Hugo's default."""
    outputs = to_table(config.get("outputs"))
    rss = to_table(to_table(config.get("outputformats")).get("rss"))
    name = f"{to_text(rss.get('basename')) or 'index'}.xml"
    if "rss" in {to_text(kind).lower() for kind in to_list(config.get("disablekinds"))}:
        return
    folder = facts.value("posts.folder")
    section = folder.removeprefix(content).strip("/")
    for kind, path in {"section": f"{section}/{name}" if section else "", "home": name}.items():
        formats = [to_text(one).lower() for one in to_list(outputs.get(kind))] or ["rss"]
        if path and "rss" in formats:
            facts.add_feed(path, "rss", source(f"outputs.{kind}") if kind in outputs else "Hugo's default")
