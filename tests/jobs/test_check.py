"""`feeds check`, on a real site."""

import json

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
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.dns import NameServer, quoted, silent_socket

ADDRESS = 'address = "1 Lane"\n'


def told(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_good_site_passes(letter_site, feeds):
    """Exit 0, and not a word."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    done = feeds("check", "--now", "2026-11-23T12:00Z")
    assert (done.returncode, done.stdout) == (0, "0 errors, 0 warnings\n")


def test_what_is_wrong_anywhere_is_told_and_is_exit_1(letter_site, feeds):
    """A post that cannot be read, one whose reading time is wrong, a pale theme, a letter with a relative link."""
    letter_site.configure(
        f'{CONFIG}{NEWSLETTER}[[newsletters]]\nname = "b"\nschedule = "0 8 * * 1"\n'
        '[newsletters.theme]\naccent = "#dddddd"\n'
    )
    letter_site.post("broken", title=None)
    letter_site.post("slow", reading_time=99)
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    found = {(remark["level"], remark["where"].rpartition("/")[2].partition(":")[0]) for remark in told(done)}
    assert done.returncode == 1
    assert {
        ("error", "broken.md"),
        ("warning", "slow.md"),
        ("error", "config.toml"),
        ("warning", "config.toml"),
    } <= found
    assert {"level", "where", "what", "why", "do"} == set(told(done)[0])


def test_an_issue_that_cannot_be_composed_is_told(letter_site, feeds):
    """With the template's file and line, before the slot is there."""
    letter_site.configure(CONFIG + NEWSLETTER + ADDRESS)
    template = letter_site.folder / "templates" / "letter" / "foot.mjml"
    template.parent.mkdir(parents=True)
    template.write_text("\n<mj-secton />", "utf-8")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    assert [(r["level"], r["where"]) for r in told(done)] == [("error", "next issue of weekly")]
    assert "templates/letter/foot.mjml:2: MJML has no element <mj-secton>; did you mean mj-section?" in done.stdout


def test_nothing_is_written(letter_site, feeds):
    """It only looks; not even a store is made."""
    before = letter_site.files("posts", "config.toml", "public", "outbox")
    feeds("check")
    assert letter_site.files("posts", "config.toml", "public", "outbox") == before
    assert not (letter_site.folder / "feeds.db").exists()


def test_a_link_to_no_place_in_a_post_is_told_where_it_is_written(letter_site, feeds):
    """In a post by file and line, once, though the letter shows it too; in the editor's note as the letter's."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("[mail]", 'template = "letter"\n[mail]') + ADDRESS)
    letter_site.post("first", "## Set up\n\n[good](#set-up)\n[bad](#setup-1)\n[another](/2026/11/19/second/#there)\n")
    letter_site.post("second", "## Here\n", date="2026-11-19")
    note = letter_site.folder / "letters" / "weekly" / "next.md"
    note.parent.mkdir(parents=True)
    note.write_text("[good](/2026/11/20/first/#set-up) [bad](/2026/11/20/first/#sett-up)\n", "utf-8")
    done = feeds("check", "--json", "--now", "2026-11-23T12:00Z")
    assert done.returncode == 0
    assert [(r["level"], r["where"], r["do"]) for r in told(done)] == [
        ("warning", "posts/first.md:9", "write #set-up, if that is meant"),
        ("warning", "posts/first.md:10", "write #here, if that is meant"),
        ("warning", "next issue of weekly", "write #set-up, if that is meant"),
    ]


# Who letters come from --------------------------------------------------------------------------------------------

SMTP = 'transport = "smtp"\n'
S1, S2 = ((name, f'[[mail.dkim]]\nselector = "{name}"\nkey_file = "{name}.pem"\n') for name in ("s1", "s2"))
BOUNCES = '[mail.bounces]\naddress = "bounces@b.example.com"\nmailbox = "maildir:/var/mail/bounces"\n'
RSA, ED25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()


def signed(site, name, key):
    """Keep a key where the settings name it; return its record."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (site.folder / f"{name}.pem").write_bytes(pem)
    return dkim_record(DkimKey(name, key))


def checked(site, mail, resolver, newsletter=NEWSLETTER):
    """What is said of how letters leave, with `mail` in the settings: (level, key, what)."""
    site.configure(CONFIG + newsletter + ADDRESS + mail)
    config = site.config
    with workers(1) as team, open_store("sqlite:///feeds.db", site.folder, create=False) as store:
        found = survey_posts(config, now=NOW, known=[], options=SurveyOptions(team=team, progress=lambda *_: None))
        remarks = list(
            check_site(Site(config), found, store.issues, team, resolver, now=NOW, context=Context(clock=lambda: NOW))
        )
    of_mail = [r for r in remarks if r.where.startswith(f"{config.path}: mail")]
    assert all(r.why and r.do for r in of_mail)
    return [(r.level, r.where.partition(": ")[2], r.what) for r in of_mail]


def test_a_sender_whom_receivers_can_know_passes(letter_site):
    """SPF, DMARC, a record for each key, and a server for mail that comes back, as a real name server tells them."""
    keys = {"s1": signed(letter_site, "s1", RSA), "s2": signed(letter_site, "s2", ED25519)}
    records = {
        ("example.com", "TXT"): [quoted("v=spf1 mx -all")],
        ("b.example.com", "TXT"): [quoted("v=spf1 mx -all")],
        ("b.example.com", "MX"): ["10 mx.example.com."],
        ("_dmarc.example.com", "TXT"): [quoted("v=DMARC1; p=none")],
        **{(f"{name}._domainkey.example.com", "TXT"): [quoted(text)] for name, text in keys.items()},
    }
    with NameServer(records) as server:
        assert checked(letter_site, SMTP + S1[1] + S2[1] + BOUNCES, server.resolver()) == []
        assert len(server.queries) == len(records)


def test_what_receivers_would_miss_is_told(letter_site):
    """Every record that is not there is an error, as soon as mail leaves this machine."""
    signed(letter_site, "s1", RSA)
    with NameServer() as server:
        found = checked(letter_site, SMTP + S1[1] + BOUNCES, server.resolver())
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
    ids=["nobody", "beyond ASCII"],
)
def test_dns_is_asked_for_the_senders_domain_as_it_is_written_there(letter_site, sender, asked):
    """In ASCII (RFC 5890); where nobody is named, for the site's host, of which the sender's address is made."""
    newsletter = NEWSLETTER.replace('from = "Test <letters@example.com>"\n', sender)
    with NameServer() as server:
        checked(letter_site, SMTP, server.resolver(), newsletter)
    assert server.queries == [(asked, "TXT"), (f"_dmarc.{asked}", "TXT")]


