"""Subscribers as CSV rows."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.core.subscribers import csv_values
from feeds.core.subscribers.addresses import address_warnings, parse_address
from feeds.core.subscribers.csv_reader import RejectedRow, detect_encoding
from feeds.core.subscribers.csv_rows import HEADER, CsvRow, read_rows, write_rows
from feeds.core.subscribers.status_words import STATUSES


def _read(text, **values):
    return list(read_rows(io.StringIO(text, newline=""), **values)[1])


def _read_one(text, **values):
    (row,) = _read(text, **values)
    assert isinstance(row, CsvRow)
    return row


def _rejection(text, **values):
    """Return why the only row of *text* is rejected."""
    (rejected,) = _read(text, **values)
    assert isinstance(rejected, RejectedRow)
    return rejected.reason


def test_a_column_with_addresses_is_enough():
    """A file with addresses only gives active rows without any other value."""
    assert _read_one("email\nAda@B.org\n") == CsvRow(number=2, email="Ada@b.org", key="ada@b.org")


def test_our_own_columns_come_in_any_order():
    """All our own columns are read, in any order."""
    text = (
        "created_at;consent;timezone;lang;topics;newsletters;status;email\n"
        '2026-01-02T03:04:05+09:00;"web form, 2026-01-01";Asia/Tokyo;ja;'
        "weekly:Art,Science;weekly,tegami;pending;a@b.org\n"
    )
    assert _read_one(text) == CsvRow(
        number=2,
        email="a@b.org",
        key="a@b.org",
        status="pending",
        lang="ja",
        timezone="Asia/Tokyo",
        newsletters=("weekly", "tegami"),
        topics={"weekly": ("Art",), "": ("Science",)},
        consent="web form, 2026-01-01",
        created_at=datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC),
    )


def test_topics_without_a_newsletter_hold_for_all_that_are_not_named():
    """Topics without a newsletter apply to all newsletters that have none; no topics at all means all topics."""
    row = _read_one("email,topics\na@b.org,weekly:Art;Science\n")
    assert (row.topics_of("weekly"), row.topics_of("tegami")) == (("Art",), ("Science",))
    assert _read_one("email,topics\na@b.org,\n").topics_of("weekly") == ()


def test_an_empty_cell_for_newsletters_says_nothing_and_a_semicolon_says_none():
    """An empty newsletters cell means "not given", a semicolon means "none"."""
    assert [row.newsletters for row in _read("email,newsletters\na@b.org,\nb@b.org,;\n")] == [None, ()]


def test_newsletters_that_there_are_not_are_left_out_with_a_warning():
    """Unknown newsletters, and topics of them, are ignored with one warning each."""
    row = _read_one("email,newsletters,topics\na@b.org,weekly;old,old:x|weekly:y\n", newsletters={"weekly"})
    assert (row.newsletters, row.topics) == (("weekly",), {"weekly": ("y",)})
    assert row.warnings == ("there is no newsletter 'old': ignored",)


LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    '5e91dda1,a@b.org,Ada,"{""city"": ""Bengaluru""}",enabled,2023-01-02 15:04:05.12345 +0000 UTC,\n'
    "5e91dda2,b@b.org,Bob,{},blocklisted,2023-01-02 15:04:05.12345 +0530 IST,\n"
    "5e91dda3,c@b.org,Cy,{},disabled,2023-01-02 15:04:05.12345 +0530 IST,\n"
)


def test_listmonks_readers_are_taken():
    """Listmonk's enabled subscribers are active; disabled and blocklisted ones are unsubscribed."""
    ada, bob, cy = _read(LISTMONK)
    assert [row.status for row in (ada, bob, cy)] == ["active", "unsubscribed", "unsubscribed"]
    assert bob.created_at == datetime(2023, 1, 2, 9, 34, 5, 123450, tzinfo=UTC)
    assert (ada.consent, ada.warnings) == ("", ())


MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
    'a@b.org,Ada,Lovelace,2,"2015-03-16 14:40:47",192.0.2.1,"2015-03-16 14:45:00",192.0.2.2,47.66,-122.29,-8,-7,'
    'America/Los_Angeles,US,WA,"2016-01-01 00:00:00",44877845,c2cb0681af,,"""VIP"",""Blog"""\n'
    'b@b.org,Bob,,2,,,"2015-03-16 14:40:47",,,,,,,,,"2015-03-16 14:40:47",55331257,c9b2705335,,\n'
)


