"""Whose CSV this is, read off its header: which column says what, and what its words mean.

Headers as of 2026, from the tools' own sources where these are open:

- listmonk: `uuid, email, name, attributes, status, created_at, updated_at`, a status being enabled, disabled or
  blocklisted (cmd/subscribers.go, ExportSubscribers). Who left single lists is not told (issues 738 and 2855).
- Mailchimp: `Email Address`, the audience's own fields, then `MEMBER_RATING, OPTIN_TIME, OPTIN_IP, CONFIRM_TIME,
  CONFIRM_IP, …, TIMEZONE, CC, REGION`, then `LAST_CHANGED`, or in the file of those who left `UNSUB_TIME,
  UNSUB_CAMPAIGN_TITLE, …, UNSUB_REASON`, or of those whose mail came back `CLEAN_TIME, …`, then `LEID, EUID, NOTES,
  TAGS`. No column has the status: the file's name does, such as `cleaned_members_export_0f.csv` or
  `cleaned_email_audience_export_0f.csv` (headers and names that scripts in public repositories were written for).
- Ghost: `id, email, name, note, subscribed_to_emails, complimentary_plan, stripe_customer_id, created_at, deleted_at,
  labels, tiers` (members-csv/lib/unparse.js; earlier `products` instead of `tiers`, later `gift_id` after it).
- Buttondown: `email` (newer: `email_address`), `subscriber_type` (newer: `type`), `creation_date`, `source`,
  `ip_address`, …; the types are in enums.json of github.com/buttondown/openapi, and complained, undeliverable, blocked
  in its documentation (docs.buttondown.com/api-subscribers-type).

Names, notes, places and ratings are not kept: nothing here needs them. Tags and labels are no topics of ours, and a
guess would keep mail from people who want it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from feeds.core.subscribers.csv_values import memoize_short
from feeds.model import GONE_STATUSES, Value
from feeds.spelling import closest_name

#: What a row without a word on it is; then what outweighs it, the last most of all.
STATUSES = ("active", "pending", *GONE_STATUSES)

_COLUMNS: Mapping[str, str] = {
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
#: The first that is filled counts: when somebody asked for mail rather than when a record was made.
_CREATED = (
    "optintime subscriptiondate subscribedat createdat confirmtime creationdate created signupdate dateadded joined"
)

_WORDS: Mapping[str, str] = {
    word: status
    for status, every in (
        ("active", "active subscribed enabled confirmed regular premium trialed gifted churning paused pastdue"),
        ("pending", "pending unconfirmed unactivated unpaid"),
        ("unsubscribed", "unsubscribed optedout disabled blocklisted blacklisted removed archived deleted inactive"),
        ("bounced", "bounced cleaned undeliverable spammy malformed"),
        ("complained", "complained"),
        ("", "nonsubscribed transactional blocked disposable"),
    )
    for word in every.split()
}
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
_WANTS = dict.fromkeys(_YES, "active") | dict.fromkeys(_NO, "unsubscribed")
_WANTS_NOT = dict.fromkeys(_YES, "unsubscribed") | dict.fromkeys(_NO, "active")

#: What a column says of the status: by its words, or by being filled at all.
Sign = Mapping[str, str] | str

_SIGNS: Mapping[str, Sign] = {
    **dict.fromkeys(["status", "subscriberstatus", "subscriptionstatus", "emailstatus"], _WORDS),
    **dict.fromkeys(["subscribed", "subscribedtoemails", "emailconsent"], _WANTS),
    **dict.fromkeys(["unsubscribed", "optedout", "emaildisabled"], _WANTS_NOT),
    **dict.fromkeys(["unsubtime", "unsubscribedat", "unsubscribedate", "unsubscriptiondate"], "unsubscribed"),
    **dict.fromkeys(["optouttime", "optoutdate", "optedoutat", "deletedat"], "unsubscribed"),
    **dict.fromkeys(["cleantime", "bouncedat", "undeliverabilitydate"], "bounced"),
    **dict.fromkeys(["complainedat"], "complained"),
}
_EVIDENCE: Mapping[str, str] = {
    "optintime": "signed up",
    "optinip": "from",
    "confirmtime": "confirmed",
    "confirmip": "from",
    "unsubtime": "left",
    "unsubreason": "because",
    "cleantime": "mail came back",
}


class _Tool(Value, frozen=True, kw_only=True):
    name: str
    #: Columns that no other tool has together; one of these sets.
    marks: tuple[str, ...]
    signs: Mapping[str, Sign]
    evidence: Mapping[str, str]
    note: str = ""


_PLAIN = _Tool(name="plain", marks=("",), signs=_SIGNS, evidence=_EVIDENCE)
_TOOLS = (
    _Tool(name="feeds", marks=("email status newsletters topics consent",), signs={"status": _WORDS}, evidence={}),
    _Tool(
        name="listmonk",
        marks=("uuid email attributes status",),
        signs={"status": _WORDS, "subscriptionstatus": _WORDS},
        evidence={},
        note="listmonk's export does not tell who has left a single list: take the list's own export with "
        "?subscription_status=confirmed, or remove by hand whom the list shows as unsubscribed",
    ),
    # A field of the audience may be called Status or Subscribed and mean anything.
    _Tool(
        name="mailchimp",
        marks=("leid euid",),
        signs={"unsubtime": "unsubscribed", "cleantime": "bounced"},
        evidence=_EVIDENCE,
    ),
    _Tool(
        name="ghost",
        marks=("email subscribedtoemails complimentaryplan", "email subscribedtoemails stripecustomerid"),
        signs={"subscribedtoemails": _WANTS, "deletedat": "unsubscribed"},
        evidence={},
    ),
    # Dates of past leaves stay with people who came back: the type decides.
    _Tool(
        name="buttondown",
        marks=("subscribertype", "emailaddress type creationdate", "email type creationdate"),
        signs={"subscribertype": _WORDS, "type": _WORDS},
        evidence={"source": "by way of", "ipaddress": "from", "unsubscriptiondate": "left"},
    ),
    _PLAIN,
)
_FILE = re.compile(r"(?:^|[/\\])(subscribed|unsubscribed|cleaned|nonsubscribed)_\w*export[^/\\]*$", re.IGNORECASE)


class ImportFormat(Value, frozen=True, kw_only=True):
    """How to read the rows of one file."""

    #: feeds, listmonk, mailchimp, ghost, buttondown or plain.
    name: str
    #: email, newsletters, topics, lang, timezone, consent -> the place of the column; those that there are.
    columns: Mapping[str, int]
    #: The places of columns with a time since when somebody is known, the best first.
    created: tuple[int, ...]
    #: What columns say of the status; the worst that is said counts.
    signs: tuple[tuple[int, Sign], ...]
    #: Words before what a column holds as evidence of consent.
    evidence: tuple[tuple[str, int], ...]
    #: Of a row that says nothing of its own.
    status: str
    #: So many columns.
    width: int
    #: Columns that nothing is taken from, as the file names them.
    ignored: tuple[str, ...]
    #: What the user should know about this file; texts for people.
    notes: tuple[str, ...]


def detect_format(header: Sequence[str], file: str = "") -> ImportFormat:
    """Return how to read a file with this *header*; its name, *file*, tells what Mailchimp's header does not.

    Raises:
        ValueError: no column holds addresses, or nobody in the file is a reader; in words for the user.
    """
    keys = [normalize_column(name) for name in header]
    places: dict[str, int] = {}
    for place, column in enumerate(keys):
        places.setdefault(column, place)
    tool = next(t for t in _TOOLS if any(set(mark.split()) <= places.keys() for mark in t.marks))
    found = {what: _first(names, places) for what, names in _COLUMNS.items()}
    columns = {what: place for what, place in found.items() if place is not None}
    if "email" not in columns:
        raise ValueError(_no_addresses(header, keys))
    status = _status(tool, places, file)
    created = tuple(places[name] for name in _CREATED.split() if name in places)
    signs = tuple((places[name], sign) for name, sign in tool.signs.items() if name in places)
    evidence = tuple((words, places[name]) for name, words in tool.evidence.items() if name in places)
    used = {*columns.values(), *created, *(place for place, _ in signs), *(place for _, place in evidence)}
    return ImportFormat(
        name=tool.name,
        columns=columns,
        created=created,
        signs=signs,
        evidence=evidence,
        status=status,
        width=len(header),
        ignored=tuple(name.strip() for place, name in enumerate(header) if place not in used and name.strip()),
        notes=tuple(filter(None, (tool.note, _everybody(status), _twice(keys, used, header)))),
    )


@memoize_short
def normalize_column(name: str) -> str:
    """Return a name as names of columns and statuses are compared: `Email Address`, `email_address` -> emailaddress."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _first(names: str, places: Mapping[str, int]) -> int | None:
    return next((places[name] for name in names.split() if name in places), None)


