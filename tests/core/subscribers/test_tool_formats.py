"""The exports of other programs: whoever has left there is never active here."""

import io
import shlex

import pytest

from feeds.core.subscribers.csv_reader import RejectedRow
from feeds.core.subscribers.csv_rows import read_rows
from feeds.core.subscribers.csv_values import normalize_column
from feeds.core.subscribers.status_words import NO, STATUS_WORDS, STATUSES, YES
from feeds.core.subscribers.tool_formats import TOOL_FORMATS

#: A sample for each program: its header, then rows; `+` is a person who must be active, anything else their status.
SAMPLES = {
    "listmonk": """
        uuid,email,name,attributes,status,created_at,updated_at
        1,+@example.org,P,{},enabled,2025-03-01,2025-03-01
        2,unsubscribed@example.org,Q,{},blocklisted,2025-03-01,2025-03-01
    """,
    "mailpoet": r"""
        "Email","First name","Subscription time","Confirmation time","List status","Global status","List"
        "+@example.org","P","2025-03-01 10:00:00","2025-03-01 10:05:00","subscribed","subscribed","News"
        "unsubscribed@example.org","The \"Q\", of R","2025-03-01 10:00:00","","unsubscribed","subscribed","News"
        "bounced@example.org","R","2025-03-01 10:00:00","","subscribed","bounced","News"
        "pending@example.org","S","2025-03-01 10:00:00","","unconfirmed","unconfirmed","News"
    """,
    "phplist": """
        id	Email	Is this subscriber confirmed	Is this subscriber blacklisted	Number of bounces	Entered	Lists
        1	+@example.org	1	0	2	2025-03-01 10:00:00	News
        2	unsubscribed@example.org	1	1	0	2025-03-01 10:00:00	News
        3	pending@example.org	0	0	0	2025-03-01 10:00:00	No Lists
    """,
    "kit": """
        id,first_name,email_address,state,created_at,city
        1,P,+@example.org,active,2025-03-01T10:00:00Z,Ely
        2,Q,unsubscribed@example.org,cancelled,2025-03-01T10:00:00Z,Ely
        3,R,bounced@example.org,bounced,2025-03-01T10:00:00Z,Ely
        4,S,complained@example.org,complained,2025-03-01T10:00:00Z,Ely
        5,T,pending@example.org,unconfirmed,2025-03-01T10:00:00Z,Ely
    """,
    "campaign monitor": """
        EmailAddress,Name,Date,ListJoinedDate,State,ConsentToTrack
        +@example.org,P,2025-03-01 10:00:00,2025-03-01 10:00:00,Active,Yes
        unsubscribed@example.org,Q,2025-03-01 10:00:00,2025-03-01 10:00:00,Unsubscribed,No
        bounced@example.org,R,2025-03-01 10:00:00,2025-03-01 10:00:00,Bounced,Unchanged
    """,
    "brevo": """
        EMAIL;LASTNAME;SMS_BLACKLISTED;EMAIL_BLACKLISTED;ADDED_TIME
        +@example.org;P;true;false;2025-03-01
        unsubscribed@example.org;Q;false;true;2025-03-01
    """,
    "hubspot": """
        Record ID,Email,Unsubscribed from all email,Email hard bounce reason,Marketing contact status,Lead Status
        1,+@example.org,false,,Marketing contact,New
        2,unsubscribed@example.org,true,,Non-marketing contact,New
        3,bounced@example.org,,UNKNOWN_USER,Marketing contact,
    """,
    "hubspot opt-outs": """
        Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing Information
        unsubscribed@example.org,FALSE,TRUE,FALSE,FALSE,FALSE
        unsubscribed+1@example.org,FALSE,FALSE,FALSE,FALSE,TRUE
        bounced@example.org,MAILBOX_FULL,FALSE,FALSE,FALSE,FALSE
        complained@example.org,FALSE,FALSE,TRUE,FALSE,FALSE
    """,
    "shopify": """
        Customer ID,First Name,Email,Accepts Email Marketing,Default Address Province,Accepts SMS Marketing,Tags
        1,P,+@example.org,yes,ON,no,vip
        2,Q,unsubscribed@example.org,no,ON,yes,vip
    """,
    "squarespace": """
        Email Address,First Name,Subscriber Status,Subscribed On,Mailing Lists
        +@example.org,P,Subscribed,2025-03-01,News
        unsubscribed@example.org,Q,Unsubscribed,2025-03-01,News
        bounced@example.org,R,Cleaned,2025-03-01,News
    """,
    "jetpack": """
        email,name,subscription_status,date_subscribed
        +@example.org,P,Subscribed,2025-03-01
        unsubscribed@example.org,Q,Not subscribed,2025-03-01
        pending@example.org,R,Not confirmed,2025-03-01
        bounced@example.org,S,Not sending,2025-03-01
    """,
    "mautic": """
        email,firstname,dnc_email,date_added
        +@example.org,P,0,2025-03-01
        unsubscribed@example.org,Q,1,2025-03-01
        bounced@example.org,R,2,2025-03-01
        unsubscribed+1@example.org,S,3,2025-03-01
    """,
    "mailtrain": """
        cid,status,HASH_EMAIL,EMAIL,MERGE_NAME
        a1,1,h,+@example.org,P
        a2,2,h,unsubscribed@example.org,Q
        a3,3,h,bounced@example.org,R
        a4,complained,h,complained@example.org,S
    """,
    "sendgrid": """
        status,reason,email,created
        5.1.1,550 5.1.1 no mailbox here by that name,bounced@example.org,1740823200
        4.4.1,connection timed out,bounced+1@example.org,1740823200
    """,
    "amazon ses": """
        EmailAddress,Reason,LastUpdateTime
        bounced@example.org,BOUNCE,2025-03-01T10:00:00Z
        complained@example.org,COMPLAINT,2025-03-01T10:00:00Z
    """,
    "substack": """
        email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
        +@example.org,false,,other,false,2025-03-01T10:00:00Z,
        unsubscribed@example.org,true,2026-03-01,monthly,true,2025-03-01T10:00:00Z,2025-03-01T10:00:00Z
    """,
    "plain": """
        Email,Name,unsubscribed_at
        +@example.org,P,
        +1@example.org,Q,0000-00-00 00:00:00
        unsubscribed@example.org,R,2025-03-01 10:00:00
    """,
}


