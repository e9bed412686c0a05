"""The journal file."""

import stat
from datetime import UTC, datetime

import pytest

from feeds.edges.store import journal_file
from feeds.errors import OutputError
from feeds.model import IdAssigned, IssueRecorded, IssueState, SubscriberEvent

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ID = IdAssigned(
    id="tag:a", path="a.md", text="d", title="„A“", published="2026-11-20T00:00:00+00:53:28", sketch=b"\0\xff"
)
ISSUE = IssueRecorded(
    newsletter="weekly",
    number=2,
    slot=NOW,
    subject="S\n",
    state=IssueState.SENT,
    composed_at=NOW,
    entries={"story": ("tag:a", "tag:b")},
)
EVENT = SubscriberEvent(who="1-abc:def", what="left", newsletter="weekly", at=NOW)


@pytest.fixture
def file(tmp_path):
    return journal_file.journal_path(tmp_path / "feeds.db")


def _read(file):
    warnings = []
    return list(journal_file.read_records(file, warnings.append)), warnings


def test_lines_are_added_and_read_back(file):
    """Appended records are read back in order; the file is private, and a missing file has no records."""
    assert _read(file) == ([], [])
    journal_file.append_records(file, [ID, ISSUE])
    first = file.read_bytes()
    journal_file.append_records(file, [EVENT])
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("feeds.db.journal", 0o600)
    assert file.read_bytes().startswith(first)
    assert len(file.read_text("utf-8").splitlines()) == 4
    assert _read(file) == ([ID, ISSUE, EVENT], [])


def test_a_journal_is_known_by_its_first_line(file):
    """Two files with the same records have different ids, which no further record changes; no file has none."""
    assert journal_file.read_journal_id(file) is None
    file.write_bytes(b"")
    assert journal_file.read_journal_id(file) is None
    journal_file.append_records(file, [ID])
    journal_file.append_records(other := file.with_name("other"), [ID])
    found = journal_file.read_journal_id(file)
    assert found not in (journal_file.read_journal_id(other), None)
    journal_file.append_records(file, [EVENT])
    assert journal_file.read_journal_id(file) == found
    other.write_bytes(b'{"about":"jour')
    found = journal_file.read_journal_id(other)
    journal_file.append_records(other, [EVENT])
    assert journal_file.read_journal_id(other) == found


def test_a_line_that_was_being_written_harms_no_other(file):
    """An incomplete last line is ignored, and the next record begins a new line."""
    journal_file.append_records(file, [ID])
    whole = file.read_bytes()
    journal_file.append_records(file, [EVENT])
    for cut in range(len(whole), file.stat().st_size - 1):
        incomplete = file.read_bytes()[:cut]
        (other := file.with_name("torn")).write_bytes(incomplete)
        assert _read(other) == ([ID], [])
        journal_file.append_records(other, [EVENT])
        found, warnings = _read(other)
        assert found == [ID, EVENT]
        assert [line.split(": ")[0] for line in warnings] == ([] if incomplete == whole else [f"{other}:3"])


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"\xff", b'{"about":"later"}', b'{"about":"id","id":1}'])
def test_a_damaged_line_is_named_and_left_out(file, line):
    """A damaged line gives a warning with its number, and the other lines are read."""
    journal_file.append_records(file, [ID])
    with file.open("ab") as stream:
        stream.write(line + b"\n")
    journal_file.append_records(file, [EVENT])
    found, [warning] = _read(file)
    assert found == [ID, EVENT]
    assert warning.startswith(f"{file}:3: cannot be read, and is ignored: ")


def test_a_journal_that_cannot_be_used_is_named(file):
    """A journal that cannot be written or read is an error with its path."""
    file.mkdir()
    with pytest.raises(OutputError, match=r"feeds\.db\.journal: cannot be written"):
        journal_file.append_records(file, [ID])
    with pytest.raises(OutputError, match=r"feeds\.db\.journal: cannot be read"):
        _read(file)
