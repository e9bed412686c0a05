"""Parse a message to the bounce address.

Anybody can write to that address, so nothing here is trusted: a report names tokens, and the caller verifies them with
the keys. Any bytes give a result, at worst `UNRECOGNISED`.
"""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses
from enum import StrEnum

from feeds.core.subscribers.bounces import BounceKind, classify_failure, mildest_kind
from feeds.model import Value

#: How much of a message is read: a report comes before the message that it returns. Less of an unstructured report,
#: which is searched for dozens of patterns.
_MAX_BYTES, _MAX_UNSTRUCTURED = 512_000, 64_000
#: How many recipients of a report are read, and how many characters of a server's answer are kept.
_MAX_BLOCKS, _MAX_ANSWER = 100, 300
#: Header fields that name the envelope recipient, the most reliable first.
_RECIPIENT_FIELDS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc")
_RETURNED_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: A code in prose, where numbers may be versions or addresses: after a reply code, or in qmail's form.
_CODE_IN_TEXT = re.compile(r"(?:\b[45]\d\d[ -]|#)([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: Phrases of servers that will try again.
_STILL_TRYING = re.compile(
    r"(?i)warning message only|do not need to resend|transient non-fatal|will be retried|will keep trying|still trying"
    r"|attempts will continue|not yet been delivered|has been delayed"
)
_DAEMON = re.compile(r"(?i)\b(mailer-?daemon|postmaster|mail-?daemon|maildelivery|bounces?)\b")
#: RFC 5965 section 7.3 and its drafts. `not-spam` (RFC 6430) withdraws a complaint; it does not subscribe anyone.
_COMPLAINT_TYPES = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
_HEX = r"([0-9a-fA-F]{16,80})"


class InboundKind(StrEnum):
    """The kind of a message to the bounce address."""

    BOUNCE = "bounce"
    #: A server will try again.
    DELAY = "delay"
    COMPLAINT = "complaint"
    #: A request to unsubscribe.
    UNSUBSCRIBE = "leave"
    #: An automatic reply without an effect: out of office, read receipt, delivery receipt.
    AUTOMATIC = "automatic"
    UNRECOGNISED = "unrecognised"


class DeliveryFailure(Value, frozen=True, kw_only=True):
    """Why one recipient did not get the message."""

    #: An enhanced status code (RFC 3463); empty if the report has none.
    status: str
    #: The server's answer on one line.
    said: str


class InboundReport(Value, frozen=True, kw_only=True):
    """The content of a message, not verified yet."""

    kind: InboundKind
    #: Possible delivery tokens, the most reliable first.
    deliveries: tuple[str, ...] = ()
    #: Possible unsubscribe tokens; for `UNSUBSCRIBE` only the one in the recipient address.
    subscriptions: tuple[str, ...] = ()
    failures: tuple[DeliveryFailure, ...] = ()


def parse_message(raw: bytes, address: str) -> InboundReport:
    """Parse a message to *address*, the bounce address (VERP)."""
    message = _parse(raw[:_MAX_BYTES])
    if message is None:
        return InboundReport(kind=InboundKind.UNRECOGNISED)
    finder = _TokenFinder(address)
    parts = list(_iterate_parts(message))
    envelope = finder.in_addresses(_header_values(message, _RECIPIENT_FIELDS))
    found = _parse_delivery_report(parts) or _parse_feedback(parts) or _classify_other(message, raw, envelope)
    returned: list[_Tokens] = []
    if found.kind is not InboundKind.UNSUBSCRIBE:
        returned += finder.in_returned_message(parts, raw if _is_from_mail_server(message) else b"")
    deliveries, subscriptions = (
        tuple(dict.fromkeys(token for tokens in (envelope, *returned) for token in tokens[of])) for of in (0, 1)
    )
    return InboundReport(kind=found.kind, deliveries=deliveries, subscriptions=subscriptions, failures=found.failures)


def classify_report(report: InboundReport) -> tuple[BounceKind, DeliveryFailure]:
    """Return kind and failure of a bounce or complaint: of several failures behind one address, the mildest."""
    if report.kind is InboundKind.COMPLAINT:
        return BounceKind.COMPLAINT, report.failures[0]
    by_kind = {classify_failure(failure.status, failure.said): failure for failure in report.failures}
    kind = mildest_kind(by_kind)
    return kind, by_kind[kind]


# Messages ---------------------------------------------------------------------------------------------------------


def _parse(raw: bytes) -> Message | None:
    try:
        return message_from_bytes(raw)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):  # such as thousands of nested parts
        return None


