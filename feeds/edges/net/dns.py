"""What DNS says of a name, as plain values, soon or not at all."""

import time
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from feeds.errors import FeedsError

#: Seconds that one try may take, one question with all its tries, and everything that is asked.
_TRY, _QUESTION, _PATIENCE = 1.0, 2.5, 5.0
#: What comes through every network in one piece (DNS flag day 2020); without it answers of more than 512 bytes, as
#: keys are, would be asked for a second time.
_PAYLOAD = 1232


class Resolver:
    """Asks this machine's name servers, or the one that is named by its IP address."""

    def __init__(self, nameserver: str | None = None, port: int = 53, *, patience: float = _PATIENCE) -> None:
        self._nameserver, self._port, self._patience = nameserver, port, patience
        self._asked: dns.resolver.Resolver | None = None
        self._until = 0.0

    def txt_records(self, name: str) -> tuple[str, ...] | None:
        """Return the TXT records of a name, each in one piece (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2), sorted.

        None where the servers that are asked cannot find out.

        Raises:
            FeedsError: no server can be asked.
        """
        found = self._answers(name, dns.rdatatype.TXT)
        return None if found is None else tuple(sorted(b"".join(r.strings).decode(errors="replace") for r in found))

    def mx_hosts(self, name: str) -> tuple[str, ...] | None:
        """Return the hosts that take mail for a domain, the preferred one first; `.` says that none does (RFC 7505).

        None where the servers that are asked cannot find out.

        Raises:
            FeedsError: no server can be asked.
        """
        found = self._answers(name, dns.rdatatype.MX)
        if found is None:
            return None
        hosts = sorted((r.preference, r.exchange.to_text(omit_final_dot=True)) for r in found)
        return tuple(host for _, host in hosts)

    def _answers(self, name: str, kind: dns.rdatatype.RdataType) -> list[Any] | None:
        try:
            asked = self._ready()
            rest = self._until - time.monotonic()
            if rest <= 0:
                raise FeedsError(f"the answers took more than {self._patience:g} s")
            found = asked.resolve(name, kind, lifetime=min(_QUESTION, rest), raise_on_no_answer=False, search=False)
            return list(found.rrset or ())
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except dns.resolver.YXDOMAIN:
            return None
        except dns.resolver.NoNameservers as e:
            if any(response is not None for *_, response in e.kwargs["errors"]):
                return None
            raise FeedsError(f"no name server can be understood or reached: {e}") from e
        except dns.exception.Timeout as e:
            raise FeedsError(f"nobody has answered about {name} in time") from e
        except dns.exception.DNSException as e:
            raise FeedsError(str(e)) from e

    def _ready(self) -> dns.resolver.Resolver:
        """Return what asks; patience begins with the first question."""
        if self._asked is None:
            self._asked = dns.resolver.Resolver(configure=self._nameserver is None)
            if self._nameserver is not None:
                self._asked.nameservers, self._asked.port = [self._nameserver], self._port
            self._asked.timeout = _TRY
            self._asked.use_edns(0, 0, _PAYLOAD)
            self._until = time.monotonic() + self._patience
        return self._asked