def test_mailchimps_evidence_of_consent_is_kept_in_words():
    """Mailchimp's times and IP addresses of signup and confirmation become the consent text."""
    ada, bob = _read(MAILCHIMP)
    assert ada.consent == (
        "Mailchimp: signed up 2015-03-16 14:40:47, from 192.0.2.1, confirmed 2015-03-16 14:45:00, from 192.0.2.2"
    )
    assert (ada.status, ada.timezone, ada.topics) == ("active", "America/Los_Angeles", {})
    assert bob.consent == "Mailchimp: confirmed 2015-03-16 14:40:47"
    assert bob.created_at == datetime(2015, 3, 16, 14, 40, 47, tzinfo=UTC)


def test_who_left_mailchimp_has_left():
    """Everyone in Mailchimp's file of unsubscribed contacts is unsubscribed, with their reason in the consent text."""
    text = (
        "Email Address,OPTIN_TIME,UNSUB_TIME,UNSUB_REASON,LEID,EUID,TAGS\n"
        "a@b.org,2015-03-16 14:40:47,2016-01-01 00:00:00,No longer interested,1,2,\nb@b.org,,,,1,2,\n"
    )
    ada, bob = _read(text)
    assert (ada.status, bob.status) == ("unsubscribed", "unsubscribed")
    assert ada.consent.endswith("unsubscribed 2016-01-01 00:00:00, because No longer interested")


def test_whom_mailchimp_cleaned_has_bounced():
    """Everyone in Mailchimp's file of cleaned contacts is bounced, by its file name too."""
    assert [row.status for row in _read(MAILCHIMP, file="cleaned_members_export_0f.csv")] == ["bounced", "bounced"]


def test_a_field_of_mailchimps_audience_says_nothing_of_the_status():
    """Audience fields named Status or Subscribed do not change the status in a Mailchimp file if they are ignored."""
    text = "Email Address,Status,Subscribed,UNSUB_TIME,LEID,EUID\na@b.org,Active,yes,,1,2\nb@b.org,Gold,no,,1,2\n"
    assert [row.status for row in _read(text)] == ["unsubscribed", "unsubscribed"]
    kept = text.replace("UNSUB_TIME", "LAST_CHANGED")
    with pytest.raises(ValueError, match="--ignore-column Status --ignore-column Subscribed"):
        _read(kept)
    assert [row.status for row in _read(kept, ignore=["Status", "subscribed"])] == ["active", "active"]


def test_ghosts_members_are_taken():
    """Ghost's `subscribed_to_emails` gives the status."""
    text = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
        '1,a@b.org,Ada,"VIP, early",true,true,cus_ABC,2024-01-15T10:00:00.000Z,,"vip,gold",\n'
        "2,b@b.org,,,false,false,,2024-02-01T12:30:00.000Z,,,\n"
    )
    ada, bob = _read(text)
    assert (ada.status, bob.status) == ("active", "unsubscribed")
    assert ada.created_at == datetime(2024, 1, 15, 10, tzinfo=UTC)


def test_buttondowns_types_are_understood():
    """Buttondown's subscriber types give the status; blocked ones are rejected as never subscribed."""
    expected = {
        **dict.fromkeys(["regular", "premium", "past_due"], "active"),
        "unactivated": "pending",
        "unsubscribed": "unsubscribed",
        "removed": "unsubscribed",
        "undeliverable": "bounced",
        "spammy": "bounced",
        "complained": "complained",
    }
    rows = _read(
        "email,subscriber_type,creation_date\n" + "".join(f"a@b.org,{t},2024-01-05\n" for t in (*expected, "blocked"))
    )
    assert [row.status for row in rows[:-1]] == list(expected.values())
    assert "never subscribed" in rows[-1].reason


