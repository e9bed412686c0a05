"""Detect the program that exported a CSV file by its header, and map its columns and statuses to ours.

Headers as of 2026, from the programs' source code where it is public:

- listmonk: `uuid, email, name, attributes, status, created_at, updated_at`, a status being enabled, disabled or
  blocklisted (cmd/subscribers.go, ExportSubscribers). Unsubscribes from single lists are not exported
  (issues 738 and 2855).
- Mailchimp: `Email Address`, the audience's own fields, then `MEMBER_RATING, OPTIN_TIME, OPTIN_IP, CONFIRM_TIME,
  CONFIRM_IP, …, TIMEZONE, CC, REGION`, then `LAST_CHANGED`, or in the file of unsubscribed contacts
  `UNSUB_TIME, UNSUB_CAMPAIGN_TITLE, …, UNSUB_REASON`, or of cleaned ones `CLEAN_TIME, …`, then `LEID, EUID, NOTES,
  TAGS`. The status is only in the file's name, such as `cleaned_members_export_0f.csv` or
  `cleaned_email_audience_export_0f.csv` (as scripts in public repositories expect it).
- Ghost: `id, email, name, note, subscribed_to_emails, complimentary_plan, stripe_customer_id, created_at, deleted_at,
  labels, tiers` (members-csv/lib/unparse.js; earlier `products` instead of `tiers`, later `gift_id` after it).
- Buttondown: `email` (newer: `email_address`), `subscriber_type` (newer: `type`), `creation_date`, `source`,
  `ip_address`, …; the types are in enums.json of github.com/buttondown/openapi, and complained, undeliverable, blocked
  in its documentation (docs.buttondown.com/api-subscribers-type).

Names, notes, places and ratings are not stored. Tags and labels are not mapped to topics: a wrong guess would keep
subscribers from getting mail that they want.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from feeds.core.subscribers.csv_values import memoize_short
from feeds.model import GONE_STATUSES, Value
from feeds.spelling import closest_name

#: The status of a row without one, then those that outweigh it, the strongest last.
STATUSES = ("active", "pending", *GONE_STATUSES)

_COLUMN_NAMES: Mapping[str, str] = {
    "email": (
        "email emailaddress emailadress mail mailaddress emailid subscriberemail contactemail useremail email1 "
        "emailadresse adresseemail adressemail courriel correo correoelectronico メールアドレス メール eメール 邮箱 "
        "電子郵件 电子邮件 이메일"
    ),
    "newsletters": "newsletters newsletter",
    "topics": "topics topic categories",
    "lang": "lang language locale languagecode 言語",
    "timezone": "timezone tz",
    "consent": "consent",
}
#: The first non-empty one counts: the time of the subscription rather than of the database record.
_CREATED_NAMES = (
    "optintime subscriptiondate subscribedat createdat confirmtime creationdate created signupdate dateadded joined"
)

_STATUS_WORDS: Mapping[str, str] = {
    word: status
    for status, words in (
        ("active", "active subscribed enabled confirmed regular premium trialed gifted churning paused pastdue"),
        ("pending", "pending unconfirmed unactivated unpaid"),
        ("unsubscribed", "unsubscribed optedout disabled blocklisted blacklisted removed archived deleted inactive"),
        ("bounced", "bounced cleaned undeliverable spammy malformed"),
        ("complained", "complained"),
        ("", "nonsubscribed transactional blocked disposable"),
    )
    for word in words.split()
}
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
_IS_SUBSCRIBED = dict.fromkeys(_YES, "active") | dict.fromkeys(_NO, "unsubscribed")
_IS_UNSUBSCRIBED = dict.fromkeys(_YES, "unsubscribed") | dict.fromkeys(_NO, "active")

#: How a column gives the status: by its words, or by being non-empty.
StatusRule = Mapping[str, str] | str

_STATUS_RULES: Mapping[str, StatusRule] = {
    **dict.fromkeys(["status", "subscriberstatus", "subscriptionstatus", "emailstatus"], _STATUS_WORDS),
    **dict.fromkeys(["subscribed", "subscribedtoemails", "emailconsent"], _IS_SUBSCRIBED),
    **dict.fromkeys(["unsubscribed", "optedout", "emaildisabled"], _IS_UNSUBSCRIBED),
    **dict.fromkeys(["unsubtime", "unsubscribedat", "unsubscribedate", "unsubscriptiondate"], "unsubscribed"),
    **dict.fromkeys(["optouttime", "optoutdate", "optedoutat", "deletedat"], "unsubscribed"),
    **dict.fromkeys(["cleantime", "bouncedat", "undeliverabilitydate"], "bounced"),
    **dict.fromkeys(["complainedat"], "complained"),
}
_EVIDENCE_NAMES: Mapping[str, str] = {
    "optintime": "signed up",
    "optinip": "from",
    "confirmtime": "confirmed",
    "confirmip": "from",
    "unsubtime": "unsubscribed",
    "unsubreason": "because",
    "cleantime": "bounced",
}


class _Tool(Value, frozen=True, kw_only=True):
    name: str
    #: Sets of columns that together occur in no other program's files; one set suffices.
    column_sets: tuple[str, ...]
    status_rules: Mapping[str, StatusRule]
    evidence: Mapping[str, str]
    note: str = ""


_PLAIN = _Tool(name="plain", column_sets=("",), status_rules=_STATUS_RULES, evidence=_EVIDENCE_NAMES)
_TOOLS = (
    _Tool(
        name="feeds",
        column_sets=("email status newsletters topics consent",),
        status_rules={"status": _STATUS_WORDS},
        evidence={},
    ),
    _Tool(
        name="listmonk",
        column_sets=("uuid email attributes status",),
        status_rules={"status": _STATUS_WORDS, "subscriptionstatus": _STATUS_WORDS},
        evidence={},
        note="listmonk's export has no unsubscribes from single lists: export the list with "
        "?subscription_status=confirmed, or remove its unsubscribed members by hand",
    ),
    # An audience field may be named Status or Subscribed and mean anything.
    _Tool(
        name="mailchimp",
        column_sets=("leid euid",),
        status_rules={"unsubtime": "unsubscribed", "cleantime": "bounced"},
        evidence=_EVIDENCE_NAMES,
    ),
    _Tool(
        name="ghost",
        column_sets=("email subscribedtoemails complimentaryplan", "email subscribedtoemails stripecustomerid"),
        status_rules={"subscribedtoemails": _IS_SUBSCRIBED, "deletedat": "unsubscribed"},
        evidence={},
    ),
    # Subscribers who came back keep the date of their unsubscribe, so the type decides.
    _Tool(
        name="buttondown",
        column_sets=("subscribertype", "emailaddress type creationdate", "email type creationdate"),
        status_rules={"subscribertype": _STATUS_WORDS, "type": _STATUS_WORDS},
        evidence={"source": "by way of", "ipaddress": "from", "unsubscriptiondate": "unsubscribed"},
    ),
    _PLAIN,
)
_MAILCHIMP_FILE = re.compile(
    r"(?:^|[/\\])(subscribed|unsubscribed|cleaned|nonsubscribed)_\w*export[^/\\]*$", re.IGNORECASE
)


class ImportFormat(Value, frozen=True, kw_only=True):
    """How to read the rows of one file."""

    #: feeds, listmonk, mailchimp, ghost, buttondown or plain.
    name: str
    #: Positions of the columns email, newsletters, topics, lang, timezone, consent, where present.
    columns: Mapping[str, int]
    #: Positions of columns with the time of the subscription, the best first.
    created_columns: tuple[int, ...]
    #: Positions and rules of columns that give the status; the worst status counts.
    status_columns: tuple[tuple[int, StatusRule], ...]
    #: Labels and positions of columns with evidence of consent.
    evidence_columns: tuple[tuple[str, int], ...]
    #: The status of rows without one.
    default_status: str
    #: The number of columns.
    width: int
    #: Columns that are not imported, as the file names them.
    ignored: tuple[str, ...]
    #: Texts for the operator.
    notes: tuple[str, ...]


def detect_format(header: Sequence[str], file: str = "") -> ImportFormat:
    """Return the format of a file with this *header*; Mailchimp's format also depends on the name of the *file*.

    Raises:
        ValueError: no column has addresses, or no row is a subscriber; the message is for the operator.
    """
    keys = [normalize_column(name) for name in header]
    positions: dict[str, int] = {}
    for position, column in enumerate(keys):
        positions.setdefault(column, position)
    tool = next(t for t in _TOOLS if any(set(mark.split()) <= positions.keys() for mark in t.column_sets))
    found = {what: _first_position(names, positions) for what, names in _COLUMN_NAMES.items()}
    columns = {what: position for what, position in found.items() if position is not None}
    if "email" not in columns:
        raise ValueError(_missing_email_message(header, keys))
    status = _default_status(tool, positions, file)
    created = tuple(positions[name] for name in _CREATED_NAMES.split() if name in positions)
    signs = tuple((positions[name], rule) for name, rule in tool.status_rules.items() if name in positions)
    evidence = tuple((words, positions[name]) for name, words in tool.evidence.items() if name in positions)
    used = {*columns.values(), *created, *(position for position, _ in signs), *(position for _, position in evidence)}
    return ImportFormat(
        name=tool.name,
        columns=columns,
        created_columns=created,
        status_columns=signs,
        evidence_columns=evidence,
        default_status=status,
        width=len(header),
        ignored=tuple(name.strip() for position, name in enumerate(header) if position not in used and name.strip()),
        notes=tuple(
            filter(None, (tool.note, _default_status_note(status), _duplicate_columns_note(keys, used, header)))
        ),
    )


@memoize_short
def normalize_column(name: str) -> str:
    """Return a column name or status for comparison: `Email Address`, `email_address` -> emailaddress."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _first_position(names: str, positions: Mapping[str, int]) -> int | None:
    return next((positions[name] for name in names.split() if name in positions), None)


