"""The checked types of values in config.toml: URLs, durations, schedules, time zones, mailboxes.

Each value is written as a string in the file and parsed once; an object of these types is always valid. `parse` raises
ValueError with a message for the user, and `feeds.config` adds the file, the line and the key.
"""

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feeds.idn import ascii_domain, ascii_host
from feeds.language_tags import normalize_tag

if TYPE_CHECKING:
    from email.headerregistry import Address

_LAST_PORT = 65535
_DURATION_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION_UNITS |= {name: name for name in ("seconds", "minutes", "hours", "days", "weeks")}
_DURATION_UNITS |= {name[:-1]: name for name in ("seconds", "minutes", "hours", "days", "weeks")}


class ConfigString:
    """A value that is a string in config.toml and is checked when the file is read."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the value.

        Raises:
            ValueError: *text* is not valid; the message is for the user.
        """
        raise NotImplementedError


class FilePath(ConfigString, str):
    """The path of a file or folder; a relative path starts at the site's folder."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the path."""
        return cls(text)


class CssSelector(ConfigString, str):
    """A CSS selector of elements (Selectors Level 4, as far as cssselect goes); empty for none."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* unchanged."""
        if text.strip():
            from cssselect import SelectorError
            from cssselect.xpath import HTMLTranslator

            try:
                HTMLTranslator().css_to_xpath(text)
            except SelectorError as e:
                raise ValueError(f"{text!r} is not a CSS selector ({e}); write such as 'article .post-body'") from None
        return cls(text)


class StoreUrl(ConfigString, str):
    """The URL of the database, such as `sqlite:///PATH`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the URL. It may have a password, so no error shows it."""
        text = re.sub(r"^postgres://", "postgresql://", text)  # as libpq and many providers write it
        if not re.fullmatch(r"(sqlite:///|postgresql(\+psycopg)?://).+", text):
            raise ValueError(
                "must be the URL of a database, such as 'sqlite:///feeds.db' or 'postgresql://feeds@db.example.com/feeds'"
            )
        if text.startswith("postgresql") and not _is_encoded(text):
            raise ValueError(
                "write @ as %40, / as %2F, % as %25 and a space as %20 in names and in the password,"
                " and no byte such as %00 or %80 that is not printable text in UTF-8"
            )
        return cls(text)


def _is_encoded(url: str) -> bool:
    """Return whether libpq finds the host of a URL where we do, and printable text in each part."""
    try:
        text = unquote(url, errors="strict")
        text.encode()  # not half a character, as from an environment variable that is not UTF-8
    except UnicodeError:
        return False
    place = url.partition("://")[2]
    is_split = re.fullmatch(r"([^%\s]|%[0-9A-Fa-f]{2})*", url) and re.fullmatch(r"([^@/]*@)?[^@]*", place)
    return is_split is not None and not re.search(r"[\x00-\x1f\x7f]", text)


class Url(ConfigString, str):
    """An absolute http(s) URL that ends with a slash, in ASCII: the host as punycode, the path percent-encoded."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* in ASCII with a slash at the end."""
        try:
            parts = urlsplit(text)
            host = ascii_domain(parts.hostname or "")
            port = f":{parts.port}" if parts.port else ""
        except ValueError:  # includes the UnicodeError of a label that IDNA cannot encode
            host = ""
        is_host = re.fullmatch(r"[A-Za-z0-9._-]+", host)
        if not is_host or parts.scheme not in {"http", "https"} or re.search(r"[\s\x00-\x1f]", text):
            raise ValueError(f"{text!r} is not an absolute http(s) URL; write such as 'https://example.com/'")
        if parts.query or parts.fragment or parts.username:
            raise ValueError(f"{text!r} contains a user name, a query or a fragment; leave it out")
        path = quote(parts.path, safe="%/:=&~+!$,;'@()*")
        return cls(f"{parts.scheme}://{host}{port}{path.rstrip('/')}/")


