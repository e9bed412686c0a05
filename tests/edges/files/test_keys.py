"""The key file of a site, on a real disk."""

import stat

import pytest

from feeds.edges.files.keys import load_keys
from feeds.errors import FeedsError


def test_keys_are_created_once_and_only_their_owner_may_read_them(tmp_path):
    """Each purpose has another key, and no temporary file is left."""
    file = tmp_path / "feeds.key"
    keys = load_keys(file)
    assert load_keys(file) == keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.key"]
    assert keys.current_unsubscribe_key[1] != keys.current_suppression_key[1]


def test_an_older_key_still_verifies(tmp_path):
    """The key with the highest number signs."""
    file = tmp_path / "feeds.key"
    before = load_keys(file)
    with file.open("a", encoding="ascii") as opened:
        opened.write(f"\nleave 2 {'ab' * 32}\n")
    after = load_keys(file)
    assert after.current_unsubscribe_key == (2, b"\xab" * 32)
    assert after.leave[1] == before.leave[1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("leave 1 zz\nsuppress 1 00\n", r"feeds\.key:1: must be a purpose, a number and a key"),
        (
            "leave 1 00\n",
            r"feeds\.key:1: the purpose must be leave or suppress, the number 1 to 255, and the key 32 b",
        ),
        (f"# all\nleft 1 {'00' * 32}\n", r"feeds\.key:2: the purpose must be leave or suppress"),
        (f"leave 1 {'00' * 32}\n", r"feeds\.key: the suppress key is missing"),
        ("é", r"feeds\.key: the keys cannot be read: not ASCII text"),
    ],
)
def test_an_invalid_key_file_is_an_error_with_its_line(tmp_path, text, error):
    """It is not replaced by new keys: the unsubscribe links in sent letters would become invalid."""
    (tmp_path / "feeds.key").write_text(text, "utf-8")
    with pytest.raises(FeedsError, match=error):
        load_keys(tmp_path / "feeds.key")
    assert (tmp_path / "feeds.key").read_text("utf-8") == text
    with pytest.raises(FeedsError, match="cannot be read"):
        load_keys(tmp_path)
