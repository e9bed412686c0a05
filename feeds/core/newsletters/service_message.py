"""Build the bytes of a mail to one person that is outside of any issue (RFC 5322), such as a confirmation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email import utils as email_utils
from email.message import EmailMessage
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from feeds.config_types import NamedAddress
from feeds.core.newsletters import tokens
from feeds.core.newsletters.message import HeaderPolicy, encode_text, fold_headers, idna_address, one_line, split_fields
from feeds.model import Letter, ServiceMail

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import Signer

#: Exchange makes a property of this field, and writes it anew from that, so it is not signed.
_UNSIGNED = frozenset({"X-Auto-Response-Suppress"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSender:
    """The values that all mail outside of issues shares."""

    sender: NamedAddress
    reply_to: NamedAddress | None
    zone: tzinfo
    #: The mailbox for bounces that Feeds reads; None if a person reads them.
    bounces: NamedAddress | None
    #: Headers with instructions to the relays (`feeds.relays`).
    relay_headers: tuple[tuple[str, str], ...] = ()
    #: The URL of the web server for readers, with a slash at the end; None without one.
    web_url: str | None = None
    signer: "Signer | None" = None

    @property
    def domain(self) -> str:
        """The sender's domain in ASCII."""
        return self.sender.address.domain

    def return_path(self, mail: ServiceMail) -> str:
        """Return the address for bounces and complaints about one mail; the sender's if Feeds reads none."""
        if self.bounces is None:
            return f"{self.sender.address.username}@{self.domain}"
        to = self.bounces.address
        return f"{to.username}+{tokens.service_token(mail.seed, mail.id)}@{to.domain}"

    def unsubscribe_urls(self, mail: ServiceMail) -> tuple[str, ...]:
        """Return the URLs that end the subscription which a mail is about, a web page first; none for other mail."""
        token = mail.values.get("unsubscribe")
        if token is None:
            return ()
        to = (self.bounces or self.reply_to or self.sender).address
        address = f"{to.username}+u-{token}@{to.domain}" if self.bounces else quote(to.addr_spec, safe="@+")
        subject = quote(f"unsubscribe {mail.values['newsletters']}")
        mailto = f"mailto:{address}?subject={subject}"
        return (f"{self.web_url}unsubscribe/{token}", mailto) if self.web_url else (mailto,)


def build_service_message(sender: ServiceSender, mail: ServiceMail, letter: Letter, at: datetime) -> bytes:
    """Return the message of a mail; the same mail, first handed over *at* the same time, always gives the same bytes.

    Only a welcome has List-Unsubscribe (RFC 8058), as letters have: who gets other mail has not subscribed, or has just
    asked for it. `Auto-Submitted` keeps automatic replies away (RFC 3834).
    """
    message = EmailMessage(policy=HeaderPolicy(linesep="\r\n", cte_type="7bit"))
    message["From"] = sender.sender.address
    message["Subject"] = one_line(letter.subject)
    message["Date"] = email_utils.format_datetime(at.astimezone(sender.zone))
    message["Message-ID"] = f"<{mail.kind}.{tokens.service_token(mail.seed, mail.id)}@{sender.domain}>"
    if "reply" in mail.values:
        message["Reply-To"] = NamedAddress.parse(mail.values["reply"]).address
    elif sender.reply_to:
        message["Reply-To"] = sender.reply_to.address
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    _attach_parts(message, letter, mail)
    head, _, body = message.as_bytes().partition(b"\r\n\r\n")
    body = body.rstrip(b"\r\n") + b"\r\n"
    # The address as it is: the standard library would encode one beyond ASCII, which SMTPUTF8 (RFC 6532) must not be.
    fields = [("To", b" " + idna_address(mail.recipient).encode()), *_unsubscribe_fields(sender, mail)]
    fields += split_fields(head)
    signatures = b""
    if sender.signer:
        signed = [field for field in fields if field[0] not in _UNSIGNED]
        signatures = sender.signer.for_letter(signed, ()).sign([], sha256(body).digest(), int(at.timestamp()))
    header = b"".join(b"%b:%b\r\n" % (name.encode(), value) for name, value in fields)
    return b"".join((signatures, header, fold_headers(sender.relay_headers), b"\r\n", body))


def _unsubscribe_fields(sender: ServiceSender, mail: ServiceMail) -> Iterator[tuple[str, bytes]]:
    urls = sender.unsubscribe_urls(mail)
    if urls:
        yield "List-Unsubscribe", b" " + b",\r\n ".join(b"<%b>" % url.encode() for url in urls)
    if sender.web_url and urls:
        yield "List-Unsubscribe-Post", b" List-Unsubscribe=One-Click"


def _attach_parts(message: EmailMessage, letter: Letter, mail: ServiceMail) -> None:
    message.make_alternative()
    for text, subtype in ((letter.text, "plain"), (letter.html, "html")):
        encoding, content = encode_text(text)
        part = EmailMessage(policy=message.policy)
        part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
        part["Content-Transfer-Encoding"] = encoding
        part["Content-Language"] = letter.lang
        part.set_payload(content.decode("ascii"))
        message.attach(part)
    message.set_boundary(f"=_{blake2b(mail.seed + mail.id.to_bytes(8), digest_size=12).hexdigest()}")
    message["MIME-Version"] = "1.0"
