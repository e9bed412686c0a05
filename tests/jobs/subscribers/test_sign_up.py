"""Sign-up: from the form to the subscription, and what bounds each attack."""

import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from feeds.core.newsletters.dkim import DkimKey
from feeds.core.newsletters.sender_dns import dkim_record
from feeds.core.subscribers.signup import mailbox_of
from feeds.edges.store.database import copy_store, open_store, store_path
from feeds.errors import FeedsError, LinkError
from feeds.jobs.store.restore import restore_store
from feeds.jobs.subscribers import leave
from feeds.jobs.subscribers.bounces import process_mailbox
from feeds.jobs.subscribers.erase import erase_subscriber
from feeds.jobs.subscribers.held_signups import accept_held, list_held, reject_held, reopen_form
from feeds.jobs.subscribers.preferences import load_preferences
from feeds.jobs.subscribers.sign_up import SignupAnswer
from feeds.jobs.subscribers.signup_due import is_round_due
from feeds.jobs.subscribers.subscribe import add_subscriber, remove_subscriber, suppress_address
from tests import returned
from tests.conftest import NOW
from tests.core.newsletters.test_dkim import Dkimpy, pem
from tests.dns import NameServer
from tests.signups import SignupSite

SECOND = '[[newsletters]]\nname = "daily"\nschedule = "0 8 * * *"\n'


@pytest.fixture
def door(site):
    return SignupSite.create(site)


@pytest.mark.usefixtures("databases")
def test_a_sign_up_is_confirmed_by_the_link_in_the_mail(door):
    """Only the link in the mail subscribes; the consent says when, from where, which words, and when confirmed."""
    assert door.sign_up("Ada@example.org") is SignupAnswer.ACCEPTED
    door.run_round()
    assert door.subscriber("ada@example.org") is None
    [token] = door.tokens()
    door.clock.advance(hours=2)
    assert door.confirm(token).state == "confirmed"
    found = door.subscriber("ada@example.org")
    assert (found.email, found.status, found.newsletters, found.source) == (
        "Ada@example.org",
        "active",
        ("weekly",),
        "web",
    )
    assert found.consent.startswith("signed up on the web 2026-11-23 12:01 UTC from ")
    assert "confirmed 2026-11-23 14:01 UTC from " in found.consent
    assert "192.0.2" not in found.consent
    version = found.consent.partition("wording ")[2][:16]
    assert [row[:3] for row in door.rows("SELECT newsletter, what, how, wording FROM subscription_changes")] == [
        ("weekly", "subscribed", "confirmation")
    ]
    assert door.rows("SELECT wording FROM subscription_changes") == [(version,)]
    [(text,)] = door.rows(f"SELECT text FROM consent_wordings WHERE version = '{version}'")
    assert text.startswith("I want to get these letters")


def test_nothing_that_was_typed_is_in_the_mail(door):
    """The mail has texts of the site only; of what was entered, the address alone is in its header."""
    door.sign_up("buy.cheap.pills.at.evil.test@example.org", newsletters=("weekly", "<b>evil</b>", "http://evil.test/"))
    door.run_round()
    [mail] = door.mails()
    for part in mail.iter_parts():
        assert "evil" not in part.get_content()
    assert "evil" not in mail["Subject"]


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("again", [1, 5])
def test_a_link_that_is_used_again_changes_nothing(door, again):
    """A second click on the link does not subscribe somebody who has left since."""
    door.sign_up("ada@example.org")
    door.run_round()
    [token] = door.tokens()
    door.confirm(token)
    remove_subscriber(door.sample.config, "ada@example.org", door.clock())
    for _ in range(again):
        assert door.confirm(token).state == "used"
    assert door.subscriber("ada@example.org").status == "unsubscribed"


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-1], lambda t: t[:20] + ("B" if t[20] == "A" else "A") + t[21:], lambda _: "x", lambda _: "é" * 9],
)
def test_a_damaged_link_confirms_nothing(door, change):
    """A truncated, changed or foreign token is not valid."""
    door.sign_up("ada@example.org")
    door.run_round()
    [token] = door.tokens()
    assert door.confirm(change(token)).state in ("invalid", "expired")
    assert door.subscriber("ada@example.org") is None


@pytest.mark.usefixtures("databases")
def test_a_link_expires_and_its_sign_up_is_deleted(door):
    """After `signup.expire` the link does not confirm, and the address is not stored any more."""
    door.sign_up("ada@example.org")
    door.run_round()
    [token] = door.tokens("confirmation")
    door.clock.advance(days=30)
    assert door.confirm(token).state == "expired"
    door.run_round()
    assert door.rows("SELECT * FROM signups") == []


