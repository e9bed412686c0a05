"""`feeds check`, on a real site."""

import json

from tests.conftest import CONFIG, NEWSLETTER

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
