"""Parsing messages to the bounce address."""

from binascii import b2a_base64, b2a_qp

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


@pytest.mark.parametrize("returned_as", ["message/rfc822", "text/rfc822", "text/rfc822-headers; charset=UTF-8"])
def test_a_complaint_without_more_than_a_message_id_names_the_delivery(returned_as):
    """A report to the address in CFBL-Address may have of the letter only its Message-ID (RFC 9477 section 3.5)."""
    returned = f"Message-ID: <weekly.3.{TOKEN}@letters.example>\n"
    found = parse_message(complaint("redacted@letters.example", returned, returned_as=returned_as), ADDRESS)
    assert (found.kind, found.deliveries) == (InboundKind.COMPLAINT, (TOKEN,))


#: `To` of a complaint, the results of servers, and whether it is processed.
SIGNED = [
    (ADDRESS, "mx.letters.example; dkim=pass header.d=provider.example", True),
    (f"Complaints <{ADDRESS.upper()}>", "mx.letters.example; dkim=pass header.i=@provider.example", True),
    (ADDRESS, "", False),
    (f"Complaints <{ADDRESS.upper()}>", "", False),
    (ADDRESS, "mx.letters.example; dkim=fail header.d=provider.example", False),
    (ADDRESS, "mx.letters.example; dkim=pass header.d=other.example", False),
    (ADDRESS, "mx.letters.example; spf=pass smtp.mailfrom=provider.example; dkim=none", False),
    (ADDRESS, "mx.letters.example; dmarc=pass header.from=provider.example", False),
    (ADDRESS, "mx.other.example; dkim=pass header.d=provider.example", False),
    ("complaints@letters.example", "", True),
    (VERP, "mx.letters.example; dkim=fail header.d=provider.example", True),
]


@pytest.mark.parametrize(("to", "results", "is_processed"), SIGNED)
def test_a_complaint_to_the_address_in_cfbl_address_has_to_be_signed(to, results, is_processed):
    """RFC 9477 section 3.5: unsigned reports are not processed; reports to other addresses (RFC 5965) need no DKIM."""
    head = f"Authentication-Results: {results}\n" if results else ""
    raw = (head + COMPLAINT.replace("complaints@letters.example", to)).encode()
    found = parse_message(raw, ADDRESS, "mx.letters.example")
    assert (found.kind is InboundKind.COMPLAINT, found.deliveries) == (is_processed, (TOKEN,))
    assert parse_message(raw, ADDRESS).kind is InboundKind.COMPLAINT  # nothing can be verified without a server's name


@pytest.mark.parametrize("author", ["", "From: feedback@provider.example, eve@evil.example\n", "From: =?x?=\n"])
def test_a_complaint_without_one_author_is_not_signed(author):
    """A complaint to that address with several authors, or none, is not processed, whatever is signed."""
    results = "Authentication-Results: mx.letters.example; dkim=pass header.d=provider.example\n"
    raw = results + COMPLAINT.replace("From: feedback@provider.example\n", author, 1)
    raw = raw.replace("complaints@letters.example", ADDRESS)
    assert parse_message(raw.encode(), ADDRESS, "mx.letters.example").kind is InboundKind.UNRECOGNISED


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


ANSWERS = "In-Reply-To: <weekly.3@letters.example>"


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("Ada <ada@readers.example>", ()),
        ("Ada <ada@readers.example>", ("Subject: unsubscribe weekly",)),
        ("Ada <ada@readers.example>", ("Subject: hello",)),
        ("ada@readers.example", ("Auto-Submitted: auto-generated",)),
        # Apple Mail
        ("ada@readers.example", ("Auto-Submitted: auto-replied", "X-Apple-Unsubscribe: true", ANSWERS)),
        ("ada@readers.example", ("Subject: unsubscribe weekly", "Auto-Submitted: auto-replied", ANSWERS)),
        ("ada@readers.example", ("Auto-Submitted: auto-replied",)),
        ("ada@readers.example", ("X-Autoreply: yes",)),
        ("ada@readers.example", ("Precedence: auto_reply",)),
        ("ada@readers.example", ("Precedence: bulk", "X-Auto-Response-Suppress: All")),
        ("ada@readers.example", ("Return-Path: <>",)),
        ("ada@readers.example", ("Disposition-Notification-To: ada@readers.example",)),
        ("postmaster@readers.example", ("Return-Path: <>",)),
        ("bounces@readers.example", ()),
        ("Postmaster General <ada@post.example>", ()),
        ("Ada at Bounce <ada@bounce.example>", ("Subject: unsubscribe weekly",)),
    ],
)
def test_a_mail_to_the_address_in_a_letter_leaves(sender, fields):
    """A mail to the unsubscribe address unsubscribes, whatever its text, its sender and its header fields."""
    found = parse_message(mail(*fields, sender=sender), ADDRESS)
    assert (found.kind, found.subscriptions) == (InboundKind.UNSUBSCRIBE, (LEAVE,))


