"""Removing files with an address, on a real disk."""

import pytest

from feeds.edges.files.erase_files import erase_mentions, erase_messages
from feeds.edges.mail.outbox import Maildir, Outbox
from feeds.errors import OutputError

MESSAGE = "DKIM-Signature: v=1\r\nTo: {}\r\nFrom: Ada <ada@example.org>\r\n\r\nTo: ada@example.org\r\n"


def _write(outbox, *recipients):
    for recipient in recipients:
        outbox.write_message("weekly/1", recipient, MESSAGE.format(recipient).encode())


@pytest.mark.parametrize("kind", [Outbox, Maildir])
def test_only_messages_to_an_address_are_removed(tmp_path, kind):
    """File name and case do not matter; messages from the address, or that mention it, stay."""
    _write(kind(tmp_path), "Ada@example.org", "bada@example.org", "bob@example.org")
    assert erase_messages(tmp_path, {"ada@example.org", "ada@xn--bcher-kva.example"}) == 1
    left = [file.read_text() for file in tmp_path.rglob("*") if file.is_file() and file.name != ".gitignore"]
    assert sorted(message.splitlines()[1] for message in left) == ["To: bada@example.org", "To: bob@example.org"]
    assert erase_messages(tmp_path, {"ada@example.org"}) == 0
    assert erase_messages(tmp_path / "nowhere", {"ada@example.org"}) == 0


@pytest.mark.parametrize(
    ("text", "is_removed"),
    [
        ("Final-Recipient: rfc822; ADA@example.org", True),
        ("<ada@example.org>: no such user.", True),
        ("ada@example.org.", True),
        ("bada@example.org", False),
        ("x.ada@example.org", False),
        ("ada@example.org.uk", False),
        ("ada@example.orgs", False),
        ("Final-Recipient: rfc822; bob@example.org", False),
    ],
)
def test_files_that_mention_an_address_are_removed(tmp_path, text, is_removed):
    """A longer address that contains it does not count."""
    (tmp_path / "a.eml").write_text(f"From: x\n\n{text}\n")
    assert erase_mentions(tmp_path, {"ada@example.org"}) == int(is_removed)
    assert (tmp_path / "a.eml").exists() is not is_removed


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    """A subscriber must not count as erased while there may be a letter with the address."""
    (tmp_path / "a.eml").symlink_to("/proc/self/mem")
    with pytest.raises(OutputError, match=r"a\.eml: cannot be read"):
        erase_messages(tmp_path, {"ada@example.org"})
