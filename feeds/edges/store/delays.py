"""What servers have said about the pace of an issue: domains that wait, and the limits of mail servers."""

import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.deliveries import DOMAIN_PAUSED
from feeds.edges.store.old_sqlite import IS_OPEN, transaction
from feeds.model import DomainDelay, ReplyAction, ServerLimit

_SAVE_DOMAIN = (
    "INSERT OR REPLACE INTO delayed_domains (issue_id, domain, cause, answer, times, until) VALUES (?, ?, ?, ?, ?, ?)"
)
_SAVE_SERVER = """
    INSERT OR REPLACE INTO server_limits (issue_id, server, answer, times, until, per_connection, per_minute)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_RELEASE = f"""
    UPDATE deliveries SET state = 'ready', next_at = NULL WHERE issue_id = ? AND {IS_OPEN} AND state = 'deferred'
    AND (answer = ? OR id IN ({{0}})) AND recipient_key LIKE '%@' || ?
"""  # noqa: S608 - made of constants


class Delays:
    """The delays in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # Domains ------------------------------------------------------------------------------------------------------

    def load_domains(self, issue_id: int) -> dict[str, DomainDelay]:
        """Return the delays of an issue by domain."""
        query = "SELECT domain, cause, answer, times, until FROM delayed_domains WHERE issue_id = ? ORDER BY domain"
        rows = self._db.execute(query, (issue_id,)).fetchall()
        return {row[0]: _to_delay(*row) for row in rows}

    def save_domain(self, issue_id: int, delay: DomainDelay) -> None:
        """Store the delay of a domain instead of the last one."""
        until = _encode(delay.until)
        with transaction(self._db):
            self._db.execute(_SAVE_DOMAIN, (issue_id, delay.domain, delay.cause, delay.answer, delay.times, until))

    def end_domain(self, issue_id: int, domain: str) -> None:
        """Forget the delay of a domain; deliveries that wait keep their time."""
        with transaction(self._db):
            self._delete_domain(issue_id, domain)

    def release_domain(self, issue_id: int, domain: str, refused: Collection[int]) -> None:
        """Forget the delay of a domain, and make its waiting and its *refused* deliveries ready."""
        query = _RELEASE.format(", ".join("?" * len(refused)))
        with transaction(self._db):
            self._delete_domain(issue_id, domain)
            self._db.execute(query, (issue_id, DOMAIN_PAUSED, *refused, domain))

    def _delete_domain(self, issue_id: int, domain: str) -> None:
        self._db.execute("DELETE FROM delayed_domains WHERE issue_id = ? AND domain = ?", (issue_id, domain))

    # Servers ------------------------------------------------------------------------------------------------------

    def load_servers(self, issue_id: int) -> Mapping[str, ServerLimit]:
        """Return what is known about the mail servers of an issue, by their names."""
        query = (
            "SELECT server, answer, times, until, per_connection, per_minute FROM server_limits"
            " WHERE issue_id = ? ORDER BY server"
        )
        return {row[0]: _to_limit(*row[1:]) for row in self._db.execute(query, (issue_id,)).fetchall()}

    def save_server(self, issue_id: int, server: str, limit: ServerLimit) -> None:
        """Store what is known about a mail server."""
        values = (limit.answer, limit.times, _encode(limit.until), limit.per_connection, limit.per_minute)
        with transaction(self._db):
            self._db.execute(_SAVE_SERVER, (issue_id, server, *values))

    def next_server_at(self, issue_id: int) -> datetime | None:
        """Return when the first server that asked us to wait may be tried again; None if none did."""
        query = "SELECT min(until) FROM server_limits WHERE issue_id = ? AND times > 0"
        return _decode(self._db.execute(query, (issue_id,)).fetchone()[0])

    def forget(self, issue_id: int) -> None:
        """Forget all delays of an issue: the operator wants to try again now."""
        with transaction(self._db):
            for table in ("delayed_domains", "server_limits"):
                self._db.execute(f"DELETE FROM {table} WHERE issue_id = ?", (issue_id,))  # noqa: S608 - constants


def _encode(moment: datetime | None) -> str | None:
    return encode_time(moment) if moment else None


def _decode(text: str | None) -> datetime | None:
    return decode_time(text) if text else None


def _to_delay(domain: str, cause: str, answer: str, times: int, until: str | None) -> DomainDelay:
    return DomainDelay(domain=domain, cause=ReplyAction(cause), answer=answer, times=times, until=_decode(until))


def _to_limit(answer: str, times: int, until: str | None, per_connection: int, per_minute: float) -> ServerLimit:
    return ServerLimit(
        answer=answer, times=times, until=_decode(until), per_connection=per_connection, per_minute=per_minute
    )
