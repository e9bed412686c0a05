"""The bytes of a message that came to the bounce address -> what it says.

Anybody can write to that address, so nothing here is believed: a report names tokens, and whoever has the keys finds
out which of them are ours. Whatever the bytes are, something comes back, at worst `UNRECOGNISED`.
"""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses
from enum import StrEnum

from feeds.core.subscribers.bounces import BounceKind, classify_status, mildest_kind
from feeds.model import Value

#: What is read of a message; reports stand in front of what they return. Of a report without form still less, since
#: dozens of patterns are looked for in it.
_MOST_BYTES, _MOST_SHAPELESS = 512_000, 64_000
#: How many recipients of a report are looked at, and how many characters of what a server said are kept.
_MOST_BLOCKS, _MOST_SAID = 100, 300
#: Where servers write who a message was delivered to: the envelope's recipient, in the order in which it is believed.
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc")
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: A code in running text, where numbers may be versions or addresses: behind a reply code, or as qmail has it.
_CODE_IN_TEXT = re.compile(r"(?:\b[45]\d\d[ -]|#)([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: Of servers that go on trying.
_TRYING = re.compile(
    r"(?i)warning message only|do not need to resend|transient non-fatal|will be retried|will keep trying|still trying"
    r"|attempts will continue|not yet been delivered|has been delayed"
)
_DAEMON = re.compile(r"(?i)\b(mailer-?daemon|postmaster|mail-?daemon|maildelivery|bounces?)\b")
#: RFC 5965 section 7.3 and drafts of it. `not-spam` (RFC 6430) takes one back, and is not about wanting letters.
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
_HEX = r"([0-9a-fA-F]{16,80})"


class InboundKind(StrEnum):
    """What a message is."""

    BOUNCE = "bounce"
    #: A server goes on trying.
    DELAY = "delay"
    COMPLAINT = "complaint"
    #: Somebody wants to leave.
    LEAVE = "leave"
    #: Written by a machine, and nothing to us: somebody is on holiday, has read it, has got it.
    AUTOMATIC = "automatic"
    UNRECOGNISED = "unrecognised"


class DeliveryFailure(Value, frozen=True, kw_only=True):
    """Why one recipient did not get it."""

    #: An enhanced status code (RFC 3463); empty where the report has none.
    status: str
    #: The server's words, in one line.
    said: str


class InboundReport(Value, frozen=True, kw_only=True):
    """What a message says, not yet believed."""

    what: InboundKind
    #: What may be tokens of deliveries, the most credible first.
    deliveries: tuple[str, ...] = ()
    #: What may be tokens of subscriptions. For `LEAVE`: in the address it was written to, nowhere else.
    subscriptions: tuple[str, ...] = ()
    failures: tuple[DeliveryFailure, ...] = ()


def parse_message(raw: bytes, address: str) -> InboundReport:
    """Return what a message says that came to *address*, where bounces come back to (VERP)."""
    message = _parsed(raw[:_MOST_BYTES])
    if message is None:
        return InboundReport(what=InboundKind.UNRECOGNISED)
    own = _Own(address)
    parts = list(_parts(message))
    envelope = own.tokens(_values(message, _ENVELOPE))
    found = _delivery_report(parts) or _feedback(parts) or _written(message, raw, envelope)
    returned: list[_Tokens] = []
    if found.what is not InboundKind.LEAVE:
        returned += own.returned(parts, raw if _is_shapeless(message) else b"")
    deliveries, subscriptions = (
        tuple(dict.fromkeys(token for tokens in (envelope, *returned) for token in tokens[of])) for of in (0, 1)
    )
    return InboundReport(what=found.what, deliveries=deliveries, subscriptions=subscriptions, failures=found.failures)


def classify_report(report: InboundReport) -> tuple[BounceKind, DeliveryFailure]:
    """Return kind and failure of a bounce or complaint: of several failures behind one address, the mildest."""
    if report.what is InboundKind.COMPLAINT:
        return BounceKind.COMPLAINT, report.failures[0]
    by_kind = {classify_status(failure.status): failure for failure in report.failures}
    kind = mildest_kind(by_kind)
    return kind, by_kind[kind]


# Messages ---------------------------------------------------------------------------------------------------------


def _parsed(raw: bytes) -> Message | None:
    try:
        return message_from_bytes(raw)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):  # thousands of parts in each other
        return None


