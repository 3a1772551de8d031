"""Panels of the cold and of the road."""

from collections.abc import Sequence
from datetime import date

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Card, Panel, line
from cloud_api.console.performance.goods import in_percent, percent
from cloud_api.console.writing import number

_DAYS = "%d %b"


def cold_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """Whether places were as cold as they are kept."""
    say, total = visitor.say, said["total"]
    exact = say("of {count} readings", count=number(total["readings"]))
    if total["crossing"]:
        exact = say("between {least} and {most}", least=percent(total["least"]), most=percent(total["most"]))
    minutes = say("{minutes} minutes beyond a limit", minutes=number(round(sum(w["minutes"] for w in said["weeks"]))))
    count = sum(week["excursions"] for week in said["weeks"])
    return [
        Card(say("Readings within the limits"), percent(total["share"]), exact, icon_name="temperature"),
        Card(say("Excursions begun"), str(count), minutes, icon_name="alert-triangle", address="/console/excursions"),
    ]


def cold_days(said: Answer, visitor: Visitor) -> Panel:
    """Day by day, of all places."""
    say = visitor.say
    rows = [
        [date.fromisoformat(one["day"]), one["readings"], *map(in_percent, (one["share"], one["least"], one["most"]))]
        for one in said["days"]
    ]
    x = [row[0].strftime(_DAYS) for row in rows]
    chart = line("line", x, "%", (say("Within the limits, %"), [row[2] for row in rows], "primary"))
    head = [say("Day"), say("Readings"), say("Within the limits, %"), say("At least, %"), say("At most, %")]
    note = say("Of an hour that crossed a limit only its extremes are known: the true share is between least and most.")
    return Panel(say("Cold by day"), head, rows, chart, _nothing_measured(visitor), note)


def cold_places(said: Answer, visitor: Visitor) -> Panel:
    """By place, the worst first."""
    say, names = visitor.say, said["names"]
    rows = [
        [
            names.place(one["location_id"]),
            names.warehouse_of(one["location_id"]) or "–",
            one["readings"],
            *map(in_percent, (one["share"], one["least"], one["most"])),
        ]
        for one in said["places"]
    ]
    head = [
        say("Place"),
        say("Warehouse"),
        say("Readings"),
        say("Within the limits, %"),
        say("At least, %"),
        say("At most, %"),
    ]
    links = [f"/console/cold-rooms/{one['location_id']}" for one in said["places"]]
    return Panel(say("Cold by place"), head, rows, empty=_nothing_measured(visitor), links=links)


def cold_report(said: Answer, visitor: Visitor) -> Panel:
    """Each place on each day: what a file is made of."""
    say, names = visitor.say, said["names"]
    rows = [
        [
            date.fromisoformat(one["day"]),
            names.place(one["location_id"]),
            one["readings"],
            one["within"],
            one["crossing"],
            *map(in_percent, (one["share"], one["least"], one["most"])),
        ]
        for one in said["days"]
    ]
    head = [
        say("Day"),
        say("Place"),
        say("Readings"),
        say("Certainly within the limits"),
        say("In hours that crossed a limit"),
        say("Within the limits, %"),
        say("At least, %"),
        say("At most, %"),
    ]
    return Panel(say("Cold by place and day"), head, rows, empty=_nothing_measured(visitor))


def excursions(said: Answer, visitor: Visitor) -> Panel:
    """Week by week."""
    say = visitor.say
    rows = [[date.fromisoformat(one["monday"]), one["excursions"], one["minutes"]] for one in said["weeks"]]
    x = [row[0].strftime(_DAYS) for row in rows]
    chart = line("bar", x, say("Minutes"), (say("Minutes beyond a limit"), [row[2] for row in rows], "red"))
    head = [say("Week from"), say("Excursions"), say("Minutes beyond a limit")]
    return Panel(say("Excursions by week"), head, rows, chart, say("No excursion began in these days."))


