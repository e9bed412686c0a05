"""Services that fetch feeds for many people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.syndication.feed_readers import FeedReader, parse_user_agent


@pytest.mark.parametrize(
    ("agent", "name", "count"),
    [
        ("Feedly/1.0 (+https://feedly.example/fetcher.html; 16 subscribers; like FeedFetcher-Google)", "Feedly", 16),
        ("Feedbin feed-id:12345 - 1 subscriber", "Feedbin", 1),
        ("NewsBlur Feed Fetcher - 12 subscribers - https://newsblur.example/site/1/", "NewsBlur Feed Fetcher", 12),
        ("Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.example/fetcher; 3 subscribers)", "BazQux", 3),
        ("NewsGatorOnline/2.0_(https://www.newsgator.example;_20_subscribers)", "NewsGatorOnline", 20),
        ("LiveJournal.com_(webmaster@livejournal.example; for https://a.example/; 4 readers)", "LiveJournal.com", 4),
        (
            "YahooFeedSeeker/1.0 (compatible; Mozilla 4.0; https://my.example/s.html; users 2; views 169)",
            "YahooFeedSeeker",
            2,
        ),
        ("PlainFeeder v0.0.1 (+https://plainfeeder.example/about ; Subscriber Count: 7)", "PlainFeeder", 7),
        ("ThePort_Web/1.0;_subscribers_5", "ThePort Web", 5),
    ],
)
def test_a_service_says_how_many_people_it_fetches_for(agent, name, count):
    """The name of a service and its count are found in the forms that services use."""
    assert parse_user_agent(agent) == FeedReader(name, count)


@pytest.mark.parametrize(
    "agent",
    ["", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "newsboat/2.40", "12 subscribers"],
)
def test_a_client_without_a_count_is_no_service(agent):
    """A browser, a reader of one person and a count without a name are not services."""
    assert parse_user_agent(agent) is None


@given(st.text(max_size=500))
def test_any_user_agent_can_be_read(agent):
    """A name is short and a count is a number, whatever a client sends."""
    reader = parse_user_agent(agent)
    assert reader is None or (0 < len(reader.name) <= 40 and reader.subscribers >= 0)
