"""Reading config.toml: `Settings`, or an error with the file, the line, the key and the nearest known name."""

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from feeds.config_types import ConfigString, FilePath, MailboxUrl, StoreUrl
from feeds.errors import ConfigError
from feeds.generators import find_generator, recognise_config
from feeds.permalinks import check_pattern
from feeds.podcast_categories import CATEGORIES
from feeds.relays import RELAYS
from feeds.settings import LATEST, PAGE_PATHS, TRANSPORT_GROUP, TRANSPORTS, Settings, Table
from feeds.spelling import closest_name
from feeds.themes import THEMES

#: Keys from the outermost table to a value; numbers are positions in lists.
KeyPath = tuple[str | int, ...]
#: The place of an error and what is wrong there.
Problem = tuple[KeyPath, str]

#: What may be before the path in a URL of the settings.
_PATH_SCHEMES = ("maildir:", "mbox:", "sqlite:///")
#: Keys that should not be left out, and what happens without them.
_RECOMMENDED: dict[KeyPath, str] = {
    ("site", "url"): "links point to http://localhost/",
    ("site", "id_authority"): "ids of new entries use the host of site.url; set it before you publish",
}
#: What is wrong with private data beside the config file.
_EXPOSED = "is beside this file, where git or a site generator may publish it"
#: Folders below `feeds/` that are used for something else than one feed.
_RESERVED_FEED_NAMES = frozenset({"all", "archive", "author", "category", "language", "newsletters", "tag"})