def test_the_worst_that_a_row_says_of_a_person_counts():
    """Of several status columns in a row, the worst status counts."""
    text = "email,status,unsubscribed_at,bounced_at\n{}\n"
    assert _read_one(text.format("a@b.org,active,2024-01-01,")).status == "unsubscribed"
    assert _read_one(text.format("a@b.org,complained,2024-01-01,2024-01-01")).status == "complained"
    assert _read_one(text.format("a@b.org,active,NULL,0000-00-00 00:00:00")).status == "active"
    assert _read_one(text.format("a@b.org,,,")).status == "active"


@pytest.mark.parametrize(
    ("column", "yes", "no"),
    [("subscribed", "active", "unsubscribed"), ("email_disabled", "unsubscribed", "active")],
)
def test_columns_of_yes_and_no_are_understood(column, yes, no):
    """Yes/no columns of spreadsheets and Substack give the status."""
    assert [row.status for row in _read(f"email,{column}\na@b.org,TRUE\na@b.org,no\n")] == [yes, no]


def test_an_unknown_status_is_refused_with_the_known_ones():
    """A row with an unknown status is rejected with the known ones; it does not become active."""
    reason = _rejection("email,status\na@b.org,Gold\n")
    assert reason.startswith("'Gold' in the column 'status' is not a status; known statuses: active, ")
    assert all(status in reason for status in STATUSES)
    assert reason.endswith("--ignore-column status")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "has no address"),
        ("ada", "must have an @-sign"),
        ('"a@b.org\nBcc: x@y.org"', "has 2 addresses"),
        ('"""a b""@c.org"', "Quoting the part before the @-sign is not allowed"),
        ("a(comment)@b.org", "invalid characters before the @-sign"),
        ("Ada <a@b.org> (home)", "after the email address"),
        ("c@d.org <a@b.org>", "has 2 addresses"),
        ('"Ada <a@b.org>, Bo <c@d.org>"', "has 2 addresses"),
        ("ada＠b.org", "full-width"),
        ("ａｄａ@b.org", "full-width"),
        ("'ada@b.org", "apostrophe"),
        ("'ada@b.org'", "invalid characters"),
        ("a" * 65 + "@b.org", "more than 64 bytes"),
        ("ü" * 33 + "@b.org", "more than 64 bytes"),
        ("a" * 300 + "@b.org", "306 characters"),
        ("=cmd()|'/c calc'!A1", "must have an @-sign"),
        ("a\x00@b.org", "has a NUL character"),
        ("a\ufffd@b.org", "save the file as UTF-8"),
        ("a\u200b@b.org", "unsafe characters"),
        ("a@b.test", "special-use"),
        ("a@b.org; c@d.org", "has 2 addresses"),
        ("\ud800@b.org", "unsafe characters"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(cell, reason):
    """A row without a valid address is rejected with the reason and its line number."""
    (rejected, ada) = _read(f"email,name\n{cell},x\na@b.org,Ada\n")
    assert reason in rejected.reason
    assert rejected.number == 2
    assert ada.email == "a@b.org"


@pytest.mark.parametrize(
    "cell",
    [
        "Ada Lovelace <a@b.org>",
        '"""Lovelace, Ada"" <a@b.org>"',
        "<a@b.org>",
        " a@b.org <a@b.org> ",
        "'a@b.org' <a@b.org>",
        "アダ <a@b.org>",
        "Ada  <  a@b.org  >",
    ],
)
def test_an_address_may_have_a_name_before_it(cell):
    """Of a cell with a name and an address in angle brackets, the address is taken."""
    assert _read_one(f"email,name\n{cell},x\n").email == "a@b.org"


@pytest.mark.parametrize("local", ["'ada", "a" * 65, "ａｄａ"])
def test_an_odd_address_is_taken_if_its_owner_has_gone(local):
    """A row of somebody who is gone is imported even if its address would not be subscribed."""
    text = f"email,status\n{local}@b.org,%s\n"
    assert _read_one(text % "bounced").status == "bounced"
    assert _rejection(text % "active")
    assert _rejection(text % "pending")


def test_our_own_export_is_read_whatever_its_addresses_are():
    """An address that is already a subscriber's is imported again from our own export."""
    header = "email,status,newsletters,topics,lang,timezone,consent,created_at\n"
    assert _read_one(f"{header}'ada@b.org,active,,,,,,\n").email == "'ada@b.org"


@pytest.mark.parametrize(
    ("answer", "status"), [("yes", "active"), ("1", "active"), ("no", "unsubscribed"), ("0", "unsubscribed")]
)
def test_a_shops_newsletter_column_is_answered_by_yes_or_no(answer, status):
    """Yes in a newsletter column means all newsletters, no that the person wants none."""
    row = _read_one(f"email,newsletter\na@b.org,{answer}\n", newsletters=["weekly"])
    assert (row.status, row.newsletters, row.warnings) == (status, None, ())


@pytest.mark.parametrize(("consent", "status"), [("web form 2024", "active"), ("no", "unsubscribed"), ("", "active")])
def test_who_has_not_consented_is_not_active(consent, status):
    """A plain no in the consent column means that the person is not subscribed; other texts are kept."""
    assert _read_one(f"email,consent\na@b.org,{consent}\n").status == status


def test_a_refusal_shows_the_address_as_it_stood_but_no_more_than_fits():
    """A rejected address is printable and shortened."""
    (rejected,) = _read("email\n\x1b[2J" + "x" * 500 + "\n")
    assert rejected.email.startswith("\ufffd[2Jxxx")
    assert len(rejected.email) == 80


def test_international_addresses_are_taken_and_doubtful_ones_are_told():
    """International addresses are accepted; role addresses and mixed scripts give a warning."""
    bob, pal, role = _read("email\nbob@xn--bcher-kva.de\na@pаypal.com\npostmaster@b.org\n")
    assert (bob.email, bob.key, bob.warnings) == ("bob@bücher.de", "bob@xn--bcher-kva.de", ())
    assert "mixes scripts" in pal.warnings[0]
    assert "is a role address" in role.warnings[0]


def test_a_row_has_as_many_cells_as_the_header_or_says_nothing_beyond():
    """Missing cells are empty, and extra empty cells are ignored; a row with more values than columns is rejected."""
    short, long = _read("email,status,lang\na@b.org\nb@b.org,active,en,,  ,\n")
    assert (short.status, short.lang, long.lang) == ("active", None, "en")
    assert "has 4 cells, the header has 3" in _rejection("email,status,lang\na@b.org,Smith, Ann,active\n")


def test_languages_zones_and_dates_that_are_none_are_left_out_with_a_warning():
    """An invalid language, time zone or time is ignored with a warning; the person is imported."""
    row = _read_one("email,lang,timezone,created_at\na@b.org,Klingon,Mars/Base,last year\n")
    assert (row.lang, row.timezone, row.created_at) == (None, None, None)
    assert [warning.split(" ", 1)[0] for warning in row.warnings] == ["'Klingon'", "'Mars/Base'", "'last"]


def test_topics_in_letters_that_cannot_be_read_refuse_their_row():
    """A row whose topics are not valid UTF-8 is rejected: without them, the person would get all topics."""
    assert "save the file as UTF-8" in _rejection("email,topics\na@b.org,Caf\ufffd\n")


def test_a_name_in_letters_that_cannot_be_read_harms_nobody():
    """An ignored column that is not valid UTF-8 gives no warning."""
    assert _read_one("email,name\na@b.org,Zo\ufffd\n").warnings == ()


def test_what_is_kept_in_words_is_on_one_line():
    """A consent text is stored on one line, without control characters and lone surrogates."""
    assert _read_one('email,consent\na@b.org,"by\x1b hand\x01,\n\ud800on  paper"\n').consent == "by hand, on paper"


def test_rows_come_while_the_file_is_read():
    """Rows are yielded while the file is read, so memory does not grow with it."""
    read = []

    def lines():
        yield "email\n"
        for number in range(1_000_000):
            read.append(number)
            yield f"{number}@b.org\n"

    rows = read_rows(lines())[1]
    assert [next(rows).email for _ in range(3)] == ["0@b.org", "1@b.org", "2@b.org"]
    assert len(read) < 10


PIECES = [
    *(
        "email",
        "Email Address",
        "status",
        "topics",
        "newsletters",
        "consent",
        "lang",
        "LEID,EUID",
        "UNSUB_TIME",
        "a@b.org",
    ),
    *(
        ",",
        ";",
        "\t",
        '"',
        "'",
        "\n",
        "\r\n",
        "\r",
        "=",
        "|",
        "\\",
        ":",
        "\x00",
        "active",
        "é",
        "日本",
        "2024-01-05",
        "@",
    ),
]


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join), st.sampled_from(["utf-8", "utf-16", "cp932"])
)
def test_no_text_raises_anything_but_a_refusal_of_its_header(text, codec):
    """Any text in any encoding gives at most one result a line; only the header may raise."""
    _check_readable(text.encode(codec, errors="replace"))


