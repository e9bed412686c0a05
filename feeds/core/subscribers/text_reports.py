"""Recognise bounces that have no standard form, by their words.

A report in words has three kinds of them: that a message was not delivered, or not yet; what a server answered; and the
message that it returns, which may say anything and is not searched.
"""

import re
from collections.abc import Iterator
from email.message import Message
from enum import Enum
from itertools import pairwise

from feeds.answers import AnswerMeaning, classify_answer, find_codes
from feeds.core.subscribers.mime_parts import header_text, header_value, iterate_parts, part_text

#: How much of the words is searched.
_MAX_CHARACTERS, _MAX_LINES = 64_000, 400
#: A line of header fields, also in a quote; and the fields that only a returned message has, unlike the summary that
#: some reports begin with.
_HEADER_LINE = re.compile(r"[>\s]{0,40}[A-Za-z][\w-]*:(?:\s|$)|[>\t ]+\S")
_RETURNED_FIELD = re.compile(
    r"(?i)[>\s]{0,40}(?:received|message-id|return-path|mime-version|dkim-signature|list-[\w-]+):"
)
#: How servers announce the returned message. The words of mail servers and of GMX, web.de and Mail.ru.
_RETURNED_MARK = re.compile(
    r"(?im)^[-*_ \t>|]{0,80}(?:this is a copy of (?:the|your) message|below this line is a copy of|original message\b"
    r"|(?:a copy of the )?original message (?:follows|headers)|(?:possibly truncated )?original message follows"
    r"|(?:the header of the|unsent) (?:original )?message\b|message headers? follow|copy of your message"
    r"|der header der ursprünglichen|ursprüngliche nachricht|kopie (?:der|ihrer) nachricht)"
)
#: A line with the subject of the returned message, which may say anything, in the languages of Exchange.
_SUBJECT_LINE = re.compile(
    r"(?im)(?:^[>* \t-]{0,40}(?:subject|betreff|objet|asunto|oggetto|assunto|onderwerp|тема|件名|主题|主旨|제목)"
    r"|message with subject)\s*[:：].*$"
)
_DELAYED = re.compile(
    r"(?i)warning message only|do not need to re-?send|do not resend|transient non-fatal|will be retried"
    r"|(?:keep|continue) (?:on )?(?:trying|to try)|still trying|attempts will continue|not yet been delivered"
    r"|(?:has been|is) (?:delayed|postponed)|temporary failure report|will try again"
    r"|noch nicht zugestellt|weitere zustellversuche"
)
#: Subjects of warnings; the rest of a subject may be that of the returned message.
_DELAYED_SUBJECT = re.compile(
    r"(?i)(?:delivery status notification: (?:warning|delayed)|.{0,40}status notification \(delay|delayed mail"
    r"|warning: could not)"
)
#: Words for a failure: of mail servers in English, then in the languages of providers.
_FAILED = re.compile(
    r"(?i)undeliver(?:able|ed)|non-?deliver|failed to deliver|did not reach"
    r"|returned (?:mail|to sender)|returning message"
    r"|(?:un|not |wasn.t |trouble |error )(?:able to )?deliver(?:ing|ed)?\b"
    r"|(?:not|n.t)(?: be| been)? (?:delivered|reached)"
    r"|delivery (?:has |to .{0,80})?(?:failed|failure|error|problem)"
    r"|status notification \(failure|failure notice|notification: error|mail (?:system error|failure)"
    r"|error sending your mail|permanent (?:\w+ )?errors?\b|rejected (?:the )?recipient|invalid user address"
    r"|nicht (?:an alle \w+ )?(?:zugestellt|erreicht)|unzustellbar|zustellung.{0,40}fehlgeschlagen"
    r"|n.a (?:pas )?(?:pu|été).{0,30}(?:remis|distribu|délivr|livr|achemin)"
    r"|non (?:remis|distribu|délivr)|échec de (?:la )?(?:remise|livraison)"
    r"|no (?:se )?(?:ha podido|pudo|puede) (?:ser )?entrega|no entregad|non (?:è stato|recapita)|mancato recapito"
    r"|não (?:foi|pôde|pode).{0,20}entreg|não entregue|niet (?:worden )?(?:bezorgd|afgeleverd)|onbestelbaar"
    r"|nie (?:można|zostało|udało).{0,20}dostarcz|недоставлен|не доставлен|не может быть доставлен"
    r"|(?:送信|配信|お届け|届ける\w*)(?:でき|され)ません|配信不能|見つかりません"
    r"|退信|(?:投递|发送|發送)失败|無法傳[送遞]|无法投递|(?:전송|발송|전달).{0,6}(?:실패|되지)"
)
#: A server's answer: at the beginning of a line or after a colon, bracket, quote or the words of mail servers.
_ANSWER = re.compile(
    r"(?m)(?:^[ \t<>(-]{0,40}|[:'\"\[(]\s*|(?:\b|_)(?:said|returned|code|reason|with|error|unreachable for)\W{1,3})"
    r"(?=[245]\d\d[ :#'\"-]|[45]\.\d{1,3}\.\d{1,3} - )"
)
#: Types of the parts that are a returned message.
#: `text/rfc822` is not registered; the reports in RFC 9477 (section 8) have it.
RETURNED_TYPES = frozenset(
    {"message/rfc822", "text/rfc822-headers", "text/rfc822", "message/global", "message/global-headers"}
)
#: Types of the parts with words; a multipart whose boundary is missing is not split into parts.
_PLAIN = frozenset({"text/plain", "multipart/report", "multipart/mixed", "multipart/alternative"})
#: sendmail puts the reason into the subject, and nothing of the returned message.
_SUBJECT_WITH_REASON = re.compile(r"(?i)returned mail: (?!see transcript)(.{1,200})")
#: The end of an answer: an empty line, or the next line of a session (`<<< 550 ...`).
_END_OF_ANSWER = re.compile(r"\n(?=[ \t>]*\n|[ \t]*(?:<<<|>>>|\.\.\. |[245]\d\d ))")
#: Tags, and the content of those whose content is not words.
_TAG = re.compile(r"<(?:style|script)\b[^<]*|<[a-zA-Z/!][^<>]{0,500}>")


