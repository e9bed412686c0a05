"""One side of the talk with a server, without a network: against servers that keep the rules, and some that do not."""

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.mail.smtp.reply import ProtocolError
from feeds.edges.mail.smtp.session import ContentRequested, SmtpSession
from feeds.edges.mail.transport import OutgoingMail, Replied, Stage

CONTENT = b"Subject: %d\r\n\r\nbody\r\n"
#: What a server may say to each command; well is as likely as all else together.
SAYS = {
    b"MAIL": [b"250 2.1.0 ok"] * 6 + [b"451 later", b"550 5.7.1 not you", b"421 4.3.2 closing"],
    b"RCPT": [b"250 2.1.5 ok"] * 6 + [b"450 4.2.0 grey", b"550-5.1.1 nobody\r\n550 5.1.1 here", b"421 4.3.2 closing"],
    b"DATA": [b"354 go on"] * 6 + [b"451 later", b"554 no", b"421 4.3.2 closing"],
    b"": [b"250 2.0.0 kept"] * 6 + [b"451 later", b"552 5.2.2 full", b"421 4.3.2 closing"],
}


def parcel(number, recipient=""):
    return OutgoingMail(number, "desk@example.com", recipient or f"r{number}@example.org")


class Server:
    """A server that keeps the rules (RFC 5321), and decides by chance."""

    def __init__(self, chance):
        self._chance = chance
        self._unread = b""
        self._wants_content = self._has_sender = False
        self._recipient = None
        self.closed = False
        #: Whose content it has taken on; and whether it was told more before it had answered.
        self.kept = []
        self.was_rushed = False

    def hear(self, data):
        self._unread += data

    @property
    def has_work(self):
        end = b".\r\n" if self._wants_content else b"\r\n"
        return not self.closed and end in self._unread

    def answer(self):
        """Return what it says to the next thing it was told."""
        if self._wants_content:
            return self._content()
        line, _, self._unread = self._unread.partition(b"\r\n")
        verb = line[:4]
        said = self._chance.choice(SAYS.get(verb, [b"250 2.0.0 ok"]))
        if verb == b"MAIL":
            assert not self._has_sender, "a second MAIL in one transaction"
            self._has_sender = said.startswith(b"2")
        if verb == b"RCPT":
            said = said if self._has_sender else b"503 5.5.1 no sender"
            self._recipient = line[9:-1].decode() if said.startswith(b"2") else None
        if verb == b"DATA":
            if self._recipient is None and not said.startswith(b"421"):
                said = self._chance.choice([b"554 5.5.1 no valid recipients", b"503 5.5.1 no", b"354 go on, then"])
            self._wants_content = said.startswith(b"354")
        if verb == b"RSET":
            self._has_sender, self._recipient = False, None
        return self._said(said)

    def _content(self):
        content, _, self._unread = self._unread.partition(b".\r\n")
        said = self._chance.choice(SAYS[b""]) if self._recipient else b"554 5.5.1 no valid recipients"
        if said.startswith(b"2"):
            assert content == CONTENT % int(self._recipient[1:].partition("@")[0])
            self.kept.append(self._recipient)
        self._wants_content = self._has_sender = False
        self._recipient = None
        return self._said(said)

    def _said(self, said):
        self.was_rushed |= bool(self._unread)
        self.closed = said.startswith(b"421")
        return said + b"\r\n"


class Talk:
    """A dialogue and a server with wires between them that take their time."""

    def __init__(self, chance, *, pipelining, parcels=6):
        self.chance, self.server = chance, Server(chance)
        self.dialogue = SmtpSession(pipelining=pipelining)
        self.waiting = deque(parcel(n) for n in range(parcels))
        self.offered, self.answers, self.wanted = [], [], []
        self._there, self._back = b"", b""
        self.written = 0

    def steps(self):
        """What may happen next."""
        free, dialogue = self.dialogue.is_free and self.waiting, self.dialogue
        possible = [(free, self._offer), (self.wanted, self._give), (dialogue.outgoing, self._write)]
        possible += [(self._there, self._carry), (self.server.has_work, self._serve), (self._back, self._read)]
        return [step for may, step in possible if may]

    def run(self, most=10_000):
        while (steps := self.steps()) and most:
            self.chance.choice(steps)()
            most -= 1

    def _offer(self):
        self.offered.append(self.waiting.popleft())
        self.dialogue.begin(self.offered[-1])

    def _give(self):
        self.dialogue.send_content(CONTENT % self.wanted.pop().id)

    def _write(self):
        self._there += b"".join(self.dialogue.outgoing)
        self.dialogue.outgoing.clear()

    def _carry(self):
        """A part of what was written, or all of it."""
        size = self.chance.choice([len(self._there), self.chance.randint(1, len(self._there))])
        if not self.server.closed:
            self.server.hear(self._there[:size])
        self.written += size
        self._there = self._there[size:]

    def _serve(self):
        self._back += self.server.answer()

    def _read(self):
        size = self.chance.choice([len(self._back), self.chance.randint(1, len(self._back))])
        data, self._back = self._back[:size], self._back[size:]
        for event in self.dialogue.receive(data):
            (self.wanted if isinstance(event, ContentRequested) else self.answers).append(
                event.mail if isinstance(event, ContentRequested) else event
            )

    def outcome(self):
        """Who was said to be sent, answered otherwise, lost and left, by recipient."""
        last = self.dialogue.pending_refusal()
        self.answers += [last] if last else []
        maybe, *left = self.dialogue.unfinished(self.written)
        sent = [a.mail for a in self.answers if (a.stage, a.reply.code) == (Stage.CONTENT, 250)]
        other = [a.mail for a in self.answers if a.mail not in sent]
        found = [sent, other, [maybe], left]
        return [[one.recipient for one in group if one] for group in found]