def read(text, **values):
    lines = "".join(f"{line.removeprefix(' ' * 8)}\n" for line in text.strip("\n ").split("\n"))
    return read_rows(io.StringIO(lines, newline=""), **values)


@pytest.mark.parametrize(("name", "sample"), SAMPLES.items(), ids=SAMPLES)
def test_each_export_is_recognised_and_only_subscribers_are_active(name, sample):
    """Each program's export is recognised by its header, and each of its statuses is understood."""
    found, rows = read(sample)
    assert found.name == name
    read_as = {row.email.partition("@")[0]: row.status for row in rows}
    assert read_as == {local: "active" if local[0] == "+" else local.partition("+")[0] for local in read_as}


def test_there_is_a_sample_for_each_program():
    """Every format of the table has a sample here, or a test of its own in test_csv_rows.py."""
    assert {tool.name for tool in TOOL_FORMATS} - SAMPLES.keys() == {"feeds", "mailchimp", "ghost", "buttondown"}


@pytest.mark.parametrize("tool", TOOL_FORMATS, ids=lambda tool: tool.name)
def test_the_table_is_written_as_columns_are_compared(tool):
    """Every column name and code of the table is in its normalized form, else it would never be found."""
    names = [*tool.status, *tool.evidence, *tool.harmless.split(), *" ".join(tool.column_sets).split()]
    assert [name for name in names if normalize_column(name) != name] == []
    assert tool.every_row in STATUSES
    assert {status for rule in tool.status.values() for status in rule.words.values()} <= {*STATUSES, ""}


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("Statut", {"Inscrit": "active", "Désinscrit": "unsubscribed", "En attente": "pending", "rebond": "bounced"}),
        ("状態", {"購読中": "active", "配信停止": "unsubscribed", "不達": "bounced", "未確認": "pending"}),
        ("Статус", {"подписан": "active", "Отписан": "unsubscribed", "ЖАЛОБА": "complained"}),
        ("status", {"Abgemeldet": "unsubscribed", "dado de baja": "unsubscribed", "Afgemeld": "unsubscribed"}),
        ("status", {"已退订": "unsubscribed", "구독취소": "unsubscribed", "Wypisany": "unsubscribed"}),
        (
            "status",
            {"Unsubscribed (Admin)": "unsubscribed", "Bounced: full": "bounced", "Spam complaint": "complained"},
        ),
        ("estado", {"activo": "active", "baja": "unsubscribed"}),
        ("退会日", {"": "active", "2025-03-01": "unsubscribed"}),
        ("Abgemeldet", {"nein": "active", "ja": "unsubscribed", "0.0": "active", "1.0": "unsubscribed"}),
        ("Bounced", {"no": "active", "TRUE": "bounced", "2025-03-01T10:00:00Z": "bounced"}),
        ("bounce_reason", {"": "active", "no such user": "bounced"}),
        ("Confirmed", {"yes": "active", "no": "pending"}),
        ("opt-in", {"oui": "active", "non": "unsubscribed", "2025-03-01": "active"}),
        ("Email Marketing Consent", {"SUBSCRIBED": "active", "UNSUBSCRIBED": "unsubscribed"}),
        ("Do not contact", {"false": "active", "true": "unsubscribed"}),
        ("suppressed", {"[]": "active", "x": "unsubscribed"}),
        ("blacklisted", {"FALSCH": "active", "WAHR": "unsubscribed", "FAUX": "active", "VRAI": "unsubscribed"}),
        ("subscribed", {"VERDADERO": "active", "FALSO": "unsubscribed", "ИСТИНА": "active", "ЛОЖЬ": "unsubscribed"}),
    ],
)
def test_usual_columns_are_understood_in_many_languages(column, cells):
    """A column with a usual name gives the status, whatever the language of its name and words."""
    _, rows = read(f"email,{column}\n" + "".join(f"a{n}@example.org,{cell}\n" for n, cell in enumerate(cells)))
    assert [row.status for row in rows] == list(cells.values())