def _iterate_parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a message, but not of messages inside it: a forwarded report is not meant for us."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        content = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(content, list):
            waiting += (inner for inner in reversed(content) if isinstance(inner, Message))
        else:
            yield part


def _header_values(message: Message, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (str(value) for value in message.get_all(name, []))


def _header_value(message: Message, name: str) -> str:
    return next(_header_values(message, [name]), "")


def _part_text(part: Message) -> str:
    """Return a part's text, whatever its charset: codes and tokens are ASCII in every charset in use."""
    content = part.get_payload(decode=True)
    return content.decode("ascii", "replace") if isinstance(content, bytes) else ""


def _embedded_message(part: Message) -> Message | None:
    """Return the message, or the message headers, inside a part."""
    content = part.get_payload()
    if isinstance(content, list):
        return next((inner for inner in content if isinstance(inner, Message)), None)
    return HeaderParser().parsestr(_part_text(part))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MAX_ANSWER]).split())[:_MAX_ANSWER]


# Tokens -----------------------------------------------------------------------------------------------------------


_Tokens = tuple[list[str], list[str]]


class _TokenFinder:
    """Finds strings that may be our tokens."""

    def __init__(self, address: str) -> None:
        local, _, domain = address.rpartition("@")
        self._address = re.compile(rf"(?i)(?<![\w.+-]){re.escape(local)}\+(u-)?{_HEX}@{re.escape(domain)}(?![\w.-]*\w)")

    def in_addresses(self, texts: Iterable[str]) -> _Tokens:
        """Return the tokens in our addresses: of deliveries, and of subscriptions."""
        found: _Tokens = ([], [])
        for text in texts:
            for is_unsubscribe, token in self._address.findall(text):
                found[bool(is_unsubscribe)].append(token)
        return found

    def in_returned_message(self, parts: Iterable[Message], unstructured: bytes) -> Iterator[_Tokens]:
        """Yield the tokens in the returned letter and in reports about it."""
        for part in parts:
            kind = part.get_content_type()
            inner = _embedded_message(part) if kind in _RETURNED_TYPES or kind == "message/feedback-report" else None
            if inner is not None and kind in _RETURNED_TYPES:
                yield _message_id_tokens(_header_values(inner, ["Message-ID"]))
                yield self.in_addresses(_header_values(inner, ["List-Unsubscribe"]))
            elif inner is not None:
                yield self.in_addresses(_header_values(inner, ["Original-Mail-From"]))
        text = unstructured[:_MAX_UNSTRUCTURED].decode("ascii", "replace")
        yield _message_id_tokens(re.findall(r"(?im)^[> \t]*Message-ID:([^\r\n]*)", text))
        yield self.in_addresses([text])


def _message_id_tokens(texts: Iterable[str]) -> _Tokens:
    return [token for text in texts for token in re.findall(rf"\.{_HEX}@", text)], []


# Delivery reports -------------------------------------------------------------------------------------------------


def _parse_delivery_report(parts: Iterable[Message]) -> InboundReport | None:
    """Return the content of a delivery report (RFC 3464, RFC 6533); None if there is none, or it is empty.

    A report that also names a successful delivery behind the subscriber's address is not a bounce; nor is `delayed`.
    """
    blocks = [block for part in parts if part.get_content_type() in _STATUS_TYPES for block in _recipient_blocks(part)]
    actions = [_parse_action(block) for block in blocks]
    if not any(actions):
        return None
    failures = tuple(_parse_failure(block) for block, action in zip(blocks, actions, strict=True) if action == "failed")
    if failures and not {"delivered", "relayed", "expanded"} & {*actions}:
        return InboundReport(kind=InboundKind.BOUNCE, failures=failures)
    return InboundReport(kind=InboundKind.DELAY if "delayed" in actions else InboundKind.AUTOMATIC)


def _recipient_blocks(part: Message) -> list[Message]:
    """Return the groups of fields, one per recipient and one for the message (RFC 3464 section 2.1)."""
    content, found = part.get_payload(), []
    for block in content if isinstance(content, list) else [HeaderParser().parsestr(_part_text(part))]:
        if isinstance(block, Message):
            rest = block.get_payload()
            more = re.split(r"\r?\n[ \t]*\r?\n", rest, maxsplit=_MAX_BLOCKS) if isinstance(rest, str) else []
            found += [block, *(HeaderParser().parsestr(text) for text in more)]
    return found[:_MAX_BLOCKS]


