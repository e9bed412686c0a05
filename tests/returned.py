"""Messages that come back to the bounces address, from servers and from people."""

ADDRESS = "bounces@letters.example"


def letter(token, leave="0" * 40):
    """Return a letter as servers return it."""
    return f"""From: Letters <letters@letters.example>
To: ada@readers.example
Message-ID: <weekly.3.{token}@letters.example>
List-Unsubscribe: <mailto:bounces+u-{leave}@letters.example?subject=unsubscribe%20weekly>
Subject: =?utf-8?q?News?=

Some words, and 5.1.1 among them.
"""


def block(action="failed", status="5.1.1", said="smtp; 550 5.1.1 <ada@readers.example>: no such user"):
    """Return the fields of one recipient in a delivery report (RFC 3464 section 2.3)."""
    return f"Final-Recipient: rfc822; ada@readers.example\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {said}"


def delivery_report(*blocks, to, returned, returned_as="message/rfc822", kind="delivery-status"):
    """Return a delivery report in the form of Postfix and most other servers."""
    fields = "\n\n".join(("Reporting-MTA: dns; mx.readers.example", *(blocks or [block()])))
    return f"""Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <MAILER-DAEMON@mx.readers.example>
To: {to}
Subject: Undelivered
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

It could not be delivered.

--=_b
Content-Type: message/{kind}

{fields}

--=_b
Content-Type: {returned_as}

{returned}
--=_b--
""".encode()


def complaint(verp, returned, about="abuse", returned_as="message/rfc822"):
    """Return a complaint about a letter (RFC 5965)."""
    return f"""From: feedback@provider.example
To: complaints@letters.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

A recipient has reported this as spam.
--=_b
Content-Type: message/feedback-report

Feedback-Type: {about}
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <{verp}>
Original-Rcpt-To: <redacted@provider.example>

--=_b
Content-Type: {returned_as}

{returned}
--=_b--
""".encode()


def personal_mail(*fields, to, body="Please.", sender="Ada <ada@readers.example>"):
    """Return a message that a person has written."""
    return "\n".join((f"From: {sender}", f"To: {to}", *fields, "", body, "")).encode()