@dataclass(frozen=True, slots=True)
class _Source:
    """The text of config.toml, and the environment variables that override it."""

    path: Path
    text: str
    #: Dotted key -> name of the variable.
    variables: Mapping[str, str]

    def error(self, keys: KeyPath, reason: str) -> ConfigError:
        """Return an error that names where a key is set: the line, or the variable."""
        key = _format_key(keys)
        if key in self.variables:
            return ConfigError(f"${self.variables[key]}", None, key, reason)
        return ConfigError(str(self.path), _find_line(self.text, keys), key, reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings of a site, its folder, and its passwords."""

    path: Path
    settings: Settings
    #: `config.toml:line: key: …`, one line each.
    warnings: tuple[str, ...] = ()
    #: The site's folder; relative paths in the settings start here.
    folder: Path
    #: The passwords of the mail servers in the order of `mail.all_servers`; empty if the variable is not set.
    smtp_passwords: tuple[str, ...] = field(default=(), repr=False)
    #: The password of the bounce mailbox.
    bounces_password: str = field(default="", repr=False)
    source: _Source = field(repr=False, compare=False)

    def warning(self, keys: KeyPath, reason: str) -> str:
        """Return a warning about the value of a key, with the line or the variable that sets it."""
        return str(self.source.error(keys, reason))

    def resolve(self, relative: str) -> Path:
        """Return a path from the settings as a path below the site's folder."""
        return self.folder / relative

    @property
    def state(self) -> Path:
        """The folder of everything that Feeds keeps for itself; only its owner may enter it."""
        return self.resolve(self.settings.state)

    @property
    def cache_folder(self) -> Path:
        """The folder that may be deleted at any time."""
        return self.state / "cache"

    @property
    def outbox(self) -> Path:
        """The folder that messages are written to instead of being sent."""
        return self.state / "outbox"

    @property
    def store_url(self) -> str:
        """The URL of the database; a relative path in it starts at the site's folder."""
        return self.settings.store.url or f"sqlite:///{self.settings.state}/feeds.db"

    @property
    def keys_file(self) -> Path:
        """The file with the secret keys."""
        return self.resolve(self.settings.secrets.file or f"{self.settings.state}/feeds.key")


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings in *path*; variables `FEEDS_<TABLE>_<KEY>` in *environ* override them.

    Raises:
        ConfigError: the file does not exist, is not TOML, or has an unknown key or an invalid value. It has all errors
            that were found.
    """
    text = _read_text(path)
    raw = _parse_toml(path, text)
    _reject_generator_config(path, raw)
    source = _Source(path, text, dict(_apply_variables(raw, environ)))
    _apply_relay_defaults(raw)
    _apply_theme_defaults(raw)
    settings, errors, removed = _convert(source, raw)
    if settings is not None:
        settings = _find_generator(path, settings)
        found = ((_original_keys(keys, removed), reason) for keys, reason in _find_problems(path, settings, raw))
        problems = chain(found, _find_repeated_names(raw))
        errors += (source.error(keys, reason) for keys, reason in problems if keys not in removed)
    if errors or settings is None:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return Config(
        path=path,
        folder=path.resolve().parent,
        settings=settings,
        source=source,
        warnings=tuple(_find_warnings(source, raw)),
        smtp_passwords=tuple(environ.get(server.password_env, "") for server in settings.mail.all_servers),
        bounces_password=environ.get(settings.mail.bounces.password_env, "") if settings.mail.bounces else "",
    )


def _find_generator(path: Path, settings: Settings) -> Settings:
    """Return the settings with the site generator whose files are beside the config file, if they do not name it."""
    if settings.posts.generator != "auto" or not (found := find_generator(path.resolve().parent)):
        return settings
    posts = msgspec.structs.replace(settings.posts, generator=found.name.lower())
    return msgspec.structs.replace(settings, posts=posts)


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = "does not exist; run `feeds init` to create a site, or name another file with --config"
        raise ConfigError(str(path), None, "", reason) from None
    except UnicodeDecodeError as e:
        raise ConfigError(str(path), None, "", f"is not UTF-8 ({e.reason} at byte {e.start})") from e
    except OSError as e:
        raise ConfigError(str(path), None, "", e.strerror or str(e)) from e


def _parse_toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        line = re.search(r"at line (\d+)", str(e))
        number = int(line[1]) if line else text.count("\n") + 1
        raise ConfigError(str(path), number, "", f"is not TOML: {e}") from e
    except RecursionError:
        raise ConfigError(str(path), None, "", "is nested too deeply") from None


def _reject_generator_config(path: Path, raw: Mapping[str, Any]) -> None:
    """Raise ConfigError if the file is that of a site generator, which may have the same name."""
    if raw.keys() & {f.encode_name for f in msgspec.structs.fields(Settings)} - {"site"}:
        return
    if generator := recognise_config(raw):
        reason = f"is the configuration of {generator.name}; `feeds init` writes feeds.toml, or use --config"
        raise ConfigError(str(path), None, "", reason)


def _decode_string(wanted: type[Any], value: object) -> object:
    """Return *value* as a `ConfigString`; msgspec adds the key to an error that is raised here."""
    if not issubclass(wanted, ConfigString):
        raise NotImplementedError(wanted)
    if not isinstance(value, str):
        raise ValueError("Expected `str`")  # noqa: TRY004 - msgspec wants ValueError
    return wanted.parse(_expand_home(value) if issubclass(wanted, FilePath | MailboxUrl | StoreUrl) else value)


def _expand_home(value: str) -> str:
    """Return a path, or a URL with a path, in which `~` at the beginning of the path is a home folder."""
    scheme = next((one for one in _PATH_SCHEMES if value.startswith(one)), "")
    path = value.removeprefix(scheme)
    if not path.startswith("~"):
        return value
    try:
        return f"{scheme}{Path(path).expanduser()}"
    except RuntimeError:
        raise ValueError(f"{path!r} begins with the name of a user that does not exist; write './~…'") from None


# Environment variables --------------------------------------------------------------------------------------------


def _apply_variables(raw: dict[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Set the keys of *raw* that variables override; yield each as a dotted key with the variable's name."""
    for keys, is_text in _scalar_keys():
        name = "_".join(("FEEDS", *keys)).upper()
        if name in environ:
            table = raw
            for key in keys[:-1]:
                table = table.setdefault(key, {}) if isinstance(table, dict) else {}
            if isinstance(table, dict):  # anything else is reported later, with its line
                table[keys[-1]] = environ[name] if is_text else _parse_variable(environ[name])
            yield ".".join(keys), name


@cache
def _scalar_keys() -> Sequence[tuple[tuple[str, ...], bool]]:
    """Return what `_find_scalar_keys` finds in all settings: asking msgspec takes half of the time of a small file."""
    return list(_find_scalar_keys(Settings))


def _find_scalar_keys(table: type[Table]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the path of every key with a single value (not a list or a free table), and True if that is a text."""
    for known in msgspec.structs.fields(table):
        if isinstance(known.type, type) and issubclass(known.type, Table):
            yield from (((known.encode_name, *rest), is_text) for rest, is_text in _find_scalar_keys(known.type))
        elif "dict" not in str(known.type) and "tuple" not in str(known.type):
            yield (known.encode_name,), not any(kind in str(known.type) for kind in ("int", "float", "bool"))


def _parse_variable(text: str) -> object:
    """Return a variable's value as TOML reads it: a number or a boolean; anything else stays text."""
    try:
        value: object = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


# Defaults of relays and themes ------------------------------------------------------------------------------------


def _apply_relay_defaults(raw: dict[str, Any]) -> None:
    """Set the defaults of each mail server's relay where a key is not set; invalid values are reported later."""
    mail = raw.get("mail")
    servers = [mail.get("smtp"), mail.get("servers")] if isinstance(mail, dict) else []
    for server in chain(*(entry if isinstance(entry, list) else [entry] for entry in servers)):
        relay = server.get("relay") if isinstance(server, dict) else None
        if relay in [*RELAYS]:  # a list, since the value may be unhashable
            for key, value in RELAYS[relay].defaults.items():
                server.setdefault(key, value)


def _apply_theme_defaults(raw: dict[str, Any]) -> None:
    """Set the defaults of each newsletter's ready theme where a key is not set; invalid values are reported later."""
    newsletters = raw.get("newsletters")
    for newsletter in newsletters if isinstance(newsletters, list) else []:
        theme = newsletter.get("theme") if isinstance(newsletter, dict) else None
        name = theme.get("name") if isinstance(theme, dict) else None
        if isinstance(theme, dict) and name in [*THEMES]:  # a list, since the value may be unhashable
            newsletter["theme"] = {**THEMES[name], **theme}


def _convert(source: _Source, raw: dict[str, Any]) -> tuple[Settings | None, list[ConfigError], set[KeyPath]]:
    """Return the settings without the values that have an error, these errors, and the keys of these values.

    msgspec stops at the first error, so its value is removed for the next attempt. The settings are None if that is not
    possible. That a removed value is missing is not an error of the file.
    """
    errors: list[ConfigError] = []
    removed: set[KeyPath] = set()
    rest = copy.deepcopy(raw)
    while True:
        try:
            return msgspec.convert(rest, Settings, dec_hook=_decode_string), errors, removed
        except msgspec.ValidationError as e:
            keys, reason = _explain(rest, e)
            original = _original_keys(keys, removed)
            missing = re.fullmatch("`(.*)` is missing", reason)
            if not (missing and (*original, missing[1]) in removed):
                errors.append(source.error(original, reason))
            removed.add(original)
            if not _remove(rest, keys):
                return None, errors, removed


def _original_keys(keys: KeyPath, removed: AbstractSet[KeyPath]) -> KeyPath:
    """Return the keys that a value had before items of lists were removed, which moves the items after them."""
    found: KeyPath = ()
    for key in keys:
        kept = (at for at in count() if (*found, at) not in removed)
        found = (*found, next(islice(kept, key, None)) if isinstance(key, int) else key)
    return found


def _remove(raw: dict[str, Any], keys: KeyPath) -> bool:
    """Remove a key or an item of a list; return whether that worked."""
    *parents, name = keys or ("",)
    table: Any = raw
    try:
        for key in parents:
            table = table[key]
        del table[name]
    except (KeyError, IndexError, TypeError):
        return False
    return True


# Errors of single values ------------------------------------------------------------------------------------------


#: The names of types in msgspec's messages, and in ours.
_TYPES = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in brackets",
    "object": "a table",
}
_LIMITS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def _explain(raw: dict[str, Any], error: msgspec.ValidationError) -> Problem:
    """Return the key of msgspec's error, and the reason with the nearest known name."""
    reason, _, where = str(error).partition(" - at `$")
    keys = tuple(int(k) if k.isdigit() else k for k in re.findall(r"\.\.\.|[^.\[\]`]+", where))
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", reason, re.DOTALL):
        keys = (*keys, unknown[1])
        known = [f.encode_name for f in msgspec.structs.fields(_find_table(keys[:-1]))]
        reason = "is not a known key" + _suggest(unknown[1], known)
    keys = _replace_ellipsis(raw, keys, error)
    if missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
        reason = f"`{missing[1]}` is missing"
    elif invalid := re.fullmatch(r"Invalid enum value '(.*)'", reason, re.DOTALL):
        reason = f"{invalid[1]!r} is not a known value" + _suggest(invalid[1], _find_choices(keys))
    elif " matching regex " in reason:
        reason = f"{_find_value(raw, keys)!r} {_find_description(keys)}"
    elif limit := re.fullmatch(r"Expected `\w+` ([<>]=?) ([\d.]+)", reason):
        reason = f"must be {_LIMITS[limit[1]]} {limit[2].removesuffix('.0')}"
    elif wanted := re.match(r"Expected `([^`]+)`", reason):
        reason = _explain_type(keys, [kind for kind in wanted[1].split(" | ") if kind != "null"])
    return keys, reason


def _explain_type(keys: KeyPath, wanted: Sequence[str]) -> str:
    """Return that the value at *keys* has none of the types in *wanted*, as msgspec names them."""
    if "array" in wanted and _find_table(keys) is not _find_table(keys[:-1]):
        return f"must be a list of tables; write [[{'.'.join(key for key in keys if isinstance(key, str))}]]"
    if "array" not in wanted and (choices := _find_choices(keys)):
        return f"must be one of: {', '.join(choices)}"
    return f"must be {' or '.join(_TYPES.get(kind, kind) for kind in wanted)}"


def _find_value(raw: dict[str, Any], keys: KeyPath) -> Any:
    value: Any = raw
    for key in keys:
        value = value[key]
    return value


def _format_key(keys: KeyPath) -> str:
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).removeprefix(".")


