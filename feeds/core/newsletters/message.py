"""Build the bytes of a message (RFC 5322) from a letter and a delivery.

The messages of a letter differ only in recipient, date, Message-ID and the token of the unsubscribe address. So a
letter is encoded once, in pieces between the tokens, and each message is joined from these pieces.
"""

import re
import unicodedata
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email import utils as email_utils
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from feeds.config_types import NamedAddress
from feeds.core.newsletters import tokens
from feeds.core.newsletters.domains import is_subdomain
from feeds.idn import ascii_domain
from feeds.model import Delivery, Letter, Value
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from email.headerregistry import Address

    from feeds.core.newsletters.dkim import LetterSigner, Signer

#: Headers that must arrive as they are. The standard library would fold a long one into encoded words (RFC 2047), in
#: which Gmail does not recognize a List-Unsubscribe.
_VERBATIM = frozenset({"list-id", "list-unsubscribe", "list-archive", "feedback-id", "message-id", "cfbl-address"})


#: Headers that hold a person's words: a subject, or a name with an address.
_WORDED = frozenset({"Subject", "From", "Reply-To"})
#: RFC 2047 section 2: the characters of a line with encoded words. The standard library uses 78 by default, and then
#: makes encoded words of 76 characters, one more than the section allows.
_ENCODED_LINE = 76
#: A longer word without a space cannot be folded. The standard library would put it on a line of its own, after a first
#: line that is empty, which some servers and signatures do not survive.
_LONGEST_WORD = 60
#: What a display name may hold without quotation marks: atoms of RFC 5322 section 3.2.3, and spaces.
_ATOMS = re.compile(r"[\w!#$%&'*+\-/=?^`{|}~ ]+", re.ASCII)


class HeaderPolicy(EmailPolicy):
    """Never fold the headers of `_VERBATIM`, and never parse those of `_WORDED`.

    The standard library decodes `=?utf-8?q?=0D=0ABcc:…?=` (RFC 2047) in a subject it is given and writes the line
    break, and it loses spaces between Japanese and Latin words when it folds.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Return a header as the message stores it."""
        return (name, value) if name in _WORDED else super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        """Return one header with its line end."""
        if name.lower() in _VERBATIM:
            return f"{name}: {str(value).replace('>, <', f'>,{self.linesep} <')}{self.linesep}"
        if name == "Subject":
            return f"{name}: {_encode_words(value, name, self.linesep, is_plain=_is_plain(value))}{self.linesep}"
        if name in _WORDED:
            return f"{name}: {_encode_mailbox(value, name, self.linesep)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return one header with its line end."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


def _encode_words(text: str, name: str, linesep: str, *, is_plain: bool) -> str:
    """Return the *text* of the header *name*, folded: as it is if it *is_plain*, else as encoded words (RFC 2047)."""
    header = Header(text, "us-ascii" if is_plain else "utf-8", _ENCODED_LINE, header_name=name)
    return header.encode(linesep=linesep)


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and all(len(word) <= _LONGEST_WORD for word in text.split())


def _encode_mailbox(address: "Address", name: str, linesep: str) -> str:
    """Return a display name and an address (RFC 5322 section 3.4); the address on a line of its own if it is long."""
    if not address.display_name:
        return address.addr_spec
    words = _encode_display_name(address.display_name, name, linesep)
    last_line = f"{name}: {words} <{address.addr_spec}>".rpartition(linesep)[2]
    return f"{words}{'' if len(last_line) <= _ENCODED_LINE else linesep} <{address.addr_spec}>"


def _encode_display_name(text: str, name: str, linesep: str) -> str:
    quoted = f'"{email_utils.quote(text)}"'
    is_atoms = _ATOMS.fullmatch(text) is not None
    if not is_atoms and _is_plain(text) and len(quoted) <= _LONGEST_WORD:
        return quoted
    return _encode_words(text, name, linesep, is_plain=is_atoms and _is_plain(text))