def _parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a message, not those of messages that it carries: what is forwarded reports nothing to us."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        content = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(content, list):
            waiting += (inner for inner in reversed(content) if isinstance(inner, Message))
        else:
            yield part


def _values(message: Message, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (str(value) for value in message.get_all(name, []))


def _value(message: Message, name: str) -> str:
    return next(_values(message, [name]), "")


def _text(part: Message) -> str:
    """Return a part's text, whatever it says of its charset: codes and tokens are ASCII in all that are in use."""
    content = part.get_payload(decode=True)
    return content.decode("ascii", "replace") if isinstance(content, bytes) else ""


def _inner(part: Message) -> Message | None:
    """Return the message, or the headers of one, that a part carries."""
    content = part.get_payload()
    if isinstance(content, list):
        return next((inner for inner in content if isinstance(inner, Message)), None)
    return HeaderParser().parsestr(_text(part))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MOST_SAID]).split())[:_MOST_SAID]


# Tokens -----------------------------------------------------------------------------------------------------------


_Tokens = tuple[list[str], list[str]]


class _Own:
    """Finds what may be ours."""

    def __init__(self, address: str) -> None:
        local, _, domain = address.rpartition("@")
        self._address = re.compile(rf"(?i)(?<![\w.+-]){re.escape(local)}\+(u-)?{_HEX}@{re.escape(domain)}(?![\w.-]*\w)")

    def tokens(self, texts: Iterable[str]) -> _Tokens:
        """Return the tokens in addresses of ours: of deliveries, of subscriptions."""
        found: _Tokens = ([], [])
        for text in texts:
            for leaves, token in self._address.findall(text):
                found[bool(leaves)].append(token)
        return found

    def returned(self, parts: Iterable[Message], shapeless: bytes) -> Iterator[_Tokens]:
        """Yield what stands in the letter that was sent back, and in reports on it."""
        for part in parts:
            kind = part.get_content_type()
            inner = _inner(part) if kind in _RETURNED or kind == "message/feedback-report" else None
            if inner is not None and kind in _RETURNED:
                yield _message_ids(_values(inner, ["Message-ID"]))
                yield self.tokens(_values(inner, ["List-Unsubscribe"]))
            elif inner is not None:
                yield self.tokens(_values(inner, ["Original-Mail-From"]))
        text = shapeless[:_MOST_SHAPELESS].decode("ascii", "replace")
        yield _message_ids(re.findall(r"(?im)^[> \t]*Message-ID:([^\r\n]*)", text))
        yield self.tokens([text])


def _message_ids(texts: Iterable[str]) -> _Tokens:
    return [token for text in texts for token in re.findall(rf"\.{_HEX}@", text)], []


# Delivery reports -------------------------------------------------------------------------------------------------


def _delivery_report(parts: Iterable[Message]) -> InboundReport | None:
    """Return what a delivery report says (RFC 3464, RFC 6533); None where there is none, or nothing in it.

    One that has reached somebody behind the reader's address is no bounce. `delayed` is none either.
    """
    blocks = [block for part in parts if part.get_content_type() in _STATUS for block in _blocks(part)]
    actions = [_action(block) for block in blocks]
    if not any(actions):
        return None
    failures = tuple(_failure(block) for block, action in zip(blocks, actions, strict=True) if action == "failed")
    if failures and not {"delivered", "relayed", "expanded"} & {*actions}:
        return InboundReport(what=InboundKind.BOUNCE, failures=failures)
    return InboundReport(what=InboundKind.DELAY if "delayed" in actions else InboundKind.AUTOMATIC)


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields, one a recipient and one for the message (RFC 3464 section 2.1)."""
    content, found = part.get_payload(), []
    for block in content if isinstance(content, list) else [HeaderParser().parsestr(_text(part))]:
        if isinstance(block, Message):
            rest = block.get_payload()
            more = re.split(r"\r?\n[ \t]*\r?\n", rest, maxsplit=_MOST_BLOCKS) if isinstance(rest, str) else []
            found += [block, *(HeaderParser().parsestr(text) for text in more)]
    return found[:_MOST_BLOCKS]


def _action(block: Message) -> str:
    """Return `Action` (RFC 3464 section 2.3.3); some servers add comments to it, or call a failure an error."""
    found = re.match(r"\s*([a-z]+)", _value(block, "Action").lower())
    action = found[1] if found else ""
    return "failed" if action in {"failed", "failure", "fail", "error"} else action


def _failure(block: Message) -> DeliveryFailure:
    """Return what a group of fields says; the server's own code where `Status` has only a class (RFC 3463 X.0.0)."""
    said = _one_line(_value(block, "Diagnostic-Code"))
    codes = [*_CODE.findall(_value(block, "Status")), *_CODE_IN_TEXT.findall(said)]
    codes = [code for code in codes if not code.startswith("2")]
    exact = [code for code in codes if not code.endswith(".0.0") and code[0] == codes[0][0]]
    return DeliveryFailure(status=next(iter([*exact, *codes]), "5.0.0"), said=said)


