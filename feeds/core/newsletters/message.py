"""A letter and a delivery -> the bytes of a message (RFC 5322).

All readers of a letter get the same but for their address, the date, the Message-ID and the ways to leave. So a letter
is encoded once, with places left for the latter, and a message is put together from pieces.
"""

import re
import unicodedata
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from feeds.config_types import NamedAddress
from feeds.core.newsletters import tokens
from feeds.core.newsletters.domains import ascii_domain
from feeds.model import Delivery, Letter, Value
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import LetterSigner, Signer

#: Made of tokens that must reach the reader's side as they are. The standard library would fold a long one into
#: encoded words (RFC 2047), which Gmail does not take for a List-Unsubscribe.
_VERBATIM = frozenset({"list-id", "list-unsubscribe", "list-archive", "feedback-id", "message-id"})


class _Policy(EmailPolicy):
    """SMTP's line ends; headers that hold no words are not folded into encoded ones, and a subject is never parsed.

    The standard library decodes `=?utf-8?q?=0D=0ABcc:…?=` (RFC 2047) in a subject it is given and writes the line
    break, and it loses spaces between Japanese and Latin words when it folds.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Return a header as it is kept."""
        return (name, value) if name == "Subject" else super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        """Return one header with its line end."""
        if name.lower() in _VERBATIM:
            return f"{name}: {str(value).replace('>, <', f'>,{self.linesep} <')}{self.linesep}"
        if name == "Subject":
            charset = "us-ascii" if value.isascii() and "=?" not in value else "utf-8"
            return f"{name}: {Header(value, charset, header_name=name).encode(linesep=self.linesep)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return one header with its line end."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


#: Bytes of a line of base64, which become 76 characters (RFC 2045 section 6.8), and characters of quoted-printable.
_LINE_BYTES, _LINE = 57, 76


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueHeaders:
    """What all messages of one issue share."""

    newsletter: Newsletter
    number: int
    sender: NamedAddress
    reply_to: NamedAddress | None
    #: The newsletter's, for `Date`.
    zone: tzinfo
    #: The archive on the web; None where the newsletter has none.
    archive_url: str | None
    #: The issue's; see `feeds.core.newsletters.tokens`.
    seed: bytes
    #: Where mail comes back to and readers may write in order to leave; None where a person reads the replies.
    bounces: NamedAddress | None = None
    #: What the relays want to be told, each in a header of its own (`feeds.relays`).
    relay_headers: tuple[tuple[str, str], ...] = ()

    @property
    def domain(self) -> str:
        """The sender's domain, as ASCII."""
        return ascii_domain(self.sender.address.domain)

    @property
    def unsubscribe_url(self) -> str:
        """Where a mail program writes to in order to leave; if no person reads that, a token has its place in it."""
        subject = quote(f"unsubscribe {self.newsletter.name}")
        if self.bounces is None:
            to = (self.reply_to or self.sender).address.addr_spec
            return f"mailto:{quote(to, safe='@+')}?subject={subject}"
        return f"mailto:{self._bounce_address(f'u-{tokens.token_placeholder(self.seed)}')}?subject={subject}"

    def return_path(self, delivery_id: int) -> str:
        """Return the address to which mail about one delivery comes back (VERP); the sender's where nobody reads it."""
        if self.bounces is None:
            return f"{self.sender.address.username}@{self.domain}"
        return self._bounce_address(tokens.delivery_token(self.seed, delivery_id))

    def _bounce_address(self, token: str) -> str:
        to = (self.bounces or self.sender).address
        return f"{to.username}+{token}@{ascii_domain(to.domain)}"

    def message_id(self, delivery_id: int) -> str:
        """Return the Message-ID that every attempt at a delivery has; it tells nothing about the recipient."""
        token = tokens.delivery_token(self.seed, delivery_id)
        return f"<{self.newsletter.name}.{self.number}.{token}@{self.domain}>"


class EncodedLetter(Value, frozen=True, kw_only=True):
    """A letter as it goes out, but for what each reader has of their own."""

    #: Fields that all messages share: names, and values as they are sent.
    head: tuple[tuple[str, bytes], ...]
    #: The body in pieces; between two of them a reader's token has its place.
    pieces: tuple[bytes, ...]
    #: For each place: None where the token stands as it is, else the bytes around it that share its base64.
    gaps: tuple[tuple[bytes, bytes] | None, ...]
    #: What is in it, once.
    unsubscribe_url: str


