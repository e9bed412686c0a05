"""The address of a post, from the pattern of the site and the file, as the site's generator makes it.

Sources are the generators' own: Jekyll lib/jekyll/drops/url_drop.rb and document.rb, Hugo resources/page/permalinks.go
and page_paths.go, Zola components/content/src/page.rs, Hexo lib/plugins/filter/post_permalink.ts and
processor/post.ts, Eleventy src/TemplateFileSlug.js, Docusaurus docusaurus-plugin-content-blog/src/blogUtils.ts.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from urllib.parse import quote

from feeds.core.posts import dates, slugs
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.urls import slugify
from feeds.permalinks import GeneratorName, Part, has_placeholder, parse_pattern

#: What a path may hold unescaped (RFC 3986 section 3.3).
_SAFE_IN_PATH = "/:@!$&'()*+,;=~-._%"
_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
#: Parts that a browser takes for the folder or the one above (WHATWG URL, "double-dot URL path segment").
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
#: `DATE_FILENAME_REGEX` of Docusaurus: the date of a file or its folders, and what is before and after it.
_DOCUSAURUS_DATE = re.compile(r"(.*?)(\d{4})[-/](\d{1,2})[-/](\d{1,2})[-/]?(.*)")
#: Generators that reckon the day of an address in the site's zone: Jekyll by `Time#localtime`, Hexo by `moment.tz`.
_DAY_IN_SITE_ZONE = frozenset({"jekyll", "hexo"})
#: Generators that know `x.fr.md`; for the others `x.fr` is the name.
_WITH_LANGUAGES = frozenset({"none", "hugo", "zola", "pelican"})
#: Generators whose names of files are not replaced by a `slug`: Eleventy's `fileSlug`, Hexo's `:title`.
_NAMED_BY_FILE = frozenset({"eleventy", "hexo"})
#: Key of the front matter -> the generator whose placeholders it may have.
_BY_KEY: Mapping[str, GeneratorName] = {"permalink": "jekyll", "url": "hugo"}
#: The default of Pelican's ARTICLE_LANG_URL, which does not depend on ARTICLE_URL (pelican/settings.py).
_TRANSLATIONS: Mapping[GeneratorName, str] = {"pelican": "/{title}-{lang}.html"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class PostAddress:
    """What the placeholders of a pattern stand for in one post; each value is percent-encoded."""

    def __init__(
        self, file: PostFile, *, published: datetime, title: str, slug: str, lang: str, categories: tuple[str, ...]
    ) -> None:
        self.file, self.title, self.slug, self.lang, self.categories = file, title, slug, lang, categories
        self.published = published
        self.generator = file.settings.posts.generator_name
        is_in_zone = self.generator in _DAY_IN_SITE_ZONE
        #: The publication date in the zone in which the generator reckons its day.
        self.date = published.astimezone(file.settings.site.timezone) if is_in_zone else published

    def from_settings(self) -> str:
        """Return the path that the pattern of the post's section gives, or that of the site."""
        posts = self.file.settings.posts
        pattern = posts.permalink
        if self.lang.lower() != self.file.settings.site.language.lower():
            default = pattern if "{lang}" in pattern else _TRANSLATIONS.get(self.generator, pattern)
            pattern = posts.permalink_lang or default
        if posts.permalinks:
            pattern = posts.permalinks.get((self.sections or [""])[0], pattern)
        return self._expand(_parse(pattern, self.generator))

    def from_front_matter(self, key: str, written: str) -> str:
        """Return the path that *written*, the value of `permalink`, `url` or `path`, is on the site.

        Placeholders are those of the generator, else of the one that has the key: Jekyll's `permalink`, Hugo's `url`.
        Zola's `path` ends with a slash, as does Hugo's `url` without a file extension.

        Raises:
            ValueError: it has a placeholder that is not known; the reason is for people.
        """
        if has_placeholder(written):
            generator = self.generator if self.generator in _BY_KEY.values() else _BY_KEY.get(key, "jekyll")
            return self._expand(parse_pattern(written, generator))
        is_folder = key == "path" or (key == "url" and self.generator == "hugo" and "." not in written)
        if is_folder:
            return written.rstrip("/") + "/"
        is_index = self.generator == "eleventy" and written.endswith("/index.html")
        return written.removesuffix("index.html") if is_index else written

    def _expand(self, parts: tuple[Part, ...]) -> str:
        """Return the path of the post after the parts of a pattern; it does not lead out of the site."""
        path = "".join([literal + self._value(field) if field else literal for literal, field in parts])
        if "/." in path or "/%2" in path:
            path = _DOTS.sub("", path)
        return re.sub(r"/{2,}", "/", path) if "//" in path else path

    def _value(self, field: str) -> str:
        value = _VALUES.get(field)
        if value is not None:
            return value(self)
        if field.startswith("sections["):
            return _quote("/".join(map(slugs.hugo_part, _cut(self.sections, field[len("sections[") : -1]))))
        written = self.file.source.metadata.get(field.removeprefix("key:"))
        return "" if written is None or isinstance(written, (bool, dict, list)) else _quote(str(written).strip())

    # The file ---------------------------------------------------------------------------------------------------

    @property
    def stem(self) -> str:
        """The file's name without extension."""
        return self.file.stem

    @property
    def own_slug(self) -> str:
        """The slug in the front matter, in full; empty without one.

        A post of Hugo whose date is taken from the file name has the rest of the name as slug (`:filename`).
        """
        _, value = self.file.fields.get("slug")
        if value is None or isinstance(value, (bool, dict, list)):
            is_named = self.file.is_dated_by_name or self.file.fields.get("date")[1] is None
            is_named = is_named and self.generator == "hugo"
            return self._undated_name() if is_named and self._undated_name() != self.file_name else ""
        return str(value).strip("/ ")

    @property
    def has_own_folder(self) -> bool:
        """Whether the file is the `index` of a folder that is named after the post."""
        folder, _, name = self.file.path.rpartition("/")
        return bool(folder) and name.partition(".")[0] == "index"

    @property
    def folders(self) -> list[str]:
        """The names of the folders below the posts folder; without that of an `index` file."""
        folders = self.file.path.split("/")[:-1]
        return folders[:-1] if self.has_own_folder else folders

    @property
    def sections(self) -> list[str]:
        """The folders below `content/`, as Hugo and Zola count."""
        return [*_content_folders(self.file.settings.posts.folder), *self.folders]

    @property
    def file_name(self) -> str:
        """The name of the file, or that of its folder if it is an `index`; without language, with date."""
        if self.has_own_folder or self.generator in _WITH_LANGUAGES:
            return self.file.name
        return self.stem

    @property
    def name(self) -> str:
        """The slug in the front matter, else the file name without date, as a part of an address."""
        slug = "" if self.generator in _NAMED_BY_FILE else self.own_slug
        return self.part(slug or self._undated_name() or "post")

    def _undated_name(self) -> str:
        """Return the file name without date."""
        name = dates.strip_date(self.file_name)
        return _hugo_undated(self.file_name) if self.generator == "hugo" and name != self.file_name else name

    def part(self, name: str) -> str:
        """Return a file or folder name, or a slug, as the generator makes it a part of an address."""
        return slugs.NAME_PARTS.get(self.generator, slugs.as_written)(name)

    def title_part(self, title: str) -> str:
        """Return a title as the generator makes it a part of an address."""
        return slugs.TITLE_PARTS.get(self.generator, slugs.pelican_title)(title) or "post"

    @property
    def path(self) -> str:
        """The path of the file below the posts folder, as the generator makes it an address."""
        make = _PATHS.get(self.generator)
        return make(self) if make else "/".join([*self.folders, dates.strip_date(self.file_name)])

    @property
    def language_folder(self) -> str:
        """The folder of a post in another language than the site's, which its file name says."""
        language = self.file.language_in_name
        return f"{language.lower()}/" if language and language != self.file.settings.site.language else ""

    def last_category(self) -> str:
        """Return Hexo's `:category`: the last one, with those above it."""
        _, value = self.file.fields.get("categories")
        names = value if isinstance(value, list) else [value]
        lists = [inner for inner in names if isinstance(inner, list)]
        parts = [slugs.hexo_part(str(name)) for name in (lists[-1] if lists else names) if name is not None]
        return "/".join(parts) or "uncategorized"

    def hexo_hash(self) -> str:
        """Return Hexo's `:hash`: of the name and the date in seconds."""
        written = f"{self.path}{int(self.published.timestamp())}"
        return sha1(written.encode(), usedforsecurity=False).hexdigest()[:12]