CHANCE = st.randoms(use_true_random=False)


@given(CHANCE, st.booleans())
def test_everybody_gets_the_answer_that_was_meant_for_them(chance, pipelining):
    """Whoever is said to be sent was taken on, and nobody else; each parcel ends once."""
    talk = Talk(chance, pipelining=pipelining)
    talk.run()
    sent, other, lost, left = talk.outcome()
    assert Counter(talk.server.kept) == Counter(sent)
    assert Counter(sent + other + lost + left) == Counter(one.recipient for one in talk.offered)
    assert lost == []
    if not talk.server.closed:
        assert (left, len(talk.offered), talk.dialogue.waits_for) == ([], 6, None)


@given(CHANCE, st.booleans(), st.integers(0, 150))
def test_a_connection_may_end_at_any_moment(chance, pipelining, steps):
    """Then at most one may have arrived unknown, and what is said to be left certainly has not."""
    talk = Talk(chance, pipelining=pipelining)
    talk.run(steps)
    sent, other, lost, left = talk.outcome()
    assert set(sent) <= set(talk.server.kept) <= {*sent, *lost}
    assert len(lost) <= 1
    assert Counter(sent + other + lost + left) == Counter(one.recipient for one in talk.offered)


@given(CHANCE)
def test_without_pipelining_each_command_waits_for_its_answer(chance):
    """RFC 5321 section 4.5.4: some servers hang up on who does not."""
    talk = Talk(chance, pipelining=False)
    talk.run()
    assert not talk.server.was_rushed


REPLIES = st.sampled_from(
    [b"250 ok", b"250 ok", b"250 ok", b"354 go", b"354 go", b"451 no", b"550 5.1.1 no", b"421 bye", b"250-a\r\n250 b"]
)


@given(st.lists(st.lists(REPLIES, max_size=4), max_size=12), st.booleans())
def test_whatever_a_server_says_nobody_is_dropped_or_told_twice(said, pipelining):
    """Answers out of place, too many, too few: each parcel still ends once, its content asked for at most once."""
    dialogue, waiting = SmtpSession(pipelining=pipelining), deque(parcel(n) for n in range(100))
    offered, answered, wanted, given_out = [], [], [], []
    for batch in said:
        if dialogue.is_free:
            offered.append(waiting.popleft())
            dialogue.begin(offered[-1])
        while wanted:
            given_out.append(wanted.pop())
            dialogue.send_content(CONTENT % given_out[-1].id)
        try:
            for event in dialogue.receive(b"".join(one + b"\r\n" for one in batch)):
                (wanted if isinstance(event, ContentRequested) else answered).append(event.mail)
        except ProtocolError:
            break
        if dialogue.closing:
            break
    last = dialogue.pending_refusal()
    answered += [last.mail] if last else []
    maybe, cut, unseen = dialogue.unfinished(dialogue.said)
    assert Counter([*answered, *(one for one in (maybe, unseen) if one)]) == Counter(offered)
    assert len(set(given_out)) == len(given_out)
    assert (cut, maybe in [None, *given_out], unseen in given_out) == (None, True, False)


def talk(*replies, pipelining=True, parcels=1):
    """What comes of replies, one after the other, to parcels that are offered as soon as they can be."""
    dialogue, events, waiting = SmtpSession(pipelining=pipelining), [], deque(parcel(n) for n in range(parcels))
    for reply in replies:
        while dialogue.is_free and waiting:
            dialogue.begin(waiting.popleft())
        for event in dialogue.receive(reply.encode() + b"\r\n"):
            events.append(event)
            if isinstance(event, ContentRequested):
                dialogue.send_content(CONTENT % event.mail.id)
    return dialogue, events


