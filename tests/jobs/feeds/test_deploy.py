"""`publish.after`, the command that deploys `public/`."""

import pytest

from feeds.edges.store.database import open_store
from tests.conftest import CONFIG, NEWSLETTER, NOW

#: Logs which files exist, and whether a letter was sent by then.
LOG = "(ls public/newsletters/weekly 2>/dev/null; ls .feeds/outbox 2>/dev/null; echo run) >> log"


@pytest.fixture
def deployed(letter_site):
    def configure(command):
        letter_site.configure(f"{CONFIG}[publish]\nafter = '''{command}'''\n{NEWSLETTER}")

    configure(LOG)
    letter_site.after = configure
    return letter_site


def log(site):
    file = site.folder / "log"
    return file.read_text("utf-8").split() if file.exists() else []


def test_files_are_deployed_before_anything_is_announced(deployed):
    """The command runs when the issue's page and feed are written and no letter has been sent."""
    report = deployed.publish()
    assert report.issues[0].state == "sent"
    assert log(deployed) == ["1", "atom.xml", "index.html", "run"]


def test_nothing_is_deployed_where_nothing_has_changed(deployed):
    """The command does not run if nothing was written, nor in a dry run."""
    deployed.publish()
    before = log(deployed)
    deployed.publish()
    deployed.post("second")
    deployed.publish(dry_run=True)
    assert log(deployed) == before
    deployed.publish(feeds_only=True)
    assert log(deployed).count("run") == before.count("run") + 1


@pytest.mark.usefixtures("databases")
def test_a_command_that_fails_holds_letters_back_until_it_succeeds(deployed):
    """A command that fails is reported with its last line; letters wait, and the next run tries it again."""
    deployed.after("echo first; echo no such host >&2; exit 3")
    report = deployed.publish()
    command = "'echo first; echo no such host >&2; exit 3'"
    assert f"publish.after: {command} ended with exit code 3: no such host" in report.errors[0]
    assert (len(report.errors), report.issues[0].state, deployed.letters()) == (1, "waiting", [])
    assert (deployed.folder / "public/feeds/atom.xml").exists()
    deployed.after(LOG)
    report = deployed.publish()
    assert (report.errors, report.issues[0].state) == ([], "sent")
    lines = log(deployed)
    assert "weekly" not in lines[: lines.index("run")]


@pytest.mark.usefixtures("databases")
def test_what_a_killed_run_has_written_is_deployed_by_the_next(deployed):
    """If a run was killed before the command succeeded, the next run deploys what it wrote."""
    deployed.publish()
    before = log(deployed).count("run")
    with open_store(deployed.config.store_url, deployed.folder) as store:
        store.feeds.mark_undeployed(NOW)
    deployed.publish()
    assert log(deployed).count("run") == before + 1
