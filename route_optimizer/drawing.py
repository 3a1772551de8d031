"""Plans as pictures: PNG, or one HTML page that asks for nothing else.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; where there are more routes than colours,
lines and marks differ too.
"""

import html as escaping
import io
import math
import warnings
from itertools import pairwise
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from route_optimizer.formats import plan_json
from route_optimizer.formats.instance import Instance
from route_optimizer.formats.stations import stations
from route_optimizer.plan import Plan, Route

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#5A5A5A")
LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
MARKS = ("o", "s", "^", "D", "v", "P")
#: routes that the legend names, and stops up to which each is named
NAMED_ROUTES = 24
NAMED_STOPS = 80
#: rows of a page's table
MOST_ROWS = 1_000


def png(instance: Instance, plan: Plan) -> bytes:
    """A picture.

    Raises:
        ValueError: when nobody knows where the places are.
    """
    return _saved(_drawn(instance, plan), "png")


def page(instance: Instance, plan: Plan) -> bytes:
    """A page with the picture and the routes in words.

    Raises:
        ValueError: when nobody knows where the places are.
    """
    picture = _saved(_drawn(instance, plan), "svg").decode()
    picture = picture[picture.index("<svg") :]
    return _PAGE.format(
        title=escaping.escape(instance.name),
        headline=escaping.escape(headline(instance, plan)),
        picture=picture,
        routes="\n".join(_row(instance, route) for route in plan.routes[:MOST_ROWS]),
        left_out=_left_out(plan),
    ).encode()


def headline(instance: Instance, plan: Plan) -> str:
    """What a plan comes to, in a line."""
    gap = plan_json.gap_pct(instance, plan)
    parts = [
        f"cost {plan_json.cost(instance, plan):,.10g}"
        + ("" if gap is None else f" ({gap:.2f} % above the best known)"),
        f"{len(plan.routes)} of {len(instance.problem.vehicles)} vehicles",
        f"{sum(len(route.visits) for route in plan.routes)} of {len(instance.problem.stops)} stops",
    ]
    return ", ".join(parts)


