"""The host that a request is for, and the path of its target (RFC 9112, section 3)."""

import re
from functools import lru_cache
from ipaddress import IPv6Address

#: A host and a port (RFC 3986, sections 3.2.2 and 3.2.3). A host is never empty in `http` (RFC 9110, section 4.2.1).
_HOST = re.compile(
    rb"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?", re.ASCII
)
#: The absolute form of a target: the host, then path and query.
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)([^#]*)", re.IGNORECASE)


@lru_cache(maxsize=256)
def is_valid_host(value: bytes) -> bool:
    """Return whether a `Host` field has the syntax of a host with or without a port."""
    found = _HOST.fullmatch(value)
    return found is not None and (found["ipv6"] is None or _is_ipv6(found["ipv6"]))


def _is_ipv6(address: bytes) -> bool:
    try:
        IPv6Address(address.decode("ascii"))
    except ValueError:
        return False
    return True


def split_absolute(target: bytes) -> tuple[bytes, bytes] | None:
    """Return host, and path with query, of a target in absolute form; None if it has another form or no valid host.

    A host with a user name in front is not valid (RFC 9110, section 4.2.4).
    """
    found = _ABSOLUTE.fullmatch(target.partition(b"#")[0])
    if found is None or not is_valid_host(found[1]):
        return None
    return found[1], found[2] if found[2].startswith(b"/") else b"/" + found[2]
