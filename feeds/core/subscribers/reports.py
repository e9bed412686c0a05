"""Parse a message to the bounce address.

Anybody can write to that address, so nothing here is trusted: a report names tokens, and the caller verifies them with
the keys. Any bytes give a result, at worst `UNRECOGNISED`.
"""

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum

from feeds.answers import find_codes
from feeds.core.subscribers import automatic_replies, text_reports
from feeds.core.subscribers.bounces import BounceKind, classify_failure, mildest_kind
from feeds.core.subscribers.mime_parts import (
    embedded_message,
    field_groups,
    header_text,
    header_value,
    header_values,
    iterate_parts,
    parse_fields,
    parse_mail,
    sender_local_part,
)
from feeds.core.subscribers.sender_authentication import is_from_domain
from feeds.core.subscribers.text_reports import RETURNED_TYPES, DeliveryResult
from feeds.model import Value

#: How much of a message is read: a report comes before the message that it returns. Less of an unstructured report,
#: which is searched for dozens of patterns.
_MAX_BYTES, _MAX_UNSTRUCTURED = 512_000, 64_000
#: How many recipients of a report are read, and how many characters of a server's answer are kept.
_MAX_BLOCKS, _MAX_ANSWER = 100, 300
#: Header fields that name the envelope recipient, the most reliable first.
RECIPIENT_FIELDS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc")
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: A code in prose, where numbers may be versions or addresses: after a reply code, or in qmail's form.
_CODE_IN_TEXT = re.compile(r"(?:\b[45]\d\d[ -]|#)([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: Local parts of the addresses that mail servers write from. Display names and domains say nothing: people are called
#: Postmaster, and domains bounce.
_DAEMON = re.compile(r"(?:m(?:ailer-?)?daemon|post_?master|mail-?daemon|mail\.?delivery[\w.]*|bounces?)$")
#: Fields of a report that is not in a part of its own, as Amazon WorkMail sends it.
_FIELDS_IN_TEXT = re.compile(r"(?im)^[ \t]*(?:action|final-recipient|diagnostic-code)[ \t]*:")
#: RFC 5965 section 7.3 and its drafts. `not-spam` (RFC 6430) withdraws a complaint; it does not subscribe anyone.
_COMPLAINT_TYPES = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
#: Words for a failure (RFC 3464 section 2.3.3 has only `failed`); SendGrid reports `expired` when it gives up.
_FAILED_ACTIONS = frozenset({"failed", "failure", "fail", "error", "expired"})
_HEX = r"([0-9a-fA-F]{16,80})"


class InboundKind(StrEnum):
    """The kind of a message to the bounce address."""

    BOUNCE = "bounce"
    #: A server will try again.
    DELAY = "delay"
    COMPLAINT = "complaint"
    #: A request to unsubscribe.
    UNSUBSCRIBE = "leave"
    #: A request to subscribe by mail, or a reply that confirms it.
    JOIN = "join"
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


def parse_message(raw: bytes, address: str, server: str = "") -> InboundReport:
    """Parse a message to *address*, the bounce address (VERP).

    With *server*, the authserv-id of the receiving server, a complaint to the address itself has to be signed: that is
    the one in `CFBL-Address`, and a report to it without a valid DKIM signature of its author's domain must not be
    processed (RFC 9477 section 3.5).
    """
    message = parse_mail(raw[:_MAX_BYTES])
    if message is None:
        return InboundReport(kind=InboundKind.UNRECOGNISED)
    finder = _TokenFinder(address)
    parts = list(iterate_parts(message))
    envelope = finder.in_addresses(header_values(message, RECIPIENT_FIELDS))
    found = (
        _parse_delivery_report(parts, message)
        or _parse_feedback(parts, message)
        or _classify_other(message, raw, envelope)
    )
    if found.kind is InboundKind.COMPLAINT and server and _is_unsigned(message, address, server):
        found = InboundReport(kind=InboundKind.UNRECOGNISED)
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
            inner = embedded_message(part) if kind in RETURNED_TYPES or kind == "message/feedback-report" else None
            if inner is not None and kind in RETURNED_TYPES:
                yield _message_id_tokens(header_values(inner, ["Message-ID"]))
                yield self.in_addresses(header_values(inner, ["List-Unsubscribe"]))
            elif inner is not None:
                yield self.in_addresses(header_values(inner, ["Original-Mail-From"]))
        text = unstructured[:_MAX_UNSTRUCTURED].decode("ascii", "replace")
        yield _message_id_tokens(re.findall(r"(?im)^[> \t]*Message-ID:([^\r\n]*)", text))
        yield self.in_addresses([text])


def _message_id_tokens(texts: Iterable[str]) -> _Tokens:
    return [token for text in texts for token in re.findall(rf"\.{_HEX}@", text)], []


# Delivery reports -------------------------------------------------------------------------------------------------


def _parse_delivery_report(parts: Iterable[Message], message: Message) -> InboundReport | None:
    """Return the content of a delivery report (RFC 3464, RFC 6533); None if there is none, or it is empty.

    A report that also names a successful delivery behind the subscriber's address is not a bounce; nor is `delayed`.
    """
    blocks = [
        block for part in parts if part.get_content_type() in _STATUS_TYPES for block in field_groups(part, _MAX_BLOCKS)
    ][:_MAX_BLOCKS]
    actions = [_parse_action(block) for block in blocks]
    if not any(actions):
        return None
    failed = [block for block, action in zip(blocks, actions, strict=True) if action == "failed"]
    failures = _parse_failures(failed, message)
    if failures and not {"delivered", "relayed", "expanded"} & {*actions}:
        return InboundReport(kind=InboundKind.BOUNCE, failures=failures)
    return InboundReport(kind=InboundKind.DELAY if "delayed" in actions else InboundKind.AUTOMATIC)


def _parse_action(block: Message) -> str:
    """Return `Action` (RFC 3464 section 2.3.3); some servers add comments to it, or use other words for a failure."""
    found = re.match(r"\s*([a-z]+)", header_value(block, "Action").lower())
    action = found[1] if found else ""
    return "failed" if action in _FAILED_ACTIONS else action


def _parse_failures(blocks: Iterable[Message], message: Message) -> tuple[DeliveryFailure, ...]:
    """Return the failures in groups of fields.

    Without the answer, which RFC 3464 does not require, the words of the report give the reason. Symantec puts the
    answer into a field of its own.
    """
    fields = ("Diagnostic-Code", "X-Supplementary-Info")
    answers = [(block, next(filter(None, header_values(block, fields)), "")) for block in blocks]
    is_missing = any(not said for _, said in answers)
    reason = text_reports.find_reason(message, text_reports.find_words(message)) if is_missing else ""
    return tuple(_parse_failure(block, said or reason) for block, said in answers)


def _parse_failure(block: Message, answer: str) -> DeliveryFailure:
    """Return the failure in a group of fields; where `Status` has only a class (RFC 3463 X.0.0), the answer's code."""
    said = _one_line(answer)
    codes = [*_CODE.findall(header_value(block, "Status")), *_CODE_IN_TEXT.findall(said)]
    codes = [code for code in codes if not code.startswith("2")]
    exact = [code for code in codes if not code.endswith(".0.0") and code[0] == codes[0][0]]
    return DeliveryFailure(status=next(iter([*exact, *codes]), "5.0.0"), said=said)


# Everything else --------------------------------------------------------------------------------------------------


def _parse_feedback(parts: Iterable[Message], message: Message) -> InboundReport | None:
    """Return the content of a feedback report (RFC 5965), or of Hotmail's older one; None if there is none."""
    for part in parts:
        kind = part.get_content_type()
        fields = embedded_message(part) if kind in ("message/feedback-report", "message/rfc822") else None
        if fields is not None and kind == "message/feedback-report":
            about = header_value(fields, "Feedback-Type").lower()
            if about in _COMPLAINT_TYPES:
                return _to_complaint(about)
            return InboundReport(kind=InboundKind.AUTOMATIC if about == "not-spam" else InboundKind.UNRECOGNISED)
        if fields is not None and _is_hotmail_complaint(message, fields):
            return _to_complaint("abuse")
    return None


def _to_complaint(about: str) -> InboundReport:
    failure = DeliveryFailure(status="", said=f"reported as {about}")
    return InboundReport(kind=InboundKind.COMPLAINT, failures=(failure,))


def _is_unsigned(message: Message, address: str, server: str) -> bool:
    """Return whether a complaint was sent to *address*, and *server* has not verified a signature of its author."""
    if address.lower() not in _addresses(message, "To"):
        return False
    authors = _addresses(message, "From")
    domain = authors[0].rpartition("@")[2] if len(authors) == 1 else ""
    results = [*header_values(message, ["Authentication-Results"])]
    return not domain or not is_from_domain(results, domain, server, methods=("dkim",))


def _addresses(message: Message, name: str) -> list[str]:
    """Return the addresses in a header field, in lower case; none if it cannot be read."""
    try:
        return [address.lower() for _, address in getaddresses([*header_values(message, [name])]) if "@" in address]
    except (ValueError, TypeError, AttributeError):
        return []


def _is_hotmail_complaint(message: Message, returned: Message) -> bool:
    """Return whether a message is a complaint of Hotmail's Junk Mail Reporting Program before it used RFC 5965."""
    is_about_us = header_text(message, "Subject").lower().startswith("complaint about message from")
    return is_about_us and bool(header_value(returned, "X-HmXmrOriginalRecipient"))


def _classify_other(message: Message, raw: bytes, envelope: "_Tokens") -> InboundReport:
    """Return the content of a message without a delivery or feedback report."""
    if envelope[1]:
        return _classify_unsubscribe(message, raw)
    report = _parse_unstructured(message, raw) if _is_from_mail_server(message) else None
    if report is not None:
        return report
    is_automatic = automatic_replies.is_automatic(message)
    return InboundReport(kind=InboundKind.AUTOMATIC if is_automatic else InboundKind.UNRECOGNISED)


def _classify_unsubscribe(message: Message, raw: bytes) -> InboundReport:
    """Return the content of a message to an unsubscribe address.

    Only our letters have that address, in `List-Unsubscribe`, and mail programs write to it in many ways: as automatic
    (Apple Mail), without an envelope sender (Outlook). So a message to it is a request unless it proves to be something
    else: a receipt or an absence notice that names the message which it answers, or a mail server's report.
    """
    if automatic_replies.asks_to_unsubscribe(message):
        return InboundReport(kind=InboundKind.UNSUBSCRIBE)
    is_answer = automatic_replies.is_absence_notice(message) and automatic_replies.answers_message(message)
    if is_answer or automatic_replies.is_receipt(message):
        return InboundReport(kind=InboundKind.AUTOMATIC)
    if not _is_daemon(message):
        return InboundReport(kind=InboundKind.UNSUBSCRIBE)
    return _parse_unstructured(message, raw) or InboundReport(kind=InboundKind.UNRECOGNISED)


def _is_daemon(message: Message) -> bool:
    """Return whether the author is a program that only mail servers have, unlike `postmaster`."""
    return bool(re.fullmatch(r"mail(?:er)?-?daemon", sender_local_part(message)))


def _is_from_mail_server(message: Message) -> bool:
    """Return whether a mail server wrote the message; only then is its text searched for bounce patterns.

    A sender without the name of one must say in the subject that something failed, or return a letter: an absence
    notice may have neither the header fields nor the subject of one, and may say that mail cannot be delivered.
    """
    if header_value(message, "X-Failed-Recipients") or _DAEMON.match(sender_local_part(message)):
        return True
    if re.match(r"(?i)\"?mailer-daemon\"?\s*<>", header_value(message, "From")):  # DragonFly
        return True
    is_program = _has_no_author(message) and not automatic_replies.is_automatic(message)
    return is_program and (text_reports.has_failure_subject(message) or text_reports.returns_message(message))


def _has_no_author(message: Message) -> bool:
    """Return whether no one can be answered; absence notices have no envelope sender, too."""
    return (
        automatic_replies.is_from_nobody(message)
        or header_value(message, "Return-Path").startswith("<MAILER-DAEMON")
        or sender_local_part(message) in ("no-reply", "noreply")  # KDDI
    )


def _parse_unstructured(message: Message, raw: bytes) -> InboundReport | None:
    """Return a report without a standard form; None if nothing in it is known."""
    words = text_reports.find_words(message)
    if _FIELDS_IN_TEXT.search(words):
        report = _parse_fields_in_text(words, message)
        if report is not None:
            return report
    delivery = text_reports.find_delivery(message, words) or _ask_flufl_bounce(raw)
    if delivery is None:
        return None
    if delivery is DeliveryResult.DELAYED:
        return InboundReport(kind=InboundKind.DELAY)
    said = text_reports.find_reason(message, words)
    code = find_codes(said)[1] or next(iter(_CODE_IN_TEXT.findall(words)), "")
    failure = DeliveryFailure(status=code, said=_one_line(said or words))
    return InboundReport(kind=InboundKind.BOUNCE, failures=(failure,))


def _parse_fields_in_text(words: str, message: Message) -> InboundReport | None:
    """Return the failure in fields of RFC 3464 that are in the text of a message."""
    found = _FIELDS_IN_TEXT.search(words)
    blocks = parse_fields(words[found.start() :].lstrip(), 1) if found else []
    is_failure = bool(blocks) and _parse_action(blocks[0]) == "failed"
    return InboundReport(kind=InboundKind.BOUNCE, failures=_parse_failures(blocks, message)) if is_failure else None


def _ask_flufl_bounce(raw: bytes) -> DeliveryResult | None:
    """Return what flufl.bounce recognises: it knows the forms of many old servers.

    Its detectors raise on a sender that is missing or not ASCII, so they get another one.
    """
    from flufl.bounce import all_failures

    message = parse_mail(re.sub(rb"[^\x00-\x7f]", b"?", raw[:_MAX_UNSTRUCTURED]))
    if message is None:
        return None
    if not getaddresses(list(header_values(message, ["From"]))):
        del message["From"]
        message["From"] = "unknown@invalid"
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - the detectors may raise anything
        return None
    if temporary:
        return DeliveryResult.DELAYED
    return DeliveryResult.FAILED if permanent else None
