"""Several connections at work, against a real server with every fault one may have."""

import socket
import time
from collections import Counter

import pytest

from feeds.edges.mail import transport_conformance
from feeds.edges.mail.smtp import connect, sender, session
from feeds.edges.mail.smtp.sender import SmtpTransport
from feeds.edges.mail.transport import Replied, Stage, Unconfirmed
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings as Settings
from tests.smtpserver import OFFERS, Fault, Last, SmtpServer, at, offering

ONE_BY_ONE = ("8BITMIME",)
#: More than two sockets hold between them.
LARGE = 12_000_000


class Desk(transport_conformance.InMemoryQueue):
    """One that may have large contents, and says what has come of whom."""

    def __init__(self, number, *, large=(), recipients=None, **wish):
        super().__init__(recipients or [f"r{n}@example.org" for n in range(number)], **wish)
        self._large = large

    def commit(self, answers, wanted):
        found = super().commit(answers, wanted)
        filler = (b"x" * 70 + b"\r\n") * (LARGE // 72)
        return {one: content + filler if one in self._large else content for one, content in found.items()}

    def sent(self):
        return [a.mail.recipient for a in self.answers if is_sent(a)]

    def lost(self):
        return [a.mail.recipient for a in self.answers if isinstance(a, Unconfirmed)]

    def other(self):
        """Answers that are neither."""
        return [a for a in self.answers if isinstance(a, Replied) and not is_sent(a)]

    def check(self, server):
        """Nobody was dropped, nobody told twice, and what is said to be sent is there."""
        told = Counter(answer.mail.id for answer in self.answers)
        assert set(told.values()) <= {1}
        assert len(told) + len(self.waiting) == self.number
        taken = Counter(server.counts())
        assert taken == Counter(self.sent()) + Counter(one for one in self.lost() if taken[one])

    @property
    def number(self):
        return len(self.answers) + len(self.waiting)


def is_sent(answer):
    return isinstance(answer, Replied) and answer.stage is Stage.CONTENT and answer.reply.code // 100 == 2


def carry(server, desk, **settings):
    """Let a courier work until it ends; return what it complains of."""
    number = desk.number
    try:
        SmtpTransport([(Settings(**{"port": server.port, "connections": 1} | settings), "")], "me.example.com").run(
            desk
        )
    except (MailServerUnavailable, SenderRejected) as e:
        found = e
    else:
        found = None
    assert desk.number == number
    desk.check(server)
    return found


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Nothing here waits for long."""
    monkeypatch.setattr(sender, "_PAUSES", (0.0, 0.01, 0.02))
    monkeypatch.setattr(connect, "_PATIENCE", 2)
    for stage in Stage:
        monkeypatch.setitem(session.PATIENCE, stage, 2)


# Well -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("connections", [1, 4])
def test_everybody_gets_one(offers, connections):
    """With PIPELINING and without, over one connection and several."""
    with SmtpServer(offers=offers, pace=0.001) as server:
        desk = Desk(200)
        assert carry(server, desk, connections=connections) is None
    assert len(desk.sent()) == 200
    assert server.most_at_once == connections
    assert server.hasty == []
    assert server.said("EHLO") == ["ehlo me.example.com"] * server.connections


def test_who_is_refused_does_not_hold_up_the_next():
    """Without PIPELINING each command still waits for its answer, RSET too."""
    rule = lambda step: "550 5.1.1 nobody" if step.stage == "rcpt" and step.before % 2 else None  # noqa: E731
    for offers in (OFFERS, ONE_BY_ONE):
        with SmtpServer(rule, offers=offers) as server:
            desk = Desk(20)
            assert carry(server, desk) is None
        assert Counter(str(a.reply) for a in desk.other()) == {"550 5.1.1 nobody": 10}
        assert (len(desk.sent()), server.hasty) == (10, [])


def test_a_refused_reader_and_a_server_that_wants_content_all_the_same():
    """It gets an empty one for nobody (RFC 2920 section 3.1), and takes the next."""

    def rule(step):
        if step.stage == "rcpt" and "r1@" in step.words:
            return "550 5.1.1 nobody"
        return "354 for nobody, then" if step.stage == "data" and step.before == 1 else None

    with SmtpServer(rule) as server:
        desk = Desk(3)
        assert carry(server, desk) is None
    assert desk.sent() == ["r0@example.org", "r2@example.org"]
    assert [(a.reply.code, a.stage) for a in desk.other()] == [(550, Stage.RCPT)]
    assert [taken.recipient for taken in server.taken] == ["r0@example.org", "r2@example.org"]


def test_a_connection_carries_only_so_many(monkeypatch):
    """Then another one goes on: servers have limits."""
    assert sender._MOST_MESSAGES == 1000  # noqa: SLF001 - the number that is made smaller here
    monkeypatch.setattr(sender, "_MOST_MESSAGES", 100)
    with SmtpServer() as server:
        desk = Desk(210)
        assert carry(server, desk) is None
    assert len(desk.sent()) == 210
    assert [n for _, n in sorted(Counter(taken.connection for taken in server.taken).items())] == [100, 100, 10]


def test_an_address_beyond_ascii_needs_a_server_for_it():
    """Who has one is refused here, not by a server that might take it for another; the others get theirs."""
    with SmtpServer(offers=("PIPELINING",)) as server:
        desk = Desk(0, recipients=["ada@example.org", "用戶@example.org", "bob@example.org"])
        assert carry(server, desk) is None
    assert desk.sent() == ["ada@example.org", "bob@example.org"]
    assert [(a.reply.enhanced, a.stage) for a in desk.other()] == [("5.6.7", Stage.RCPT)]
    with SmtpServer() as server:
        desk = Desk(0, recipients=["用戶@example.org"])
        assert carry(server, desk) is None
    assert server.said("MAIL") == ["MAIL FROM:<desk@example.com> SMTPUTF8 BODY=8BITMIME"]
    assert server.counts() == {"用戶@example.org": 1}


def test_no_more_leave_in_a_minute_than_may():
    """They are spaced, over all connections together; no second has more than its share."""
    with SmtpServer() as server:
        assert carry(server, Desk(16), per_minute=1200, connections=4) is None
    times = sorted(taken.at for taken in server.taken)
    assert times[-1] - times[0] >= 15 * 0.05 * 0.9
    assert times[-1] - times[0] < 2


def test_a_reader_who_has_left_gets_nothing():
    """Whoever comes behind does."""
    for offers in (OFFERS, ONE_BY_ONE):
        with SmtpServer(offers=offers) as server:
            desk = Desk(6, gone=[1, 3, 4])
            SmtpTransport([(Settings(port=server.port, connections=2), "")], "me").run(desk)
        assert sorted(server.counts()) == sorted(desk.sent()) == ["r1@example.org", "r4@example.org", "r5@example.org"]


def test_several_servers_share_and_one_may_be_away():
    """What one has is not asked of the other."""
    with SmtpServer(pace=0.002) as one, SmtpServer(pace=0.002) as other:
        with socket.create_server(("127.0.0.1", 0)) as free:
            away = free.getsockname()[1]
        desk = Desk(100)
        SmtpTransport([(Settings(port=port), "") for port in (one.port, away, other.port)], "me").run(desk)
    assert one.counts() + other.counts() == Counter(desk.sent())
    assert len(desk.sent()) == 100
    assert min(len(one.taken), len(other.taken)) > 0


# Hanging up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_a_server_that_hangs_up_before_the_content_has_nothing(stage, offers):
    """Everybody gets one all the same, or waits for it; nobody two."""
    with SmtpServer(at(stage, Fault.HANG_UP, times=1, skip=0 if stage in {"greeting", "ehlo"} else 2)) as server:
        desk = Desk(10)
        assert carry(server, desk) is None
    assert desk.lost() == []
    assert set(server.counts().values()) == {1}
    assert len(desk.sent()) == 10


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_a_server_that_always_hangs_up_is_away(stage):
    """It is given up after a few tries, and nobody is lost or unknown."""
    with SmtpServer(at(stage, Fault.HANG_UP)) as server:
        desk = Desk(10)
        assert isinstance(carry(server, desk), MailServerUnavailable)
    assert server.connections == 3
    assert (desk.sent(), desk.lost(), server.taken) == ([], [], [])
    assert {a.reply.code for a in desk.other()} <= {451}


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.KEEP_AND_HANG_UP])
def test_an_end_without_an_answer_is_not_known(fault):
    """The message may have arrived; the next one's envelope, written with it, has not."""
    with SmtpServer(at("content", fault, times=1, skip=3)) as server:
        desk = Desk(10)
        assert carry(server, desk) is None
    assert desk.lost() == ["r3@example.org"]
    assert len(desk.sent()) == 9
    assert server.counts()["r3@example.org"] == (fault is Fault.KEEP_AND_HANG_UP)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_server_that_never_answers_a_content_is_given_up(connections):
    """At most one message a connection and try is on the wire when that is known."""
    with SmtpServer(at("content", Fault.KEEP_AND_HANG_UP)) as server:
        desk = Desk(100)
        assert isinstance(carry(server, desk, connections=connections), MailServerUnavailable)
    assert len(server.taken) == len(desk.lost()) <= 3 + connections
    assert set(server.counts().values()) == {1}


def test_a_content_that_is_cut_has_not_arrived_and_is_tried_later():
    """Like an answer "later": its own try is counted, whoever comes behind is not held up."""
    rule = lambda step: Fault.HANG_UP if step.stage == "part" and step.words == "r1@example.org" else None  # noqa: E731
    with SmtpServer(rule, window=1000) as server:
        desk = Desk(10, large=[2])
        assert carry(server, desk) is None
    assert (len(desk.sent()), desk.lost()) == (9, [])
    [cut] = desk.other()
    assert (cut.mail.recipient, cut.reply.code, cut.reply.enhanced) == ("r1@example.org", 451, "4.4.2")


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_one_reader_on_whom_a_server_breaks_holds_up_nobody(stage):
    """Tried once at the head of a new connection, then later."""
    broken = "r1@example.org"

    def rule(step):
        if step.stage == "rcpt" and broken in step.words:
            return Fault.HANG_UP
        return None

    with SmtpServer(rule, offers=OFFERS if stage == "mail" else ONE_BY_ONE) as server:
        desk = Desk(300)
        assert carry(server, desk) is None
    assert len(desk.sent()) == 299
    assert [(a.mail.recipient, a.reply.enhanced) for a in desk.other()] == [(broken, "4.4.2")]


def test_a_server_that_refuses_and_hangs_up_has_refused():
    """Its last word counts, though it was the first of three answers that were due."""

    def rule(step):
        if step.stage == "rcpt" and "r0@" in step.words:
            return "550 5.1.1 nobody"
        return Fault.HANG_UP if step.stage == "data" and step.message == 1 and step.before == 0 else None

    with SmtpServer(rule) as server:
        desk = Desk(5)
        assert carry(server, desk) is None
    assert [(a.mail.id, str(a.reply), a.stage) for a in desk.other()] == [(1, "550 5.1.1 nobody", Stage.RCPT)]
    assert len(desk.sent()) == 4


def test_an_answer_in_the_middle_of_a_content_is_heard():
    """Though it is written still, and the connection breaks: it would be sent again and again."""
    rule = lambda step: Last("552 5.3.4 too big") if step.stage == "part" and "r1@" in step.words else None  # noqa: E731
    with SmtpServer(rule, window=1000) as server:
        desk = Desk(6, large=[2])
        assert carry(server, desk) is None
    assert [(a.mail.id, str(a.reply)) for a in desk.other()] == [(2, "552 5.3.4 too big")]
    assert (len(desk.sent()), desk.lost()) == (5, [])


# Closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [OFFERS, ONE_BY_ONE])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content"])
def test_a_server_that_closes_is_asked_again_later(stage, offers):
    """421 is an answer to whoever was under way, and one says it without hanging up; the others go on elsewhere."""
    with SmtpServer(at(stage, "421 4.3.2 closing", times=2, skip=2), offers=offers) as server:
        desk = Desk(20)
        started = time.monotonic()
        assert carry(server, desk, connections=2) is None
        assert time.monotonic() - started < 5
    assert 0 < len(desk.other()) <= 2
    assert {str(a.reply) for a in desk.other()} == {"421 4.3.2 closing"}
    assert (len(desk.sent()) + len(desk.other()), desk.lost()) == (20, [])


@pytest.mark.parametrize("stage", ["mail", "content"])
def test_a_server_that_always_closes_is_away(stage):
    """It is not asked once a second for each reader: the others wait without having been tried."""
    with SmtpServer(at(stage, "421 4.7.0 slow down")) as server:
        desk = Desk(100)
        found = carry(server, desk, connections=4)
    assert isinstance(found, MailServerUnavailable)
    assert "421 4.7.0 slow down" in str(found)
    assert (len(desk.other()), desk.sent()) == (len(desk.answers), [])
    assert len(desk.answers) <= 7


def test_a_server_that_is_closing_when_asked_is_away():
    """421 instead of a greeting."""
    with SmtpServer(at("greeting", "421 4.7.0 try again later")) as server:
        desk = Desk(3)
        assert "says 421 4.7.0 try again later" in str(carry(server, desk))
    assert len(desk.waiting) == 3


def test_a_server_may_limit_what_a_connection_carries():
    """It says so at the next message, which goes on later."""
    with SmtpServer(lambda step: "421 4.7.0 enough" if step.stage == "mail" and step.message > 10 else None) as server:
        desk = Desk(25)
        assert carry(server, desk) is None
    assert (len(desk.sent()), len(desk.other())) == (23, 2)
    assert max(Counter(taken.connection for taken in server.taken).values()) == 10


@pytest.mark.parametrize("words", ["421 4.7.0 too many", "554 5.7.0 too many"])
def test_a_server_may_limit_connections(words):
    """What it bears is enough; that it bears no more is no fault, whatever words it has for it."""
    with SmtpServer(pace=0.001) as server:
        server.rule = lambda step: words if step.stage == "greeting" and server.at_once > 3 else None
        desk = Desk(100)
        assert carry(server, desk, connections=6) is None
    assert len(desk.sent()) == 100
    assert len({taken.connection for taken in server.taken}) <= 3


def test_a_server_may_have_less_to_offer_when_asked_again():
    """Each connection keeps to what it was offered."""
    rule = lambda step: offering("8BITMIME") if step.stage == "ehlo" and step.before else None  # noqa: E731
    quits = at("content", Fault.HANG_UP, times=1, skip=4)
    with SmtpServer(lambda step: rule(step) or quits(step)) as server:
        desk = Desk(12)
        assert carry(server, desk) is None
    assert (len(desk.sent()), desk.lost(), server.hasty) == (11, ["r4@example.org"], [])


# Nonsense ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "said"),
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
def test_answers_out_of_nowhere_end_the_connection(stage, said, offers):
    """Nobody is told to be sent who is not, and nobody gets two; what is not certain is said to be so."""
    with SmtpServer(at(stage, said, times=2, skip=3), offers=offers) as server:
        desk = Desk(20)
        carry(server, desk)
    assert set(server.counts().values()) == {1}
    assert len(desk.lost()) <= 2
    assert len(desk.sent()) >= 15


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        ("HTTP/1.1 400 Bad Request", "does not speak SMTP: it says '…/1.1 400 Bad Request'"),
        ("SSH-2.0-OpenSSH_9.2", "does not speak SMTP: it says '…2.0-OpenSSH_9.2'"),
        ("554 5.7.1 no mail here", "refuses us: 554 5.7.1 no mail here"),
    ],
)
def test_what_is_no_mail_server_is_named(greeting, words):
    """And what it said, so that somebody can mend the settings."""
    with SmtpServer(at("greeting", greeting)) as server:
        desk = Desk(3)
        found = carry(server, desk)
    assert isinstance(found, SenderRejected)
    assert words in str(found)
    assert len(desk.waiting) == 3


