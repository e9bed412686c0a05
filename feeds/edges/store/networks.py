"""How many requests each network has sent from the web: sign-ups, and requests for links, together."""

from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.interface import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLimits:
    """Bounds on what the store keeps of requests."""

    of_network: int
    requests: int
    networks: int


def count_request(database: Database, network: str, at: datetime, start: datetime, limits: RequestLimits) -> bool:
    """Count a request inside the caller's transaction; return False if its network has made too many since *start*.

    *network* is a keyed hash. If too many networks are counted already, those that come anew have no limit.
    """
    requests = database.value("networks.count_request", network=network, now=at, start=start, most=limits.networks)
    return requests is None or requests <= limits.of_network
