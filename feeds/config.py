"""config.toml -> Settings, or an error that names file, line, key and the nearest known key."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from feeds.config_types import ConfigString
from feeds.errors import ConfigError
from feeds.relays import RELAYS
from feeds.settings import TRANSPORT_GROUP, TRANSPORTS, Settings, Table
from feeds.spelling import closest_name

#: Keys whose part is not built yet, what they must be to go unmentioned, and what happens instead.
_NOT_BUILT: dict[str, tuple[object, str]] = {
    "web.listen": (None, "nothing is served"),
    "web.url": (None, "letters carry a mailto: link for leaving"),
}


#: Folders below `feeds/` that hold more than one feed, or something else.
_RESERVED = frozenset({"all", "archive", "author", "category", "language", "newsletters", "tag"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Settings, and where they came from."""

    path: Path
    settings: Settings
    #: `config.toml:line: key: …`, one line each: keys that were understood but do nothing yet.
    warnings: tuple[str, ...] = ()
    #: The site's folder: relative paths in the settings start here.
    folder: Path
    #: Of each mail server, in the order of `mail.all_servers`, from the variable that its `password_env` names.
    smtp_passwords: tuple[str, ...] = field(default=(), repr=False)
    #: Of the bounce mailbox, likewise.
    bounces_password: str = field(default="", repr=False)

    def resolve(self, relative: str) -> Path:
        """Return a path from the settings as an absolute one."""
        return self.folder / relative


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings in *path*, with `FEEDS_<TABLE>_<KEY>` variables laid over them.

    Raises:
        ConfigError: the file is missing, is not TOML, or holds a key or value that cannot be.
    """
    text = _text(path)
    raw = _toml(path, text)
    overridden = dict(_overrides(raw, environ))
    _apply_relay_defaults(raw)
    try:
        settings = msgspec.convert(raw, Settings, dec_hook=_decode)
    except msgspec.ValidationError as e:
        raise _explained(path, text, e, overridden) from e
    _check(path, text, settings, raw)
    return Config(
        path=path,
        folder=path.resolve().parent,
        settings=settings,
        warnings=tuple(_warnings(path, text, raw)),
        smtp_passwords=tuple(environ.get(server.password_env, "") for server in settings.mail.all_servers),
        bounces_password=environ.get(settings.mail.bounces.password_env, "") if settings.mail.bounces else "",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = "there is no such file; `feeds init` makes a site to start from, --config names another file"
        raise ConfigError(str(path), None, "", reason) from None
    except UnicodeDecodeError as e:
        raise ConfigError(str(path), None, "", f"is not UTF-8 ({e.reason} at byte {e.start})") from e
    except OSError as e:
        raise ConfigError(str(path), None, "", e.strerror or str(e)) from e


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        line = re.search(r"at line (\d+)", str(e))
        number = int(line[1]) if line else text.count("\n") + 1
        raise ConfigError(str(path), number, "", f"is not TOML: {e}") from e
    except RecursionError:
        raise ConfigError(str(path), None, "", "is nested too deeply") from None


def _decode(wanted: type[Any], value: object) -> object:
    """Return *value* as one of our checked types; msgspec adds the path to what is raised here."""
    if not issubclass(wanted, ConfigString):
        raise NotImplementedError(wanted)
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004 - msgspec wants ValueError
    return wanted.parse(value)


# Variables --------------------------------------------------------------------------------------------------------


def _overrides(raw: dict[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Lay variables over *raw*; yield each key that was set and the variable's name."""
    for keys, number in _single_values(Settings):
        name = "_".join(("FEEDS", *keys)).upper()
        if name in environ:
            table = raw
            for key in keys[:-1]:
                table = table.setdefault(key, {}) if isinstance(table, dict) else {}
            if isinstance(table, dict):  # what else stands there is refused later, by its line
                table[keys[-1]] = _value(environ[name], number=number)
            yield ".".join(keys), name


