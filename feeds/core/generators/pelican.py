"""The settings of a Pelican site: the literals of `pelicanconf.py` and `publishconf.py`. No Python is executed.

Source: the page on settings of docs.getpelican.com.
"""

import ast
import re
from collections.abc import Callable
from typing import Any

from feeds.core.generators.site_files import SiteFacts, SiteFiles, join_folder, read_cname, to_folder, to_list, to_text

#: The files that are read: `publishconf.py` has what differs on the web.
FILES = re.compile(r"pelicanconf\.py|publishconf\.py|CNAME|content/extra/CNAME")
#: What the placeholders of `ARTICLE_URL` stand for.
_PLACEHOLDERS = {"date:%Y": "{year}", "date:%m": "{month}", "date:%d": "{day}", "date:%b": "{short_month}"} | {
    "date:%B": "{long_month}",
    "date:%-m": "{i_month}",
    "date:%-d": "{i_day}",
    "date:%y": "{short_year}",
    "date:%j": "{y_day}",
    "category": "{category}",
    "lang": "{lang}",
}
_FEEDS = (("FEED_ALL_ATOM", "atom", "feeds/all.atom.xml"), ("FEED_ALL_RSS", "rss", None))
_OLD_FEEDS = (("FEED_ATOM", "atom", None), ("FEED_RSS", "rss", None))


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return what `pelicanconf.py` says, and `publishconf.py`, which counts more."""
    facts = site.new_facts("output")
    config: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in ("pelicanconf.py", "publishconf.py"):
        literals = _read_literals(name, site.texts.get(name, ""), config, facts)
        config |= literals
        sources |= dict.fromkeys(literals, name)

    def source(key: str) -> str:
        return f"{sources[key]}: {key}" if key in sources else "Pelican's default"

    for key, own in {"title": "SITENAME", "url": "SITEURL", "timezone": "TIMEZONE", "author": "AUTHOR"}.items():
        facts.set(f"site.{key}", config.get(own), source(own))
    facts.set("site.language", config.get("DEFAULT_LANG"), source("DEFAULT_LANG"))
    read_cname(site, facts)
    facts.output = to_folder(config.get("OUTPUT_PATH"), "output")
    content = to_folder(config.get("PATH"), "content")
    places = [to_text(one) for one in to_list(config.get("ARTICLE_PATHS"))]
    folders = [join_folder(content, to_folder(one, ".")) for one in places if one] or [content]
    posts = folders[0] if len(folders) == 1 else content
    facts.set("posts.folder", posts, source("ARTICLE_PATHS" if "ARTICLE_PATHS" in config else "PATH"))
    _set_permalink(facts, config, source)
    for key, form, default in (*_FEEDS, *_OLD_FEEDS):
        path = to_text(config.get(key, default))
        if path and "%s" not in path and "{" not in path:
            facts.add_feed(path, form, source(key))  # type: ignore[arg-type] # the values of the tables above
    return facts


def _read_literals(name: str, text: str, known: dict[str, Any], facts: SiteFacts) -> dict[str, Any]:
    """Return the settings that are literals, names of such, or texts that are joined with `+`."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        facts.problems.append(f"{name}: cannot be read ({e}); nothing was taken from it")
        return {}
    found: dict[str, Any] = {}
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(statement, ast.Assign):
                try:
                    found[target.id] = _evaluate(statement.value, known | found)
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    found.pop(target.id, None)
    return found


def _evaluate(node: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _evaluate(node.left, known), _evaluate(node.right, known)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
    return ast.literal_eval(node)


def _set_permalink(facts: SiteFacts, config: dict[str, Any], source: Callable[[str], str]) -> None:
    """Set the patterns: `ARTICLE_URL` and `ARTICLE_LANG_URL` with our placeholders.

    The slug is that of the title, or of the file name. Without a setting, that of translations is the default of Feeds.
    """
    slug = "{path}" if config.get("SLUGIFY_SOURCE") == "basename" else "{title}"
    for key, name, default in (
        ("posts.permalink", "ARTICLE_URL", f"/{slug}.html"),
        ("posts.permalink_lang", "ARTICLE_LANG_URL", f"/{slug}-{{lang}}.html"),
    ):
        written = to_text(config.get(name))
        pattern = _take_pattern(written, slug)
        if written and not pattern:
            facts.problems.append(f"{source(name)} = {written!r} was not taken: it has a placeholder of its own")
        if pattern or key == "posts.permalink" or slug != "{title}":
            facts.set(key, pattern or default, source(name))


def _take_pattern(written: str, slug: str) -> str:
    """Return an address of Pelican as a pattern; empty if it has a placeholder that is not known."""
    known = _PLACEHOLDERS | {"slug": slug}
    pattern = re.sub(r"\{([^{}]*)\}", lambda found: known.get(found[1], "\0"), written)
    return f"/{pattern.removesuffix('index.html').lstrip('/')}" if pattern and "\0" not in pattern else ""
