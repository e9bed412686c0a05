"""A correction: those who got an issue are told what was wrong in it, and nobody else."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
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
from tests.mailing import URL, Mailing, addresses
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
def hurry(monkeypatch):
    """Nothing here waits long for a server that is away."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))


@pytest.fixture
def mailing(letter_site):
    """A weekly letter to ten readers, through a server."""
    with SmtpServer() as server:
        found = Mailing(letter_site, server)
        found.configure()
        join(letter_site.folder, EVERYBODY)
        yield found


def written(site, text=TEXT):
    file = site.folder / "correction.md"
    file.write_text(text, "utf-8")
    return file


def corrected(site, number=1, text=TEXT, at=LATER, **given):
    return correct.send_correction(site.config, "weekly", number, written(site, text), *asked(at, **given))


def sql(site, statement):
    with closing(sqlite3.connect(site.folder / "feeds.db")) as db, db:
        return db.execute(statement).fetchall()


def message(site, path):
    return message_from_bytes((site.folder / "outbox" / path).read_bytes(), policy=policy.default)


def issues(site):
    with open_store(URL, site.folder) as store:
        return store.issues.load_issues()


def to_the_world(site, more=""):
    """From now on mail leaves this machine, or would if anything listened there."""
    smtp = 'transport = "smtp"\n[mail.smtp]\nport = 9\n'
    smtp += '[mail.bounces]\naddress = "b@example.com"\nmailbox = "maildir:b"\n'
    world = CONFIG.replace("https://example.com/", "https://letters.example.museum/")
    site.configure(f"{world}[publish]\nwait_for_site = false\n{more}{NEWSLETTER}{smtp}")


def got(mailing, number=2):
    return {one.recipient for one in status.issue_recipients(mailing.site.config, "weekly", number)}


# Who gets it -------------------------------------------------------------------------------------------------------


def test_exactly_those_who_got_the_issue_get_its_correction(mailing):
    """Not who was refused, not who has come since, not who has left, paused, bounced or been suppressed since."""
    mailing.server.rule = lambda step: "550 5.1.1 nobody" if step.stage == "rcpt" and A in step.words else None
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
    assert [i.recipients for i in corrected(mailing.site, dry_run=True).issues] == [5]
    report = corrected(mailing.site)
    assert [(i.number, i.posts, i.recipients, i.state) for i in report.issues] == [(2, 0, 5, "sent")]
    assert mailing.server.counts() == Counter(EVERYBODY[5:])


def test_what_may_have_arrived_is_corrected_too(mailing):
    """Held, or ended when nobody knew; what was only tried is not."""
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
    assert mailing.states() == {"sent": 8, "failed": 2}
    corrected(mailing.site)
    assert got(mailing) == set(EVERYBODY) - {D}


def test_what_was_on_the_wire_when_it_was_taken_back_is_corrected_too(mailing):
    """Its sender was killed before the answer came."""
    mailing.publish()
    sql(mailing.site, f"UPDATE deliveries SET state = 'handing_over' WHERE recipient = '{A}'")
    sql(mailing.site, f"UPDATE deliveries SET state = 'leased' WHERE recipient = '{B}'")
    sql(mailing.site, "UPDATE issues SET state = 'sending'")
    retract.retract_issue(mailing.site.config, "weekly", 1, "", mailing.context())
    corrected(mailing.site)
    assert got(mailing) == set(EVERYBODY) - {B}


def test_an_issue_that_is_on_its_way_is_not_corrected_yet(mailing):
    """Who gets it afterwards would not be told: it is waited for, or ended."""
    mailing.server.rule = lambda step: "451 4.3.0 later" if step.stage == "rcpt" and step.before > 3 else None
    mailing.publish()
    with pytest.raises(FeedsError, match="weekly 1 is still on its way to 6, who would not get the correction"):
        corrected(mailing.site)
    resume.cancel_issue(mailing.site.config, "weekly")
    mailing.server.rule = at("rcpt", None)
    corrected(mailing.site)
    assert got(mailing) == set(EVERYBODY[:4])


