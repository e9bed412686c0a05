"""Corrections: they are sent to the recipients of an issue, and to no others."""

import json
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy

import feedparser
import pytest

from feeds.edges.mail.smtp import sender
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import correct, resume, retract, status
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked
from tests.mailing import Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import Fault, SmtpServer, at
from tests.validity.atom import atom_faults, updated_faults
from tests.validity.jsonfeed import json_faults
from tests.validity.rss import rss_faults

HERE = "public/newsletters/weekly"
TEXT = "We gave **12** as the number of plates. It is 21: [the table](/table), see <https://example.com/x>.\n"
A, B, C, D, E, *_ = EVERYBODY = addresses(10)
LATER = NOW + timedelta(hours=3)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """The sender waits only for hundredths of a second before it connects again."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))


@pytest.fixture
def mailing(letter_site):
    """A weekly newsletter with ten subscribers, sent through a server."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure()
        join(letter_site.folder, EVERYBODY)
        yield found


def write_correction(site, text=TEXT):
    file = site.folder / "correction.md"
    file.write_text(text, "utf-8")
    return file


def send_correction(site, number=1, text=TEXT, at=LATER, **given):
    return correct.send_correction(site.config, "weekly", number, write_correction(site, text), *asked(at, **given))


def sql(site, statement):
    return site.run_sql(statement)