@pytest.mark.parametrize(
    "fields",
    [
        ("Auto-Submitted: auto-replied (vacation)", ANSWERS),
        ("X-Autoreply: yes", ANSWERS),
        ("X-MS-Exchange-Inbox-Rules-Loop: ada@readers.example", ANSWERS),
        ("Subject: Abwesenheit: unsubscribe weekly", ANSWERS.replace("In-Reply-To", "References")),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b",),
    ],
)
def test_an_absence_notice_that_answers_a_letter_does_not_leave(fields):
    """Neither an absence notice that names the message it answers nor a read receipt is an unsubscribe request."""
    assert parse_message(mail(*fields), ADDRESS).kind is InboundKind.AUTOMATIC


@pytest.mark.parametrize("body", ["Please.", "Your message could not be delivered: 550 5.1.1 user unknown"])
def test_a_server_does_not_leave(body):
    """A mail server's message to the unsubscribe address does not unsubscribe: the subscriber's address was forged."""
    found = parse_message(mail(sender="MAILER-DAEMON@mx.readers.example", body=body), ADDRESS)
    assert found.kind in (InboundKind.UNRECOGNISED, InboundKind.BOUNCE)


@pytest.mark.parametrize(
    "fields",
    [
        ("Auto-Submitted: auto-replied (vacation)",),
        ("Auto-Submitted: auto-generated", "Subject: Ticket received - News"),
        ("X-Autoreply: yes",),
        ("Precedence: auto_reply",),
        ("X-Auto-Response-Suppress: All",),
        ("X-MS-Exchange-Inbox-Rules-Loop: ada@readers.example",),
        ("X-Apple-Action: VACATION",),
        ("X-QQ-AutoReply: 1",),
        ("X-Autogenerated: reply",),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b",),
        ("Subject: Automatic reply: News",),
        ("Subject: Auto: News",),
        ("Subject: Out of office",),
        ("Subject: Ada is out of the office (returning 01.12.2026)",),
        ("Subject: Abwesenheitsnotiz: News",),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_News?=",),
        ("Subject: Respuesta automatica: News",),
        ("Subject: =?utf-8?b?6Ieq5YuV5b+c562UOiBOZXdz?=",),
        ("Subject: =?gb18030?b?19S2r7vYuLQ6TmV3cw==?=",),
        ("Subject: =?utf-8?b?7J6Q64+ZIO2ajOyLoDog?= News",),
        ("Subject: Réponse automatique : News",),
        ("Subject: 不在のお知らせ",),
        ("Subject: 【自動返信】受け付けました",),
        ("Subject: [Automatic reply] News",),
    ],
)
@pytest.mark.parametrize("return_path", ["<>", "<ada@readers.example>"])
def test_an_answering_machine_says_nothing(fields, return_path):
    """An automatic reply in the form of RFC 3834 or of a mail program has no effect, also if its text names errors."""
    words = "I have left. If mail could not be delivered: 550 5.1.1 user unknown, write to <bob@readers.example>."
    raw = mail(f"Return-Path: {return_path}", *fields, to=VERP, body=words)
    assert parse_message(raw, ADDRESS).kind is InboundKind.AUTOMATIC