def encode_letter(envelope: IssueHeaders, letter: Letter) -> EncodedLetter:
    """Return a letter encoded once for all its readers."""
    parts = [_Part.of(letter.text, envelope), _Part.of(letter.html, envelope)]
    head, _, body = _skeleton(envelope, letter, parts).partition(b"\r\n\r\n")
    pieces, gaps = [b""], []
    for at, text in enumerate(_between(body, len(parts))):
        pieces[-1] += text
        if at < len(parts):
            pieces[-1] += parts[at].pieces[0]
            pieces += parts[at].pieces[1:]
            gaps += parts[at].gaps
    return EncodedLetter(
        head=tuple(_fields(head)), pieces=tuple(pieces), gaps=tuple(gaps), unsubscribe_url=envelope.unsubscribe_url
    )


def _skeleton(envelope: IssueHeaders, letter: Letter, parts: Iterable["_Part"]) -> bytes:
    """Return the message without what is a reader's own, a mark in place of each part's text."""
    found = EmailMessage(policy=_Policy(linesep="\r\n", cte_type="7bit"))
    found["From"] = envelope.sender.address
    found["Subject"] = _one_line(letter.subject)
    if envelope.reply_to:
        found["Reply-To"] = envelope.reply_to.address
    for name, value in _list_headers(envelope):
        found[name] = value
    found.make_alternative()
    for at, (part, subtype) in enumerate(zip(parts, ("plain", "html"), strict=True)):
        one = EmailMessage(policy=found.policy)
        one["Content-Type"] = f'text/{subtype}; charset="utf-8"'
        one["Content-Transfer-Encoding"] = part.encoding
        one["Content-Language"] = letter.lang
        one.set_payload(_mark(at).decode())
        found.attach(one)
    found.set_boundary(f"=_{blake2b(envelope.seed, digest_size=12).hexdigest()}")
    found["MIME-Version"] = "1.0"
    return found.as_bytes()


def _folded(headers: Iterable[tuple[str, str]]) -> bytes:
    found = EmailMessage(policy=_Policy(linesep="\r\n"))
    for name, value in headers:
        found[name] = value
    return found.as_bytes().removesuffix(b"\r\n")


def _mark(at: int) -> bytes:
    return b"part %d" % at


def _between(body: bytes, parts: int) -> Iterator[bytes]:
    """Yield what stands before, between and behind the marks."""
    for at in range(parts):
        before, _, body = body.partition(b"\r\n\r\n" + _mark(at))
        yield before + b"\r\n\r\n"
    yield body if body.endswith(b"\r\n") else body + b"\r\n"


def _fields(head: bytes) -> Iterator[tuple[str, bytes]]:
    for field in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = field.partition(b":")
        yield name.decode(), value


def _one_line(text: str) -> str:
    """Return *text* without control characters and line breaks."""
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text).split())


def _list_headers(envelope: IssueHeaders) -> Iterable[tuple[str, str]]:
    name = envelope.newsletter.name
    yield "List-Id", f"<{name}.{envelope.domain}>"  # RFC 2919
    if envelope.archive_url:
        yield "List-Archive", f"<{envelope.archive_url}>"
    yield "Feedback-ID", f"{envelope.number}:{name}:newsletter:{envelope.domain}"
    yield "Auto-Submitted", "auto-generated"  # RFC 3834


# Parts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A part's text, encoded, in pieces."""

    encoding: str
    pieces: list[bytes]
    gaps: list[tuple[bytes, bytes] | None]

    @classmethod
    def of(cls, text: str, envelope: IssueHeaders) -> "_Part":
        content = re.sub(r"\r\n?", "\n", text).strip("\n").encode()
        place = tokens.token_placeholder(envelope.seed).encode()
        quoted, sixty_four = _sizes(text)
        return _quoted(content, place) if quoted <= sixty_four else _sixty_four(content, place)


def _quoted(content: bytes, place: bytes) -> _Part:
    """Return quoted-printable (RFC 2045 section 6.7); no line begins with a dot, so SMTP has nothing to stuff.

    A place that a soft line break has cut stands on a line of its own.
    """
    lines = b2a_qp(content + b"\n", istext=True).replace(b"\r\n", b"\n").split(b"\n")
    whole = b"\r\n".join(_undotted(line) for line in lines).rstrip(b"\r\n")
    cut = b"(?:=\r\n)?".join(re.escape(place[at : at + 1]) for at in range(len(place)))
    whole = re.sub(cut, lambda found: place if found[0] == place else b"=\r\n" + place + b"=\r\n", whole)
    pieces = whole.split(place)
    return _Part("quoted-printable", pieces, [None] * (len(pieces) - 1))


def _undotted(line: bytes) -> bytes:
    """Return a line that begins with no dot, in two if it grows too long."""
    if not line.startswith(b"."):
        return line
    longer = b"=2E" + line[1:]
    return longer if len(longer) <= _LINE else b"=2E=\r\n" + _undotted(line[1:])