class Endpoint(ConfigString, str):
    """A URL that is requested as it is written, with path and query; only its host is put in ASCII."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* with its host in ASCII."""
        Url.parse(text.partition("?")[0])
        url = ascii_host(text)
        if not re.fullmatch(r"[!-~]+", url):
            raise ValueError(f"{text!r} is not a URL in ASCII without spaces; percent-encode other characters")
        return cls(url)


class Host(ConfigString, str):
    """The name or IP address of a server, in ASCII; empty if there is none."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* in ASCII."""
        try:
            return cls(text if text.isascii() else ascii_domain(text))
        except UnicodeError:
            raise ValueError(f"{text!r} is not the name of a server; write such as 'mail.example.com'") from None


class ListenAddress(ConfigString, str):
    """The address that a server listens at: `HOST:PORT`, `[IPV6]:PORT`, or `unix:PATH` for a Unix socket."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* unchanged."""
        found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})", text)
        is_port = found is not None and int(found[3]) <= _LAST_PORT
        if not is_port and not re.fullmatch(r"unix:[^\x00-\x1f]+", text):
            raise ValueError(f"{text!r} is not an address; write such as '127.0.0.1:8000' or 'unix:/run/feeds.sock'")
        return cls(text)

    @property
    def path(self) -> str | None:
        """The path of the Unix socket; None for TCP."""
        return self.removeprefix("unix:") if self.startswith("unix:") else None

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The host, without brackets, and the port of a TCP address."""
        host, _, port = self.rpartition(":")
        return host.strip("[]"), int(port)


class Network(ConfigString, str):
    """An IP address or a network of addresses: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* in its normal form."""
        from ipaddress import ip_network

        try:
            return cls(ip_network(text))
        except ValueError as e:
            raise ValueError(f"{text!r} is not an IP address or network ({e}); write such as '10.0.0.0/8'") from None


class Duration(ConfigString, timedelta):
    """A duration such as `12h`, `5 min` or `30 days`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the duration, which is never negative."""
        found = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", text)
        if not found or found[2] not in _DURATION_UNITS:
            raise ValueError(f"{text!r} is not a duration; write such as '12h', '5 min' or '30 days'")
        try:
            return cls(**{_DURATION_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise ValueError(f"{text!r} is too long a duration; write a shorter one") from None


class OptionalDuration(Duration):
    """A duration; an empty text is none, which is false."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the duration; zero for an empty text."""
        return super().parse(text) if text.strip() else cls()


class Crontab(ConfigString, str):
    """Five fields as in crontab(5): minute, hour, day of the month, month, day of the week (0 and 7: Sunday)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* with single spaces between the fields."""
        from datetime import UTC, datetime

        from cronsim import CronSim, CronSimError

        fields = text.split()
        if len(fields) != len(("minute", "hour", "day", "month", "weekday")):
            raise ValueError(
                f"{text!r} is not a schedule: crontab has 5 fields, such as '0 8 * * mon', not {len(fields)}"
            )
        try:
            CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as e:
            raise ValueError(f"{text!r} is not a crontab schedule: {e}") from e
        return cls(" ".join(fields))


class Language(ConfigString, str):
    """A language tag (BCP 47) in its recommended case: `en`, `zh-Hans`, `pt-BR`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tag; underscores become hyphens."""
        first, *rest = text.strip().replace("_", "-").split("-")
        is_tag = re.fullmatch(r"[A-Za-z]{2,3}", first) and all(re.fullmatch(r"[A-Za-z0-9]{1,8}", p) for p in rest)
        if not is_tag:
            raise ValueError(f"{text!r} is not a language tag (BCP 47); write such as 'en' or 'zh-Hans'")
        return cls(normalize_tag("-".join([first, *rest])))


