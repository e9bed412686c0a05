"""DNS queries with a deadline; the records are returned as plain values."""

import time
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from feeds.errors import FeedsError

#: Seconds for one try, for one query with all its tries, and for all queries together.
_TRY, _QUERY, _TOTAL = 1.0, 2.5, 5.0
#: EDNS payload that every network carries in one packet (DNS flag day 2020); without EDNS, answers of more than 512
#: bytes, such as DKIM keys, would need a second query.
_PAYLOAD = 1232


class Resolver:
    """Queries the name servers of this machine, or the one at an IP address."""

    def __init__(self, nameserver: str | None = None, port: int = 53, *, timeout: float = _TOTAL) -> None:
        self._nameserver, self._port, self._timeout = nameserver, port, timeout
        self._resolver: dns.resolver.Resolver | None = None
        self._deadline = 0.0

    def txt_records(self, name: str) -> tuple[str, ...] | None:
        """Return the TXT records of a name, sorted, each with its strings joined (RFC 7208 3.3, RFC 6376 3.6.2.2).

        None if the name servers cannot find out.

        Raises:
            FeedsError: no name server can be reached.
        """
        records = self._query(name, dns.rdatatype.TXT)
        if records is None:
            return None
        return tuple(sorted(b"".join(record.strings).decode(errors="replace") for record in records))

    def mx_hosts(self, name: str) -> tuple[str, ...] | None:
        """Return the mail servers of a domain, the preferred one first; `.` means that it accepts no mail (RFC 7505).

        None if the name servers cannot find out.

        Raises:
            FeedsError: no name server can be reached.
        """
        records = self._query(name, dns.rdatatype.MX)
        if records is None:
            return None
        hosts = sorted((record.preference, record.exchange.to_text(omit_final_dot=True)) for record in records)
        return tuple(host for _, host in hosts)

    def has_address(self, name: str) -> bool | None:
        """Return whether a name has an IPv4 or IPv6 address; None if the name servers cannot find out.

        Raises:
            FeedsError: no name server can be reached.
        """
        found = [self._query(name, kind) for kind in (dns.rdatatype.A, dns.rdatatype.AAAA)]
        return True if any(found) else None if None in found else False

    def accepts_mail(self, domain: str) -> bool | None:
        """Return whether a domain has a mail server: an MX record that is not `.` (RFC 7505), or else an address.

        The latter is RFC 5321 section 5.1. None if the name servers cannot find out.

        Raises:
            FeedsError: no name server can be reached.
        """
        hosts = self.mx_hosts(domain)
        if hosts is None:
            return None
        return hosts != (".",) if hosts else self.has_address(domain)

    def _query(self, name: str, kind: dns.rdatatype.RdataType) -> list[Any] | None:
        try:
            resolver = self._start()
            rest = self._deadline - time.monotonic()
            if rest <= 0:
                raise FeedsError(f"the DNS queries took more than {self._timeout:g} s")
            lifetime = min(_QUERY, rest)
            answer = resolver.resolve(name, kind, lifetime=lifetime, raise_on_no_answer=False, search=False)
            return list(answer.rrset or ())
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except dns.resolver.YXDOMAIN:
            return None
        except dns.resolver.NoNameservers as e:
            if any(response is not None for *_, response in e.kwargs["errors"]):
                return None
            raise FeedsError(f"no name server sent a valid answer: {e}") from e
        except dns.exception.Timeout as e:
            raise FeedsError(f"the DNS query for {name} timed out") from e
        except dns.exception.DNSException as e:
            raise FeedsError(str(e)) from e

    def _start(self) -> dns.resolver.Resolver:
        """Return the resolver; the first call starts the deadline."""
        if self._resolver is None:
            self._resolver = dns.resolver.Resolver(configure=self._nameserver is None)
            if self._nameserver is not None:
                self._resolver.nameservers, self._resolver.port = [self._nameserver], self._port
            self._resolver.timeout = _TRY
            self._resolver.use_edns(0, 0, _PAYLOAD)
            self._deadline = time.monotonic() + self._timeout
        return self._resolver
