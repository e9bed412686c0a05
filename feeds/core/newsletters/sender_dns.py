"""Whether receivers can know letters as their sender's: SPF, DKIM and DMARC, and where mail comes back to.

Values in, remarks out: `asked` says which names matter, `feeds.edges.net.dns` asks, `remarks` judges what it was told. An
answer of None means that servers could not find out; nothing is said to be missing that may be there.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from feeds.core.newsletters import dkim
from feeds.core.newsletters.domains import is_aligned, is_subdomain
from feeds.core.newsletters.lint import Diagnostic

#: The records at a name; None where servers could not find out.
DnsAnswer = tuple[str, ...] | None
#: RFC 7208 section 4.5: the version ends with a space or the record.
_SPF = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
#: RFC 7489 section 6.3: it stands first, and its case counts.
_DMARC = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|\Z)")
#: Labels of the highest domain that is asked about, and how many names at most (RFC 9989, the tree walk).
_FEWEST_LABELS, _MOST_NAMES = 2, 8
_IN_DNS = "in the DNS of your domain"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who letters say they come from, domains as `feeds.core.newsletters.domains.ascii_domain` has them."""

    #: Of From.
    domain: str
    #: Of the address that undeliverable mail comes back to; None where that is the sender's own.
    bounces: str | None
    #: What letters are signed with, and nothing where a relay signs.
    keys: tuple[dkim.DkimKey, ...]
    #: Where all of this is written: the table `mail` of a config file.
    where: str


def names_to_query(identity: Identity) -> tuple[str, ...]:
    """Return the names whose TXT records `remarks` judges."""
    names = [identity.domain, identity.bounces or identity.domain, *_policy_names(identity.domain)]
    return tuple(dict.fromkeys((*names, *(_key_name(key, identity) for key in identity.keys))))


def _policy_names(domain: str) -> list[str]:
    """Return where a DMARC policy for a domain may be: its own, then that of each parent (RFC 9989, the tree walk)."""
    labels = domain.split(".")
    parents = [labels[at:] for at in range(1, len(labels) - _FEWEST_LABELS + 1)]
    return [f"_dmarc.{'.'.join(name)}" for name in (labels, *parents[-(_MOST_NAMES - 1) :])]


def _key_name(key: dkim.DkimKey, identity: Identity) -> str:
    """RFC 6376 section 3.6.2.1."""
    return f"{key.selector}._domainkey.{identity.domain}"


def check_sender(identity: Identity, texts: Mapping[str, DnsAnswer], exchanges: DnsAnswer) -> Iterator[Diagnostic]:
    """Yield what receivers would find fault with.

    *texts* are the TXT records of the names in `asked`, *exchanges* the mail exchanges of the bounce address's domain.
    """
    if all(answer is None for answer in texts.values()):
        yield dns_unavailable("the name servers find nothing out", identity.where)
        return
    yield from (_unknown(name, identity) for name, answer in texts.items() if answer is None)
    yield from _spf(identity, texts)
    yield from _dmarc(identity, texts)
    for key in identity.keys:
        yield from _dkim(key, identity, texts[_key_name(key, identity)])
    if identity.bounces is not None:
        yield from _alignment(identity.bounces, identity, texts)
        yield from _exchanges(identity.bounces, exchanges, identity.where)


def dns_unavailable(reason: str, where: str) -> Diagnostic:
    """Return the one remark about DNS that there is where nobody could be asked."""
    return Diagnostic(
        level="warning",
        where=where,
        what=f"DNS could not be asked: {reason}",
        why="what it says of the sender's domain (SPF, DKIM, DMARC) decides whether letters are taken",
        do="run `feeds check` where DNS can be reached, as on the machine that sends",
    )


def _unknown(name: str, identity: Identity) -> Diagnostic:
    return Diagnostic(
        level="warning",
        where=identity.where,
        what=f"DNS could not find out about {name}",
        why="receivers ask it too, and put letters off or take them for forged as long as they get no answer",
        do="try again later; if it stays so, ask whoever runs the DNS of the domain",
    )


# SPF --------------------------------------------------------------------------------------------------------------