def test_a_message_takes_one_round_trip():
    """The end of one and the envelope of the next are written together (RFC 2920)."""
    dialogue, events = talk("250 ok", "250 ok", "354 go", parcels=2)
    assert events == [ContentRequested(parcel(0))]
    dialogue.begin(parcel(1))
    assert b"".join(dialogue.outgoing).endswith(
        CONTENT % 0 + b".\r\nMAIL FROM:<desk@example.com>\r\nRCPT TO:<r1@example.org>\r\nDATA\r\n"
    )


def test_the_first_refusal_is_the_reason():
    """What follows from it says nothing of its own; the transaction is ended, also where content is asked for."""
    dialogue, events = talk("250 ok", "550 5.1.1 nobody", "503 5.5.1 no recipients")
    assert [(e.reply.code, e.stage) for e in events] == [(550, Stage.RCPT)]
    assert dialogue.outgoing[-1] == b"RSET\r\n"
    dialogue, events = talk("250 ok", "550 5.1.1 nobody", "354 for nobody")
    assert [(e.reply.code, e.stage) for e in events] == [(550, Stage.RCPT)]
    assert list(dialogue.outgoing)[-2:] == [b".\r\n", b"RSET\r\n"]


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
def test_an_answer_to_another_question_ends_the_connection(replies):
    """From then on every answer would be taken for that of somebody else."""
    with pytest.raises(ProtocolError, match="is no answer to"):
        talk(*replies)


def test_a_refusal_stands_though_more_answers_were_due():
    """Some servers hang up behind it."""
    dialogue, events = talk("250 ok", "550 5.1.1 nobody")
    assert events == []
    last = dialogue.pending_refusal()
    assert (last.mail, last.reply.code, last.stage) == (parcel(0), 550, Stage.RCPT)
    assert dialogue.unfinished(dialogue.said) == (None, None, None)
    assert talk("250 ok")[0].pending_refusal() is None


def test_an_answer_that_nobody_asked_for_ends_the_connection():
    """Except "closing", which may come at any time (RFC 5321 section 3.8)."""
    with pytest.raises(ProtocolError, match="was not asked"):
        list(SmtpSession(pipelining=True).receive(b"250 hello\r\n"))
    dialogue = SmtpSession(pipelining=True)
    assert list(dialogue.receive(b"421 4.3.2 bye\r\n")) == []
    assert (dialogue.closing.code, dialogue.is_free) == (421, False)


def test_a_content_that_is_not_all_out_has_not_arrived():
    """One byte makes the difference between knowing and not knowing; the next one's envelope none at all."""
    dialogue, _ = talk("250 ok", "250 ok", "354 go")
    end = dialogue.said
    dialogue.begin(parcel(1))
    assert dialogue.unfinished(end - 1) == (None, parcel(0), parcel(1))
    assert dialogue.unfinished(end) == dialogue.unfinished(dialogue.said) == (parcel(0), None, parcel(1))


def test_an_address_beyond_ascii_asks_for_smtputf8():
    """RFC 6531 section 3.4; others do not."""
    for recipient, options in (("r@example.org", b""), ("用戶@example.org", b" SMTPUTF8 BODY=8BITMIME")):
        dialogue = SmtpSession(pipelining=True, utf8=True)
        dialogue.begin(parcel(0, recipient))
        assert list(dialogue.outgoing)[:2] == [
            b"MAIL FROM:<desk@example.com>%b\r\n" % options,
            f"RCPT TO:<{recipient}>\r\n".encode(),
        ]


def test_nothing_is_given_that_was_not_asked_for():
    """Neither before the server asks, nor twice."""
    dialogue = SmtpSession(pipelining=True)
    with pytest.raises(ValueError, match="no content was asked for"):
        dialogue.send_content(b"x\r\n")
    dialogue, [event] = talk("250 ok", "250 ok", "354 go")
    assert isinstance(event, ContentRequested)
    with pytest.raises(ValueError, match="no content was asked for"):
        dialogue.send_content(b"x\r\n")


def test_whose_reader_has_left_is_forgotten():
    """Then nothing is left of it."""
    dialogue = SmtpSession(pipelining=True)
    dialogue.begin(parcel(0))
    assert [type(e) for e in dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")] == [ContentRequested]
    dialogue.abandon()
    assert dialogue.unfinished(dialogue.said) == (None, None, None)


def test_a_parcel_that_was_answered_is_answered():
    """Answers keep the order of what was offered."""
    _, events = talk(*["250 ok", "250 ok", "354 go", "250 kept"] * 3, pipelining=False, parcels=3)
    assert [e.mail.id for e in events if isinstance(e, Replied)] == [0, 1, 2]
