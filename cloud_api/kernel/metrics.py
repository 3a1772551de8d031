"""Prometheus metrics of the process, and the middleware that counts requests."""

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Histogram(
    "coldfleet_request_seconds",
    "Time from the request's first byte to the answer's last, by route",
    ["method", "route", "status"],
)
READINGS = Counter("coldfleet_readings_total", "Readings taken in, by what became of them", ["outcome"])
EVENTS = Counter("coldfleet_outbox_deliveries_total", "Outbox deliveries, by outcome", ["reaction", "outcome"])


class RequestMetrics:
    """ASGI middleware: one observation a request, by the route's template, never by its raw path."""

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
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - began)
