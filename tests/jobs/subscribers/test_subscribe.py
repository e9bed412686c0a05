"""`feeds subscribers` on a real site: single subscribers, imports, exports, erasure."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.core.subscribers import csv_values
from feeds.core.subscribers.addresses import parse_address
from feeds.core.subscribers.status_words import STATUSES
from feeds.edges.store.database import open_store
from feeds.errors import AddressError, FeedsError, LockedError
from feeds.jobs.subscribers import import_subscribers, preferences, subscribe
from feeds.jobs.subscribers.erase import erase_subscriber
from feeds.model import ImportRow
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.subscribed import context, letter_token, preferences_token, subscribe_ada

DAILY = '[[newsletters]]\nname = "daily"\ntitle = "The daily"\nschedule = "0 8 * * *"\n'
LATER = NOW + timedelta(hours=1)
ADA = "ada@example.org"


def _add(site, email=ADA, newsletters=(), **values):
    return subscribe.add_subscriber(
        site.config, email, newsletters, **{"lang": None, "now": NOW, "again": False} | values
    )


def _file(site, text, name="people.csv"):
    file = site.folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def _import(site, text, name="people.csv", **values):
    messages = []
    options = import_subscribers.ImportOptions(**{"now": NOW, "report_row": messages.append} | values)
    return import_subscribers.import_csv(site.config, _file(site, text, name), options), messages


def _statuses(site):
    return {person.email: person.status for person in subscribe.list_subscribers(site.config)}


# Single subscribers -----------------------------------------------------------------------------------------------


def test_a_reader_is_added_with_all_that_is_said(letter_site):
    """A subscriber is added with language, time zone and topics, and with a consent text and source."""
    found = _add(letter_site, lang="JA", timezone="Asia/Tokyo", topics=[" Cats  and dogs", ""])
    assert (found.lang, found.timezone, found.topics) == ("ja", "Asia/Tokyo", {"weekly": ("Cats and dogs",)})
    assert (found.source, found.consent, found.created_at) == ("add", "added by hand, 2026-11-23 12:00 +0000", NOW)
    with pytest.raises(FeedsError, match="--timezone: "):
        _add(letter_site, "bob@example.org", timezone="Tokio")


@pytest.mark.usefixtures("databases")
def test_who_is_added_again_has_the_topics_of_the_last_time(letter_site):
    """Adding a subscriber again replaces the topics, if any are given, and otherwise keeps them."""
    for topics, stored in (["Cats"], ("Cats",)), (["Dogs", "Birds"], ("Birds", "Dogs")), ([], ("Birds", "Dogs")):
        assert _add(letter_site, topics=topics).topics == {"weekly": stored}


@pytest.mark.usefixtures("databases")
def test_nobody_is_added_who_must_not_be_written_to(letter_site):
    """An address on the suppression list is not added without --again."""
    assert subscribe.suppress_address(letter_site.config, ADA, NOW)
    assert not subscribe.suppress_address(letter_site.config, ADA.upper(), LATER)
    with pytest.raises(FeedsError, match=r"ada@example\.org was suppressed on 2026-11-23 12:00 UTC; if"):
        _add(letter_site)
    assert _add(letter_site, again=True).status == "active"
    assert not subscribe.allow_address(letter_site.config, ADA, NOW)
    assert subscribe.suppress_address(letter_site.config, ADA, NOW)
    assert _statuses(letter_site) == {ADA: "unsubscribed"}
    letter_site.publish()
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


@pytest.mark.usefixtures("databases")
def test_nobody_is_added_to_a_newsletter_that_they_have_left(letter_site):
    """Without --again, a subscriber is not added to a newsletter that they have unsubscribed from, but to others."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    _add(letter_site)
    with open_store(letter_site.config.store_url, letter_site.folder) as store, store.bounces.transaction():
        store.bounces.unsubscribe_from(store.bounces.find_subscriber(store.subscribers.find(ADA).id), "daily", LATER)
    assert _add(letter_site, newsletters=["weekly"]).newsletters == ("weekly",)
    with pytest.raises(FeedsError, match=r"ada@example\.org has unsubscribed from daily; if this person asked"):
        _add(letter_site)
    assert _add(letter_site, again=True).newsletters == ("daily", "weekly")


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("local", ["'ada", "a" * 65, "ａｄａ"])
def test_an_address_that_was_damaged_is_not_added_but_can_still_leave(letter_site, local):
    """An address with an apostrophe before it, of full width or too long is not added; known ones can be removed."""
    odd = f"{local}@example.org"
    with pytest.raises(AddressError, match="is not an email address"):
        _add(letter_site, odd)
    header = "email,status,newsletters,topics,lang,timezone,consent,created_at\n"
    _import(letter_site, f"{header}{odd},active,,,,,asked,\n")
    assert subscribe.remove_subscriber(letter_site.config, odd, LATER)
    assert _statuses(letter_site) == {parse_address(odd).email: "unsubscribed"}
    assert erase_subscriber(letter_site.config, odd, LATER).was_known
    assert _statuses(letter_site) == {}


