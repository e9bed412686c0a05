"""Detect the program that exported a CSV file by its header, and map its columns and statuses to ours.

Names, notes, places and ratings are not stored. Tags and labels are not mapped to topics: a wrong guess would keep
subscribers from getting mail that they want. But a column that may say who has left is never just ignored: if it is not
understood, the file is refused.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence

from feeds.core.subscribers.csv_values import normalize_column
from feeds.core.subscribers.status_words import MAYBE_WORDS, STATUS_WORDS, STATUSES, WORDS, StatusRule
from feeds.core.subscribers.tool_formats import PLAIN, TOOL_FORMATS, ToolFormat
from feeds.model import GONE_STATUSES, Value
from feeds.spelling import closest_name

_COLUMN_NAMES: Mapping[str, str] = {
    "email": (
        "email emailaddress emailadress mail mailaddress emailid subscriberemail contactemail useremail email1 "
        "emailadresse adresseemail adressemail courriel correo correoelectronico メールアドレス メール eメール 邮箱 "
        "電子郵件 电子邮件 이메일 "
        "adressedecourriel adressedemessagerie direcciondecorreo direcciondecorreoelectronico direcciondeemail "
        "enderecodeemail enderecoemail indirizzoemail indirizzomail emailadres mailadres adresemail emailovaadresa "
        "epost epostadress epostadresse электроннаяпочта адресэлектронноипочты почта eメールアドレス 邮箱地址 电子邮箱 "
        "电邮 郵箱 電子信箱 電郵 이메일주소 메일주소"
    ),
    "newsletters": (
        "newsletters newsletter infolettre infolettres boletin boletines boletim nieuwsbrief nieuwsbrieven biuletyn "
        "nyhetsbrev nyhedsbrev рассылка рассылки メルマガ メールマガジン ニュースレター 뉴스레터"
    ),
    "topics": (
        "topics topic categories themen themes temas topicos argomenti onderwerpen tematy temata темы トピック "
        "主题 主題 주제"
    ),
    "lang": (
        "lang language locale languagecode preferredlanguage sprache sprachcode korrespondenzsprache langue "
        "codelangue idioma lingua linguagem taal jezyk jazyk sprak sprog язык 言語 语言 語言 언어"
    ),
    "timezone": (
        "timezone tz zeitzone fuseauhoraire zonahoraria husohorario fusohorario fusoorario tijdzone strefaczasowa "
        "casovepasmo tidszon tidszone tidssone часовоипояс タイムゾーン 时区 時區 시간대"
    ),
    "consent": "consent",
}
#: The first non-empty one counts: the time of the subscription rather than of the database record.
_CREATED_NAMES = """
    optintime subscriptiondate subscribedat subscribedon subscriptiontime datesubscribed subscribedate optindate
    createdat confirmtime confirmationtime confirmedat creationdate created createdon signupdate dateadded
    addedtime joined listjoineddate entered
    anmeldedatum eintragungsdatum datedinscription dateinscription fechadesuscripcion fechadealta datadeinscricao
    datadiiscrizione dataiscrizione inschrijfdatum aanmelddatum datazapisu datumprihlaseni датаподписки 購読開始日
    登録日時 登録日 订阅时间 订阅日期 訂閱時間 訂閱日期 구독일 가입일
"""

#: Parts of column names that speak of a status, of consent, of blocking, of bounces or of leaving, beside the words for
#: people who are gone.
_STATUS_STEMS = """
    status subscribed subscription consent permission gdpr marketing accept optin optout opted unsub donot dnc
    suppress blacklist blocklist blocked banned bounce undeliver complain complaint spam abuse cancel disabled
    inactive deleted removed invalid abgemeldet abmeld einwilligung gesperrt widerruf desinscri desabon kundig
    gekund resili dsinscri dsabon kndig rsili ungultig ungltig geloscht gelscht reason consentement statut baja
    rebot consentimiento estatus descadastr disiscri consenso uitgeschreven afgemeld toestemming wypisan zgoda
    odhlas souhlas статус согласие отпис ステータス 状態 同意 退会 解除 配信停止 停止 状态 狀態 退订 退訂
    取消订阅 상태 동의 수신거부 해지
    abbestell austrag sperrliste listenoire listanegra quarantin reject unreachable deactivat deaktiv desactiv
    disattiv mailable sendable deliverable deliverability nomail noemails canemail canmail emailok mailok
    receivesemail receivesnewsletter wantsemail wantsmail wantsnewsletter notinterested spamtrap
