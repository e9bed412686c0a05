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
    #: The server rejects us, whoever the recipient is: authentication, DMARC, blocklist, reputation.
    SENDER_REJECTED = "sender rejected"
    #: A filter or a policy rejects the message; it does not say that another message would be rejected too.
    CONTENT_REJECTED = "content rejected"
    #: Too much mail, or too many connections, in too little time. Some servers say so with a permanent code (5yz).
    RATE_LIMIT = "rate limit"
    #: Too many recipients in one transaction (RFC 5321 section 4.5.3.1.10).
    TOO_MANY_RECIPIENTS = "too many recipients"
    #: Permanent for another reason, such as the size of the message, or for a reason that the answer does not give.
    UNKNOWN = "unknown"


class _Rule(NamedTuple):
    meaning: AnswerMeaning
    #: Where a standard or a provider says so, or whose servers use these words.
    source: str
    #: A regular expression for the words of an answer, in lower case and without addresses; empty for any words.
    words: str = ""
    #: Basic or enhanced codes; one that ends with a dot stands for all codes that begin with it. Empty for any code.
    codes: tuple[str, ...] = ()


_DEAD, _FULL, _SENDER, _CONTENT, _RATE, _TEMPORARY, _UNKNOWN = (
    AnswerMeaning.DEAD_ADDRESS,
    AnswerMeaning.MAILBOX_FULL,
    AnswerMeaning.SENDER_REJECTED,
    AnswerMeaning.CONTENT_REJECTED,
    AnswerMeaning.RATE_LIMIT,
    AnswerMeaning.TEMPORARY,
    AnswerMeaning.UNKNOWN,
)
_GOOGLE = "https://support.google.com/a/answer/3726730"
_MICROSOFT = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/"
    "non-delivery-reports-in-exchange-online"
)
_OUTLOOK_COM = "https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx"
_YAHOO = "https://senders.yahooinc.com/smtp-error-codes/"
_GMX = "https://postmaster.gmx.net/en/error-messages"
_QQ = "https://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022"
_NETEASE = "https://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html"
_MIMECAST = "https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691-Policies-Mimecast-SMTP-Error-Codes"
_IANA = "https://www.iana.org/assignments/smtp-enhanced-status-codes"

#: How far apart the words of one statement may be.
_GAP = r".{0,40}?"