@lru_cache(maxsize=64)
def _parse(pattern: str, generator: GeneratorName) -> tuple[Part, ...]:
    return parse_pattern(pattern, generator)


def _hugo_undated(name: str) -> str:
    """Return a dated name as `dateAndSlugFromBaseFilename` does: what is after its last dot is taken for an extension.

    Source: resources/page/pagemeta/page_frontmatter.go. A date that does not exist is a part of the name.
    """
    if not dates.has_possible_date(name):
        return name
    base = name.rpartition(".")[0] or name
    return base[dates.DAY :].strip(" -_")


def _cut(names: list[str], written: str) -> list[str]:
    """Return some of the names, as in `:sections[1:]` of Hugo: an index, `last`, or two of them with a colon.

    Source: `toSliceFunc` in resources/page/permalinks.go.
    """
    low, colon, high = written.partition(":")
    first = _position(low, names, 0)
    if first >= len(names):
        return []
    return names[first : _position(high, names, len(names))] if colon else names[first : first + 1]


def _position(written: str, names: list[str], default: int) -> int:
    if written == "last":
        return max(len(names) - 1, 0)
    return int(written) if written else default


def _quote(text: str) -> str:
    """Return a part of a path percent-encoded; what is encoded already stays."""
    return quote(text if "%" not in text else _PERCENT.sub("%25", text), safe=_SAFE_IN_PATH)