def _suggest(word: str, known: Sequence[str]) -> str:
    """Return "; did you mean …", or all known names if none is similar."""
    close = closest_name(word, known)
    return f"; did you mean `{close}`?" if close else f"; use one of: {', '.join(known)}"


def _find_choices(keys: KeyPath) -> list[str]:
    """Return the allowed values of a key with a fixed choice, also of a list of such values; empty for other keys."""
    kinds = _find_kinds(keys)
    names = [str(name) for kind in kinds if get_origin(kind) is Literal for name in get_args(kind)]
    return [*(["true", "false"] if names and bool in kinds else []), *names]


def _find_description(keys: KeyPath) -> str:
    """Return the description of the pattern that values of a key must match."""
    metas = (meta for kind in _find_kinds(keys) for meta in getattr(kind, "__metadata__", ()))
    return str(next(meta.description for meta in metas if meta.pattern))


def _find_kinds(keys: KeyPath) -> list[Any]:
    """Return the type of the value of a key, and all types in it: of choices, lists and free tables."""
    names = [key for key in keys if isinstance(key, str)]
    for at in reversed(range(len(names))):  # the last names may be those of a free table
        fields = msgspec.structs.fields(_find_table(tuple(names[:at])))
        if kinds := [field.type for field in fields if field.encode_name == names[at]]:
            return [one for kind in kinds for one in _flatten_type(kind)]
    return []


