"""The settings of a Hugo site.

Sources: the pages on configuration of gohugo.io: all settings, languages, permalinks, front matter, outputs; and on
content organization. Keys are in any case, files of `config/_default/` are tables, those of `config/production/` win.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
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
_CONTENT = "content"
_KINDS = ("toml", "yaml", "yml", "json")
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
    content = _content_folder(config, own, code)
    _read_posts(site, facts, config, content, source)
    if [to_text(one).lower() for one in to_list(to_table(config.get("frontmatter")).get("date"))][:1] == [":filename"]:
        facts.set("posts.date_from", "file_name", source("frontmatter.date"))
    rules = _read_rules(config, content, code)
    _set_permalink(site, facts, config, rules, source)
    _read_feeds(facts, config, rules, source)
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


def _content_folder(config: dict[str, Any], own: dict[str, Any], code: str) -> str:
    """Return the folder of content in the default language: of the settings, or the first that is mounted there."""
    for one in map(to_table, to_list(to_table(config.get("module")).get("mounts"))):
        if to_text(one.get("target")) == _CONTENT and to_text(one.get("lang")) in ("", code):
            return to_folder(one.get("source"), _CONTENT)
    return to_folder(own.get("contentdir") or config.get("contentdir"), _CONTENT)


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


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """What decides addresses besides the pattern."""

    #: The folder of content. Feeds counts sections from `content/`.
    content: str
    #: The folder of the default language on the site, with a slash before it; usually empty.
    start: str
    #: How addresses end without a pattern.
    ending: str

    def default(self, sections: list[str]) -> str:
        """Return the pattern of posts in *sections* without a pattern of Hugo."""
        path = "{path}" if self.content == _CONTENT else "/".join([*sections, ":slugorcontentbasename"])
        return f"{self.start}/{path}{self.ending}"


def _read_rules(config: dict[str, Any], content: str, code: str) -> _Rules:
    is_in_folder = code and config.get("defaultcontentlanguageinsubdir") in (True, "true")
    return _Rules(
        content=content,
        start=f"/{code.lower()}" if is_in_folder else "",
        ending=".html" if config.get("uglyurls") in (True, "true") else "/",
    )


def _set_permalink(site: SiteFiles, facts: SiteFacts, config: dict[str, Any], rules: _Rules, source: Source) -> None:
    patterns = _patterns(config)
    folder = facts.value("posts.folder")
    sections = [part for part in folder.removeprefix(rules.content).split("/") if part]
    if sections and sections[0] in patterns:
        pattern = _take_pattern(facts, patterns[sections[0]], sections, rules, source)
        facts.set("posts.permalink", pattern, source(f"permalinks.{sections[0]}"))
    elif patterns and folder == rules.content:
        pairs = ((name, _take_pattern(facts, written, [name], rules, source)) for name, written in patterns.items())
        if taken := {name: pattern for name, pattern in pairs if pattern}:
            facts.values["posts.permalinks"] = Found(value=taken, source=source("permalinks"))
    if "posts.permalink" not in facts.values and rules.content != _CONTENT:
        _warn_of_folders(site, facts, folder)
    facts.set("posts.permalink", rules.default(sections), "Hugo's default")


def _warn_of_folders(site: SiteFiles, facts: SiteFacts, folder: str) -> None:
    """Add a problem if there are posts in deeper folders, whose names no pattern has if content is elsewhere."""
    if any("/" in path.removesuffix("/index.md") for path in site.posts_below(folder)):
        facts.problems.append(
            f"{folder}: posts in folders below it may have other addresses; compare `feeds posts`, set posts.permalink"
        )


def _patterns(config: dict[str, Any]) -> dict[str, str]:
    """Return the patterns by section; newer sites have them below the kind of page."""
    written = to_table(config.get("permalinks"))
    written |= to_table(written.get("page"))
    return {name: text for name, value in written.items() if (text := to_text(value))}


def _take_pattern(facts: SiteFacts, written: str, sections: list[str], rules: _Rules, source: Source) -> str:
    """Return a pattern for `feeds.toml`; empty, with a problem, if it has placeholders that are not known."""
    pattern = re.sub(r":(2006|01|02)(?!\w)", lambda found: f":{_GO_DATES[found[1]]}", written)
    if rules.content != _CONTENT:
        pattern = re.sub(r":sections?(?![\w\[])", "/".join(sections), pattern)
    try:
        _check_pattern(pattern)
    except ValueError as e:
        facts.problems.append(f"{source('permalinks')} = {written!r} was not taken: {e}")
        return ""
    return f"{rules.start}/{pattern.lstrip('/')}" if rules.start else pattern


def _check_pattern(pattern: str) -> None:
    if unknown := re.search(r":\d+|\[.*", pattern):
        raise ValueError(f"{unknown[0]} is a notation of Hugo that is not known here")
    check_pattern(pattern, "hugo")


def _read_feeds(facts: SiteFacts, config: dict[str, Any], rules: _Rules, source: Source) -> None:
    """Add the feed of the section of posts, which has nothing else, and that of the home page: Hugo's default.

    They are in the folder of the default language, if it has one.
    """
    outputs = to_table(config.get("outputs"))
    rss = to_table(to_table(config.get("outputformats")).get("rss"))
    name = f"{to_text(rss.get('basename')) or 'index'}.xml"
    if "rss" in {to_text(kind).lower() for kind in to_list(config.get("disablekinds"))}:
        return
    folder = facts.value("posts.folder")
    section = folder.removeprefix(rules.content).strip("/")
    for kind, path in {"section": f"{section}/{name}" if section else "", "home": name}.items():
        formats = [to_text(one).lower() for one in to_list(outputs.get(kind))] or ["rss"]
        if path and "rss" in formats:
            facts.add_feed(
                f"{rules.start}/{path}", "rss", source(f"outputs.{kind}") if kind in outputs else "Hugo's default"
            )
