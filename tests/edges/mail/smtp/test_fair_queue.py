"""Several servers: shares follow weights, and nobody waits for one that cannot keep up."""

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

# Values -----------------------------------------------------------------------------------------------------------


def dealt(shares, number):
    """How many each takes of so many where all have room at once."""
    taken = [0] * len(shares)
    for _ in range(number):
        for place, share in enumerate(shares):
            others = [other for other in shares if other is not share]
            if share.waits_until([(other, True) for other in others], 0) <= 0:
                share.take(others, 0)
                taken[place] += 1
                break
        else:
            pytest.fail("everybody waits for somebody")
    return taken


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 500))
def test_of_servers_that_always_have_room_none_is_ever_far_from_its_share(weights, number):
    """Not even by two messages and what the others may be ahead; somebody can always take the next one."""
    taken = dealt([FairShare(weight) for weight in weights], number)
    assert sum(taken) == number
    for weight, got in zip(weights, taken, strict=True):
        assert abs(got - number * weight / sum(weights)) < 1 + len(weights)


def test_a_server_that_is_ahead_waits_as_long_as_three_messages_take():
    """Since the one that is behind took its last; without one, or without a measure, not at all."""
    ahead, behind = FairShare(taken=1, pace=0.5), FairShare(taken_at=10)
    assert ahead.waits_until([(behind, False)], 10.1) == 11.5
    assert ahead.waits_until([(behind, True)], 10.1) == math.inf
    assert ahead.waits_until([], 10.1) == 10.1
    assert behind.waits_until([(ahead, True)], 10.1) == 10.1
    assert FairShare(taken=1).waits_until([(FairShare(), False)], 0) < 0


def test_of_what_a_server_lets_pass_it_is_owed_twenty_messages_at_most():
    """However long it was away."""
    ahead, behind = FairShare(taken=70), FairShare(weight=4, taken=2)
    ahead.take([behind], 1)
    assert (ahead.taken, behind.taken, ahead.taken_at) == (71, 65, 1)
    ahead.take([behind], 2)
    assert (ahead.taken, behind.taken) == (72, 66)


# Servers ----------------------------------------------------------------------------------------------------------


#: Seconds that a message takes: long beside the moments in which a busy machine does something else.
PACE = 0.004


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Nothing here waits for long."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(connect, "_PATIENCE", 2)
    for stage in Stage:
        monkeypatch.setitem(session.PATIENCE, stage, 2)


@pytest.fixture
def serve():
    """Return what starts servers, which run until the test ends."""
    with ExitStack() as stack:
        yield lambda *args, **how: stack.enter_context(SmtpServer(*args, **how))


def away():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def carry(number, *servers, recipients=None, **wish):
    """Send so many messages through servers, each a port or a server and its keys; return the desk and the seconds.

    Everybody has got one message, or none and is told of.
    """
    desk = transport_conformance.InMemoryQueue(recipients or [f"r{n}@example.org" for n in range(number)], **wish)
    found = [(Settings(**{"port": getattr(server, "port", server)} | keys), "") for server, keys in servers]
    started = time.monotonic()
    try:
        SmtpTransport(found, "me").run(desk)
    finally:
        took = time.monotonic() - started
        sent = [a.mail.recipient for a in desk.answers if isinstance(a, Replied) and a.reply.code == 250]
        assert sum((s.counts() for s, _ in servers if isinstance(s, SmtpServer)), Counter()) == Counter(sent)
        assert max(Counter(sent).values(), default=1) == 1
        assert len(desk.answers) + len(desk.waiting) == (len(recipients) if recipients else number)
    return desk, took


@pytest.mark.parametrize("offers", [OFFERS, ("8BITMIME",)], ids=["pipelining", "one by one"])
@pytest.mark.parametrize("connections", [(1, 1), (4, 4), (1, 4)], ids=str)
def test_servers_that_are_equally_fast_share_by_weight(serve, offers, connections):
    """Three to one, over 400 messages, however many connections each has."""
    one, other = (serve(offers=offers, pace=PACE) for _ in range(2))
    carry(400, (one, {"weight": 3, "connections": connections[0]}), (other, {"connections": connections[1]}))
    assert 270 <= len(one.taken) <= 330


def test_the_order_of_servers_does_not_matter(serve):
    """The heavier one may be the last of three."""
    servers = [serve(pace=PACE) for _ in range(3)]
    carry(400, *((server, {"weight": weight}) for server, weight in zip(servers, (1, 2, 5), strict=True)))
    for server, due in zip(servers, (50, 100, 250), strict=True):
        assert abs(len(server.taken) - due) <= 25


def test_shares_hold_all_the_time(serve):
    """Not only at the end: of each 100 messages in a row about 75 go through the heavier one."""
    one, other = serve(pace=PACE), serve(pace=PACE)
    carry(400, (one, {"weight": 3}), (other, {}))
    through_one = {taken.recipient for taken in one.taken}
    order = [taken.recipient in through_one for taken in sorted(one.taken + other.taken, key=lambda taken: taken.at)]
    for start in range(0, 400, 100):
        assert 60 <= sum(order[start : start + 100]) <= 90


def test_a_slow_server_holds_up_nobody(serve):
    """The other one takes what it cannot, though it is the lighter one."""
    slow, fast = serve(pace=0.5), serve(pace=0.001)
    _, took = carry(400, (slow, {"weight": 3, "connections": 1}), (fast, {"connections": 1}))
    assert len(slow.taken) <= 6
    alone = serve(pace=0.001)
    _, took_alone = carry(400, (alone, {"connections": 1}))
    assert took < 1.5 * took_alone + 1  # and the last message of the slow one


