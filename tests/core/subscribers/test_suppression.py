"""Digests of addresses on the suppression list."""

import hmac
from base64 import urlsafe_b64decode

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.suppression import AddressHasher

KEYS = st.dictionaries(st.integers(1, 255), st.binary(min_size=32, max_size=32), max_size=4)


def test_a_digest_is_an_hmac_and_tells_its_key():
    """A digest is the HMAC-SHA256 of the address as addresses are compared, after the number and id of the key."""
    [digest] = AddressHasher({7: b"k" * 32}).digests("ada@example.org")
    key_id, _, hashed = digest.partition(":")
    assert key_id.startswith("7-")
    assert urlsafe_b64decode(f"{hashed}=") == hmac.digest(b"k" * 32, b"ada@example.org", "sha256")
    assert len(digest) <= 64


@given(KEYS, st.binary(min_size=32, max_size=32), st.text())
def test_what_an_older_key_has_kept_is_still_found(keys, new, address):
    """Digests of older keys are still found; new ones use the newest key."""
    before = AddressHasher(keys)
    after = AddressHasher(keys | {256: new})
    assert set(before.digests(address)) < set(after.digests(address))
    assert after.digests(address)[0].startswith("256-")
    assert before.key_ids < after.key_ids


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_file_that_was_made_anew_does_not_pass_for_the_one_that_was_lost(one, other):
    """A key file that was created again has another key id, so its digests are not mistaken for the old ones."""
    assert (AddressHasher({1: one}).key_ids == AddressHasher({1: other}).key_ids) is (one == other)