class TimeZone(ConfigString, ZoneInfo):
    """A time zone, named as in the IANA database."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the time zone."""
        try:
            return cls(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{text!r} is not a time zone; write a name such as 'Asia/Tokyo' or 'UTC'") from None


class NamedAddress(ConfigString):
    """An email address with an optional display name: `Sample Letters <letters@example.com>` (RFC 5322 mailbox).

    Its domain is in ASCII, as headers and servers need it.
    """

    __slots__ = ("address",)

    def __init__(self, address: "Address") -> None:
        self.address = address

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address: exactly one, with a domain and without line breaks."""
        name, bracket, rest = text.rpartition("<")
        spec = rest.removesuffix(">").strip() if bracket else text.strip()
        address = _make_address(name.strip().strip('"'), spec)
        if address is None or re.search(r"[\x00-\x1f\x7f]", text):
            raise ValueError(
                f"{text!r} is not an email address; write such as 'Sample Letters <letters@example.com>'",
            )
        return cls(address)

    def __str__(self) -> str:
        return str(self.address)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedAddress) and self.address == other.address

    def __hash__(self) -> int:
        return hash(str(self.address))


def _make_address(name: str, spec: str) -> "Address | None":
    """Return the address with a display name; None if it is not valid or has no domain."""
    from email.errors import HeaderParseError
    from email.headerregistry import Address

    try:
        local, _, domain = spec.rpartition("@")
        address = Address(display_name=name, addr_spec=f"{local}@{ascii_domain(domain)}")
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        return None
    return address if address.username and address.domain else None


class TimeWindow(ConfigString):
    """A time range of each day, such as `08:00-20:00`; it may include midnight."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: time, end: time) -> None:
        self.begin, self.end = begin, end

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the time range."""
        found = re.fullmatch(r"\s*(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*", text)
        try:
            hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
            begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        except ValueError:
            begin = end = time()
        if begin == end:
            raise ValueError(f"{text!r} is not a time range; write such as '08:00-20:00'")
        return cls(begin, end)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeWindow) and (self.begin, self.end) == (other.begin, other.end)

    def __hash__(self) -> int:
        return hash((self.begin, self.end))


class MailboxUrl(ConfigString, str):
    """The place of a mailbox: `maildir:PATH`, `mbox:PATH`, `imap://USER@HOST/FOLDER` or `imaps://…`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* with its host in ASCII."""
        text = ascii_host(text)
        server = _parse_imap_url(text)
        is_file = re.match(r"(maildir|mbox):.", text)
        if not (server or is_file) or not text.isprintable():
            raise ValueError(
                f"{_hide_password(text)!r} is not a mailbox; write such as 'maildir:/var/mail/bounces' or"
                " 'imaps://me@host/Bounces'",
            )
        if server and server.password is not None:
            raise ValueError("must not contain a password; set it in the environment variable that password_env names")
        if server and not text.isascii():
            raise ValueError(
                f"{text!r} is not ASCII; write the folder's name in modified UTF-7 (RFC 3501 section 5.1.3)"
            )
        return cls(text)


def _hide_password(url: str) -> str:
    return re.sub(r"(//[^/@:]*):[^@]*@", r"\1:…@", url)


def _parse_imap_url(text: str) -> SplitResult | None:
    """Return the parts of an IMAP URL; None if it is not one, or has no user or no host."""
    try:
        parts = urlsplit(text)
        is_valid = text.startswith(("imap://", "imaps://")) and parts.hostname and parts.username and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid else None


class PodcastGuid(ConfigString, str):
    """The id of a podcast, a UUID (Podcast Namespace, `guid`)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text* in lower case."""
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.lower()):
            raise ValueError(f"{text!r} is not a UUID; write such as '917393e3-1b1e-5cef-ace4-edaa54e1f810'")
        return cls(text.lower())


class IdAuthority(ConfigString, str):
    """The tagging entity of `tag:` URIs: a name and a date, such as `example.com,2026` (RFC 4151 section 2.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return *text*: a domain name or email address in lower case, a comma, and a date."""
        name = r"([a-z0-9._+-]+@)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
        if not re.fullmatch(name + r",\d{4}(-\d\d){0,2}", text):
            raise ValueError(
                f"{text!r} is not a tagging entity (RFC 4151); write a domain you own and a date: 'example.com,2026'",
            )
        return cls(text)
