"""The cards of the overview, of what the API says."""

from collections.abc import Sequence
from decimal import Decimal

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Card
from cloud_api.console.writing import number


def dashboard(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """The cards of a warehouse's dashboard."""
    say, doors, stock = visitor.say, said["deliveries"], said["inventory"]
    value = visitor.writing.money(round(Decimal(stock["value"]) * 100))
    fleet, on_the_road = said["fleet"], say("{count} on the road", count=said["fleet"]["on_the_road"])
    orders, days = said["orders"], say("in the last 30 days")
    handed_over = say("{count} handed over", count=orders["delivered"])
    in_time = say("{on_time} of {delivered} doors, 30 days", on_time=doors["on_time"], delivered=doors["delivered"])
    in_all = say("{count} in all", count=number(stock["quantity"]))
    return [
        Card(say("Total inventory"), value, in_all, icon_name="packages", address=_to(visitor, "stock")),
        Card(
            say("Active fleet"),
            f"{fleet['active']} / {fleet['total']}",
            on_the_road,
            icon_name="truck",
            address=_to(visitor, "fleet"),
        ),
        Card(
            say("Orders packed today"),
            str(orders["packed"]),
            handed_over,
            icon_name="box",
            address=_to(visitor, "orders"),
        ),
        Card(say("Delivered in time"), _percent(doors["on_time_share"]), in_time, icon_name="clock-check"),
        Card(say("Readings within the limits"), _percent(said["compliance_share"]), days, icon_name="temperature"),
        Card(say("Waste"), _percent(said["waste_share"]), days, icon_name="trash"),
        Card(say("To be bought again"), str(said["low_stock"]), "", icon_name="shopping-cart"),
        Card(say("Expires soon"), str(said["expiring_lots"]), say("lots within 5 days"), icon_name="calendar"),
    ]


def at_this_moment(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """What stands open."""
    say, devices, open_orders = visitor.say, said["devices"], said["open_orders"]
    ahead = sum(said["doors"].get(status, 0) for status in ("assigned", "out_for_delivery", "arrived"))
    going_on = say("{count} excursions go on", count=said["excursions_going_on"])
    quiet = going_on if said["alerts_open"] or said["excursions_going_on"] else say("All quiet")
    silent = say("{silent} of {count} sensors silent", silent=devices["sensors_silent"], count=devices["sensors"])
    alarms, to_pick = "/console/excursions/alerts?status=open", "/console/orders?status=confirmed"
    return [
        Card(
            say("Open alarms"),
            str(said["alerts_open"]),
            quiet,
            icon_name="alert-triangle",
            address=alarms if visitor.may("alerts:read") else "",
        ),
        Card(
            say("Gateways online"),
            f"{devices['gateways_online']} / {devices['gateways']}",
            silent,
            icon_name="router",
            address=_to(visitor, "gateways", "devices:read"),
        ),
        Card(
            say("Orders to pick"),
            str(open_orders["confirmed"]),
            "",
            icon_name="basket",
            address=to_pick if visitor.may("orders:read") else "",
        ),
        Card(
            say("Doors ahead"),
            str(ahead),
            say("on today's routes"),
            icon_name="truck-delivery",
            address=_to(visitor, "deliveries"),
        ),
    ]


def _to(visitor: Visitor, room: str, permission: str = "") -> str:
    """Where a card leads, for those who may go there."""
    return f"/console/{room}" if visitor.may(permission or f"{room}:read") else ""


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{number(share * 100, 1)} %"