def _sixty_four(content: bytes, place: bytes) -> _Part:
    """Return base64 (RFC 2045 section 6.8): what shares a group of three bytes with a token is encoded with it."""
    content = content.replace(b"\n", b"\r\n")
    pieces, gaps, start = [], [], 0
    for found in re.finditer(re.escape(place), content):
        before = found.start() - (found.start() - start) % 3
        after = found.end() + -(found.end() - before) % 3
        pieces.append(_lines(content[start:before]))
        gaps.append((content[before : found.start()], content[found.end() : after]))
        start = after
    return _Part("base64", _joined(pieces, _lines(content[start:])), list(gaps))


def _joined(pieces: list[bytes], last: bytes) -> list[bytes]:
    """Return pieces of base64 with line breaks where a token's own line begins and ends."""
    if not pieces:
        return [last]
    first, *between = [f"{piece.decode()}\r\n".encode() if piece else b"" for piece in pieces]
    return [first, *(b"\r\n" + piece for piece in between), b"\r\n" + last if last else b""]


def _lines(content: bytes) -> bytes:
    return b"\r\n".join(b64encode(content[at : at + _LINE_BYTES]) for at in range(0, len(content), _LINE_BYTES))


# Messages ---------------------------------------------------------------------------------------------------------


class MessageBuilder:
    """A letter ready to be made out to one reader after another."""

    def __init__(self, headers: IssueHeaders, letter: EncodedLetter, signer: "Signer | None" = None) -> None:
        self.envelope, self._letter = headers, letter
        self._place = tokens.token_placeholder(headers.seed)
        shared = b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in letter.head)
        # Not signed, since relays take out what is for them; nor kept with the letter: tomorrow's relays may be others.
        self._fixed = shared + _folded(headers.relay_headers)
        names = (*_OWN, *_OWN_OF_READERS)
        self._signed: dict[bool, LetterSigner] = {}
        if signer:
            self._signed = {copy: signer.for_letter(letter.head, _OWN if copy else names) for copy in (False, True)}

    @property
    def signs(self) -> bool:
        """Whether messages are signed."""
        return bool(self._signed)

    def build(self, delivery: Delivery, leave: str, at: datetime) -> bytes:
        """Return the message; the same delivery, first handed over *at* the same moment, always gives the same bytes.

        *leave* is the reader's token. A copy for the desk carries no way to leave: there is nothing to leave.
        """
        body = self._body(leave)
        own = [
            b" " + idna_address(delivery.recipient).encode(),
            b" " + _date(at, self.envelope.zone),
            b" " + self.envelope.message_id(delivery.id).encode(),
        ]
        names: tuple[str, ...] = _OWN
        if delivery.subscriber_id is not None:
            names += _OWN_OF_READERS
            own.append(b" <%b>" % self._letter.unsubscribe_url.replace(self._place, leave).encode())
        head = b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in zip(names, own, strict=True))
        signature = b""
        if self._signed:
            prepared = self._signed[delivery.subscriber_id is None]
            signature = prepared.sign(own, sha256(body).digest(), int(at.timestamp()))
        return b"".join((signature, head, self._fixed, b"\r\n", body))

    def _body(self, leave: str) -> bytes:
        token, letter = leave.encode(), self._letter
        found = [letter.pieces[0]]
        for gap, piece in zip(letter.gaps, letter.pieces[1:], strict=True):
            found += (token if gap is None else b64encode(gap[0] + token + gap[1]), piece)
        return b"".join(found)


_OWN, _OWN_OF_READERS = ("To", "Date", "Message-ID"), ("List-Unsubscribe",)


def idna_address(address: str) -> str:
    """Return an address as envelopes and headers have it: the domain in ASCII."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(maxsize=64)
def _date(moment: datetime, zone: tzinfo) -> bytes:
    return format_datetime(moment.astimezone(zone)).encode()


#: Gmail cuts letters at about 102 kB. What exactly it counts is not documented, so this holds for `weight`.
MOST_BYTES = 100_000


def transfer_size(html: str) -> int:
    """Return how many bytes a letter's HTML takes as it is or, if that is more, about as it is sent."""
    return max(len(html.encode()), min(_sizes(html)))


def _sizes(text: str) -> tuple[int, int]:
    """Return the bytes in quoted-printable (3 for each byte beyond ASCII) and in base64 (4 for 3), in lines."""
    content = text.encode()
    beyond = sum(byte > 126 or byte == ord("=") for byte in content)  # noqa: PLR2004 - the last ASCII character
    return round((len(content) + 2 * beyond) * 78 / 75), round(len(content) * 4 / 3 * 78 / 76)
