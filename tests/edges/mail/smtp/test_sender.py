"""Sending over several connections, to a real server with every fault that a server may have."""

import socket
import time
from collections import Counter

import pytest

from feeds.edges.mail import transport_conformance
from feeds.edges.mail.smtp import connect, sender, server, server_pace, session
from feeds.edges.mail.smtp.sender import SmtpTransport
from feeds.edges.mail.transport import Replied, Stage, Unconfirmed
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings as Settings
from tests.smtpserver import OFFERS, Fault, LastReply, SmtpServer, at, ehlo_reply

ONE_BY_ONE = ("8BITMIME",)
#: More bytes than the buffers of two sockets hold.
LARGE = 12_000_000


class Queue(transport_conformance.InMemoryQueue):
    """A queue that may have large contents, and lists the recipients of each outcome."""

    def __init__(self, number, *, large=(), recipients=None, **options):
        super().__init__(recipients or [f"r{n}@example.org" for n in range(number)], **options)
        self._large = large

    def commit(self, outcomes, starting):
        contents = super().commit(outcomes, starting)
        filler = (b"x" * 70 + b"\r\n") * (LARGE // 72)
        return {one: content + filler if one in self._large else content for one, content in contents.items()}

    def sent(self):
        return [outcome.mail.recipient for outcome in self.outcomes if is_sent(outcome)]

    def unconfirmed(self):
        return [outcome.mail.recipient for outcome in self.outcomes if isinstance(outcome, Unconfirmed)]

    def refused(self):
        """The replies that are not a success."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Replied) and not is_sent(outcome)]

    def check(self, smtp):
        """Each mail has one outcome or is still waiting, and the server accepted exactly what counts as sent."""
        committed = Counter(outcome.mail.id for outcome in self.outcomes)
        assert set(committed.values()) <= {1}
        assert len(committed) + len(self.waiting) == self.number
        accepted = Counter(smtp.counts())
        assert accepted == Counter(self.sent()) + Counter(one for one in self.unconfirmed() if accepted[one])

    @property
    def number(self):
        return len(self.outcomes) + len(self.waiting)


def is_sent(outcome):
    return isinstance(outcome, Replied) and outcome.stage is Stage.CONTENT and outcome.reply.code // 100 == 2


def send(smtp, queue, **settings):
    """Run the transport until it ends; return its error."""
    number = queue.number
    keys = {"port": smtp.port, "connections": 1} | settings
    try:
        SmtpTransport([(Settings(**keys), "")], "me.example.com").run(queue)
    except (MailServerUnavailable, SenderRejected) as e:
        error = e
    else:
        error = None
    assert queue.number == number
    queue.check(smtp)
    return error


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch):
    """All timeouts and retries are short here."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(server_pace, "_WAITS", (0.01, 0.02, 0.04, 3600))
    monkeypatch.setattr(connect, "_TIMEOUT", 2)
    for stage in Stage:
        monkeypatch.setitem(session.TIMEOUTS, stage, 2)


# Without faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("connections", [1, 4])
def test_every_recipient_gets_one_message(offers, connections):
    """This holds with PIPELINING and without, on one connection and on several."""
    with SmtpServer(offers=offers, pace=0.001) as smtp:
        queue = Queue(200)
        assert send(smtp, queue, connections=connections) is None
    assert len(queue.sent()) == 200
    assert smtp.most_open == connections
    assert smtp.too_early == []
    assert smtp.commands("EHLO") == ["ehlo me.example.com"] * smtp.connections


def test_a_refused_recipient_does_not_delay_the_next():
    """Without PIPELINING every command, RSET too, still waits for its reply."""
    rule = lambda step: "550 5.1.1 unknown user" if step.stage == "rcpt" and step.before % 2 else None  # noqa: E731
    for offers in (OFFERS, ONE_BY_ONE):
        with SmtpServer(rule, offers=offers) as smtp:
            queue = Queue(20)
            assert send(smtp, queue) is None
        assert Counter(str(outcome.reply) for outcome in queue.refused()) == {"550 5.1.1 unknown user": 10}
        assert (len(queue.sent()), smtp.too_early) == (10, [])


def test_a_server_that_refuses_a_recipient_but_asks_for_content_gets_an_empty_one():
    """RFC 2920 section 3.1: the client sends a single dot, and the next mail follows."""

    def rule(step):
        if step.stage == "rcpt" and "r1@" in step.words:
            return "550 5.1.1 unknown user"
        return "354 go ahead" if step.stage == "data" and step.before == 1 else None

    with SmtpServer(rule) as smtp:
        queue = Queue(3)
        assert send(smtp, queue) is None
    assert queue.sent() == ["r0@example.org", "r2@example.org"]
    assert [(outcome.reply.code, outcome.stage) for outcome in queue.refused()] == [(550, Stage.RCPT)]
    assert [message.recipient for message in smtp.accepted] == ["r0@example.org", "r2@example.org"]


def test_a_connection_is_replaced_after_a_fixed_number_of_messages(monkeypatch):
    """Servers limit the messages of a connection."""
    assert server._MOST_MESSAGES == 1000  # noqa: SLF001 - the limit that this test lowers
    monkeypatch.setattr(server, "_MOST_MESSAGES", 100)
    with SmtpServer() as smtp:
        queue = Queue(210)
        assert send(smtp, queue) is None
    assert len(queue.sent()) == 210
    by_connection = Counter(message.connection for message in smtp.accepted)
    assert [number for _, number in sorted(by_connection.items())] == [100, 100, 10]


def test_a_non_ascii_address_needs_a_server_with_smtputf8():
    """Without it the recipient is refused by us, because a server might deliver to another; the others get theirs."""
    with SmtpServer(offers=("PIPELINING",)) as smtp:
        queue = Queue(0, recipients=["ada@example.org", "用戶@example.org", "bob@example.org"])
        assert send(smtp, queue) is None
    assert queue.sent() == ["ada@example.org", "bob@example.org"]
    assert [(outcome.reply.enhanced, outcome.stage) for outcome in queue.refused()] == [("5.6.7", Stage.RCPT)]
    with SmtpServer() as smtp:
        queue = Queue(0, recipients=["用戶@example.org"])
        assert send(smtp, queue) is None
    assert smtp.commands("MAIL") == ["MAIL FROM:<desk@example.com> SMTPUTF8 BODY=8BITMIME"]
    assert smtp.counts() == {"用戶@example.org": 1}


def test_per_minute_limits_the_messages_of_all_connections_together():
    """The messages are evenly spaced."""
    with SmtpServer() as smtp:
        assert send(smtp, Queue(16), per_minute=1200, connections=4) is None
    times = sorted(message.at for message in smtp.accepted)
    assert times[-1] - times[0] >= 15 * 0.05 * 0.9
    assert times[-1] - times[0] < 2


def test_a_recipient_who_has_unsubscribed_gets_no_message():
    """The recipients behind it get theirs."""
    for offers in (OFFERS, ONE_BY_ONE):
        with SmtpServer(offers=offers) as smtp:
            queue = Queue(6, unsubscribed=[1, 3, 4])
            SmtpTransport([(Settings(port=smtp.port, connections=2), "")], "me").run(queue)
        assert sorted(smtp.counts()) == sorted(queue.sent()) == ["r1@example.org", "r4@example.org", "r5@example.org"]


def test_several_servers_share_the_mail_though_one_cannot_be_reached():
    """No mail goes through two servers."""
    with SmtpServer(pace=0.002) as one, SmtpServer(pace=0.002) as other:
        with socket.create_server(("127.0.0.1", 0)) as free:
            closed_port = free.getsockname()[1]
        queue = Queue(100)
        SmtpTransport([(Settings(port=port), "") for port in (one.port, closed_port, other.port)], "me").run(queue)
    assert one.counts() + other.counts() == Counter(queue.sent())
    assert len(queue.sent()) == 100
    assert min(len(one.accepted), len(other.accepted)) > 0


# Hanging up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_mail_is_sent_again_when_the_server_hangs_up_before_its_content(stage, offers):
    """Every recipient gets one message, none gets two."""
    with SmtpServer(at(stage, Fault.HANG_UP, times=1, skip=0 if stage in {"greeting", "ehlo"} else 2)) as smtp:
        queue = Queue(10)
        assert send(smtp, queue) is None
    assert queue.unconfirmed() == []
    assert set(smtp.counts().values()) == {1}
    assert len(queue.sent()) == 10


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_a_server_that_always_hangs_up_is_given_up(stage):
    """After three tries it counts as unavailable, and no mail is unconfirmed."""
    with SmtpServer(at(stage, Fault.HANG_UP)) as smtp:
        queue = Queue(10)
        assert isinstance(send(smtp, queue), MailServerUnavailable)
    assert smtp.connections == 3
    assert (queue.sent(), queue.unconfirmed(), smtp.accepted) == ([], [], [])
    assert {outcome.reply.code for outcome in queue.refused()} <= {451}


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.KEEP_AND_HANG_UP])
def test_a_disconnect_after_the_content_leaves_one_mail_unconfirmed(fault):
    """The message may have arrived; the next one, whose envelope was sent with it, has not."""
    with SmtpServer(at("content", fault, times=1, skip=3)) as smtp:
        queue = Queue(10)
        assert send(smtp, queue) is None
    assert queue.unconfirmed() == ["r3@example.org"]
    assert len(queue.sent()) == 9
    assert smtp.counts()["r3@example.org"] == (fault is Fault.KEEP_AND_HANG_UP)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_server_that_never_replies_to_a_content_is_given_up(connections):
    """By then at most one mail for each connection and try is unconfirmed."""
    with SmtpServer(at("content", Fault.KEEP_AND_HANG_UP)) as smtp:
        queue = Queue(100)
        assert isinstance(send(smtp, queue, connections=connections), MailServerUnavailable)
    assert len(smtp.accepted) == len(queue.unconfirmed()) <= 3 + connections
    assert set(smtp.counts().values()) == {1}


