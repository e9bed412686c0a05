"""The pace of a mail server that refuses more than it can take: what is learned from its replies."""

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.mail.smtp import sender, server_pace
from feeds.edges.mail.smtp.server_pace import ServerPace
from feeds.errors import MailServerUnavailable
from feeds.model import ServerLimit
from tests.edges.mail.smtp.test_sender import Queue, send
from tests.smtpserver import SmtpServer, at

REFUSAL = "450 4.7.1 Error: too much mail from 192.0.2.1"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """Pauses take hundredths of a second; the one after the fourth is too long for a run."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(server_pace, "_WAITS", (0.02, 0.05, 0.1, 0.2, 0.2, 3600))


def per_connection(most):
    """Return a rule for a server that takes so many messages on a connection."""
    return lambda step: REFUSAL if step.stage == "mail" and step.message > most else None


# A limit for a connection -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4])
def test_a_limit_for_a_connection_is_learned_from_the_first_refusals(connections):
    """All mail is sent, with one refused MAIL a connection at most before the limit is known, and none after."""
    with SmtpServer(per_connection(20)) as smtp:
        queue = Queue(300)
        assert send(smtp, queue, connections=connections) is None
    assert (len(queue.sent()), queue.refused()) == (300, [])
    assert len(smtp.commands("MAIL")) <= 300 + connections
    assert max(Counter(message.connection for message in smtp.accepted).values()) == 20
    [(limit, wait)] = queue.limits.values()
    assert (limit.per_connection, limit.per_minute, limit.times, wait) == (20, 0, 0, 0)


def test_what_was_learned_is_used_by_the_next_run():
    """A queue that knows the limit of a server leads to no refusal."""
    with SmtpServer(per_connection(7)) as smtp:
        queue = Queue(30)
        queue.limits[f"127.0.0.1:{smtp.port}"] = (ServerLimit(per_connection=7), 0.0)
        assert send(smtp, queue) is None
    assert (len(queue.sent()), len(smtp.commands("MAIL"))) == (30, 30)


# A limit for a time -----------------------------------------------------------------------------------------------


class Window:
    """A server that takes so many messages in so many seconds, on all connections together."""

    def __init__(self, most, seconds):
        self.most, self.seconds = most, seconds
        self._begins, self._number = 0.0, 0
        self.refused = 0

    def __call__(self, step):
        if step.stage != "mail":
            return None
        if time.monotonic() - self._begins >= self.seconds:
            self._begins, self._number = time.monotonic(), 0
        self._number += 1
        self.refused += self._number > self.most
        return REFUSAL if self._number > self.most else None


def test_a_limit_for_a_time_becomes_a_rate():
    """All mail is sent, few are refused, and the rate that was learned is not more than the server's by much."""
    window = Window(10, 0.4)
    with SmtpServer(window) as smtp:
        queue = Queue(60)
        assert send(smtp, queue, connections=4) is None
    assert (len(queue.sent()), queue.refused()) == (60, [])
    assert window.refused <= 30
    [(limit, _)] = queue.limits.values()
    assert 0 < limit.per_minute <= 10 / 0.4 * 60 * 2


def test_a_server_that_always_refuses_is_left_to_a_later_run():
    """The run ends with the server's words, no mail has an outcome, and the time of the next try is stored."""
    with SmtpServer(at("mail", REFUSAL)) as smtp:
        queue = Queue(100)
        error = send(smtp, queue, connections=4)
        assert isinstance(error, MailServerUnavailable)
        assert str(error) == f"the mail server 127.0.0.1:{smtp.port} asked us to wait: {REFUSAL}"
        assert (queue.outcomes, len(queue.waiting)) == ([], 100)
        [(limit, wait)] = queue.limits.values()
        assert (limit.times, limit.answer, wait) == (6, REFUSAL, 3600)
        assert len(smtp.commands("MAIL")) <= 9
        connections = smtp.connections
        assert isinstance(send(smtp, queue), MailServerUnavailable)
        assert smtp.connections == connections  # it is not asked again before that time


def test_another_server_takes_what_one_refuses():
    """A server that refuses delays nothing as long as another accepts."""
    with SmtpServer(at("mail", REFUSAL)) as bad, SmtpServer() as good:
        queue = Queue(40)
        servers = [(sender.SmtpSettings(port=smtp.port, connections=2), "") for smtp in (bad, good)]
        sender.SmtpTransport(servers, "me.example.com").run(queue)
    assert (len(good.accepted), queue.refused()) == (40, [])


# Rules ------------------------------------------------------------------------------------------------------------


def test_each_pause_is_longer_than_the_one_before(monkeypatch):
    """A server that refuses the first message of each connection is left alone longer each time."""
    monkeypatch.undo()
    pace, now, waits = ServerPace(0), 1000.0, []
    for _ in range(12):
        waits.append(pace.refuse(0, REFUSAL, now))
        now += waits[-1]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1], pace.limit.times) == (1, 3600, 12)


def test_replies_of_other_connections_to_the_same_limit_are_one_pause():
    """What was in flight when a pause began neither lengthens it nor ends it."""
    pace = ServerPace(0)
    wait = pace.refuse(0, REFUSAL, 10.0)
    assert pace.refuse(0, REFUSAL, 10.0) == pytest.approx(wait)
    assert not pace.count_accepted(5, 10.0)
    assert pace.limit.times == 1


@given(st.integers(2, 5000), st.floats(1, 3600))
def test_the_rate_is_what_was_accepted_until_the_pauses_were_over(number, seconds):
    """From the first message to the first one after the pauses, so that the next burst is no larger."""
    pace = ServerPace(0)
    pace.count_message(100.0)
    for _ in range(number):
        pace.count_accepted(1, 100.0)
    pace.refuse(0, REFUSAL, 100.0)
    pace.count_accepted(1, 100.0 + seconds)
    assert pace.limit.per_minute == pytest.approx(number * 60 / seconds)
    assert pace.limit.times == 0


def test_the_learned_rate_grows_while_the_server_takes_it():
    """After each minute without a refusal it is a quarter more, never more than the settings allow."""
    pace = ServerPace(100, ServerLimit(per_minute=60))
    pace.count_message(1000.0)
    assert pace.limit.per_minute == 75
    pace.count_message(1001.0)
    assert pace.limit.per_minute == 75
    for minute in range(1, 10):
        pace.count_message(1000.0 + minute * 60)
    before = pace.next_message_at
    pace.count_message(2000.0)
    assert pace.limit.per_minute > 100
    assert pace.next_message_at - max(before, 2000.0) == pytest.approx(0.6)