def _saved(figure: Figure, form: str) -> bytes:
    out = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": "coldfleet"}
    # the same plan gives the same bytes; a letter that the font lacks is drawn as a box
    with mpl.rc_context({"svg.hashsalt": "coldfleet", "svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(out, format=form, metadata=metadata, bbox_inches="tight")
    return out.getvalue()


def _drawn(instance: Instance, plan: Plan) -> Figure:
    if not any(instance.points):
        raise ValueError("it says nowhere where its places are")
    figure = Figure(figsize=(11, 8), dpi=120)
    axes = figure.add_subplot()
    legend = [_route(axes, instance, route, number) for number, route in enumerate(plan.routes)]
    shown = legend[:NAMED_ROUTES]
    if len(legend) > NAMED_ROUTES:
        shown.append(Line2D([], [], linestyle="", label=f"and {len(legend) - NAMED_ROUTES} more"))
    shown += _depots(axes, instance)
    shown += _unserved(axes, instance, plan)
    _names(axes, instance)
    _ground(axes, instance)
    axes.set_title(f"{instance.name}\n{headline(instance, plan)}", loc="left", fontsize=10, parse_math=False)
    box = axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(1.03, 1), frameon=False, fontsize=8)
    for text in box.get_texts():
        text.set_parse_math(False)
    return figure


def _route(axes: Axes, instance: Instance, route: Route, number: int) -> Line2D:
    colour = COLOURS[number % len(COLOURS)]
    line = LINES[number // len(COLOURS) % len(LINES)]
    mark = MARKS[number % len(MARKS)]
    told = [each for each in stations(instance.problem, route) if each.place is not None]
    known = [(each, at) for each in told if each.place is not None and (at := instance.coordinates(each.place))]
    # the way from and to the depot says little and crosses much: faint
    faint: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    for (before, origin), (after, destination) in pairwise(known):
        among = plain if before.what == after.what == "stop" else faint
        # what is no number ends a line
        among += [origin, destination, (math.nan, math.nan)]
    count = len(instance.problem.stops)
    size, thick = (5, 1.6) if count <= 200 else (3, 1.4) if count <= 1_000 else (1.2, 0.8)
    for way, width, alpha in ((faint, thick / 2, 0.45), (plain, thick, 1.0)):
        if way:
            across, up = zip(*way, strict=True)
            axes.plot(across, up, color=colour, linestyle=line, linewidth=width, alpha=alpha, zorder=1 + alpha)
    points = [at for each, at in known if each.what == "stop"]
    if points:
        across, up = zip(*points, strict=True)
        axes.plot(across, up, linestyle="", marker=mark, color=colour, markersize=size, zorder=3)
    words = f"vehicle {route.vehicle}: {len(route.visits)} {'stop' if len(route.visits) == 1 else 'stops'}"
    return Line2D([], [], color=colour, linestyle=line, marker=mark, markersize=5, label=words)


def _depots(axes: Axes, instance: Instance) -> list[Line2D]:
    places = {
        place for vehicle in instance.problem.vehicles for place in (vehicle.start, vehicle.end) if place is not None
    }
    points = [at for place in sorted(places) if (at := instance.coordinates(place))]
    if not points:
        return []
    across, up = zip(*points, strict=True)
    axes.scatter(across, up, marker="*", s=260, color="black", edgecolors="white", zorder=5)
    return [Line2D([], [], linestyle="", marker="*", markersize=13, color="black", label="depot")]


def _unserved(axes: Axes, instance: Instance, plan: Plan) -> list[Line2D]:
    stops = [instance.problem.stop_by_id[each.stop] for each in plan.unserved]
    points = [at for stop in stops if (at := instance.coordinates(stop.location))]
    if not points:
        return []
    across, up = zip(*points, strict=True)
    # a black cross on white: no route has one, in whatever colours it is seen
    axes.scatter(across, up, marker="X", s=110, color="black", edgecolors="white", linewidths=1.2, zorder=6)
    return [Line2D([], [], linestyle="", marker="X", color="black", label=f"left out: {len(stops)}")]


def _names(axes: Axes, instance: Instance) -> None:
    if len(instance.problem.stops) > NAMED_STOPS:
        return
    for stop in instance.problem.stops:
        if at := instance.coordinates(stop.location):
            axes.annotate(
                stop.id, at, xytext=(4, 4), textcoords="offset points", fontsize=7, zorder=7, parse_math=False
            )


def _ground(axes: Axes, instance: Instance) -> None:
    known = [at for at in instance.points if at is not None]
    if instance.geographic:
        latitude = sum(at[1] for at in known) / len(known)
        axes.set_aspect(1 / max(0.05, math.cos(math.radians(latitude))))
        axes.set_xlabel("longitude, degrees", fontsize=8)
        axes.set_ylabel("latitude, degrees", fontsize=8)
    else:
        axes.set_aspect("equal")
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.tick_params(labelsize=7)
    axes.margins(0.04)
    axes.spines[["top", "right"]].set_visible(False)


def _row(instance: Instance, route: Route) -> str:
    figures = instance.time(route.start_s), instance.time(route.end_s), instance.length(instance.distance(route))
    order = " ".join("↻" if name is None else name for name in route.order)
    cells = (route.vehicle, str(len(route.visits)), *figures, order)
    return f"<tr>{''.join(f'<td>{escaping.escape(cell)}</td>' for cell in cells)}</tr>"


def _left_out(plan: Plan) -> str:
    if not plan.unserved:
        return ""
    rows = [
        f"<li><b>{escaping.escape(each.stop)}</b>: "
        + escaping.escape("; ".join(f"{reason.words}. What would help: {reason.remedy}" for reason in each.reasons))
        + "</li>"
        for each in plan.unserved[:MOST_ROWS]
    ]
    return f"<h2>Left out</h2><ul>{''.join(rows)}</ul>"


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: routes</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff }}
svg {{ max-width: 100%; height: auto }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }}
th:first-child, td:first-child, th:last-child, td:last-child {{ text-align: left }}
</style>
<h1>{title}</h1>
<p>{headline}</p>
{picture}
{left_out}
<h2>Routes</h2>
<table>
<tr><th>vehicle<th>stops<th>leaves<th>is back<th>distance<th>order (↻ is a reload)</tr>
{routes}
</table>
</html>
"""