def test_copies_that_got_it_get_the_correction_once(letter_site):
    """A copy that has come since gets none; one that is a reader as well gets the reader's."""
    letter_site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', '"desk@example.com", "ada@example.org"]'))
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    letter_site.publish()
    more = '"desk@example.com", "ada@example.org", "boss@example.com"]'
    letter_site.configure(CONFIG + NEWSLETTER.replace('"desk@example.com"]', more))
    assert [i.recipients for i in corrected(letter_site).issues] == [2]
    assert letter_site.letters()[2:] == ["weekly/2/ada@example.org.eml", "weekly/2/desk@example.com.eml"]
    assert message(letter_site, "weekly/2/ada@example.org.eml")["List-Unsubscribe"]
    assert message(letter_site, "weekly/2/desk@example.com.eml")["List-Unsubscribe"] is None


def test_topics_keep_nobody_from_a_correction(letter_site):
    """Who got the issue is told, whatever of it they had asked for."""
    letter_site.post("cats", categories="[Cats]")
    for name, topics in {"c": ["Cats"], "d": ["Dogs"], "n": []}.items():
        subscribe.add_subscriber(
            letter_site.config, f"{name}@example.org", [], topics=topics, lang=None, now=NOW, again=False
        )
    letter_site.publish()
    corrected(letter_site)
    assert {name for name in letter_site.letters() if name.startswith("weekly/2/")} == {
        f"weekly/2/{name}.eml" for name in ("c@example.org", "n@example.org", "desk@example.com")
    }
    with open_store(URL, letter_site.folder) as store:
        assert len(store.issues.load_letters(2)) == 1


def test_where_nobody_is_left_there_is_no_correction(mailing):
    """Nothing is frozen."""
    mailing.publish()
    for reader in EVERYBODY:
        subscribe.remove_subscriber(mailing.site.config, reader, NOW)
    with pytest.raises(FeedsError, match="nobody who got weekly 1 is left to be told"):
        corrected(mailing.site)
    assert len(issues(mailing.site)) == 1


# Sent as any issue -------------------------------------------------------------------------------------------------


def test_the_same_words_are_sent_once(mailing):
    """Twice is refused, also while the first is on its way; other words are another correction."""
    mailing.publish()
    mailing.server.accepted.clear()
    mailing.server.rule = at("rcpt", "451 4.3.0 later")
    assert corrected(mailing.site).exit_code == 3
    with pytest.raises(FeedsError, match=r"correction\.md: was sent already as a correction of weekly 1"):
        corrected(mailing.site, at=LATER + timedelta(minutes=1))
    mailing.server.rule = at("rcpt", None)
    corrected(mailing.site, text="And 22.\n", at=LATER + timedelta(hours=1))
    assert mailing.server.counts() == Counter(dict.fromkeys(EVERYBODY, 2))
    assert [(i.number, i.corrects) for i in issues(mailing.site)] == [(1, None), (2, 1), (3, 1)]


def test_a_sender_that_is_stopped_loses_nobody_and_doubles_nobody(mailing):
    """The next publish goes on where it was; those to whom it was to go stay those, whoever has come since."""
    mailing.publish()
    mailing.server.accepted.clear()
    corrected(mailing.site, stopping=lambda: len(mailing.server.accepted) >= 4)
    assert 0 < len(mailing.server.accepted) < 10
    join(mailing.site.folder, ["new@example.org"])
    mailing.at = LATER + timedelta(hours=1)
    assert mailing.publish().exit_code == 0
    assert mailing.server.counts() == Counter(EVERYBODY)
    assert [(i.state, i.sent) for i in issues(mailing.site)] == [("sent", 10), ("sent", 10)]


def test_it_uses_up_no_slot_and_announces_nothing(letter_site):
    """The issue that was due at the moment of the correction still goes out, with the posts that are new."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    due = NOW + timedelta(days=7)
    report = corrected(letter_site, at=due)
    assert [(i.number, i.posts, i.state) for i in report.issues] == [(3, 1, "sent"), (2, 0, "sent")]
    with open_store(URL, letter_site.folder) as store:
        assert store.issues.last_issue("weekly") == (due.replace(hour=8), 3)
    assert letter_site.publish(due + timedelta(hours=1)).issues == []


def test_two_issues_of_one_moment_are_none(letter_site):
    """A moment is one issue's: whoever is second is told to try again, and nothing of it is kept."""
    letter_site.publish()
    corrected(letter_site)
    with pytest.raises(FeedsError, match="another issue of weekly went out at this very moment; try again"):
        corrected(letter_site, text="Other words.\n")
    assert len(issues(letter_site)) == 2


