"""A name server on 127.0.0.1 for a few names, by UDP and TCP."""

import socket
import threading
from collections.abc import Mapping
from socketserver import BaseRequestHandler, TCPServer, UDPServer
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from feeds.edges.net.dns import Resolver

#: By name and type: records in the form of zone files, or a response code (`SERVFAIL`), `silence`, or `noise` (by TCP).
Records = Mapping[tuple[str, str], list[str] | str]


class NameServer:
    """Answers from its records; every other name does not exist."""

    def __init__(self, records: Records | None = None) -> None:
        self.records = dict(records or {})
        #: Name and type of each query.
        self.queries: list[tuple[str, str]] = []
        #: Whether answers by UDP are truncated.
        self.truncates = False
        tcp = _Tcp(("127.0.0.1", 0), _OverTcp)
        self.port = tcp.server_address[1]
        self._servers = (tcp, _Udp(("127.0.0.1", self.port), _OverUdp))
        for server in self._servers:
            server.owner = self
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in self._servers]
        for thread in self._threads:
            thread.start()

    def resolver(self, **options: float) -> Resolver:
        """Return a resolver that queries this server only."""
        return Resolver("127.0.0.1", self.port, **options)

    def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        """Return the answer to a query; None for silence."""
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        text = name.to_text(omit_final_dot=True).lower()
        self.queries.append((text, kind))
        found = self.records.get((text, kind))
        if found == "silence":
            return None
        if found == "noise" and not udp:
            return b"HTTP/1.1 400"
        answer = dns.message.make_response(query, recursion_available=True)
        if found == "noise" or (found and udp and self.truncates):
            answer.flags |= dns.flags.TC
        elif isinstance(found, str):
            answer.set_rcode(dns.rcode.from_text(found))
        elif found:
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, found))
        elif not any(known == text for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


def quoted(text: str) -> str:
    """Return a TXT record in the form of zone files: strings of at most 255 characters."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


def silent_socket() -> socket.socket:
    """Return a UDP socket that receives queries and never answers."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", 0))
    return found


class _Udp(UDPServer):
    owner: NameServer


class _Tcp(TCPServer):
    owner: NameServer


class _OverUdp(BaseRequestHandler):
    def handle(self) -> None:
        data, udp = self.request
        if answer := self.server.owner.answer(data, udp=True):
            udp.sendto(answer, self.client_address)


class _OverTcp(BaseRequestHandler):
    """Each message follows its length (RFC 1035 section 4.2.2)."""

    def handle(self) -> None:
        with self.request.makefile("rb") as stream:
            size = int.from_bytes(stream.read(2))
            if answer := self.server.owner.answer(stream.read(size), udp=False):
                self.request.sendall(len(answer).to_bytes(2) + answer)