@given(st.binary())
def test_no_bytes_raise_anything_but_a_refusal_of_the_file(data):
    """Any bytes give rows or a ValueError."""
    _check_readable(data)


@given(st.binary())
def test_no_bytes_below_a_header_raise(data):
    """Any bytes below a valid header raise nothing."""
    _check_readable(b"email,status,topics,created_at,consent\n" + data + b"\nz@b.org\n")


def _check_readable(data):
    try:
        text = data.decode(detect_encoding(data[:4096]), errors="replace")
        _, rows = read_rows(io.StringIO(text, newline=""))
    except ValueError as error:
        assert str(error)
        return
    found = list(rows)
    assert len({row.number for row in found}) == len(found)
    for row in found:
        assert row.reason if isinstance(row, RejectedRow) else row.status in STATUSES


NAMES = (
    st.text(st.characters(codec="utf-8")).map(csv_values.to_one_line).filter(lambda name: name and "\ufffd" not in name)
)
LISTS = st.lists(NAMES, unique=True, max_size=3).map(tuple)
ADDRESSES = st.from_regex(r"[a-z='+!-][a-zA-Z'=+-]{0,8}@[a-z]{1,8}\.(org|de)", fullmatch=True) | st.sampled_from(
    ["ü@bücher.de", "postmaster@b.org", "почта@пример.рф"]
)


