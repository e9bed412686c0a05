"""Values of the sample site, which must not go out in mail to people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feeds.core.newsletters.domains import is_reserved_domain
from feeds.settings import Settings

if TYPE_CHECKING:
    from feeds.config_types import NamedAddress

#: `mail.address` in the sample.
POSTAL_ADDRESS = "1-2-3 Example, Tokyo"


def find_sample_values(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the key and the value of everything in letters that is the sample's, or an address at a reserved domain."""
    mail = settings.mail
    if mail.address.strip() == POSTAL_ADDRESS:
        yield "mail.address", mail.address
    addresses: list[tuple[str, NamedAddress | None]] = [("mail.from", mail.sender), ("mail.reply_to", mail.reply_to)]
    for newsletter in settings.newsletters:
        addresses += ((f"copy_to of {newsletter.name}", one) for one in newsletter.copy_to)
    for key, address in addresses:
        if address is not None and is_reserved_domain(address.address.domain):
            yield key, address.address.addr_spec