def test_the_link_of_a_deleted_sign_up_confirms_no_other(door):
    """A sign-up that gets the id of a deleted one is not confirmed by its link."""
    door.sign_up("ada@example.org")
    door.run_round()
    [token] = door.tokens()
    door.clock.advance(days=31)
    door.run_round()
    door.sign_up("eve@example.org")
    door.run_round()
    assert [row[0] for row in door.rows("SELECT id FROM signups")] == [1]
    assert door.confirm(token).state == "invalid"
    assert door.subscriber("eve@example.org") is None


@pytest.mark.usefixtures("databases")
def test_there_is_one_reminder(door):
    """Who has not confirmed after `signup.reminder` gets one reminder, whose link confirms too."""
    door.sign_up("ada@example.org")
    door.run_round()
    for _ in range(5):
        door.clock.advance(hours=13)
        door.run_round()
    assert [len(door.mails(kind)) for kind in ("confirmation", "reminder")] == [1, 1]
    assert door.confirm(door.tokens("reminder")[0]).state == "confirmed"


def test_an_address_that_is_entered_every_day_gets_one_reminder_in_all(door):
    """Who never confirms gets one confirmation a day and three a month at most, and no second reminder."""
    for _ in range(5):
        door.sign_up("ada@example.org")
        door.run_round()
        door.clock.advance(hours=25)
        door.run_round()
    assert [len(door.mails(kind)) for kind in ("confirmation", "reminder")] == [3, 1]


@pytest.mark.parametrize("setting", ['reminder = ""', "open = true\nreminder = ''"])
def test_there_is_no_reminder_if_the_setting_is_empty(site, setting):
    """An empty `signup.reminder` sends none."""
    door = SignupSite.create(site, setting)
    door.sign_up("ada@example.org")
    for _ in range(3):
        door.run_round()
        door.clock.advance(days=2)
    assert len(door.mails()) == 1


@pytest.mark.usefixtures("databases")
def test_who_has_confirmed_is_not_reminded(door):
    """A confirmation ends the reminder."""
    door.sign_up("ada@example.org")
    door.run_round()
    door.confirm(door.tokens()[0])
    door.clock.advance(days=2)
    door.run_round()
    assert door.mails("reminder") == []


# Welcome ----------------------------------------------------------------------------------------------------------


def test_the_welcome_letter_has_the_editors_text_and_the_newest_issue(site):
    """`signup.welcome` sends a Markdown file, and with `latest` a link to the newest issue, once."""
    (site.folder / "welcome.md").write_text("---\nsubject: Good to see you\n---\nRead **this** first.\n", "utf-8")
    site.post("first")
    door = SignupSite.create(site, 'welcome = ["welcome.md", "latest"]')
    site.publish()
    door.sign_up("ada@example.org")
    door.run_round()
    for _ in range(2):
        door.confirm(door.tokens("confirmation")[0])
        door.run_round()
    [mail] = door.mails("welcome")
    assert mail["Subject"] == "Good to see you"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Read this first." in text
    assert "<strong" in html
    assert all("https://example.com/newsletters/weekly/1/" in part for part in (text, html))


def test_the_welcome_letter_of_a_reader_of_another_language_has_the_editors_text_in_its_own(site):
    """The text is marked with the site's language, and its direction is its own, also in a Hebrew mail."""
    (site.folder / "welcome.md").write_text("Read **this** first.\n\n- a\n", "utf-8")
    door = SignupSite.create(site, 'welcome = ["welcome.md"]')
    door.sign_up("ada@example.org", lang="he")
    door.run_round()
    door.confirm(door.tokens("confirmation")[0])
    door.run_round()
    html = door.mails("welcome")[0].get_body(("html",)).get_content()
    assert '<div lang="en" dir="auto"><p style="margin:0 0 16px">Read <strong>' in html
    assert '<ul style="margin:0 0 16px 32px' in html


@pytest.mark.parametrize("newsletters", [("weekly",), ("weekly", "daily")])
def test_the_welcome_letter_names_the_newsletter_of_each_newest_issue(site, newsletters):
    """The welcome to two newsletters has the title before each of the newest issues; to one, the issue alone."""
    SignupSite.create(site, 'welcome = "latest"')
    site.configure((site.folder / "config.toml").read_text("utf-8") + SECOND)
    add_subscriber(site.config, "eve@example.org", ["daily"], lang=None, now=NOW, again=False)
    site.post("first")
    site.publish()
    mail = welcome(SignupSite(site), newsletters)
    text, html = (mail.get_body((kind,)).get_content().replace("\r", "") for kind in ("plain", "html"))
    titles = ["The weekly", "daily"] if len(newsletters) > 1 else []
    assert re.findall(r"(.+)\nThe newest issue:\n", text) == titles
    assert re.findall(r"<strong[^>]*>([^<]+)</strong><br */?>[^<]*The newest issue", html) == titles
    assert text.count("The newest issue:") == len(newsletters)


