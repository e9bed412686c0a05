"""What an address is, and when two are the same."""

from dataclasses import dataclass

from feeds.errors import AddressError


@dataclass(frozen=True, kw_only=True, slots=True)
class MailAddress:
    """An address that mail could be sent to."""

    #: As mail is addressed: the local part as given, the domain in lower case.
    email: str
    #: As addresses are compared: case-folded, the domain as punycode.
    key: str


def parse(text: str) -> MailAddress:
    """Return the address in *text*; whether a mailbox answers there is not asked.

    Raises:
        AddressError: mail could not be sent there.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only commands about people need it

    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as e:
        raise AddressError(text, str(e)) from e
    return MailAddress(
        email=found.normalized,
        key=f"{found.local_part.casefold()}@{found.ascii_domain.casefold()}",
    )
