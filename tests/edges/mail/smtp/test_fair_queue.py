"""Several servers share the mail by their weights, and a server that cannot keep up delays no other."""

import math
import socket
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.mail import transport_conformance
from feeds.edges.mail.smtp import connect, sender, session
from feeds.edges.mail.smtp.fair_queue import FairShare
from feeds.edges.mail.smtp.sender import SmtpTransport
from feeds.edges.mail.transport import Replied, Stage
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings as Settings
from tests.smtpserver import OFFERS, Fault, SmtpServer, at, wait_for

# Shares -----------------------------------------------------------------------------------------------------------


def distribute(shares, number):
    """How many of *number* messages each server gets if all have room at once."""
    messages = [0] * len(shares)
    for _ in range(number):
        for index, share in enumerate(shares):
            others = [other for other in shares if other is not share]
            if share.waits_until([(other, True) for other in others], 0) <= 0:
                share.count_message(others, 0)
                messages[index] += 1
                break
        else:
            pytest.fail("every server waits for another")
    return messages


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 500))
def test_servers_that_always_have_room_stay_close_to_their_share(weights, number):
    """Each is off by at most one message and one for each other server, and one server can always take the next."""
    messages = distribute([FairShare(weight) for weight in weights], number)
    assert sum(messages) == number
    for weight, got in zip(weights, messages, strict=True):
        assert abs(got - number * weight / sum(weights)) < 1 + len(weights)


def test_a_server_that_is_ahead_waits_as_long_as_three_messages_take():
    """The time starts with the last message of the server that is behind; without such a server it does not wait."""
    ahead, behind = FairShare(virtual_time=1, message_seconds=0.5), FairShare(last_message_at=10)
    assert ahead.waits_until([(behind, False)], 10.1) == 11.5
    assert ahead.waits_until([(behind, True)], 10.1) == math.inf
    assert ahead.waits_until([], 10.1) == 10.1
    assert behind.waits_until([(ahead, True)], 10.1) == 10.1
    assert FairShare(virtual_time=1).waits_until([(FairShare(), False)], 0) < 0


def test_a_server_catches_up_twenty_messages_at_most():
    """This holds however long it was unavailable."""
    ahead, behind = FairShare(virtual_time=70), FairShare(weight=4, virtual_time=2)
    ahead.count_message([behind], 1)
    assert (ahead.virtual_time, behind.virtual_time, ahead.last_message_at) == (71, 65, 1)
    ahead.count_message([behind], 2)
    assert (ahead.virtual_time, behind.virtual_time) == (72, 66)


# Servers ----------------------------------------------------------------------------------------------------------


#: Seconds that a message takes. A busy machine pauses one server now and then, which is then not as fast as the others
#: and may lose a part of its share; so where the shares are not as they should be, they must be so at a slower pace, at
#: which such pauses are short.
PACES = (0.004, 0.02, 0.1)


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch):
    """All timeouts and retries are short here."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(connect, "_TIMEOUT", 2)
    for stage in Stage:
        monkeypatch.setitem(session.TIMEOUTS, stage, 2)


@pytest.fixture
def serve():
    """A function that starts a server, which runs until the test ends."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(SmtpServer(*args, **options))


def closed_port():
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def send(number, *servers, recipients=None, **options):
    """Send *number* messages through servers, each a server or a port and its keys; return the queue and the seconds.

    Every recipient got one message, or none and its outcome says so.
    """
    queue = transport_conformance.InMemoryQueue(recipients or [f"r{n}@example.org" for n in range(number)], **options)
    settings = [(Settings(**{"port": getattr(server, "port", server)} | keys), "") for server, keys in servers]
    started = time.monotonic()
    try:
        SmtpTransport(settings, "me").run(queue)
    finally:
        took = time.monotonic() - started
        sent = [o.mail.recipient for o in queue.outcomes if isinstance(o, Replied) and o.reply.code == 250]
        assert sum((s.counts() for s, _ in servers if isinstance(s, SmtpServer)), Counter()) == Counter(sent)
        assert max(Counter(sent).values(), default=1) == 1
        assert len(queue.outcomes) + len(queue.waiting) == (len(recipients) if recipients else number)
    return queue, took