def _status(tool: _Tool, places: Mapping[str, int], file: str) -> str:
    """Return what everybody in the file is where their row says nothing else."""
    if tool.name != "mailchimp":
        return "active"
    named = _FILE.search(file)
    status = _WORDS[named[1].lower()] if named else "active"
    if not status:
        raise ValueError("this is Mailchimp's file of people who never subscribed; there is nobody to take from it")
    # Only readers have LAST_CHANGED; where it stands beside the others, those are fields of the audience.
    of_those_gone = "lastchanged" not in places
    if status == "active" and of_those_gone:
        return "unsubscribed" if "unsubtime" in places else "bounced" if "cleantime" in places else status
    return status


def _everybody(status: str) -> str:
    return "" if status == "active" else f"everybody in this file is {status}: that is what its name or header says"


def _twice(keys: Sequence[str], used: set[int], header: Sequence[str]) -> str:
    names = [header[place].strip() for place in sorted(used) if keys.count(keys[place]) > 1]
    return f"stands twice in the header, the first counts: {', '.join(names)}" if names else ""


def _no_addresses(header: Sequence[str], keys: Sequence[str]) -> str:
    listed = ", ".join(name.strip() for name in header if name.strip())
    found = f"no column holds addresses (there is: {listed[:300]}); call one 'email'"
    if any("@" in name for name in header):
        return "the first line holds an address; put a line before it that names the columns, such as: email"
    if "\ufffd" in listed:
        return f"{found}; the names cannot be read, so save the file as UTF-8"
    near = next((n for n, k in zip(header, keys, strict=True) if closest_name(k, _EMAILS, cutoff=0.7)), None)
    return f"{found}; {near.strip()!r} looks like it" if near else found


_EMAILS = _COLUMNS["email"].split()
