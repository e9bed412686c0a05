"""Domain names of mail: their ASCII form, and which ones belong together."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def ascii_domain(domain: str) -> str:
    """Return a domain as DNS has it: no server needs SMTPUTF8 for it."""
    return domain if domain.isascii() else domain.encode("idna").decode()


def is_subdomain(domain: str, other: str) -> bool:
    """Return whether *domain* is *other* or one of its subdomains."""
    return f".{domain.lower()}".endswith(f".{other.lower()}")


def is_aligned(one: str, other: str) -> bool:
    """Return whether one domain is the other or below it, as relaxed alignment is (RFC 7489 section 3.1).

    Of siblings only DNS, or a list of registries, can tell.
    """
    return is_subdomain(one, other) or is_subdomain(other, one)