def _flatten_type(kind: Any) -> Iterator[Any]:
    yield kind
    if get_origin(kind) is not Literal:
        for part in get_args(kind):
            yield from _flatten_type(part)


def _find_table(keys: KeyPath) -> type[Table]:
    """Return the struct at *keys*; positions in lists and names in free tables do not change it."""
    table: type[Table] = Settings
    for key in keys:
        kinds = [f.type for f in msgspec.structs.fields(table) if f.encode_name == key]
        tables = [a for kind in kinds for a in (kind, *get_args(kind)) if isinstance(a, type) and issubclass(a, Table)]
        table = tables[0] if tables else table
    return table


def _replace_ellipsis(raw: dict[str, Any], keys: KeyPath, error: msgspec.ValidationError) -> KeyPath:
    """Return *keys* with msgspec's `...`, which means any key of a free table, replaced by the key with the error."""
    if "..." not in keys:
        return keys
    at = keys.index("...")
    for name in _find_value(raw, keys[:at]):
        trial = copy.deepcopy(raw)
        table = _find_value(trial, keys[:at])
        for other in table.keys() - {name}:
            del table[other]
        try:
            msgspec.convert(trial, Settings, dec_hook=_decode_string)
        except msgspec.ValidationError as e:
            if str(e) == str(error):
                return (*keys[:at], name, *keys[at + 1 :])
    return keys[:at]