def welcome(door, newsletters=("weekly",)):
    """Sign up, confirm, and return the welcome."""
    door.sign_up("ada@example.org", newsletters=newsletters)
    door.run_round()
    door.confirm(door.tokens("confirmation")[0])
    door.run_round()
    return door.mails("welcome")[0]


@pytest.mark.parametrize("newsletters", [("weekly",), ("daily", "weekly")])
def test_the_welcome_letter_unsubscribes_by_one_click(site, newsletters):
    """The welcome has the headers of letters and a link; they end what it is about, which can be undone."""
    SignupSite.create(site, 'welcome = "latest"', more=BOUNCES)
    site.configure((site.folder / "config.toml").read_text("utf-8") + SECOND)
    door = SignupSite(site)
    mail = welcome(door, newsletters)
    url, mailto = (part.strip("<> ") for part in mail["List-Unsubscribe"].split(","))
    token = url.removeprefix("https://letters.example.com/unsubscribe/")
    assert (mail["List-Unsubscribe-Post"], len(token)) == ("List-Unsubscribe=One-Click", 40)
    assert mailto.startswith(f"mailto:bounces+u-{token}@")
    assert all(url in mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    left = leave.leave(site.config, token, door.context)
    found = door.subscriber("ada@example.org")
    assert (found.status, found.newsletters) == ("unsubscribed", ())
    assert leave.leave(site.config, token, door.context).is_subscribed is False
    assert leave.undo_leave(site.config, left.undo_token, door.context).is_subscribed
    found = door.subscriber("ada@example.org")
    assert (found.status, found.newsletters) == ("active", newsletters)


@pytest.mark.usefixtures("databases")
def test_the_welcome_of_one_newsletter_ends_that_one_alone(site):
    """The link of the welcome of one newsletter leaves the others."""
    SignupSite.create(site, 'welcome = "latest"')
    site.configure((site.folder / "config.toml").read_text("utf-8") + SECOND)
    add_subscriber(site.config, "ada@example.org", ["daily"], lang=None, now=NOW, again=False)
    door = SignupSite(site)
    token = re.search(r"/unsubscribe/(\w+)>", welcome(door)["List-Unsubscribe"])[1]
    assert leave.find_subscription(site.config, token, door.context).title == "The weekly"
    leave.leave(site.config, token, door.context)
    found = door.subscriber("ada@example.org")
    assert (found.status, found.newsletters) == ("active", ("daily",))


def test_a_confirmation_has_no_unsubscribe_header(site):
    """A confirmation and its reminder have no List-Unsubscribe: their recipient is not subscribed."""
    door = SignupSite.create(site, 'reminder = "1h"')
    door.sign_up("ada@example.org")
    door.run_round()
    door.clock.advance(hours=2)
    door.run_round()
    found = [*door.mails("confirmation"), *door.mails("reminder")]
    assert [mail["List-Unsubscribe"] for mail in found] == [None, None]


@pytest.mark.parametrize("known", [False, True])
def test_the_welcome_letter_has_a_link_to_the_preferences(site, known):
    """The button of the welcome opens the preferences of who has subscribed, new or again, for a week."""
    door = SignupSite.create(site, 'welcome = "latest"')
    if known:
        add_subscriber(site.config, "ada@example.org", ["weekly"], lang=None, now=NOW, again=False)
        remove_subscriber(site.config, "ada@example.org", NOW)
    door.sign_up("ada@example.org")
    door.run_round()
    door.confirm(door.tokens("confirmation")[0])
    door.run_round()
    [mail] = door.mails("welcome")
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    token = re.search(r"https://letters\.example\.com/preferences/([\w-]+)", text)[1]
    assert f"/preferences/{token}" in html
    assert load_preferences(site.config, token, door.context).email == "ada@example.org"
    door.clock.advance(days=7)
    with pytest.raises(LinkError, match="expired"):
        load_preferences(site.config, token, door.context)


def test_without_the_setting_there_is_no_welcome(door):
    """By default a confirmation sends nothing more."""
    door.sign_up("ada@example.org")
    door.run_round()
    door.confirm(door.tokens()[0])
    door.run_round()
    assert len(door.mails()) == 1


# Known addresses --------------------------------------------------------------------------------------------------


def _subscribe(door):
    add_subscriber(door.sample.config, "ada@example.org", [], lang=None, now=NOW, again=False)


def _suppress(door):
    suppress_address(door.sample.config, "ada@example.org", NOW)


def _erase(door):
    _subscribe(door)
    erase_subscriber(door.sample.config, "ada@example.org", NOW)


def _complain(door):
    _subscribe(door)
    with open_store(door.sample.config.store_url, door.sample.folder) as store:
        store.database.connection.execute("UPDATE subscribers SET status = 'complained'")


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("before", [_subscribe, _suppress, _erase, _complain])
def test_an_address_that_is_subscribed_suppressed_or_has_complained_gets_nothing(door, before):
    """The answer is as for any address, and no mail is sent."""
    before(door)
    assert door.sign_up("ada@example.org") is SignupAnswer.ACCEPTED
    door.run_round()
    assert door.mails() == []
    assert door.rows("SELECT * FROM signups") == []


@pytest.mark.usefixtures("databases")
def test_an_address_that_has_left_may_come_back(door):
    """Who has unsubscribed gets a confirmation, and is subscribed again by its link."""
    _subscribe(door)
    remove_subscriber(door.sample.config, "ada@example.org", NOW)
    door.sign_up("ada@example.org")
    door.run_round()
    door.confirm(door.tokens()[0])
    assert door.subscriber("ada@example.org").status == "active"


@pytest.mark.usefixtures("databases")
def test_a_second_newsletter_within_a_day_is_confirmed_by_the_same_link(site):
    """Signing up for another newsletter before the click sends no second mail; the link confirms both."""
    door = SignupSite.create(site, more="", signup="")
    site.configure((site.folder / "config.toml").read_text("utf-8") + SECOND)
    door.sign_up("ada@example.org", newsletters=("weekly",))
    door.run_round()
    door.sign_up("ada@example.org", newsletters=("daily",))
    door.run_round()
    assert len(door.mails()) == 1
    door.confirm(door.tokens()[0])
    assert door.subscriber("ada@example.org").newsletters == ("daily", "weekly")


@pytest.mark.usefixtures("databases")
def test_suppressing_or_erasing_an_address_deletes_its_sign_up(door):
    """Neither the sign-up nor a mail with the address is left."""
    for email, remove in (("ada@example.org", suppress_address), ("eve@example.org", erase_subscriber)):
        door.sign_up(email)
        door.run_round()
        token = door.tokens()[-1]
        remove(door.sample.config, email, door.clock())
        assert door.confirm(token).state == "expired"
        assert door.rows("SELECT * FROM signups") == []
    assert door.rows("SELECT * FROM service_mails WHERE recipient_key = 'eve@example.org'") == []


# The form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "ada@localhost", "a b@example.org", "'ada@example.org", "a" * 400]
)
def test_a_text_that_is_no_address_is_refused(door, email):
    """What no mail can be sent to is refused, whatever is known."""
    assert door.sign_up(email) is SignupAnswer.BAD_ADDRESS