#: The first rule that matches decides.
_RULES: tuple[_Rule, ...] = (
    # Rate limits, also those that have the code of a missing mailbox.
    _Rule(AnswerMeaning.TOO_MANY_RECIPIENTS, "RFC 5321 section 4.5.3.1.10, RFC 3463 section 3.6", codes=("4.5.3",)),
    _Rule(_RATE, _GOOGLE, r"receiving (?:e?mail|messages) (?:at a rate|too quickly)|unusual rate of"),
    _Rule(_RATE, _GOOGLE, codes=("4.7.28", "5.7.28", "5.4.5")),
    _Rule(_RATE, _MICROSOFT, codes=("5.1.90", "5.2.121", "5.2.122", "5.7.708", "4.7.650", "4.7.651")),
    _Rule(_RATE, _OUTLOOK_COM, r"limits for how many messages"),
    _Rule(_RATE, _YAHOO, r"max messages? per connection|due to (?:unexpected|excessive|high) volume"),
    _Rule(_RATE, _QQ, r"frequency limited|mailbox unavailable or access denied"),
    _Rule(_RATE, _NETEASE, r"\b(?:hl:i[cf]c|mi:(?:ccl|dmc|sfq)|rp:(?:drc|ccl))\b"),
    _Rule(_RATE, "Orange: OFR004_104", r"trop de connexions"),
    _Rule(
        _RATE,
        "Postfix, Exim, cPanel, GMX, Rackspace, GoDaddy, Exchange: the words say so",
        r"too (?:much|many)(?: \w+){0,2} (?:e?-?mails?|messages?|connections?|sessions?|errors)\b"
        r"(?! (?:in|on) (?:the |your |his )?(?:mailbox|server))"
        rf"|too many recipients (?:from|per|in|this)\b|too many{_GAP}\b(?:hour|minute|day)\b"
        r"|\b(?:rate|sending|hourly|daily)[ -]?(?:\w+[ -])?(?:limit|quota)|rate exceeded|throttl|slow(?:ing)? down"
        rf"|\bexceed\w*{_GAP}\b(?:rate|hourly|daily|per (?:hour|minute|day|connection))\b",
    ),
    _Rule(AnswerMeaning.TOO_MANY_RECIPIENTS, "RFC 3463 section 3.6", codes=("5.5.3",)),
    _Rule(AnswerMeaning.TOO_MANY_RECIPIENTS, "RFC 5321 section 4.5.3.1.10", r"too many recipients"),
    _Rule(_TEMPORARY, "Postgrey, rspamd, Mimecast: the words say so", r"gr[ae]y-?list"),
    # The message is too large; the server has no room for anybody's mail.
    _Rule(_UNKNOWN, "RFC 3463 sections 3.3 and 3.4", codes=("5.2.3", "5.3.4", "4.3.4")),
    _Rule(
        _UNKNOWN,
        "RFC 1870: the words say so",
        rf"(?:message|mail)\b{_GAP}\btoo (?:big|large)"
        rf"|message (?:size |length )?exceeds{_GAP}\b(?:size|maximum|administrative)",
    ),
    _Rule(_TEMPORARY, "RFC 3463 section 3.4, Exchange", codes=("4.3.1",)),
    _Rule(
        _DEAD,
        "sendmail: null MX (RFC 7505) with 5.7.27, the code for one of the sender",
        r"\bhost does not accept mail",
    ),
    # The sender or the content. These come before dead addresses, since "domain not found" may be about our domain.
    _Rule(_SENDER, "RFC 3463 section 3.2", codes=("5.1.7", "5.1.8", "4.1.8")),
    _Rule(
        _SENDER,
        f"RFC 7372, {_IANA}",
        codes=tuple(f"{severity}.7.{detail}" for severity in (4, 5) for detail in (23, 24, 25, 26, 27, 29)),
    ),
    _Rule(
        _SENDER,
        "Blocklists and the servers that use them: the words say so",
        r"spamhaus|spamcop|barracudacentral|\bsorbs\b|\b(?:dns|u?r)bls?\b|\b(?:black|block|deny)[ -]?list"
        r"|(?<!not )\blisted (?:in|on|at|by)\b|\breputation\b",
    ),
    _Rule(
        _SENDER,
        "RFC 7372: the words say so",
        r"\bdmarc\b|\bspf\b|\bdkim\b|\bunauthenticated\b|\bnot authenticated\b"
        r"|\bauthentication (?:is )?(?:required|failed|credentials|unsuccessful)",
    ),
    _Rule(
        _SENDER,
        "Postfix, Exim, Exchange: the words say so",
        r"\bsender(?: address)?(?: is| was| has been)? (?:rejected|denied|blocked|refused|invalid|verify failed)"
        r"|domain of (?:the )?sender|\b(?:sender|your|helo|ehlo)(?:'s)? (?:host|domain)\b"
        r"|(?:client host|helo command) rejected|banned sending ip"
        r"|\breverse (?:dns|lookup|mapping|hostname)|\bptr\b|cannot (?:find|resolve) your"
        r"|relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed))|unable to relay"
        r"|administrative prohibition|not allowed to send",
    ),
    _Rule(
        _CONTENT,
        "Filters: the words say so",
        r"\bspam\b|unsolicited|bulk e?mail|\bvirus\b|垃圾邮件|迷惑メール"
        r"|(?:message|mail)? ?content (?:is )?(?:rejected|denied|not accepted)"
        r"|local policy|polic(?:y|ies) (?:violation|re(?:strict|ason|ject))|mail rejete"
        rf"|\b(?:your|client|sending) (?:ip|host|server|domain|e?-?mail|message|network)\b{_GAP}"
        r"\b(?:block|reject|denied|refus)",
    ),
    _Rule(_SENDER, _NETEASE, r"\b(?:dt:rbl|hl:(?:rep|mep)|mi:(?:spf|dma)|wm:bl[iu])\b"),
    _Rule(_CONTENT, _NETEASE, r"\bdt:spm\b"),
    # Full mailboxes.
    _Rule(_FULL, "RFC 3463 section 3.3", codes=("5.2.2", "4.2.2")),
    _Rule(
        _FULL,
        "Google, Apple, T-Online, GMX, web.de, Courier, Exim: the words say so",
        rf"over[ -]?quota|over (?:\w+ )?quota|\bquota{_GAP}\b(?:exceeded|full|reached|violation)"
        rf"|exceed\w*{_GAP}\b(?:quota|storage)"
        rf"|(?:(?:mail|in)?box|mailfolder){_GAP}\bfull\b|full (?:mail|in)?box"
        r"|exhausted allowed storage|out of (?:storage|disk)|over disk"
        rf"|insufficient (?:disk|storage|mailbox)|not enough (?:disk |storage )?space|no space left"
        r"|too many messages (?:in|on) (?:the )?(?:mailbox|server)",
    ),
    _Rule(
        _FULL,
        "The same in the languages of providers",
        rf"postfach{_GAP}(?:voll|überfüllt)|speicher(?:platz|volumen)"
        rf"|bo[iî]te{_GAP}(?:pleine|saturée)|quota (?:dépassé|atteint)"
        rf"|buzón{_GAP}lleno|casella{_GAP}piena|caixa{_GAP}cheia|ящик{_GAP}переполнен|превы[шс]{_GAP}(?:квот|лимит)"
        rf"|(?:メールボックス|受信箱|容量){_GAP}(?:いっぱい|一杯|満杯|超え|超過|不足)"
        rf"|(?:邮箱|空间|容量|信箱|空間){_GAP}(?:已满|不足|已滿)|(?:용량|편지함){_GAP}(?:초과|부족|가득)",
    ),
    _Rule(_TEMPORARY, "Any server: the word says so, whatever the code", r"\btemporar(?:y|ily)\b"),
    # Dead addresses. The words first, since they come with many codes, such as 5.0.0, 5.5.0 and 5.7.1.
    _Rule(
        _DEAD,
        "RFC 5321 section 3.5.3, Postfix, Exim, sendmail, docomo, au, SoftBank, Naver, Yandex: the words say so",
        r"\b(?:user|recipient|addressee|mailbox|account|address|local part)s?(?: name)?(?: is| was| are)?"
        r" (?:unknown|not (?:found|exist|known|valid|recogni[sz]ed)|invalid|inexistent|disabled|inactive|closed)\b"
        r"|\b(?:unknown|no such|invalid|inactive|non-?existent|bad destination)(?: local| final delivery| e-?mail)?"
        r" (?:user|userid|recipient|mailbox|account|address|person|local.?part)"
        r"|\brecip(?:ient)?notfound\b|unknown or illegal alias|no (?:valid recipients?|mailbox (?:here )?by that name)"
        rf"|\b(?:account|mailbox|user|address|recipient)\b{_GAP}\b"
        r"(?:does ?n.t exist|does not exist|is (?:disabled|inactive|closed))"
        r"|no longer (?:exists?|active|valid|in use|available|on (?:this )?server)",
    ),
    _Rule(
        _DEAD, _YAHOO, rf"does(?: ?n.t| not) have an? {_GAP}account|account has been (?:disabled|discontinued|closed)"
    ),
    _Rule(_DEAD, f"{_MICROSOFT} (5.4.1)", r"recipient address rejected: access denied", ("5.4.1",)),
    _Rule(
        _DEAD,
        f"{_GMX}, {_OUTLOOK_COM}: RFC 5321 section 4.2.3 on 550",
        r"requested (?:mail )?action (?:not taken|aborted):? mailbox unavailable",
        ("550",),
    ),
    _Rule(_DEAD, f"{_QQ}, {_NETEASE}", r"mailbox not found|user not found|\brc:(?:ne|ld)\b"),
    _Rule(_DEAD, _MIMECAST, r"invalid recipient"),
    _Rule(_DEAD, "Cisco Secure Email", r"\baddress rejected\b", ("5.1.0",)),
    _Rule(_DEAD, "au (KDDI)", r"^\W*(?:[\w-]+; )?550 @:? recipient address rejected\W*$"),
    _Rule(_DEAD, "Comcast", r"not our customer"),
    _Rule(_DEAD, "Domino", r"not listed in (?:the )?(?:domino directory|public name)"),
    _Rule(
        _DEAD,
        "Exchange and Outlook: text of their reports",
        rf"address{_GAP}couldn.t be found|wasn.t found at|e-?mail account does not exist at the organization",
    ),
    _Rule(
        _DEAD, "GroupWise: its reports name a reason only if there is another", r"was undeliverable to the following"
    ),
    _Rule(_DEAD, "Exim: no router accepts the address", r"unrout(?:e)?able address"),
    _Rule(_UNKNOWN, "Postfix: DNS is broken, not missing", r"malformed or unexpected name server reply"),
    _Rule(_TEMPORARY, "Postfix: DNS did not answer", r"host not found, try again"),
    _Rule(_DEAD, "RFC 7504 section 4: the domain does not accept mail", codes=("556",)),
    _Rule(
        _DEAD,
        "RFC 3463 sections 3.2 and 3.5, RFC 7505: no such host or domain",
        r"(?:host|domain)(?: or domain)?(?: name)?(?: is)? (?:not (?:found|exist)|unknown|does not exist)"
        r"|(?:unknown|no such|bad destination) (?:host|domain)|nxdomain|no mx (?:record )?found"
        rf"|(?:host|domain){_GAP}does not accept (?:e?-?mail|messages)|null ?mx|indicated no smtp service"
        rf"|domain is not reachable|dns lookup failure: host{_GAP}not found",
    ),
    _Rule(
        _DEAD,
        "The same in the languages of providers: web.de, GMX, Orange, Mail.ru, Yandex, KDDI, QQ, Naver and others",
        rf"empfänger{_GAP}(?:unbekannt|nicht gefunden|existiert nicht)"
        rf"|(?:adresse|postfach){_GAP}(?:existiert nicht|nicht gefunden)"
        rf"|unbekannter? (?:empfänger|benutzer)|benutzer{_GAP}nicht bekannt"
        rf"|destinataire{_GAP}(?:inconnu|introuvable|invalide)|utilisateur inconnu"
        rf"|adresse{_GAP}(?:invalide|introuvable|n.existe pas)"
        rf"|(?:usuario|destinatario|dirección|buzón){_GAP}(?:desconocid|no existe)"
        rf"|(?:utente|destinatario){_GAP}sconosciut"
        rf"|(?:casella|indirizzo){_GAP}(?:inesistente|non esiste)"
        rf"|(?:usuário|destinatário){_GAP}(?:desconhecid|inexistente|não existe)"
        rf"|(?:gebruiker|ontvanger|adres){_GAP}(?:bestaat niet|onbekend)"
        rf"|(?:użytkownik|adres|odbiorc){_GAP}nie istnieje"
        rf"|(?:пользовател|ящик|адрес|получател){_GAP}(?:не найден|не существует|нет\b)"
        rf"|(?:宛先|アドレス|ユーザー?){_GAP}(?:見つかりません|存在しません|存在していません|不明)"
        rf"|(?:用户|收件人|邮箱|地址|帐号|账号|使用者|收件者){_GAP}不存在|查无此人"
        rf"|존재하지 않|없는 (?:사용자|계정|주소)",
    ),
    # Codes alone.
    _Rule(_DEAD, "RFC 3463 sections 3.2 and 3.3", codes=("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.2.1")),
    _Rule(_DEAD, "RFC 7505 section 4.2", codes=("5.1.10",)),
    _Rule(_DEAD, "RFC 3463 section 3.5: unable to route; Postfix and SES: no such host", codes=("5.4.4",)),
    _Rule(_SENDER, "RFC 4954 section 6", codes=("530", "534", "535", "538", "5.7.8", "5.7.9")),
    _Rule(_SENDER, f"{_MICROSOFT}: not authenticated, and 5.7.515", codes=("5.7.57", "5.7.60", "5.7.515")),
    _Rule(_CONTENT, "RFC 3463 section 3.8", codes=("5.7.",)),
)

