"""DNS queries to a real name server on this machine."""

import time

import pytest

from feeds.edges.net.dns import Resolver
from feeds.errors import FeedsError
from tests.dns import NameServer, quoted, silent_socket

KEY = f"v=DKIM1; k=rsa; p={'A' * 700}"


def test_the_strings_of_a_txt_record_are_joined():
    """A TXT record is one text, however many strings it has."""
    with NameServer({("example.com", "TXT"): [quoted("v=spf1 -all"), quoted(KEY)]}) as server:
        assert server.resolver().txt_records("example.com") == (KEY, "v=spf1 -all")


def test_an_answer_that_is_too_long_for_udp_is_fetched_by_tcp():
    """An answer with the TC flag is queried again by TCP."""
    with NameServer({("s1._domainkey.example.com", "TXT"): [quoted(KEY)]}) as server:
        server.truncates = True
        assert server.resolver().txt_records("s1._domainkey.example.com") == (KEY,)
        assert len(server.queries) == 2


def test_mx_hosts_are_sorted_by_preference():
    """The lowest number is preferred (RFC 5321 section 5.1); `.` means that the domain accepts no mail (RFC 7505)."""
    records = {("a.example", "MX"): ["20 b.example.", "5 c.example."], ("b.example", "MX"): ["0 ."]}
    with NameServer(records) as server:
        assert server.resolver().mx_hosts("a.example") == ("c.example", "b.example")
        assert server.resolver().mx_hosts("b.example") == (".",)


@pytest.mark.parametrize("name", ["nothing.example", "example.com", f"{'x' * 64}.example", "a..example"])
def test_a_name_without_records_gives_an_empty_answer(name):
    """So does a name that does not exist, or that cannot exist."""
    with NameServer({("example.com", "MX"): ["0 a.example."]}) as server:
        assert server.resolver().txt_records(name) == ()


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "YXDOMAIN"])
def test_a_failure_of_the_name_server_gives_none(fault):
    """None differs from "no record": a zone whose servers are down may have every record."""
    with NameServer({("example.com", "TXT"): fault, ("example.com", "MX"): fault}) as server:
        assert server.resolver().txt_records("example.com") is None
        assert server.resolver().mx_hosts("example.com") is None


def test_a_name_server_that_does_not_answer_is_an_error_after_the_timeout():
    """The timeout is for all queries of a resolver together."""
    with silent_socket() as socket:
        resolver = Resolver("127.0.0.1", socket.getsockname()[1], timeout=0.3)
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(FeedsError, match=r"timed out|took more than"):
                resolver.txt_records("example.com")
        assert time.monotonic() - began < 2


def test_after_the_timeout_no_query_is_sent():
    """The name servers of this machine are the default."""
    with pytest.raises(FeedsError):
        Resolver(timeout=0).txt_records("example.com")


def test_an_answer_that_is_not_dns_is_an_error():
    """It does not count as an answer without records; a network with a login page may send one."""
    with (
        NameServer({("example.com", "TXT"): "noise"}) as server,
        pytest.raises(FeedsError, match="no name server sent a valid answer"),
    ):
        server.resolver().txt_records("example.com")
