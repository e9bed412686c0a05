"""Who a message is from, according to the server that has received it (`Authentication-Results`, RFC 8601)."""

import re
from collections.abc import Iterable, Iterator

#: More than a server writes; a forged field may be endless.
_MAX_LENGTH, _MAX_RESULTS = 4_000, 50
#: What an author can put between quotation marks is not read: a local part, or a part of the reason.
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"?")
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)(.*)", re.DOTALL)
_PROPERTY = re.compile(r"([a-z]+)\s*\.\s*([a-z0-9_-]+)\s*=\s*([^\s;]+)")
#: For each method the properties that name the domain which was authenticated.
_DOMAINS = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def is_from_domain(fields: Iterable[str], domain: str, server: str) -> bool:
    """Return whether a server has authenticated a message as one of a domain: by DMARC, DKIM or SPF.

    Anybody can write such a field, so only the uppermost one with the name of the *server* counts; it removes others
    with its name (section 5). DKIM and SPF must be for the domain or one above it, which DMARC (RFC 7489 section 3.1)
    allows too; sibling domains are not compared.

    Args:
        fields: the values of `Authentication-Results`, the uppermost first.
        domain: of the author.
        server: the authserv-id of the receiving server (section 2.5).
    """
    value = next((_strip_comments(field[:_MAX_LENGTH]) for field in fields if _server_of(field) == server.lower()), "")
    return any(f".{domain.lower()}".endswith(f".{found}") for found in _authenticated_domains(value))


def _strip_comments(text: str) -> str:
    """Return a field without quoted strings and without comments, which may be nested."""
    text = _QUOTED.sub('""', text)
    for _ in range(_MAX_RESULTS):
        text, found = _COMMENT.subn(" ", text)
        if not found:
            break
    return text


def _server_of(field: str) -> str:
    first = _strip_comments(field[:_MAX_LENGTH]).partition(";")[0].split()
    return first[0].lower() if first else ""


def _authenticated_domains(value: str) -> Iterator[str]:
    """Yield the domains for which a method has passed."""
    for text in value.lower().split(";")[1 : _MAX_RESULTS + 1]:
        result = _RESULT.match(text)
        if result is None or result[2] != "pass":
            continue
        for kind, name, found in _PROPERTY.findall(result[3]):
            domain = found.rpartition("@")[2].rstrip(".")
            if f"{kind}.{name}" in _DOMAINS.get(result[1], ()) and "." in domain:
                yield domain