def _find_line(text: str, keys: KeyPath) -> int | None:
    """Return the line where the value at *keys* ends: the last line of the shortest valid prefix that has it."""
    lines = text.splitlines(keepends=True)
    for end in range(1, len(lines) + 1):
        try:
            table: Any = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if _has_key(table, keys):
            return end
    return None


def _has_key(table: Any, keys: KeyPath) -> bool:
    for key in keys:
        try:
            table = table[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


# Errors of values that contradict each other ----------------------------------------------------------------------


def _find_problems(path: Path, settings: Settings, raw: dict[str, Any]) -> Iterator[Problem]:
    """Yield the errors of values that have the right type; the first one is reported."""
    yield from _check_permalinks(settings)
    for keys, text in _find_published_texts(settings):
        if re.search(r"[\x00-\x1f\x7f\ufffe\uffff]", text):
            yield keys, f"{text!r} contains a line break or control character; remove it"
    yield from _check_files(path, settings)
    for check in (
        _check_rules,
        _check_feeds,
        _check_podcasts,
        _check_newsletters,
        _check_relays,
    ):
        yield from check(settings)
    yield from _check_signup(settings, raw)
    yield from _check_mail(settings, raw)
    if settings.mail.servers and not _has_key(raw, ("mail", "smtp")):
        yield ("mail", "servers"), "[mail.smtp] is missing; put the first server there"
    if settings.publish.every < timedelta(seconds=1):
        yield ("publish", "every"), "must be at least 1 second"


def _check_files(path: Path, settings: Settings) -> Iterator[Problem]:
    if not (path.resolve().parent / settings.posts.folder).is_dir():
        reason = f"{settings.posts.folder!r} does not exist; create the folder next to {path.name} or correct its name"
        yield ("posts", "folder"), reason
    if (authors := settings.posts.authors) and not (path.resolve().parent / authors).exists():
        yield ("posts", "authors"), f"{authors!r} does not exist; correct its name, or remove the key"
    welcome = settings.signup.welcome
    for at, name in enumerate([welcome] if isinstance(welcome, str) else welcome):
        if name and name != LATEST and not (path.resolve().parent / name).is_file():
            reason = f"{name!r} does not exist; correct its name, or write 'latest' for the newest issue"
            yield ("signup", "welcome", *([] if isinstance(welcome, str) else [at])), reason


def _check_permalinks(settings: Settings) -> Iterator[Problem]:
    posts = settings.posts
    patterns: list[tuple[KeyPath, str]] = [(("posts", "permalink"), posts.permalink)]
    if posts.permalink_lang:
        patterns.append((("posts", "permalink_lang"), posts.permalink_lang))
    patterns += [(("posts", "permalinks", section), pattern) for section, pattern in posts.permalinks.items()]
    for keys, pattern in patterns:
        try:
            check_pattern(pattern, posts.generator_name)
        except ValueError as e:
            yield keys, str(e)


def _find_published_texts(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield the texts that are written unchanged into feeds, letters and file names."""
    yield ("site", "title"), settings.site.title
    yield ("site", "author"), settings.site.author
    yield ("posts", "folder"), settings.posts.folder
    yield ("posts", "rendered"), settings.posts.rendered
    yield ("feeds", "folder"), settings.feeds.folder
    yield ("state",), settings.state
    yield ("store", "url"), settings.store.url or ""
    for at, rule in enumerate(settings.tags.rules):
        yield ("tags", "rules", at, "tag"), rule.tag
    for alias, tag in settings.tags.aliases.items():
        yield ("tags", "aliases", alias), tag
    for name, category in settings.categories.items():
        yield ("categories", name), f"{name}{category.label or ''}{category.description or ''}{category.title or ''}"
    for at, extra in enumerate(settings.feeds.extra):
        yield ("feeds", "extra", at), f"{extra.title}{extra.description}"
    for at, newsletter in enumerate(settings.newsletters):
        yield ("newsletters", at, "title"), newsletter.title
        theme = newsletter.theme
        yield ("newsletters", at, "theme"), f"{theme.logo}{theme.logo_dark}{theme.logo_alt}"


def _check_rules(settings: Settings) -> Iterator[Problem]:
    for at, rule in enumerate(settings.tags.rules):
        if not rule.tag.strip():
            yield ("tags", "rules", at, "tag"), "is blank; write the tag that posts with these words get"
        if not rule.match:
            yield ("tags", "rules", at, "match"), "is empty, so no post can match; write the words to look for"
        for position, word in enumerate(rule.match):
            if not any(c.isprintable() and not c.isspace() for c in word):
                yield ("tags", "rules", at, "match", position), f"{word!r} is blank; write a word"


def _find_repeated_names(raw: dict[str, Any]) -> Iterator[Problem]:
    """Yield an error for each newsletter and feed with the name of an earlier one, also if either has other errors."""
    for keys, what in ((("newsletters",), "newsletter"), (("feeds", "extra"), "feed")):
        names = _find_names(raw, keys)
        for at, name in enumerate(names):
            if name is not None and name in names[:at]:
                yield (*keys, at, "name"), f"{name!r} is the name of an earlier {what}; choose another name"


def _find_names(raw: dict[str, Any], keys: KeyPath) -> list[str | None]:
    """Return the names of the tables in a list; None for one that has no name."""
    tables = _find_value(raw, keys) if _has_key(raw, keys) else []
    names = [table.get("name") if isinstance(table, dict) else None for table in tables]
    return [name if isinstance(name, str) else None for name in names]


def _check_feeds(settings: Settings) -> Iterator[Problem]:
    for at, name in enumerate(extra.name for extra in settings.feeds.extra):
        if name in _RESERVED_FEED_NAMES:
            yield ("feeds", "extra", at, "name"), f"{name!r} is a folder of other feeds; choose another name"
    owners: dict[str, str] = {}
    for name, category in settings.categories.items():
        for former in category.was:
            if former in settings.categories:
                yield ("categories", name, "was"), f"{former!r} is also a category in this file; remove one of the two"
            if owners.setdefault(former, name) != name:
                yield ("categories", name, "was"), f"{former!r} is already a former name of {owners[former]!r}"
    if settings.web.url is not None:
        yield from _check_moved_feeds(settings)


def _check_moved_feeds(settings: Settings) -> Iterator[Problem]:
    """Yield an error for each former path of a feed at which the web server has a page: readers need the page."""
    for old in settings.feeds.moved:
        page = old.strip().lstrip("/").removeprefix("public/").partition("/")[0]
        if old.strip().startswith(("/", "public/")) and page in PAGE_PATHS:
            reason = f"the web server has its page /{page} there (web.url); remove the line"
            yield ("feeds", "moved", old), reason


def _check_podcasts(settings: Settings) -> Iterator[Problem]:
    for at, podcast in enumerate(settings.podcasts):
        for name in (podcast.category,) if isinstance(podcast.category, str) else podcast.category:
            if name not in CATEGORIES:
                meant = closest_name(name, CATEGORIES) or "Technology"
                yield ("podcasts", at, "category"), f"{name!r} is not a category of podcasts; write such as {meant!r}"


def _check_newsletters(settings: Settings) -> Iterator[Problem]:
    for at, newsletter in enumerate(settings.newsletters):
        for key, logo in (("logo", newsletter.theme.logo), ("logo_dark", newsletter.theme.logo_dark)):
            if logo and not logo.startswith(("http://", "https://")):
                reason = f"{logo!r} is not an absolute URL; write such as '{settings.site.url}logo.png'"
                yield ("newsletters", at, "theme", key), reason
        if newsletter.min_posts > newsletter.max_posts:
            reason = f"is more than max_posts ({newsletter.max_posts}), so no issue is possible"
            yield ("newsletters", at, "min_posts"), reason


def _check_signup(settings: Settings, raw: dict[str, Any]) -> Iterator[Problem]:
    known = [name for name in _find_names(raw, ("newsletters",)) if name is not None]
    for at, name in enumerate(settings.signup.newsletters):
        if name not in known:
            meant = closest_name(name, known)
            remedy = f"did you mean {meant!r}?" if meant else "write the name of one of [[newsletters]]"
            yield ("signup", "newsletters", at), f"{name!r} is not a newsletter; {remedy}"
    if settings.signup.expire < timedelta(hours=1):
        yield ("signup", "expire"), "must be at least 1 hour: a confirmation takes its time"


def _check_mail(settings: Settings, raw: dict[str, Any]) -> Iterator[Problem]:
    if settings.mail.unsubscribe == "reply" and not _has_key(raw, ("mail", "reply_to")):
        yield ("mail", "unsubscribe"), "needs mail.reply_to, the address that readers write to; set it"
    name = settings.mail.transport
    if name in TRANSPORTS:
        return
    from importlib.metadata import entry_points

    known = [*TRANSPORTS, *(point.name for point in entry_points(group=TRANSPORT_GROUP))]
    if name not in known:
        yield ("mail", "transport"), f"{name!r} is not a known value{_suggest(name, known)}"


def _check_relays(settings: Settings) -> Iterator[Problem]:
    for at, server in enumerate(settings.mail.all_servers):
        table: KeyPath = ("servers", at - 1) if at else ("smtp",)
        example = RELAYS[server.relay].host_example
        if not example and not server.host.strip():
            reason = "is empty; write the name of the mail server, such as 'mail.example.com', or remove the line"
            yield ("mail", *table, "host"), reason
        if example and not server.host:
            yield ("mail", *table, "relay"), f"{server.relay!r} has no default host; set host, such as {example}"


# Warnings ---------------------------------------------------------------------------------------------------------


def _find_warnings(source: _Source, raw: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each recommended key that is not set, and for private data in the open."""
    for keys, instead in _RECOMMENDED.items():
        if not _has_key(raw, keys):
            yield f"{source.path}: {_format_key(keys)}: is not set: {instead}"
    for keys, name in (("store", "url"), "feeds.db"), (("secrets", "file"), "feeds.key"):
        if _has_key(raw, keys) and _is_exposed(raw[keys[0]][keys[1]]):
            yield str(source.error(keys, f"{_EXPOSED}; delete this line ({name} then moves to the state folder)"))


def _is_exposed(value: str) -> bool:
    """Return whether a path, or the URL of a SQLite store, is directly in the site's folder."""
    return Path(value.removeprefix("sqlite:///")).parent == Path()
