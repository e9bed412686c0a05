"""Tokens of links: signed for one purpose, bound to one address."""

from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from feeds.core.newsletters import tokens
from feeds.core.subscribers.link_tokens import Link, LinkPurpose, parse_link, sign_link, verify_link

KEYS = {1: b"a" * 32, 7: b"b" * 32}
LINKS = st.builds(
    Link,
    purpose=st.sampled_from(LinkPurpose),
    subscriber_id=st.integers(0, 2**40 - 1),
    expires_at=st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    value=st.text(max_size=60),
)


@given(LINKS, st.sampled_from([*KEYS]), st.text(max_size=30))
def test_a_token_gives_its_link_and_is_verified(link, key_id, bound_to):
    """A token has its link, and is verified with the key that signed it; its characters need no escape in a URL."""
    token = sign_link(link, key_id, KEYS[key_id], bound_to)
    assert parse_link(token, link.purpose) == link
    assert verify_link(token, link.purpose, KEYS, bound_to)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert link.value or len(token) != tokens.LENGTH


@given(LINKS, st.text(max_size=30), st.data())
def test_a_token_is_valid_for_nothing_else(link, bound_to, data):
    """A token is not valid for another purpose, address or key, nor with one other character or length."""
    token = sign_link(link, 1, KEYS[1], bound_to)
    other = data.draw(st.sampled_from(LinkPurpose))
    assert verify_link(token, other, KEYS, bound_to) == (other is link.purpose)
    text = data.draw(st.text(max_size=30))
    assert verify_link(token, link.purpose, KEYS, text) == (text == bound_to)
    assert not verify_link(token, link.purpose, {1: KEYS[7]}, bound_to)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCxyz019-_="))
    changed = data.draw(st.sampled_from([token[:at], token + character, token[:at] + character + token[at + 1 :]]))
    assume(changed != token)
    assert not verify_link(changed, link.purpose, KEYS, bound_to)


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    """Any text is no valid token, and reading it is no error."""
    parse_link(text, LinkPurpose.UNDO)
    assert not verify_link(text, LinkPurpose.UNDO, KEYS, "")
