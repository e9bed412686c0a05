"""The meaning of a mail server's answer: one table for replies to our commands and for answers that reports quote.

An answer has a basic code (RFC 5321 section 4.2), perhaps an enhanced code (RFC 3463), and words. Codes alone do not
suffice: servers answer `550 5.7.1 No such user`, and `550 5.1.1` for senders on a blocklist. So the rules about words
come first, and of these the rules that spare a subscriber come before the rules that end a subscription.
"""

import re
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple


class AnswerMeaning(StrEnum):
    """The meaning of an answer that is not a success."""

    #: There is no such mailbox or host, or the mailbox is closed: mail to this address never arrives.
    DEAD_ADDRESS = "dead address"
    #: The mailbox is full, or over its quota.
    MAILBOX_FULL = "mailbox full"
    #: A later try may succeed; nothing more is known.
    TEMPORARY = "temporary"
    #: The server rejects us, whoever the recipient is: authentication, DMARC, blocklist, reputation, content.
    SENDER_REJECTED = "sender rejected"
    #: Too much mail, or too many connections, in too little time. Some servers say so with a permanent code (5yz).
    RATE_LIMIT = "rate limit"
    #: Too many recipients in one transaction (RFC 5321 section 4.5.3.1.10).
    TOO_MANY_RECIPIENTS = "too many recipients"
    #: Permanent for another reason, such as the size of the message, or for a reason that the answer does not give.
    UNKNOWN = "unknown"


class _Rule(NamedTuple):
    meaning: AnswerMeaning
    #: Where a provider or a standard says so; for words that need no explanation, whose server uses them.
    source: str
    #: A regular expression for the answer's words, in lower case, without addresses; empty for any words.
    words: str = ""
    #: Basic or enhanced codes; one that ends with a dot stands for all codes that begin with it. Empty for any code.
    codes: tuple[str, ...] = ()


_DEAD, _FULL, _SENDER, _RATE = (
    AnswerMeaning.DEAD_ADDRESS,
    AnswerMeaning.MAILBOX_FULL,
    AnswerMeaning.SENDER_REJECTED,
    AnswerMeaning.RATE_LIMIT,
)
_RFC3463 = "RFC 3463 section 3"
_IANA = "https://www.iana.org/assignments/smtp-enhanced-status-codes"
_GOOGLE = "https://support.google.com/a/answer/3726730"
_MICROSOFT = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/"
    "non-delivery-reports-in-exchange-online"
)
_YAHOO = "https://senders.yahooinc.com/smtp-error-codes/"
_GMX = "https://postmaster.gmx.net/en/error-messages"

