"""Check the DNS records by which receivers authenticate a sender: SPF, DKIM and DMARC, and the MX for bounces.

`names_to_query` returns the names to look up, `feeds.edges.net.dns` queries them, `check_sender` yields diagnostics. An
answer of None means that the lookup failed; then no record is reported as missing.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from feeds.core.newsletters import dkim
from feeds.core.newsletters.domains import is_aligned, is_subdomain
from feeds.core.newsletters.lint import Diagnostic

#: The records at a name; None if the lookup failed.
DnsAnswer = tuple[str, ...] | None
#: RFC 7208 section 4.5: the version ends with a space or the record.
_SPF = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
#: RFC 7489 section 6.3: the version comes first and is case-sensitive.
_DMARC = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|\Z)")
#: The labels of the highest domain to query, and the most names (RFC 9989, the tree walk).
_MIN_LABELS, _MAX_NAMES = 2, 8
_IN_DNS = "in the DNS of your domain"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The domains and keys of a sender; domains are in ASCII."""

    #: The domain of From.
    domain: str
    #: The domain of the bounce address; None if bounces go to the sender's address.
    bounces: str | None
    #: The keys that letters are signed with; none if a relay signs.
    keys: tuple[dkim.DkimKey, ...]
    #: The table `mail` of the config file, for messages.
    where: str


def names_to_query(identity: Identity) -> tuple[str, ...]:
    """Return the names whose TXT records `check_sender` needs."""
    names = [identity.domain, identity.bounces or identity.domain, *_policy_names(identity.domain)]
    return tuple(dict.fromkeys((*names, *(_key_name(key, identity) for key in identity.keys))))


def _policy_names(domain: str) -> list[str]:
    """Return the names at which a DMARC policy for a domain may be: its own first, then the parents' (RFC 9989)."""
    labels = domain.split(".")
    parents = [labels[at:] for at in range(1, len(labels) - _MIN_LABELS + 1)]
    return [f"_dmarc.{'.'.join(name)}" for name in (labels, *parents[-(_MAX_NAMES - 1) :])]


def _key_name(key: dkim.DkimKey, identity: Identity) -> str:
    """Return the name of a key's record (RFC 6376 section 3.6.2.1)."""
    return f"{key.selector}._domainkey.{identity.domain}"


def check_sender(identity: Identity, records: Mapping[str, DnsAnswer], mx_hosts: DnsAnswer) -> Iterator[Diagnostic]:
    """Yield the faults that receivers would find.

    *records* are the TXT records at `names_to_query`, *mx_hosts* the mail exchanges of the bounce address's domain.
    """
    if all(answer is None for answer in records.values()):
        yield dns_unavailable("the name servers do not answer", identity.where)
        return
    yield from (_lookup_failed(name, identity) for name, answer in records.items() if answer is None)
    yield from _check_spf(identity, records)
    yield from _check_dmarc(identity, records)
    for key in identity.keys:
        yield from _check_dkim(key, identity, records[_key_name(key, identity)])
    if identity.bounces is not None:
        yield from _check_alignment(identity.bounces, identity, records)
        yield from _check_mx(identity.bounces, mx_hosts, identity.where)


def dns_unavailable(reason: str, where: str) -> Diagnostic:
    """Return the diagnostic for DNS servers that cannot be reached."""
    return Diagnostic(
        level="warning",
        where=where,
        what=f"DNS cannot be queried: {reason}",
        why="receivers accept or reject letters by the records of the sender's domain (SPF, DKIM, DMARC)",
        do="run `feeds check` where DNS can be reached, such as on the machine that sends",
    )


def _lookup_failed(name: str, identity: Identity) -> Diagnostic:
    return Diagnostic(
        level="warning",
        where=identity.where,
        what=f"the DNS lookup of {name} failed",
        why="receivers look it up too; without an answer they defer letters or treat them as forged",
        do="try again later; if it goes on, ask the DNS provider of the domain",
    )


# SPF --------------------------------------------------------------------------------------------------------------


