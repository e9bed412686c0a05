"""Mail relays: hosts, ports, and the headers that turn off their tracking, each with its source.

A relay removes its own headers before it sends a message on, so these headers are never signed.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

RelayName = Literal["plain", "ses", "postmark", "mailgun", "sendgrid"]


class Relay(NamedTuple):
    """A mail service that sends our messages on."""

    #: Defaults for the keys of a mail server; `host` is empty if it differs between customers.
    defaults: Mapping[str, str | int] = {}
    #: An example of such a host, for messages.
    host_example: str = ""
    #: Headers that stop it from tracking readers and from changing messages.
    headers: tuple[tuple[str, str], ...] = ()
    #: A change that breaks our DKIM signature, as a predicate ("replaces Date"); empty if there is none.
    rewrites: str = ""


#: All relays offer STARTTLS on the submission port (RFC 6409).
_SUBMISSION: dict[str, str | int] = {"port": 587, "security": "starttls"}
_OFF = '{"settings": {"enable": 0}}'
#: Turns off what SendGrid can add to letters: redirecting links, tracking pixels, `utm_` parameters, and its own
#: unsubscribe line. The spaces are needed for folding the header.
_SENDGRID_FILTERS = f'{{"clicktrack": {_OFF}, "opentrack": {_OFF}, "ganalytics": {_OFF}, "subscriptiontrack": {_OFF}}}'

RELAYS: Mapping[RelayName, Relay] = {
    "plain": Relay(),
    # Hosts and ports: https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html
    # Date and Message-ID: https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
    # Sending rates differ between accounts: https://docs.aws.amazon.com/ses/latest/dg/quotas.html
    "ses": Relay(
        defaults=_SUBMISSION | {"host": ""},
        host_example="email-smtp.eu-west-1.amazonaws.com",
        rewrites="replaces Date and Message-ID",
    ),
    # Hosts, streams, X-PM-KeepID, and that it parses messages and builds new ones:
    # https://postmarkapp.com/developer/user-guide/send-email-with-smtp
    # http://developer.postmarkapp.com/developer-smtp.html
    # X-PM-TrackOpens, which has an effect only while the account does not track opens:
    # https://postmarkapp.com/developer/user-guide/tracking-opens/tracking-opens-per-email
    # X-PM-TrackLinks: https://postmarkapp.com/developer/user-guide/tracking-links
    # "10 concurrent connections, per IP": https://postmarkapp.com/support/article/do-we-have-rate-limits-for-smtp
    # Our default of 4 is below that, so `connections` is not set here.
    "postmark": Relay(
        defaults=_SUBMISSION | {"host": "smtp-broadcasts.postmarkapp.com"},
        headers=(
            ("X-PM-Message-Stream", "broadcast"),
            ("X-PM-KeepID", "true"),
            ("X-PM-TrackOpens", "false"),
            ("X-PM-TrackLinks", "None"),
        ),
        rewrites="rebuilds messages",
    ),
    # https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp
    # https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/pass-sending-options
    # The last two override the settings of the domain; for the first, the pages do not say so.
    "mailgun": Relay(
        defaults=_SUBMISSION | {"host": ""},
        host_example="smtp.mailgun.org or smtp.eu.mailgun.org",
        headers=(
            ("X-Mailgun-Track", "no"),
            ("X-Mailgun-Track-Clicks", "no"),
            ("X-Mailgun-Track-Opens", "no"),
        ),
    ),
    # Host, and a limit of 10,000 connections: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/
    # integrating-with-the-smtp-api; filters that can be turned off: …/smtp-filters; only the first header counts:
    # …/building-an-x-smtpapi-header; "SendGrid will create a Message-ID for each individual message":
    # https://sendgrid.com/docs/Glossary/message_id.html
    "sendgrid": Relay(
        defaults=_SUBMISSION | {"host": "smtp.sendgrid.net"},
        headers=(("X-SMTPAPI", f'{{"filters": {_SENDGRID_FILTERS}}}'),),
        rewrites="may replace the Message-ID",
    ),
}
