"""Leaving by the link of a letter, and undoing it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters import tokens
from feeds.errors import LinkError
from feeds.jobs.subscribers import leave, subscribe
from feeds.jobs.subscribers.erase import erase_subscriber
from tests.conftest import CONFIG, NOW
from tests.subscribed import ADA, TWO, contents, context, letter_token, stored, subscribe_ada


@pytest.fixture
def config(site):
    return subscribe_ada(site)


@pytest.mark.usefixtures("databases")
def test_a_link_leaves_one_newsletter_and_the_last_one_all(config):
    """A link ends its subscription and no other; after the last one the subscriber is unsubscribed."""
    found = leave.leave(config, letter_token(config), context())
    assert (found.title, found.address, found.lang, found.is_subscribed) == ("The weekly", "a•••@e•••.org", "de", False)
    assert stored(config) == ("active", {"daily": ()})
    leave.leave(config, letter_token(config, "daily"), context())
    assert stored(config) == ("unsubscribed", {})


@pytest.mark.usefixtures("databases")
def test_looking_at_a_link_changes_nothing(config):
    """Whether somebody is subscribed is shown without any change of the database, before and after they left."""
    before = contents(config)
    assert leave.find_subscription(config, letter_token(config), context()).is_subscribed
    assert contents(config) == before
    undo = leave.leave(config, letter_token(config), context()).undo_token
    left = contents(config)
    assert not leave.find_subscription(config, letter_token(config), context()).is_subscribed
    assert not leave.find_undo(config, undo, context()).is_subscribed
    assert contents(config) == left


@pytest.mark.usefixtures("databases")
def test_leaving_again_changes_nothing_and_says_the_same(config):
    """A link that is used again, in any case of letters, changes nothing: mail providers repeat requests."""
    first = leave.leave(config, letter_token(config), context())
    left = contents(config)
    for again in (letter_token(config), letter_token(config).upper()):
        assert leave.leave(config, again, context(NOW + timedelta(minutes=1))) == first
    assert contents(config) == left


@pytest.mark.usefixtures("databases")
def test_an_undo_brings_back_topics_and_status(config):
    """An undo brings back the subscription with its topics, also of the last newsletter; a second one is harmless."""
    for newsletter in ("daily", "weekly"):
        undo = leave.leave(config, letter_token(config, newsletter), context()).undo_token
    assert stored(config) == ("unsubscribed", {})
    for _ in range(2):
        assert leave.undo_leave(config, undo, context(NOW + timedelta(minutes=59))).is_subscribed
        assert stored(config) == ("active", {"weekly": ("Notes",)})


@pytest.mark.usefixtures("databases")
def test_an_undo_ends_after_an_hour_and_undoes_only_its_own_unsubscribe(config):
    """An undo is not offered later, expires, and does not undo a later unsubscribe: letters are passed on."""
    first = leave.leave(config, letter_token(config), context()).undo_token
    hour = NOW + leave.UNDO_TIME
    assert leave.leave(config, letter_token(config), context(hour)).undo_token == ""
    with pytest.raises(LinkError) as error:
        leave.undo_leave(config, first, context(hour))
    assert error.value.is_expired
    leave.undo_leave(config, first, context(NOW))
    leave.leave(config, letter_token(config), context(NOW + timedelta(minutes=1)))
    with pytest.raises(LinkError):
        leave.undo_leave(config, first, context(NOW + timedelta(minutes=2)))
    assert stored(config) == ("active", {"daily": ()})


@pytest.mark.usefixtures("databases")
def test_an_undo_never_reactivates_who_was_gone_for_another_reason(config):
    """Who complained, or was unsubscribed by the editor, stays so after an undo."""
    undo = leave.leave(config, letter_token(config), context()).undo_token
    subscribe.remove_subscriber(config, ADA, NOW + timedelta(minutes=1))
    leave.undo_leave(config, undo, context())
    assert stored(config)[0] == "unsubscribed"


@pytest.mark.usefixtures("databases")
def test_a_suppressed_subscriber_cannot_undo(config):
    """A link to undo is not valid any more for an address on the suppression list."""
    undo = leave.leave(config, letter_token(config), context()).undo_token
    subscribe.suppress_address(config, ADA, NOW)
    with pytest.raises(LinkError):
        leave.undo_leave(config, undo, context())


@pytest.mark.usefixtures("databases")
def test_the_link_of_an_erased_subscriber_is_answered_without_an_error(config):
    """The link of somebody who was erased shows no address, and using it is no error."""
    link = letter_token(config)
    erase_subscriber(config, ADA, NOW)
    for found in (leave.find_subscription(config, link, context()), leave.leave(config, link, context())):
        assert (found.title, found.address, found.is_subscribed, found.undo_token) == ("The weekly", "", False, "")


def test_an_unsubscribe_survives_a_restore(config):
    """An unsubscribe by a link, and its undo, are in the journal, from which a restore takes them."""
    undo = leave.leave(config, letter_token(config), context()).undo_token
    leave.undo_leave(config, undo, context())
    journal = (config.folder / ".feeds/feeds.db.journal").read_text("utf-8")
    assert [what for what in ("left", "returned") if f'"what":"{what}"' in journal] == ["left", "returned"]


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("newsletter", ["weekly", "daily"])
def test_a_link_of_a_newsletter_that_was_removed_still_works(config, site, newsletter):
    """A link works after its newsletter was removed from the config; its name stands for the title."""
    link = letter_token(config, newsletter)
    site.configure(CONFIG)
    assert leave.leave(site.config, link, context()).title == newsletter
    assert newsletter not in stored(site.config)[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from tests.conftest import SampleSite

    site = SampleSite(tmp_path_factory.mktemp("made"))
    (site.folder / "posts").mkdir()
    site.configure(CONFIG + TWO)
    subscribe.add_subscriber(site.config, ADA, [], lang=None, now=NOW, again=False)
    return site.config, letter_token(site.config)


@given(data=st.data())
def test_a_forged_or_damaged_link_is_refused(made, data):
    """A link with one other character, too short, too long, or of any other text is not valid, and changes nothing."""
    config, good = made
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from([c for c in "0123456789abcdef" if c != good[at]]))
    text = data.draw(
        st.sampled_from([good[:at], good + other, good[:at] + other + good[at + 1 :], good[1:]]) | st.text(max_size=60)
    )
    for read in (leave.find_subscription, leave.leave):
        with pytest.raises(LinkError):
            read(config, text, context())
    assert len(stored(config)[1]) == 2


@pytest.mark.usefixtures("databases")
def test_a_site_without_keys_makes_none_for_a_forged_link(site):
    """A forged link is refused by a site that has no keys and no database yet, and neither is made."""
    with pytest.raises(LinkError):
        leave.leave(site.config, "0" * tokens.LENGTH, context())
    assert not (site.folder / ".feeds").exists()
