"""Messages that lie about, on a real disk."""

import pytest

from feeds.edges.files.erase_files import erase_mentions, erase_messages
from feeds.edges.mail.outbox import Maildir, Outbox
from feeds.errors import OutputError

MESSAGE = "DKIM-Signature: v=1\r\nTo: {}\r\nFrom: Ada <ada@example.org>\r\n\r\nTo: ada@example.org\r\n"


def _kept(outbox, *recipients):
    for recipient in recipients:
        outbox.write_message("weekly/1", recipient, MESSAGE.format(recipient).encode())


@pytest.mark.parametrize("kind", [Outbox, Maildir])
def test_only_messages_to_somebody_are_removed(tmp_path, kind):
    """Whatever the file is called, in whatever case; not what is from them or speaks of them."""
    _kept(kind(tmp_path), "Ada@example.org", "bada@example.org", "bob@example.org")
    assert erase_messages(tmp_path, {"ada@example.org", "ada@xn--bcher-kva.example"}) == 1
    left = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(message.splitlines()[1] for message in left) == ["To: bada@example.org", "To: bob@example.org"]
    assert erase_messages(tmp_path, {"ada@example.org"}) == 0
    assert erase_messages(tmp_path / "nowhere", {"ada@example.org"}) == 0


@pytest.mark.parametrize(
    ("text", "gone"),
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
def test_what_names_somebody_is_removed(tmp_path, text, gone):
    """The very address, not one that contains it."""
    (tmp_path / "a.eml").write_text(f"From: x\n\n{text}\n")
    assert erase_mentions(tmp_path, {"ada@example.org"}) == int(gone)
    assert (tmp_path / "a.eml").exists() is not gone


def test_what_cannot_be_read_is_told(tmp_path):
    """Somebody must not be taken for forgotten while a letter to them lies there."""
    (tmp_path / "a.eml").symlink_to("/proc/self/mem")
    with pytest.raises(OutputError, match=r"a\.eml: cannot be read"):
        erase_messages(tmp_path, {"ada@example.org"})
