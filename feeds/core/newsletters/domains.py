"""Domain names of mail: subdomains, alignment, reserved names."""

import re

#: Names that cannot be registered (RFC 2606, RFC 6761): a site with such a name is a test.
_RESERVED = re.compile(r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)\.?", re.IGNORECASE)


def is_subdomain(domain: str, other: str) -> bool:
    """Return whether *domain* is *other* or one of its subdomains."""
    return f".{domain.lower()}".endswith(f".{other.lower()}")


def is_aligned(one: str, other: str) -> bool:
    """Return whether one domain is the other or a subdomain of it: relaxed alignment (RFC 7489 section 3.1).

    Two subdomains of one organisation may be aligned too; only DNS or a list of registries can decide that.
    """
    return is_subdomain(one, other) or is_subdomain(other, one)


def is_reserved_domain(domain: str) -> bool:
    """Return whether a domain is reserved, so that it cannot be registered."""
    return _RESERVED.fullmatch(domain) is not None
