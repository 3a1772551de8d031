"""Real roads as servers know them: OSRM, Valhalla and Google, each a `Source`; put `kept.Kept` before what costs.

A URL stands in logs and in what is kept. Where a server wants a key, give it among the headers, which do not.

Google is asked by `computeRouteMatrix` of its Routes API: the older Distance Matrix API takes the key in the URL, where
logs and proxies keep it, and is closed to new projects.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec

from route_optimizer.matrices import valhalla_json
from route_optimizer.matrices.calls import Caller, Patience
from route_optimizer.matrices.points import Point, check_points
from route_optimizer.matrices.sources import Limits, Metres, Seconds, SourceConfused, SourceRefused, Table, fill

#: pairs: the square of the server's `--max-table-size`; places: they travel in the URL, which must not grow too long
OSRM_LIMITS = Limits(pairs=10_000, places=100)
#: `max_matrix_location_pairs` of a server that was left as it came
VALHALLA_LIMITS = Limits(pairs=2_500)
#: as its documentation has it for requests without traffic
GOOGLE_LIMITS = Limits(pairs=625)

Shape = TypeVar("Shape")


class _Snapped(msgspec.Struct):
    #: metres from the place to the road it was put on
    distance: Metres = 0.0


class _OsrmTable(msgspec.Struct):
    distances: list[list[Metres | None]]
    durations: list[list[Seconds | None]]
    sources: list[_Snapped]
    destinations: list[_Snapped]


@dataclass(frozen=True)
class Osrm:
    """An OSRM server, by its `table` service."""

    #: such as `http://localhost:5000`
    url: str
    profile: str = "driving"
    #: a place farther from any road than this, metres, is off the road
    reach_m: float = 1_000.0
    limits: Limits = OSRM_LIMITS
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        """Under which answers are kept."""
        return f"osrm:{self.url}:{self.profile}:{self.reach_m:.0f}"

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination.

        Raises:
            ProblemError: when a coordinate is not on Earth.
            SourceError: when it cannot answer.
        """
        check_points([*origins, *destinations])
        whole = Table.blank(len(origins), len(destinations))
        fill(whole, origins, destinations, self.limits, self._part)
        return whole

    def _part(self, origins: list[Point], destinations: list[Point]) -> Table:
        """One request; where a place has no road at all, another one without it."""
        part = Table.blank(len(origins), len(destinations))
        while True:
            rows = [row for row, point in enumerate(origins) if point not in part.off_road]
            columns = [column for column, point in enumerate(destinations) if point not in part.off_road]
            if not rows or not columns:
                return part
            places = [origins[row] for row in rows] + [destinations[column] for column in columns]
            try:
                answer = self._ask(places, len(rows))
            except SourceRefused as refusal:
                lost = re.search(r"matching segment for coordinate (\d+)", str(refusal))
                if lost is None or int(lost[1]) >= len(places):
                    raise
                part.off_road[places[int(lost[1])]] = "has no road near it on the server's map"
                continue
            part.put(rows, columns, self._read(answer, places, len(rows)))
            return part

    def _ask(self, places: Sequence[Point], origins: int) -> bytes:
        where = ";".join(f"{point.longitude:.6f},{point.latitude:.6f}" for point in places)
        sources = ";".join(map(str, range(origins)))
        destinations = ";".join(map(str, range(origins, len(places))))
        path = f"/table/v1/{self.profile}/{where}"
        caller = Caller("osrm", self.url.rstrip("/"), self.headers, self.patience)
        return caller.get(f"{path}?sources={sources}&destinations={destinations}&annotations=distance,duration")

    def _read(self, answer: bytes, places: Sequence[Point], origins: int) -> Table:
        said = _decode("osrm", answer, _OsrmTable)
        snapped = [*said.sources, *said.destinations]
        shape = (origins, len(places) - origins)
        _check_shape("osrm", shape, said.distances, said.durations)
        if len(snapped) != len(places):
            raise _confused("osrm", f"put {len(snapped)} places of {len(places)} on roads")
        part = Table.blank(*shape)
        for place, road in zip(places, snapped, strict=True):
            if road.distance > self.reach_m:
                part.off_road[place] = (
                    f"is {road.distance:,.0f} m from the nearest road, more than {self.reach_m:,.0f} m"
                )
        for row in range(shape[0]):
            for column in range(shape[1]):
                metres, seconds = said.distances[row][column], said.durations[row][column]
                astray = places[row] in part.off_road or places[origins + column] in part.off_road
                if metres is not None and seconds is not None and not astray:
                    part.distance_m[row, column] = round(metres)
                    part.duration_s[row, column] = round(seconds)
        return part


