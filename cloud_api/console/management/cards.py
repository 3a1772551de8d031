"""The figures at the top of each part, and how they grew."""

from collections.abc import Sequence
from datetime import date

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Card
from cloud_api.console.writing import number

_GB = 1_000_000_000


def business(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """The main figures."""
    say, money = visitor.say, visitor.writing.money
    revenue, average = money(said["revenue_minor"]["value"]), money(said["average_order_minor"]["value"])
    return [
        _compared(visitor, said, "revenue_minor", say("Revenue"), revenue, icon_name="coin"),
        _compared(visitor, said, "placed", say("Orders placed"), icon_name="shopping-cart"),
        _compared(visitor, said, "customers", say("Customers who ordered"), icon_name="address-book"),
        _compared(visitor, said, "average_order_minor", say("Average order"), average, icon_name="basket"),
    ]


def usage(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """People, sign-ins, files."""
    say = visitor.say
    active = say("signed in within {days} days, of {people}", days=said["active_days"], people=said["people"])
    files = say("{count} files", count=number(said["stored_files"]))
    return [
        Card(say("Active people"), number(said["active_people"]), active, icon_name="users", address="/console/people"),
        Card(say("Sign-ins in force"), number(said["live_sessions"]), "", icon_name="login"),
        Card(say("Requests to the API"), number(said["requests"]), "", icon_name="activity"),
        Card(say("Files"), f"{said['stored_bytes'] / _GB:,.2f} GB", files, icon_name="database"),
    ]


def security(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """The score, and what threatens."""
    say = visitor.say
    grave = say("{count} of them grave", count=said["grave_threats"])
    return [
        Card(
            say("Security score"),
            f"{said['score']} / 100",
            say("what it is made of stands below"),
            icon_name="shield-lock",
        ),
        Card(
            say("Open security events"),
            number(said["threats"]),
            grave,
            icon_name="alert-triangle",
            address="/console/security",
        ),
        _compared(visitor, said, "events", say("Security events in these days"), icon_name="bell"),
    ]


def performance(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """What answers took in all."""
    say, total = visitor.say, said["total"]
    p95 = "–" if total["p95_ms"] is None else f"{number(total['p95_ms'])} ms"
    rate = "–" if total["error_rate"] is None else f"{total['error_rate'] * 100:.2f} %"
    half = "–" if total["p50_ms"] is None else f"{number(total['p50_ms'])} ms"
    uptime = said["uptime"]
    up = "–" if uptime["share"] is None else f"{uptime['share'] * 100:.2f} %"
    budget = say(
        "{down} minutes down; the goal of {goal} % leaves {budget}",
        down=number(uptime["minutes_down"]),
        goal=f"{uptime['goal'] * 100:.1f}",
        budget=number(uptime["budget_minutes"]),
    )
    return [
        Card(say("Uptime"), up, budget, icon_name="heartbeat"),
        Card(say("95 of 100 answers within"), p95, say("half of them within {time}", time=half), icon_name="gauge"),
        Card(
            say("Failed answers"),
            rate,
            say("of {count} requests", count=number(total["requests"])),
            icon_name="alert-circle",
        ),
    ]


def system(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """The whole platform."""
    say, process, pool = visitor.say, said["process"], said["pool"]
    connections = "–" if pool is None else f"{pool['in_use']} / {pool['size']}"
    memory = say("{share} % of the machine's memory in use", share=_percent(process["memory_used_share"]))
    free = say("{share} % of the disk in use", share=_percent(process["disk_used_share"]))
    active = say("signed in within {days} days, of {people}", days=30, people=said["people"])
    uptime = say("this process, since {moment}", moment=visitor.writing.when(process["started_at"]))
    asked = say("{time} ms for the questions of this part", time=number(said["database_ms"]))
    return [
        Card(say("Organisations"), number(said["organizations"]), "", icon_name="building"),
        Card(say("Active people"), number(said["active_people"]), active, icon_name="users"),
        Card(say("Sign-ins in force"), number(said["live_sessions"]), "", icon_name="login"),
        Card(say("Files"), f"{said['stored_bytes'] / _GB:,.2f} GB", free, icon_name="database"),
        Card(say("Up for"), _duration(process["uptime_s"], visitor), uptime, icon_name="clock-check"),
        Card(say("Database connections in use"), connections, asked, icon_name="server"),
        Card(say("Load for each core"), number(process["load_per_core"]), memory, icon_name="cpu"),
    ]


def _compared(visitor: Visitor, said: Answer, key: str, label: str, value: str = "", *, icon_name: str) -> Card:
    told = said[key]
    days = f"{_day(said['before_first'])} – {_day(said['before_last'])}"
    if told["growth"] is None:
        note = visitor.say("nothing in {days}", days=days)
    else:
        note = visitor.say("{growth} % against {days}", growth=f"{told['growth'] * 100:+,.1f}", days=days)
    return Card(label, value or number(told["value"]), note, icon_name=icon_name)


def _day(said: str) -> str:
    return date.fromisoformat(said).strftime("%d %b %Y")


def _percent(share: float) -> str:
    return number(round(share * 100, 1))


def _duration(seconds: float, visitor: Visitor) -> str:
    hours = int(seconds // 3600)
    if hours >= 48:
        return visitor.say("{count} days", count=hours // 24)
    if hours:
        return visitor.say("{count} hours", count=hours)
    return visitor.say("{count} minutes", count=int(seconds // 60))