@lru_cache(maxsize=16)
def _content_folders(folder: str) -> tuple[str, ...]:
    """Return the folders of a posts folder that are below the last `content` in it; none without one."""
    parts = folder.strip("/").split("/")
    if "content" not in parts:
        return ()
    return tuple(parts[len(parts) - parts[::-1].index("content") :])


# The path of a file as an address -----------------------------------------------------------------------------------


def _jekyll_path(post: PostAddress) -> str:
    """Return the path as in `cleaned_relative_path`: with date, and with `index`."""
    return post.file.path.rpartition(".")[0]


def _hugo_path(post: PostAddress) -> str:
    parts = [*post.sections, post.own_slug or post.file_name]
    return post.language_folder + "/".join(slugs.hugo_part(part) for part in parts)


def _zola_path(post: PostAddress) -> str:
    return post.language_folder + "/".join([*post.sections, post.name])


def _eleventy_path(post: PostAddress) -> str:
    """Return the path with its date; without the name if that is `index` or the folder's (`TemplatePermalink`)."""
    folders = post.file.path.split("/")[:-1]
    is_folder = bool(folders) and post.stem in {"index", folders[-1]}
    return "/".join(folders if is_folder else [*folders, post.stem])


def _pelican_path(post: PostAddress) -> str:
    """Return the slug, else the one that `SLUGIFY_SOURCE = "basename"` makes of the file name."""
    return post.own_slug or slugs.pelican_title(post.stem)


def _docusaurus_path(post: PostAddress) -> str:
    """Return the slug, else the path with the date in it as folders, as it is written."""
    written = "/".join([*post.folders, post.file_name])
    found = _DOCUSAURUS_DATE.fullmatch(written)
    return post.own_slug or ("{}{}/{}/{}/{}".format(*found.groups()) if found else written)


def _astro_path(post: PostAddress) -> str:
    return post.own_slug or "/".join(slugs.astro_part(part) for part in [*post.folders, post.file_name])


_PATHS: Mapping[str, Callable[[PostAddress], str]] = {
    "jekyll": _jekyll_path,
    "hugo": _hugo_path,
    "zola": _zola_path,
    "eleventy": _eleventy_path,
    "pelican": _pelican_path,
    "docusaurus": _docusaurus_path,
    "astro": _astro_path,
}


# Categories -------------------------------------------------------------------------------------------------------


def _all_categories(post: PostAddress) -> list[str]:
    """Return the categories; in Jekyll also the folders above `_posts`, which come first."""
    folders = post.folders
    above = folders[: folders.index("_posts")] if post.generator == "jekyll" and "_posts" in folders else []
    return list(dict.fromkeys([*above, *post.categories]))