def _single_values(table: type[Table]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the path of every key that is one value, not a list or a free table, and whether it is text or not."""
    for known in msgspec.structs.fields(table):
        if isinstance(known.type, type) and issubclass(known.type, Table):
            yield from (((known.encode_name, *rest), number) for rest, number in _single_values(known.type))
        elif "dict" not in str(known.type) and "tuple" not in str(known.type):
            yield (known.encode_name,), any(kind in str(known.type) for kind in ("int", "float", "bool"))


def _value(text: str, *, number: bool) -> object:
    """Return a variable's value: the text itself, or TOML's number or boolean where the key holds one."""
    if not number:
        return text
    try:
        value: object = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


# Relays -----------------------------------------------------------------------------------------------------------


def _apply_relay_defaults(raw: dict[str, Any]) -> None:
    """Give each mail server what is known of its relay where a key is not set; what cannot be is refused later."""
    mail = raw.get("mail")
    servers = [mail.get("smtp"), mail.get("servers")] if isinstance(mail, dict) else []
    for server in chain(*(found if isinstance(found, list) else [found] for found in servers)):
        relay = server.get("relay") if isinstance(server, dict) else None
        if relay in [*RELAYS]:  # a list, since what stands there may have no hash
            for key, value in RELAYS[relay].defaults.items():
                server.setdefault(key, value)


# Errors -----------------------------------------------------------------------------------------------------------


def _explained(path: Path, text: str, error: msgspec.ValidationError, overridden: dict[str, str]) -> ConfigError:
    """Return msgspec's words with a line number, the key and the nearest known key."""
    reason, _, where = str(error).partition(" - at `$")
    keys = tuple(int(k) if k.isdigit() else k for k in re.findall(r"\.\.\.|[^.\[\]`]+", where))
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", reason, re.DOTALL):
        keys = (*keys, unknown[1])
        known = [f.encode_name for f in msgspec.structs.fields(_table_at(keys[:-1]))]
        reason = "is not a known key" + _nearest(unknown[1], known)
    if missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
        reason = f"`{missing[1]}` is missing"
    if odd := re.fullmatch(r"Invalid enum value '(.*)'", reason, re.DOTALL):
        reason = f"{odd[1]!r} is not a known value" + _nearest(odd[1], _values_at(keys))
    keys = _concrete(text, keys)
    key = _dotted(keys)
    if key in overridden:
        return ConfigError(f"${overridden[key]}", None, key, reason)
    return ConfigError(str(path), _line(text, keys), key, reason)


def _dotted(keys: tuple[str | int, ...]) -> str:
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).removeprefix(".")


def _nearest(word: str, known: list[str]) -> str:
    """Return "; did you mean …", or what is known when nothing known is near."""
    close = closest_name(word, known)
    return f"; did you mean `{close}`?" if close else f"; known here: {', '.join(known)}"


def _values_at(keys: tuple[str | int, ...]) -> list[str]:
    """Return the values a key with a fixed choice may have, also inside a list."""
    names = [key for key in keys if isinstance(key, str)]
    fields = msgspec.structs.fields(_table_at(tuple(names[:-1])))
    kind = next(f.type for f in fields if f.encode_name == names[-1])
    choice = next((a for a in get_args(kind) if get_origin(a) is Literal), kind)
    return list(get_args(choice))


def _table_at(keys: tuple[str | int, ...]) -> type[Table]:
    """Return the struct behind a path of keys; places in lists and names in free tables lead nowhere else."""
    table: type[Table] = Settings
    for key in keys:
        kinds = [f.type for f in msgspec.structs.fields(table) if f.encode_name == key]
        tables = [a for kind in kinds for a in (kind, *get_args(kind)) if isinstance(a, type) and issubclass(a, Table)]
        table = tables[0] if tables else table
    return table


