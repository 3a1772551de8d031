"""The native format: a whole `Problem` as JSON, field by field as `problem` names them.

Where the places are is said by `places` (distances then follow the great circle), by `matrix`, or by both: then the
matrix counts, and the coordinates are for drawings. What is no field is refused, by its path.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from route_optimizer.formats.instance import Coordinates, Instance, great_circles
from route_optimizer.formats.json_text import decoded
from route_optimizer.formats.source import FormatError
from route_optimizer.formats.strict import strict
from route_optimizer.matrices import Point
from route_optimizer.problem import (
    LONGEST_S,
    UNREACHABLE,
    Matrix,
    Objective,
    Problem,
    Shipment,
    Stop,
    Vehicle,
    Ways,
)

REMEDY = "see `coldfleet plan --schema` for what belongs there"

_Cell = Annotated[int, msgspec.Meta(ge=UNREACHABLE, le=LONGEST_S)]


class Place(msgspec.Struct, frozen=True):
    """A place on Earth, WGS 84 degrees."""

    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]


class MatrixJson(msgspec.Struct, frozen=True):
    """Distances and travel times from each place (row) to each; -1 in both where no road leads."""

    distance_m: list[list[_Cell]]
    duration_s: list[list[_Cell]]


class ProblemJson(msgspec.Struct, frozen=True, kw_only=True):
    """Stops, vehicles, the ways between them, and what to save. All numbers are whole but coordinates and factors."""

    name: str = ""
    #: rows of the matrix, in order
    places: list[Place] | None = None
    #: metres of road per metre of great circle, where there is no matrix
    detour_factor: Annotated[float, msgspec.Meta(ge=1, le=10)] = 1.3
    #: average speed on the road, where there is no matrix
    speed_kmh: Annotated[float, msgspec.Meta(ge=1, le=1_000)] = 50.0
    matrix: MatrixJson | None = None
    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    objective: Objective = Objective.DISTANCE
    shipments: tuple[Shipment, ...] = ()
    #: ids of stops that one vehicle serves, all of them, or nobody serves any
    together: tuple[frozenset[str], ...] = ()
    #: ids of stops of which no vehicle serves two
    apart: tuple[frozenset[str], ...] = ()
    #: minor currency units per 1,000 millilitres
    fuel_price_minor_per_l: int = 0
    #: minor currency units per 1,000 grams of carbon dioxide; counts in the objective `hybrid`
    co2_price_minor_per_kg: int = 0
    #: in units of the objective, for each stop served by another vehicle than its `planned_on`
    reassign_cost: int = 0
    #: in units of the objective, for 3,600 seconds that the longest route takes from start to end
    balance_cost_per_hour: int = 0


def schema() -> bytes:
    """The format as JSON Schema."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(strict(ProblemJson))), indent=2) + b"\n"


def read(path: Path) -> Instance:
    """Read one.

    Raises:
        FormatError: naming the line or the field.
    """
    said = msgspec.convert(decoded(path, strict(ProblemJson), REMEDY), ProblemJson, from_attributes=True)
    problem = Problem(
        stops=said.stops,
        vehicles=said.vehicles,
        matrix=_ways(path, said),
        objective=said.objective,
        shipments=said.shipments,
        together=said.together,
        apart=said.apart,
        fuel_price_minor_per_l=said.fuel_price_minor_per_l,
        co2_price_minor_per_kg=said.co2_price_minor_per_kg,
        reassign_cost=said.reassign_cost,
        balance_cost_per_hour=said.balance_cost_per_hour,
    )
    return Instance(
        name=said.name or path.stem,
        format="json",
        convention=None,
        problem=problem,
        points=[(place.longitude, place.latitude) for place in said.places or ()],
        geographic=True,
    )


def _ways(path: Path, said: ProblemJson) -> Ways:
    if said.matrix is None:
        if not said.places:
            raise FormatError(path, "places", "are missing, and there is no matrix", "give one of the two")
        points = [Point(place.latitude, place.longitude) for place in said.places]
        return great_circles(points, detour_factor=said.detour_factor, speed_kmh=said.speed_kmh)
    for name in ("distance_m", "duration_s"):
        rows: list[list[int]] = getattr(said.matrix, name)
        for number, row in enumerate(rows):
            if len(row) != len(rows):
                wrong = f"has {len(row)} numbers where there are {len(rows)} rows"
                raise FormatError(path, f"matrix.{name}[{number}]", wrong, "give one for each place")
    matrix = Matrix.of(said.matrix.distance_m, said.matrix.duration_s)
    if said.places is not None and len(said.places) != matrix.places:
        wrong = f"are {len(said.places)} and the matrix has {matrix.places} rows"
        raise FormatError(path, "places", wrong, "make the two agree, or leave the places out")
    return matrix


def encode(problem: Problem, *, name: str = "", points: Sequence[Coordinates] = ()) -> bytes:
    """A problem as such a file, its matrix written out; `points` are longitude and latitude of each row."""
    matrix = problem.matrix.among(range(problem.matrix.places))
    known = [Place(*point) for point in points if point is not None]
    document = ProblemJson(
        name=name,
        places=known if known and len(known) == matrix.places else None,
        matrix=MatrixJson(matrix.distance_m.tolist(), matrix.duration_s.tolist()),
        stops=problem.stops,
        vehicles=problem.vehicles,
        objective=problem.objective,
        shipments=problem.shipments,
        together=problem.together,
        apart=problem.apart,
        fuel_price_minor_per_l=problem.fuel_price_minor_per_l,
        co2_price_minor_per_kg=problem.co2_price_minor_per_kg,
        reassign_cost=problem.reassign_cost,
        balance_cost_per_hour=problem.balance_cost_per_hour,
    )
    brief = msgspec.convert(document, strict(ProblemJson), from_attributes=True)
    return msgspec.json.encode(brief, order="deterministic") + b"\n"