@pytest.mark.usefixtures("databases")
def test_who_left_before_is_found_by_any_spelling_of_the_domain(letter_site):
    """Of an address in another script, the store has the IDNA 2008 domain: who is suppressed under it stays so."""
    subscribe.suppress_address(letter_site.config, "ada@straße.example", NOW)
    for spelling in ("ada@xn--strae-oqa.example", "ADA@STRAẞE.example", "ada@straße.example"):
        with pytest.raises(FeedsError, match="was suppressed"):
            _add(letter_site, spelling)
        report, _ = _import(letter_site, f"email\n{spelling}\n")
        assert report.counts.kept_out == 1
    assert _add(letter_site, "ada@strasse.example").status == "active"


def test_without_the_key_nobody_can_tell_who_must_not_be_written_to(letter_site):
    """If the key of the suppression list is missing, nothing is added or imported, and no new key is created."""
    key = letter_site.folder / ".feeds/feeds.key"
    _add(letter_site)
    assert not key.exists()
    subscribe.suppress_address(letter_site.config, "eve@example.org", NOW)
    kept = key.read_text("ascii")
    for make_wrong in (key.unlink, lambda: key.write_text(kept.replace("suppress 1 ", "suppress 1 00")[:-2], "ascii")):
        make_wrong()
        for act in (
            lambda: _add(letter_site, "eve@example.org"),
            lambda: _import(letter_site, "email\neve@example.org\n"),
            lambda: subscribe.suppress_address(letter_site.config, "bob@example.org", NOW),
        ):
            with pytest.raises(FeedsError, match=r"feeds\.key"):
                act()
    key.write_text(f"{kept}suppress 2 {'ab' * 32}\n", "ascii")
    with pytest.raises(FeedsError, match=r"eve@example\.org was suppressed"):
        _add(letter_site, "eve@example.org")


@pytest.mark.usefixtures("databases")
def test_all_that_is_stored_about_somebody_is_shown(letter_site, feeds):
    """`show` and `export --person` give all that is stored; an unknown address is an error."""
    _add(letter_site, lang="ja")
    letter_site.publish()
    subscribe.suppress_address(letter_site.config, ADA, NOW)
    found = json.loads(feeds("subscribers", "show", ADA, "--json").stdout)
    assert found | {"status_at": ""} == {
        "email": ADA,
        "status": "unsubscribed",
        "lang": "ja",
        "timezone": None,
        "newsletters": ["weekly"],
        "topics": {},
        "consent": "added by hand, 2026-11-23 12:00 +0000",
        "source": "add",
        "created_at": "2026-11-23T12:00:00+00:00",
        "status_at": "",
        "left": {},
        "letters": [
            {
                "newsletter": "weekly",
                "number": 1,
                "subject": "first",
                "lang": "ja",
                "state": "sent",
                "sent_at": "2026-11-23T12:00:00+00:00",
                "answer": f"250 saved as weekly/1/{ADA}.eml",
            }
        ],
        "returned": [],
        "suppressed": {"reason": "suppressed", "at": "2026-11-23T12:00:00+00:00"},
        "paused_until": None,
        "mails": [],
        "wanted_addresses": [],
        "changes": [],
        "former_addresses": [],
    }
    assert feeds("subscribers", "export", "--person", ADA, "ada.json").returncode == 0
    assert json.loads(letter_site.read("ada.json")) == found
    lines = feeds("subscribers", "show", ADA).stdout
    assert f"{ADA}: unsubscribed since 2026-11-23 12:00 UTC" in lines
    assert "weekly 1: sent 2026-11-23 12:00 UTC; first; 250 saved" in lines
    stranger = feeds("subscribers", "show", "eve@example.org")
    assert (stranger.returncode, stranger.stderr) == (1, "error: nothing is stored about eve@example.org\n")
    assert feeds("subscribers", "export", "--person", ADA, "--status", "active").returncode == 2


