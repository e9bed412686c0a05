"""The SMTP commands of one connection without a network, with servers that follow the protocol and some that do not."""

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.mail.smtp.reply import ProtocolError
from feeds.edges.mail.smtp.session import ContentRequested, SmtpSession
from feeds.edges.mail.transport import OutgoingMail, Replied, Stage

CONTENT = b"Subject: %d\r\n\r\nbody\r\n"
#: The replies of a server to each command; most are a success.
REPLIES = {
    b"MAIL": [b"250 2.1.0 ok"] * 6 + [b"451 later", b"550 5.7.1 not you", b"421 4.3.2 closing"],
    b"RCPT": [b"250 2.1.5 ok"] * 6 + [b"450 4.2.0 grey", b"550-5.1.1 unknown\r\n550 5.1.1 user", b"421 4.3.2 closing"],
    b"DATA": [b"354 go on"] * 6 + [b"451 later", b"554 no", b"421 4.3.2 closing"],
    b"": [b"250 2.0.0 kept"] * 6 + [b"451 later", b"552 5.2.2 full", b"421 4.3.2 closing"],
}


def mail(number, recipient=""):
    return OutgoingMail(number, "desk@example.com", recipient or f"r{number}@example.org")


class Server:
    """A server that follows RFC 5321 and replies at random."""

    def __init__(self, random):
        self._random = random
        self._unread = b""
        self._wants_content = self._has_sender = False
        self._recipient = None
        self.closed = False
        #: The recipients of accepted messages, and whether it got a command before it had replied to the last.
        self.accepted = []
        self.was_rushed = False

    def receive(self, data):
        self._unread += data

    @property
    def has_work(self):
        end = b".\r\n" if self._wants_content else b"\r\n"
        return not self.closed and end in self._unread

    def reply(self):
        """Return the reply to the next command."""
        if self._wants_content:
            return self._accept_content()
        line, _, self._unread = self._unread.partition(b"\r\n")
        verb = line[:4]
        reply = self._random.choice(REPLIES.get(verb, [b"250 2.0.0 ok"]))
        if verb == b"MAIL":
            assert not self._has_sender, "a second MAIL in one transaction"
            self._has_sender = reply.startswith(b"2")
        if verb == b"RCPT":
            reply = reply if self._has_sender else b"503 5.5.1 no sender"
            self._recipient = line[9:-1].decode() if reply.startswith(b"2") else None
        if verb == b"DATA":
            if self._recipient is None and not reply.startswith(b"421"):
                reply = self._random.choice([b"554 5.5.1 no valid recipients", b"503 5.5.1 no", b"354 go on, then"])
            self._wants_content = reply.startswith(b"354")
        if verb == b"RSET":
            self._has_sender, self._recipient = False, None
        return self._finish(reply)

    def _accept_content(self):
        content, _, self._unread = self._unread.partition(b".\r\n")
        reply = self._random.choice(REPLIES[b""]) if self._recipient else b"554 5.5.1 no valid recipients"
        if reply.startswith(b"2"):
            assert content == CONTENT % int(self._recipient[1:].partition("@")[0])
            self.accepted.append(self._recipient)
        self._wants_content = self._has_sender = False
        self._recipient = None
        return self._finish(reply)

    def _finish(self, reply):
        self.was_rushed |= bool(self._unread)
        self.closed = reply.startswith(b"421")
        return reply + b"\r\n"


class Simulation:
    """A session and a server, and a network between them that delivers bytes late and in parts."""

    def __init__(self, random, *, pipelining, mails=6):
        self.random, self.server = random, Server(random)
        self.session = SmtpSession(pipelining=pipelining)
        self.waiting = deque(mail(n) for n in range(mails))
        self.begun, self.replies, self.requested = [], [], []
        self._to_server, self._to_session = b"", b""
        self.bytes_sent = 0

    def steps(self):
        """The steps that are possible next."""
        can_begin, session = self.session.is_free and self.waiting, self.session
        steps = [(can_begin, self._begin), (self.requested, self._send_content), (session.outgoing, self._write)]
        steps += [(self._to_server, self._deliver), (self.server.has_work, self._serve), (self._to_session, self._read)]
        return [step for is_possible, step in steps if is_possible]

    def run(self, most=10_000):
        while (steps := self.steps()) and most:
            self.random.choice(steps)()
            most -= 1

    def _begin(self):
        self.begun.append(self.waiting.popleft())
        self.session.begin(self.begun[-1])

    def _send_content(self):
        self.session.send_content(CONTENT % self.requested.pop().id)

    def _write(self):
        self._to_server += b"".join(self.session.outgoing)
        self.session.outgoing.clear()

    def _deliver(self):
        """Deliver some of the bytes, or all."""
        size = self.random.choice([len(self._to_server), self.random.randint(1, len(self._to_server))])
        if not self.server.closed:
            self.server.receive(self._to_server[:size])
        self.bytes_sent += size
        self._to_server = self._to_server[size:]

    def _serve(self):
        self._to_session += self.server.reply()

    def _read(self):
        size = self.random.choice([len(self._to_session), self.random.randint(1, len(self._to_session))])
        data, self._to_session = self._to_session[:size], self._to_session[size:]
        for event in self.session.receive(data):
            if isinstance(event, ContentRequested):
                self.requested.append(event.mail)
            else:
                self.replies.append(event)

    def outcomes(self):
        """The recipients whose mail was sent, refused, is unconfirmed, and was not sent."""
        refusal = self.session.pending_refusal()
        self.replies += [refusal] if refusal else []
        unconfirmed, *unsent = self.session.unfinished(self.bytes_sent)
        sent = [r.mail for r in self.replies if (r.stage, r.reply.code) == (Stage.CONTENT, 250)]
        refused = [r.mail for r in self.replies if r.mail not in sent]
        return [[one.recipient for one in group if one] for group in (sent, refused, [unconfirmed], unsent)]