def test_somebody_must_say_yes_before_it_leaves_this_machine(letter_site):
    """At a terminal it is asked, with the number of readers; without one `--yes` is wanted; no is no."""
    letter_site.publish()
    to_the_world(letter_site)
    sql(letter_site, "UPDATE issues SET transport = 'smtp'")
    with pytest.raises(FeedsError, match="weekly 2 would go out of turn; `feeds correct --yes` sends it"):
        corrected(letter_site)
    questions = []
    assert corrected(letter_site, confirm=questions.append) is None
    assert questions == ["Send weekly 2 to 1 recipients, which would go out of turn?"]
    assert len(issues(letter_site)) == 1
    assert [i.state for i in corrected(letter_site, yes=True).issues] == ["sending"]


def test_a_yes_to_a_correction_is_none_to_what_else_is_due(letter_site):
    """An issue that nobody agreed to send is told of, as by any publish without a terminal."""
    letter_site.publish()
    daily = '[[newsletters]]\nname = "daily"\nschedule = "0 7 * * *"\ncopy_to = ["desk@example.com"]\n'
    to_the_world(letter_site, daily)
    questions = []
    report = corrected(letter_site, yes=True, confirm=questions.append)
    assert [(i.newsletter, i.state) for i in report.issues] == [("weekly", "sending")]
    assert [question.split(" to ")[0] for question in questions] == ["Send daily 1"]


def test_a_store_that_is_older_than_what_was_sent_corrects_nothing(letter_site):
    """What lies in `public/` says so."""
    letter_site.publish()
    with SmtpServer() as server:
        Mailing(letter_site, server).configure()
        sql(letter_site, "UPDATE deliveries SET subscriber_id = NULL")
        join(letter_site.folder, [A])
        sql(letter_site, f"UPDATE deliveries SET subscriber_id = (SELECT id FROM subscribers WHERE email = '{A}')")
        page = letter_site.folder / HERE / "7" / "index.html"
        page.parent.mkdir()
        page.write_text("<html></html>", "utf-8")
        with pytest.raises(FeedsError, match="issue 7 lies in public/newsletters/"):
            corrected(letter_site)


# What it says ------------------------------------------------------------------------------------------------------

SAYS = {
    None: ("Correction: first", "This corrects No. 1 of November 23, 2026:"),
    "ja": ("訂正：first", "2026年11月23日の第1号に訂正があります。もとの号："),
    "de": ("Berichtigung: first", "Dieser Brief berichtigt Nr. 1 vom 23. November 2026:"),
    "ar": ("تصحيح: first", "هذا تصحيح لما ورد في العدد 1 بتاريخ 23 نوفمبر 2026:"),
}


@pytest.mark.parametrize("template", ["digest", "letter"])
def test_each_reader_is_told_in_their_language(letter_site, template):
    """Subject, frame and the way back to the issue, in both parts; the editor's words are what they are."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", f'template = "{template}"\ncopy_to'))
    for lang in SAYS:
        subscribe.add_subscriber(letter_site.config, f"{lang}@example.org", [], lang=lang, now=NOW, again=False)
    letter_site.publish()
    corrected(letter_site)
    for lang, (subject, says) in SAYS.items():
        found = message(letter_site, f"weekly/2/{lang}@example.org.eml")
        assert found["Subject"] == subject
        text, html = (part.get_content() for part in found.iter_parts())
        assert all(words in text for words in (subject, "https://example.com/newsletters/weekly/1/"))
        assert says in text.replace("\n", "")
        assert says in html
        assert '<a class="c" dir="auto" href="https://example.com/newsletters/weekly/1/"' in html
        assert "<strong>12</strong>" in html
        assert 'href="https://example.com/table"' in html
        flowed = " ".join(text.split())
        assert "It is 21: the table <https://example.com/table>, see https://example.com/x." in flowed
        assert 'opacity:0;mso-hide:all">We gave 12 as the number of plates. It is 21: the table, see' in html
        assert f'lang="{lang or "en"}" dir="{"rtl" if lang == "ar" else "ltr"}"' in html


def test_an_editor_may_give_it_a_subject(letter_site):
    """Then it is that for everybody; what names posts, says nothing or is none of a note's is refused."""
    letter_site.publish()
    corrected(letter_site, text="---\nsubject: Sorry\n---\nWrong.\n")
    assert message(letter_site, "weekly/2/desk@example.com.eml")["Subject"] == "Sorry"
    for text, reason in {
        "---\npin: first\n---\nx\n": "a correction tells of no posts",
        "---\nsubject: x\n---\n\n": "says nothing below its front matter",
        "---\ncolour: x\n---\nx\n": "unknown key; a note has subject, pin and skip",
        "x " * 60_000: "is too large",
    }.items():
        with pytest.raises(PostError, match=reason):
            corrected(letter_site, text=text)
    with pytest.raises(FeedsError, match="is longer than mail programs show"):
        corrected(letter_site, text="[a](/b) " * 4_000)


