"""Parsing messages to the bounce address."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.core.subscribers.bounces import BounceKind
from feeds.core.subscribers.reports import DeliveryFailure, InboundKind, InboundReport, classify_report, parse_message
from tests.returned import ADDRESS, block, complaint, delivery_report, letter, personal_mail

TOKEN, LEAVE = "0000000007" + "ab" * 10, "01" + "0000000009" + "cd" * 14
VERP, LEAVING = f"bounces+{TOKEN}@letters.example", f"bounces+u-{LEAVE}@letters.example"
LETTER = letter(TOKEN, LEAVE)


def report(*blocks, to=VERP, returned=LETTER, **form):
    return delivery_report(*blocks, to=to, returned=returned, **form)


def test_a_delivery_report_tells_token_code_and_words():
    """A delivery report (RFC 3464) gives the token, the status code and the server's words."""
    found = parse_message(report(block()), ADDRESS)
    said = "smtp; 550 5.1.1 <ada@readers.example>: no such user"
    assert (found.kind, found.failures) == (InboundKind.BOUNCE, (DeliveryFailure(status="5.1.1", said=said),))
    assert found.deliveries == (TOKEN,)
    assert found.subscriptions == (LEAVE,)


@pytest.mark.parametrize(
    ("fields", "status"),
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
def test_the_code_is_the_most_exact_of_its_class(fields, status):
    """A code without detail (X.0.0) is replaced by the one in the answer; other numbers in the answer are not codes."""
    found = parse_message(report(fields), ADDRESS)
    assert (found.kind, found.failures[0].status) == (InboundKind.BOUNCE, status)


@pytest.mark.parametrize(
    ("blocks", "kind"),
    [
        ([block(action="delayed", status="4.4.1")], InboundKind.DELAY),
        ([block(action="delivered", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(action="relayed", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(), block(action="expanded", status="2.0.0")], InboundKind.AUTOMATIC),
        ([block(), block(action="delivered", status="2.0.0")], InboundKind.AUTOMATIC),
    ],
)
def test_what_is_delayed_or_has_reached_somebody_is_no_bounce(blocks, kind):
    """A report of a delay, or of a success behind the same address, is not a bounce (RFC 3464 section 2.3.3)."""
    assert parse_message(report(*blocks), ADDRESS).kind is kind


@pytest.mark.parametrize(
    "returned_as", ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"]
)
def test_the_returned_letter_names_the_delivery_where_the_address_does_not(returned_as):
    """Without a token in the address, the returned letter gives it: in its Message-ID and List-Unsubscribe."""
    found = parse_message(report(block(), to="postmaster@letters.example", returned_as=returned_as), ADDRESS)
    assert (found.deliveries, found.subscriptions) == ((TOKEN,), (LEAVE,))


def test_a_relay_may_have_replaced_the_message_id():
    """If a relay such as SES replaces the Message-ID, the bounce address and List-Unsubscribe still give the tokens."""
    replaced = LETTER.replace(f".{TOKEN}@letters.example", "@eu-west-1.amazonses.com")
    assert replaced.count("Message-ID: <weekly.3@eu-west-1.amazonses.com>") == 1
    found = parse_message(report(block(), returned=replaced), ADDRESS)
    assert (found.kind, found.deliveries, found.subscriptions) == (InboundKind.BOUNCE, (TOKEN,), (LEAVE,))


def test_a_report_on_internationalised_mail_is_one():
    """A report on internationalised mail (RFC 6533) is a bounce."""
    found = parse_message(report(block(), kind="global-delivery-status"), ADDRESS)
    assert (found.kind, found.failures[0].status) == (InboundKind.BOUNCE, "5.1.1")


def test_the_address_is_found_in_any_case_and_of_ours_only():
    """Our address is found in upper and lower case; a longer address that contains it is not ours."""
    assert parse_message(report(block(), to=VERP.upper(), returned=""), ADDRESS).deliveries == (TOKEN.upper(),)
    for other in (VERP + ".evil.example", "x" + VERP, VERP.replace("letters.example", "other.example")):
        assert parse_message(report(block(), to=other, returned=""), ADDRESS).deliveries == ()


def test_a_report_that_somebody_forwards_reports_nothing():
    """A report inside a forwarded message is not a bounce."""
    head = f"From: ada@readers.example\nTo: {ADDRESS}\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    assert parse_message(head.encode() + report(block()), ADDRESS).kind is InboundKind.UNRECOGNISED


COMPLAINT = complaint(VERP, LETTER).decode()


def test_a_complaint_is_one():
    """A feedback report (RFC 5965) is a complaint; its token is in the envelope sender or in the returned letter."""
    found = parse_message(COMPLAINT.encode(), ADDRESS)
    assert (found.kind, found.deliveries, found.subscriptions) == (InboundKind.COMPLAINT, (TOKEN,), (LEAVE,))
    hidden = COMPLAINT.replace(f"<{VERP}>", "<redacted@letters.example>")
    assert parse_message(hidden.encode(), ADDRESS).deliveries == (TOKEN,)


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ("ABUSE", InboundKind.COMPLAINT),
        ("fraud", InboundKind.COMPLAINT),
        ("opt-out", InboundKind.COMPLAINT),
        ("not-spam", InboundKind.AUTOMATIC),
        ("auth-failure", InboundKind.UNRECOGNISED),
        ("", InboundKind.UNRECOGNISED),
    ],
)
def test_not_every_feedback_is_a_complaint(about, kind):
    """A withdrawn complaint (RFC 6430) or a report on our signatures (RFC 6591) is not a complaint."""
    text = COMPLAINT.replace("Feedback-Type: abuse", f"Feedback-Type: {about}")
    assert parse_message(text.encode(), ADDRESS).kind is kind


def mail(*fields, to=LEAVING, **more):
    return personal_mail(*fields, to=to, **more)


@pytest.mark.parametrize(
    "fields", [(), ("Subject: unsubscribe weekly",), ("Subject: hello",), ("Auto-Submitted: auto-generated",)]
)
def test_a_mail_to_the_address_in_a_letter_leaves(fields):
    """A mail to the unsubscribe address unsubscribes, whatever its text, also if a program wrote it."""
    found = parse_message(mail(*fields), ADDRESS)
    assert (found.kind, found.subscriptions) == (InboundKind.UNSUBSCRIBE, (LEAVE,))


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
    """An automatic reply (RFC 3834) is neither a bounce nor an unsubscribe request."""
    assert parse_message(mail(*fields, to=to), ADDRESS).kind is InboundKind.AUTOMATIC


@pytest.mark.parametrize(("sender", "fields"), [("MAILER-DAEMON@x.example", ()), ("x@x.example", ("Return-Path: <>",))])
def test_a_server_does_not_leave(sender, fields):
    """A mail server's message to the unsubscribe address does not unsubscribe: the subscriber's address was forged."""
    assert parse_message(mail(*fields, sender=sender), ADDRESS).kind is InboundKind.UNRECOGNISED


def test_what_people_write_is_for_people():
    """A reply to a letter is unrecognised, also if it quotes a bounce or a letter."""
    quoted = "> " + LETTER.replace("\n", "\n> ") + "\n550 5.1.1 user unknown\n"
    for to in (VERP, ADDRESS):
        assert parse_message(mail("Subject: Re: News", to=to, body=quoted), ADDRESS).kind is InboundKind.UNRECOGNISED


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
    """flufl.bounce recognises a report without a standard form; the token is in the returned letter."""
    found = parse_message(
        mail("Return-Path: <>", *fields, to=to, body=body, sender="MAILER-DAEMON@mx.readers.example"), ADDRESS
    )
    assert (found.kind, found.failures[0].status) == (InboundKind.BOUNCE, status)
    assert found.deliveries == (TOKEN,)


@pytest.mark.parametrize("sender", ["", "Почтовая система <mailer-daemon@mx.readers.example>", "MAILER-DAEMON"])
def test_flufl_bounce_is_shown_a_sender_that_it_can_bear(sender):
    """A report without an ASCII sender is recognised, although flufl.bounce's detectors raise on it."""
    text = mail("Return-Path: <>", body=QMAIL, to=VERP, sender=sender).decode()
    for raw in (text.encode(), text.replace("From: \n", "").encode("utf-8")):
        assert parse_message(raw, ADDRESS).kind is InboundKind.BOUNCE


@pytest.mark.parametrize(
    "words",
    [
        # sendmail's form; flufl.bounce takes it for a failure
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
    """A warning that delivery will be tried again is not a bounce."""
    raw = mail("Return-Path: <>", to=VERP, body=words, sender="MAILER-DAEMON@x.example")
    assert parse_message(raw, ADDRESS).kind is InboundKind.DELAY


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
    """Any bytes give a result, and random bytes contain no token."""
    found = parse_message(raw, ADDRESS)
    assert (found.deliveries, found.subscriptions) == ((), ())


@given(st.data())
def test_a_damaged_report_raises_nothing(data):
    """A report with parts cut out, doubled or overwritten raises nothing."""
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 200)))
        raw[start:end] = data.draw(st.binary(max_size=20)) + bytes(raw[start:end]) * data.draw(st.integers(0, 2))
    parse_message(bytes(raw), ADDRESS)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_report_that_is_cut_off_raises_nothing(sample):
    """A report cut off at any byte gives a result."""
    for end in range(0, len(sample), 7):
        assert parse_message(sample[:end], ADDRESS).kind in InboundKind


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
    """A huge or deeply nested message is read up to the limits."""
    assert len(parse_message(raw, ADDRESS).failures) <= 100


def test_a_report_in_front_of_ten_megabytes_is_still_one():
    """A report before ten megabytes of returned letter is a bounce."""
    assert parse_message(report(block(), returned=LETTER + "words " * 1_700_000), ADDRESS).kind is InboundKind.BOUNCE


def test_of_several_failures_the_mildest_counts():
    """A report is classified by its mildest failure; a complaint is fields whatever its code."""
    dead, full = DeliveryFailure(status="5.1.1", said="no"), DeliveryFailure(status="4.2.2", said="full")
    bounce = InboundReport(kind=InboundKind.BOUNCE, failures=(dead, full))
    assert classify_report(bounce) == (BounceKind.SOFT, full)
    spam = InboundReport(kind=InboundKind.COMPLAINT, failures=(dead,))
    assert classify_report(spam) == (BounceKind.COMPLAINT, dead)