def _joined_categories(post: PostAddress) -> str:
    """Return all categories, each a folder: in Jekyll in lower case, else as our slugs."""
    make = str.lower if post.generator == "jekyll" else slugify
    return "/".join(dict.fromkeys(make(name) for name in _all_categories(post)))


def _slugified_categories(post: PostAddress) -> str:
    return "/".join(dict.fromkeys(slugs.jekyll_slug(name) for name in _all_categories(post)))


def _slug_or_title(post: PostAddress) -> str:
    if not post.own_slug:
        return post.title_part(post.title)
    return post.title_part(post.own_slug) if post.generator == "hugo" else post.part(post.own_slug)


def _first_category(post: PostAddress) -> str:
    return slugify(post.categories[0]) if post.categories else ""


#: Field -> its value. The names of months and days are English, as those of all generators are.
_VALUES: Mapping[str, Callable[[PostAddress], str]] = {
    "year": lambda post: f"{post.date.year:04}",
    "month": lambda post: f"{post.date.month:02}",
    "day": lambda post: f"{post.date.day:02}",
    "hour": lambda post: f"{post.date.hour:02}",
    "minute": lambda post: f"{post.date.minute:02}",
    "second": lambda post: f"{post.date.second:02}",
    "i_month": lambda post: str(post.date.month),
    "i_day": lambda post: str(post.date.day),
    "short_year": lambda post: f"{post.date.year % 100:02}",
    "short_month": lambda post: _MONTHS[post.date.month - 1][:3],
    "long_month": lambda post: _MONTHS[post.date.month - 1],
    "y_day": lambda post: f"{post.date.timetuple().tm_yday:03}",
    "yearday": lambda post: str(post.date.timetuple().tm_yday),
    "week": lambda post: f"{post.date.isocalendar().week:02}",
    "w_year": lambda post: f"{post.date.isocalendar().year:04}",
    "w_day": lambda post: str(post.date.isoweekday()),
    "weekday": lambda post: str(post.date.isoweekday() % 7),
    "short_day": lambda post: _WEEKDAYS[post.date.weekday()][:3],
    "long_day": lambda post: _WEEKDAYS[post.date.weekday()],
    "slug": lambda post: quote(post.slug),
    "stem": lambda post: quote(post.stem),
    "lang": lambda post: post.lang,
    "category": lambda post: quote(_first_category(post)),
    "name": lambda post: _quote(post.name),
    "title": lambda post: _quote(_slug_or_title(post)),
    "path": lambda post: _quote(post.path),
    "folder": lambda post: _quote("/".join(map(post.part, post.folders))),
    "section": lambda post: _quote(post.part((post.sections or [""])[0])),
    "categories": lambda post: _quote(_joined_categories(post)),
    # Of one notation each (`feeds.permalinks`)
    "lower_name": lambda post: _quote(slugs.jekyll_slug(post.own_slug or dates.strip_date(post.file_name))),
    "file_slug": lambda post: _quote(slugs.jekyll_slug(post.stem)),
    "slugified_categories": lambda post: _quote(_slugified_categories(post)),
    "collection": lambda post: _quote(post.file.settings.posts.folder.rpartition("/")[2].lstrip("_")),
    "sections": lambda post: _quote("/".join(map(slugs.hugo_part, post.sections))),
    "only_title": lambda post: _quote(slugs.hugo_permalink_part(post.title)),
    "file_part": lambda post: _quote(slugs.hugo_permalink_part(post.file_name)),
    "slug_or_file": lambda post: _quote(slugs.hugo_permalink_part(post.own_slug or post.file_name)),
    "lower_short_month": lambda post: _MONTHS[post.date.month - 1][:3].lower(),
    "lower_short_day": lambda post: _WEEKDAYS[post.date.weekday()][:3].lower(),
    "lower_month": lambda post: _MONTHS[post.date.month - 1].lower(),
    "lower_weekday": lambda post: _WEEKDAYS[post.date.weekday()].lower(),
    "language_folder": lambda post: post.language_folder,
    "post_title": lambda post: _quote(slugs.hexo_title(post.title)),
    "last_category": lambda post: _quote(post.last_category()),
    "hash": PostAddress.hexo_hash,
    "html_extension": lambda _: ".html",
}
