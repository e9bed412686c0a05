"""`feeds signups` and `feeds signup-form`."""

import json
from html.parser import HTMLParser

import pytest

from tests.conftest import CONFIG, NEWSLETTER
from tests.signups import SignupSite


@pytest.mark.parametrize("generator", ["html", "jekyll", "hugo", "astro"])
def test_the_form_opens_the_sign_up_page(site, feeds, generator):
    """The printed form is a GET form to the page, and says where it goes."""
    SignupSite.create(site)
    done = feeds("signup-form", "--for", generator, "--newsletter", "weekly", "--lang", "de")
    assert done.returncode == 0
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(done.stdout)
    form = dict(found)["form"]
    assert (form["action"], form["method"], form["lang"]) == ("https://letters.example.com/subscribe", "get", "de")
    assert [a["name"] for tag, a in found if tag == "input"] == ["email", "newsletter"]
    assert ("{" in done.stdout, "<script" in done.stdout) == (False, False)
    assert (f"{generator}" == "html") == (done.stderr == "")


def test_a_link_carries_the_newsletters(site, feeds):
    """`--link` prints a link instead of a form."""
    SignupSite.create(site)
    done = feeds("signup-form", "--link", "--newsletter", "weekly")
    assert done.stdout == '<a href="https://letters.example.com/subscribe?newsletter=weekly">Subscribe</a>\n'


@pytest.mark.parametrize(
    ("config", "arguments", "reason"),
    [
        (CONFIG + NEWSLETTER, [], "web.url is not set"),
        (None, ["--newsletter", "daily"], "does not offer 'daily'; it offers: weekly"),
        (None, ["--lang", "xx"], "there are no texts in 'xx'; use one of: ar, cs, de, en, es, fa, fr, "),
    ],
)
def test_a_form_that_would_not_work_is_not_printed(site, feeds, config, arguments, reason):
    """The error says what is missing, and nothing is printed."""
    SignupSite.create(site)
    if config:
        site.configure(config)
    done = feeds("signup-form", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr


def test_the_editor_lists_accepts_and_rejects(site, feeds):
    """The commands name what is held and why, send a confirmation, and delete the rest."""
    door = SignupSite.create(site)
    for n, name in enumerate(("ada", "eve")):
        door.sign_up(f"{name}@example.org", f"10.0.{n}.1", honeypot="x", seconds=1)
    door.run_round()
    listed = [json.loads(line) for line in feeds("signups", "list", "--json").stdout.splitlines()]
    assert [one["email"] for one in listed] == ["ada@example.org", "eve@example.org"]
    assert listed[0]["held"] == "a hidden field is filled in; sent within 3 seconds"
    assert "ada@example.org" in feeds("signups", "list").stdout
    assert feeds("signups", "accept").returncode == 2
    assert feeds("signups", "accept", "ada@example.org").stdout == "1 confirmation queued, 1 sent now\n"
    assert feeds("signups", "reject", "--all").stdout == "1 sign-up deleted\n"
    assert feeds("signups", "list").stdout == "no sign-up is held\n"
    assert feeds("signups", "reopen").stdout == "0 complaints no longer counted\n"
    assert len(door.mails()) == 1


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('newsletters = ["weakly"]', "signup.newsletters[0]: 'weakly' is not a newsletter; did you mean 'weekly'?"),
        ('welcome = "hello.md"', "signup.welcome: 'hello.md' does not exist"),
        ('welcome = ["latest", "hello.md"]', "signup.welcome[1]: 'hello.md' does not exist"),
        ('reminder = "soon"', "signup.reminder: 'soon' is not a duration"),
        ('expire = "5 min"', "signup.expire: must be at least 1 hour"),
        ("confirmations_per_hour = 0", "signup.confirmations_per_hour"),
        ("opne = true", "did you mean `open`?"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(site, feeds, lines, reason):
    """Each wrong value of `[signup]` is one line with file, line and key."""
    SignupSite.create(site, lines)
    done = feeds("publish")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "config.toml:" in done.stderr
