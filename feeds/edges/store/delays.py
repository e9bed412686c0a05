"""The pace of an issue as servers have limited it: domains that wait, and the limits of mail servers."""

from collections.abc import Collection, Mapping
from datetime import datetime

from feeds.edges.store.deliveries import DOMAIN_PAUSED
from feeds.edges.store.interface import Database, Row, decode_time_if_any
from feeds.model import DomainDelay, ReplyAction, ServerLimit


class Delays:
    """The delays in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Domains ------------------------------------------------------------------------------------------------------

    def load_domains(self, issue_id: int) -> dict[str, DomainDelay]:
        """Return the delays of an issue by domain."""
        return {row[0]: _to_delay(row) for row in self._db.all("delays.load_domains", issue=issue_id)}

    def save_domain(self, issue_id: int, delay: DomainDelay) -> None:
        """Store the delay of a domain instead of the last one."""
        with self._db.transaction("shared", synced=False):
            self._db.execute(
                "delays.save_domain",
                issue=issue_id,
                domain=delay.domain,
                cause=delay.cause,
                answer=delay.answer,
                times=delay.times,
                until=delay.until,
            )

    def end_domain(self, issue_id: int, domain: str) -> None:
        """Forget the delay of a domain; deliveries that wait keep their time."""
        with self._db.transaction("shared", synced=False):
            self._db.execute("delays.delete_domain", issue=issue_id, domain=domain)

    def release_domain(self, issue_id: int, domain: str, refused: Collection[int]) -> None:
        """Forget the delay of a domain, and make its waiting and its *refused* deliveries ready."""
        with self._db.transaction(synced=False):
            self._db.execute("delays.delete_domain", issue=issue_id, domain=domain)
            self._db.execute("delays.release_waiting", issue=issue_id, domain=domain, answer=DOMAIN_PAUSED)
            rows = [{"issue": issue_id, "domain": domain, "id": delivery_id} for delivery_id in refused]
            self._db.execute_many("delays.release_refused", rows)

    # Servers ------------------------------------------------------------------------------------------------------

    def load_servers(self, issue_id: int) -> Mapping[str, ServerLimit]:
        """Return the known limits of the mail servers of an issue, by their names."""
        return {row[0]: _to_limit(row) for row in self._db.all("delays.load_servers", issue=issue_id)}

    def save_server(self, issue_id: int, server: str, limit: ServerLimit) -> None:
        """Store what is known about a mail server."""
        with self._db.transaction("shared", synced=False):
            self._db.execute(
                "delays.save_server",
                issue=issue_id,
                server=server,
                answer=limit.answer,
                times=limit.times,
                until=limit.until,
                per_connection=limit.per_connection,
                per_minute=limit.per_minute,
            )

    def next_server_at(self, issue_id: int) -> datetime | None:
        """Return when the first server that asked us to wait may be tried again; None if none did."""
        return decode_time_if_any(self._db.value("delays.next_server_at", issue=issue_id))

    def forget(self, issue_id: int) -> None:
        """Forget all delays of an issue: the operator wants to try again now."""
        with self._db.transaction():
            self._db.execute("delays.delete_domains", issue=issue_id)
            self._db.execute("delays.delete_servers", issue=issue_id)


def _to_delay(row: Row) -> DomainDelay:
    domain, cause, answer, times, until = row
    return DomainDelay(
        domain=domain, cause=ReplyAction(cause), answer=answer, times=times, until=decode_time_if_any(until)
    )


def _to_limit(row: Row) -> ServerLimit:
    _, answer, times, until, per_connection, per_minute = row
    return ServerLimit(
        answer=answer,
        times=times,
        until=decode_time_if_any(until),
        per_connection=per_connection,
        per_minute=per_minute,
    )
