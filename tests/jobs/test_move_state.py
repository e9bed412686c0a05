"""The files that earlier versions kept beside the config file move into the state folder, once."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from feeds.edges.process.lock import lock_site
from feeds.errors import FeedsError, LockedError, StoreError
from feeds.jobs.move_state import move_state
from tests.mailing import subscribe

STATE = ["feeds.db", "feeds.db.journal", "feeds.key", "outbox"]


def laid_out_as_before(site):
    """Move a site's state to where earlier versions kept it; return the site."""
    for name in STATE:
        (site.folder / ".feeds" / name).rename(site.folder / name)
    (site.folder / ".feeds/cache").rename(site.folder / ".feeds-cache")
    shutil.rmtree(site.folder / ".feeds")
    return site


@pytest.fixture
def old_site(letter_site):
    """A site that an earlier version has published and sent to a subscriber."""
    subscribe(letter_site.folder, ["ada@example.org"])
    letter_site.publish()
    (letter_site.folder / ".feeds/feeds.key").write_text("of the old version\n", "ascii")
    return laid_out_as_before(letter_site)


def test_the_state_moves_and_nothing_is_announced_again(old_site):
    """Store, journal, keys and outbox move, the old cache is deleted, and the next publish sends nothing."""
    assert move_state(old_site.config) == ["moved to .feeds/: feeds.key, outbox, feeds.db.journal, feeds.db"]
    assert sorted(path.name for path in old_site.folder.iterdir()) == [".feeds", "config.toml", "posts", "public"]
    assert sorted(path.name for path in (old_site.folder / ".feeds").iterdir()) == [".gitignore", *STATE]
    assert stat.S_IMODE((old_site.folder / ".feeds").stat().st_mode) == 0o700
    report = old_site.publish()
    assert (report.issues, len(old_site.letters())) == ([], 2)
    assert move_state(old_site.config) == []


def test_every_command_finds_the_moved_state(old_site, feeds):
    """The first command moves the state and says so on standard error; its output is that of the moved store."""
    done = feeds("subscribers", "list", "--json")
    assert "ada@example.org" in done.stdout
    assert done.stderr == "moved to .feeds/: feeds.key, outbox, feeds.db.journal, feeds.db\n"
    assert feeds("subscribers", "list", "--json").stderr == ""
    assert old_site.letters()


def test_a_move_that_was_interrupted_is_finished(old_site):
    """A process that was killed leaves each file at one of two places, and the next one moves the rest."""
    (old_site.folder / ".feeds").mkdir()
    for name in ("feeds.key", "feeds.db.journal"):
        (old_site.folder / name).rename(old_site.folder / ".feeds" / name)
    assert move_state(old_site.config) == ["moved to .feeds/: outbox, feeds.db"]
    assert old_site.publish().issues == []


def test_what_is_only_in_the_wal_file_is_moved(old_site):
    """Changes that a killed process left in the WAL file are in the moved store."""
    code = "import sqlite3, os\ndb = sqlite3.connect('feeds.db', isolation_level=None)\n"
    code += "db.execute('PRAGMA journal_mode = WAL')\ndb.execute(\"UPDATE issues SET subject = 'late'\")\nos._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False, cwd=old_site.folder)
    assert (old_site.folder / "feeds.db-wal").stat().st_size > 0
    move_state(old_site.config)
    with closing(sqlite3.connect(old_site.folder / ".feeds/feeds.db")) as db:
        assert db.execute("SELECT subject FROM issues").fetchall() == [("late",)]
    assert not list(old_site.folder.glob("feeds.db*"))


def test_a_replaced_store_and_a_maildir_move_too(old_site):
    """A store that a restore has put aside holds addresses, and a Maildir is an outbox: both move."""
    (old_site.folder / "feeds.db.until-2026-11-24T12-00-00").write_bytes(b"x")
    shutil.rmtree(old_site.folder / "outbox")
    for name in ("new", "cur"):
        (old_site.folder / "outbox" / name).mkdir(parents=True)
        (old_site.folder / "outbox" / name / "1.feeds").write_bytes(b"x")
    (old_site.folder / "bounces").mkdir()
    (old_site.folder / "bounces" / "2026-11-20-0123456789abcdef.eml").write_bytes(b"x")
    [line] = move_state(old_site.config)
    assert line == (
        "moved to .feeds/: feeds.key, outbox, bounces, feeds.db.journal, feeds.db.until-2026-11-24T12-00-00, feeds.db"
    )


@pytest.mark.parametrize(
    "file", ["outbox/notes.md", "outbox/2026/trip/photo.jpg", "bounces/new/1.host", "bounces/a.eml"]
)
def test_a_folder_of_somebody_else_stays(old_site, file):
    """A folder that has the name of ours, but files that Feeds never wrote, is left where it is."""
    name = file.partition("/")[0]
    shutil.rmtree(old_site.folder / name, ignore_errors=True)
    (old_site.folder / file).parent.mkdir(parents=True)
    (old_site.folder / file).write_bytes(b"mine")
    assert name not in move_state(old_site.config)[0].split(": ")[1].split(", ")
    assert (old_site.folder / file).read_bytes() == b"mine"