#: Bytes for a line of base64, which has 76 characters (RFC 2045 section 6.8), and the longest line of quoted-printable.
_LINE_BYTES, _LINE_LENGTH = 57, 76


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueHeaders:
    """The headers and addresses that all messages of one issue share."""

    newsletter: Newsletter
    number: int
    sender: NamedAddress
    reply_to: NamedAddress | None
    #: The newsletter's, for `Date`.
    zone: tzinfo
    #: The page on the web that lists the newsletter's issues (RFC 2369 section 3.6); None if it is not public.
    archive_url: str | None
    #: The issue's secret; see `feeds.core.newsletters.tokens`.
    seed: bytes
    #: The mailbox for bounces and unsubscribe requests that Feeds reads; None if a person reads them.
    bounces: NamedAddress | None = None
    #: The URL of the web server for readers, with a slash at the end; None without one.
    web_url: str | None = None
    #: Headers with instructions to the relays (`feeds.relays`).
    relay_headers: tuple[tuple[str, str], ...] = ()

    @property
    def domain(self) -> str:
        """The sender's domain in ASCII."""
        return self.sender.address.domain

    @property
    def unsubscribe_url(self) -> str:
        """The URL for the link in a letter: a page if there is a web server, else `mailto:`."""
        return self.one_click_url or self.unsubscribe_mailto

    @property
    def one_click_url(self) -> str:
        """The web page for unsubscribing (RFC 8058), with a placeholder for the token; empty without a web server."""
        return self._web_page("unsubscribe") if self.web_url else ""

    @property
    def preferences_url(self) -> str | None:
        """The web page with the preferences, with a placeholder for the token; None without a web server."""
        return self._web_page("preferences") if self.web_url else None

    def _web_page(self, name: str) -> str:
        return f"{self.web_url}{name}/{tokens.token_placeholder(self.seed)}"

    @property
    def unsubscribe_mailto(self) -> str:
        """The `mailto:` URL for unsubscribing, with a placeholder for the token if Feeds reads that mail."""
        subject = quote(f"unsubscribe {self.newsletter.name}")
        if self.bounces is None:
            to = (self.reply_to or self.sender).address.addr_spec
            return f"mailto:{quote(to, safe='@+')}?subject={subject}"
        return f"mailto:{self._bounce_address(f'u-{tokens.token_placeholder(self.seed)}')}?subject={subject}"

    def return_path(self, delivery_id: int) -> str:
        """Return the address for bounces of one delivery (VERP); the sender's if Feeds reads no bounces."""
        if self.bounces is None:
            return f"{self.sender.address.username}@{self.domain}"
        return self._bounce_address(tokens.delivery_token(self.seed, delivery_id))

    def _bounce_address(self, token: str) -> str:
        to = (self.bounces or self.sender).address
        return f"{to.username}+{token}@{to.domain}"

    def message_id(self, delivery_id: int) -> str:
        """Return the Message-ID for all attempts of a delivery; it reveals nothing about the recipient."""
        token = tokens.delivery_token(self.seed, delivery_id)
        return f"<{self.newsletter.name}.{self.number}.{token}@{self.domain}>"


class EncodedLetter(Value, frozen=True, kw_only=True):
    """A letter, encoded once for all its messages."""

    #: Header fields that all messages share: names, and values as they are sent.
    head: tuple[tuple[str, bytes], ...]
    #: The body in pieces; a subscriber's token goes between two of them.
    pieces: tuple[bytes, ...]
    #: For each token: None if it is inserted as it is, else the bytes before and after it that share its base64.
    gaps: tuple[tuple[bytes, bytes] | None, ...]
    #: The `mailto:` URL for unsubscribing, with the token's placeholder.
    unsubscribe_mailto: str
    #: The web page for unsubscribing, likewise; empty without a web server, and in letters of older versions.
    one_click_url: str = ""


def encode_letter(headers: IssueHeaders, letter: Letter) -> EncodedLetter:
    """Return a letter encoded once for all its messages."""
    placeholder = tokens.token_placeholder(headers.seed)
    parts = [_EncodedPart.of(letter.text, placeholder), _EncodedPart.of(letter.html, placeholder)]
    head, _, body = _skeleton(headers, letter, parts).partition(b"\r\n\r\n")
    pieces, gaps = [b""], []
    for at, text in enumerate(_split_at_marks(body, len(parts))):
        pieces[-1] += text
        if at < len(parts):
            pieces[-1] += parts[at].pieces[0]
            pieces += parts[at].pieces[1:]
            gaps += parts[at].gaps
    return EncodedLetter(
        head=tuple(split_fields(head)),
        pieces=tuple(pieces),
        gaps=tuple(gaps),
        unsubscribe_mailto=headers.unsubscribe_mailto,
        one_click_url=headers.one_click_url,
    )