def through(first, *others):
    """Settings of servers, one for each relay."""
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
def test_keys_that_a_relay_would_make_useless_are_told_of(letter_site, relays, reasons):
    """And no record is missed for them."""
    signed(letter_site, "s1", RSA)
    with NameServer() as server:
        found = checked(letter_site, SMTP + through(*relays) + S1[1] + BOUNCES, server.resolver())
        assert ("s1._domainkey.example.com", "TXT") not in server.queries
    assert [remark for remark in found if "dkim" in remark[1]] == [
        ("warning", "mail.dkim", f"letters are not signed with these keys: {reasons}")
    ]


def test_keys_are_used_where_no_relay_breaks_what_they_sign(letter_site):
    """Nor where letters go into the outbox, whatever relay stands there."""
    signed(letter_site, "s1", RSA)
    with NameServer() as server:
        found = checked(letter_site, SMTP + through("mailgun") + S1[1] + BOUNCES, server.resolver())
        assert ("error", "mail.dkim", "s1._domainkey.example.com has no record") in found
        assert checked(letter_site, through("ses") + S1[1] + BOUNCES, server.resolver()) == []


def test_letters_that_stay_here_need_no_records(letter_site):
    """With `outbox`, nothing leaves the machine: neither mail nor a question."""
    signed(letter_site, "s1", RSA)
    with NameServer() as server:
        assert checked(letter_site, S1[1] + BOUNCES, server.resolver()) == []
        assert server.queries == []


def test_dns_that_cannot_be_asked_is_one_warning(letter_site):
    """Nothing is said to be missing when nobody has answered, and nobody waits long."""
    with silent_socket() as socket:
        found = checked(letter_site, SMTP + BOUNCES, Resolver("127.0.0.1", socket.getsockname()[1], timeout=0.2))
    assert found == [("warning", "mail", "DNS cannot be queried: the DNS query for example.com timed out")]


@pytest.mark.parametrize("transport", ["", SMTP])
def test_a_key_that_cannot_sign_is_an_error_wherever_letters_go(letter_site, transport):
    """A file that is missing, one that is no key, one too weak: publish would stop there, so it is told before."""
    (letter_site.folder / "s2.pem").write_text("not a key", "utf-8")
    signed(letter_site, "s3", generate_private_key(65537, 1024))
    s3 = S1[1].replace("s1", "s3")
    with NameServer() as server:
        found = checked(letter_site, transport + S1[1] + S2[1] + s3, server.resolver())
    assert [(level, where) for level, where, _ in found if "dkim" in where] == [
        ("error", f"mail.dkim[{at}].key_file") for at in range(3)
    ]
    of_keys = [what for _, where, what in found if "dkim" in where]
    assert of_keys[0] == f"{letter_site.folder / 's1.pem'}: cannot be read: No such file or directory"
    assert "not a private key in PEM" in of_keys[1]
    assert "this RSA key has 1024 bits" in of_keys[2]


def test_ed25519_alone_is_an_error(letter_site):
    """Large providers do not verify it (RFC 8463 knows no way to tell them); a link to the key's file is followed."""
    secrets = letter_site.folder / "elsewhere"
    secrets.mkdir()
    signed(letter_site, "elsewhere/key", ED25519)
    (letter_site.folder / "s2.pem").symlink_to(secrets / "key.pem")
    [(level, where, what)] = checked(letter_site, S2[1], None)
    assert (level, where) == ("error", "mail.dkim")
    assert "an RSA key is missing" in what
