"""Who a message is from, according to the server that has received it (`Authentication-Results`, RFC 8601)."""

import re
from collections.abc import Collection, Iterable, Iterator

from feeds.idn import ascii_domain

#: More than a server writes. A longer field is not read at all: cut off, a domain could become another one.
_MAX_LENGTH, _MAX_RESULTS = 4_000, 50
#: What is kept of a quoted string. Anything else in it may be what an author has chosen, such as a local part.
_PLAIN = re.compile(r"[\w.@+-]*")
_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*(?:/\s*1\s*)?=\s*([a-z]+)(?=\s|$)(.*)", re.DOTALL)
_PROPERTY = re.compile(r"(?:^|(?<=\s))([a-z]+)\s*\.\s*([a-z0-9_-]+)\s*=\s*([^\s;]+)")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[\w-]+")
#: For each method the properties that name the domain which was authenticated, the one that decides first. SPF's
#: `smtp.helo` names a machine and not the author (RFC 7489 section 3.1.2).
_DOMAINS = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def is_from_domain(
    fields: Iterable[str], domain: str, server: str, *, methods: Collection[str] = frozenset(_DOMAINS)
) -> bool:
    """Return whether a server has authenticated a message as one of a domain: by DMARC, DKIM or SPF.

    Anybody can write such a field, so only the uppermost one with the name of the *server* counts; it removes others
    with its name (section 5). DKIM and SPF must be for the domain or one above it, which DMARC (RFC 7489 section 3.1)
    allows too; sibling domains are not compared.

    A comment may have text that the sender has chosen, and servers differ in what they escape there. So the field is
    read in both ways, with quotation marks in comments as text (RFC 5322 section 3.2.2) and as quotation marks, and
    must authenticate the message in both.

    Args:
        fields: the values of `Authentication-Results`, the uppermost first.
        domain: of the author.
        server: the authserv-id of the receiving server (section 2.5).
        methods: those that count, of `dmarc`, `dkim` and `spf`.
    """
    wanted = _to_ascii(domain.lower())
    for field in fields:
        readings = [_remove_comments(field.lower(), quotes_in_comments=flag) for flag in (False, True)]
        if not all(readings):  # it may be the server's own: what is below it does not count
            return False
        if server.lower() in {_server_of(reading) for reading in readings}:
            return all(_authenticates(reading, wanted, methods) for reading in readings)
    return False


def _authenticates(reading: str, wanted: str, methods: Collection[str]) -> bool:
    return any(f".{wanted}".endswith(f".{found}") for found in _authenticated_domains(reading, methods))


def _remove_comments(text: str, *, quotes_in_comments: bool) -> str:
    """Return a field without comments, which may be nested, and without the marks of quoted strings.

    A quoted string with other characters than those of an address becomes `""`. Returns an empty text if the field is
    too long, or if a comment or a quoted string has no end.
    """
    kept: list[str] = []
    quoted: list[str] | None = None
    depth, characters = 0, iter(text if len(text) <= _MAX_LENGTH else "(")
    for character in characters:
        if character == "\\" and (depth or quoted is not None):
            escaped = next(characters, "")
            if quoted is not None:
                quoted.append(escaped)
        elif character == '"' and (not depth or quotes_in_comments):
            if quoted is not None and not depth:
                kept.append(_keep_plain("".join(quoted)))
            quoted = [] if quoted is None else None
        elif quoted is not None:
            quoted.append(character)
        elif character in "()" and (depth or character == "("):
            depth += 1 if character == "(" else -1
            kept.append(" ")
        elif not depth:
            kept.append(character)
    return "" if depth or quoted is not None else "".join(kept)


def _keep_plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else '""'


def _server_of(reading: str) -> str:
    """Return the authserv-id of a field; empty if it has none, or a version that is not known (section 2.2)."""
    words = reading.partition(";")[0].split()
    return words[0] if words and words[1:] in ([], ["1"]) else ""


def _authenticated_domains(reading: str, methods: Collection[str]) -> Iterator[str]:
    """Yield the domains for which one of the methods has passed."""
    for text in reading.split(";")[1 : _MAX_RESULTS + 1]:
        result = _RESULT.match(text)
        if result is None or result[1] not in methods or result[2] != "pass":
            continue
        if found := _domain_of(result[1], result[3]):
            yield found


def _domain_of(method: str, properties: str) -> str:
    """Return the domain that a result is about; empty if it has none, or names several.

    DKIM's `header.d` decides. The identity `header.i` is chosen by the signer below `header.d` (RFC 6376 section 3.5),
    so it decides only where a server, such as Gmail's, writes nothing else; a result where the two disagree is not
    believed.
    """
    names = _DOMAINS.get(method, ())
    found = [_values(properties, name) for name in names]
    if any(len(values) > 1 for values in found):
        return ""
    domains = [domain for values in found for domain in values]
    first = domains[0] if domains else ""
    return first if all(f".{other}".endswith(f".{first}") for other in domains) else ""


def _values(properties: str, name: str) -> set[str]:
    """Return the domains in the values of a property; an empty text for a value without a domain."""
    values = [value for kind, key, value in _PROPERTY.findall(properties) if f"{kind}.{key}" == name]
    domains = [value.rpartition("@")[2].rstrip(".") for value in values]
    return {_to_ascii(domain) if _DOMAIN.fullmatch(domain) else "" for domain in domains}


def _to_ascii(domain: str) -> str:
    """Return a domain as DNS has it; empty if it is not valid."""
    try:
        return ascii_domain(domain)
    except ValueError:
        return ""
