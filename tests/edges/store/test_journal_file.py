"""The journal as a file."""

import stat
from datetime import UTC, datetime

import pytest

from feeds.edges.store import journal_file
from feeds.errors import OutputError
from feeds.model import IdAssigned, IssueRecorded, IssueState, SubscriberEvent

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GIVEN = IdAssigned(
    id="tag:a", path="a.md", text="d", title="„A“", published="2026-11-20T00:00:00+00:53:28", sketch=b"\0\xff"
)
TOLD = IssueRecorded(
    newsletter="weekly",
    number=2,
    slot=NOW,
    subject="S\n",
    state=IssueState.SENT,
    composed_at=NOW,
    entries={"story": ("tag:a", "tag:b")},
)
LEFT = SubscriberEvent(who="1-abc:def", what="left", newsletter="weekly", at=NOW)


@pytest.fixture
def file(tmp_path):
    return journal_file.journal_path(tmp_path / "feeds.db")


def _read(file):
    complaints = []
    return list(journal_file.read_records(file, complaints.append)), complaints


def test_lines_are_added_and_read_back(file):
    """A line each, in their order, for the owner only; without a file there are none."""
    assert _read(file) == ([], [])
    journal_file.append_records(file, [GIVEN, TOLD])
    first = file.read_bytes()
    journal_file.append_records(file, [LEFT])
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("feeds.db.journal", 0o600)
    assert file.read_bytes().startswith(first)
    assert len(file.read_text("utf-8").splitlines()) == 3
    assert _read(file) == ([GIVEN, TOLD, LEFT], [])


def test_a_line_that_was_being_written_harms_no_other(file):
    """It is passed over in silence while it is the last; what comes next begins a line of its own."""
    journal_file.append_records(file, [GIVEN])
    whole = file.read_bytes()
    journal_file.append_records(file, [LEFT])
    for cut in range(len(whole), file.stat().st_size - 1):
        torn = file.read_bytes()[:cut]
        (other := file.with_name("torn")).write_bytes(torn)
        assert _read(other) == ([GIVEN], [])
        journal_file.append_records(other, [LEFT])
        found, complaints = _read(other)
        assert found == [GIVEN, LEFT]
        assert [line.split(": ")[0] for line in complaints] == ([] if torn == whole else [f"{other}:2"])


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"\xff", b'{"about":"later"}', b'{"about":"id","id":1}'])
def test_a_damaged_line_is_named_and_left_out(file, line):
    """The others count."""
    journal_file.append_records(file, [GIVEN])
    with file.open("ab") as opened:
        opened.write(line + b"\n")
    journal_file.append_records(file, [LEFT])
    found, [complaint] = _read(file)
    assert found == [GIVEN, LEFT]
    assert complaint.startswith(f"{file}:2: cannot be read, and is left out: ")


def test_a_journal_that_cannot_be_used_is_named(file):
    """Nothing is taken for written that is not."""
    file.mkdir()
    with pytest.raises(OutputError, match=r"feeds\.db\.journal: cannot be written"):
        journal_file.append_records(file, [GIVEN])
    with pytest.raises(OutputError, match=r"feeds\.db\.journal: cannot be read"):
        _read(file)