def message(site, path):
    return message_from_bytes((site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)


def issues(site):
    with open_store(site.config.store_url, site.folder) as store:
        return store.issues.load_issues()


def send_externally(site, more=""):
    """Configure a command that could send to anybody, and refuses every message for now."""
    command = site.folder / "later"
    command.write_text("#!/bin/sh\nexit 75\n", "utf-8")
    command.chmod(0o755)
    for name in ("new", "cur", "tmp"):
        (site.folder / "b" / name).mkdir(parents=True, exist_ok=True)
    mail = f'transport = "sendmail"\nsendmail = "{command}"\n'
    mail += '[mail.bounces]\naddress = "b@example.com"\nmailbox = "maildir:b"\n'
    world = CONFIG.replace("https://example.com/", "https://letters.example.museum/")
    config = f"{world}[publish]\nwait_for_site = false\n{more}{NEWSLETTER}{mail}"
    site.configure(config.replace("@example.com", "@letters.example.museum"))
    sql(site, "UPDATE deliveries SET recipient_key = replace(recipient_key, '@example.com', '@letters.example.museum')")


def recipients(mailing, number=2):
    return {one.recipient for one in status.issue_recipients(mailing.site.config, "weekly", number)}


# Recipients --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_correction_goes_to_the_recipients_of_the_issue(mailing):
    """A correction goes to subscribers who got the issue, unless they were unsubscribed, paused or suppressed since."""
    mailing.server.rule = lambda step: "550 5.1.1 no such user" if step.stage == "rcpt" and A in step.words else None
    mailing.publish()
    mailing.server.rule = at("rcpt", None)
    mailing.server.accepted.clear()
    config = mailing.site.config
    join(mailing.site.folder, ["new@example.org"])
    subscribe.remove_subscriber(config, B, NOW)
    subscribe.suppress_address(config, C, NOW)
    sql(
        mailing.site,
        f"DELETE FROM subscriptions WHERE subscriber_id = (SELECT id FROM subscribers WHERE email = '{D}')",
    )
    pause = f"SELECT id, '2026-12-24 00:00:00.000000' FROM subscribers WHERE email = '{E}'"
    sql(mailing.site, f"INSERT INTO pauses (subscriber_id, until) {pause}")
    assert [i.recipients for i in send_correction(mailing.site, dry_run=True).issues] == [5]
    report = send_correction(mailing.site)
    assert [(i.number, i.posts, i.recipients, i.state) for i in report.issues] == [(2, 0, 5, "sent")]
    assert mailing.server.counts() == Counter(EVERYBODY[5:])


@pytest.mark.usefixtures("databases")
def test_a_delivery_that_may_have_arrived_is_corrected_too(mailing):
    """Deliveries that may have arrived get the correction; those that were only deferred do not."""
    mailing.configure(mail='on_unknown = "hold"\n')

    def rule(step):
        if step.stage == "rcpt" and D in step.words:
            return "451 4.3.0 later"
        return Fault.KEEP_AND_HANG_UP if step.stage == "content" and step.before == 2 else None

    mailing.server.rule = rule
    mailing.publish()
    assert mailing.states() == {"sent": 8, "unknown": 1, "deferred": 1}
    mailing.server.rule = at("rcpt", None)
    retract.retract_issue(mailing.site.config, "weekly", 1, "", mailing.context())
    assert mailing.states() == {"sent": 8, "cancelled": 2}
    send_correction(mailing.site)
    assert recipients(mailing) == set(EVERYBODY) - {D}


@pytest.mark.usefixtures("databases")
def test_a_message_in_flight_when_the_issue_was_retracted_is_corrected_too(mailing):
    """A message that was in flight when the issue was retracted gets the correction; a leased one does not."""
    mailing.publish()
    sql(mailing.site, f"UPDATE deliveries SET state = 'handing_over' WHERE recipient = '{A}'")
    sql(mailing.site, f"UPDATE deliveries SET state = 'leased' WHERE recipient = '{B}'")
    sql(mailing.site, "UPDATE issues SET state = 'sending'")
    retract.retract_issue(mailing.site.config, "weekly", 1, "", mailing.context())
    send_correction(mailing.site)
    assert recipients(mailing) == set(EVERYBODY) - {B}


def test_an_issue_that_is_being_sent_is_not_corrected_yet(mailing):
    """An issue that is still being sent cannot be corrected until it is finished or cancelled."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before > 3 else None
    mailing.publish()
    with pytest.raises(FeedsError, match="weekly 1 is still being sent: 6 more recipients would get it without"):
        send_correction(mailing.site)
    resume.cancel_issue(mailing.site.config, "weekly")
    mailing.server.rule = at("rcpt", None)
    send_correction(mailing.site)
    assert recipients(mailing) == set(EVERYBODY[:4])


@pytest.mark.usefixtures("databases")
def test_copies_that_got_it_get_the_correction_once(letter_site):
    """`copy_to` addresses that got the issue get one letter each; an address that was added later gets none."""
    letter_site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', '"desk@example.com", "ada@example.org"]'))
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    letter_site.publish()
    more = '"desk@example.com", "ada@example.org", "boss@example.com"]'
    letter_site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', more))
    assert [i.recipients for i in send_correction(letter_site).issues] == [2]
    assert letter_site.letters()[2:] == ["weekly/2/ada@example.org.eml", "weekly/2/desk@example.com.eml"]
    assert message(letter_site, "weekly/2/ada@example.org.eml")["List-Unsubscribe"]
    assert message(letter_site, "weekly/2/desk@example.com.eml")["List-Unsubscribe"] is None


@pytest.mark.usefixtures("databases")
def test_topics_do_not_matter_for_a_correction(letter_site):
    """All who got the issue get the same correction, whatever their topics."""
    letter_site.post("cats", categories="[Cats]")
    for name, topics in {"c": ["Cats"], "d": ["Dogs"], "n": []}.items():
        subscribe.add_subscriber(
            letter_site.config, f"{name}@example.org", [], topics=topics, lang=None, now=NOW, again=False
        )
    letter_site.publish()
    send_correction(letter_site)
    assert {name for name in letter_site.letters() if name.startswith("weekly/2/")} == {
        f"weekly/2/{name}.eml" for name in ("c@example.org", "n@example.org", "desk@example.com")
    }
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert len(store.issues.load_letters(2)) == 2  # one of them is for copies


def test_a_correction_without_recipients_is_refused(mailing):
    """If no recipient of the issue still gets letters, the correction is refused and nothing is frozen."""
    mailing.publish()
    for reader in EVERYBODY:
        subscribe.remove_subscriber(mailing.site.config, reader, NOW)
    with pytest.raises(FeedsError, match="none of the recipients of weekly 1 still gets letters"):
        send_correction(mailing.site)
    assert len(issues(mailing.site)) == 1


# Sending -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_the_same_text_is_sent_once(mailing):
    """The same text is refused as a second correction, even while the first is being sent; another text is accepted."""
    mailing.publish()
    mailing.server.accepted.clear()
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    assert send_correction(mailing.site).exit_code == 3
    with pytest.raises(FeedsError, match=r"correction\.md: was already sent as a correction of weekly 1"):
        send_correction(mailing.site, at=LATER + timedelta(minutes=1))
    mailing.server.rule = at("rcpt", None)
    send_correction(mailing.site, text="And 22.\n", at=LATER + timedelta(hours=1))
    assert mailing.server.counts() == Counter(dict.fromkeys(EVERYBODY, 2))
    assert [(i.number, i.corrects) for i in issues(mailing.site)] == [(1, None), (2, 1), (3, 1)]


def test_a_stopped_sender_loses_and_doubles_no_letter(mailing):
    """After a stop, the next publish sends the rest to the frozen recipients, each once."""
    mailing.publish()
    mailing.server.accepted.clear()
    send_correction(mailing.site, stopping=lambda: len(mailing.server.accepted) >= 4)
    assert 0 < len(mailing.server.accepted) < 10
    join(mailing.site.folder, ["new@example.org"])
    mailing.at = LATER + timedelta(hours=1)
    assert mailing.publish().exit_code == 0
    assert mailing.server.counts() == Counter(EVERYBODY)
    assert [(i.state, i.sent) for i in issues(mailing.site)] == [("sent", 10), ("sent", 10)]


@pytest.mark.usefixtures("databases")
def test_it_uses_up_no_slot_and_announces_nothing(letter_site):
    """A correction uses no slot: an issue that is due at the same time is sent with the new posts."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    due = NOW + timedelta(days=7)
    report = send_correction(letter_site, at=due)
    assert [(i.number, i.posts, i.state) for i in report.issues] == [(3, 1, "sent"), (2, 0, "sent")]
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert store.issues.last_issue("weekly") == (due.replace(hour=8), 3)
    assert letter_site.publish(due + timedelta(hours=1)).issues == []


def test_two_issues_cannot_have_the_same_time(letter_site):
    """A second correction at the same time as the first is refused, and nothing of it is stored."""
    letter_site.publish()
    send_correction(letter_site)
    with pytest.raises(FeedsError, match="another issue of weekly was frozen at the same moment; try again"):
        send_correction(letter_site, text="Other words.\n")
    assert len(issues(letter_site)) == 2


def test_sending_externally_needs_a_confirmation(letter_site):
    """A correction is sent externally only after a yes at the terminal, or with `--yes` where there is none."""
    letter_site.publish()
    send_externally(letter_site)
    sql(letter_site, "UPDATE issues SET transport = 'sendmail'")
    with pytest.raises(FeedsError, match="weekly 2 is not sent: it would be sent outside the schedule"):
        send_correction(letter_site)
    questions = []
    assert send_correction(letter_site, confirm=questions.append) is None
    assert questions[0].splitlines() == [
        "weekly 2, “Correction: first”: a note to 1 recipient",
        "It would be sent outside the schedule.",
        "Send it?",
    ]
    assert len(issues(letter_site)) == 1
    assert [i.state for i in send_correction(letter_site, yes=True).issues] == ["sending"]


def test_a_confirmed_correction_does_not_confirm_other_issues(letter_site):
    """Consent to a correction is not consent to another issue that is due: the person is asked again."""
    letter_site.publish()
    daily = '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\ncopy_to = ["desk@example.com"]\n'
    send_externally(letter_site, daily)
    questions = []
    report = send_correction(letter_site, yes=True, confirm=questions.append)
    assert [(i.newsletter, i.state) for i in report.issues] == [("weekly", "sending")]
    assert [question.partition(",")[0] for question in questions] == ["daily 1"]


def test_an_old_database_sends_no_correction(letter_site):
    """If `public/` has a later issue than the database, a correction is refused."""
    letter_site.publish()
    with SmtpServer() as server:
        Mailing(letter_site, server).configure()
        sql(letter_site, "UPDATE deliveries SET subscriber_id = NULL")
        join(letter_site.folder, [A])
        sql(letter_site, f"UPDATE deliveries SET subscriber_id = (SELECT id FROM subscribers WHERE email = '{A}')")
        page = letter_site.folder / HERE / "7" / "index.html"
        page.parent.mkdir()
        page.write_text("<html></html>", "utf-8")
        with pytest.raises(FeedsError, match="public/newsletters/ contains issue 7"):
            send_correction(letter_site)


# The content -------------------------------------------------------------------------------------------------------

BY_LANGUAGE = {
    None: ("Correction: first", "This corrects No. 1 of November 23, 2026:"),
    "ja": ("訂正：first", "2026年11月23日の第1号に訂正があります。もとの号："),
    "de": ("Berichtigung: first", "Dieser Brief berichtigt Nr. 1 vom 23. November 2026:"),
    "ar": ("تصحيح: first", "هذا تصحيح لما ورد في العدد 1 بتاريخ 23 نوفمبر 2026:"),
}


@pytest.mark.parametrize("template", ["digest", "letter"])
def test_a_correction_is_in_the_subscribers_language(letter_site, template):
    """Subject, frame and link to the issue are in the subscriber's language; the editor's text is not translated."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", f'template = "{template}"\ncopy_to'))
    for lang in BY_LANGUAGE:
        subscribe.add_subscriber(letter_site.config, f"{lang}@example.org", [], lang=lang, now=NOW, again=False)
    letter_site.publish()
    send_correction(letter_site)
    for lang, (subject, reference) in BY_LANGUAGE.items():
        found = message(letter_site, f"weekly/2/{lang}@example.org.eml")
        assert found["Subject"] == subject
        text, html = (part.get_content() for part in found.iter_parts())
        assert all(words in text for words in (subject, "https://example.com/newsletters/weekly/1/"))
        assert reference in text.replace("\n", "")
        assert reference in html
        assert '<a class="c" dir="auto" href="https://example.com/newsletters/weekly/1/"' in html
        assert "<strong>12</strong>" in html
        assert 'href="https://example.com/table"' in html
        flowed = " ".join(text.split())
        assert "It is 21: the table [1], see https://example.com/x." in flowed
        assert "[1] https://example.com/table" in flowed
        assert 'opacity:0;mso-hide:all">We gave 12 as the number of plates. It is 21: the table, see' in html
        assert f'lang="{lang or "en"}" dir="{"rtl" if lang == "ar" else "ltr"}"' in html


def test_an_editor_may_give_it_a_subject(letter_site):
    """A note may set the subject; a note that names posts, has no text, an unknown key or too much text is refused."""
    letter_site.publish()
    send_correction(letter_site, text="---\nsubject: Sorry\n---\nWrong.\n")
    assert message(letter_site, "weekly/2/desk@example.com.eml")["Subject"] == "Sorry"
    for text, reason in {
        "---\npin: first\n---\nx\n": "a correction has no posts",
        "---\nsubject: x\n---\n\n": "has no text below its front matter",
        "---\ncolour: x\n---\nx\n": "unknown key; a note has subject, pin and skip",
        "x " * 60_000: "is too large",
    }.items():
        with pytest.raises(PostError, match=reason):
            send_correction(letter_site, text=text)
    with pytest.raises(FeedsError, match="is too long: mail programs would cut off the letter"):
        send_correction(letter_site, text="[a](/b) " * 4_000)


def test_the_pages_link_to_each_other(letter_site):
    """The issue's page links to its correction in a notice, and back; retracting the correction removes the notice."""
    letter_site.publish()
    send_correction(letter_site)
    first, second = (letter_site.read(f"{HERE}/{number}/index.html") for number in (1, 2))
    notice = first[first.index("<aside") : first.index("</aside>")]
    assert "There is a correction to this issue:" in notice
    assert 'href="https://example.com/newsletters/weekly/2/"><bdi>Correction: first</bdi></a>' in notice
    assert "retracted" not in notice
    assert '<a href="https://example.com/newsletters/weekly/1/"><bdi>first</bdi></a>' in second
    assert ("<aside" in second, "mailto:" in second) == (False, False)
    assert "Correction: first" in letter_site.read(f"{HERE}/index.html")
    before = letter_site.read(f"{HERE}/1/index.html")
    context = Context(clock=lambda: LATER)
    retract.retract_issue(letter_site.config, "weekly", 2, "", context)
    assert "<aside" not in letter_site.read(f"{HERE}/1/index.html")
    retract.undo_retraction(letter_site.config, "weekly", 2, context)
    assert letter_site.read(f"{HERE}/1/index.html") == before


def test_feeds_contain_a_correction(letter_site):
    """A correction is a new entry, sanitised and valid; the issue's entry links to it and is not updated."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('["atom"]', '["atom", "rss", "json"]'))
    letter_site.publish()
    send_correction(letter_site, text=f"{TEXT}\n<script>alert(1)</script>\n")
    atom, rss, feed = (letter_site.folder / HERE / name for name in ("atom.xml", "rss.xml", "feed.json"))
    assert atom_faults(atom.read_bytes()) + updated_faults(atom.read_bytes()) == []
    assert rss_faults(rss.read_bytes()) + json_faults(feed.read_bytes()) == []
    correction, issue = feedparser.parse(atom.read_text("utf-8")).entries
    assert (correction.title, issue.title) == ("Correction: first", "first")
    assert issue.updated == "2026-11-23T08:00:00+00:00"
    assert "/newsletters/weekly/2/" in issue.content[0].value
    [html, _] = [item["content_html"] for item in json.loads(feed.read_text("utf-8"))["items"]]
    assert "<strong>12</strong>" in html
    assert '<a href="https://example.com/newsletters/weekly/1/">first</a>' in html
    assert ("script" in html, "feeds:" in html) == (False, False)


def test_without_an_archive_the_issue_is_only_named(letter_site):
    """Without an archive, a correction names the issue without a link."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'archive = "off"\ncopy_to'))
    letter_site.publish()
    send_correction(letter_site)
    for part in message(letter_site, "weekly/2/desk@example.com.eml").iter_parts():
        assert ("This corrects No. 1" in part.get_content(), "/newsletters/" in part.get_content()) == (True, False)


def test_the_command_reports_a_correction(letter_site, feeds):
    """A dry run reports the number of recipients and freezes nothing; afterwards all commands report the correction."""
    letter_site.publish()
    write_correction(letter_site)
    words = ("correct", "weekly", "1", "correction.md")
    done = feeds(*words, "--dry-run")
    assert done.stdout == "weekly 2, a correction of 1, would go to 1 recipient\n"
    due = {"newsletter": "weekly", "number": 2, "corrects": 1, "recipients": 1, "state": "due"}
    assert json.loads(feeds(*words, "--dry-run", "--json").stdout) == due
    assert len(issues(letter_site)) == 1
    done = feeds(*words, "--yes")
    assert (done.returncode, "weekly 2: a note to 1 recipient, sent" in done.stdout) == (0, True)
    assert "\tsent, corrects 1\t" in feeds("issues").stdout
    assert "  corrects weekly 1\n" in feeds("status").stdout
    assert json.loads(feeds("issues", "--json").stdout.splitlines()[1])["corrects"] == 1
    assert feeds(*words).returncode == 1
    assert feeds("correct", "weekly", "1", "nowhere.md").returncode == 2