RANDOM = st.randoms(use_true_random=False)


@given(RANDOM, st.booleans())
def test_every_mail_gets_its_own_reply(random, pipelining):
    """The mail that counts as sent is the mail that the server accepted, and each mail has one outcome."""
    simulation = Simulation(random, pipelining=pipelining)
    simulation.run()
    sent, refused, unconfirmed, unsent = simulation.outcomes()
    assert Counter(simulation.server.accepted) == Counter(sent)
    assert Counter(sent + refused + unconfirmed + unsent) == Counter(one.recipient for one in simulation.begun)
    assert unconfirmed == []
    if not simulation.server.closed:
        assert (unsent, len(simulation.begun), simulation.session.awaited_stage) == ([], 6, None)


@given(RANDOM, st.booleans(), st.integers(0, 150))
def test_a_connection_may_end_at_any_moment(random, pipelining, steps):
    """At most one mail is then unconfirmed, and mail that counts as unsent has not arrived."""
    simulation = Simulation(random, pipelining=pipelining)
    simulation.run(steps)
    sent, refused, unconfirmed, unsent = simulation.outcomes()
    assert set(sent) <= set(simulation.server.accepted) <= {*sent, *unconfirmed}
    assert len(unconfirmed) <= 1
    assert Counter(sent + refused + unconfirmed + unsent) == Counter(one.recipient for one in simulation.begun)


@given(RANDOM)
def test_without_pipelining_each_command_waits_for_the_reply_to_the_last(random):
    """RFC 5321 section 4.5.4: some servers close the connection of a client that does not wait."""
    simulation = Simulation(random, pipelining=False)
    simulation.run()
    assert not simulation.server.was_rushed


ANY_REPLY = st.sampled_from(
    [b"250 ok", b"250 ok", b"250 ok", b"354 go", b"354 go", b"451 no", b"550 5.1.1 no", b"421 bye", b"250-a\r\n250 b"]
)


@given(st.lists(st.lists(ANY_REPLY, max_size=4), max_size=12), st.booleans())
def test_no_reply_makes_the_session_drop_a_mail_or_give_it_two_outcomes(batches, pipelining):
    """With unexpected, surplus or missing replies each mail still has one outcome, and its content is sent once."""
    session, waiting = SmtpSession(pipelining=pipelining), deque(mail(n) for n in range(100))
    begun, replied, requested, contents = [], [], [], []
    for batch in batches:
        if session.is_free:
            begun.append(waiting.popleft())
            session.begin(begun[-1])
        while requested:
            contents.append(requested.pop())
            session.send_content(CONTENT % contents[-1].id)
        try:
            for event in session.receive(b"".join(one + b"\r\n" for one in batch)):
                (requested if isinstance(event, ContentRequested) else replied).append(event.mail)
        except ProtocolError:
            break
        if session.closing:
            break
    refusal = session.pending_refusal()
    replied += [refusal.mail] if refusal else []
    unconfirmed, cut, unsent = session.unfinished(session.bytes_queued)
    assert Counter([*replied, *(one for one in (unconfirmed, unsent) if one)]) == Counter(begun)
    assert len(set(contents)) == len(contents)
    assert (cut, unconfirmed in [None, *contents], unsent in contents) == (None, True, False)


def converse(*replies, pipelining=True, mails=1):
    """Begin mail whenever the session is free, and return the session and its events after all replies."""
    session, events, waiting = SmtpSession(pipelining=pipelining), [], deque(mail(n) for n in range(mails))
    for reply in replies:
        while session.is_free and waiting:
            session.begin(waiting.popleft())
        for event in session.receive(reply.encode() + b"\r\n"):
            events.append(event)
            if isinstance(event, ContentRequested):
                session.send_content(CONTENT % event.mail.id)
    return session, events