@pytest.mark.usefixtures("databases")
def test_a_chosen_pause_and_mails_are_shown(site, feeds):
    """`show` has the day until which a subscriber wants no letters, and the mails about their subscription."""
    config = subscribe_ada(site)
    preferences.mail_link(config, letter_token(config), context())
    chosen = preferences.PreferencesInput(newsletters={"weekly": []}, lang=None, pause="2026-12-24")
    preferences.save_preferences(config, preferences_token(config), chosen, context())
    found = json.loads(feeds("subscribers", "show", ADA, "--json").stdout)
    assert found["paused_until"] == "2026-12-24T00:00:00+00:00"
    sent = {"kind": "preferences", "state": "ready", "created_at": "2026-11-23T12:00:00+00:00", "sent_at": None}
    assert found["mails"] == [sent]
    left = {"newsletter": "daily", "what": "unsubscribed", "topics": [], "how": "preferences"}
    at = {"at": "2026-11-23T12:00:00+00:00", "wording": None, "client": None}
    assert found["changes"] == [left | at, left | at | {"newsletter": "weekly", "what": "topics"}]
    lines = feeds("subscribers", "show", ADA).stdout
    assert "  daily: unsubscribed on 2026-11-23 12:00 UTC, by preferences\n" in lines
    assert "  wants no letters until 2026-12-24 00:00 UTC\n" in lines
    assert "  preferences mail: ready 2026-11-23 12:00 UTC\n" in lines


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        ("added by hand, 2026-11-23 12:00 +0000", "added by hand, 2026-11-23 21:00 JST"),
        (
            "signed up on the web 2026-06-30 23:10 UTC from c1; confirmed 2026-06-30 23:59 UTC from c2",
            "signed up on the web 2026-07-01 08:10 JST from c1; confirmed 2026-07-01 08:59 JST from c2",
        ),
        ("form of 2026-11-23 12:00, 2026-13-23 12:00 UTC", "form of 2026-11-23 12:00, 2026-13-23 12:00 UTC"),
        ("9999-12-31 23:59 UTC", "9999-12-31 23:59 UTC"),
    ],
)
def test_times_of_consent_are_shown_in_the_sites_zone(letter_site, feeds, consent, expected):
    """`show` prints the times in the text of consent in the zone of the others, and leaves what is not a time."""
    _add(letter_site)
    letter_site.configure(letter_site.read("config.toml").replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"'))
    letter_site.run_sql(f"UPDATE subscribers SET consent = '{consent}'")
    assert f"  consent: {expected}\n" in feeds("subscribers", "show", ADA).stdout


@pytest.mark.usefixtures("databases")
def test_the_topics_of_a_change_are_shown(site, feeds):
    """`show` names the topics that a subscriber chose, and says so if they chose all."""
    site.post("a", categories="[Code, Essays]")
    config = subscribe_ada(site)
    site.publish()
    for chosen in ({"weekly": ["Code", "Notes"]}, {"weekly": []}, {"weekly": [], "daily": ["Essays"]}):
        wanted = preferences.PreferencesInput(newsletters=chosen, lang=None, pause="")
        preferences.save_preferences(config, preferences_token(config), wanted, context())
    lines = feeds("subscribers", "show", ADA).stdout
    for line in ("weekly: topics Code, Notes", "weekly: topics all", "daily: subscribed (Essays)"):
        assert f"  {line} on 2026-11-23 12:00 UTC, by preferences\n" in lines


@pytest.mark.usefixtures("databases")
def test_people_are_listed_by_what_they_read_and_how_they_stand(letter_site, feeds):
    """`list` filters by newsletter and status, and counts; an unknown newsletter is an error."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    _add(letter_site, newsletters=["daily"])
    _add(letter_site, "bob@example.org", ["weekly"])
    subscribe.remove_subscriber(letter_site.config, "bob@example.org", NOW)
    assert feeds("subscribers", "list", "--newsletter", "daily").stdout == (
        "ada@example.org\tactive\t\tdaily\nsubscribers: 1 active\n"
    )
    assert (
        feeds("subscribers", "list", "--status", "unsubscribed").stdout.splitlines()[-1]
        == "subscribers: 1 unsubscribed"
    )
    assert feeds("subscribers", "list", "--status", "pending").stdout == "subscribers: none\n"
    wrong = feeds("subscribers", "list", "--newsletter", "dayly")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "error: there is no newsletter 'dayly'; known here: weekly, daily\n",
    )
    letter_site.configure(CONFIG + NEWSLETTER)
    assert ADA in feeds("subscribers", "list", "--newsletter", "daily").stdout


# Imports ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_list_is_taken_in_with_its_evidence(letter_site):
    """An import keeps consent texts; a row without newsletters subscribes to all, with the import as consent."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    done, messages = _import(
        letter_site,
        "Name;Consent;E-Mail\nAda;web form, 2024;ada@example.org\nBob;;info@example.org\n",
        "old people.csv",
    )
    assert (done.done, done.rows, done.counts.added, done.import_format.ignored) == (True, 2, {"active": 2}, ("Name",))
    ada, info = subscribe.list_subscribers(letter_site.config)
    assert (ada.newsletters, ada.source) == (("daily", "weekly"), "old people.csv")
    assert ada.consent == "web form, 2024; import old people.csv, 2026-11-23 12:00 +0000"
    assert info.consent == "import old people.csv, 2026-11-23 12:00 +0000"
    assert messages == [
        import_subscribers.RowMessage(
            row=3, email="info@example.org", kind="warning", text="info@ is a role address, not a person"
        )
    ]