def test_an_absence_notice_without_any_mark_is_kept():
    """A message without an envelope sender that only its text relates to errors is not a bounce: it may be anything."""
    words = "I have left. This mailbox is no longer active, and mail will not be delivered. 550 5.1.1 user unknown"
    raw = mail("Return-Path: <>", "Subject: Re: News", to=VERP, body=words)
    assert parse_message(raw, ADDRESS).kind is InboundKind.UNRECOGNISED


def test_a_receipt_by_its_subject_says_nothing():
    """A read receipt without a form has no effect; a person's mail with such a subject is kept for a person."""
    for return_path, kind in (("<>", InboundKind.AUTOMATIC), ("<ada@readers.example>", InboundKind.UNRECOGNISED)):
        raw = mail(f"Return-Path: {return_path}", "Subject: Gelesen: News", to=VERP)
        assert parse_message(raw, ADDRESS).kind is kind


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
        # Symantec's and MDaemon's forms
        "It could not be delivered.\n\nDelivery attempts will continue to be made for 5 days.\n",
        "Delivery to this address has been postponed due to a full mailbox.\n",
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


def server_mail(body, *fields, sender="MAILER-DAEMON@mx.readers.example", head=("Return-Path: <>",)):
    """Return a server's message with a plain text, which ends with the letter."""
    return mail(*head, *fields, to=VERP, sender=sender, body=f"{body}\n{LETTER}")


def mixed(*parts, head="Return-Path: <>", sender="Postmaster@mx.readers.example"):
    """Return a server's message of several parts, each its header fields and content, and the letter in the last."""
    written = "".join(f"--=_m\n{part}\n" for part in (*parts, f"Content-Type: message/rfc822\n\n{LETTER}"))
    kind = 'Content-Type: multipart/mixed; boundary="=_m"'
    return mail(head, "MIME-Version: 1.0", kind, to=VERP, sender=sender, body=f"{written}--=_m--")