def _skeleton(headers: IssueHeaders, letter: Letter, parts: Iterable["_EncodedPart"]) -> bytes:
    """Return the message without the fields of a single delivery, with a mark in place of each part's text."""
    message = EmailMessage(policy=HeaderPolicy(linesep="\r\n", cte_type="7bit"))
    message["From"] = headers.sender.address
    message["Subject"] = one_line(letter.subject)
    if headers.reply_to:
        message["Reply-To"] = headers.reply_to.address
    for name, value in _list_headers(headers):
        message[name] = value
    message.make_alternative()
    for at, (part, subtype) in enumerate(zip(parts, ("plain", "html"), strict=True)):
        subpart = EmailMessage(policy=message.policy)
        subpart["Content-Type"] = f'text/{subtype}; charset="utf-8"'
        subpart["Content-Transfer-Encoding"] = part.encoding
        subpart["Content-Language"] = letter.lang
        subpart.set_payload(_mark(at).decode())
        message.attach(subpart)
    message.set_boundary(f"=_{blake2b(headers.seed, digest_size=12).hexdigest()}")
    message["MIME-Version"] = "1.0"
    return message.as_bytes()


def fold_headers(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return header fields as they are sent."""
    message = EmailMessage(policy=HeaderPolicy(linesep="\r\n"))
    for name, value in headers:
        message[name] = value
    return message.as_bytes().removesuffix(b"\r\n")


def _mark(at: int) -> bytes:
    return b"part %d" % at


def _split_at_marks(body: bytes, parts: int) -> Iterator[bytes]:
    """Yield the bytes before, between and after the marks."""
    for at in range(parts):
        before, _, body = body.partition(b"\r\n\r\n" + _mark(at))
        yield before + b"\r\n\r\n"
    yield body if body.endswith(b"\r\n") else body + b"\r\n"


def split_fields(head: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names of header fields, with their values as they are sent."""
    for field in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = field.partition(b":")
        yield name.decode(), value


def one_line(text: str) -> str:
    """Return *text* without control characters and line breaks."""
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text).split())


def _list_headers(headers: IssueHeaders) -> Iterable[tuple[str, str]]:
    name = headers.newsletter.name
    yield "List-Id", f"<{name}.{headers.domain}>"  # RFC 2919
    if headers.archive_url:
        yield "List-Archive", f"<{headers.archive_url}>"
    yield "Feedback-ID", f"{name}.{headers.number}:{name}:newsletter:{_feedback_sender(headers.domain)}"
    if headers.bounces and is_subdomain(headers.bounces.address.domain, headers.domain):
        # RFC 9477: complaints go to this mailbox. The signature of the sender's domain has to cover the field (section
        # 3.1.4) and allows subdomains (3.1.2); an address at another domain needs a signature of that domain (3.1.3).
        yield "CFBL-Address", f"{headers.bounces.address.addr_spec}; report=arf"
    yield "Auto-Submitted", "auto-generated"  # RFC 3834
    # Keeps Exchange from answering with notices of absence and other automatic replies (MS-OXCMAIL section 2.1.3.2.20).
    # Reports of non-delivery (NDR) are wanted.
    yield "X-Auto-Response-Suppress", "OOF, AutoReply"


def _feedback_sender(domain: str) -> str:
    """Return the domain, or a name for it, in 5 to 15 characters, as Gmail wants the sender's identifier.

    It counts each of up to four identifiers separately, so the one of an issue has the newsletter's name in it.
    Source: https://support.google.com/mail/answer/6254652
    """
    if len(domain) in _SENDER_LENGTHS:
        return domain
    return f"{domain[:8].rstrip('.-')}-{blake2b(domain.encode(), digest_size=3).hexdigest()}"


