"""`feeds check`, on a real site."""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from feeds.core.newsletters.dkim import DkimKey
from feeds.core.newsletters.sender_dns import dkim_record
from feeds.edges.net.dns import Resolver
from feeds.edges.process.workers import workers
from feeds.edges.store.database import open_store
from feeds.jobs.check import check_site
from feeds.jobs.context import Context
from feeds.jobs.posts.survey import SurveyOptions, survey_posts
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER, NOW, ROOT
from tests.dns import NameServer, quoted, silent_socket

ADDRESS = 'address = "1 Lane"\n'


def diagnostics(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_good_site_passes(letter_site, feeds):
    """A site without problems gives exit code 0 and no output but the counts."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert (done.returncode, done.stdout) == (0, "0 errors, 0 warnings\n")


def test_problems_are_reported_and_give_exit_code_1(letter_site, feeds):
    """Problems of posts, themes and letters are all reported, and the exit code is 1."""
    letter_site.configure(
        f'{CONFIG}{NEWSLETTER}[[newsletters]]\nname = "b"\nschedule = "0 8 * * 1"\n'
        '[newsletters.theme]\naccent = "#dddddd"\n'
    )
    letter_site.post("broken", title=None)
    letter_site.post("slow", reading_time=99)
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    found = {(d["level"], d["where"].rpartition("/")[2].partition(":")[0]) for d in diagnostics(done)}
    assert done.returncode == 1
    assert {
        ("error", "broken.md"),
        ("warning", "slow.md"),
        ("error", "config.toml"),
        ("warning", "config.toml"),
    } <= found
    assert {"level", "where", "what", "why", "do"} == set(diagnostics(done)[0])


def test_an_issue_that_cannot_be_composed_is_an_error(letter_site, feeds):
    """An issue that cannot be composed is an error with the template's file and line, before its slot."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    template = letter_site.folder / "templates" / "letter" / "foot.mjml"
    template.parent.mkdir(parents=True)
    template.write_text("\n<mj-secton />", "utf-8")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    assert [(d["level"], d["where"]) for d in diagnostics(done)] == [("error", "next issue of weekly")]
    assert "templates/letter/foot.mjml:2: MJML has no element <mj-secton>; did you mean mj-section?" in done.stdout


def test_a_comment_that_mjml_cannot_read_is_an_error_with_its_line(letter_site, feeds):
    """A comment with two hyphens in a part of the site is an error with file, line and remedy."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    template = letter_site.folder / "templates" / "letter" / "foot.mjml"
    template.parent.mkdir(parents=True)
    shipped = (ROOT / "templates" / "letter" / "foot.mjml").read_text("utf-8")
    own = shipped.replace("  <mj-section>\n", "  <mj-section>\n  <!-- a -- b -->\n")
    template.write_text(own, "utf-8")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    line = own.split("\n").index("  <!-- a -- b -->") + 1
    assert f"templates/letter/foot.mjml:{line}: a comment contains `--`" in done.stdout


def test_nothing_is_written(letter_site, feeds):
    """`check` writes nothing; it does not even create the database."""
    before = letter_site.files("posts", "config.toml", "public", ".feeds/outbox")
    feeds("check")
    assert letter_site.files("posts", "config.toml", "public", ".feeds/outbox") == before
    assert not (letter_site.folder / ".feeds/feeds.db").exists()


def test_a_link_to_a_missing_anchor_is_reported_where_it_is_written(letter_site, feeds):
    """A link to a missing anchor is reported once: with file and line of the post, or for the letter if in a note."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("[mail]", 'template = "letter"\n[mail]') + ADDRESS)
    letter_site.post("first", "## Set up\n\n[good](#set-up)\n[bad](#setup-1)\n[another](/2026/11/19/second/#there)\n")
    letter_site.post("second", "## Here\n", date="2026-11-19")
    note = letter_site.folder / "letters" / "weekly" / "next.md"
    note.parent.mkdir(parents=True)
    note.write_text("[good](/2026/11/20/first/#set-up) [bad](/2026/11/20/first/#sett-up)\n", "utf-8")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    assert done.returncode == 0
    assert [(d["level"], d["where"], d["do"]) for d in diagnostics(done)] == [
        ("warning", "posts/first.md:9", "write #set-up, if that is meant"),
        ("warning", "posts/first.md:10", "write #here, if that is meant"),
        ("warning", "next issue of weekly", "write #set-up, if that is meant"),
    ]


def test_a_link_to_an_unknown_post_is_reported_once_and_others_with_their_post(letter_site, feeds):
    """A link to an unknown post is text, so it is not a link of the letter; a link in a post names the post."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("[mail]", 'template = "letter"\n[mail]') + ADDRESS)
    letter_site.post("first", "[rien](nope.md) and [old words](http://a.example/x?a=1&b=2)\n")
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert "leads nowhere in a mail program" not in done.stdout
    assert "the link 'http://a.example/x?a=1&b=2' is not encrypted: 'old words' in posts/first.md" in done.stdout


MOVED = '[feeds.moved]\n"/old.xml" = "category/none/"\n"/Old/" = "atom.xml"\n"category/x" = "category/x"\n'


def test_wrong_moves_are_found_by_check_as_by_publish(letter_site, feeds):
    """Each wrong line of `feeds.moved` is a warning with its line and the path as it is written, in both commands."""
    letter_site.configure(MOVED + CONFIG)
    found = [f"{d['where']}: {d['what']}" for d in diagnostics(feeds("check", "--json"))]
    done = feeds("publish", "--feeds-only")
    for line, old in enumerate(("/old.xml", "/Old/", "category/x"), 2):
        (one,) = [text for text in found if f"config.toml:{line}: feeds.moved.{old}: cannot move to " in text]
        assert one in done.stderr


TEMPLATES = {
    "texts": ("texts/en.toml", 'more = "x"\nleave = \n', "templates/texts/en.toml:2: "),
    "texts of another language": ("texts/xx.toml", 'entries = "{n"\n', "templates/texts/xx.toml:1: entries: "),
    "a page of a feed": ("pages/feed.html", "\n{% if %}", "templates/pages/feed.html:2: "),
    "a list of feeds": ("pages/feeds.html", "\n{{ page.nothing.here }}", "templates/pages/feeds.html:2: "),
    "a page of an issue": ("pages/issue_page.html", "{% endfor %}", "templates/pages/issue_page.html:1: "),
    "a page for subscribers": ("pages/signup.html", '{% include "none.html" %}', "templates/pages/signup.html:1: "),
}


@pytest.mark.parametrize(("name", "content", "message"), TEMPLATES.values(), ids=TEMPLATES)
def test_broken_templates_and_texts_are_found_once(site, feeds, name, content, message):
    """A broken template or text file is one error of `check` with its file and line, with or without newsletters."""
    file = site.folder / "templates" / name
    file.parent.mkdir(parents=True)
    file.write_text(content, "utf-8")
    site.post("first")
    done = feeds("check", "--json")
    errors = [f"{d['where']}: {d['what']}" for d in diagnostics(done) if d["level"] == "error"]
    assert len(errors) == 1
    assert errors[0].startswith(message)
    assert feeds("publish").stderr.count(message) <= 1


def shipped_without(name, part, replacement):
    """Return a shipped template with a fault in place of a part."""
    shipped = (ROOT / "templates" / name).read_text("utf-8")
    assert part in shipped
    return shipped.replace(part, replacement, 1)


#: Template, what is in it and the fault in place of that; each shows only with entries, or only without.
HIDDEN_FAULTS = {
    "an entry": ("pages/feed.html", "{{ story.url }}", "{{ story.urls }}"),
    "an entry's picture": ("pages/feed.html", "{{ story.image.url }}", "{{ story.image.urls }}"),
    "a year": ("pages/feed.html", "#y{{ year.year }}", "#y{{ year.years }}"),
    "a feed without entries": ("pages/feed.html", "{{ t.no_posts }}", "{{ t.no_post }}"),
    "an issue in the list of feeds": ("pages/feeds.html", "{{ letter.url }}", "{{ letter.urls }}"),
    "a long list of feeds": ("pages/feeds.html", "{{ t.jump }}", "{{ t.jumps }}"),
    "a picture on an issue's page": ("pages/issue_page.html", "{{ image.alt }}", "{{ image.alts }}"),
    "a sponsor on an issue's page": ("pages/issue_page.html", "{{ letter.sponsor }}", "{{ letter.sponsors }}"),
    "an issue in the feed": ("pages/issue.html", "{{ story.image.alt }}", "{{ story.image.alts }}"),
    "a correction in the feed": (
        "pages/correction.html",
        "{{ letter.correction.says }}",
        "{{ letter.corrected.says }}",
    ),
    "a notice": ("pages/notice_text.html", "{{ notice.reason }}", "{{ notice.reasons }}"),
    "a row of a letter": ("letter/rows.mjml", "group.heading", "group.headings"),
    "the text of a letter": ("digest.txt", "letter.also", "letter.alsos"),
    "a correction": ("correction.mjml", "letter/correction.mjml", "letter/corrections.mjml"),
    "an undo after an unsubscribe": ("pages/leave.html", "found.undo_token)", "found.undo_tokens)"),
    "a wrong day": ("pages/preferences.html", "{{ t.preferences_pause_wrong }}", "{{ t.pause_wrong }}"),
    "the button of a confirmation": ("service.mjml", "{{ letter.button }}", "{{ letter.buttons }}"),
}


@pytest.mark.parametrize(("name", "part", "fault"), HIDDEN_FAULTS.values(), ids=HIDDEN_FAULTS)
def test_templates_are_rendered_with_every_optional_part_and_with_none(site, feeds, name, part, fault):
    """A fault in a part that the site does not have now is an error of `check`, once, with the template's file."""
    site.configure(CONFIG + NEWSLETTER + ADDRESS)
    file = site.folder / "templates" / name
    file.parent.mkdir(parents=True)
    file.write_text(shipped_without(name, part, fault), "utf-8")
    found = [d["where"] for d in diagnostics(feeds("check", "--json", "--now", "2026-11-23T12:00Z"))]
    assert len([where for where in found if where.startswith(f"templates/{name}:")]) == 1


def test_shipped_templates_have_no_faults_as_own_ones(site, feeds):
    """Copies of all shipped templates give no error of `check`."""
    site.configure(CONFIG + NEWSLETTER + ADDRESS)
    shutil.copytree(ROOT / "templates", site.folder / "templates")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    assert [d for d in diagnostics(done) if d["where"].startswith("templates")] == []


def test_the_page_of_an_issue_is_rendered_with_the_next_issue(letter_site, feeds):
    """A template of the issue's page that fails only when it is rendered is an error of `check`."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    file = letter_site.folder / "templates/pages/issue_page.html"
    file.parent.mkdir(parents=True)
    file.write_text("\n{{ letter.nothing.here }}", "utf-8")
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert done.stdout.count("templates/pages/issue_page.html:2: ") == 1


def test_keys_and_mailboxes_are_checked_without_newsletters(site, feeds):
    """A DKIM key or a mailbox that does not exist is an error also if no newsletter is set."""
    site.configure(
        CONFIG + '[[mail.dkim]]\nselector = "s1"\nkey_file = "none.pem"\n' + BOUNCES.replace("/var/", "/none/")
    )
    found = {d["where"] for d in diagnostics(feeds("check", "--json")) if d["level"] == "error"}
    assert {"config.toml: mail.dkim[0].key_file", "config.toml: mail.bounces.mailbox"} <= found


@pytest.mark.parametrize("folder", ["public", "public/site"])
def test_a_file_at_the_output_folder_is_one_error(site, feeds, folder):
    """A file where `public/` or a folder above it must be is one error, and nothing is written."""
    site.configure(CONFIG.replace("[feeds]", f'[feeds]\nfolder = "{folder}"'))
    site.post("first")
    (site.folder / "public").write_text("x", "utf-8")
    done = feeds("publish")
    assert done.returncode == 1
    assert "public: is a file, so that nothing can be written there" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "public\tis a file, so that nothing can be written there" in feeds("check").stdout


# The sender of letters --------------------------------------------------------------------------------------------

SMTP = 'transport = "smtp"\n'
S1, S2 = ((name, f'[[mail.dkim]]\nselector = "{name}"\nkey_file = "{name}.pem"\n') for name in ("s1", "s2"))
BOUNCES = '[mail.bounces]\naddress = "bounces@b.example.com"\nmailbox = "maildir:/var/mail/bounces"\n'
RSA, ED25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()


def write_key(site, name, key):
    """Write a key where the settings name it; return its DNS record."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (site.folder / f"{name}.pem").write_bytes(pem)
    return dkim_record(DkimKey(name, key))


def mail_diagnostics(site, mail, resolver, newsletter=NEWSLETTER):
    """The diagnostics about mail, with *mail* in the settings: (level, key, what).

    Without those about servers and mailboxes that cannot be opened: there are none here (see test_send_checks).
    """
    site.configure(CONFIG + newsletter + ADDRESS + mail)
    config = site.config
    with workers(1) as team, open_store("sqlite:///.feeds/feeds.db", site.folder, create=False) as store:
        survey = survey_posts(config, now=NOW, known=[], options=SurveyOptions(team=team, progress=lambda *_: None))
        found = list(
            check_site(Site(config), survey, store.issues, team, resolver, now=NOW, context=Context(clock=lambda: NOW))
        )
    about_mail = [d for d in found if d.where.startswith(f"{config.path}: mail")]
    assert all(d.why and d.do for d in about_mail)
    about_mail = [d for d in about_mail if "cannot be reached" not in d.what and "bounce mailbox" not in d.what]
    return [(d.level, d.where.partition(": ")[2], d.what) for d in about_mail]


def test_a_sender_with_all_dns_records_passes(letter_site):
    """A sender passes if a real name server has SPF, DMARC, a record for each key and an MX record for bounces."""
    keys = {"s1": write_key(letter_site, "s1", RSA), "s2": write_key(letter_site, "s2", ED25519)}
    records = {
        ("example.com", "TXT"): [quoted("v=spf1 mx -all")],
        ("b.example.com", "TXT"): [quoted("v=spf1 mx -all")],
        ("b.example.com", "MX"): ["10 mx.example.com."],
        ("_dmarc.example.com", "TXT"): [quoted("v=DMARC1; p=none")],
        **{(f"{name}._domainkey.example.com", "TXT"): [quoted(text)] for name, text in keys.items()},
    }
    with NameServer(records) as server:
        assert mail_diagnostics(letter_site, SMTP + S1[1] + S2[1] + BOUNCES, server.resolver()) == []
        assert len(server.queries) == len(records)


def test_a_site_that_nobody_could_leave_is_an_error(letter_site):
    """`feeds check` finds that the bounce mailbox is missing, which keeps an issue back; the outbox needs none."""
    command = 'transport = "sendmail"\nsendmail = "/bin/true"\n'
    with NameServer() as server:
        found = mail_diagnostics(letter_site, command, server.resolver())
        assert ("error", "mail.bounces", "there is no way to unsubscribe") in found
        assert not any("unsubscribe" in what for *_, what in mail_diagnostics(letter_site, "", server.resolver()))


def test_missing_dns_records_are_reported(letter_site):
    """With the smtp transport, every missing DNS record is reported."""
    write_key(letter_site, "s1", RSA)
    with NameServer() as server:
        found = mail_diagnostics(letter_site, SMTP + S1[1] + BOUNCES, server.resolver())
    assert found == [
        ("error", "mail", "b.example.com has no SPF record"),
        ("warning", "mail", "example.com has no SPF record"),
        ("error", "mail", "example.com has no DMARC record, and no parent domain has one"),
        ("error", "mail.dkim", "s1._domainkey.example.com has no record"),
        ("error", "mail.bounces.address", "b.example.com has no MX record"),
    ]


@pytest.mark.parametrize(
    ("sender", "asked"),
    [("", "example.com"), ('from = "a@Bücher.Example"\n', "xn--bcher-kva.example")],
    ids=["no sender", "not ASCII"],
)
def test_dns_is_queried_for_the_senders_domain_in_ascii(letter_site, sender, asked):
    """DNS is queried for the sender's domain in ASCII (RFC 5890); without a sender, for the site's host."""
    newsletter = NEWSLETTER.replace('from = "Test <letters@example.com>"\n', sender)
    with NameServer() as server:
        mail_diagnostics(letter_site, SMTP, server.resolver(), newsletter)
    assert server.queries == [(asked, "TXT"), (f"_dmarc.{asked}", "TXT")]


def relay_settings(first, *others):
    """Settings of SMTP servers, one for each relay."""
    tables = [("[mail.smtp]", first), *(("[[mail.servers]]", relay) for relay in others)]
    return "".join(f'{table}\nrelay = "{relay}"\nhost = "127.0.0.1"\n' for table, relay in tables)


@pytest.mark.parametrize(
    ("relays", "reasons"),
    [
        (["ses"], "ses replaces Date and Message-ID"),
        (
            ["mailgun", "postmark", "sendgrid"],
            "postmark rebuilds messages, sendgrid may replace the Message-ID",
        ),
    ],
    ids=["the only one", "one of several"],
)
def test_keys_that_a_relay_makes_useless_are_a_warning(letter_site, relays, reasons):
    """DKIM keys that a relay makes useless are a warning with the reason, and their records are not queried."""
    write_key(letter_site, "s1", RSA)
    with NameServer() as server:
        found = mail_diagnostics(letter_site, SMTP + relay_settings(*relays) + S1[1] + BOUNCES, server.resolver())
        assert ("s1._domainkey.example.com", "TXT") not in server.queries
    assert [diagnostic for diagnostic in found if "dkim" in diagnostic[1]] == [
        ("warning", "mail.dkim", f"letters are not signed with these keys: {reasons}")
    ]


def test_keys_are_used_where_no_relay_breaks_what_they_sign(letter_site):
    """Keys are checked if no relay breaks the signatures, and never reported as unused with the outbox transport."""
    write_key(letter_site, "s1", RSA)
    with NameServer() as server:
        found = mail_diagnostics(letter_site, SMTP + relay_settings("mailgun") + S1[1] + BOUNCES, server.resolver())
        assert ("error", "mail.dkim", "s1._domainkey.example.com has no record") in found
        assert mail_diagnostics(letter_site, relay_settings("ses") + S1[1] + BOUNCES, server.resolver()) == []


def test_letters_that_stay_here_need_no_records(letter_site):
    """With the outbox transport, DNS is not queried."""
    write_key(letter_site, "s1", RSA)
    with NameServer() as server:
        assert mail_diagnostics(letter_site, S1[1] + BOUNCES, server.resolver()) == []
        assert server.queries == []


def test_dns_that_does_not_answer_is_one_warning(letter_site):
    """If no name server answers, there is one warning after a short time, and no record is reported as missing."""
    with silent_socket() as socket:
        found = mail_diagnostics(
            letter_site, SMTP + BOUNCES, Resolver("127.0.0.1", socket.getsockname()[1], timeout=0.2)
        )
    assert found == [("warning", "mail", "DNS cannot be queried: the DNS query for example.com timed out")]


@pytest.mark.parametrize("transport", ["", SMTP])
def test_a_key_that_cannot_sign_is_an_error_wherever_letters_go(letter_site, transport):
    """A key file that is missing, not a key, or too weak is an error with any transport."""
    (letter_site.folder / "s2.pem").write_text("not a key", "utf-8")
    write_key(letter_site, "s3", generate_private_key(65537, 1024))
    s3 = S1[1].replace("s1", "s3")
    with NameServer() as server:
        found = mail_diagnostics(letter_site, transport + S1[1] + S2[1] + s3, server.resolver())
    assert [(level, where) for level, where, _ in found if "dkim" in where] == [
        ("error", f"mail.dkim[{at}].key_file") for at in range(3)
    ]
    key_messages = [what for _, where, what in found if "dkim" in where]
    assert key_messages[0] == f"{letter_site.folder / 's1.pem'}: cannot be read: No such file or directory"
    assert "not a private key in PEM" in key_messages[1]
    assert "this RSA key has 1024 bits" in key_messages[2]


def test_ed25519_alone_is_an_error(letter_site):
    """Ed25519 keys without an RSA key are an error, as large providers do not verify them; links are followed."""
    secrets = letter_site.folder / "elsewhere"
    secrets.mkdir()
    write_key(letter_site, "elsewhere/key", ED25519)
    (letter_site.folder / "s2.pem").symlink_to(secrets / "key.pem")
    [(level, where, what)] = mail_diagnostics(letter_site, S2[1], None)
    assert (level, where) == ("error", "mail.dkim")
    assert "an RSA key is missing" in what


def test_a_post_that_cannot_be_rendered_is_an_error(site, feeds):
    """A post that `feeds publish` would reject only when it renders it is an error of `feeds check` too."""
    site.post("deep", "> " * 300 + "x\n")
    done = feeds("check")
    assert done.returncode == 1
    assert "error\tposts/deep.md:5\tquotations, lists or elements are nested more than 200 deep" in done.stdout
