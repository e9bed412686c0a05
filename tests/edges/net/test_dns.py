"""DNS, asked of a real name server on this machine."""

import time

import pytest

from feeds.edges.net.dns import Resolver
from feeds.errors import FeedsError
from tests.dns import NameServer, quoted, silent

KEY = f"v=DKIM1; k=rsa; p={'A' * 700}"


def test_texts_come_in_one_piece_each():
    """A TXT record is one text, however many strings it was cut into."""
    with NameServer({("example.com", "TXT"): [quoted("v=spf1 -all"), quoted(KEY)]}) as server:
        assert server.resolver().txt_records("example.com") == (KEY, "v=spf1 -all")


def test_what_is_too_long_for_udp_is_fetched_by_tcp():
    """An answer that is marked as cut is asked for again, whole."""
    with NameServer({("s1._domainkey.example.com", "TXT"): [quoted(KEY)]}) as server:
        server.cuts = True
        assert server.resolver().txt_records("s1._domainkey.example.com") == (KEY,)
        assert len(server.asked) == 2


def test_exchanges_come_in_their_order():
    """The host with the least preference number takes mail first (RFC 5321 section 5.1); `.` takes none (RFC 7505)."""
    records = {("a.example", "MX"): ["20 b.example.", "5 c.example."], ("b.example", "MX"): ["0 ."]}
    with NameServer(records) as server:
        assert server.resolver().mx_hosts("a.example") == ("c.example", "b.example")
        assert server.resolver().mx_hosts("b.example") == (".",)


@pytest.mark.parametrize("name", ["nobody.example", "example.com", f"{'x' * 64}.example", "a..example"])
def test_no_record_is_an_answer(name):
    """A name that does not exist, has no such record, or could not exist, has no records."""
    with NameServer({("example.com", "MX"): ["0 a.example."]}) as server:
        assert server.resolver().txt_records(name) == ()


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "YXDOMAIN"])
def test_a_server_that_cannot_find_out_is_not_an_answer(fault):
    """None is not "no record": a zone whose own servers are down may have every record."""
    with NameServer({("example.com", "TXT"): fault, ("example.com", "MX"): fault}) as server:
        assert server.resolver().txt_records("example.com") is None
        assert server.resolver().mx_hosts("example.com") is None


def test_silence_ends_soon_and_is_an_error_of_ours():
    """However many questions there are, nobody waits longer than the resolver's patience."""
    with silent() as socket:
        resolver = Resolver("127.0.0.1", socket.getsockname()[1], patience=0.3)
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(FeedsError, match=r"in time|took more than"):
                resolver.txt_records("example.com")
        assert time.monotonic() - began < 2


def test_without_patience_nobody_is_asked():
    """This machine's own name servers are the default, and no question goes out when the time is over."""
    with pytest.raises(FeedsError):
        Resolver(patience=0).txt_records("example.com")


def test_a_server_that_cannot_be_understood_is_an_error_of_ours():
    """What is no DNS, as of a network that wants a password first, is not taken for an answer without records."""
    with NameServer({("example.com", "TXT"): "noise"}) as server, pytest.raises(FeedsError, match="understood"):
        server.resolver().txt_records("example.com")