def _concrete(text: str, keys: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return *keys* with msgspec's `...` (some key of a free table) replaced by the key that breaks."""
    if "..." not in keys:
        return keys
    at = keys.index("...")
    found: Any = tomllib.loads(text)
    for key in keys[:at]:
        found = found[key]
    for name, value in found.items():
        rest = keys[at + 1 :]
        if not rest or (isinstance(value, dict) and rest[0] in value):
            return (*keys[:at], name, *rest)
    return keys[:at]


def _line(text: str, keys: tuple[str | int, ...]) -> int | None:
    """Return the line on which the value at *keys* is complete: the end of the first prefix that holds it."""
    lines = text.splitlines(keepends=True)
    for end in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(found, keys):
            return end
    return None


def _holds(found: Any, keys: tuple[str | int, ...]) -> bool:
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


# What the types cannot say ----------------------------------------------------------------------------------------


def _check(path: Path, text: str, settings: Settings, raw: dict[str, Any]) -> None:
    """Refuse values that are each possible and together are not."""

    def refuse(keys: tuple[str | int, ...], reason: str) -> None:
        raise ConfigError(str(path), _line(text, keys), _dotted(keys), reason)

    if problem := _permalink_problem(settings.posts.permalink):
        refuse(("posts", "permalink"), problem)
    for keys, words in _shown_words(settings):
        if re.search(r"[\x00-\x1f\x7f\ufffe\uffff]", words):
            refuse(keys, f"{words!r} holds a line break or control character")
    if not (path.resolve().parent / settings.posts.folder).is_dir():
        refuse(("posts", "folder"), f"there is no folder {settings.posts.folder!r} beside {path.name}")
    finders = (_rule_problems, _feed_problems, _newsletter_problems, _mail_problems, _server_problems)
    for at, reason in chain(*(find(settings) for find in finders)):
        refuse(at, reason)
    if settings.mail.servers and not _holds(raw, ("mail", "smtp")):
        refuse(("mail", "servers"), "stand beside [mail.smtp], which is missing: name the first server there")
    if settings.publish.every < timedelta(seconds=1):
        refuse(("publish", "every"), "must be at least a second")
    if settings.store.url.startswith("postgresql"):
        refuse(("store", "url"), "PostgreSQL is not built yet; write such as 'sqlite:///feeds.db'")


def _rule_problems(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for at, rule in enumerate(settings.tags.rules):
        if not rule.tag.strip():
            yield ("tags", "rules", at, "tag"), "is blank; write the tag that posts with these words get"
        if not rule.match:
            yield ("tags", "rules", at, "match"), "is empty: this rule could never match; write the words it looks for"
        for place, word in enumerate(rule.match):
            if not any(c.isprintable() and not c.isspace() for c in word):
                yield ("tags", "rules", at, "match", place), f"{word!r} is blank; it would match nothing or everything"


def _feed_problems(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    names = [extra.name for extra in settings.feeds.extra]
    for at, extra in enumerate(settings.feeds.extra):
        if extra.name in names[:at]:
            yield ("feeds", "extra", at, "name"), f"{extra.name!r} is taken by an earlier feed"
        if extra.name in _RESERVED:
            yield ("feeds", "extra", at, "name"), f"{extra.name!r} is a folder of other feeds; write another name"
    former: dict[str, str] = {}
    for name, category in settings.categories.items():
        for was in category.was:
            if was in settings.categories:
                yield ("categories", name, "was"), f"{was!r} is a category of its own in this file"
            if former.setdefault(was, name) != name:
                yield ("categories", name, "was"), f"{was!r} became {former[was]!r} already"


def _newsletter_problems(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    names = [n.name for n in settings.newsletters]
    for at, newsletter in enumerate(settings.newsletters):
        if newsletter.name in names[:at]:
            yield ("newsletters", at, "name"), f"{newsletter.name!r} is taken by an earlier newsletter"
        if newsletter.min_posts > newsletter.max_posts:
            yield (
                ("newsletters", at, "min_posts"),
                f"is more than max_posts ({newsletter.max_posts}): there could never be an issue",
            )


def _mail_problems(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    named = settings.mail.transport
    if named in TRANSPORTS:
        return
    from importlib.metadata import entry_points  # noqa: PLC0415 - only where another package brings it

    known = [*TRANSPORTS, *(point.name for point in entry_points(group=TRANSPORT_GROUP))]
    if named not in known:
        yield ("mail", "transport"), f"{named!r} is not a known value{_nearest(named, known)}"


def _server_problems(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for at, server in enumerate(settings.mail.all_servers):
        table: tuple[str | int, ...] = ("servers", at - 1) if at else ("smtp",)
        example = RELAYS[server.relay].host_example
        if example and not server.host:
            yield ("mail", *table, "relay"), f"{server.relay!r} has a host for each region: set host, such as {example}"


def _shown_words(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts and paths that come out as they are, in feeds, letters and file names."""
    yield ("site", "title"), settings.site.title
    yield ("site", "author"), settings.site.author
    yield ("posts", "folder"), settings.posts.folder
    yield ("feeds", "folder"), settings.feeds.folder
    yield ("store", "url"), settings.store.url
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
        yield ("newsletters", at, "theme"), f"{newsletter.theme.logo}{newsletter.theme.logo_alt}"


def _permalink_problem(pattern: str) -> str | None:
    known = {"year", "month", "day", "slug", "category", "lang", "stem"}
    used = re.findall(r"{([^{}]*)}", pattern)
    wrong = [name for name in used if name not in known]
    if wrong:
        close = closest_name(wrong[0], known)
        return f"{{{wrong[0]}}} is not known" + (f"; did you mean {{{close}}}?" if close else "")
    if re.sub(r"{[^{}]*}", "", pattern).strip().startswith(("http:", "https:")) or not pattern.startswith("/"):
        return "must start with a slash; the site's url comes before it"
    if "slug" not in used and "stem" not in used:
        return "needs {slug} or {stem}, or posts of one day would share an address"
    return None


def _warnings(path: Path, text: str, raw: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each key that is set and whose part is not built yet."""
    for dotted, (quiet, instead) in _NOT_BUILT.items():
        for keys, value in _set_at(raw, tuple(dotted.split("."))):
            if value != quiet:
                yield f"{path}:{_line(text, keys)}: {_dotted(keys)}: not built yet: {instead}"
    for keys, instead in (
        (("site", "url"), "links point to http://localhost/"),
        (("site", "id_authority"), "new ids are made from the host of site.url; write it down before you publish"),
    ):
        if not _holds(raw, keys):
            yield f"{path}: {_dotted(keys)}: is not set: {instead}"


def _set_at(raw: dict[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield where *keys* are set: in a table, or in each table of a list or of a free table."""
    table = raw.get(keys[0], {})
    if keys[0] == "newsletters":
        spots: list[tuple[tuple[str | int, ...], Any]] = [((keys[0], i), t) for i, t in enumerate(table)]
    elif keys[0] == "categories":
        spots = [((keys[0], name), t) for name, t in table.items()]
    else:
        spots = [((keys[0],), table)]
    yield from (((*spot, keys[1]), t[keys[1]]) for spot, t in spots if keys[1] in t)
