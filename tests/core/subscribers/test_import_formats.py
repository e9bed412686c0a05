"""Detecting the program that exported a CSV file."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers import import_formats
from feeds.core.subscribers.csv_rows import HEADER
from feeds.core.subscribers.csv_values import normalize_column
from feeds.core.subscribers.import_formats import detect_format
from feeds.core.subscribers.status_words import STATUSES

LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
UNSUBSCRIBED = MAILCHIMP.replace(
    "LAST_CHANGED", "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
)
CLEANED = MAILCHIMP.replace("LAST_CHANGED", "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID")
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers"
)
BUTTONDOWN = (
    "id,secondary_id,email,notes,metadata,subscriber_type,source,ip_address,creation_date,unsubscription_date,tags"
)


def _detect(line, file=""):
    return detect_format(next(csv.reader([line])), file)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        *((",".join(HEADER), "feeds"), (LISTMONK, "listmonk"), (MAILCHIMP, "mailchimp"), (UNSUBSCRIBED, "mailchimp")),
        *((GHOST, "ghost"), (GHOST.replace("tiers", "products"), "ghost"), (f"{GHOST},gift_id", "ghost")),
        *((BUTTONDOWN, "buttondown"), ("email_address,type,creation_date,tags", "buttondown"), ("email", "plain")),
        *(("email,name,attributes", "plain"), ("Email,First name,Tags,Date registered", "plain")),
    ],
)
def test_each_tools_export_is_known_by_its_columns(line, name):
    """Each program's export is detected by its columns, in any order."""
    cells = next(csv.reader([line]))
    assert detect_format(cells).name == detect_format(cells[::-1]).name == name
    assert cells[detect_format(cells).columns["email"]].lower().startswith("email")


@pytest.mark.parametrize(
    "name",
    ["email", "E-Mail", " EMAIL ", "Email Address", "email_address", "メールアドレス", "Adresse e-mail", "Ｅｍａｉｌ"],
)
def test_the_column_with_addresses_goes_by_many_names(name):
    """The email column has many names, compared without case, spaces and punctuation."""
    assert detect_format(["name", name]).columns["email"] == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["name", "emial"], "'emial' looks like one"),
        (["name", "phone"], r"columns: name, phone\); name one 'email'$"),
        (["ada@b.org", "Ada"], "insert a line before it that names the columns"),
        (["\ufffd\ufffd", "name"], "save the file as UTF-8"),
        ([""], "no column has addresses"),
    ],
)
def test_a_header_without_addresses_is_refused_in_words(header, message):
    """A header without an email column is rejected with its columns, the nearest name and what to do."""
    with pytest.raises(ValueError, match=message):
        detect_format(header)


def test_columns_that_nothing_is_taken_from_are_told():
    """Columns that are not imported are reported."""
    assert _detect(LISTMONK).ignored == ("uuid", "name", "attributes", "updated_at")
    assert {"First Name", "Last Name", "TAGS", "NOTES"} <= set(_detect(MAILCHIMP).ignored)
    assert _detect(",".join(HEADER)).ignored == ()


def test_a_column_that_stands_twice_counts_once_and_is_told():
    """Of duplicate columns the first counts, and a note names them; of those with a status all count."""
    found = detect_format(["status", "email", "Status", "email"])
    assert (found.columns["email"], [at for at, _ in found.status_columns]) == (1, [0, 2])
    assert found.ignored == ("email",)
    assert found.notes == ("duplicate columns, of which the first counts: email",)


@pytest.mark.parametrize(
    ("line", "file", "status"),
    [
        *((MAILCHIMP, "", "active"), (UNSUBSCRIBED, "", "unsubscribed"), (CLEANED, "", "bounced")),
        (MAILCHIMP, "lists/unsubscribed_members_export_0f1e.csv", "unsubscribed"),
        (MAILCHIMP, r"C:\lists\cleaned_email_audience_export_0f1e.csv", "bounced"),
        (MAILCHIMP, "subscribed_email_audience_export_0f1e.csv", "active"),
        (UNSUBSCRIBED, "subscribed_email_audience_export_0f1e.csv", "unsubscribed"),
        ('"Email Address",UNSUB_TIME,LAST_CHANGED,LEID,EUID', "", "active"),
    ],
)
def test_mailchimps_files_say_who_is_in_them(line, file, status):
    """The name or the columns of a Mailchimp file give its rows' status."""
    found = _detect(line, file)
    assert found.default_status == status
    assert any(f"every row of this file is {status}" in note for note in found.notes) == (status != "active")


