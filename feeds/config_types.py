"""The checked types of values in config.toml: URLs, durations, schedules, time zones, mailboxes.

Each is written as a string and parsed once. A value that exists is valid; `parse` raises ValueError with a message for
the user, and `feeds.config` adds file, line and key.
"""

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from email.headerregistry import Address

_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_UNITS |= {name: name for name in ("seconds", "minutes", "hours", "days", "weeks")}
_UNITS |= {name[:-1]: name for name in ("seconds", "minutes", "hours", "days", "weeks")}


class ConfigString:
    """A value that is written as a string in config.toml and checked while it is read."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the value; raise ValueError with words for the user."""
        raise NotImplementedError


class Url(ConfigString, str):
    """An absolute http(s) URL that ends with a slash, in ASCII: the host as punycode, the path percent-encoded."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* as ASCII, with a slash at its end."""
        try:
            parts = urlsplit(text)
            host = (parts.hostname or "").encode("idna").decode()
            port = f":{parts.port}" if parts.port else ""
        except ValueError:  # UnicodeError of a label that IDNA cannot take included
            host = ""
        plain = re.fullmatch(r"[A-Za-z0-9._-]+", host) and not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in {"http", "https"} or not plain or re.search(r"[\s\x00-\x1f]", text):
            raise ValueError(f"{text!r} is no web address; write it whole, such as https://example.com/")
        path = quote(parts.path, safe="%/:=&~+!$,;'@()*")
        return cls(f"{parts.scheme}://{host}{port}{path.rstrip('/')}/")


class Endpoint(ConfigString, str):
    """A web address that is asked as it is written: path and query stay."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*."""
        Url.parse(text.partition("?")[0])
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError(f"{text!r} is no web address; write it in ASCII, without spaces")
        return cls(text)


class Duration(ConfigString, timedelta):
    """A length of time such as `12h`, `5 min` or `30 days`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the span; never negative."""
        found = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", text)
        if not found or found[2] not in _UNITS:
            raise ValueError(f"{text!r} is no length of time; write such as '12h', '5 min' or '30 days'")
        try:
            return cls(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise ValueError(f"{text!r} is longer than this program can reckon with") from None


class Crontab(ConfigString, str):
    """Five fields as in crontab(5): minute, hour, day of the month, month, day of the week (0 and 7: Sunday)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* with single spaces."""
        from datetime import UTC, datetime  # noqa: PLC0415

        from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only newsletters have schedules

        fields = text.split()
        if len(fields) != len(("minute", "hour", "day", "month", "weekday")):
            raise ValueError(f"{text!r} has {len(fields)} fields; crontab has five, such as '0 8 * * mon'")
        try:
            CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as e:
            raise ValueError(f"{text!r} is no crontab line: {e}") from e
        return cls(" ".join(fields))


class Language(ConfigString, str):
    """A BCP 47 tag in its usual case: `en`, `zh-Hans`, `pt-BR`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tag; underscores are taken as hyphens."""
        first, *rest = text.strip().replace("_", "-").split("-")
        known = re.fullmatch(r"[A-Za-z]{2,3}", first) and all(re.fullmatch(r"[A-Za-z0-9]{1,8}", p) for p in rest)
        if not known:
            raise ValueError(f"{text!r} is no language tag (BCP 47); write such as 'en' or 'zh-Hans'")
        return cls("-".join([first.lower(), *map(_subtag, rest)]))


def _subtag(part: str) -> str:
    """Return one subtag in the case RFC 5646 section 2.1.1 recommends: script Title, region UPPER."""
    cases = {4: part.title(), 2: part.upper()}
    return cases.get(len(part), part.lower()) if part.isalpha() else part.lower()


class TimeZone(ConfigString, ZoneInfo):
    """A time zone by its name in the IANA database."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the zone."""
        try:
            return cls(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{text!r} is no time zone; write a name such as 'Asia/Tokyo' or 'UTC'") from None


class NamedAddress(ConfigString):
    """A mailbox with an optional name: `Sample Letters <letters@example.com>`."""

    __slots__ = ("address",)

    def __init__(self, address: "Address") -> None:
        self.address = address

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mailbox; one, with a domain, without line breaks."""
        from email.errors import HeaderParseError  # noqa: PLC0415 - slow to load, and not every site sends mail
        from email.headerregistry import Address  # noqa: PLC0415

        name, bracket, rest = text.rpartition("<")
        spec = rest.removesuffix(">").strip() if bracket else text.strip()
        try:
            address = Address(display_name=name.strip().strip('"'), addr_spec=spec)
            address.domain.encode("idna")
        except (HeaderParseError, ValueError, IndexError, AttributeError):
            address = None
        if address is None or not (address.username and address.domain) or re.search(r"[\x00-\x1f\x7f]", text):
            raise ValueError(f"{text!r} is no mailbox; write such as 'Sample Letters <letters@example.com>'")
        return cls(address)

    def __str__(self) -> str:
        return str(self.address)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedAddress) and self.address == other.address

    def __hash__(self) -> int:
        return hash(str(self.address))


class TimeWindow(ConfigString):
    """A part of each day, such as `08:00-20:00`; it may go over midnight."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: time, end: time) -> None:
        self.begin, self.end = begin, end

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the hours."""
        found = re.fullmatch(r"\s*(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*", text)
        try:
            hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
            begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        except ValueError:
            begin = end = time()
        if begin == end:
            raise ValueError(f"{text!r} is no part of a day; write such as '08:00-20:00'")
        return cls(begin, end)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeWindow) and (self.begin, self.end) == (other.begin, other.end)

    def __hash__(self) -> int:
        return hash((self.begin, self.end))


class MailboxUrl(ConfigString, str):
    """A mailbox: `maildir:PATH`, `mbox:PATH`, `imap://USER@HOST/FOLDER` or `imaps://…`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*."""
        kind, _, where = text.partition(":")
        try:
            parts = urlsplit(text)
            on_server = bool(kind in {"imap", "imaps"} and parts.hostname and parts.username) and parts.port != 0
        except ValueError:
            on_server = False
        if not (on_server or (kind in {"maildir", "mbox"} and where)) or not text.isprintable():
            raise ValueError(
                f"{text!r} is no mailbox; write such as 'maildir:/var/mail/bounces' or 'imaps://me@host/INBOX'"
            )
        if on_server and (parts.password is not None or not text.isascii()):
            raise ValueError(
                "must hold no password and be ASCII; the password comes from the variable password_env names"
            )
        return cls(text)


class IdAuthority(ConfigString, str):
    """A name somebody held on a day, for `tag:` URIs: `example.com,2026` (RFC 4151 section 2.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*: a DNS name or mail address in lower case, a comma, a date."""
        name = r"([a-z0-9._+-]+@)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
        if not re.fullmatch(name + r",\d{4}(-\d\d){0,2}", text):
            raise ValueError(
                f"{text!r} is no tagging authority (RFC 4151); write a name you held and the day: 'example.com,2026'",
            )
        return cls(text)