@pytest.mark.parametrize("offers", [OFFERS, ("8BITMIME",)], ids=["pipelining", "one by one"])
@pytest.mark.parametrize("connections", [(1, 1), (4, 4), (1, 4)], ids=str)
def test_servers_that_are_equally_fast_share_by_weight(serve, offers, connections):
    """With weights of three to one, 400 messages are shared three to one, however many connections each has."""

    def is_shared(pace):
        one, other = (serve(offers=offers, pace=pace) for _ in range(2))
        send(400, (one, {"weight": 3, "connections": connections[0]}), (other, {"connections": connections[1]}))
        return 270 <= len(one.accepted) <= 330

    assert any(map(is_shared, PACES))


def test_the_order_of_servers_does_not_matter(serve):
    """The server with the largest weight may be the last of three."""

    def is_shared(pace):
        servers = [serve(pace=pace) for _ in range(3)]
        send(400, *((server, {"weight": weight}) for server, weight in zip(servers, (1, 2, 5), strict=True)))
        return all(abs(len(one.accepted) - due) <= 25 for one, due in zip(servers, (50, 100, 250), strict=True))

    assert any(map(is_shared, PACES))


def test_shares_hold_all_the_time(serve):
    """Of each 100 messages in a row about 75 go through the server of weight 3."""

    def is_shared(pace):
        one, other = serve(pace=pace), serve(pace=pace)
        send(400, (one, {"weight": 3}), (other, {}))
        through_one = {message.recipient for message in one.accepted}
        in_order = sorted(one.accepted + other.accepted, key=lambda message: message.at)
        order = [message.recipient in through_one for message in in_order]
        return all(60 <= sum(order[start : start + 100]) <= 90 for start in range(0, 400, 100))

    assert any(map(is_shared, PACES))


def test_a_slow_server_does_not_delay_the_mail(serve):
    """The other server takes over, though its weight is smaller."""
    slow, fast = serve(pace=0.5), serve(pace=0.001)
    _, took = send(400, (slow, {"weight": 3, "connections": 1}), (fast, {"connections": 1}))
    assert len(slow.accepted) <= 6
    alone = serve(pace=0.001)
    _, took_alone = send(400, (alone, {"connections": 1}))
    assert took < 1.5 * took_alone + 1  # a second for the last message of the slow one


def test_a_silent_server_delays_only_one_message_for_each_connection(serve):
    """The other server sends the rest at once."""
    silent, other = serve(at("rcpt", Fault.SILENCE)), serve()
    queue, _ = send(200, (silent, {"weight": 9, "connections": 2}), (other, {}))
    deferred = [o for o in queue.outcomes if o.reply.code == 451]
    assert (len(other.accepted) + len(deferred), len(deferred) <= 4) == (200, True)
    assert max(message.at for message in other.accepted) - min(message.at for message in other.accepted) < 1


@pytest.mark.parametrize("place", [0, 1])
def test_all_mail_goes_through_the_others_if_a_server_cannot_be_reached(serve, place):
    """Its weight does not matter, and the run ends without an error."""
    server = serve()
    servers = [(server, {})]
    servers.insert(place, (closed_port(), {"weight": 9}))
    send(200, *servers)
    assert len(server.accepted) == 200


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("mail", "421 4.3.2 closing"), ("mail", Fault.HANG_UP), ("rcpt", Fault.HANG_UP), ("greeting", "554 5.7.1 no")],
)
def test_the_rest_goes_through_the_others_if_a_server_fails_in_the_middle(serve, stage, answer):
    """Mail that the failing server did not accept is sent by the other, or has been deferred."""
    failing, other = serve(pace=0.001), serve(pace=0.001)
    other.rule = lambda step: wait_for(lambda: len(failing.accepted) > 10) if step.stage == "greeting" else None

    def rule(step):
        failed = len(failing.accepted) >= 50
        if failed and stage == "greeting" and step.stage == "mail":
            return Fault.HANG_UP
        return answer if failed and step.stage == stage else None

    failing.rule = rule
    queue, _ = send(400, (failing, {"weight": 3}), (other, {}))
    deferred = [o for o in queue.outcomes if o.reply.code in {421, 451}]
    assert len(failing.accepted) >= 50
    assert len(failing.accepted) + len(other.accepted) + len(deferred) == 400
    assert len(deferred) <= 16
    assert not queue.waiting