def test_a_form_that_was_open_too_long_or_comes_from_elsewhere_is_refused(door):
    """A token expires, and is bound to the language and the words that were shown."""
    assert door.sign_up("ada@example.org", seconds=13 * 3600) is SignupAnswer.STALE
    token = door.open_form("de")
    form = {"email": "ada@example.org", "newsletters": ("weekly",), "honeypot": "", "client": "192.0.2.1"}
    from feeds.jobs.subscribers.sign_up import SentForm, accept_form

    for forged in (token, "", "x" * 60, token[:-2]):
        sent = SentForm(token=forged, **form)
        assert accept_form(door.site, sent, "en", door.clock()) is SignupAnswer.STALE
    assert door.rows("SELECT * FROM signup_requests") == []


def test_a_closed_form_takes_nothing(site):
    """With `signup.open = false` there is no form, and nothing is accepted."""
    door = SignupSite.create(site)
    token = door.open_form()
    SignupSite.create(site, "open = false")
    assert door.open_form() == ""
    assert token != ""
    assert door.sign_up("ada@example.org") is not SignupAnswer.ACCEPTED


# What looks like a program ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "options", "is_held"),
    [
        ("ada@example.org", {"honeypot": "http://evil.test/"}, False),
        ("ada@example.org", {"seconds": 1}, False),
        ("ada@example.org", {"honeypot": "x", "seconds": 1}, True),
        ("info@example.org", {}, False),
        ("info@example.org", {"seconds": 1}, True),
        ("a.d.a.l.o.v.e@gmail.com", {}, False),
        ("a.d.a.l.o.v.e@gmail.com", {"honeypot": "x"}, True),
        ("ada.lovelace@gmail.com", {"honeypot": "x"}, False),
    ],
)
def test_signs_of_a_program_hold_a_sign_up_only_together(door, email, options, is_held):
    """No sign of the form alone holds a sign-up; two do. The answer is the same."""
    with NameServer({("example.org", "MX"): ["10 mx.example.org."], ("gmail.com", "MX"): ["5 mx.gmail.com."]}) as dns:
        door.resolver = dns.resolver()
        assert door.sign_up(email, **options) is SignupAnswer.ACCEPTED
        door.run_round()
    assert len(door.mails()) == int(not is_held)
    assert door.rows("SELECT state FROM signups") == [("held" if is_held else "waiting",)]