#: Addresses may hold any words.
_ADDRESS = re.compile(r"\S*@\S*")
#: A basic code at the beginning, perhaps after the type of a `Diagnostic-Code`; some servers write `550-'5.1.1`.
_BASIC = re.compile(r"\W*(?:[\w-]+;\W*)?([245]\d\d)(?=[ :#'\"-]|$)")
#: The gateways of Cisco put a code of their own before the answer: `5.1.0 - Unknown address error 550-'5.7.1 ...'`.
_GATEWAY_PREFIX = re.compile(r"[45]\.\d\.\d - [\w /]{1,60}?(?=[45]\d\d[- ]')")
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")


def find_codes(text: str) -> tuple[int, str]:
    """Return the basic code with which an answer begins, and its enhanced code; 0 and empty where there is none.

    Of several enhanced codes, one with detail counts, not `5.0.0`.
    """
    text = _GATEWAY_PREFIX.sub("", text)
    basic = _BASIC.match(text)
    start = basic[1][0] if basic else "[245]"
    codes = [code for code in _ENHANCED.findall(text) if re.match(start, code)]
    exact = [code for code in codes if not code.endswith(".0.0")]
    return int(basic[1]) if basic else 0, next(iter([*exact, *codes]), "")


@lru_cache(maxsize=256)  # servers give the same answers again and again
def classify_answer(code: int, enhanced: str, text: str) -> AnswerMeaning:
    """Return the meaning of an answer that is not a success.

    Args:
        code: the basic code; 0 if it is not known, as in some reports.
        enhanced: the enhanced code; if empty, the one in *text*.
        text: the words, with or without the codes.
    """
    words = " ".join(_ADDRESS.sub("@", _GATEWAY_PREFIX.sub("", text).lower()).split())
    enhanced = enhanced or find_codes(text)[1]
    is_temporary = (str(code) if code else enhanced).startswith("4")
    codes = (enhanced, str(code))
    for rule, pattern in _compiled_rules():
        if is_temporary and rule.meaning is _DEAD:
            continue
        if (not rule.codes or _has_code(rule.codes, codes)) and (pattern is None or pattern.search(words)):
            return rule.meaning
    return AnswerMeaning.TEMPORARY if is_temporary else AnswerMeaning.UNKNOWN


def _has_code(wanted: tuple[str, ...], codes: tuple[str, str]) -> bool:
    return any(code == one or (one.endswith(".") and code.startswith(one)) for one in wanted for code in codes)


@cache
def _compiled_rules() -> list[tuple[_Rule, re.Pattern[str] | None]]:
    return [(rule, re.compile(rule.words) if rule.words else None) for rule in _RULES]