@pytest.mark.usefixtures("databases")
def test_the_lists_of_other_tools_are_understood(letter_site):
    """In another program's export, unsubscribed people stay unsubscribed, without newsletters."""
    done, _ = _import(
        letter_site,
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        "1,ada@example.org,Ada,{},enabled,2024-01-02 03:04:05,\n2,bob@example.org,Bob,{},blocklisted,,\n",
    )
    assert (done.import_format.name, done.counts.added) == ("listmonk", {"active": 1, "unsubscribed": 1})
    assert any("no unsubscribes from single lists" in note for note in done.notes)
    ada, bob = subscribe.list_subscribers(letter_site.config)
    assert (ada.newsletters, ada.created_at) == (("weekly",), datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert bob.newsletters == ()


@pytest.mark.usefixtures("databases")
def test_newsletters_are_what_a_row_says_unless_somebody_says_otherwise(letter_site):
    """A row's newsletters and topics are imported, unless --newsletter applies to all rows."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    text = "email,newsletters,topics\nada@example.org,daily,Cats\nbob@example.org,,daily:Dogs\n"
    _import(letter_site, text)
    ada, bob = subscribe.list_subscribers(letter_site.config)
    assert (ada.newsletters, ada.topics) == (("daily",), {"daily": ("Cats",)})
    assert (bob.newsletters, bob.topics) == (("daily", "weekly"), {"daily": ("Dogs",)})
    done, _ = _import(letter_site, text, newsletters=("weekly",))
    assert any("--newsletter applies" in note for note in done.notes)
    assert [person.newsletters for person in subscribe.list_subscribers(letter_site.config)] == [
        ("daily", "weekly")
    ] * 2
    with pytest.raises(FeedsError, match="there is no newsletter 'monthly'"):
        _import(letter_site, text, newsletters=("monthly",))


@pytest.mark.usefixtures("databases")
def test_an_address_in_several_rows_gets_the_newsletters_and_topics_of_all(letter_site):
    """Rows with the same address are one subscriber with the newsletters and topics of all of them."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    rows = ("ada@example.org,daily,Cats", "bob@example.org,weekly,Birds", "ADA@example.org,daily,Dogs")
    done, _ = _import(letter_site, "\n".join(["email,newsletters,topics", *rows, "ada@example.org,weekly,"]))
    assert done.counts.added == {"active": 2}
    ada, bob = subscribe.list_subscribers(letter_site.config)
    assert (ada.newsletters, ada.topics) == (("daily", "weekly"), {"daily": ("Cats", "Dogs")})
    assert (bob.newsletters, bob.topics) == (("weekly",), {"weekly": ("Birds",)})


@pytest.mark.usefixtures("databases")
def test_one_row_that_is_refused_keeps_the_others_out_too(letter_site, feeds):
    """A rejected row stops the whole import, unless --partial is set; the report names the row and the remedy."""
    _file(letter_site, 'email,name\nada@example.org,Ada\nbob,Bob\neve@example.org,"E\nada@example.org,Ada\n')
    done = feeds("subscribers", "import", "people.csv")
    assert done.returncode == 1
    assert "error: people.csv:3: bob: rejected: An email address must have an @-sign." in done.stderr
    assert 'error: people.csv:4: eve@example.org,"E: rejected: is not a valid CSV row' in done.stderr
    assert "nothing was imported: fix the rejected rows, or import the others with --partial" in done.stdout
    assert _statuses(letter_site) == {}
    dry = feeds("subscribers", "import", "people.csv", "--partial", "--dry-run")
    assert (dry.returncode, "dry run: nothing was imported" in dry.stdout) == (0, True)
    assert _statuses(letter_site) == {}
    done = feeds("subscribers", "import", "people.csv", "--partial")
    assert (done.returncode, "warning: people.csv:3: bob: rejected" in done.stderr) == (0, True)
    assert done.stdout.splitlines()[:-1] == [
        "people.csv: 4 rows",
        "  1 new: 1 active",
        "  1 duplicate row",
        "  2 rejected",
        "ignored columns: name",
    ]
    assert _statuses(letter_site) == {ADA: "active"}


@pytest.mark.usefixtures("databases")
def test_a_report_for_programs_names_every_row(letter_site, feeds):
    """--json prints an object for each message and one for the result; text output names only the first rows."""
    _add(letter_site)
    subscribe.remove_subscriber(letter_site.config, ADA, NOW)
    _file(letter_site, "email,when\nada@example.org,1\n" + "nobody,2\n" * 30)
    done = feeds("subscribers", "import", "people.csv", "--partial", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [{"row": row, "email": "nobody", "refused": lines[0]["refused"]} for row in range(3, 33)]
    assert lines[:-1] == [*refused, {"row": 2, "email": ADA, "kept_out": "is unsubscribed"}]
    assert lines[-1].pop("seconds") >= 0
    assert lines[-1] == {
        "file": "people.csv",
        "tool": "plain",
        "ignored": ["when"],
        "notes": [],
        "rows": 31,
        "added": {},
        "merged": 0,
        "unchanged": 0,
        "left": 0,
        "kept_out": 1,
        "repeated": 0,
        "refused": 30,
        "imported": True,
    }
    expected = feeds("subscribers", "import", "people.csv").stderr.splitlines()
    assert len(expected) == 22
    assert "error: people.csv: and 10 more like these; --json prints all of them" in expected
    assert "warning: people.csv:2: ada@example.org: kept out: is unsubscribed" in expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_may_come_by_standard_input(letter_site, encoding):
    """A file in any encoding can be imported from standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "feeds", "subscribers", "import", "-"],
        input="email\r\nada@example.org\r\n".encode(encoding),
        capture_output=True,
        check=False,
        cwd=letter_site.folder,
    )
    assert done.stdout.startswith(b"standard input: 1 row\n  1 new: 1 active\n"), done.stderr
    assert next(subscribe.list_subscribers(letter_site.config)).source == "standard input"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"PK\3\4", "people.csv: this is a ZIP archive"),
        ("name\nAda\n", "people.csv: no column has addresses"),
        ("", "people.csv: the file is empty"),
        (None, "people.csv: cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_list_is_told_in_words(letter_site, feeds, text, expected):
    """A file that cannot be imported gives an error with its name, and no traceback."""
    if text is not None:
        _file(letter_site, text)
    done = feeds("subscribers", "import", "people.csv")
    assert (done.returncode, done.stderr.startswith(f"error: {expected}")) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_how_far_a_list_is_read_is_told(letter_site):
    """Progress is reported in bytes of the file, then for the import into the store."""
    seen = []
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(5000))
    _import(letter_site, text, progress=lambda *step: seen.append(step))
    assert [what for what, _, _ in seen] == ["Reading people.csv", "Reading people.csv", "Importing"]
    assert 0 < seen[0][1] < seen[1][1] <= seen[1][2] == len(text)
    assert seen[2][1:] == (5000, 0)


def test_lists_and_letters_take_turns(letter_site):
    """An import waits for the lock of the site; a dry run does not need it."""
    number = os.open(letter_site.folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        for act in (lambda: _import(letter_site, "email\n"), lambda: erase_subscriber(letter_site.config, ADA, NOW)):
            with pytest.raises(LockedError):
                act()
        assert _import(letter_site, "email\nada@example.org\n", dry_run=True)[0].counts.added == {"active": 1}
    finally:
        os.close(number)
    assert not (letter_site.folder / ".feeds/feeds.db").exists()


@pytest.mark.usefixtures("databases")
def test_who_was_erased_or_has_left_is_not_brought_back_by_any_list(letter_site):
    """An import never reactivates an erased or unsubscribed address; it reports the row and the reason."""
    for name in ("ada", "bob", "eve"):
        _add(letter_site, f"{name}@example.org")
    own = b"".join(import_subscribers.export_csv(letter_site.config))
    erase_subscriber(letter_site.config, "ada@example.org", NOW)
    subscribe.remove_subscriber(letter_site.config, "bob@example.org", NOW)
    for text in (own, "E-Mail\nAda@example.org\nBOB@example.org\neve@example.org\n"):
        done, messages = _import(letter_site, text)
        assert (done.counts.kept_out, done.counts.unchanged) == (2, 1)
        assert [(r.row, r.email.lower(), r.text) for r in messages] == [
            (2, "ada@example.org", "is on the suppression list"),
            (3, "bob@example.org", "is unsubscribed"),
        ]
    assert _statuses(letter_site) == {"bob@example.org": "unsubscribed", "eve@example.org": "active"}


# Exports ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_lists_are_written_for_any_spreadsheet(letter_site, feeds):
    """An export has Excel's byte order mark, escaped formulas and private file permissions, and can be filtered."""
    letter_site.configure(CONFIG + NEWSLETTER + DAILY)
    _add(letter_site, newsletters=["daily"], topics=["=cmd()"])
    _add(letter_site, "+bob@example.org", ["weekly"])
    done = feeds("subscribers", "export", "people.csv")
    assert (done.returncode, done.stdout) == (0, "")
    content = (letter_site.folder / "people.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfemail,status,newsletters,topics,lang,timezone,consent,created_at\r\n")
    assert b"\r\n'+bob@example.org,active,weekly,," in content
    assert (letter_site.folder / "people.csv").stat().st_mode & 0o777 == 0o600
    assert ADA not in feeds("subscribers", "export", "--newsletter", "weekly").stdout
    assert ADA in feeds("subscribers", "export", "--status", "active").stdout
    assert feeds("subscribers", "export", "--newsletter", "never").returncode == 1
    nowhere = feeds("subscribers", "export", "nowhere/people.csv")
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (1, True)


WORDS = st.text(max_size=20).map(csv_values.to_one_line).filter(bool)
EMAILS = st.sampled_from(
    ["ada@example.org", "Bob+x@example.org", "=1@example.org", "ü@bücher.example", "'@example.org"]
)
TOPICS = st.lists(WORDS, max_size=3).map(tuple)
PEOPLE = st.lists(
    st.builds(
        ImportRow,
        number=st.just(1),
        email=EMAILS,
        key=st.just(""),
        status=st.sampled_from(STATUSES),
        lang=st.sampled_from([None, "ja", "zh-Hans"]),
        timezone=st.sampled_from([None, "Asia/Tokyo"]),
        consent=WORDS,
        created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        subscriptions=st.dictionaries(st.sampled_from(["weekly", "daily"]), TOPICS).map(
            lambda found: tuple(found.items())
        ),
    ),
    max_size=5,
    unique_by=lambda person: person.email,
)


def _new_site(folder):
    site = SampleSite(Path(folder))
    (site.folder / "posts").mkdir()
    site.configure(CONFIG + NEWSLETTER + DAILY)
    return site


@given(PEOPLE)
@example_settings(max_examples=50)
def test_a_list_that_was_given_out_and_taken_in_is_the_same(people):
    """An export that is imported into an empty store and exported again is the same."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        source, target = _new_site(one), _new_site(other)
        with open_store(source.config.store_url, source.folder) as store:
            store.subscriber_import.stage(map(_as_parsed, people))
            store.subscriber_import.commit_import("list.csv", NOW, apply=True)
        exported = b"".join(import_subscribers.export_csv(source.config))
        done, messages = _import(target, exported, now=LATER)
        assert (done.rejected, done.import_format.name, sum(done.counts.added.values())) == (0, "feeds", len(people))
        assert {message.kind for message in messages} <= {"warning"}
        assert b"".join(import_subscribers.export_csv(target.config)) == exported
        again, _ = _import(target, exported, now=LATER)
        assert (again.counts.unchanged, again.counts.added) == (len(people), {})


def _as_parsed(person):
    address = parse_address(person.email)
    return replace(person, email=address.email, key=address.key)


# Erasure ----------------------------------------------------------------------------------------------------------


def _run_and_kill(site, *statements):
    """Run statements in the store in a process that is killed, so that its changes stay in the WAL file."""
    code = "import sqlite3, os, sys\ndb = sqlite3.connect('.feeds/feeds.db', isolation_level=None)\n"
    code += "db.execute('PRAGMA journal_mode = WAL')\nfor statement in sys.argv[1:]: db.execute(statement)\nos._exit(9)"
    done = subprocess.run([sys.executable, "-c", code, *statements], check=False, cwd=site.folder)
    assert (done.returncode, (site.folder / ".feeds/feeds.db-wal").stat().st_size > 0) == (9, True)


def _files_with(site, email):
    """Return the files of a site that have an address in their names or contents."""
    found = site.files(".")
    return sorted(name for name, content in found.items() if email.encode() in (name.encode() + content).lower())


def test_who_is_erased_is_nowhere_in_the_site(letter_site, feeds):
    """An erased address is nowhere in the site's folder: not in free pages of the store, the WAL, outbox or answers."""
    for name in ("Ada", "bob"):
        _add(letter_site, f"{name}@example.org")
    letter_site.publish()
    letter_site.post("second")
    assert feeds("send", "weekly", "--test", "ADA@example.org").returncode == 0
    _run_and_kill(
        letter_site,
        "PRAGMA secure_delete = OFF",
        f"UPDATE deliveries SET state = 'deferred', answer = '450 <{ADA}>' WHERE recipient_key = '{ADA}'",
        f"UPDATE issues SET state = 'sending', halted = '550 about {ADA}'",
        *(f"INSERT INTO retired VALUES ('{ADA} {n}', '2026-01-01')" for n in range(500)),
        "DELETE FROM retired",
    )
    bounce = letter_site.folder / ".feeds/bounces/1.eml"
    bounce.parent.mkdir()
    bounce.write_text(f"Subject: undelivered\n\n<{ADA}> is unknown\n", "utf-8")
    assert _files_with(letter_site, ADA) == [
        ".feeds/bounces/1.eml",
        ".feeds/feeds.db",
        ".feeds/feeds.db-wal",
        ".feeds/outbox/test/weekly/2/ADA@example.org.eml",
        ".feeds/outbox/weekly/1/Ada@example.org.eml",
    ]
    done = feeds("subscribers", "erase", "ada@EXAMPLE.org")
    assert done.stdout.startswith("ada@example.org is erased: a subscriber, 1 delivery, 3 stored messages\n")
    assert _files_with(letter_site, ADA) == []
    assert not (letter_site.folder / ".feeds/feeds.db-wal").exists()
    assert _files_with(letter_site, "bob@example.org") == [
        ".feeds/feeds.db",
        ".feeds/outbox/weekly/1/bob@example.org.eml",
    ]
    assert _statuses(letter_site) == {"bob@example.org": "active"}


def test_nothing_waits_for_who_is_erased(letter_site, feeds):
    """A pending delivery to an erased subscriber fails, and the issue is finished without it."""
    _add(letter_site)
    letter_site.publish()
    letter_site.run_sql(
        "UPDATE deliveries SET state = 'deferred', next_at = '2020-01-01' WHERE subscriber_id IS NOT NULL"
    )
    letter_site.run_sql("UPDATE issues SET state = 'sending'")
    erase_subscriber(letter_site.config, ADA, NOW)
    assert [issue.state for issue in letter_site.publish(LATER).issues] == ["sent"]
    rows = [json.loads(line) for line in feeds("issues", "1", "--recipients", "--json").stdout.splitlines()]
    assert {(one["recipient"], one["state"]) for one in rows} == {
        ("desk@example.com", "sent"),
        ("(erased)", "cancelled"),
    }
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_to_erase_twice_finishes_what_was_begun_and_a_stranger_is_told_as_one(letter_site, feeds):
    """Erasing an address again changes nothing; erasing an unknown address is an error and suppresses nothing."""
    _add(letter_site)
    assert erase_subscriber(letter_site.config, ADA, NOW).was_known
    again = erase_subscriber(letter_site.config, ADA, LATER)
    assert (again.was_known, again.deliveries, again.files) == (False, 0, 0)
    done = feeds("subscribers", "erase", "adda@example.org")
    assert (done.returncode, done.stderr) == (1, "error: nothing is stored about adda@example.org\n")
    assert _add(letter_site, "adda@example.org").status == "active"
    found = subscribe.load_subscriber_data(letter_site.config, ADA)
    assert (found.subscriber, found.suppression.reason) == (None, "erased")
    assert "was never subscribed" in feeds("subscribers", "show", ADA).stdout


def test_the_settings_are_their_owners(letter_site, feeds):
    """`copy_to` addresses get copies even if they are suppressed or erased; a warning says so."""
    desk = "desk@example.com"
    subscribe.suppress_address(letter_site.config, desk, NOW)
    letter_site.publish()
    assert letter_site.letters() == [f"weekly/1/{desk}.eml"]
    done = feeds("subscribers", "erase", desk)
    assert (
        done.returncode,
        f"warning: weekly still sends copies to {desk}: remove it from copy_to in the config" in done.stderr,
    ) == (
        0,
        True,
    )


def test_the_list_of_those_who_must_not_be_written_to_is_steered_by_hand(letter_site, feeds):
    """`suppress` and `suppress --undo` report what has changed."""
    lines = [
        feeds("subscribers", "suppress", *words).stdout for words in ([ADA], [ADA], [ADA, "--undo"], [ADA, "--undo"])
    ]
    assert lines == [
        f"{ADA} is suppressed: it gets no mail\n",
        f"{ADA} was suppressed already: it gets no mail\n",
        f"{ADA} is no longer suppressed\n",
        f"{ADA} was not suppressed\n",
    ]
    assert feeds("subscribers", "add", "info@example.org").stderr == (
        "warning: info@example.org: info@ is a role address, not a person\n"
    )


# Lists of other programs ------------------------------------------------------------------------------------------


def test_a_list_of_another_program_brings_nobody_back(letter_site):
    """An active subscriber who is gone in the program that a list comes from is gone here, and gets no letter."""
    _add(letter_site)
    _add(letter_site, "bo@example.org")
    text = (
        "email_address,first_name,state,created_at\nada@example.org,A,cancelled,2025-01-01\nbo@example.org,B,active,\n"
    )
    report, _ = _import(letter_site, text)
    assert (report.import_format.name, report.counts.newly_gone) == ("kit", 1)
    assert _statuses(letter_site) == {ADA: "unsubscribed", "bo@example.org": "active"}


def test_a_column_that_is_not_understood_stops_the_import(letter_site, feeds):
    """A column that may say who has left stops the import with its name, until it is ignored by option."""
    _file(letter_site, "email,Bounce class\nada@example.org,7\n")
    found = feeds("subscribers", "import", "people.csv")
    assert found.returncode == 1
    assert "people.csv: the meaning of the column 'Bounce class' is not known" in found.stderr
    assert found.stderr.count("\n") == 1
    assert _statuses(letter_site) == {}
    assert feeds("subscribers", "import", "people.csv", "--ignore-column", "bounce class").returncode == 0
    assert _statuses(letter_site) == {ADA: "active"}


def test_a_list_of_bounces_is_imported_as_such(letter_site, feeds):
    """With `--status`, everybody on a list without a status has it, who is a subscriber or not."""
    _add(letter_site)
    _file(letter_site, "email,created\nada@example.org,1740823200\nbo@example.org,1740823200\n", "bounces.csv")
    refused = feeds("subscribers", "import", "bounces.csv")
    assert (refused.returncode, "add --status unsubscribed" in refused.stderr) == (1, True)
    assert feeds("subscribers", "import", "bounces.csv", "--status", "bounced").returncode == 0
    assert _statuses(letter_site) == {ADA: "bounced", "bo@example.org": "bounced"}