def test_a_silent_server_holds_up_nobody(serve):
    """It has one message on each connection, and that one waits."""
    silent, other = serve(at("rcpt", Fault.SILENCE)), serve()
    desk, _ = carry(200, (silent, {"weight": 9, "connections": 2}), (other, {}))
    put_off = [a for a in desk.answers if a.reply.code == 451]
    assert (len(other.taken) + len(put_off), len(put_off) <= 4) == (200, True)
    assert max(taken.at for taken in other.taken) - min(taken.at for taken in other.taken) < 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_server_that_is_away_leaves_all_to_the_others(serve, place):
    """Whatever its weight; the run has nothing to complain of."""
    server = serve()
    servers = [(server, {})]
    servers.insert(place, (away(), {"weight": 9}))
    carry(200, *servers)
    assert len(server.taken) == 200


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("mail", "421 4.3.2 closing"), ("mail", Fault.HANG_UP), ("rcpt", Fault.HANG_UP), ("greeting", "554 5.7.1 no")],
)
def test_a_server_that_fails_in_the_middle_leaves_the_rest_to_the_others(serve, stage, answer):
    """What it had not taken goes through them, or waits where it has said "later"."""
    failing, other = serve(pace=0.001), serve(pace=0.001)
    other.rule = lambda step: wait_for(lambda: len(failing.taken) > 10) if step.stage == "greeting" else None

    def rule(step):
        failed = len(failing.taken) >= 50
        if failed and stage == "greeting" and step.stage == "mail":
            return Fault.HANG_UP
        return answer if failed and step.stage == stage else None

    failing.rule = rule
    desk, _ = carry(400, (failing, {"weight": 3}), (other, {}))
    put_off = [a for a in desk.answers if a.reply.code in {421, 451}]
    assert len(failing.taken) >= 50
    assert len(failing.taken) + len(other.taken) + len(put_off) == 400
    assert len(put_off) <= 16
    assert not desk.waiting


def test_what_comes_back_at_the_end_still_goes_through_the_others(serve):
    """Even where they had nothing more to do, and were closing."""
    slow, other = serve(pace=0.001), serve()
    slow.rule = lambda step: Fault.HANG_UP if step.stage == "data" and step.message > 1 else None
    desk, _ = carry(8, (slow, {"connections": 1}), (other, {"connections": 1}))
    assert not desk.waiting
    assert {a.reply.code for a in desk.answers} == {250}


def test_only_a_run_without_any_server_complains(serve):
    """With the reason of the first; everybody waits."""
    refusing = serve(at("greeting", "554 5.7.1 no mail here"))
    with pytest.raises(SenderRejected, match=r"554 5\.7\.1 no mail here"):
        carry(10, (refusing, {}), (away(), {}))
    with pytest.raises(MailServerUnavailable):
        carry(10, (away(), {}), (refusing, {}))


def test_a_limit_is_one_servers_own(serve):
    """Its messages are spaced; the others do not wait for them."""
    limited, free = serve(), serve()
    _, took = carry(300, (limited, {"weight": 9, "per_minute": 600}), (free, {}))
    assert 1 <= len(limited.taken) <= took * 10 + 2
    assert took < 3


def test_servers_that_all_have_limits_share_within_them(serve):
    """Each at its own pace."""
    servers = [serve(), serve()]
    _, took = carry(30, *((server, {"per_minute": 1200}) for server in servers))
    assert 14 * 0.05 * 0.9 <= took < 2
    assert all(12 <= len(server.taken) <= 18 for server in servers)


BEYOND_ASCII = "用戶@example.org"


@pytest.mark.parametrize("number", [0, 40])
def test_an_address_beyond_ascii_goes_through_a_server_that_takes_it(serve, number):
    """Whichever comes upon it first, and though there may be nothing else to do by then."""
    plain, able = serve(offers=("PIPELINING",)), serve()
    able.rule = lambda step: time.sleep(0.2) if step.stage == "greeting" else None
    people = [BEYOND_ASCII, *(f"r{n}@example.org" for n in range(number))]
    desk, _ = carry(0, (plain, {"weight": 9}), (able, {}), recipients=people)
    assert BEYOND_ASCII in able.counts()
    assert len(plain.taken) + len(able.taken) == len(people) == len(desk.answers)


@pytest.mark.parametrize(("is_there", "code"), [(True, 550), (False, 451)])
def test_an_address_beyond_ascii_is_refused_for_good_only_where_every_server_does(serve, is_there, code):
    """One that is away might take it later."""
    plain, other = serve(offers=("PIPELINING",)), serve(offers=("8BITMIME",)) if is_there else away()
    desk, _ = carry(0, (plain, {}), (other, {}), recipients=[BEYOND_ASCII, "ada@example.org"])
    assert {a.mail.recipient: a.reply.code for a in desk.answers} == {BEYOND_ASCII: code, "ada@example.org": 250}


def test_who_is_stopped_answers_for_no_server_that_was_not_asked(serve):
    """A reader of such an address waits, untried."""
    plain, late = serve(offers=("PIPELINING",)), serve()
    late.rule = lambda step: wait_for(lambda: len(plain.taken) > 4) if step.stage == "greeting" else None
    people = [BEYOND_ASCII, *(f"r{n}@example.org" for n in range(50))]
    desk, _ = carry(0, (plain, {"connections": 1}), (late, {}), recipients=people, stop_after=3)
    assert BEYOND_ASCII in {parcel.recipient for parcel in desk.waiting}
    assert {a.reply.code for a in desk.answers} == {250}