@pytest.mark.parametrize(
    ("records", "is_held"),
    [
        ({("nomail.example", "MX"): ["10 mx.nomail.example."]}, False),
        ({("nomail.example", "A"): ["192.0.2.7"]}, False),
        ({("nomail.example", "AAAA"): ["2001:db8::7"]}, False),
        ({("nomail.example", "MX"): ["0 ."]}, True),
        ({}, True),
        ({("nomail.example", "MX"): "SERVFAIL"}, False),
        ({("nomail.example", "MX"): "silence"}, False),
    ],
)
def test_a_domain_without_a_mail_server_is_held(door, records, is_held):
    """A domain that accepts no mail is held; one that DNS cannot tell about is not."""
    with NameServer(records) as dns:
        door.resolver = dns.resolver(timeout=0.2)
        door.sign_up("ada@nomail.example")
        door.run_round()
    assert len(door.mails()) == int(not is_held)


# Attacks ----------------------------------------------------------------------------------------------------------


def test_ten_thousand_clients_for_one_address_send_one_mail(door):
    """The address gets one confirmation a day, and the store keeps one row of it."""
    for n in range(300):
        assert door.sign_up("ada@example.org", f"10.{n % 250}.{n // 250}.1", seconds=10) is SignupAnswer.ACCEPTED
        if n % 50 == 0:
            door.run_round()
    door.run_round()
    assert len(door.mails()) == 1
    assert door.rows("SELECT count(*) FROM signups") == [(1,)]
    assert door.rows("SELECT count(*) FROM signup_requests") == [(0,)]


def test_one_client_with_many_addresses_is_held_and_then_refused(door):
    """One client gets a few confirmations; further ones wait for the editor, and then its network is refused."""
    answers = []
    for n in range(60):
        answers.append(door.sign_up(f"reader{n}@example.org", "192.0.2.1", seconds=5))
        door.run_round()
    assert answers.count(SignupAnswer.ACCEPTED) == 20
    assert set(answers[20:]) == {SignupAnswer.TOO_MANY}
    assert len(door.mails()) == 5
    assert door.sign_up("other@example.org", "198.51.100.9") is SignupAnswer.ACCEPTED
    door.clock.advance(hours=1)
    assert door.sign_up("later@example.org", "192.0.2.1") is SignupAnswer.ACCEPTED


@pytest.mark.parametrize(
    "clients",
    [[f"192.0.2.{n}" for n in range(60)], [f"2001:db8:1:{n:x}::{n:x}" for n in range(60)]],
)
def test_the_clients_of_one_network_are_limited_together(door, clients):
    """All addresses of a /24 or a /48 share one limit."""
    answers = [door.sign_up(f"reader{n}@example.org", client, seconds=5) for n, client in enumerate(clients)]
    door.run_round()
    assert answers.count(SignupAnswer.ACCEPTED) == 20
    assert len(door.mails()) < 20


def test_many_networks_with_many_addresses_use_up_the_hourly_budget_only(site):
    """Above `signup.confirmations_per_hour` sign-ups wait for the editor."""
    door = SignupSite.create(site, "confirmations_per_hour = 7")
    for n in range(30):
        assert door.sign_up(f"reader{n}@example.org", f"10.0.{n}.1", seconds=5) is SignupAnswer.ACCEPTED
    door.run_round()
    assert len(door.mails()) == 7
    assert door.rows("SELECT state, count(*) FROM signups GROUP BY 1 ORDER BY 1") == [("held", 23), ("waiting", 7)]


def test_requests_that_nobody_looks_at_do_not_fill_the_disk(door, monkeypatch):
    """Beyond a number of waiting requests, others are asked to come back; the store does not grow."""
    from dataclasses import replace

    from feeds.jobs.subscribers import sign_up

    monkeypatch.setattr(sign_up, "REQUEST_LIMITS", replace(sign_up.REQUEST_LIMITS, requests=10, networks=5))
    answers = [door.sign_up(f"reader{n}@example.org", f"10.0.{n}.1", seconds=5) for n in range(20)]
    assert answers == [SignupAnswer.ACCEPTED] * 10 + [SignupAnswer.BUSY] * 10
    assert door.rows("SELECT count(*) FROM signup_requests") == [(10,)]
    assert door.rows("SELECT count(*) FROM signup_networks") == [(5,)]
    door.run_round()
    assert door.sign_up("later@example.org", "10.9.9.9") is SignupAnswer.ACCEPTED