@dataclass(frozen=True)
class Valhalla:
    """A Valhalla server, by `sources_to_targets` and `locate`."""

    #: such as `http://localhost:8002`
    url: str
    costing: str = "auto"
    #: a place farther from any road than this, metres, is off the road
    reach_m: float = 1_000.0
    limits: Limits = VALHALLA_LIMITS
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        """Under which answers are kept."""
        return f"valhalla:{self.url}:{self.costing}:{self.reach_m:.0f}"

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination.

        Raises:
            ProblemError: when a coordinate is not on Earth.
            SourceError: when it cannot answer.
        """
        check_points([*origins, *destinations])
        caller = Caller("valhalla", self.url.rstrip("/"), self.headers, self.patience)
        dialect = valhalla_json.Dialect(self.costing, self.reach_m, self.limits, valhalla_json.matrix)
        return valhalla_json.table(
            lambda action, request: caller.post(f"/{action}", request), origins, destinations, dialect
        )


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Element(msgspec.Struct, rename="camel"):
    """One cell of Google's answer, which leaves out what is zero or does not apply."""

    origin_index: int = 0
    destination_index: int = 0
    status: _Status = msgspec.field(default_factory=_Status)
    condition: str = ""
    distance_meters: Metres = 0
    #: such as `160s`
    duration: Annotated[str, msgspec.Meta(pattern=r"^\d{1,9}(\.\d+)?s$")] = "0s"


@dataclass(frozen=True)
class Google:
    """Google's Routes API, by `computeRouteMatrix`: each element is paid for, so put `kept.Kept` before it."""

    key: str = field(repr=False)
    #: `DRIVE` or `TWO_WHEELER`
    mode: str = "DRIVE"
    url: str = "https://routes.googleapis.com"
    limits: Limits = GOOGLE_LIMITS
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        """Under which answers are kept."""
        return f"google:{self.mode}"

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination, without traffic.

        Raises:
            ProblemError: when a coordinate is not on Earth.
            SourceError: when it cannot answer.
        """
        check_points([*origins, *destinations])
        whole = Table.blank(len(origins), len(destinations))
        fill(whole, origins, destinations, self.limits, self._part)
        return whole

    def _part(self, origins: list[Point], destinations: list[Point]) -> Table:
        """One request."""
        headers = {
            "X-Goog-Api-Key": self.key,
            "X-Goog-FieldMask": "originIndex,destinationIndex,status,condition,distanceMeters,duration",
        }
        wanted = {
            "origins": [_waypoint(point) for point in origins],
            "destinations": [_waypoint(point) for point in destinations],
            "travelMode": self.mode,
            "routingPreference": "TRAFFIC_UNAWARE",
        }
        caller = Caller("google", self.url.rstrip("/"), headers, self.patience)
        answer = caller.post("/distanceMatrix/v2:computeRouteMatrix", msgspec.json.encode(wanted))
        return _elements(answer, len(origins), len(destinations))


def _waypoint(point: Point) -> dict[str, object]:
    return {"waypoint": {"location": {"latLng": {"latitude": point.latitude, "longitude": point.longitude}}}}


def _elements(answer: bytes, origins: int, destinations: int) -> Table:
    part = Table.blank(origins, destinations)
    missing = {(row, column) for row in range(origins) for column in range(destinations)}
    for each in _decode("google", answer, list[_Element]):
        cell = (each.origin_index, each.destination_index)
        if cell not in missing:
            raise _confused("google", f"answered for the pair {cell}, which was not asked for, or asked for once")
        missing.remove(cell)
        if each.status.code:
            said = f"refused one pair (code {each.status.code}): {each.status.message}"
            raise SourceRefused("google", said, "check the coordinates and the quota")
        if each.condition == "ROUTE_EXISTS":
            part.distance_m[cell] = round(each.distance_meters)
            part.duration_s[cell] = round(float(each.duration.removesuffix("s")))
    if missing:
        raise _confused("google", f"left {len(missing)} of {origins * destinations} pairs without an answer")
    return part


def _check_shape(service: str, shape: tuple[int, int], *tables: list[list[float | None]]) -> None:
    for cells in tables:
        if len(cells) != shape[0] or any(len(row) != shape[1] for row in cells):
            raise _confused(service, f"answered another table than the {shape[0]} × {shape[1]} asked for")


def _decode(service: str, answer: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer, type=shape)
    except msgspec.DecodeError as error:
        raise _confused(service, f"answered something else than was asked for: {error}") from None


def _confused(service: str, wrong: str) -> SourceConfused:
    return SourceConfused(service, wrong, "check the address; if it is right, the service has changed its protocol")