def test_a_message_whose_content_was_cut_is_tried_later():
    """It gets a 451 like one that the server deferred, and the mail behind it is sent."""
    rule = lambda step: Fault.HANG_UP if step.stage == "part" and step.words == "r1@example.org" else None  # noqa: E731
    with SmtpServer(rule, window=1000) as smtp:
        queue = Queue(10, large=[2])
        assert send(smtp, queue) is None
    assert (len(queue.sent()), queue.unconfirmed()) == (9, [])
    [cut] = queue.refused()
    assert (cut.mail.recipient, cut.reply.code, cut.reply.enhanced) == ("r1@example.org", 451, "4.4.2")


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_recipient_on_whom_the_server_fails_delays_no_other(stage):
    """It is tried once as the first of a new connection, then later."""
    broken = "r1@example.org"

    def rule(step):
        if step.stage == "rcpt" and broken in step.words:
            return Fault.HANG_UP
        return None

    with SmtpServer(rule, offers=OFFERS if stage == "mail" else ONE_BY_ONE) as smtp:
        queue = Queue(300)
        assert send(smtp, queue) is None
    assert len(queue.sent()) == 299
    assert [(o.mail.recipient, o.reply.enhanced) for o in queue.refused()] == [(broken, "4.4.2")]


def test_a_refusal_counts_though_the_server_hangs_up_after_it():
    """Two more replies were due."""

    def rule(step):
        if step.stage == "rcpt" and "r0@" in step.words:
            return "550 5.1.1 unknown user"
        return Fault.HANG_UP if step.stage == "data" and step.message == 1 and step.before == 0 else None

    with SmtpServer(rule) as smtp:
        queue = Queue(5)
        assert send(smtp, queue) is None
    assert [(o.mail.id, str(o.reply), o.stage) for o in queue.refused()] == [(1, "550 5.1.1 unknown user", Stage.RCPT)]
    assert len(queue.sent()) == 4