#: The lengths of a Feedback-ID's sender.
_SENDER_LENGTHS = range(5, 16)


# Parts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _EncodedPart:
    """The encoded text of a part, in pieces as in `EncodedLetter`."""

    encoding: str
    pieces: list[bytes]
    gaps: list[tuple[bytes, bytes] | None]

    @classmethod
    def of(cls, text: str, placeholder: str) -> "_EncodedPart":
        content = re.sub(r"\r\n?", "\n", text).strip("\n").encode()
        quoted_size, base64_size = _encoded_sizes(text)
        encode = _encode_quoted_printable if quoted_size <= base64_size else _encode_base64
        return encode(content, placeholder.encode())


def encode_text(text: str) -> tuple[str, bytes]:
    """Return a Content-Transfer-Encoding and a text in it; no line of it begins with a dot."""
    part = _EncodedPart.of(text, _NEVER)
    return part.encoding, part.pieces[0]


#: A placeholder that no text has.
_NEVER = "\0"


def _encode_quoted_printable(content: bytes, placeholder: bytes) -> _EncodedPart:
    """Return quoted-printable text (RFC 2045 section 6.7); no line begins with a dot, so SMTP has nothing to stuff.

    A placeholder that is cut by a soft line break gets a line to itself.
    """
    encoded = b2a_qp(content + b"\n", istext=True).replace(b"\r\n", b"\n").rstrip(b"\n")
    maybe_cut = b"(?:=\n)?".join(re.escape(placeholder[at : at + 1]) for at in range(len(placeholder)))
    own_line = b"=\n" + placeholder + b"=\n"
    encoded = re.sub(maybe_cut, lambda found: placeholder if found[0] == placeholder else own_line, encoded)
    pieces = b"\r\n".join(_escape_dot(line) for line in encoded.split(b"\n")).split(placeholder)
    return _EncodedPart("quoted-printable", pieces, [None] * (len(pieces) - 1))


def _escape_dot(line: bytes) -> bytes:
    """Return a line with a dot at its beginning escaped; in two lines if it grows too long."""
    if not line.startswith(b"."):
        return line
    escaped = b"=2E" + line[1:]
    return escaped if len(escaped) <= _LINE_LENGTH else b"=2E=\r\n" + _escape_dot(line[1:])


def _encode_base64(content: bytes, placeholder: bytes) -> _EncodedPart:
    """Return base64 text (RFC 2045 section 6.8); bytes that share a group of three with a token are encoded with it."""
    content = content.replace(b"\n", b"\r\n")
    pieces, gaps, start = [], [], 0
    for found in re.finditer(re.escape(placeholder), content):
        before = found.start() - (found.start() - start) % 3
        after = found.end() + -(found.end() - before) % 3
        pieces.append(_base64_lines(content[start:before]))
        gaps.append((content[before : found.start()], content[found.end() : after]))
        start = after
    return _EncodedPart("base64", _break_around_tokens(pieces, _base64_lines(content[start:])), list(gaps))


def _break_around_tokens(pieces: list[bytes], last: bytes) -> list[bytes]:
    """Return pieces of base64 with line breaks, so that each token gets a line to itself."""
    if not pieces:
        return [last]
    first, *between = [f"{piece.decode()}\r\n".encode() if piece else b"" for piece in pieces]
    return [first, *(b"\r\n" + piece for piece in between), b"\r\n" + last if last else b""]


def _base64_lines(content: bytes) -> bytes:
    return b"\r\n".join(b64encode(content[at : at + _LINE_BYTES]) for at in range(0, len(content), _LINE_BYTES))


# Messages ---------------------------------------------------------------------------------------------------------


