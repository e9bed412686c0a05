"""How many requests each network has sent from the web: sign-ups, and requests for links, together."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.old_codec import encode_time

_COUNT_NETWORK = """
    INSERT INTO signup_networks (network, since, requests) SELECT :network, :now, 1
    WHERE EXISTS (SELECT 1 FROM signup_networks WHERE network = :network)
        OR (SELECT count(*) FROM signup_networks) < :most
    ON CONFLICT DO UPDATE SET requests = CASE WHEN since <= :start THEN 1 ELSE requests + 1 END,
        since = CASE WHEN since <= :start THEN excluded.since ELSE since END
    RETURNING requests
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLimits:
    """Bounds on what the store keeps of requests."""

    of_network: int
    requests: int
    networks: int


def count_request(
    connection: sqlite3.Connection, network: str, at: datetime, start: datetime, limits: RequestLimits
) -> bool:
    """Count a request inside the caller's transaction; return False if its network has made too many since *start*.

    *network* is a keyed hash. If too many networks are counted already, those that come anew have no limit.
    """
    values = {"network": network, "now": encode_time(at), "start": encode_time(start), "most": limits.networks}
    row = connection.execute(_COUNT_NETWORK, values).fetchone()
    return row is None or row[0] <= limits.of_network