TEXT = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
DEAD_REPORTS = {
    "Amazon WorkMail": mixed(
        f"{TEXT}An error occurred.\n\nTechnical report:\n\nReporting-MTA: dsn; mx.example\n\nAction: failed\n"
        "Final-Recipient: rfc822; ada@readers.example\nDiagnostic-Code: smtp; 550 5.1.1 no\nStatus: 5.1.1\n",
    ),
    "KDDI": mixed(
        f"{TEXT}Each of the following recipients was rejected by a remote mail server.\n\n"
        "    Recipient: <ada@readers.example>\n    >>> RCPT TO:<ada@readers.example>\n"
        "    <<< 550 <ada@readers.example>: User unknown\n",
    ),
    "MailEnable": mixed(
        f"{TEXT}The following recipient(s) could not be reached:\n\n    Recipient: [SMTP:ada@readers.example]\n"
        "    Reason: Remote SMTP Server Returned: 550 5.1.1 <ada@readers.example> User unknown\n",
        sender='"Postmaster" <postmaster@mx.readers.example>',
    ),
    "GroupWise": mixed(
        f"{TEXT}The message that you sent was undeliverable to the following:\n\tada (ada@readers.example)\n"
    ),
    "Exchange 2003 in German": mixed(
        f"{TEXT}Ihre Nachricht\n\n  An: ada@readers.example\n  Betreff: News\n\n"
        "hat folgende Empfänger nicht erreicht:\n\nada@readers.example am 23.11.2026 12:00\n"
        "    Empfänger ada wurde im Verzeichnis nicht gefunden\n",
    ),
    "Exchange in French": mixed(
        f"{TEXT}Votre message n'a pas été remis à ces destinataires :\n\nada@readers.example\n"
        "L'adresse que vous avez entrée est introuvable.\n"
    ),
    "OpenSMTPD": server_mail(
        "Hi!\n\nAn error has occurred while attempting to deliver a message for the following list of recipients:\n\n"
        "ada@readers.example: 550 5.1.1 <ada@readers.example>: Recipient address rejected: User unknown\n\n"
        "Below is a copy of the original message:\n",
        "Subject: Delivery status notification: error",
    ),
    "DragonFly": server_mail(
        "There was an error delivering your mail to <ada@readers.example>.\n\n"
        "mx.readers.example [192.0.2.9] did not like our RCPT TO:\n550 5.1.1 no\n\nMessage headers follow.\n",
        sender="MAILER-DAEMON <>",
        head=(),
    ),
    "GMX, automatic": server_mail(
        "Ihre E-Mail konnte nicht an alle Empfänger zugestellt werden.\n\nada@readers.example\n"
        "SMTP error from remote server for RCPT TO command, host: mx.readers.example reason: 550 5.1.1 no\n",
        "Auto-Submitted: auto-replied",
        "Subject: Mail delivery failed: returning message to sender",
    ),
    "Exchange Online, text only": server_mail(
        "Delivery has failed to these recipients or groups:\n\nada@readers.example\n"
        "The email address you entered couldn't be found.\n\nRemote Server returned '550 5.1.10 X.RecipientNotFound'\n",
        "Auto-Submitted: auto-replied",
        sender="postmaster@readers.example",
    ),
    "docomo": server_mail(
        "   ----- The following addresses had permanent fatal errors -----\n<ada@readers.example>\n"
        "    (reason: 550 Unknown user ada@readers.example)\n\n<<< 550 Unknown user ada@readers.example\n"
        "554 5.0.0 Service unavailable\n",
        "Subject: Returned mail: User unknown",
        sender="Postmaster@mx.readers.example",
    ),
    "sendmail, reason in the subject": server_mail(
        "   ----- The following addresses had permanent fatal errors -----\n<ada@readers.example>\n",
        "Subject: Returned mail: User unknown",
    ),
    "Yahoo": server_mail(
        "Sorry, we were unable to deliver your message to the following address.\n\n<ada@readers.example>:\n"
        "550: 5.1.1 <ada@readers.example>... User Unknown\n\n--- Below this line is a copy of the message.\n"
    ),
    "Mail.ru": server_mail(
        "К сожалению, Ваше письмо не может быть доставлено:\n\n  ada@readers.example\n    пользователь не найден\n"
    ),
    "Zoho": server_mail(
        "A message that you sent could not be delivered.\n\n"
        "ada@readers.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 no\n"
    ),
    "HTML only": mail(
        "Return-Path: <>",
        "Content-Type: text/html; charset=utf-8",
        to=VERP,
        sender="MAILER-DAEMON",
        body="<style>p { a: b }</style><p>It couldn't be delivered.</p><p>ada wasn't found at readers.example.</p>",
    ),
    "a boundary that is missing": report(block()).replace(b"--=_b\n", b"--=_other\n"),
}


@pytest.mark.parametrize("raw", DEAD_REPORTS.values(), ids=DEAD_REPORTS.keys())
def test_a_report_in_words_says_that_an_address_is_dead(raw):
    """A report in the form of a provider is a hard bounce, without a standard form and in its language."""
    found = parse_message(raw, ADDRESS)
    assert found.kind is InboundKind.BOUNCE
    assert classify_report(found)[0] is BounceKind.HARD
    assert found.deliveries[0] == TOKEN


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("It could not be delivered to: <ada@readers.example>\n As their mailbox is full.\n", BounceKind.SOFT),
        (
            "It could not be delivered.\n<<< 550 5.7.1 no\n550 5.1.1 <ada@readers.example>... User unknown",
            BounceKind.POLICY,
        ),
        ("It could not be delivered.\nHost not found, try again", BounceKind.SOFT),
        ("It could not be delivered.\n550 no", BounceKind.OTHER),
        ("It could not be delivered.", BounceKind.SOFT),
    ],
)
def test_a_report_in_words_is_as_mild_as_its_words(body, kind):
    """The first server that gives a reason decides; without a reason a report in words is a soft bounce."""
    found = parse_message(server_mail(body), ADDRESS)
    assert (found.kind, classify_report(found)[0]) == (InboundKind.BOUNCE, kind)


