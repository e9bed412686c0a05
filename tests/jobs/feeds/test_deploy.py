"""The owner's command that brings files to the web."""

import pytest

from feeds.edges.store.database import open_store
from tests.conftest import CONFIG, NEWSLETTER, NOW

#: It notes what the web would have, and whether a letter had left by then.
NOTE = "(ls public/newsletters/weekly 2>/dev/null; ls outbox 2>/dev/null; echo run) >> log"


@pytest.fixture
def deployed(letter_site):
    def configure(command):
        letter_site.configure(f"{CONFIG}[publish]\nafter = '''{command}'''\n{NEWSLETTER}")

    configure(NOTE)
    letter_site.after = configure
    return letter_site


def log(site):
    file = site.folder / "log"
    return file.read_text("utf-8").split() if file.exists() else []


def test_files_are_deployed_before_anything_is_announced(deployed):
    """The issue's page, and what tells of it, are on the web when its first letter leaves."""
    report = deployed.publish()
    assert report.issues[0].state == "sent"
    words = log(deployed)
    assert words == ["1", "atom.xml", "index.html", "run"], words


def test_nothing_is_deployed_where_nothing_has_changed(deployed):
    """A pass that writes nothing runs nothing; neither does a dry run, nor one of a site without the command."""
    deployed.publish()
    before = log(deployed)
    deployed.publish()
    deployed.post("second")
    deployed.publish(dry_run=True)
    assert log(deployed) == before
    deployed.publish(feeds_only=True)
    assert log(deployed).count("run") == before.count("run") + 1


def test_a_command_that_fails_holds_letters_back_until_it_succeeds(deployed):
    """Its last words are told; the next pass runs it again though it has changed nothing itself."""
    deployed.after("echo first; echo no such host >&2; exit 3")
    report = deployed.publish()
    command = "'echo first; echo no such host >&2; exit 3'"
    assert f"publish.after: {command} ended with exit code 3: no such host" in report.errors[0]
    assert (len(report.errors), report.issues[0].state, deployed.letters()) == (1, "waiting", [])
    assert (deployed.folder / "public/feeds/atom.xml").exists()
    deployed.after(NOTE)
    report = deployed.publish()
    assert (report.errors, report.issues[0].state) == ([], "sent")
    words = log(deployed)
    assert "weekly" not in words[: words.index("run")]


def test_what_a_killed_pass_has_written_is_deployed_by_the_next(deployed):
    """It was written down before the first file."""
    deployed.publish()
    before = log(deployed).count("run")
    with open_store("sqlite:///feeds.db", deployed.folder) as store:
        store.feeds.mark_undeployed(NOW)
    deployed.publish()
    assert log(deployed).count("run") == before + 1
