"""Prometheus metrics of the process, and the middleware that measures requests and writes each into the log."""

import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

#: asked every few seconds by machines that watch: their lines would bury the others
_WATCHED = "/api/v1/monitoring/"

#: in a request's scope: whose it is (`kernel.permissions.Principal`), and the code of the error that answers it
PRINCIPAL = "coldfleet.principal"
ERROR_CODE = "coldfleet.error_code"

#: told of each request when it is over: its scope, its route's template, its status, and how long it took, in seconds;
#: the application's `state.request_observers` has them
Observer = Callable[[Scope, str, int, float], None]

REQUESTS = Histogram(
    "coldfleet_request_seconds",
    "Time from the request's first byte to the answer's last, by route",
    ["method", "route", "status"],
)
READINGS = Counter("coldfleet_readings_total", "Readings taken in, by what became of them", ["outcome"])
INGEST_GROUPS = Histogram(
    "coldfleet_ingest_group_batches",
    "Batches of readings that were stored together in one transaction",
    buckets=(1, 2, 4, 8, 16, 32, 64),
)
INGEST_WAITING = Gauge("coldfleet_ingest_waiting_bytes", "Unpacked batches of readings that wait to be stored")
INGEST_REFUSED = Counter(
    "coldfleet_ingest_overloads_total", "Batches of readings that were put off because too much was waiting"
)
EVENTS = Counter("coldfleet_outbox_deliveries_total", "Outbox deliveries, by outcome", ["reaction", "outcome"])
RATE_LIMITED = Counter("coldfleet_rate_limited_total", "Requests refused for being too many, by budget", ["budget"])
RATE_LIMIT_STORE_FAILURES = Counter(
    "coldfleet_rate_limit_store_failures_total", "Requests that were not counted because the counters' store was away"
)
LIVE_VIEWS = Gauge("coldfleet_live_views", "Websockets that are open on a live view, by path", ["path"])
LIVE_READINGS = Counter(
    "coldfleet_live_readings_total", "Times that a live view was read for all who watch it", ["view"]
)
LIVE_DROPPED = Counter("coldfleet_live_dropped_total", "Websockets that were ended because they read too slowly")


class RequestMetrics:
    """ASGI middleware: one observation and one log line a request, by the route's template, never by its raw path.

    Who asked, for which organisation, and the request's id stand in the line by what is bound to the logs meanwhile.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            route = _template(scope)
            duration_s = time.perf_counter() - began
            REQUESTS.labels(scope["method"], route, str(status)).observe(duration_s)
            observers: Sequence[Observer] = getattr(scope["app"].state, "request_observers", ())
            for observe in observers:
                observe(scope, route, status, duration_s)
            note = log.debug if route.startswith(_WATCHED) else log.info
            note(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                duration_ms=round(duration_s * 1000, 1),
            )


def _template(scope: Scope) -> str:
    """The route's whole path, with the names of its parameters where their values stood; `none` without a route.

    A route knows its own path, not what its routers were mounted under: that is what the request had before it.
    """
    own = getattr(scope.get("route"), "path", None)
    if not isinstance(own, str):
        return "none"
    parts = own.strip("/").split("/")
    return "/".join([*scope["path"].rstrip("/").split("/")[: -len(parts)], *parts])