def _parse_action(block: Message) -> str:
    """Return `Action` (RFC 3464 section 2.3.3); some servers add comments to it, or use other words for a failure."""
    found = re.match(r"\s*([a-z]+)", _header_value(block, "Action").lower())
    action = found[1] if found else ""
    return "failed" if action in {"failed", "failure", "fail", "error"} else action


def _parse_failure(block: Message) -> DeliveryFailure:
    """Return the failure in a group of fields; where `Status` has only a class (RFC 3463 X.0.0), the answer's code."""
    said = _one_line(_header_value(block, "Diagnostic-Code"))
    codes = [*_CODE.findall(_header_value(block, "Status")), *_CODE_IN_TEXT.findall(said)]
    codes = [code for code in codes if not code.startswith("2")]
    exact = [code for code in codes if not code.endswith(".0.0") and code[0] == codes[0][0]]
    return DeliveryFailure(status=next(iter([*exact, *codes]), "5.0.0"), said=said)


# Everything else --------------------------------------------------------------------------------------------------


def _parse_feedback(parts: Iterable[Message]) -> InboundReport | None:
    """Return the content of a feedback report (RFC 5965); None if there is none."""
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            fields = _embedded_message(part)
            about = _header_value(fields, "Feedback-Type").strip().lower() if fields else ""
            if about in _COMPLAINT_TYPES:
                return InboundReport(
                    kind=InboundKind.COMPLAINT, failures=(DeliveryFailure(status="", said=f"reported as {about}"),)
                )
            return InboundReport(kind=InboundKind.AUTOMATIC if about == "not-spam" else InboundKind.UNRECOGNISED)
    return None


def _classify_other(message: Message, raw: bytes, envelope: _Tokens) -> InboundReport:
    """Return the content of a message without a delivery or feedback report."""
    from_server = _is_from_mail_server(message)
    unstructured = _parse_unstructured(raw) if from_server else None
    if unstructured is not None:
        return unstructured
    if _is_automatic(message):
        return InboundReport(kind=InboundKind.AUTOMATIC)
    return InboundReport(kind=InboundKind.UNSUBSCRIBE if envelope[1] and not from_server else InboundKind.UNRECOGNISED)


def _is_automatic(message: Message) -> bool:
    """Return whether a program replied (RFC 3834 section 5 and older fields), or sent a read receipt (RFC 8098).

    `auto-generated` is not among them: a mail program's unsubscribe request may have it.
    """
    submitted = _header_value(message, "Auto-Submitted").strip().lower()
    older = any(_header_value(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From"))
    receipt = "disposition-notification" in _header_value(message, "Content-Type").lower()
    return (
        submitted.startswith("auto-replied") or older or receipt or _header_value(message, "Precedence") == "auto_reply"
    )


def _is_from_mail_server(message: Message) -> bool:
    """Return whether a mail server wrote the message; only then is its text searched for bounce patterns."""
    if _header_value(message, "X-Failed-Recipients"):
        return True
    if any(_DAEMON.search(value) for value in _header_values(message, ["From"])):
        return True
    return _header_value(message, "Return-Path").strip() == "<>" and not _is_automatic(message)


def _parse_unstructured(raw: bytes) -> InboundReport | None:
    """Return a report without a standard form as flufl.bounce recognises it; None if it does not.

    It matches the texts of many servers and returns addresses, and whether they failed for good; the code is found
    here. It takes some warnings for failures, so phrases of a retry outweigh it. Its detectors raise on a sender that
    is missing or not ASCII, so they get another one.
    """
    from flufl.bounce import all_failures

    message = _parse(re.sub(rb"[^\x00-\x7f]", b"?", raw[:_MAX_UNSTRUCTURED]))
    if message is None:
        return None
    if not getaddresses(list(_header_values(message, ["From"]))):
        del message["From"]
        message["From"] = "unknown@invalid"
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - the detectors may raise anything
        return None
    text = "\n".join(_part_text(part) for part in _iterate_parts(message))
    if temporary or (permanent and _STILL_TRYING.search(text)):
        return InboundReport(kind=InboundKind.DELAY)
    if not permanent:
        return None
    code = _CODE_IN_TEXT.search(text)
    return InboundReport(
        kind=InboundKind.BOUNCE, failures=(DeliveryFailure(status=code[1] if code else "", said=_one_line(text)),)
    )