def test_a_reply_in_the_middle_of_a_content_is_read():
    """It is read although the connection breaks while we write; otherwise the message would be sent again and again."""
    too_big = LastReply("552 5.3.4 too big")
    rule = lambda step: too_big if step.stage == "part" and "r1@" in step.words else None  # noqa: E731
    with SmtpServer(rule, window=1000) as smtp:
        queue = Queue(6, large=[2])
        assert send(smtp, queue) is None
    assert [(o.mail.id, str(o.reply)) for o in queue.refused()] == [(2, "552 5.3.4 too big")]
    assert (len(queue.sent()), queue.unconfirmed()) == (5, [])


# Closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content"])
def test_after_421_the_other_mail_goes_over_another_connection(stage, offers):
    """421 is the reply to the mail in progress, and here the server does not even close the connection.

    In reply to MAIL it is about no recipient, so this mail goes over another connection too.
    """
    with SmtpServer(at(stage, "421 4.3.2 closing", times=2, skip=2), offers=offers) as smtp:
        queue = Queue(20)
        started = time.monotonic()
        assert send(smtp, queue, connections=2) is None
        assert time.monotonic() - started < 5
    assert len(queue.refused()) == 0 if stage == "mail" else 0 < len(queue.refused()) <= 2
    assert {str(outcome.reply) for outcome in queue.refused()} <= {"421 4.3.2 closing"}
    assert (len(queue.sent()) + len(queue.refused()), queue.unconfirmed()) == (20, [])


