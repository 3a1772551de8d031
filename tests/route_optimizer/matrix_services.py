"""Doubles of OSRM, Valhalla and Google's Routes API on the loopback: they speak the protocol and refuse what those do.

Their world is a sphere with roads 1.3 times as long as the crow flies, driven at 50 km/h. East of 100° lies another
continent without a bridge; south of -60° there are no roads at all.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler
from route_optimizer.matrices import GreatCircles, Point

Answer = tuple[int, dict[str, str], bytes]
KEY = "AIza-a-secret-that-nobody-may-see"


def answer(status: int, body: object, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json"} | headers, json.dumps(body).encode()


class Refused(Exception):
    """What the service says no with."""

    def __init__(self, status: int, body: object, **headers: str) -> None:
        self.answer = answer(status, body, **headers)


def off_road(point: Point) -> bool:
    return point.latitude < -60


def cells(origins: Sequence[Point], destinations: Sequence[Point]) -> list[list[tuple[int, int] | None]]:
    """Metres and seconds from each to each; None where no road leads."""
    ways = GreatCircles([*origins, *destinations])
    return [
        [
            None
            if off_road(origin) or off_road(destination) or (origin.longitude > 100) != (destination.longitude > 100)
            else (ways.metres(row, column), ways.seconds(row, column))
            for column, destination in enumerate(destinations, start=len(origins))
        ]
        for row, origin in enumerate(origins)
    ]


class Service(ABC):
    """One double: `trouble` is answered first, one each; `asked` is how many pairs it was asked about."""

    def __init__(self) -> None:
        self.trouble: list[Answer] = []
        self.asked = 0
        self.requests = 0
        service = self

        class Handler(SilentHandler):
            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.requests += 1
                status, headers, content = service.respond(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._double = LoopbackDouble(LoopbackServer(("127.0.0.1", 0), Handler), type(self).__name__)

    @property
    def url(self) -> str:
        return self._double.url

    def respond(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if self.trouble:
            return self.trouble.pop(0)
        try:
            return self.serve(path, {name.lower(): value for name, value in headers.items()}, body)
        except Refused as refusal:
            return refusal.answer

    @abstractmethod
    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """What the service says to one request."""

    def __enter__(self) -> Self:
        self._double.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._double.stop()


class OsrmServer(Service):
    """`osrm-routed` with its default `--max-table-size`; it snaps from any distance unless `radius_m` is set."""

    def __init__(self, *, radius_m: float | None = None) -> None:
        super().__init__()
        self.radius_m = radius_m

    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        url = urlsplit(path)
        if len(path) > 8_000:
            raise Refused(414, {"message": "URI Too Long"})
        parts = re.fullmatch(r"/table/v1/(\w+)/([-0-9.,;]+)", url.path)
        if parts is None:
            raise Refused(400, {"code": "InvalidUrl", "message": "URL string malformed close to position 1"})
        points = [self._point(text) for text in parts[2].split(";")]
        query = parse_qs(url.query)
        sources, destinations = (
            [int(text) for text in query[name][0].split(";")] for name in ("sources", "destinations")
        )
        if len(sources) * len(destinations) > 100 * 100:
            raise Refused(400, {"code": "TooBig", "message": "Too many table coordinates"})
        for number, point in enumerate(points):
            if self.radius_m is not None and off_road(point):
                wrong = f"Could not find a matching segment for coordinate {number}"
                raise Refused(400, {"code": "NoSegment", "message": wrong})
        self.asked += len(sources) * len(destinations)
        table = cells([points[row] for row in sources], [points[column] for column in destinations])
        return answer(
            200,
            {
                "code": "Ok",
                "distances": [[cell and cell[0] + 0.2 for cell in row] for row in table],
                "durations": [[cell and max(cell[1] - 0.2, 0) for cell in row] for row in table],
                "sources": [self._snapped(points[row]) for row in sources],
                "destinations": [self._snapped(points[column]) for column in destinations],
            },
        )

    def _point(self, text: str) -> Point:
        longitude, latitude = map(float, text.split(","))
        if not (abs(longitude) <= 180 and abs(latitude) <= 90):
            raise Refused(400, {"code": "InvalidOptions", "message": "Coordinates are invalid"})
        return Point(latitude, longitude)

    def _snapped(self, point: Point) -> dict[str, object]:
        away_m = 250_000.5 if off_road(point) else 3.4
        return {"hint": "x", "distance": away_m, "name": "", "location": [point.longitude, point.latitude]}


class ValhallaServer(Service):
    """`valhalla_service` with the limits it comes with."""

    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        wanted = json.loads(body)
        if wanted.get("costing") not in ("auto", "truck", "bicycle"):
            raise self._refusal(125, f"No costing method found: '{wanted.get('costing')}'")
        if path == "/locate":
            return answer(200, [self._located(point) for point in self._points(wanted["locations"])])
        if path != "/sources_to_targets":
            raise self._refusal(106, "Try any of: '/locate' '/sources_to_targets'", 404)
        sources, targets = self._points(wanted["sources"]), self._points(wanted["targets"])
        if len(sources) * len(targets) > 2_500:
            raise self._refusal(150, "Exceeded max locations: 2500")
        if any(map(off_road, (*sources, *targets))):
            raise self._refusal(171, "No suitable edges near location")
        self.asked += len(sources) * len(targets)
        return answer(
            200,
            {
                "algorithm": "costmatrix",
                "units": "kilometers",
                "sources": wanted["sources"],
                "targets": wanted["targets"],
                "sources_to_targets": [
                    [
                        {
                            "from_index": row,
                            "to_index": column,
                            "distance": cell and cell[0] / 1000,
                            "time": cell and cell[1],
                        }
                        for column, cell in enumerate(found)
                    ]
                    for row, found in enumerate(cells(sources, targets))
                ],
            },
        )

    def _points(self, locations: Sequence[dict[str, float]]) -> list[Point]:
        for each in locations:
            if not (-90 <= each["lat"] <= 90 and -180 <= each["lon"] <= 180):
                raise self._refusal(131, "Failed to parse location")
        return [Point(each["lat"], each["lon"]) for each in locations]

    def _located(self, point: Point) -> dict[str, object]:
        asked: dict[str, object] = {"input_lat": point.latitude, "input_lon": point.longitude}
        if off_road(point):
            return asked | {"edges": None, "nodes": None, "warnings": ["No suitable edges near location"]}
        edge = {"correlated_lat": point.latitude, "correlated_lon": point.longitude, "way_id": 1, "percent_along": 0.5}
        return asked | {"edges": [edge], "nodes": []}

    def _refusal(self, code: int, said: str, status: int = 400) -> Refused:
        return Refused(status, {"error_code": code, "error": said, "status_code": status, "status": "Bad Request"})


class GoogleServer(Service):
    """`computeRouteMatrix` of the Routes API for one key with a quota of elements."""

    def __init__(self, *, quota: int = 1_000_000) -> None:
        super().__init__()
        self.quota = quota

    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path != "/distanceMatrix/v2:computeRouteMatrix":
            raise self._refusal(404, "NOT_FOUND", "Requested entity was not found.")
        if headers.get("x-goog-api-key") != KEY:
            # no service should, but should one quote the key, it must not get further than here
            quoted = f"API key not valid. Please pass a valid API key. ({headers.get('x-goog-api-key')})"
            raise self._refusal(400, "INVALID_ARGUMENT", quoted)
        if "status" not in headers.get("x-goog-fieldmask", ""):
            raise self._refusal(400, "INVALID_ARGUMENT", "FieldMask is a required parameter.")
        wanted = json.loads(body)
        origins, destinations = self._points(wanted["origins"]), self._points(wanted["destinations"])
        pairs = len(origins) * len(destinations)
        if pairs > 625:
            raise self._refusal(400, "INVALID_ARGUMENT", f"Too many elements: {pairs}, the maximum is 625.")
        if self.asked + pairs > self.quota:
            raise self._refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Elements'.")
        self.asked += pairs
        elements = [
            self._element(row, column, cell)
            for row, found in enumerate(cells(origins, destinations))
            for column, cell in enumerate(found)
        ]
        return answer(200, elements[::-1])

    def _element(self, row: int, column: int, found: tuple[int, int] | None) -> dict[str, object]:
        element: dict[str, object] = {"originIndex": row, "destinationIndex": column, "status": {}}
        if found is None:
            return element | {"condition": "ROUTE_NOT_FOUND"}
        element |= {"condition": "ROUTE_EXISTS", "duration": f"{found[1]}s"}
        return element | ({"distanceMeters": found[0]} if found[0] else {})

    def _points(self, waypoints: Sequence[dict[str, Any]]) -> list[Point]:
        points = []
        for each in waypoints:
            where = each["waypoint"]["location"]["latLng"]
            if not (-90 <= where["latitude"] <= 90 and -180 <= where["longitude"] <= 180):
                raise self._refusal(400, "INVALID_ARGUMENT", "Invalid LatLng.")
            points.append(Point(where["latitude"], where["longitude"]))
        return points

    def _refusal(self, status: int, name: str, said: str) -> Refused:
        return Refused(status, [{"error": {"code": status, "message": said, "status": name}}])


def busy(status: int = 503, said: str = "busy", **headers: str) -> Answer:
    return answer(status, {"message": said}, **headers)


class Pauses:
    """Lets no time pass, and remembers how much should have."""

    def __init__(self) -> None:
        self.s: list[float] = []

    def __call__(self, pause_s: float) -> None:
        self.s.append(pause_s)