# Everything else --------------------------------------------------------------------------------------------------


def _feedback(parts: Iterable[Message]) -> InboundReport | None:
    """Return what a complaint says (RFC 5965); None where there is none."""
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            fields = _inner(part)
            about = _value(fields, "Feedback-Type").strip().lower() if fields else ""
            if about in _COMPLAINTS:
                return InboundReport(
                    what=InboundKind.COMPLAINT, failures=(DeliveryFailure(status="", said=f"reported as {about}"),)
                )
            return InboundReport(what=InboundKind.AUTOMATIC if about == "not-spam" else InboundKind.UNRECOGNISED)
    return None


def _written(message: Message, raw: bytes, envelope: _Tokens) -> InboundReport:
    """Return what a message without a report in it says."""
    by_a_server = _is_shapeless(message)
    shapeless = _shapeless(raw) if by_a_server else None
    if shapeless is not None:
        return shapeless
    if _is_automatic(message):
        return InboundReport(what=InboundKind.AUTOMATIC)
    return InboundReport(what=InboundKind.LEAVE if envelope[1] and not by_a_server else InboundKind.UNRECOGNISED)


def _is_automatic(message: Message) -> bool:
    """Return whether a program answered (RFC 3834 section 5, and what is older), or told that it was read (RFC 8098).

    What is `auto-generated` may be a mail program's wish to leave: nobody writes those by hand.
    """
    submitted = _value(message, "Auto-Submitted").strip().lower()
    older = any(_value(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From"))
    told = "disposition-notification" in _value(message, "Content-Type").lower()
    return submitted.startswith("auto-replied") or older or told or _value(message, "Precedence") == "auto_reply"


def _is_shapeless(message: Message) -> bool:
    """Return whether a mail server itself seems to write; patterns that look at what people write find anything."""
    if _value(message, "X-Failed-Recipients"):
        return True
    if any(_DAEMON.search(value) for value in _values(message, ["From"])):
        return True
    return _value(message, "Return-Path").strip() == "<>" and not _is_automatic(message)


def _shapeless(raw: bytes) -> InboundReport | None:
    """Return what flufl.bounce makes of a report in a form of its own; None if nothing.

    It looks for the words of many servers, and tells addresses and whether they fail for good; the code is ours to
    find. Of a report that is not final nothing follows; it takes some that say so for final. Its detectors raise where
    there is no sender, or a sender that is not ASCII, so they are shown another one.
    """
    from flufl.bounce import all_failures  # noqa: PLC0415 - dozens of modules, and few reports need them

    message = _parsed(re.sub(rb"[^\x00-\x7f]", b"?", raw[:_MOST_SHAPELESS]))
    if message is None:
        return None
    if not getaddresses(list(_values(message, ["From"]))):
        del message["From"]
        message["From"] = "unknown@invalid"
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - what else they take for granted, nobody knows
        return None
    text = "\n".join(_text(part) for part in _parts(message))
    if temporary or (permanent and _TRYING.search(text)):
        return InboundReport(what=InboundKind.DELAY)
    if not permanent:
        return None
    code = _CODE_IN_TEXT.search(text)
    return InboundReport(
        what=InboundKind.BOUNCE, failures=(DeliveryFailure(status=code[1] if code else "", said=_one_line(text)),)
    )