def test_the_limit_of_a_network_does_not_tell_whether_addresses_are_known(site):
    """A network reaches its limit after as many requests for known addresses as for unknown ones."""
    numbers = []
    for name in ("known", "unknown"):
        door = SignupSite.create(site)
        if name == "known":
            _subscribe(door)
        answers = []
        for _ in range(40):
            answers.append(door.sign_up("ada@example.org", "203.0.113.1" if name == "known" else "198.51.100.1"))
            door.run_round()
        numbers.append(answers.count(SignupAnswer.ACCEPTED))
        remove_subscriber(door.sample.config, "ada@example.org", NOW)
    assert numbers == [20, 20]


@pytest.mark.usefixtures("databases")
def test_a_day_later_an_address_may_get_another_confirmation(door):
    """One confirmation a day, not more; both links work."""
    for hours in (0, 12, 11, 2):
        door.clock.advance(hours=hours)
        door.sign_up("ada@example.org")
        door.run_round()
    assert len(door.mails("confirmation")) == 2
    assert timedelta(0) < door.clock() - NOW
    assert door.confirm(door.tokens("confirmation")[0]).state == "confirmed"


@pytest.mark.parametrize(
    "spelling",
    ["ada+{n}@example.org", "ada+x.{n}@example.org", "Ada+{n}@Example.org"],
    ids=["tags", "tags with dots", "capitals"],
)
def test_other_spellings_of_a_mailbox_get_no_more_confirmations(door, spelling):
    """A mailbox gets one confirmation a day, whatever tags are entered and from wherever; the others are held."""
    for n in range(6):
        door.sign_up(spelling.format(n=n), f"10.0.{n}.1")
        door.run_round()
    assert len(door.mails("confirmation")) == 1
    held = door.rows("SELECT DISTINCT held FROM signups WHERE state = 'held'")
    assert held == [("another spelling of this mailbox got a confirmation lately",)]
    assert door.rows("SELECT count(*) FROM signups WHERE state = 'held'") == [(5,)]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("a.da@gmail.com", "ad.a+x@googlemail.com", True),
        ("a.da@example.org", "ada@example.org", False),
        ("ada@example.org", "ada@example.net", False),
        ("+ada@example.org", "+eve@example.org", False),
    ],
)
def test_spellings_of_one_mailbox_are_known(one, other, is_same):
    """Tags, and at Gmail dots and the second domain, are spellings of one mailbox; nothing else is."""
    assert (mailbox_of(one) == mailbox_of(other)) is is_same


def test_an_address_that_never_clicks_gets_three_confirmations_a_month(door):
    """Who is entered every day and never clicks gets three confirmations in a month, and is held then."""
    for _ in range(10):
        door.sign_up("ada@example.org")
        door.run_round()
        door.clock.advance(days=1)
    assert len(door.mails("confirmation")) == 3
    assert door.rows("SELECT state FROM signups") == [("held",)]


# What comes back --------------------------------------------------------------------------------------------------

BOUNCES = '[mail.bounces]\naddress = "bounces@letters.example"\nmailbox = "maildir:bounces"\n'


def _return(door, make_message):
    """Put a report about the last mail into the bounce mailbox, and process it."""
    mail = door.mails()[-1]
    verp = f"bounces+{mail['Message-ID'].split('.', 1)[1].split('@')[0]}@letters.example"
    folder = door.sample.folder / "bounces"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    returned = f"From: letters@example.com\nMessage-ID: {mail['Message-ID']}\nSubject: x\n\nWords.\n"
    (folder / "new" / f"{door.clock().timestamp()}").write_bytes(make_message(verp, returned))
    return process_mailbox(door.sample.config, door.clock())


@pytest.mark.usefixtures("databases")
def test_a_complaint_about_a_confirmation_suppresses_its_address(site):
    """After a complaint the address gets nothing, its sign-up is deleted, and its link confirms nothing."""
    door = SignupSite.create(site, more=BOUNCES)
    door.sign_up("ada@example.org")
    door.run_round()
    [token] = door.tokens()
    [processed] = _return(door, returned.complaint).processed
    assert (processed.email, processed.decision) == ("ada@example.org", "suppressed")
    assert door.confirm(token).state == "expired"
    door.clock.advance(days=2)
    assert door.sign_up("ada@example.org") is SignupAnswer.ACCEPTED
    door.run_round()
    assert len(door.mails()) == 1