def test_mail_that_is_requeued_at_the_end_goes_through_the_others(serve):
    """This holds though they had nothing more to do and were closing their connections."""
    slow, other = serve(pace=0.001), serve()
    slow.rule = lambda step: Fault.HANG_UP if step.stage == "data" and step.message > 1 else None
    queue, _ = send(8, (slow, {"connections": 1}), (other, {"connections": 1}))
    assert not queue.waiting
    assert {o.reply.code for o in queue.outcomes} == {250}


def test_a_run_fails_only_if_every_server_does(serve):
    """The error is that of the first server, and all mail stays in the queue."""
    refusing = serve(at("greeting", "554 5.7.1 no mail here"))
    with pytest.raises(SenderRejected, match=r"554 5\.7\.1 no mail here"):
        send(10, (refusing, {}), (closed_port(), {}))
    with pytest.raises(MailServerUnavailable):
        send(10, (closed_port(), {}), (refusing, {}))


def test_per_minute_limits_one_server(serve):
    """The other server sends the rest without waiting."""
    limited, free = serve(), serve()
    _, took = send(300, (limited, {"weight": 9, "per_minute": 600}), (free, {}))
    assert 1 <= len(limited.accepted) <= took * 10 + 2
    assert took < 3


def test_servers_that_all_have_limits_share_within_them(serve):
    """Two servers with the same limit send half of the mail each."""
    servers = [serve(), serve()]
    _, took = send(30, *((server, {"per_minute": 1200}) for server in servers))
    assert 14 * 0.05 * 0.9 <= took < 2
    assert all(12 <= len(server.accepted) <= 18 for server in servers)


NON_ASCII = "用戶@example.org"


@pytest.mark.parametrize("number", [0, 40])
def test_mail_to_a_non_ascii_address_goes_through_a_server_with_smtputf8(serve, number):
    """It does not matter which server takes it from the queue first, or if the rest is sent by then."""
    plain, able = serve(offers=("PIPELINING",)), serve()
    able.rule = lambda step: time.sleep(0.2) if step.stage == "greeting" else None
    people = [NON_ASCII, *(f"r{n}@example.org" for n in range(number))]
    queue, _ = send(0, (plain, {"weight": 9}), (able, {}), recipients=people)
    assert NON_ASCII in able.counts()
    assert len(plain.accepted) + len(able.accepted) == len(people) == len(queue.outcomes)


@pytest.mark.parametrize(("is_there", "code"), [(True, 550), (False, 451)])
def test_a_non_ascii_address_is_refused_for_good_only_if_no_server_offers_smtputf8(serve, is_there, code):
    """A server that cannot be reached now might offer it later."""
    plain, other = serve(offers=("PIPELINING",)), serve(offers=("8BITMIME",)) if is_there else closed_port()
    queue, _ = send(0, (plain, {}), (other, {}), recipients=[NON_ASCII, "ada@example.org"])
    assert {o.mail.recipient: o.reply.code for o in queue.outcomes} == {NON_ASCII: code, "ada@example.org": 250}


def test_a_stopped_run_does_not_refuse_a_non_ascii_address(serve):
    """A server that was not yet connected might offer SMTPUTF8, so the mail stays in the queue."""
    plain, late = serve(offers=("PIPELINING",)), serve()
    late.rule = lambda step: wait_for(lambda: len(plain.accepted) > 4) if step.stage == "greeting" else None
    people = [NON_ASCII, *(f"r{n}@example.org" for n in range(50))]
    queue, _ = send(0, (plain, {"connections": 1}), (late, {}), recipients=people, stop_after=3)
    assert NON_ASCII in {mail.recipient for mail in queue.waiting}
    assert {o.reply.code for o in queue.outcomes} == {250}