class MessageBuilder:
    """Builds the messages of one letter."""

    def __init__(self, headers: IssueHeaders, letter: EncodedLetter, signer: "Signer | None" = None) -> None:
        self.headers, self._letter = headers, letter
        self._placeholder = tokens.token_placeholder(headers.seed)
        self._subscriber_fields = _ONE_CLICK_FIELDS if letter.one_click_url else _SUBSCRIBER_FIELDS
        shared = b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in letter.head)
        # The relays' headers are not signed, since each relay removes its own; they are not stored with the letter,
        # since other relays may be in use tomorrow.
        self._shared_header = shared + fold_headers(headers.relay_headers)
        self._signers: dict[bool, LetterSigner] = {}
        if signer:
            names = {False: (*_OWN_FIELDS, *self._subscriber_fields), True: _OWN_FIELDS}
            head = [field for field in letter.head if field[0] not in _UNSIGNED]
            self._signers = {is_copy: signer.for_letter(head, names[is_copy]) for is_copy in names}

    @property
    def signs(self) -> bool:
        """True if messages are signed."""
        return bool(self._signers)

    def build(self, delivery: Delivery, unsubscribe_token: str, at: datetime) -> bytes:
        """Return the message; the same delivery, first handed over *at* the same time, always gives the same bytes.

        A copy (`copy_to`) has no List-Unsubscribe: its recipient is not a subscriber.
        """
        body = self._body(unsubscribe_token)
        values = [
            b" " + idna_address(delivery.recipient).encode(),
            b" " + _date(at, self.headers.zone),
            b" " + self.headers.message_id(delivery.id).encode(),
        ]
        names: tuple[str, ...] = _OWN_FIELDS
        if delivery.subscriber_id is not None:
            names += self._subscriber_fields
            values += self._unsubscribe_values(unsubscribe_token)
        own_header = b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in zip(names, values, strict=True))
        signatures = b""
        if self._signers:
            signer = self._signers[delivery.subscriber_id is None]
            signatures = signer.sign(values, sha256(body).digest(), int(at.timestamp()))
        return b"".join((signatures, own_header, self._shared_header, b"\r\n", body))

    def _unsubscribe_values(self, token: str) -> list[bytes]:
        """Return the values of the subscriber's fields; the web page comes first (RFC 8058 section 4)."""
        urls = filter(None, (self._letter.one_click_url, self._letter.unsubscribe_mailto))
        values = [b"<%b>" % url.replace(self._placeholder, token).encode() for url in urls]
        return [b" " + b",\r\n ".join(values), *([_ONE_CLICK] if self._letter.one_click_url else [])]

    def _body(self, unsubscribe_token: str) -> bytes:
        token, letter = unsubscribe_token.encode(), self._letter
        body = [letter.pieces[0]]
        for gap, piece in zip(letter.gaps, letter.pieces[1:], strict=True):
            body += (token if gap is None else b64encode(gap[0] + token + gap[1]), piece)
        return b"".join(body)


#: Exchange makes a property of this field, and writes it anew from that.
_UNSIGNED = frozenset({"X-Auto-Response-Suppress"})
#: Fields of each message, and of messages to subscribers only: without and with a web server.
_OWN_FIELDS, _SUBSCRIBER_FIELDS = ("To", "Date", "Message-ID"), ("List-Unsubscribe",)
_ONE_CLICK_FIELDS = ("List-Unsubscribe", "List-Unsubscribe-Post")
#: RFC 8058 section 3.1: the only value of List-Unsubscribe-Post.
_ONE_CLICK = b" List-Unsubscribe=One-Click"


def idna_address(address: str) -> str:
    """Return an address for envelopes and headers: with its domain in ASCII."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(maxsize=64)
def _date(time: datetime, zone: tzinfo) -> bytes:
    return email_utils.format_datetime(time.astimezone(zone)).encode()


#: Gmail cuts letters at about 102 kB. How exactly it counts is not documented; `transfer_size` must be below this.
MOST_BYTES = 100_000


def transfer_size(html: str) -> int:
    """Return the size of a letter's HTML in bytes: unencoded or, if that is more, about as it is sent."""
    return max(len(html.encode()), min(_encoded_sizes(html)))


def _encoded_sizes(text: str) -> tuple[int, int]:
    """Return the bytes in quoted-printable (3 for each byte beyond ASCII) and in base64 (4 for 3), with line ends."""
    content = text.encode()
    escaped = sum(byte > 126 or byte == ord("=") for byte in content)  # noqa: PLR2004 - the last ASCII character
    return round((len(content) + 2 * escaped) * 78 / 75), round(len(content) * 4 / 3 * 78 / 76)