def test_what_the_settings_name_stays(old_site):
    """`store.url` and `secrets.file` decide where the store and the keys are; if that is exposed, a warning says so."""
    old_site.configure(
        old_site.read("config.toml") + '[store]\nurl = "sqlite:///feeds.db"\n[secrets]\nfile = "feeds.key"\n'
    )
    assert move_state(old_site.config) == ["moved to .feeds/: outbox"]
    assert old_site.publish().issues == []
    assert [line.split(": ", 1)[1] for line in old_site.config.warnings] == [
        f"{key}: is beside this file, where git or a site generator may publish it; delete this line"
        f" ({name} then moves to the state folder)"
        for key, name in (("store.url", "feeds.db"), ("secrets.file", "feeds.key"))
    ]


def test_two_stores_are_an_error(old_site):
    """If both places have a store, nothing is overwritten, and the error names both."""
    (old_site.folder / ".feeds").mkdir()
    (old_site.folder / ".feeds/feeds.db").write_bytes(b"other")
    with pytest.raises(FeedsError, match=r"feeds\.db: .*\.feeds/feeds\.db exists too"):
        move_state(old_site.config)
    assert (old_site.folder / "feeds.db").stat().st_size > len(b"other")


def test_nothing_moves_while_another_process_uses_it(old_site):
    """A publish run, or a connection that writes, stops the move; afterwards it works."""
    with lock_site(old_site.folder), pytest.raises(LockedError, match="another publish is running"):
        move_state(old_site.config)
    with closing(sqlite3.connect(old_site.folder / "feeds.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="cannot be moved: database is locked"):
            move_state(old_site.config)
    assert "feeds.db" in move_state(old_site.config)[0]


def test_another_state_folder_is_used_for_everything(letter_site):
    """With `state`, store, journal, cache and outbox are in that folder, which only its owner may enter."""
    letter_site.configure('state = "private/of feeds"\n' + letter_site.read("config.toml"))
    letter_site.publish()
    state = letter_site.folder / "private/of feeds"
    assert sorted(path.name for path in state.iterdir()) == ["cache", "feeds.db", "feeds.db.journal", "outbox"]
    assert (letter_site.folder / "private/.gitignore").read_text("ascii") == "*\n"
    assert not (letter_site.folder / ".feeds").exists()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in letter_site.folder.glob("private/**/*")}
    assert set(modes.values()) == {0o600, 0o700}


def test_a_link_to_the_store_leads_to_the_same_store_when_it_has_moved(old_site):
    """A relative link is made anew: as it was, it would lead to a new, empty store that announces everything again."""
    (old_site.folder / "feeds.db").rename(old_site.folder / "mine.db")
    (old_site.folder / "feeds.db").symlink_to("mine.db")
    move_state(old_site.config)
    assert (old_site.folder / ".feeds/feeds.db").samefile(old_site.folder / "mine.db")
    assert not (old_site.folder / "feeds.db").is_symlink()
    assert (old_site.publish().issues, len(old_site.letters())) == ([], 2)


def test_a_link_that_was_made_before_a_kill_is_no_second_store(old_site):
    """A process that was killed after it made the link and before it removed the old one is finished."""
    (old_site.folder / "feeds.key").rename(old_site.folder / "mine.key")
    (old_site.folder / "feeds.key").symlink_to(old_site.folder / "mine.key")
    (old_site.folder / ".feeds").mkdir()
    (old_site.folder / ".feeds/feeds.key").symlink_to("../mine.key")
    move_state(old_site.config)
    assert (old_site.folder / ".feeds/feeds.key").samefile(old_site.folder / "mine.key")
    assert not (old_site.folder / "feeds.key").is_symlink()


@pytest.mark.parametrize("names", [[], ["feeds.db", "feeds.db.until-2026-11-23", "feeds.key", "outbox"]])
def test_a_state_folder_that_was_made_by_hand_becomes_private(letter_site, names):
    """It is closed and ignored by git before anything is written to it; its owner may open it afterwards."""
    state = letter_site.folder / ".feeds"
    state.mkdir(mode=0o755)
    for name in names:
        (state / name).touch()
    move_state(letter_site.config)
    assert (stat.S_IMODE(state.stat().st_mode), (state / ".gitignore").read_bytes()) == (0o700, b"*\n")
    state.chmod(0o750)
    move_state(letter_site.config)
    assert stat.S_IMODE(state.stat().st_mode) == 0o750


def test_a_folder_with_other_files_does_not_become_private(letter_site):
    """A state folder that is also used for something else keeps its mode, and git sees its files."""
    letter_site.configure('state = "data"\n' + letter_site.read("config.toml"))
    (letter_site.folder / "data").mkdir(mode=0o755)
    (letter_site.folder / "data/menu.yaml").touch()
    move_state(letter_site.config)
    assert stat.S_IMODE((letter_site.folder / "data").stat().st_mode) == 0o755
    assert not (letter_site.folder / "data/.gitignore").exists()
