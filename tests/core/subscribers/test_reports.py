"""What messages to the bounce address say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.core.subscribers.reports import DeliveryFailure, InboundKind, parse_message
from tests.returned import ADDRESS, block, complaint, delivery_report, letter, personal_mail

TOKEN, LEAVE = "0000000007" + "ab" * 10, "01" + "0000000009" + "cd" * 14
VERP, LEAVING = f"bounces+{TOKEN}@letters.example", f"bounces+u-{LEAVE}@letters.example"
LETTER = letter(TOKEN, LEAVE)


def report(*blocks, to=VERP, returned=LETTER, **form):
    return delivery_report(*blocks, to=to, returned=returned, **form)


def test_a_delivery_report_tells_token_code_and_words():
    """RFC 3464: that is what is decided by."""
    found = parse_message(report(block()), ADDRESS)
    said = "smtp; 550 5.1.1 <ada@readers.example>: no such user"
    assert (found.what, found.failures) == (InboundKind.BOUNCE, (DeliveryFailure(status="5.1.1", said=said),))
    assert found.deliveries == (TOKEN,)
    assert found.subscriptions == (LEAVE,)


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (block(status="4.4.7", said="smtp; 451 later"), "4.4.7"),
        (block(status="5.0.0"), "5.1.1"),
        (block(status="5.0.0", said="smtp; 550 no"), "5.0.0"),
        (block(status="5.1.1 (no such user)"), "5.1.1"),
        (block(status="5.7.1", said="smtp; 550 5.1.1 no"), "5.7.1"),
        (block(status="nonsense", said="x-unix; user unknown"), "5.0.0"),
        (block(status="5.0.0", said="smtp; 550 see version 5.1.1.4"), "5.0.0"),
        (block(status="4.0.0", said="smtp; 550 5.1.1 no"), "4.0.0"),
        (block(action="Failed (for good)"), "5.1.1"),
        (block(action="error"), "5.1.1"),
        ("Action: failed", "5.0.0"),
    ],
)
def test_the_code_is_the_most_exact_of_its_class(one, status):
    """A class alone (X.0.0) says less than what the server answered; numbers in words are no codes."""
    found = parse_message(report(one), ADDRESS)
    assert (found.what, found.failures[0].status) == (InboundKind.BOUNCE, status)


@pytest.mark.parametrize(
    ("blocks", "what"),
    [
        ([block(action="delayed", status="4.4.1")], InboundKind.DELAY),
        ([block(action="delivered", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(action="relayed", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(), block(action="expanded", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(), block(action="delivered", status="2.0.0")], InboundKind.AUTOMATIC),
    ],
)
def test_what_is_delayed_or_has_reached_somebody_is_no_bounce(blocks, what):
    """RFC 3464 section 2.3.3; an address may stand for several people."""
    assert parse_message(report(*blocks), ADDRESS).what is what


@pytest.mark.parametrize(
    "returned_as", ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"]
)
def test_the_returned_letter_names_the_delivery_where_the_address_does_not(returned_as):
    """By its Message-ID and its way to leave; whatever form it is returned in."""
    found = parse_message(report(block(), to="postmaster@letters.example", returned_as=returned_as), ADDRESS)
    assert (found.deliveries, found.subscriptions) == ((TOKEN,), (LEAVE,))


def test_a_relay_may_have_replaced_the_message_id():
    """Amazon SES does; the address that a report comes to and the way to leave still name the delivery."""
    replaced = LETTER.replace(f".{TOKEN}@letters.example", "@eu-west-1.amazonses.com")
    assert replaced.count("Message-ID: <weekly.3@eu-west-1.amazonses.com>") == 1
    found = parse_message(report(block(), returned=replaced), ADDRESS)
    assert (found.what, found.deliveries, found.subscriptions) == (InboundKind.BOUNCE, (TOKEN,), (LEAVE,))


def test_a_report_on_internationalised_mail_is_one():
    """RFC 6533."""
    found = parse_message(report(block(), kind="global-delivery-status"), ADDRESS)
    assert (found.what, found.failures[0].status) == (InboundKind.BOUNCE, "5.1.1")


def test_the_address_is_found_in_any_case_and_of_ours_only():
    """Servers may change case; what looks like ours and is longer is not."""
    assert parse_message(report(block(), to=VERP.upper(), returned=""), ADDRESS).deliveries == (TOKEN.upper(),)
    for other in (VERP + ".evil.example", "x" + VERP, VERP.replace("letters.example", "other.example")):
        assert parse_message(report(block(), to=other, returned=""), ADDRESS).deliveries == ()


def test_a_report_that_somebody_forwards_reports_nothing():
    """It lies inside a message, and only what is said to us counts."""
    head = f"From: ada@readers.example\nTo: {ADDRESS}\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    assert parse_message(head.encode() + report(block()), ADDRESS).what is InboundKind.UNRECOGNISED


COMPLAINT = complaint(VERP, LETTER).decode()


def test_a_complaint_is_one():
    """RFC 5965; the letter is named by its envelope, else by what was returned of it."""
    found = parse_message(COMPLAINT.encode(), ADDRESS)
    assert (found.what, found.deliveries, found.subscriptions) == (InboundKind.COMPLAINT, (TOKEN,), (LEAVE,))
    hidden = COMPLAINT.replace(f"<{VERP}>", "<redacted@letters.example>")
    assert parse_message(hidden.encode(), ADDRESS).deliveries == (TOKEN,)


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ("ABUSE", InboundKind.COMPLAINT),
        ("fraud", InboundKind.COMPLAINT),
        ("opt-out", InboundKind.COMPLAINT),
        ("not-spam", InboundKind.AUTOMATIC),
        ("auth-failure", InboundKind.UNRECOGNISED),
        ("", InboundKind.UNRECOGNISED),
    ],
)
def test_not_every_feedback_is_a_complaint(about, what):
    """RFC 6430 takes one back, RFC 6591 is about our own signatures."""
    text = COMPLAINT.replace("Feedback-Type: abuse", f"Feedback-Type: {about}")
    assert parse_message(text.encode(), ADDRESS).what is what


def mail(*fields, to=LEAVING, **more):
    return personal_mail(*fields, to=to, **more)


@pytest.mark.parametrize(
    "fields", [(), ("Subject: unsubscribe weekly",), ("Subject: hello",), ("Auto-Submitted: auto-generated",)]
)
def test_a_mail_to_the_address_in_a_letter_leaves(fields):
    """Whatever it says, also if a mail program wrote it."""
    found = parse_message(mail(*fields), ADDRESS)
    assert (found.what, found.subscriptions) == (InboundKind.LEAVE, (LEAVE,))


@pytest.mark.parametrize(
    "fields",
    [
        ("Auto-Submitted: auto-replied (vacation)",),
        ("X-Autoreply: yes",),
        ("Precedence: auto_reply",),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b",),
    ],
)
@pytest.mark.parametrize("to", [VERP, LEAVING])
def test_an_answering_machine_says_nothing(fields, to):
    """RFC 3834: somebody who is on holiday has not left, and can be reached."""
    assert parse_message(mail(*fields, to=to), ADDRESS).what is InboundKind.AUTOMATIC


@pytest.mark.parametrize(("sender", "fields"), [("MAILER-DAEMON@x.example", ()), ("x@x.example", ("Return-Path: <>",))])
def test_a_server_does_not_leave(sender, fields):
    """Somebody has forged a reader's address for a sender, and this is an answer to them."""
    assert parse_message(mail(*fields, sender=sender), ADDRESS).what is InboundKind.UNRECOGNISED


