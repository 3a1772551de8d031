"""A double of Nominatim on the loopback: `/search` and `/reverse` in JSON, and its usage policy."""

import json
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler

Place = dict[str, object]


def place(latitude: float, longitude: float, name: str, rank: int | None = 30, **address: str) -> Place:
    """As Nominatim answers it; older servers give no rank."""
    found: Place = {"place_id": 1, "lat": str(latitude), "lon": str(longitude), "display_name": name}
    found |= {"class": "place", "type": "house", "importance": 0.4, "address": address}
    return found if rank is None else found | {"place_rank": rank}


class FakeClock:
    """Seconds that pass only when somebody pauses."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.pauses_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now_s += seconds


class NominatimServer:
    """Knows some places by words that the query holds; refuses who does not say who asks, or asks too fast."""

    def __init__(self, places: dict[str, list[Place]], clock: Callable[[], float]) -> None:
        self.places = places
        self.questions: list[str] = []
        #: statuses answered first, one each
        self.trouble: list[tuple[int, dict[str, str], bytes]] = []
        self._clock = clock
        self._last_s = -1_000.0
        server = self

        class Handler(SilentHandler):
            def serve(self) -> None:
                status, headers, content = server.respond(self.path, self.headers.get("User-Agent", ""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._double = LoopbackDouble(LoopbackServer(("127.0.0.1", 0), Handler), "nominatim")

    @property
    def url(self) -> str:
        return self._double.url

    def respond(self, path: str, user_agent: str) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.questions.append(query.get("q", path))
        since_s, self._last_s = self._clock() - self._last_s, self._clock()
        if not user_agent or user_agent.lower().startswith(("geopy", "python")):
            return 403, {}, b"<html>Access blocked: see the usage policy</html>"
        if self.trouble:
            return self.trouble.pop(0)
        if since_s < 1:
            return 429, {"Retry-After": "5"}, b"<html>Bandwidth limit exceeded</html>"
        if url.path == "/search":
            return self._json(self._search(query))
        if url.path == "/reverse":
            return self._json(self._reverse(float(query["lat"]), float(query["lon"])))
        return 404, {}, b"{}"

    def _search(self, query: dict[str, str]) -> list[Place]:
        wanted = query["q"].casefold()
        found = [place for words, places in self.places.items() if words in wanted for place in places]
        return found[: int(query.get("limit", "10"))]

    def _reverse(self, latitude: float, longitude: float) -> object:
        for places in self.places.values():
            for each in places:
                if abs(float(str(each["lat"])) - latitude) < 0.01 and abs(float(str(each["lon"])) - longitude) < 0.01:
                    return each
        return {"error": "Unable to geocode"}

    def _json(self, body: object) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def __enter__(self) -> Self:
        self._double.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._double.stop()
