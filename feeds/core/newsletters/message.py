"""A letter and a delivery -> the bytes of a message (RFC 5322)."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from feeds.model import Delivery, Letter
from feeds.settings import Newsletter, Sender

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What all messages of one issue share."""

    newsletter: Newsletter
    number: int
    sender: Sender
    reply_to: Sender | None
    #: The newsletter's, for `Date`.
    zone: tzinfo
    #: The archive on the web; None where the newsletter has none.
    archive_url: str | None

    @property
    def domain(self) -> str:
        """The sender's domain, as ASCII."""
        return self.sender.address.domain.encode("idna").decode()

    @property
    def leave_url(self) -> str:
        """Where a mail program writes to in order to leave: a mailbox that a person reads."""
        to = (self.reply_to or self.sender).address.addr_spec
        return f"mailto:{quote(to, safe='@+')}?subject={quote(f'unsubscribe {self.newsletter.name}')}"


def message_id(envelope: Envelope, recipient_key: str) -> str:
    """Return the Message-ID that every attempt at this delivery has; it tells nothing about the recipient."""
    about = f"{envelope.newsletter.name}\0{envelope.number}\0{envelope.sender}\0{recipient_key}"
    token = blake2b(about.encode(), digest_size=12).hexdigest()
    return f"<{envelope.newsletter.name}.{envelope.number}.{token}@{envelope.domain}>"


def message(envelope: Envelope, letter: Letter, delivery: Delivery) -> bytes:
    """Return the message; the same delivery always gives the same bytes.

    `multipart/alternative`, text first. A copy for the desk carries no way to leave, since there is nothing to leave.
    """
    if delivery.handed_over_at is None:
        raise ValueError("a message has the date at which it was first handed over, and this one was not yet")
    utf8 = not delivery.recipient.isascii()
    found = EmailMessage(policy=_Policy(linesep="\r\n", utf8=utf8, cte_type="7bit"))
    found["From"] = envelope.sender.address
    local, _, domain = delivery.recipient.rpartition("@")
    found["To"] = Address(username=local, domain=domain)
    found["Subject"] = _one_line(letter.subject)
    found["Date"] = format_datetime(delivery.handed_over_at.astimezone(envelope.zone))
    found["Message-ID"] = delivery.message_id
    if envelope.reply_to:
        found["Reply-To"] = envelope.reply_to.address
    for name, value in _list_headers(envelope, copy=delivery.copy):
        found[name] = value
    _set_parts(found, letter, delivery.message_id)
    return found.as_bytes()


def _one_line(text: str) -> str:
    """Return *text* without control characters and line breaks."""
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text).split())


def _list_headers(envelope: Envelope, *, copy: bool) -> Iterable[tuple[str, str]]:
    name = envelope.newsletter.name
    yield "List-Id", f"<{name}.{envelope.domain}>"  # RFC 2919
    if not copy:
        yield "List-Unsubscribe", f"<{envelope.leave_url}>"  # RFC 2369
    if envelope.archive_url:
        yield "List-Archive", f"<{envelope.archive_url}>"
    yield "Feedback-ID", f"{envelope.number}:{name}:newsletter:{envelope.domain}"
    yield "Auto-Submitted", "auto-generated"  # RFC 3834


def _set_parts(found: EmailMessage, letter: Letter, seed: str) -> None:
    found.set_content(letter.text, cte=_encoding(letter.text))
    found.add_alternative(letter.html, subtype="html", cte=_encoding(letter.html))
    for part in found.iter_parts():
        part["Content-Language"] = letter.lang
        del part["MIME-Version"]
    found.set_boundary(f"=_{blake2b(seed.encode(), digest_size=12).hexdigest()}")


def _encoding(text: str) -> str:
    """Return the smaller of quoted-printable and base64."""
    quoted, sixty_four = _sizes(text)
    return "quoted-printable" if quoted <= sixty_four else "base64"


#: Gmail cuts letters at about 102 kB. What exactly it counts is not documented, so this holds for `weight`.
MOST_BYTES = 100_000


def weight(html: str) -> int:
    """Return how many bytes a letter's HTML takes as it is or, if that is more, about as it is sent."""
    return max(len(html.encode()), min(_sizes(html)))


def _sizes(text: str) -> tuple[int, int]:
    """Return the bytes in quoted-printable (3 for each byte beyond ASCII) and in base64 (4 for 3), in lines."""
    content = text.encode()
    beyond = sum(byte > 126 or byte == ord("=") for byte in content)  # noqa: PLR2004 - the last ASCII character
    return round((len(content) + 2 * beyond) * 78 / 75), round(len(content) * 4 / 3 * 78 / 76)
