"""What is told of the platform's use: people, requests, files, safety, answers' times and errors."""

from collections.abc import Mapping
from datetime import date, datetime

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Panel, days_of, line, step_name

_MB = 1_000_000


def new_people(said: Answer, visitor: Visitor) -> Panel:
    """Accounts made, month by month."""
    say = visitor.say
    months = [date.fromisoformat(one["month"]) for one in said["new_people"]]
    counts = [one["people"] for one in said["new_people"]]
    return Panel(
        title=say("New people by month"),
        head=[say("Month"), say("New people")],
        rows=[[month.strftime("%b %Y"), count] for month, count in zip(months, counts, strict=True)],
        chart=line("area", [month.strftime("%b %Y") for month in months], "", (say("New people"), counts, "primary")),
    )


def surfaces(said: Answer, visitor: Visitor) -> Panel:
    """Where requests come from."""
    say = visitor.say
    words = {
        "console": say("Console"),
        "driver": say("Driver's phone"),
        "key": say("Programs with a key"),
        "gateway": say("Gateways"),
        "api": say("People's own programs"),
    }
    found = [(words[one["surface"]], one["requests"], round(one["share"] * 100, 1)) for one in said["surfaces"]]
    return Panel(
        title=say("Where requests come from"),
        head=[say("From where"), say("Requests"), say("Share, %")],
        rows=[[*one] for one in found],
        chart=line("pie", [one[0] for one in found], "", (say("Requests"), [one[1] for one in found], "primary"))
        if found
        else None,
        empty=say("Nothing has been counted in these days. Requests are kept for ninety days."),
        note=say("A page of the console asks several times. Counted up to a minute ago, and kept for ninety days."),
    )


def storage(said: Answer, visitor: Visitor) -> Panel:
    """What files take."""
    say, steps = visitor.say, said["storage"]
    return Panel(
        title=say("What files take"),
        head=[say("From day"), say("To day"), say("Files"), say("Megabytes")],
        rows=[[*days_of(step), step["files"], round(step["bytes"] / _MB, 2)] for step in steps],
        chart=line(
            "area",
            [step_name(step, said["by"]) for step in steps],
            "MB",
            (say("Megabytes"), [round(step["bytes"] / _MB, 2) for step in steps], "cyan"),
        ),
        note=say("Photos, proofs and documents that are kept now, by when they came."),
    )


def events(said: Answer, visitor: Visitor) -> Panel:
    """Security events by severity."""
    say, steps = visitor.say, said["steps"]
    kinds = [("critical", say("Critical"), "red"), ("high", say("High"), "orange")]
    kinds += [("medium", say("Medium"), "yellow"), ("low", say("Low"), "cyan")]
    return Panel(
        title=say("Security events"),
        head=[say("From day"), say("To day"), *(name for _, name, _ in kinds)],
        rows=[[*days_of(step), *(step[key] for key, _, _ in kinds)] for step in steps],
        chart=line(
            "bar",
            [step_name(step, said["by"]) for step in steps],
            "",
            *((name, [step[key] for step in steps], tone) for key, name, tone in kinds),
        ),
    )


def score(said: Answer, visitor: Visitor) -> Panel:
    """What the score is made of."""
    words = _parts_of_score(visitor)
    say = visitor.say
    return Panel(
        title=say("What the security score is made of"),
        head=[say("What is looked at"), say("Points"), say("At most"), say("Counted"), say("Of")],
        rows=[
            [words[part["name"]], part["points"], part["most_points"], part["count"], part["of"]]
            for part in said["parts"]
        ],
        note=say("A hundred points, less what is wrong now; failed sign-ins are those of the days above."),
    )


def _parts_of_score(visitor: Visitor) -> Mapping[str, str]:
    say = visitor.say
    return {
        "second_factors": say("People without a second factor"),
        "open_events": say("Security events that nobody has closed"),
        "keys": say("Keys and clients that nobody used for 90 days"),
        "passwords": say("People whose password is older than a year"),
        "accounts": say("People who did not sign in for 90 days"),
        "sign_ins": say("Failed sign-ins, five for each person at most"),
    }


