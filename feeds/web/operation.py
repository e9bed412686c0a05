"""`/healthz` and `/metrics`, for the operator's programs."""

from collections.abc import Iterator
from dataclasses import asdict
from ipaddress import ip_address, ip_network

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from feeds.errors import FeedsError
from feeds.jobs.health import StoreWatch, check_health, count_store
from feeds.web.door import Door

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(door: Door) -> list[Route]:
    """Return the routes of both."""
    registry = CollectorRegistry()
    registry.register(_SiteCollector(door))
    ProcessCollector(registry=registry)
    watch = StoreWatch()

    def show_health(_: Request) -> Response:
        health = check_health(door.config, watch, door.pulse, door.context.clock())
        body = {"status": "ok" if health.is_well else "failed"} | asdict(health)
        return JSONResponse(body, 200 if health.is_well else 503, headers=_HEADERS)

    def show_metrics(request: Request) -> Response:
        if not _is_ours(request, door):
            raise HTTPException(404)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers=_HEADERS | {"Content-Type": media_type})

    return [Route("/healthz", show_health), Route("/metrics", show_metrics)]


def _is_ours(request: Request, door: Door) -> bool:
    """Return whether a request comes from one of `web.trusted_proxies` itself: numbers of subscribers are private."""
    if request.client is None:
        return True  # at a Unix socket, and no proxy has named a client
    try:
        client = ip_address(request.client.host)
    except ValueError:
        return False
    return any(client in ip_network(network) for network in door.config.settings.web.trusted_proxies)


class _SiteCollector(Collector):
    """Reads the numbers of the site when they are asked for."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """Yield each number; those of the store are missing if it cannot be read."""
        yield from self._collect_readers()
        yield from self._collect_pulse()
        try:
            yield from self._collect_store()
        except FeedsError as e:
            self._door.log(f"/metrics: {e}")

    def _collect_readers(self) -> Iterator[Metric]:
        counts = self._door.reader_counts
        requests = CounterMetricFamily("feeds_requests", "Requests for a feed.", labels=["feed"])
        for feed, number in list(counts.requests.items()):
            requests.add_metric([feed], number)
        yield requests
        readers = GaugeMetricFamily(
            "feeds_readers", "Subscribers of a feed, as a service names them.", labels=["feed", "service"]
        )
        for (feed, service), number in list(counts.subscribers.items()):
            readers.add_metric([feed, service], number)
        yield readers

    def _collect_pulse(self) -> Iterator[Metric]:
        pulse = self._door.pulse
        for name, text, at in (
            ("feeds_last_publish_timestamp_seconds", "End of the last publish run.", pulse.last_publish_at),
            ("feeds_next_publish_timestamp_seconds", "Begin of the next publish run.", pulse.next_publish_at),
        ):
            if at is not None:
                yield GaugeMetricFamily(name, text, at.timestamp())

    def _collect_store(self) -> Iterator[Metric]:
        counts = count_store(self._door.config, self._door.context.clock())
        subscribers = GaugeMetricFamily("feeds_subscribers", "Subscribers by status.", labels=["status"])
        for status, number in counts.subscribers.items():
            subscribers.add_metric([status], number)
        yield subscribers
        pending = GaugeMetricFamily("feeds_pending_letters", "Letters to be sent.", labels=["newsletter"])
        for newsletter, number in counts.pending.items():
            pending.add_metric([newsletter], number)
        yield pending
        yield GaugeMetricFamily("feeds_signups_held", "Sign-ups that wait for the editor.", counts.signups.held)
        yield GaugeMetricFamily("feeds_signups_waiting", "Sign-ups to be confirmed.", counts.signups.waiting)