@st.composite
def _csv_rows(draw):
    address = parse_address(draw(ADDRESSES))
    newsletters = st.from_regex("[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
    return CsvRow(
        email=address.email,
        key=address.key,
        status=draw(st.sampled_from(STATUSES)),
        lang=draw(st.sampled_from([None, "en", "zh-Hans", "pt-BR"])),
        timezone=draw(st.sampled_from([None, "UTC", "Asia/Tokyo", "Etc/GMT+5"])),
        newsletters=draw(st.none() | st.lists(newsletters, unique=True, max_size=3).map(tuple)),
        topics=draw(st.dictionaries(newsletters | st.just(""), LISTS.filter(bool), max_size=3)),
        consent=draw(st.just("") | NAMES),
        created_at=draw(st.none() | st.datetimes(timezones=st.just(UTC))),
        warnings=address_warnings(address),
    )


@given(st.lists(_csv_rows()))
def test_what_is_exported_is_imported_as_it_was(rows):
    """Exported rows are read back equal, whatever characters they contain."""
    import_format, found = read_rows(io.StringIO("".join(write_rows(rows)), newline=""))
    assert import_format.name == "feeds"
    assert [_without_number(row) for row in found] == rows


@given(st.lists(_csv_rows()))
def test_no_exported_cell_is_a_formula(rows):
    """No exported cell begins like a formula of Excel, LibreOffice or Google Sheets."""
    for line in csv.reader(write_rows(rows)):
        assert len(line) == len(HEADER)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) for cell in line)


def test_an_export_is_csv_with_a_header():
    """An export has a header, RFC 4180 line ends, and quotes where needed."""
    row = CsvRow(
        email="=cmd@b.org",
        key="=cmd@b.org",
        newsletters=(),
        topics={"weekly": ("Food, drink",)},
        consent='said "yes", =1',
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert list(write_rows([row])) == [
        "email,status,newsletters,topics,lang,timezone,consent,created_at\r\n",
        '\'=cmd@b.org,active,;,"weekly:Food\\, drink",,,"said ""yes"", =1",2026-01-01T00:00:00+00:00\r\n',
    ]


def _without_number(row):
    assert isinstance(row, CsvRow), row
    return replace(row, number=0)