def _spf(identity: Identity, texts: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield what is odd about SPF: of the envelope's domain, which receivers ask (RFC 7208 section 2.4), and From's."""
    yield from _spf_of(identity.bounces or identity.domain, texts, "error", identity.where)
    if identity.bounces not in {None, identity.domain}:
        yield from _spf_of(identity.domain, texts, "warning", identity.where)


def _spf_of(domain: str, texts: Mapping[str, DnsAnswer], level: str, where: str) -> Iterator[Diagnostic]:
    answer = texts[domain]
    if answer is None:
        return
    records = [text for text in answer if _SPF.match(text)]
    if not records:
        yield Diagnostic(
            level=level,
            where=where,
            what=f"{domain} has no SPF record",
            why="without it receivers cannot tell your mail server from any other, and large providers refuse its mail",
            do=f'publish one {_IN_DNS}: {domain} TXT "v=spf1 mx -all" if its mail servers send the letters too, '
            "else with what your mail provider tells you to include",
        )
    elif len(records) > 1:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"{domain} has {len(records)} SPF records",
            why="with more than one, receivers take none of them (RFC 7208, 4.5)",
            do="make one of them, with everything between `v=spf1` and the `all` of each",
        )
    elif records[0].lower().split()[1:] == ["-all"]:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"the SPF record of {domain} says that no server may send for it",
            why="receivers refuse what comes all the same",
            do="name the server that sends, such as `v=spf1 mx -all`",
        )


# DMARC ------------------------------------------------------------------------------------------------------------


def _dmarc(identity: Identity, texts: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield what is odd about the policy that counts: the nearest one."""
    for name in _policy_names(identity.domain):
        answer = texts[name]
        if answer is None:
            return
        records = [text for text in answer if _DMARC.match(text)]
        if records:
            yield from _policy(name, records, identity.where)
            return
    yield Diagnostic(
        level="error",
        where=identity.where,
        what=f"{identity.domain} has no DMARC record, and no domain above it",
        why="large providers take letters to many readers only from domains that have one",
        do=f'publish one {_IN_DNS}: _dmarc.{identity.domain} TXT "v=DMARC1; p=none" to begin with',
    )


def _policy(name: str, records: list[str], where: str) -> Iterator[Diagnostic]:
    if len(records) > 1:
        yield Diagnostic(
            level="error",
            where=where,
            what=f"{name} has {len(records)} DMARC records",
            why="with more than one, receivers take none of them (RFC 7489, 6.6.3)",
            do="leave one of them",
        )
    elif "p" not in _tags(records[0]):
        yield Diagnostic(
            level="warning",
            where=where,
            what=f"the DMARC record at {name} does not say what to do with forged mail",
            why="many receivers take no record without `p` (RFC 7489, 6.3)",
            do="write `p=none` behind `v=DMARC1;` to begin with",
        )


# DKIM -------------------------------------------------------------------------------------------------------------


def dkim_record(key: dkim.DkimKey) -> str:
    """Return the TXT record that a key is published as (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
    return f"v=DKIM1; k={_kind(key)}; p={b64encode(_published(key)[0]).decode()}"


def _kind(key: dkim.DkimKey) -> str:
    return "ed25519" if isinstance(key.private, Ed25519PrivateKey) else "rsa"


def _published(key: dkim.DkimKey) -> list[bytes]:
    """Return what a record may hold of a key: RFC 6376 means PKCS #1's form, its examples and everybody the other."""
    public = key.private.public_key()
    if isinstance(key.private, Ed25519PrivateKey):
        return [public.public_bytes(Encoding.Raw, PublicFormat.Raw)]
    return [public.public_bytes(Encoding.DER, form) for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)]


def _dkim(key: dkim.DkimKey, identity: Identity, answer: DnsAnswer) -> Iterator[Diagnostic]:
    """Yield what is odd about the record of a key."""
    name = _key_name(key, identity)
    if answer is None or (wrong := _wrong_with(answer, key)) is None:
        return
    yield Diagnostic(
        level="error",
        where=f"{identity.where}.dkim",
        what=f"{name} {wrong}",
        why="receivers cannot verify what is signed with this key, and take the letters for unsigned or forged",
        do=f'publish {_IN_DNS}: {name} TXT "{dkim_record(key)}"',
    )


