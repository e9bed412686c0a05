"""What relays do to the mail they pass on, and what they want in order to leave it alone: facts, each with its source.

A relay's headers are for it alone. It takes them out, so they are never signed.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

RelayName = Literal["plain", "ses", "postmark", "mailgun", "sendgrid"]


class Relay(NamedTuple):
    """One relay."""

    #: What its keys of a mail server are where nothing else is set; `host` is empty where each customer has another.
    defaults: Mapping[str, str | int] = {}
    #: Such a host, for people.
    host_example: str = ""
    #: What it wants so that it neither follows readers about nor changes what is ours.
    headers: tuple[tuple[str, str], ...] = ()
    #: Whether it changes what a signature of ours would cover, in words that follow its name; it signs instead.
    rewrites: str = ""


#: All of them offer STARTTLS on the submission port (RFC 6409).
_SUBMISSION: dict[str, str | int] = {"port": 587, "security": "starttls"}
_OFF = '{"settings": {"enable": 0}}'
#: What SendGrid does to letters if its account says so: links and pictures that lead to it, `utm_` parameters, a line
#: about leaving. With spaces, since headers are folded there.
_SENDGRID_FILTERS = f'{{"clicktrack": {_OFF}, "opentrack": {_OFF}, "ganalytics": {_OFF}, "subscriptiontrack": {_OFF}}}'

RELAYS: Mapping[RelayName, Relay] = {
    "plain": Relay(),
    # Hosts and ports: https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html
    # Date and Message-ID: https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
    # How fast it may be is each account's own: https://docs.aws.amazon.com/ses/latest/dg/quotas.html
    "ses": Relay(
        defaults=_SUBMISSION | {"host": ""},
        host_example="email-smtp.eu-west-1.amazonaws.com",
        rewrites="replaces Date and Message-ID",
    ),
    # Hosts, streams, X-PM-KeepID, and that it takes messages apart and puts new ones together:
    # https://postmarkapp.com/developer/user-guide/send-email-with-smtp
    # http://developer.postmarkapp.com/developer-smtp.html
    # X-PM-TrackOpens, which counts only while the account tracks none:
    # https://postmarkapp.com/developer/user-guide/tracking-opens/tracking-opens-per-email
    # X-PM-TrackLinks: https://postmarkapp.com/developer/user-guide/tracking-links
    # "10 concurrent connections, per IP": https://postmarkapp.com/support/article/do-we-have-rate-limits-for-smtp
    # Four are fewer, so nothing is set.
    "postmark": Relay(
        defaults=_SUBMISSION | {"host": "smtp-broadcasts.postmarkapp.com"},
        headers=(
            ("X-PM-Message-Stream", "broadcast"),
            ("X-PM-KeepID", "true"),
            ("X-PM-TrackOpens", "false"),
            ("X-PM-TrackLinks", "None"),
        ),
        rewrites="puts messages together anew",
    ),
    # https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp
    # https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/pass-sending-options
    # The last two are worth more than what is set for the domain; of the first that is not said.
    "mailgun": Relay(
        defaults=_SUBMISSION | {"host": ""},
        host_example="smtp.mailgun.org or smtp.eu.mailgun.org",
        headers=(
            ("X-Mailgun-Track", "no"),
            ("X-Mailgun-Track-Clicks", "no"),
            ("X-Mailgun-Track-Opens", "no"),
        ),
    ),
    # Host, and 10,000 connections: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/
    # integrating-with-the-smtp-api; what may be switched off: …/smtp-filters; one header only, the first:
    # …/building-an-x-smtpapi-header; "SendGrid will create a Message-ID for each individual message":
    # https://sendgrid.com/docs/Glossary/message_id.html
    "sendgrid": Relay(
        defaults=_SUBMISSION | {"host": "smtp.sendgrid.net"},
        headers=(("X-SMTPAPI", f'{{"filters": {_SENDGRID_FILTERS}}}'),),
        rewrites="may give messages a Message-ID of its own",
    ),
}
