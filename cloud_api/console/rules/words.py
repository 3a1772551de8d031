"""Rules and policies as sentences: the API has codes."""

from collections.abc import Mapping

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.writing import number

#: as far as it is known what a quantity is measured in
_UNITS: Mapping[str, str] = {"temperature": " °C", "humidity": " %"}


def sentence(rule: Answer, visitor: Visitor) -> str:
    """`Temperature above 8 °C for 10 min`."""
    unit = _UNITS.get(rule["quantity"], "")
    said = {
        "quantity": visitor.writing.word(rule["quantity"]),
        "limit": f"{number(rule['set_at'])}{unit}",
        "change": f"{number(rule['change'])}{unit}",
        "minutes": number(round(rule["duration_s"] / 60, 1)),
    }
    return _sentence(rule, visitor).format(**said)


def _sentence(rule: Answer, visitor: Visitor) -> str:
    say, at_once = visitor.say, not rule["duration_s"]
    return {
        "high": say("{quantity} above {limit}") if at_once else say("{quantity} above {limit} for {minutes} min"),
        "low": say("{quantity} below {limit}") if at_once else say("{quantity} below {limit} for {minutes} min"),
        "rising": say("{quantity} rises by {change} within {minutes} min"),
        "falling": say("{quantity} falls by {change} within {minutes} min"),
        "silent": say("Nothing heard for longer than usual") if at_once else say("Nothing heard for {minutes} min"),
        "cumulative_high": say("{quantity} above {limit} for {minutes} min of a day in all"),
        "cumulative_low": say("{quantity} below {limit} for {minutes} min of a day in all"),
    }.get(rule["kind"], "{quantity}")


def who(target: Answer, visitor: Visitor, people: Mapping[str, str], lists: Mapping[str, str]) -> str:
    """Whom a step tells."""
    if target["kind"] == "user":
        return people.get(target["user_id"], "–")
    if target["kind"] == "role":
        return visitor.say("Role {name}", name=visitor.writing.word(target["role"]))
    if target["kind"] == "everyone":
        return visitor.say("Everybody who may answer")
    name = lists.get(target["list_id"] or "", "") or visitor.say("the first on-call list")
    if target["position"] is None:
        return visitor.say("All on call of {name}", name=name)
    return visitor.say("Number {place} on call of {name}", place=target["position"] + 1, name=name)
