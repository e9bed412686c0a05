"""Internationalized domain names: the ASCII form under which DNS and mail servers know them."""

import re
from functools import lru_cache
from urllib.parse import unquote

#: RFC 1035 section 2.3.4, in octets.
_MAX_LABEL = 63
#: Scheme, user and host of a URL whose host has other characters than ASCII, or percent-encoded ones.
_WIDE_HOST = re.compile(r"([a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?)(?=[^/?#:]*(?:%|[^\x00-\x7f]))([^/?#:@]+)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._-]+")


@lru_cache(maxsize=1024)
def ascii_domain(domain: str) -> str:
    """Return a domain in ASCII, each label of other characters as `xn--…` (IDNA 2008, RFC 5891).

    The domain is mapped by UTS #46 without its transitional processing, as browsers and registries do: `faß.example` is
    `xn--fa-hia.example`. Python's `idna` codec knows IDNA 2003 only, which makes another name of it: `fass.example`.

    Raises:
        UnicodeError: it is not a domain name.
    """
    mapped = domain if domain.isascii() else _map(domain)
    labels = [_ascii_label(label) for label in mapped.split(".")]
    if not all(0 < len(label) <= _MAX_LABEL for label in labels[:-1]) or len(labels[-1]) > _MAX_LABEL:
        raise UnicodeError(f"{domain!r} has a label that is empty or longer than {_MAX_LABEL} characters")
    return ".".join(labels)


def _map(domain: str) -> str:
    import idna

    return idna.uts46_remap(domain, std3_rules=False, transitional=False)


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    import idna

    try:
        return idna.alabel(label).decode()
    except idna.InvalidCodepoint:
        # IDNA 2008 has no symbols, but there are domains such as i❤.example, and browsers open them: for UTS #46,
        # whose table the mapping has checked, they are valid.
        if not _HOST.fullmatch("".join(filter(str.isascii, label)) or "-"):
            raise
        return f"xn--{label.encode('punycode').decode()}"


def idna2003_domain(domain: str) -> str:
    """Return the spelling that IDNA 2003 has for a domain in ASCII; for nearly all domains it is the same one.

    Only for names that were made with it and must not change; it may be another owner's domain.
    """
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain).encode("idna").decode()
    except UnicodeError:
        return domain


def ascii_host(url: str) -> str:
    """Return *url* with its host in ASCII; unchanged if its host is not a domain name.

    In *url* the host may be percent-encoded.
    """
    found = _WIDE_HOST.match(url)
    if not found:
        return url
    try:
        host = ascii_domain(unquote(found[2], errors="strict"))
    except UnicodeError:
        return url
    return f"{found[1]}{host}{url[found.end() :]}" if _HOST.fullmatch(host) else url