@pytest.mark.usefixtures("databases")
def test_a_complaint_about_a_welcome_ends_the_subscription(site):
    """Who reports the welcome letter as spam gets no letters."""
    door = SignupSite.create(site, 'welcome = "latest"', more=BOUNCES)
    door.sign_up("ada@example.org")
    door.run_round()
    door.confirm(door.tokens()[0])
    door.run_round()
    _return(door, returned.complaint)
    assert door.subscriber("ada@example.org").status == "complained"


@pytest.mark.usefixtures("databases")
def test_a_confirmation_that_bounces_is_not_followed_by_a_reminder(site):
    """An address that does not exist gets no reminder."""
    door = SignupSite.create(site, more=BOUNCES)
    door.sign_up("ada@example.org")
    door.run_round()
    _return(door, lambda to, text: returned.delivery_report(to=to, returned=text))
    door.clock.advance(days=2)
    door.run_round()
    assert len(door.mails()) == 1


@pytest.mark.usefixtures("databases")
def test_more_than_one_complaint_in_a_hundred_closes_the_form_and_alerts(site):
    """One complaint closes nothing; the second one closes the form, until the editor opens it again."""
    door = SignupSite.create(
        site, "confirmations_per_hour = 1000", more=BOUNCES + '[publish]\nalert = "cat >> alerts"\n'
    )
    for n in range(3):
        door.sign_up(f"reader{n}@example.org", f"10.0.{n}.1")
        door.run_round()
        _return(door, returned.complaint)
        assert (door.open_form() == "") == (n >= 1)
        if n == 1:
            break
    door.run_round()
    door.run_round()
    assert (site.folder / "alerts").read_text("utf-8").count("sign-up is closed: 2 of 2 confirmations") == 1
    assert door.sign_up("other@example.org", "10.9.9.9") is not SignupAnswer.ACCEPTED
    assert reopen_form(site.config) == 2
    assert door.open_form() != ""


# The editor -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_the_editor_accepts_or_rejects_what_is_held(site):
    """An accepted sign-up gets its confirmation, a rejected one is forgotten, and the rest waits."""
    door = SignupSite.create(site)
    for name in ("ada", "eve", "mallory"):
        door.sign_up(f"{name}@example.org", f"10.0.{len(name)}.1", honeypot="x", seconds=1)
    door.run_round()
    assert [one.email for one in list_held(site.config)] == [
        f"{name}@example.org" for name in ("ada", "eve", "mallory")
    ]
    assert accept_held(site.config, ["Ada@example.org"], door.context) == 1
    assert reject_held(site.config, ["eve@example.org"]) == 1
    with pytest.raises(FeedsError, match=r"nobody@example\.org"):
        accept_held(site.config, ["nobody@example.org"], door.context)
    door.run_round()
    assert [mail["To"] for mail in door.mails()] == ["ada@example.org"]
    assert [one.email for one in list_held(site.config)] == ["mallory@example.org"]
    assert door.confirm(door.tokens()[0]).state == "confirmed"


@pytest.mark.usefixtures("databases")
def test_a_publish_run_sends_what_waits(site):
    """`feeds publish` decides about sign-ups and sends confirmations, also when nothing else has changed."""
    door = SignupSite.create(site)
    site.publish(door.clock())
    door.sign_up("ada@example.org")
    site.publish(door.clock())
    assert len(door.mails("confirmation")) == 1


@pytest.mark.usefixtures("databases")
def test_a_round_is_due_for_what_the_editor_does_not_know(site):
    """Complaints that closed the form make a round due once, also if nothing is signed up or sent any more."""
    door = SignupSite.create(site, more=BOUNCES + '[publish]\nalert = "cat >> alerts"\n')
    for n in range(2):
        door.sign_up(f"reader{n}@example.org", f"10.0.{n}.1")
        door.run_round()
        assert not is_round_due(site.config, door.clock())
        _return(door, returned.complaint)
    assert is_round_due(site.config, door.clock())
    assert door.run_round().alerts
    assert not is_round_due(site.config, door.clock())


@pytest.mark.usefixtures("databases")
def test_sign_ups_that_wait_are_reported_once_a_day(site):
    """As long as sign-ups wait for the editor, each day has one line with their number, whenever they came."""
    door = SignupSite.create(site, more='[publish]\nalert = "cat >> alerts"\n')
    for name in ("info", "sales"):
        door.sign_up(f"{name}@example.org", honeypot="x")
    for _ in range(3):
        assert is_round_due(site.config, door.clock())
        assert door.run_round().alerts == ["2 sign-ups wait for you; `feeds signups` lists them"]
        assert not is_round_due(site.config, door.clock())
        door.clock.advance(days=1)


# Other kinds of harm ----------------------------------------------------------------------------------------------


