"""The numbers and addresses of links in plain text."""

from feeds.core.posts.urls import is_uri, quote_url, remove_ignored, resolve_url


class LinkNumbers:
    """The numbers of the addresses in a letter: the same address has the same number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, address: str) -> int:
        """Return the number of an address, the next one if it is new."""
        return self._numbers.setdefault(address, len(self._numbers) + 1)


def link_address(url: str) -> str:
    """Return the absolute address of a link in ASCII, so that no line breaks inside; empty if it is not one."""
    written = remove_ignored(url.strip())
    return resolve_url("", written) or (quote_url(written) if is_uri(written) else "")


def is_address(label: str, address: str) -> bool:
    """Return whether the text of a link is its address, as it is typed."""
    return address in {link_address(label), f"mailto:{label}"}