class DeliveryResult(Enum):
    """The facts about a delivery in a report in words."""

    FAILED = "failed"
    DELAYED = "delayed"


def find_words(message: Message) -> str:
    """Return the words of a report, without the message that it returns."""
    parts = [part for part in iterate_parts(message) if not _is_returned(part)]
    plain = [part_text(part)[:_MAX_CHARACTERS] for part in parts if part.get_content_type() in _PLAIN]
    html = [
        _TAG.sub(" ", part_text(part)[:_MAX_CHARACTERS]) for part in parts if part.get_content_type() == "text/html"
    ]
    words = "\n\n".join(plain if any(text.strip() for text in plain) else html)[:_MAX_CHARACTERS]
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    mark = _RETURNED_MARK.search(words)
    return _SUBJECT_LINE.sub("", _cut_headers(words[: mark.start()] if mark else words))


def has_failure_subject(message: Message) -> bool:
    """Return whether the subject of a message says that something was not delivered."""
    subject = header_text(message, "Subject")
    return bool(_FAILED.search(subject) or _DELAYED_SUBJECT.match(subject))


def returns_message(message: Message) -> bool:
    """Return whether a message returns another one, in a part or in its text."""
    return any(
        part.get_content_type() in RETURNED_TYPES or (part.get_content_type() in _PLAIN and _has_returned_fields(part))
        for part in iterate_parts(message)
    )


def _has_returned_fields(part: Message) -> bool:
    return bool(re.search(r"(?im)^[> \t]{0,40}Message-ID:", part_text(part)[:_MAX_CHARACTERS]))


def find_delivery(message: Message, words: str) -> DeliveryResult | None:
    """Return the facts about a delivery in a report from a mail server; None if it has none."""
    subject = header_text(message, "Subject")
    if _DELAYED.search(words) or _DELAYED_SUBJECT.match(subject):
        return DeliveryResult.DELAYED
    is_failure = header_value(message, "X-Failed-Recipients") or _FAILED.search(f"{subject}\n{words}")
    return DeliveryResult.FAILED if is_failure or find_codes(find_answer(words))[0] else None


def find_answer(words: str) -> str:
    """Return the answer or the sentence that says why a delivery failed; empty if there is none.

    The first server that says something known counts: the one after it only repeats the failure.
    """
    answers = [answer for answer in _iterate_answers(words) if not find_codes(answer)[1].startswith("2")]
    known = [answer for answer in answers if _has_meaning(answer)]
    if known or answers:
        return next(iter([*known, *answers]))
    return next((sentence for sentence in _iterate_sentences(words) if _has_meaning(sentence)), "")


def find_reason(message: Message, words: str) -> str:
    """Return the answer or the sentence that says why a delivery failed, in the words or in the subject of a report."""
    subject = _SUBJECT_WITH_REASON.match(header_text(message, "Subject"))
    return find_answer(words) or (subject[1] if subject else "")


def _has_meaning(text: str) -> bool:
    return classify_answer(find_codes(text)[0], "", text) not in (AnswerMeaning.UNKNOWN, AnswerMeaning.TEMPORARY)


def _iterate_answers(words: str) -> Iterator[str]:
    """Yield what looks like an answer, at most three hundred characters of it."""
    for count, found in enumerate(_ANSWER.finditer(words)):
        if count == _MAX_LINES:
            return
        paragraph = _END_OF_ANSWER.split(words[found.end() : found.end() + 300], maxsplit=1)[0]
        if not paragraph.startswith("2"):
            yield " ".join(paragraph.split())


def _iterate_sentences(words: str) -> Iterator[str]:
    """Yield every line together with the next one, since servers break lines anywhere."""
    lines = [line.strip() for line in words.split("\n", _MAX_LINES)[:_MAX_LINES] if line.strip()]
    for line, following in pairwise([*lines, ""]):
        yield f"{line} {following}"[:300].strip()


def _is_returned(part: Message) -> bool:
    return part.get_content_subtype() == "rfc822-headers" or header_value(part, "Content-Disposition").startswith(
        "attachment"
    )


def _cut_headers(words: str) -> str:
    """Return the words before the first run of header fields that belongs to a returned message."""
    kept: list[str] = []
    start = 0  # of the run of header fields that is being read
    for line in words.split("\n"):
        if not _HEADER_LINE.match(line):
            start = len(kept) + 1
        elif _RETURNED_FIELD.match(line):
            return "\n".join(kept[:start])
        kept.append(line)
    return "\n".join(kept)