def test_a_restored_backup_sends_no_confirmation_twice(site):
    """Mail that waited in the backup is not sent again, links that were sent work, and the erased stay erased."""
    door = SignupSite.create(site)
    for n, name in enumerate(("ada", "eve", "mallory")):
        door.sign_up(f"{name}@example.org", f"10.0.{n}.1")
        if name == "eve":
            door.run_round()
    copy_store(site.config.store_url, site.folder, site.folder / "b.db", site.config.keys_file)
    door.run_round()
    [ada, eve, _] = door.tokens()
    erase_subscriber(site.config, "eve@example.org", door.clock())
    restore_store(site.config, site.folder / "b.db", door.clock())
    for _ in range(3):
        door.run_round()
        door.clock.advance(days=1)
    assert sorted(mail["To"] for mail in door.mails()) == ["ada@example.org", "mallory@example.org"]
    assert [door.confirm(token).state for token in (ada, eve)] == ["confirmed", "expired"]


@pytest.mark.parametrize("is_sent", [True, False], ids=["sent", "waiting"])
def test_an_erased_sign_up_is_erased_from_a_restored_backup(site, is_sent):
    """An address that signed up and was erased since the backup is nowhere in the restored store, sent to or not."""
    door = SignupSite.create(site)
    door.sign_up("ada@example.org")
    if is_sent:
        door.run_round()
    copy_store(site.config.store_url, site.folder, site.folder / "b.db", site.config.keys_file)
    door.run_round()
    erase_subscriber(site.config, "ada@example.org", door.clock())
    restore_store(site.config, site.folder / "b.db", door.clock())
    assert b"ada@example.org" not in store_path(site.config.store_url, site.folder).read_bytes()


@pytest.mark.parametrize(("web", "is_open"), [("", False), ('[web]\nurl = "https://letters.example.com/"\n', True)])
def test_without_a_public_address_no_link_leaves_this_machine(site, web, is_open):
    """If mail goes to people, the form is closed until `web.url` is set."""
    door = SignupSite.create(site)
    config = (
        (site.folder / "config.toml").read_text("utf-8").replace('[web]\nurl = "https://letters.example.com/"\n', web)
    )
    site.configure(config.replace("[mail]\n", '[mail]\ntransport = "sendmail"\n'))
    assert (door.open_form() != "") == is_open


def test_a_confirmation_is_signed(site):
    """A confirmation has a DKIM signature that covers its recipient and its text."""
    key = rsa.generate_private_key(65537, 2048)
    (site.folder / "s1.pem").write_bytes(pem(key))
    records = {"s1._domainkey.example.com": dkim_record(DkimKey("s1", key))}
    door = SignupSite.create(site, more='[[mail.dkim]]\nselector = "s1"\nkey_file = "s1.pem"\n')
    door.sign_up("ada@example.org")
    door.run_round()
    [file] = (site.folder / ".feeds/outbox/mail").rglob("*.eml")
    message = file.read_bytes()
    changed = [message.replace(b"To: ada@", b"To: eve@"), message.replace(b"confirm/", b"c0nfirm/")]
    assert Dkimpy(records).verdicts([message, *changed]) == [True, False, False]


def test_the_signature_of_a_welcome_covers_its_unsubscribe_headers(site):
    """A welcome whose List-Unsubscribe or List-Unsubscribe-Post is changed has no valid signature."""
    key = rsa.generate_private_key(65537, 2048)
    (site.folder / "s1.pem").write_bytes(pem(key))
    records = {"s1._domainkey.example.com": dkim_record(DkimKey("s1", key))}
    more = '[[mail.dkim]]\nselector = "s1"\nkey_file = "s1.pem"\n'
    welcome(SignupSite.create(site, 'welcome = "latest"', more=more))
    [file] = (site.folder / ".feeds/outbox/mail/welcome").rglob("*.eml")
    message = file.read_bytes()
    changed = [message.replace(b"List-Unsubscribe: <https", b"List-Unsubscribe: <http")]
    changed += [message.replace(b"Post: List", b"Post: Lost"), message.replace(b"List-Unsubscribe-Post", b"X-Post")]
    assert Dkimpy(records).verdicts([message, *changed]) == [True, False, False, False]


def test_a_name_server_that_is_silent_delays_no_round_for_long(site):
    """The queries of a batch share one deadline; what DNS cannot tell holds nobody."""
    door = SignupSite.create(site)
    with NameServer({(f"d{n}.example", "MX"): "silence" for n in range(8)}) as dns:
        door.resolver = dns.resolver(timeout=0.3)
        for n in range(8):
            door.sign_up(f"ada@d{n}.example", f"10.0.{n}.1")
        door.run_round()
        assert len(dns.queries) < 8
    assert len(door.mails()) == 8