def road_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """How the road went."""
    say, total = visitor.say, said["total"]
    refused = say("{count} of them refused", count=said["refused"])
    planned = say("planned {km} km", km=number(round(total["planned_km"])))
    routes = say("{on_time} of {delivered} doors", on_time=total["on_time"], delivered=total["delivered"])
    return [
        Card(say("Delivered in time"), percent(total["on_time_share"]), routes, icon_name="clock-check"),
        Card(say("Attempts that failed"), str(said["failed"]), refused, icon_name="door-off"),
        Card(say("Driven"), f"{number(round(total['driven_km']))} km", planned, icon_name="route"),
        Card(say("Load of the vans"), percent(said["load_factor"]), say("of what they carry"), icon_name="truck"),
    ]


def punctuality(said: Answer, visitor: Visitor) -> Panel:
    """Doors in time, day by day."""
    say = visitor.say
    rows = [
        [
            date.fromisoformat(one["day"]),
            one["routes"],
            one["delivered"],
            one["on_time"],
            in_percent(one["on_time_share"]),
            round(one["planned_km"], 1),
            round(one["driven_km"], 1),
            one["planned_minutes"],
            one["driven_minutes"],
        ]
        for one in said["by_day"]
    ]
    x = [row[0].strftime(_DAYS) for row in rows]
    chart = line("bar", x, "%", (say("In time, %"), [row[4] for row in rows], "green"))
    head = [
        say("Day"),
        say("Routes"),
        say("Delivered"),
        say("On time"),
        say("In time, %"),
        say("Planned, km"),
        say("Driven, km"),
        say("Planned, minutes"),
        say("Driven, minutes"),
    ]
    note = say("Completed routes. In time: the van was at the door before its window closed.")
    return Panel(say("Deliveries by day"), head, rows, chart, _nothing_driven(visitor), note, wide=True)


def reasons(said: Answer, visitor: Visitor) -> Panel:
    """Why doors stayed shut."""
    say, word = visitor.say, visitor.writing.word
    rows = [[word(one["reason"]), one["attempts"]] for one in said["by_reason"]]
    chart = line("bar", [row[0] for row in rows], "", (say("Attempts"), [row[1] for row in rows], "orange"))
    empty = say("No attempt failed in these days.")
    return Panel(say("Failed attempts by reason"), [say("Reason"), say("Attempts")], rows, chart, empty)


def vehicles(said: Answer, visitor: Visitor) -> Panel:
    """How full vans were."""
    say = visitor.say
    rows = [
        [one["number"], one["routes"], round(one["planned_km"]), round(one["load_kg"]), in_percent(one["load_factor"])]
        for one in said["vehicles"]
    ]
    head = [say("Van"), say("Routes"), say("Planned, km"), say("Load, kg"), say("Load, %")]
    return Panel(say("Load by van"), head, rows, empty=_nothing_driven(visitor))


def driver_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """What customers say."""
    say = visitor.say
    count = say("of {count} customers", count=said["ratings"])
    rated = "–" if said["rating"] is None else f"{number(said['rating'], 1)} / 5"
    return [Card(say("Customers' rating"), rated, count, icon_name="star")]


def drivers(said: Answer, visitor: Visitor) -> Panel:
    """How drivers drove."""
    say, names = visitor.say, said["names"]
    rows = [
        [
            names.person(one["driver_id"]),
            one["routes"],
            one["delivered"],
            in_percent(one["on_time_share"]),
            one["stops_per_hour"],
            one["rating"],
        ]
        for one in said["drivers"]
    ]
    head = [
        say("Driver"),
        say("Routes"),
        say("Delivered"),
        say("In time, %"),
        say("Doors an hour"),
        say("Rating"),
    ]
    return Panel(say("Drivers"), head, rows, empty=_nothing_driven(visitor), wide=True)


def _nothing_measured(visitor: Visitor) -> str:
    return visitor.say("Nothing was measured in these days where a place has limits.")


def _nothing_driven(visitor: Visitor) -> str:
    return visitor.say("No route was driven in these days.")