def test_the_returned_letter_is_not_searched_for_reasons():
    """Words of the returned letter are not the reason of a bounce, whether it is announced or quoted or a part."""
    title = LETTER.replace("=?utf-8?q?News?=", "550 5.1.1 User unknown, and other stories")
    quoted = "> " + title.replace("\n", "\n> ")
    for raw in (
        mail(to=VERP, sender="MAILER-DAEMON", body=f"It could not be delivered.\n\n{title}"),
        mail(to=VERP, sender="MAILER-DAEMON", body=f"It could not be delivered.\n\n{quoted}"),
        mail(to=VERP, sender="MAILER-DAEMON", body="It could not be delivered.\n\nOriginal message:\n550 5.1.1 no"),
        server_mail("Your message\n  To: ada@readers.example\n  Subject: User unknown\ncould not be delivered."),
        server_mail("Ihre Nachricht\n  Betreff: Mailbox not found\nkonnte nicht zugestellt werden."),
        server_mail("It could not be delivered.", "Subject: Undeliverable: My flight has been delayed: 550 5.1.1 no"),
        mixed(f"{TEXT}It could not be delivered.").replace(LETTER.encode(), title.encode()),
    ):
        assert classify_report(parse_message(raw, ADDRESS))[0] is BounceKind.SOFT


@pytest.mark.parametrize("kind", ["delivery-status", "global-delivery-status"])
@pytest.mark.parametrize(("name", "encode"), [("base64", b2a_base64), ("quoted-printable", b2a_qp)])
def test_a_delivery_report_may_have_a_transfer_encoding(kind, name, encode):
    """A delivery report in base64 or quoted-printable is one, although RFC 3464 wants neither."""
    fields = f"Reporting-MTA: dns; mx.readers.example\n\n{block(status='5.1.1', said='smtp; 550 5.1.1 no=such user')}\n"
    coded = f"Content-Transfer-Encoding: {name}\n\n{encode(fields.encode()).decode()}"
    raw = report(block(), kind=kind).decode().partition(f"Content-Type: message/{kind}\n\n")
    found = parse_message(f"{raw[0]}Content-Type: message/{kind}\n{coded}\n--=_b--\n".encode(), ADDRESS)
    assert (found.kind, [failure.status for failure in found.failures]) == (InboundKind.BOUNCE, ["5.1.1"])


@pytest.mark.parametrize(
    ("fields", "words", "kind"),
    [
        ("Action: failed\nStatus: 5.0.0\nX-Supplementary-Info: <#5.0.0 smtp; 550 Unknown User>", "", BounceKind.HARD),
        ("Action: failed\nStatus: 5.0.0", "Reason: 550 Unknown User", BounceKind.HARD),
        ("Action: failed\nStatus: 5.0.0", "The mailbox is full.", BounceKind.SOFT),
        ("Action: failed\nStatus: 5.1.1", "550 5.7.1 no", BounceKind.POLICY),
        ("Action: expired\nStatus: 4.4.7\nDiagnostic-Code: Connection timed out", "", BounceKind.SOFT),
    ],
)
def test_a_delivery_report_without_an_answer_has_it_elsewhere(fields, words, kind):
    """If a delivery report has no `Diagnostic-Code`, another field or the words for people give the reason."""
    raw = report(fields).replace(b"It could not be delivered.", words.encode())
    found = parse_message(raw, ADDRESS)
    assert (found.kind, classify_report(found)[0]) == (InboundKind.BOUNCE, kind)


def test_an_old_complaint_of_hotmail_is_one():
    """Hotmail's complaint before RFC 5965 is the letter itself, with a header field that names its recipient."""
    marked = f"X-HmXmrOriginalRecipient: ada@readers.example\n{LETTER}"
    head = "Subject: complaint about message from 192.0.2.1"
    raw = mixed(head=head, sender="staff@hotmail.example").replace(LETTER.encode(), marked.encode())
    assert parse_message(raw, ADDRESS).kind is InboundKind.COMPLAINT
    for other in (raw.replace(b"complaint about", b"about"), raw.replace(b"X-HmXmr", b"X-Other")):
        assert parse_message(other, ADDRESS).kind is InboundKind.UNRECOGNISED


# Anything at all --------------------------------------------------------------------------------------------------

SAMPLES = [
    report(block()),
    COMPLAINT.encode(),
    mail(),
    mail("Return-Path: <>", body=QMAIL, to=VERP, sender="MAILER-DAEMON"),
    *DEAD_REPORTS.values(),
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