"""
#: The words for people who are gone; the shorter ones are parts of others ("deadline"), so they count as whole words.
_GONE_WORDS = frozenset(word for word, status in STATUS_WORDS.items() if status in GONE_STATUSES)
_MIN_LETTERS_OF_A_PART = 6
_GONE_PARTS = tuple(word for word in _GONE_WORDS if len(word) >= _MIN_LETTERS_OF_A_PART or not word.isascii())
#: Names with such a part that say when, where or how a person subscribed, what they pay, or what is sent elsewhere.
_HARMLESS = re.compile(
    r"(email)?(optin|optedin|confirm|confirmed|confirmation|subscribe|subscribed|subscription|consent|subscriber)"
    r"(ip|ipaddress|at|on|date|time|timestamp|country|source|url|page|form|method|text|version|id|name|language|location)"
    r"|.*subscription.*(type|plan|tiers?|tiernames?|period|interval|price|amount|count|expir\w*)"
    r"|(un)?subscribe(url|link)"
    r"|.*(sms|whatsapp|phone|push|postal|payment|order|marital|shipping).*"
)
#: Columns of places, beside which `state` is one, too.
_PLACES = """
    city town country countrycode zip zipcode postcode postalcode address address1 street province
"""
_STATES = ("state", "estado")
#: A list of people who are gone, by the name of its file.
_GONE_FILE = re.compile(
    r"unsub|opt.?out|bounce|suppress|complain|spam.?report|blocked|blocklist|blacklist|cleaned_\w*export|"
    r"abgemeldet|abmeldung|desinscri|désinscri|desabonn|désabonn|bajas|disiscri|退会|配信停止|退订|退訂",
    re.IGNORECASE,
)
_MAILCHIMP_FILE = re.compile(
    r"(?:^|[/\\])(subscribed|unsubscribed|cleaned|nonsubscribed)_\w*export[^/\\]*$", re.IGNORECASE
)


class ImportFormat(Value, frozen=True, kw_only=True):
    """How to read the rows of one file."""

    #: The name of a `ToolFormat`.
    name: str
    #: Positions of the columns email, newsletters, topics, lang, timezone, consent, where present.
    columns: Mapping[str, int]
    #: Positions of columns with the time of the subscription, the best first.
    created_columns: tuple[int, ...]
    #: Positions and rules of columns that give the status; the worst status counts.
    status_columns: tuple[tuple[int, StatusRule], ...]
    #: Labels and positions of columns with evidence of consent.
    evidence_columns: tuple[tuple[str, int], ...]
    #: The status of rows without a worse one.
    default_status: str
    #: The columns, as the file names them.
    header: tuple[str, ...]
    #: Columns that are not imported, as the file names them.
    ignored: tuple[str, ...]
    #: Texts for the operator.
    notes: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header)


def detect_format(
    header: Sequence[str], file: str = "", *, ignore: Collection[str] = (), status: str = ""
) -> ImportFormat:
    """Return the format of a file with this *header*; it also depends on the name of the *file*.

    The columns to *ignore* are not used, whatever they mean. *status* is the one of rows without a worse one.

    Raises:
        ValueError: no column has addresses, no row is a subscriber, a column may say who has left and is not
            understood, or there is no column of a name in *ignore*; the message is for the operator.
    """
    keys = _usable_keys(header, ignore)
    positions = {key: at for at, key in reversed([*enumerate(keys)]) if key}  # the first of each name
    tool = next(t for t in TOOL_FORMATS if any(set(mark.split()) <= positions.keys() for mark in t.column_sets))
    columns = _value_columns(header, positions)
    created = tuple(positions[name] for name in _CREATED_NAMES.split() if name in positions)
    rules = _status_rules(tool, positions)
    signs = tuple((at, rules[key]) for at, key in enumerate(keys) if key and key in rules)
    evidence = tuple((words, positions[name]) for name, words in tool.evidence.items() if name in positions)
    once = {*columns.values(), *created, *(position for _, position in evidence)}
    used = once | {position for position, _ in signs}
    default = max(_default_status(tool, positions, file), status or "active", key=STATUSES.index)
    if default not in GONE_STATUSES:
        _require_understood(
            [(header[at], key) for at, key in enumerate(keys) if at not in used and key is not None], tool
        )
        _require_subscribers(file, has_status=bool(signs or status))
    notes = (tool.note, _default_status_note(default), _duplicate_columns_note(keys, once, header))
    return ImportFormat(
        name=tool.name,
        columns=columns,
        created_columns=created,
        status_columns=signs,
        evidence_columns=evidence,
        default_status=default,
        header=tuple(header),
        ignored=tuple(name.strip() for position, name in enumerate(header) if position not in used and name.strip()),
        notes=tuple(filter(None, notes)),
    )


def _usable_keys(header: Sequence[str], ignore: Collection[str]) -> list[str | None]:
    """Return the normalized names of the columns; None for those to ignore."""
    keys = [normalize_column(name) for name in header]
    for name in ignore:
        if normalize_column(name) not in keys:
            raise ValueError(f"--ignore-column: there is no column {name!r} (columns: {_listed(header)})")
    unwanted = set(map(normalize_column, ignore))
    return [None if key in unwanted else key for key in keys]


def _value_columns(header: Sequence[str], positions: Mapping[str, int]) -> Mapping[str, int]:
    """Return the positions of the columns with values that are kept; one has addresses."""
    found = {what: _first_position(names, positions) for what, names in _COLUMN_NAMES.items()}
    if found["email"] is None:
        raise ValueError(_missing_email_message(header))
    return {what: position for what, position in found.items() if position is not None}


def _first_position(names: str, positions: Mapping[str, int]) -> int | None:
    return next((positions[name] for name in names.split() if name in positions), None)


def _status_rules(tool: ToolFormat, present: Collection[str]) -> Mapping[str, StatusRule]:
    """Return the rules of columns that give the status, by name: those of the tool, and those with usual names."""
    usual = {} if tool.has_own_fields else PLAIN.status
    not_a_sign = {*tool.harmless.split(), *(tool.evidence if tool is not PLAIN else ())}
    rules = {name: rule for name, rule in usual.items() if name not in not_a_sign} | dict(tool.status)
    if tool is PLAIN:
        rules |= dict.fromkeys(_STATES, WORDS if set(_PLACES.split()).isdisjoint(present) else MAYBE_WORDS)
    return rules


def _require_understood(unused: Iterable[tuple[str, str]], tool: ToolFormat) -> None:
    """Raise if a column that is not used may say who has left; *unused* has names and normalized names."""
    harmless = {*tool.harmless.split(), *PLAIN.harmless.split()}
    names = [name.strip() for name, key in unused if key not in harmless and _speaks_of_status(name, key)]
    if names:
        options = " ".join(f"--ignore-column {shlex.quote(name)}" for name in names)
        which = f"{'columns' if len(names) > 1 else 'column'} {', '.join(map(repr, names))}"
        raise ValueError(
            f"the meaning of the {which} is not known, and it may be who has left: rename it to 'status' (with words "
            "such as active, unsubscribed, bounced) or 'unsubscribed' (with yes or no), or import the file without it: "
            f"{options}"
        )


def _speaks_of_status(name: str, key: str) -> bool:
    """Return whether a column may say who has left; one that is written in an unknown encoding may."""
    if "\ufffd" in name and not key:
        return True
    speaks = (
        any(stem in key for stem in _STATUS_STEMS.split())
        or any(part in key for part in _GONE_PARTS)
        or not _GONE_WORDS.isdisjoint(map(normalize_column, re.split(r"[\W_]+", name)))
    )
    return speaks and _HARMLESS.fullmatch(key) is None


def _require_subscribers(file: str, *, has_status: bool) -> None:
    """Raise if the file is, by its name, a list of people who are gone, and nothing in it says so."""
    if not has_status and (found := _GONE_FILE.search(re.split(r"[/\\]", file)[-1])):
        raise ValueError(
            f"its name has {found[0]!r}, but no column says who is gone: add --status unsubscribed (or bounced, "
            "complained) if everybody in it is, or rename the file"
        )


def _default_status(tool: ToolFormat, positions: Mapping[str, int], file: str) -> str:
    """Return the status of rows without one."""
    if tool.name != "mailchimp":
        return tool.every_row
    match = _MAILCHIMP_FILE.search(file)
    status = STATUS_WORDS[match[1].lower()] if match else "active"
    if not status:
        raise ValueError("this is Mailchimp's export of contacts who never subscribed; it has no subscribers to import")
    # Only the file of subscribers has LAST_CHANGED; in it, UNSUB_TIME or CLEAN_TIME are audience fields.
    has_no_last_changed = "lastchanged" not in positions
    if status == "active" and has_no_last_changed:
        return "unsubscribed" if "unsubtime" in positions else "bounced" if "cleantime" in positions else status
    return status


def _default_status_note(status: str) -> str:
    return "" if status == "active" else f"every row of this file is {status}, or worse"


def _duplicate_columns_note(keys: Sequence[str | None], used: set[int], header: Sequence[str]) -> str:
    names = [header[at].strip() for at in sorted(used) if any(keys[at] == key for key in keys[at + 1 :])]
    return f"duplicate columns, of which the first counts: {', '.join(names)}" if names else ""


def _listed(header: Sequence[str]) -> str:
    return ", ".join(name.strip() for name in header if name.strip())[:300]


def _missing_email_message(header: Sequence[str]) -> str:
    listed = _listed(header)
    found = f"no column has addresses (columns: {listed}); name one 'email'"
    if any("@" in name for name in header):
        return "the first line has an address; insert a line before it that names the columns, for example: email"
    if "\ufffd" in listed:
        return f"{found}; the names are not valid UTF-8: save the file as UTF-8"
    near = next((name for name in header if closest_name(normalize_column(name), _EMAIL_NAMES, cutoff=0.7)), None)
    return f"{found}; {near.strip()!r} looks like one" if near else found


_EMAIL_NAMES = _COLUMN_NAMES["email"].split()