def test_what_people_write_is_for_people():
    """An answer to a letter, also one that quotes a bounce, or a letter with its way to leave."""
    quoted = "> " + LETTER.replace("\n", "\n> ") + "\n550 5.1.1 user unknown\n"
    for to in (VERP, ADDRESS):
        assert parse_message(mail("Subject: Re: News", to=to, body=quoted), ADDRESS).what is InboundKind.UNRECOGNISED


QMAIL = f"""Hi. This is the qmail-send program at mx.readers.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@readers.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <{VERP}>
{LETTER}"""
EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@readers.example
    host mx.readers.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<ada@readers.example>:
    550 no such person here

------ This is a copy of the message, including all the headers. ------

{LETTER}"""


@pytest.mark.parametrize(
    ("body", "fields", "status"),
    [(QMAIL, (), "5.1.1"), (EXIM, ("X-Failed-Recipients: ada@readers.example", "Auto-Submitted: auto-replied"), "")],
)
@pytest.mark.parametrize("to", [VERP, ADDRESS])
def test_a_report_in_a_form_of_its_own_is_recognised_by_its_words(body, fields, status, to):
    """By flufl.bounce; a code counts only where it can be nothing else, and the letter below tells whom it is about."""
    found = parse_message(
        mail("Return-Path: <>", *fields, to=to, body=body, sender="MAILER-DAEMON@mx.readers.example"), ADDRESS
    )
    assert (found.what, found.failures[0].status) == (InboundKind.BOUNCE, status)
    assert found.deliveries == (TOKEN,)


@pytest.mark.parametrize("sender", ["", "Почтовая система <mailer-daemon@mx.readers.example>", "MAILER-DAEMON"])
def test_flufl_bounce_is_shown_a_sender_that_it_can_bear(sender):
    """Its detectors for Yale and Sina raise where there is none, or one that is not ASCII, and all would be lost."""
    text = mail("Return-Path: <>", body=QMAIL, to=VERP, sender=sender).decode()
    for raw in (text.encode(), text.replace("From: \n", "").encode("utf-8")):
        assert parse_message(raw, ADDRESS).what is InboundKind.BOUNCE


@pytest.mark.parametrize(
    "words",
    [
        # of sendmail's form; flufl.bounce takes it for final
        (
            "This is a warning message only.\n   ----- The following addresses had transient non-fatal errors -----\n"
            "<ada@readers.example>\n\n   ----- Transcript of session follows -----\n"
        ),
        (
            "Delivery to the following recipient has been delayed:\n\n     ada@readers.example\n\n"
            "Message will be retried for 2 more days\n"
        ),
    ],
)
def test_a_warning_in_a_form_of_its_own_is_no_bounce(words):
    """The server goes on trying."""
    raw = mail("Return-Path: <>", to=VERP, body=words, sender="MAILER-DAEMON@x.example")
    assert parse_message(raw, ADDRESS).what is InboundKind.DELAY


# Anything at all --------------------------------------------------------------------------------------------------

SAMPLES = [
    report(block()),
    COMPLAINT.encode(),
    mail(),
    mail("Return-Path: <>", body=QMAIL, to=VERP, sender="MAILER-DAEMON"),
]


@given(st.binary(max_size=2000))
@example(b"")
@example(b"\xff\xfe" * 50)
@example("From: a\n\nだ".encode("utf-16"))
@example("Content-Type: text/plain; charset=no-such\nTo: だ\n\nだ".encode("iso-2022-jp"))
@example(b"Content-Type: multipart/report; boundary*0*=%ff''x\n\n--x\n")
@example(b"From: mailer-daemon\nContent-Transfer-Encoding: base64\n\n!!!!")
def test_whatever_bytes_come_something_is_said(raw):
    """And nothing is a bounce by chance: nothing in it is ours."""
    found = parse_message(raw, ADDRESS)
    assert (found.deliveries, found.subscriptions) == ((), ())


@given(st.data())
def test_a_damaged_report_raises_nothing(data):
    """Cut off, cut out, doubled, with bytes in it that nobody wrote."""
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 200)))
        raw[start:end] = data.draw(st.binary(max_size=20)) + bytes(raw[start:end]) * data.draw(st.integers(0, 2))
    parse_message(bytes(raw), ADDRESS)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_report_that_is_cut_off_raises_nothing(sample):
    """At every byte."""
    for end in range(0, len(sample), 7):
        assert parse_message(sample[:end], ADDRESS).what in InboundKind


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * 10_000_000,
        report(block()) + b"\n" + b"words " * 1_700_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(5000)),
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"From: mailer-daemon\n\n" + b"<" * 1_000_000,
        b"From: mailer-daemon\nTo: " + b"bounces+" * 100_000 + b"\n\n" + b"a@b " * 100_000,
        b"A: b\n" * 100_000,
        report(*[block()] * 20_000),
    ],
    ids=[
        "one line",
        "ten megabytes",
        "parts in parts",
        "messages in messages",
        "brackets",
        "addresses",
        "fields",
        "blocks",
    ],
)
def test_what_is_huge_or_nested_is_read_as_far_as_it_makes_sense(raw):
    """And takes no longer than the rest."""
    assert len(parse_message(raw, ADDRESS).failures) <= 100


def test_a_report_in_front_of_ten_megabytes_is_still_one():
    """Reports stand in front of what they return."""
    assert parse_message(report(block(), returned=LETTER + "words " * 1_700_000), ADDRESS).what is InboundKind.BOUNCE