def test_the_pages_lead_to_each_other(letter_site):
    """A notice on top of the corrected issue, a link in its correction; to one that is taken back none."""
    letter_site.publish()
    corrected(letter_site)
    first, second = (letter_site.read(f"{HERE}/{number}/index.html") for number in (1, 2))
    notice = first[first.index("<aside") : first.index("</aside>")]
    assert "There is a correction to this issue:" in notice
    assert 'href="https://example.com/newsletters/weekly/2/">Correction: first</a>' in notice
    assert "retracted" not in notice
    assert '<a class="c" dir="auto" href="https://example.com/newsletters/weekly/1/"' in second
    assert ("<aside" in second, "mailto:" in second) == (False, False)
    assert "Correction: first" in letter_site.read(f"{HERE}/index.html")
    before = letter_site.read(f"{HERE}/1/index.html")
    context = Context(clock=lambda: LATER)
    retract.retract_issue(letter_site.config, "weekly", 2, "", context)
    assert "<aside" not in letter_site.read(f"{HERE}/1/index.html")
    retract.undo_retraction(letter_site.config, "weekly", 2, context)
    assert letter_site.read(f"{HERE}/1/index.html") == before


def test_feeds_tell_of_a_correction(letter_site):
    """An entry of its own with the editor's words, safe; that of the issue leads to it and is no news. All valid."""
    letter_site.configure((CONFIG + NEWSLETTER).replace('["atom"]', '["atom", "rss", "json"]'))
    letter_site.publish()
    corrected(letter_site, text=f"{TEXT}\n<script>alert(1)</script>\n")
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
    """There is no page to lead to."""
    letter_site.configure((CONFIG + NEWSLETTER).replace("copy_to", 'archive = "off"\ncopy_to'))
    letter_site.publish()
    corrected(letter_site)
    for part in message(letter_site, "weekly/2/desk@example.com.eml").iter_parts():
        assert ("This corrects No. 1" in part.get_content(), "/newsletters/" in part.get_content()) == (True, False)


def test_the_command_says_how_many_would_get_it(letter_site, feeds):
    """A dry run freezes nothing; then it is sent, and told for people and programs."""
    letter_site.publish()
    written(letter_site)
    words = ("correct", "weekly", "1", "correction.md")
    done = feeds(*words, "--dry-run")
    assert done.stdout == "weekly 2, a correction of 1, would go to 1 recipients\n"
    due = {"newsletter": "weekly", "number": 2, "corrects": 1, "recipients": 1, "state": "due"}
    assert json.loads(feeds(*words, "--dry-run", "--json").stdout) == due
    assert len(issues(letter_site)) == 1
    done = feeds(*words, "--yes")
    assert (done.returncode, "weekly 2: a note to 1 recipients, sent" in done.stdout) == (0, True)
    assert "\tsent, corrects 1\t" in feeds("issues").stdout
    assert "  corrects weekly 1\n" in feeds("status").stdout
    assert json.loads(feeds("issues", "--json").stdout.splitlines()[1])["corrects"] == 1
    assert feeds(*words).returncode == 1
    assert feeds("correct", "weekly", "1", "nowhere.md").returncode == 2