#: The first rule that matches decides.
_RULES: tuple[_Rule, ...] = (
    # Rate limits.
    _Rule(AnswerMeaning.TOO_MANY_RECIPIENTS, "RFC 5321 section 4.5.3.1.10, RFC 3463 section 3.6", codes=("4.5.3",)),
    _Rule(_RATE, _GOOGLE, r"receiving (?:mail|messages) at a rate|unusual rate of|too (?:quickly|frequently)"),
    _Rule(_RATE, _MICROSOFT, codes=("5.1.90", "5.2.121", "5.2.122", "5.7.708", "4.7.650", "4.7.651")),
    _Rule(_RATE, _GOOGLE, codes=("4.7.28", "5.7.28", "5.4.5")),
    _Rule(
        _RATE,
        "Postfix (anvil), Exim, GoDaddy, Orange, QQ: the words say so",
        r"too (?:much|many) (?:mails?|e-?mails?|messages?|connections?|sessions?|recipients? (?:this|per|in the last))"
        r"|\brate.?limit|\bexceed\w* .{0,40}\b(?:rate|limit for messages|messages? per|sending limit|hourly|daily)"
        r"|frequency limited|throttl|slow(?:ing)? down|trop de connexions|too many .{0,30}(?:hour|minute|day)\b",
    ),
    _Rule(AnswerMeaning.TOO_MANY_RECIPIENTS, "RFC 3463 section 3.6", r"too many recipients", ("452", "552", "5.5.3")),
    # The sender or the content.
    _Rule(
        _SENDER,
        "Blocklists and their users: the words say so",
        r"\bspamhaus|\bspamcop|\bbarracudacentral|\bsorbs\b|\b(?:dns|u?r)bl\b|\b(?:black|block|deny).?list"
        r"|\blisted (?:in|on|at|by)\b|\breputation\b",
    ),
    _Rule(
        _SENDER,
        "RFC 7372, and the words of servers that use no enhanced codes",
        r"\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|not authenticated|authentication (?:required|failed|credentials)"
        r"|\bsender (?:address )?(?:is |was |has been )?(?:rejected|denied|blocked|verify failed)|banned sending ip"
        r"|relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed))|unable to relay",
    ),
    _Rule(_SENDER, "Spam filters: the words say so", r"\bspam\b|unsolicited|\bbulk mail|message content|\bvirus\b"),
    # Full mailboxes.
    _Rule(_FULL, _RFC3463, codes=("5.2.2", "4.2.2")),
    _Rule(
        _FULL,
        "Google, Apple, T-Online, Yahoo and others: the words say so",
        r"over ?quota|quota (?:exceeded|full)|exceed\w* .{0,30}quota|mailbox (?:is )?full|(?:mail)?box .{0,20}is full"
        r"|insufficient (?:mailbox )?storage|out of storage",
    ),
    # Dead addresses.
    _Rule(
        _DEAD,
        "Most servers: the words say so",
        r"(?:user|recipient|mailbox|account|address) (?:is |was )?(?:unknown|not found|does ?n.t exist|does not exist)"
        r"|(?:unknown|no such|invalid) (?:local )?(?:user|recipient|mailbox|account|address|person)",
    ),
    _Rule(_DEAD, _YAHOO, r"does ?n.t have an? .{1,40} account|account has been disabled or discontinued"),
    _Rule(_DEAD, _MICROSOFT, r"recipient address rejected: access denied", ("5.4.1",)),
    _Rule(_DEAD, _GMX + ", Outlook.com", r"requested action not taken: mailbox unavailable", ("550",)),
    # Codes alone.
    _Rule(_DEAD, _RFC3463, codes=("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.2.1")),
    _Rule(_DEAD, "RFC 7505 section 4.2", codes=("5.1.10",)),
    _Rule(_DEAD, f"{_RFC3463}.5: no such host or domain", codes=("5.4.4",)),
    _Rule(_SENDER, f"{_RFC3463}.2", codes=("5.1.7", "5.1.8")),
    _Rule(
        _SENDER,
        f"{_RFC3463}.8, RFC 7372, {_IANA}",
        codes=("5.7.", "4.7.23", "4.7.24", "4.7.25", "4.7.26", "4.7.27", "4.7.29"),
    ),
    _Rule(_SENDER, "RFC 4954 section 6", codes=("530", "534", "535", "538")),
)

_ADDRESS = re.compile(r"\S*@\S*")
_ENHANCED = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")


@lru_cache(maxsize=256)  # servers give the same answers again and again
def classify_answer(code: int, enhanced: str, text: str) -> AnswerMeaning:
    """Return the meaning of an answer that is not a success.

    Args:
        code: the basic code; 0 if only a report without it is known.
        enhanced: the enhanced code; if empty, the first one in *text*.
        text: the words, with or without the codes.
    """
    words = _normalize(text)
    found = _ENHANCED.search(words)
    enhanced = enhanced or (found[1] if found else "")
    is_temporary = (str(code) if code else enhanced).startswith("4")
    codes = (enhanced, str(code))
    for rule, pattern in _compiled_rules():
        if is_temporary and rule.meaning is _DEAD:
            continue
        if (not rule.codes or _has_code(rule.codes, codes)) and (pattern is None or pattern.search(words)):
            return rule.meaning
    return AnswerMeaning.TEMPORARY if is_temporary else AnswerMeaning.UNKNOWN


def _normalize(text: str) -> str:
    """Return words in lower case on one line without addresses, which may hold any words."""
    return " ".join(_ADDRESS.sub("@", text.lower()).split())


def _has_code(wanted: tuple[str, ...], codes: tuple[str, str]) -> bool:
    return any(code == one or (one.endswith(".") and code.startswith(one)) for one in wanted for code in codes)


@cache
def _compiled_rules() -> list[tuple[_Rule, re.Pattern[str] | None]]:
    return [(rule, re.compile(rule.words) if rule.words else None) for rule in _RULES]
