"""Read headers and parts of a message from anybody: nothing here raises."""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses

#: The charsets of mail; other names that Python knows are not charsets, or are slow to decode.
_CHARSETS = re.compile(
    r"(?i)(?:utf-?8|us-ascii|iso-8859-\d+|iso-2022-\w+|windows-\d+|cp\d+|koi8-[ru]|gb\w*|big5\w*|euc-\w+|shift_?jis|ks_c\S*)$"
)
#: What a parser of mail may raise for damaged input.
_DAMAGE = (RecursionError, ValueError, LookupError, TypeError, AttributeError, MessageError, AssertionError)


def parse_mail(raw: bytes) -> Message | None:
    """Return a message; None if it cannot be parsed, such as thousands of nested parts."""
    try:
        return message_from_bytes(raw)
    except _DAMAGE:
        return None


def iterate_parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a message, but not of messages inside it: a forwarded report is not meant for us."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        content = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(content, list):
            waiting += (inner for inner in reversed(content) if isinstance(inner, Message))
        else:
            yield part


def header_values(message: Message, names: Iterable[str]) -> Iterator[str]:
    """Yield the values of header fields as they are in the message."""
    for name in names:
        yield from (str(value) for value in message.get_all(name, []))


def header_value(message: Message, name: str) -> str:
    """Return the first value of a header field, stripped; empty if there is none."""
    return next(header_values(message, [name]), "").strip()


def header_text(message: Message, name: str) -> str:
    """Return the first value of a header field with its encoded words decoded (RFC 2047).

    Bytes beyond ASCII, which some programs write as they are (as in RFC 6532), are decoded as UTF-8; `str` loses them.
    """
    try:
        pieces = decode_header(message.get(name, ""))
    except _DAMAGE:
        return header_value(message, name)
    texts = (piece if isinstance(piece, str) else _decode(piece, charset or "") for piece, charset in pieces)
    return "".join(texts).strip()


def sender_local_part(message: Message) -> str:
    """Return what precedes the `@` in `From`, in lower case; display names say anything."""
    try:
        addresses = getaddresses(list(header_values(message, ["From"])))
    except _DAMAGE:
        return ""
    return next((address.rpartition("@")[0] or address for _, address in addresses if address), "").lower()


def part_text(part: Message) -> str:
    """Return the text of a part, decoded from its transfer encoding and charset."""
    content = part.get_payload(decode=True)
    return _decode(content, part.get_content_charset() or "") if isinstance(content, bytes) else ""


def embedded_message(part: Message) -> Message | None:
    """Return the message, or the message headers, inside a part."""
    content = part.get_payload()
    if isinstance(content, list):
        return next((inner for inner in content if isinstance(inner, Message)), None)
    return HeaderParser().parsestr(part_text(part))


def field_groups(part: Message, most: int) -> list[Message]:
    """Return the groups of fields in a part, which empty lines separate (RFC 3464 section 2.1).

    Python parses the part as messages without decoding it, though servers use transfer encodings there.
    """
    content, found = part.get_payload(), []
    encoding = header_value(part, "Content-Transfer-Encoding").lower()
    if encoding in ("base64", "quoted-printable") and isinstance(content, list):
        return parse_fields(_decode(_transfer_decode(content, encoding), ""), most)
    for group in content if isinstance(content, list) else [HeaderParser().parsestr(part_text(part))]:
        if isinstance(group, Message):
            rest = group.get_payload()
            found += [group, *(parse_fields(rest, most) if isinstance(rest, str) else [])]
    return found[:most]


def parse_fields(text: str, most: int) -> list[Message]:
    """Return the groups of fields in a text, which empty lines separate."""
    return [HeaderParser().parsestr(group) for group in re.split(r"\r?\n[ \t]*\r?\n", text, maxsplit=most)][:most]


def _transfer_decode(groups: Iterable[object], encoding: str) -> bytes:
    """Return the bytes of a part that was parsed as messages before it was decoded."""
    try:
        text = "\n\n".join(group.as_string() for group in groups if isinstance(group, Message)).encode(
            "ascii", "replace"
        )
        return a2b_base64(text) if encoding == "base64" else a2b_qp(text)
    except (*_DAMAGE, Base64Error):
        return b""


def _decode(content: bytes, charset: str) -> str:
    name = charset if _CHARSETS.match(charset) else "utf-8"  # where none is given, it is most often UTF-8
    try:
        return content.decode(name, "replace")
    except (LookupError, ValueError):
        return content.decode("ascii", "replace")
