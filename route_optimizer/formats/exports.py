"""Plans for other programs: GeoJSON for maps, GPX for navigation, CSV for spreadsheets.

Lines go straight from place to place. In a plan for a plane, GeoJSON's positions are the plane's own units, as maps of
benchmark instances have them; GPX knows the Earth only.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import gpxpy.gpx
import msgspec

from route_optimizer.formats import sol, vroom_plan
from route_optimizer.formats.instance import Coordinates, Instance, places
from route_optimizer.formats.plan_json import named
from route_optimizer.formats.stations import stations
from route_optimizer.plan import Plan, Route, Unserved

COLUMNS = ("vehicle", "position", "what", "stop", "arrival", "start", "departure", "x", "y", "why")
#: what a spreadsheet takes for the beginning of a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Feature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """A line or a point on a map."""

    geometry: Mapping[str, object] | None
    properties: Mapping[str, object]


class FeatureCollection(msgspec.Struct, frozen=True, tag_field="type", tag="FeatureCollection"):
    """A whole GeoJSON file (RFC 7946)."""

    name: str
    features: list[Feature]


def geojson(instance: Instance, plan: Plan) -> bytes:
    """A line for each route, a point for each stop, served or not, and for each depot.

    Raises:
        ValueError: when nobody knows where the places are.
    """
    check_points(instance)
    features = []
    for route in plan.routes:
        features += [_line(instance, route), *_points(instance, route)]
    features += [_left_out(instance, each) for each in plan.unserved]
    depots = dict.fromkeys(
        place
        for vehicle in instance.problem.vehicles
        for place in (vehicle.start, vehicle.end)
        if place is not None and instance.coordinates(place)
    )
    features += [Feature(_point(instance.coordinates(place)), {"what": "depot"}) for place in depots]
    return msgspec.json.format(msgspec.json.encode(FeatureCollection(instance.name, features)), indent=1) + b"\n"


def _line(instance: Instance, route: Route) -> Feature:
    units = instance.in_file_units
    way = [point for place in places(instance.problem, route) if (point := instance.coordinates(place))]
    shape = {"type": "LineString", "coordinates": way} if len(way) > 1 else None
    figures = {
        "what": "route",
        "vehicle": named(instance, route.vehicle),
        "stops": len(route.visits),
        "departure": units(route.start_s),
        "end": units(route.end_s),
        "distance": units(instance.distance(route)),
        "cost": units(instance.told(route.cost)),
    }
    return Feature(shape, figures)


def _points(instance: Instance, route: Route) -> Iterator[Feature]:
    units = instance.in_file_units
    for position, visit in enumerate(route.visits, start=1):
        place = instance.problem.stop_by_id[visit.stop].location
        figures = {
            "what": "stop",
            "stop": named(instance, visit.stop),
            "vehicle": named(instance, route.vehicle),
            "position": position,
            "arrival": units(visit.arrival_s),
            "start": units(visit.start_s),
            "departure": units(visit.departure_s),
        }
        yield Feature(_point(instance.coordinates(place)), figures)


def check_points(instance: Instance) -> None:
    """That it is known where the places are.

    Raises:
        ValueError: when it is not.
    """
    if not any(instance.points):
        raise ValueError("it says nowhere where its places are")


def _left_out(instance: Instance, unserved: Unserved) -> Feature:
    place = instance.problem.stop_by_id[unserved.stop].location
    figures = {"what": "left out", "stop": named(instance, unserved.stop), "why": _why(unserved)}
    return Feature(_point(instance.coordinates(place)), figures)


def _point(at: Coordinates) -> Mapping[str, object] | None:
    return None if at is None else {"type": "Point", "coordinates": at}


def _why(unserved: Unserved) -> str:
    return "; ".join(reason.words for reason in unserved.reasons)


def gpx(instance: Instance, plan: Plan) -> bytes:
    """A route for each vehicle, for the driver's navigation; what is left out as waypoints.

    Raises:
        ValueError: when the places are not on Earth.
    """
    check_points(instance)
    if not instance.geographic:
        raise ValueError("its coordinates are not on Earth, which GPX asks for")
    document = gpxpy.gpx.GPX()
    document.name, document.creator = instance.name, "coldfleet"
    for route in plan.routes:
        drawn = gpxpy.gpx.GPXRoute(name=f"vehicle {route.vehicle}")
        for station in stations(instance.problem, route):
            if station.place is not None and (at := instance.coordinates(station.place)):
                name = station.stop or station.what
                told = f"{station.what}, arrival {instance.time(station.arrival_s)}"
                drawn.points.append(gpxpy.gpx.GPXRoutePoint(at[1], at[0], name=name, description=told))
        document.routes.append(drawn)
    for unserved in plan.unserved:
        if at := instance.coordinates(instance.problem.stop_by_id[unserved.stop].location):
            document.waypoints.append(
                gpxpy.gpx.GPXWaypoint(at[1], at[0], name=unserved.stop, description=f"left out: {_why(unserved)}")
            )
    return document.to_xml().encode()


def table(instance: Instance, plan: Plan) -> bytes:
    """A row for each thing a vehicle does, and for each stop left out: `COLUMNS`, in the instance's units."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for route in plan.routes:
        for position, station in enumerate(stations(instance.problem, route)):
            at = None if station.place is None else instance.coordinates(station.place)
            times = (station.arrival_s, station.start_s, station.departure_s)
            told = (f"{instance.in_file_units(instant):.10g}" for instant in times)
            rows.writerow(
                (_cell(route.vehicle), position, station.what, _cell(station.stop), *told, *(at or ("", "")), "")
            )
    for unserved in plan.unserved:
        at = instance.coordinates(instance.problem.stop_by_id[unserved.stop].location)
        why = _cell(_why(unserved))
        rows.writerow(("", "", "left out", _cell(unserved.stop), "", "", "", *(at or ("", "")), why))
    return text.getvalue().encode()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _vroom(instance: Instance, plan: Plan) -> bytes:
    return vroom_plan.encode(instance, plan)


def _sol(instance: Instance, plan: Plan) -> bytes:
    if instance.convention is None:
        raise ValueError("it is no benchmark instance, which a .sol file is for")
    return sol.write(instance, plan).encode()


#: by the end of the file's name
WRITERS: dict[str, Callable[[Instance, Plan], bytes]] = {
    ".geojson": geojson,
    ".gpx": gpx,
    ".csv": table,
    ".sol": _sol,
    ".vroom.json": _vroom,
}


def writer(path: Path) -> Callable[[Instance, Plan], bytes] | None:
    """What writes a file of this name; None when nothing does."""
    return next((write for ending, write in WRITERS.items() if path.name.lower().endswith(ending)), None)