@pytest.mark.parametrize("stage", ["mail", "content"])
def test_a_server_that_always_replies_421_is_given_up(stage):
    """Most of the mail stays in the queue without a try."""
    with SmtpServer(at(stage, "421 4.7.0 slow down")) as smtp:
        queue = Queue(100)
        error = send(smtp, queue, connections=4)
    assert isinstance(error, MailServerUnavailable)
    assert "421 4.7.0 slow down" in str(error)
    assert (len(queue.refused()), queue.sent()) == (len(queue.outcomes), [])
    assert len(queue.outcomes) == 0 if stage == "mail" else 0 < len(queue.outcomes) <= 8


def test_a_server_that_greets_with_421_is_unavailable():
    """All mail stays in the queue."""
    with SmtpServer(at("greeting", "421 4.7.0 try again later")) as smtp:
        queue = Queue(3)
        assert "replied 421 4.7.0 try again later" in str(send(smtp, queue))
    assert len(queue.waiting) == 3


def test_a_server_may_limit_the_messages_of_a_connection():
    """What it refuses with 421 goes over the next connection, and later connections get no more than it takes."""
    rule = lambda step: "421 4.7.0 enough" if step.stage == "mail" and step.message > 10 else None  # noqa: E731
    with SmtpServer(rule) as smtp:
        queue = Queue(25)
        assert send(smtp, queue) is None
    assert (len(queue.sent()), len(queue.refused())) == (25, 0)
    assert list(Counter(message.connection for message in smtp.accepted).values()) == [10, 10, 5]
    assert len(smtp.commands("MAIL")) == 26


@pytest.mark.parametrize("words", ["421 4.7.0 too many", "554 5.7.0 too many"])
def test_a_server_may_limit_the_number_of_connections(words):
    """All mail is sent over the connections that it accepts; a refused one is not an error."""
    with SmtpServer(pace=0.001) as smtp:
        smtp.rule = lambda step: words if step.stage == "greeting" and smtp.open_connections > 3 else None
        queue = Queue(100)
        assert send(smtp, queue, connections=6) is None
    assert len(queue.sent()) == 100
    assert len({message.connection for message in smtp.accepted}) <= 3


def test_each_connection_uses_only_the_extensions_that_it_was_offered():
    """A server may offer less after a reconnect."""
    rule = lambda step: ehlo_reply("8BITMIME") if step.stage == "ehlo" and step.before else None  # noqa: E731
    hangs_up = at("content", Fault.HANG_UP, times=1, skip=4)
    with SmtpServer(lambda step: rule(step) or hangs_up(step)) as smtp:
        queue = Queue(12)
        assert send(smtp, queue) is None
    assert (len(queue.sent()), queue.unconfirmed(), smtp.too_early) == (11, ["r4@example.org"], [])


# Invalid replies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "250 2.1.0 ok\r\n250 2.0.0 surprise"),
        ("rcpt", "250 2.1.5 ok\r\n354 surprise"),
        ("data", "354 go on\r\n250 2.0.0 surprise"),
        ("content", "250 2.0.0 kept\r\n250 2.0.0 surprise"),
        ("content", "250 2.0.0 kept\r\nTraceback (most recent call last):"),
        ("content", "what?"),
        ("mail", "\x00\x01\x02"),
        ("data", "250 2.0.0 no need to"),
    ],
)
@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
def test_unexpected_replies_end_the_connection(stage, reply, offers):
    """No mail counts as sent that is not, no recipient gets two, and mail in doubt is unconfirmed."""
    with SmtpServer(at(stage, reply, times=2, skip=3), offers=offers) as smtp:
        queue = Queue(20)
        send(smtp, queue)
    assert set(smtp.counts().values()) == {1}
    assert len(queue.unconfirmed()) <= 2
    assert len(queue.sent()) >= 15