def _check_spf(identity: Identity, records: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield the faults of SPF at the envelope's domain, which receivers check (RFC 7208 section 2.4), and at From's."""
    yield from _check_spf_at(identity.bounces or identity.domain, records, "error", identity.where)
    if identity.bounces not in {None, identity.domain}:
        yield from _check_spf_at(identity.domain, records, "warning", identity.where)


def _check_spf_at(domain: str, records: Mapping[str, DnsAnswer], level: str, where: str) -> Iterator[Diagnostic]:
    answer = records[domain]
    if answer is None:
        return
    policies = [text for text in answer if _SPF.match(text)]
    if not policies:
        yield Diagnostic(
            level=level,
            where=where,
            what=f"{domain} has no SPF record",
            why="without it receivers cannot recognize your mail server, and large providers reject its mail",
            do=f'publish one {_IN_DNS}: {domain} TXT "v=spf1 mx -all" if its mail servers send the letters too, '
            "else with the `include` that your mail provider documents",
        )
    elif len(policies) > 1:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"{domain} has {len(policies)} SPF records",
            why="with more than one, receivers ignore all of them (RFC 7208, 4.5)",
            do="merge them into one, with everything between `v=spf1` and the `all` of each",
        )
    elif policies[0].lower().split()[1:] == ["-all"]:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"the SPF record of {domain} says that no server may send for it",
            why="receivers reject mail from this domain",
            do="name the server that sends, for example with `v=spf1 mx -all`",
        )


# DMARC ------------------------------------------------------------------------------------------------------------


def _check_dmarc(identity: Identity, records: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield the faults of the DMARC policy that applies: the nearest one."""
    for name in _policy_names(identity.domain):
        answer = records[name]
        if answer is None:
            return
        policies = [text for text in answer if _DMARC.match(text)]
        if policies:
            yield from _check_policy(name, policies, identity.where)
            return
    yield Diagnostic(
        level="error",
        where=identity.where,
        what=f"{identity.domain} has no DMARC record, and no parent domain has one",
        why="large providers accept bulk mail only from domains with such a record",
        do=f'publish one {_IN_DNS}: _dmarc.{identity.domain} TXT "v=DMARC1; p=none" to begin with',
    )


def _check_policy(name: str, policies: list[str], where: str) -> Iterator[Diagnostic]:
    if len(policies) > 1:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"{name} has {len(policies)} DMARC records",
            why="with more than one, receivers ignore all of them (RFC 7489, 6.6.3)",
            do="keep one of them and delete the others",
        )
    elif "p" not in _parse_tags(policies[0]):
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the DMARC record at {name} does not say what to do with forged mail (`p`)",
            why="many receivers ignore a record without `p` (RFC 7489, 6.3)",
            do="add `p=none` after `v=DMARC1;` to begin with",
        )


# DKIM -------------------------------------------------------------------------------------------------------------


def dkim_record(key: dkim.DkimKey) -> str:
    """Return the TXT record that publishes a key (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
    return f"v=DKIM1; k={_key_type(key)}; p={b64encode(_public_forms(key)[0]).decode()}"


def _key_type(key: dkim.DkimKey) -> str:
    return "ed25519" if isinstance(key.private, Ed25519PrivateKey) else "rsa"


def _public_forms(key: dkim.DkimKey) -> list[bytes]:
    """Return the public key in the forms that a record may have.

    RFC 6376 specifies PKCS #1 for RSA; its examples and common practice use SubjectPublicKeyInfo.
    """
    public = key.private.public_key()
    if isinstance(key.private, Ed25519PrivateKey):
        return [public.public_bytes(Encoding.Raw, PublicFormat.Raw)]
    return [public.public_bytes(Encoding.DER, form) for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)]


def _check_dkim(key: dkim.DkimKey, identity: Identity, answer: DnsAnswer) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the record of a key is missing or wrong."""
    name = _key_name(key, identity)
    if answer is None or (fault := _key_record_fault(answer, key)) is None:
        return
    yield Diagnostic(
        level="error",
        where=f"{identity.where}.dkim",
        what=f"{name} {fault}",
        why="receivers cannot verify signatures of this key, and treat the letters as unsigned or forged",
        do=f'publish {_IN_DNS}: {name} TXT "{dkim_record(key)}"',
    )


