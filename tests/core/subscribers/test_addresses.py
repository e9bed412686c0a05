"""Addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.addresses import parse
from feeds.errors import AddressError


def test_addresses_are_compared_without_case_and_with_idn_as_punycode():
    """One mailbox, one key."""
    assert parse("Ada@EXAMPLE.org").key == parse(" ada@example.org ").key == "ada@example.org"
    assert parse("a@bücher.example.org").key == "a@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    "text", ["", "ada", "a@b@c.org", "a@b.org\nBcc: x@y.org", "a@b.org, c@d.org", "@b.org", "a" * 300 + "@b.org"]
)
def test_what_mail_could_not_be_sent_to_is_refused(text):
    """In words, and nothing is half taken."""
    with pytest.raises(AddressError, match="is no mail address"):
        parse(text)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_refusal(text):
    """Whatever somebody types."""
    try:
        assert "@" in parse(text).key
    except AddressError as refusal:
        assert refusal.reason