@pytest.mark.parametrize(
    ("greeting", "message"),
    [
        ("HTTP/1.1 400 Bad Request", "does not speak SMTP: it sent '…/1.1 400 Bad Request'"),
        ("SSH-2.0-OpenSSH_9.2", "does not speak SMTP: it sent '…2.0-OpenSSH_9.2'"),
        ("554 5.7.1 no mail here", "rejects the connection: 554 5.7.1 no mail here"),
    ],
)
def test_a_server_that_is_not_a_mail_server_is_an_error_with_its_greeting(greeting, message):
    """So a wrong host or port in the settings can be found."""
    with SmtpServer(at("greeting", greeting)) as smtp:
        queue = Queue(3)
        error = send(smtp, queue)
    assert isinstance(error, SenderRejected)
    assert message in str(error)
    assert len(queue.waiting) == 3


def test_a_port_where_nothing_listens_is_unavailable():
    """All mail stays in the queue."""
    with SmtpServer() as smtp:
        pass
    queue = Queue(3)
    assert "cannot be reached: [Errno 111] Connection refused" in str(send(smtp, queue))
    assert len(queue.waiting) == 3


# Silence ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def very_short_timeouts(monkeypatch):
    """All timeouts are half a second."""
    monkeypatch.setattr(connect, "_TIMEOUT", 0.5)
    for stage in Stage:
        monkeypatch.setitem(session.TIMEOUTS, stage, 0.5)


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "content"])
def test_a_connection_without_a_reply_is_closed_after_the_timeout(stage, very_short_timeouts):
    """RFC 5321 section 4.5.3.2; the other mail is sent over another connection."""
    skip = 0 if stage in {"greeting", "ehlo"} else 3
    with SmtpServer(at(stage, Fault.SILENCE, times=1, skip=skip)) as smtp:
        queue = Queue(10)
        assert send(smtp, queue) is None
        assert queue.unconfirmed() == (["r3@example.org"] if stage == "content" else [])
        assert len(queue.sent()) + len(queue.unconfirmed()) == 10


def test_single_bytes_of_a_reply_do_not_extend_the_timeout(very_short_timeouts):
    """Only whole replies do."""

    class Trickle(SmtpServer):
        """Sends the reply to one MAIL so slowly that it never ends."""

        def decide(self, connection, stage, words):
            if stage == "mail" and connection.number == 1 and connection.message == 3:
                for _ in range(60):
                    if self.closed.is_set():
                        break
                    connection.socket.sendall(b"2")
                    time.sleep(0.1)
            return super().decide(connection, stage, words)

    with Trickle() as smtp:
        queue = Queue(10)
        started = time.monotonic()
        send(smtp, queue)
        assert time.monotonic() - started < 4
        assert len(queue.sent()) == 10


def test_a_server_that_does_not_read_is_left_after_the_timeout(very_short_timeouts):
    """A content that cannot be written is treated like a missing reply."""
    rule = lambda step: Fault.SILENCE if step.stage == "part" and step.words == "r1@example.org" else None  # noqa: E731
    with SmtpServer(rule, window=1000) as smtp:
        queue = Queue(6, large=[2])
        assert send(smtp, queue) is None
        assert (len(queue.sent()), queue.unconfirmed(), len(queue.refused())) == (5, [], 1)


# Errors of the queue ----------------------------------------------------------------------------------------------


def test_an_error_of_the_queue_ends_the_run_and_loses_no_mail():
    """Mail that a server may have accepted is committed, the rest is back in the queue."""

    class FullDisk(Queue):
        commits = 0

        def commit(self, outcomes, starting):
            self.commits += 1
            if self.commits == 5:
                raise OSError("no space left")
            return super().commit(outcomes, starting)

    with SmtpServer(pace=0.005) as smtp:
        queue = FullDisk(30)
        with pytest.raises(OSError, match="no space left"):
            send(smtp, queue, connections=3)
        queue.check(smtp)
        assert len(queue.outcomes) + len(queue.waiting) == 30