def _wrong_with(answer: tuple[str, ...], key: dkim.DkimKey) -> str | None:
    if not answer:
        return "has no record"
    if len(answer) > 1:
        return f"has {len(answer)} records, and receivers take any one of them (RFC 6376, 3.6.2.2)"
    tags = _tags(answer[0])
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return "has a record that holds no key (RFC 6376, 3.6.1)"
    if not tags["p"]:
        return "says that the key is revoked (an empty `p`)"
    if tags.get("k", "rsa").lower() != _kind(key):
        return f"has a key of another kind ({tags.get('k', 'rsa')}) than that in key_file ({_kind(key)})"
    return None if _decoded(tags["p"]) in _published(key) else "has another key than that in key_file"


def _tags(text: str) -> dict[str, str]:
    """Return a record's tags and values (RFC 6376 section 3.2); white space in values is folded lines'."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NoBase64, ValueError):
        return b""


# Mail that comes back ---------------------------------------------------------------------------------------------


def _alignment(bounces: str, identity: Identity, texts: Mapping[str, DnsAnswer]) -> Iterator[Diagnostic]:
    """Yield whether SPF, which vouches for the envelope, says nothing for From (RFC 7489 section 3.1.2)."""
    organisation = _organisation(identity, texts)
    related = bounces.split(".")[-_FEWEST_LABELS:] == identity.domain.split(".")[-_FEWEST_LABELS:]
    if is_aligned(bounces, identity.domain) or (organisation and is_subdomain(bounces, organisation)):
        return
    if related and any(texts[name] is None for name in _policy_names(identity.domain)):
        return
    yield Diagnostic(
        # Of siblings, older receivers ask a list of registries, not DNS; to them these two may be aligned.
        level="warning" if related else "error",
        where=f"{identity.where}.bounces.address",
        what=f"mail comes back to {bounces}, letters come from {identity.domain}",
        why="SPF counts for a sender only if both are under one organisational domain (DMARC; RFC 7489, 3.1.2)",
        do=f"take an address at {identity.domain} or below it",
    )


def _organisation(identity: Identity, texts: Mapping[str, DnsAnswer]) -> str | None:
    """Return the organisational domain: the highest one with a policy of its own (RFC 9989, the tree walk)."""
    found = None
    for name in _policy_names(identity.domain):
        policies = [text for text in texts[name] or () if _DMARC.match(text)]
        if policies and _tags(policies[0]).get("psd", "").lower() != "y":  # a registry's is for many organisations
            found = name.removeprefix("_dmarc.")
    return found


def _exchanges(domain: str, answer: DnsAnswer, where: str) -> Iterator[Diagnostic]:
    """Yield whether mail to a domain reaches nobody."""
    if answer is None or any(host != "." for host in answer):
        return
    yield Diagnostic(
        level="error",
        where=f"{where}.bounces.address",
        what=f"{domain} says that it takes no mail (RFC 7505)" if answer else f"{domain} has no MX record",
        why="mail that comes back, and letters that ask to leave, would reach nobody",
        do=f"publish one {_IN_DNS}: {domain} MX with the server that has the mailbox",
    )


# Keys -------------------------------------------------------------------------------------------------------------


def unusable_key(file: str, reason: str, where: str) -> Diagnostic:
    """Return what is to be said of a key's file that cannot be read or holds no key to sign with."""
    return Diagnostic(
        level="error",
        where=where,
        what=f"{file}: {reason}",
        why="no letter goes out that cannot be signed as the settings want it",
        do=f"`openssl genrsa -out {quote(file)} 2048` makes one that can (an existing file is overwritten)",
    )


def unused_keys(reasons: Iterable[str], where: str) -> Diagnostic:
    """Return what is to be said of keys that nothing is signed with; *reasons* say what which relay does to letters."""
    return Diagnostic(
        level="warning",
        where=f"{where}.dkim",
        what=f"letters are not signed with these keys: {', '.join(reasons)}",
        why="what a relay changes would make the signature wrong, and a letter has the same bytes whoever takes it",
        do="have the relay sign for your domain (its pages say which records to publish), and take the keys out here",
    )


def key_conflicts(domain: str, keys: Iterable[dkim.DkimKey], where: str) -> Iterator[Diagnostic]:
    """Yield why keys that can be used one by one cannot sign for a domain together: no RSA, a name used twice."""
    try:
        dkim.Signer(domain, list(keys))
    except ValueError as e:
        yield Diagnostic(
            level="error",
            where=f"{where}.dkim",
            what=str(e),
            why="no letter goes out that cannot be signed as the settings want it",
            do="give each [[mail.dkim]] a selector of its own, and one of them an RSA key",
        )
