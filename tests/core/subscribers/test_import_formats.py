"""Whose CSV it is."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.csv_rows import HEADER
from feeds.core.subscribers.import_formats import STATUSES, detect_format, normalize_column

LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
LEFT = MAILCHIMP.replace(
    "LAST_CHANGED", "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
)
CLEANED = MAILCHIMP.replace("LAST_CHANGED", "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID")
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers"
)
BUTTONDOWN = (
    "id,secondary_id,email,notes,metadata,subscriber_type,source,ip_address,creation_date,unsubscription_date,tags"
)


def _dialect(line, file=""):
    return detect_format(next(csv.reader([line])), file)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        *((",".join(HEADER), "feeds"), (LISTMONK, "listmonk"), (MAILCHIMP, "mailchimp"), (LEFT, "mailchimp")),
        *((GHOST, "ghost"), (GHOST.replace("tiers", "products"), "ghost"), (f"{GHOST},gift_id", "ghost")),
        *((BUTTONDOWN, "buttondown"), ("email_address,type,creation_date,tags", "buttondown"), ("email", "plain")),
        *(("email,name,attributes", "plain"), ("Email,First name,Tags,Date registered", "plain")),
    ],
)
def test_each_tools_export_is_known_by_its_columns(line, name):
    """In any order of columns."""
    cells = next(csv.reader([line]))
    assert detect_format(cells).name == detect_format(cells[::-1]).name == name
    assert cells[detect_format(cells).columns["email"]].lower().startswith("email")


@pytest.mark.parametrize(
    "name",
    ["email", "E-Mail", " EMAIL ", "Email Address", "email_address", "メールアドレス", "Adresse e-mail", "Ｅｍａｉｌ"],
)
def test_the_column_with_addresses_goes_by_many_names(name):
    """Without case, spaces and signs."""
    assert detect_format(["name", name]).columns["email"] == 1


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["name", "emial"], "'emial' looks like it"),
        (["name", "phone"], r"there is: name, phone\); call one 'email'$"),
        (["ada@b.org", "Ada"], "put a line before it that names the columns"),
        (["\ufffd\ufffd", "name"], "save the file as UTF-8"),
        ([""], "no column holds addresses"),
    ],
)
def test_a_header_without_addresses_is_refused_in_words(header, told):
    """What there is, what comes near, and what to do."""
    with pytest.raises(ValueError, match=told):
        detect_format(header)


def test_columns_that_nothing_is_taken_from_are_told():
    """Names are not kept, and nobody is left to wonder."""
    assert _dialect(LISTMONK).ignored == ("uuid", "name", "attributes", "updated_at")
    assert {"First Name", "Last Name", "TAGS", "NOTES"} <= set(_dialect(MAILCHIMP).ignored)
    assert _dialect(",".join(HEADER)).ignored == ()


def test_a_column_that_stands_twice_counts_once_and_is_told():
    """The first of them."""
    how = detect_format(["status", "email", "Status", "email"])
    assert (how.columns["email"], how.signs[0][0]) == (1, 0)
    assert how.ignored == ("Status", "email")
    assert how.notes == ("stands twice in the header, the first counts: status, email",)


@pytest.mark.parametrize(
    ("line", "file", "status"),
    [
        *((MAILCHIMP, "", "active"), (LEFT, "", "unsubscribed"), (CLEANED, "", "bounced")),
        (MAILCHIMP, "lists/unsubscribed_members_export_0f1e.csv", "unsubscribed"),
        (MAILCHIMP, r"C:\lists\cleaned_email_audience_export_0f1e.csv", "bounced"),
        (MAILCHIMP, "subscribed_email_audience_export_0f1e.csv", "active"),
        (LEFT, "subscribed_email_audience_export_0f1e.csv", "unsubscribed"),
        ('"Email Address",UNSUB_TIME,LAST_CHANGED,LEID,EUID', "", "active"),
        ("email", "unsubscribed_members_export_0f1e.csv", "active"),
    ],
)
def test_mailchimps_files_say_who_is_in_them(line, file, status):
    """By their name or by columns that only they have; other tools' files are not read by their names."""
    how = _dialect(line, file)
    assert how.status == status
    assert any(f"everybody in this file is {status}" in note for note in how.notes) == (status != "active")


def test_people_who_never_subscribed_are_not_taken():
    """Mailchimp's file of contacts without consent."""
    with pytest.raises(ValueError, match="never subscribed"):
        _dialect(MAILCHIMP, "nonsubscribed_email_audience_export_0f1e.csv")


def test_what_listmonk_does_not_tell_is_told():
    """Its export calls people enabled who have left its lists."""
    assert "who has left a single list" in _dialect(LISTMONK).notes[0]


@given(st.lists(st.text(max_size=8) | st.sampled_from([*HEADER, "LEID", "EUID", "UNSUB_TIME"])), st.text(max_size=20))
def test_no_header_raises_anything_but_a_refusal_in_words(header, file):
    """And every place that is read is one of the header's."""
    try:
        how = detect_format(header, file)
    except ValueError as refusal:
        assert len(str(refusal)) > 20
        return
    places = [*how.columns.values(), *how.created, *(at for at, _ in how.signs), *(at for _, at in how.evidence)]
    assert set(places) <= set(range(len(header)))
    assert how.status in STATUSES


def test_names_are_compared_by_their_letters():
    """Columns and statuses alike."""
    assert normalize_column(" Past-Due ") == normalize_column("past_due") == "pastdue"