def changes(said: Answer, visitor: Visitor) -> Panel:
    """The last changes."""
    say, word = visitor.say, visitor.writing.word
    found = said["changes"] or []
    return Panel(
        title=say("Last changes"),
        head=[say("When"), say("Who"), say("Action"), say("What it was done to"), say("Note")],
        rows=[
            [
                datetime.fromisoformat(one["occurred_at"]),
                one["actor_name"] or word(one["actor_kind"]),
                word(one["action"]),
                word(one["entity"]),
                one["note"],
            ]
            for one in found
        ],
        empty=say("Nothing has been changed yet."),
        wide=True,
    )


def times(said: Answer, visitor: Visitor) -> Panel:
    """What answers took, hour by hour."""
    say, hours = visitor.say, said["hours"]
    shown = [(key, f"p{key[1:3]}, ms") for key in ("p50_ms", "p95_ms", "p99_ms")]
    tones = {"p50_ms": "green", "p95_ms": "primary", "p99_ms": "red"}
    return Panel(
        title=say("How long answers take"),
        head=[say("Hour"), say("Requests"), *(name for _, name in shown), say("Failed"), say("Failed, %")],
        rows=[
            [datetime.fromisoformat(one["hour"]), one["requests"], *(one[key] for key, _ in shown), *_failed(one)]
            for one in hours
        ],
        chart=line(
            "line",
            [visitor.writing.when(one["hour"], "%d %b %H:%M") for one in hours],
            "ms",
            *((name, [one[key] for one in hours], tones[key]) for key, name in shown),
        )
        if hours
        else None,
        empty=_not_counted(visitor),
        wide=True,
    )


def areas(said: Answer, visitor: Visitor) -> Panel:
    """What answers took, by what was asked for."""
    say = visitor.say
    return Panel(
        title=say("What is asked for"),
        head=[
            say("Group of routes"),
            say("Requests"),
            "p50, ms",
            "p95, ms",
            "p99, ms",
            say("Failed"),
            say("Failed, %"),
        ],
        rows=[
            [one["area"], one["requests"], one["p50_ms"], one["p95_ms"], one["p99_ms"], *_failed(one)]
            for one in said["areas"]
        ],
        empty=_not_counted(visitor),
    )


def error_hours(said: Answer, visitor: Visitor) -> Panel:
    """Errors, hour by hour."""
    say, hours = visitor.say, said["hours"]
    return Panel(
        title=say("Errors by hour"),
        head=[say("Hour"), say("Refused (4xx)"), say("Failed (5xx)")],
        rows=[[datetime.fromisoformat(one["hour"]), one["refused"], one["failed"]] for one in hours],
        chart=line(
            "bar",
            [visitor.writing.when(one["hour"], "%d %b %H:%M") for one in hours],
            "",
            (say("Refused (4xx)"), [one["refused"] for one in hours], "orange"),
            (say("Failed (5xx)"), [one["failed"] for one in hours], "red"),
        )
        if hours
        else None,
        empty=say("There were no errors in these days."),
    )


def error_types(said: Answer, visitor: Visitor) -> Panel:
    """Errors by type."""
    say = visitor.say
    return Panel(
        title=say("Errors by type"),
        head=[say("Status"), say("Error"), say("Group of routes"), say("Requests")],
        rows=[[one["status"], one["code"], one["area"], one["requests"]] for one in said["types"]],
        empty=say("There were no errors in these days."),
    )


def growth(said: Answer, visitor: Visitor) -> Panel:
    """How the platform grew."""
    say, months = visitor.say, said["growth"]
    names = [date.fromisoformat(one["month"]).strftime("%b %Y") for one in months]
    return Panel(
        title=say("Growth of the platform"),
        head=[say("Month"), say("Organisations"), say("People")],
        rows=[[name, one["organizations"], one["people"]] for name, one in zip(names, months, strict=True)],
        chart=line(
            "area",
            names,
            "",
            (say("People"), [one["people"] for one in months], "primary"),
            (say("Organisations"), [one["organizations"] for one in months], "orange"),
        ),
    )


def _not_counted(visitor: Visitor) -> str:
    return visitor.say("Nothing has been counted in these days. Requests are kept for ninety days.")


def _failed(one: Answer) -> list[int | float | None]:
    rate = one["error_rate"]
    return [one["failed"], None if rate is None else round(rate * 100, 2)]