def test_people_who_never_subscribed_are_not_taken():
    """Mailchimp's file of contacts without consent is rejected."""
    with pytest.raises(ValueError, match="never subscribed"):
        _detect(MAILCHIMP, "nonsubscribed_email_audience_export_0f1e.csv")


def test_what_listmonk_does_not_tell_is_told():
    """A note says that listmonk's export lacks unsubscribes from single lists."""
    assert "no unsubscribes from single lists" in _detect(LISTMONK).notes[0]


@given(st.lists(st.text(max_size=8) | st.sampled_from([*HEADER, "LEID", "EUID", "UNSUB_TIME"])), st.text(max_size=20))
def test_no_header_raises_anything_but_a_refusal_in_words(header, file):
    """Any header gives a format with valid column positions, or a ValueError with a message."""
    try:
        found = detect_format(header, file)
    except ValueError as error:
        assert len(str(error)) > 20
        return
    positions = [
        *found.columns.values(),
        *found.created_columns,
        *(at for at, _ in found.status_columns),
        *(at for _, at in found.evidence_columns),
    ]
    assert set(positions) <= set(range(len(header)))
    assert found.default_status in STATUSES


def test_names_are_compared_by_their_letters():
    """Column names and statuses are compared by letters and digits only."""
    assert normalize_column(" Past-Due ") == normalize_column("past_due") == "pastdue"


@pytest.mark.parametrize(
    "name",
    [
        *("Abbestellt am", "Ausgetragen am", "Austragung", "Sperrliste", "Zurückgewiesen", "Liste noire"),
        *("Avregistrerad", "Has left", "Left on", "date_left", "Dead", "Quarantined", "Rejected", "Deactivated at"),
        *("Mailable", "Sendable", "Deliverable", "Can email", "No mail", "Odhlášena", "Отписана", "無効日"),
    ],
)
def test_a_column_named_with_a_word_for_people_who_are_gone_is_not_just_ignored(name):
    """A word that means in a cell that somebody has left, or a noun made of it, stops the import as a column name."""
    with pytest.raises(ValueError, match="it may be who has left"):
        detect_format(["email", name])
    assert detect_format(["email", name], ignore=[name]).ignored == (name,)


@pytest.mark.parametrize("name", ["Deadline", "Leftover", "Name", "Company", "Notes", "City", "Birthday", "Paragon"])
def test_a_column_with_such_a_word_inside_another_is_ignored(name):
    """The short words count only as words of their own."""
    assert detect_format(["email", name]).ignored == (name,)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        *(
            (name, "lang")
            for name in ("Langue", "Sprache", "Idioma", "Lingua", "Taal", "Język", "Jazyk", "Язык", "언어")
        ),
        *((name, "timezone") for name in ("Fuseau horaire", "Zeitzone", "Часовой пояс", "时区", "Zona horaria")),
        *((name, "topics") for name in ("Themen", "Thèmes", "Temas", "Onderwerpen", "トピック")),
        *((name, "newsletters") for name in ("Infolettre", "Boletín", "Nieuwsbrief", "メルマガ", "Рассылка")),
    ],
)
def test_columns_of_values_are_understood_in_many_languages(header, field):
    """A column with the usual name in another language holds the value; the others are not mistaken for it."""
    found = detect_format(["Courriel", "Nom", header])
    assert (found.columns, found.ignored) == ({"email": 0, field: 2}, ("Nom",))


@pytest.mark.parametrize(
    "header",
    ["Indirizzo e-mail", "Adres e-mail", "Endereço de e-mail", "E-mailadres", "Адрес электронной почты", "邮箱地址"],
)
@pytest.mark.parametrize("date", ["Date d’inscription", "Anmeldedatum", "Fecha de alta", "登録日"])
def test_addresses_and_dates_are_found_in_many_languages(header, date):
    """The column of addresses and that of the date of the subscription are found by their name in another language."""
    found = detect_format(["Nom", date, header])
    assert (found.columns, found.created_columns, found.status_columns) == ({"email": 2}, (1,), ())


def test_each_usual_name_is_as_names_are_compared():
    """Every name of the tables is in the form to which a column's name is normalised; else it would never be found."""
    names = " ".join((*import_formats._COLUMN_NAMES.values(), import_formats._CREATED_NAMES)).split()  # noqa: SLF001
    assert [name for name in names if normalize_column(name) != name] == []
    assert len(names) == len(set(names))