def test_a_message_takes_one_round_trip():
    """With PIPELINING the end of one message and the envelope of the next are sent together (RFC 2920)."""
    session, events = converse("250 ok", "250 ok", "354 go", mails=2)
    assert events == [ContentRequested(mail(0))]
    session.begin(mail(1))
    assert b"".join(session.outgoing).endswith(
        CONTENT % 0 + b".\r\nMAIL FROM:<desk@example.com>\r\nRCPT TO:<r1@example.org>\r\nDATA\r\n"
    )


def test_the_first_refusal_is_the_outcome():
    """Later replies only follow from it; the transaction is ended, even if the server asks for content."""
    session, events = converse("250 ok", "550 5.1.1 unknown user", "503 5.5.1 no recipients")
    assert [(e.reply.code, e.stage) for e in events] == [(550, Stage.RCPT)]
    assert session.outgoing[-1] == b"RSET\r\n"
    session, events = converse("250 ok", "550 5.1.1 unknown user", "354 go ahead")
    assert [(e.reply.code, e.stage) for e in events] == [(550, Stage.RCPT)]
    assert list(session.outgoing)[-2:] == [b".\r\n", b"RSET\r\n"]


@pytest.mark.parametrize(
    "replies",
    [
        ("354 go",),  # to MAIL
        ("250 ok", "354 go"),  # to RCPT
        ("250 ok", "250 ok", "250 ok"),  # to DATA
        ("250 ok", "250 ok", "354 go", "354 go"),  # to a content
        ("450 no", "450 no", "450 no", "354 go"),  # to RSET
    ],
)
def test_a_reply_that_does_not_fit_its_command_ends_the_connection(replies):
    """All later replies would be matched to the wrong mail."""
    with pytest.raises(ProtocolError, match="is not a reply to"):
        converse(*replies)


def test_a_refusal_counts_after_a_disconnect_though_more_replies_were_due():
    """Some servers close the connection after a refusal."""
    session, events = converse("250 ok", "550 5.1.1 unknown user")
    assert events == []
    refusal = session.pending_refusal()
    assert (refusal.mail, refusal.reply.code, refusal.stage) == (mail(0), 550, Stage.RCPT)
    assert session.unfinished(session.bytes_queued) == (None, None, None)
    assert converse("250 ok")[0].pending_refusal() is None


def test_a_reply_without_a_command_ends_the_connection():
    """Only 421 may come at any time (RFC 5321 section 3.8)."""
    with pytest.raises(ProtocolError, match="no reply was due"):
        list(SmtpSession(pipelining=True).receive(b"250 hello\r\n"))
    session = SmtpSession(pipelining=True)
    assert list(session.receive(b"421 4.3.2 bye\r\n")) == []
    assert (session.closing.code, session.is_free) == (421, False)


def test_a_message_has_not_arrived_if_one_byte_of_it_was_not_sent():
    """If its last byte was sent it is unconfirmed; the envelope of the next mail makes no difference."""
    session, _ = converse("250 ok", "250 ok", "354 go")
    end = session.bytes_queued
    session.begin(mail(1))
    assert session.unfinished(end - 1) == (None, mail(0), mail(1))
    assert session.unfinished(end) == session.unfinished(session.bytes_queued) == (mail(0), None, mail(1))


def test_only_a_non_ascii_address_asks_for_smtputf8():
    """RFC 6531 section 3.4."""
    for recipient, options in (("r@example.org", b""), ("用戶@example.org", b" SMTPUTF8 BODY=8BITMIME")):
        session = SmtpSession(pipelining=True, utf8=True)
        session.begin(mail(0, recipient))
        assert list(session.outgoing)[:2] == [
            b"MAIL FROM:<desk@example.com>%b\r\n" % options,
            f"RCPT TO:<{recipient}>\r\n".encode(),
        ]


def test_content_that_was_not_requested_cannot_be_sent():
    """It is an error before the server asks for it, and a second time."""
    session = SmtpSession(pipelining=True)
    with pytest.raises(ValueError, match="no content was requested"):
        session.send_content(b"x\r\n")
    session, [event] = converse("250 ok", "250 ok", "354 go")
    assert isinstance(event, ContentRequested)
    with pytest.raises(ValueError, match="no content was requested"):
        session.send_content(b"x\r\n")


def test_an_abandoned_mail_is_not_unfinished():
    """Its recipient has unsubscribed, so it needs no outcome."""
    session = SmtpSession(pipelining=True)
    session.begin(mail(0))
    assert [type(e) for e in session.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")] == [ContentRequested]
    session.abandon()
    assert session.unfinished(session.bytes_queued) == (None, None, None)


def test_outcomes_have_the_order_of_the_mail():
    """The first mail that was begun is the first with an outcome."""
    _, events = converse(*["250 ok", "250 ok", "354 go", "250 kept"] * 3, pipelining=False, mails=3)
    assert [e.mail.id for e in events if isinstance(e, Replied)] == [0, 1, 2]