def _key_record_fault(answer: tuple[str, ...], key: dkim.DkimKey) -> str | None:
    if not answer:
        return "has no record"
    if len(answer) > 1:
        return f"has {len(answer)} records, and receivers may use any of them (RFC 6376, 3.6.2.2)"
    tags = _parse_tags(answer[0])
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return "has a record without a key (RFC 6376, 3.6.1)"
    if not tags["p"]:
        return "says that the key is revoked (an empty `p`)"
    if tags.get("k", "rsa").lower() != _key_type(key):
        return f"has a key of another type ({tags.get('k', 'rsa')}) than key_file ({_key_type(key)})"
    return None if _decode_base64(tags["p"]) in _public_forms(key) else "has another key than key_file"


def _parse_tags(text: str) -> dict[str, str]:
    """Return a record's tags and values (RFC 6376 section 3.2), without the white space of folded lines."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _decode_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return b""


# Bounces ----------------------------------------------------------------------------------------------------------


def _check_alignment(bounces: str, identity: Identity, records: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the envelope, which SPF checks, is not aligned with From (RFC 7489 section 3.1.2)."""
    organisation = _organisational_domain(identity, records)
    is_related = bounces.split(".")[-_MIN_LABELS:] == identity.domain.split(".")[-_MIN_LABELS:]
    if is_aligned(bounces, identity.domain) or (organisation and is_subdomain(bounces, organisation)):
        return
    if is_related and any(records[name] is None for name in _policy_names(identity.domain)):
        return
    yield Diagnostic(
        # For siblings, older receivers use a list of registries instead of DNS; for them these two may be aligned.
        level="warning" if is_related else "error",
        where=f"{identity.where}.bounces.address",
        what=f"bounces go to {bounces}, letters come from {identity.domain}",
        why="SPF counts for DMARC only if both have one organisational domain (RFC 7489, 3.1.2)",
        do=f"use an address at {identity.domain} or a subdomain",
    )


def _organisational_domain(identity: Identity, records: Mapping[str, DnsAnswer]) -> str | None:
    """Return the organisational domain: the highest one with a policy (RFC 9989, the tree walk)."""
    domain = None
    for name in _policy_names(identity.domain):
        policies = [text for text in records[name] or () if _DMARC.match(text)]
        if policies and _parse_tags(policies[0]).get("psd", "").lower() != "y":  # the policy of a registry
            domain = name.removeprefix("_dmarc.")
    return domain


def _check_mx(domain: str, answer: DnsAnswer, where: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic if a domain cannot receive mail."""
    if answer is None or any(host != "." for host in answer):
        return
    yield Diagnostic(
        level="error",
        where=f"{where}.bounces.address",
        what=f"{domain} accepts no mail (RFC 7505)" if answer else f"{domain} has no MX record",
        why="bounces and unsubscribe requests would be lost",
        do=f"publish one {_IN_DNS}: {domain} MX with the server that has the mailbox",
    )


# Keys -------------------------------------------------------------------------------------------------------------


def unusable_key(file: str, reason: str, where: str) -> Diagnostic:
    """Return the diagnostic for a key file that cannot be read or does not have a usable key."""
    return Diagnostic(
        level="error",
        where=where,
        what=f"{file}: {reason}",
        why="letters are not sent if they cannot be signed as configured",
        do=f"`openssl genrsa -out {quote(file)} 2048` makes a usable one (it overwrites an existing file)",
    )


def unused_keys(reasons: Iterable[str], where: str) -> Diagnostic:
    """Return the diagnostic for keys that are not used; *reasons* say what each relay does to letters."""
    return Diagnostic(
        level="warning",
        where=f"{where}.dkim",
        what=f"letters are not signed with these keys: {', '.join(reasons)}",
        why="a relay's change would break the signature, and a message has the same bytes for every relay",
        do="let the relay sign for your domain (its documentation names the records), and remove the keys here",
    )


def key_conflicts(domain: str, keys: Iterable[dkim.DkimKey], where: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic if valid keys cannot sign for a domain together: no RSA key, or a repeated selector."""
    try:
        dkim.Signer(domain, list(keys))
    except ValueError as e:
        yield Diagnostic(
            level="error",
            where=f"{where}.dkim",
            what=str(e),
            why="letters are not sent if they cannot be signed as configured",
            do="give each [[mail.dkim]] another selector, and one of them an RSA key",
        )