def test_nobody_there_is_away():
    """No server at this port."""
    with SmtpServer() as server:
        pass
    desk = Desk(3)
    assert "cannot be reached: [Errno 111] Connection refused" in str(carry(server, desk))
    assert len(desk.waiting) == 3


# Silence ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    """Half a second is long."""
    monkeypatch.setattr(connect, "_PATIENCE", 0.5)
    for stage in Stage:
        monkeypatch.setitem(session.PATIENCE, stage, 0.5)


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "content"])
def test_a_server_that_falls_silent_is_left(stage, impatient):
    """After the time that RFC 5321 section 4.5.3.2 allows; the others get theirs on another connection."""
    skip = 0 if stage in {"greeting", "ehlo"} else 3
    with SmtpServer(at(stage, Fault.SILENCE, times=1, skip=skip)) as server:
        desk = Desk(10)
        assert carry(server, desk) is None
        assert desk.lost() == (["r3@example.org"] if stage == "content" else [])
        assert len(desk.sent()) + len(desk.lost()) == 10


def test_a_server_that_says_a_byte_now_and_then_is_left(impatient):
    """It is whole answers that are waited for."""

    class Trickle(SmtpServer):
        """Says the answer to the first RCPT so slowly that it never ends."""

        def decide(self, talk, stage, words):
            if stage == "mail" and talk.number == 1 and talk.message == 3:
                for _ in range(60):
                    if self.closed.is_set():
                        break
                    talk.line.sendall(b"2")
                    time.sleep(0.1)
            return super().decide(talk, stage, words)

    with Trickle() as server:
        desk = Desk(10)
        started = time.monotonic()
        carry(server, desk)
        assert time.monotonic() - started < 4
        assert len(desk.sent()) == 10


def test_a_server_that_does_not_read_is_left(impatient):
    """A content that cannot be written is as good as no answer."""
    rule = lambda step: Fault.SILENCE if step.stage == "part" and step.words == "r1@example.org" else None  # noqa: E731
    with SmtpServer(rule, window=1000) as server:
        desk = Desk(6, large=[2])
        assert carry(server, desk) is None
        assert (len(desk.sent()), desk.lost(), len(desk.other())) == (5, [], 1)


# Ends -------------------------------------------------------------------------------------------------------------


def test_what_breaks_at_the_desk_leaves_nobody_unaccounted():
    """A store that cannot be written to ends the work; what servers may have is told, the rest goes back."""

    class Full(Desk):
        commits = 0

        def commit(self, answers, wanted):
            self.commits += 1
            if self.commits == 5:
                raise OSError("no space left")
            return super().commit(answers, wanted)

    with SmtpServer(pace=0.005) as server:
        desk = Full(30)
        with pytest.raises(OSError, match="no space left"):
            carry(server, desk, connections=3)
        desk.check(server)
        assert len(desk.answers) + len(desk.waiting) == 30