def test_an_unknown_word_never_makes_a_subscriber():
    """A cell that is not understood is a rejected row, whichever column it is in."""
    for column in ("status", "unsubscribed", "confirmed", "accepts marketing", "dnc", "状態"):
        _, (row,) = read(f"email,{column}\na@example.org,perhaps\n")
        assert isinstance(row, RejectedRow)
        assert f"'perhaps' in the column '{column}'" in row.reason


def test_who_has_gone_by_one_column_has_gone_whatever_the_others_say():
    """A column that is not understood does not keep out a row of which another column says that the person has gone."""
    _, (row,) = read("email,subscribed,status,unsubscribed_at\na@example.org,,perhaps,2025-03-01\n")
    assert row.status == "unsubscribed"


@pytest.mark.parametrize("column", ["Subscribed", "opt-in", "Accepts marketing", "confirmed"])
def test_who_has_not_answered_is_not_active(column):
    """An empty cell in a column that says who has agreed is a rejected row, since nobody has said yes in it."""
    _, (row,) = read(f"email,{column}\na@example.org,\n")
    assert isinstance(row, RejectedRow)
    assert row.reason == f"says neither yes nor no in the column '{column}'"


@pytest.mark.parametrize(
    "column",
    [
        "Opted out of email: Offers",
        "GDPR permission",
        "mailing_suppression_flag",
        "Bounce class",
        "Account status",
        "Has consented to newsletter",
        "spam_score_class",
        "Kündigung / Abmeldung",
        "Motif de désinscription",
        "配信停止フラグ",
        "Reason",
        "K\ufffdndigung",
        "\ufffd\ufffd\ufffd",
        "订阅状态码",
    ],
)
def test_a_column_that_may_say_who_has_left_is_never_just_ignored(column):
    """A column that speaks of a status and is not understood is a refusal that names it, unless it is ignored."""
    text = f"email,{column}\na@example.org,7\n"
    with pytest.raises(ValueError, match="may be who has left") as error:
        read(text)
    assert f"--ignore-column {shlex.quote(column)}" in str(error.value)
    found, (row,) = read(text, ignore=[column.upper()])
    assert (row.status, found.ignored) == ("active", (column,))


@pytest.mark.parametrize(
    "column",
    [
        "subscribed_ip",
        "Confirmation time",
        "optin-source",
        "subscription_plan",
        "SMS consent",
        "Marital status",
        "Notes",
    ],
)
def test_columns_that_say_nothing_of_leaving_are_ignored(column):
    """A column about the way somebody subscribed, what they pay or another channel is ignored."""
    _, (row,) = read(f"email,{column}\na@example.org,whatever\n")
    assert row.status == "active"


def test_only_a_column_that_there_is_can_be_ignored():
    """To ignore a column that is not in the file is an error with its columns."""
    with pytest.raises(ValueError, match=r"there is no column 'Statsu' \(columns: email, Status\)"):
        read("email,Status\na@example.org,active\n", ignore=["Statsu"])


def test_a_state_is_a_place_where_other_places_are():
    """Beside a city or a country, `state` may be a place; a status word in it still counts."""
    _, rows = read("email,state,country\na@example.org,Ohio,US\nb@example.org,cancelled,US\n")
    assert [row.status for row in rows] == ["active", "unsubscribed"]
    _, (row,) = read("email,state\na@example.org,Ohio\n")
    assert isinstance(row, RejectedRow)


@pytest.mark.parametrize(
    "file", ["suppression_bounces.csv", "Unsubscribes.csv", "lists/abgemeldet.csv", "配信停止.csv"]
)
def test_a_list_of_people_who_are_gone_is_not_a_list_of_subscribers(file):
    """A file that is named after leaving and has no status is refused, until the operator says who is in it."""
    with pytest.raises(ValueError, match="--status unsubscribed"):
        read("email,created\na@example.org,1740823200\n", file=file)
    found, (row,) = read("email,created\na@example.org,1740823200\n", file=file, status="unsubscribed")
    assert row.status == "unsubscribed"
    assert found.notes == ("every row of this file is unsubscribed, or worse",)


def test_a_worse_status_in_a_row_outweighs_that_of_the_list():
    """The status of the whole list holds for rows without a worse one."""
    _, rows = read("email,status\na@example.org,active\nb@example.org,complained\n", status="bounced")
    assert [row.status for row in rows] == ["bounced", "complained"]


def test_words_have_one_meaning():
    """No word is both yes and no, and none is empty, so that a sign without letters has no meaning."""
    assert not {*YES.split(",")} & {*NO.split(",")}
    assert "" not in STATUS_WORDS