def _default_status(tool: _Tool, positions: Mapping[str, int], file: str) -> str:
    """Return the status of rows without one."""
    if tool.name != "mailchimp":
        return "active"
    match = _MAILCHIMP_FILE.search(file)
    status = _STATUS_WORDS[match[1].lower()] if match else "active"
    if not status:
        raise ValueError("this is Mailchimp's export of contacts who never subscribed; it has no subscribers to import")
    # Only the file of subscribers has LAST_CHANGED; in it, UNSUB_TIME or CLEAN_TIME are audience fields.
    has_no_last_changed = "lastchanged" not in positions
    if status == "active" and has_no_last_changed:
        return "unsubscribed" if "unsubtime" in positions else "bounced" if "cleantime" in positions else status
    return status


def _default_status_note(status: str) -> str:
    return "" if status == "active" else f"every row of this file is {status}, according to its name or header"


def _duplicate_columns_note(keys: Sequence[str], used: set[int], header: Sequence[str]) -> str:
    names = [header[position].strip() for position in sorted(used) if keys.count(keys[position]) > 1]
    return f"duplicate columns, of which the first counts: {', '.join(names)}" if names else ""


def _missing_email_message(header: Sequence[str], keys: Sequence[str]) -> str:
    listed = ", ".join(name.strip() for name in header if name.strip())
    found = f"no column has addresses (columns: {listed[:300]}); name one 'email'"
    if any("@" in name for name in header):
        return "the first line has an address; insert a line before it that names the columns, for example: email"
    if "\ufffd" in listed:
        return f"{found}; the names are not valid UTF-8: save the file as UTF-8"
    near = next((n for n, k in zip(header, keys, strict=True) if closest_name(k, _EMAIL_NAMES, cutoff=0.7)), None)
    return f"{found}; {near.strip()!r} looks like one" if near else found


_EMAIL_NAMES = _COLUMN_NAMES["email"].split()
