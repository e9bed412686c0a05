"""The site's keys, on a real disk."""

import stat

import pytest

from feeds.edges.files.keys import load_keys
from feeds.errors import FeedsError


def test_keys_are_made_once_and_only_their_owner_may_read_them(tmp_path):
    """Each purpose has its own; nothing else is left behind."""
    file = tmp_path / "feeds.key"
    found = load_keys(file)
    assert load_keys(file) == found
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.key"]
    assert found.current_unsubscribe_key[1] != found.current_suppression_key[1]


def test_a_key_that_is_replaced_still_verifies(tmp_path):
    """The highest number signs."""
    file = tmp_path / "feeds.key"
    before = load_keys(file)
    with file.open("a", encoding="ascii") as opened:
        opened.write(f"\nleave 2 {'ab' * 32}\n")
    after = load_keys(file)
    assert after.current_unsubscribe_key == (2, b"\xab" * 32)
    assert after.leave[1] == before.leave[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("leave 1 zz\nsuppress 1 00\n", r"feeds\.key:1: is not a purpose, a number and a key"),
        ("leave 1 00\n", r"feeds\.key:1: must be leave or suppress, 1 to 255, and 32 bytes"),
        (f"# all\nleft 1 {'00' * 32}\n", r"feeds\.key:2: must be leave or suppress"),
        (f"leave 1 {'00' * 32}\n", r"feeds\.key: there is no suppress key"),
        ("é", r"feeds\.key: the keys cannot be used: not plain text"),
    ],
)
def test_what_is_no_key_is_named(tmp_path, text, told):
    """By its line; nothing is made in its place, since that would make links that are out worthless."""
    (tmp_path / "feeds.key").write_text(text, "utf-8")
    with pytest.raises(FeedsError, match=told):
        load_keys(tmp_path / "feeds.key")
    assert (tmp_path / "feeds.key").read_text("utf-8") == text
    with pytest.raises(FeedsError, match="cannot be used"):
        load_keys(tmp_path)
