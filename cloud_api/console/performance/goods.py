"""Panels of what lies in the stores: how it stands and goes, what it is worth, what is lost, how full places are."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from cloud_api.console.asking import Answer
from cloud_api.console.files import Cell
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Card, Panel, line
from cloud_api.console.writing import number

_DAYS = "%d %b"


def money(visitor: Visitor, amount: object) -> str:
    """An amount of the API's, in the reader's currency."""
    return "–" if amount is None else visitor.writing.money(round(Decimal(str(amount)) * 100))


def percent(share: float | None) -> str:
    """A share, for a reader."""
    return "–" if share is None else f"{number(share * 100, 1)} %"


def in_percent(share: float | None) -> float | None:
    """A share, for a chart or a table."""
    return None if share is None else round(share * 100, 2)


def inventory_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """What there is, what there is too little of, what does not keep."""
    say, soon = visitor.say, said["expiring"]
    cost = say("{money} at cost", money=money(visitor, said["total"]["cost"]))
    within = say("lots within {days} days", days=soon["within_days"])
    free = next((one["quantity"] for one in said["by_status"] if one["status"] == "available"), "0")
    return [
        Card(
            say("Stock on hand"),
            number(said["total"]["quantity"]),
            cost,
            icon_name="packages",
            address="/console/stock",
        ),
        Card(say("Free to be sold"), number(free), "", icon_name="circle-check"),
        Card(
            say("To be bought again"), str(said["low_stock"]), say("products at a warehouse"), icon_name="shopping-cart"
        ),
        Card(say("Expires soon"), str(soon["lots"]), within, icon_name="calendar"),
    ]


def statuses(said: Answer, visitor: Visitor) -> Panel:
    """How the stock stands."""
    say, word = visitor.say, visitor.writing.word
    rows: list[list[Cell]] = [
        [word(one["status"]), Decimal(one["quantity"]), Decimal(one["cost"])] for one in said["by_status"]
    ]
    chart = line("pie", _first(rows), "", (say("Quantity"), [row[1] for row in rows], "primary"))
    return Panel(
        say("Stock by status"),
        [say("Status"), say("Quantity"), say("At cost")],
        rows if Decimal(said["total"]["quantity"]) else [],
        chart,
        say("Nothing lies there."),
    )


def low(said: Answer, visitor: Visitor) -> Panel:
    """What to buy, and how much."""
    say, names = visitor.say, said["names"]
    rows: list[list[Cell]] = [
        [
            one["name"],
            names.warehouse(one["warehouse_id"]),
            Decimal(one["available"]),
            Decimal(one["reorder_point"]),
            Decimal(one["suggested_quantity"]),
            one["unit"],
        ]
        for one in said["low"]
    ]
    head = [say("Product"), say("Warehouse"), say("Free to be sold"), say("Reorder point"), say("Order"), say("Unit")]
    links = [f"/console/products/{one['product_id']}" for one in said["low"]]
    title, enough = say("To be bought again"), say("There is enough of everything that has a reorder point.")
    return Panel(title, head, rows, empty=enough, links=links, wide=True)


def expiring(said: Answer, visitor: Visitor) -> Panel:
    """Lots that do not keep much longer."""
    say, soon = visitor.say, said["expiring"]
    empty = say("Nothing expires within {days} days.", days=soon["within_days"])
    return _lots(said, soon, visitor, title=say("Expires soon"), empty=empty)


def expired(said: Answer, visitor: Visitor) -> Panel:
    """Lots that have not kept, and lie there still."""
    say = visitor.say
    title, empty = say("Expired, and still there"), say("Nothing that lies there has expired.")
    return _lots(said, said["expired_on_hand"], visitor, title=title, empty=empty)


def value_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """As the valuation report has it."""
    say, total = visitor.say, said["total"]
    return [
        Card(say("Total inventory"), money(visitor, total["value"]), say("first in, first out"), icon_name="coin"),
        Card(say("Quantity in the books"), number(total["quantity"]), "", icon_name="packages"),
    ]


def value(said: Answer, visitor: Visitor) -> Panel:
    """What stock is worth, by category."""
    say, names = visitor.say, said["names"]
    of = said["category_names"]
    rows: list[list[Cell]] = [
        [
            of.get(one["category_id"], say("Without a category")),
            names.warehouse(one["warehouse_id"]) if one["warehouse_id"] else say("In vans and on the way"),
            Decimal(one["quantity"]),
            Decimal(one["value"]),
        ]
        for one in said["categories"]
    ]
    return Panel(
        say("Value of the stock by category"),
        [say("Category"), say("Warehouse"), say("Quantity"), say("Value")],
        rows,
        empty=say("Nothing lies there."),
    )


def turnover_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """How often the stock turned over."""
    say = visitor.say
    a_year = say("{times} times a year", times=number(said["turnover_per_year"], 1))
    return [
        Card(say("Turnover"), number(said["turnover"], 2), a_year, icon_name="refresh"),
        Card(say("The stock lasts"), say("{days} days", days=number(said["days_of_stock"], 1)), "", icon_name="clock"),
        Card(say("Cost of what was sold"), money(visitor, said["sold_cost"]), "", icon_name="basket"),
        Card(
            say("Mean stock"),
            money(visitor, said["mean_stock_cost"]),
            say("at cost, at the end of a day"),
            icon_name="stack-2",
        ),
    ]


def turnover(said: Answer, visitor: Visitor) -> Panel:
    """The figures of the cards, as a table to be kept."""
    say = visitor.say
    row = [
        Decimal(said["sold_cost"]),
        Decimal(said["mean_stock_cost"]),
        said["turnover"],
        said["turnover_per_year"],
        said["days_of_stock"],
    ]
    head = [say("Cost of what was sold"), say("Mean stock"), say("Turnover"), say("Turnover a year"), say("Days")]
    note = say(
        "Cost of what was sold, divided by the mean cost of the stock at the end of a day; at what each lot cost."
    )
    return Panel(say("Turnover"), head, [row], note=note)


def trends(said: Answer, visitor: Visitor) -> Panel:
    """The stock at the end of each day."""
    say, days = visitor.say, said["days"]
    rows: list[list[Cell]] = [
        [
            date.fromisoformat(one["day"]),
            *(Decimal(one[what][field]) for what in ("stock", "received", "sold", "wasted") for field in ("cost",)),
        ]
        for one in days
    ]
    x = [date.fromisoformat(one["day"]).strftime(_DAYS) for one in days]
    chart = line(
        "line", x, visitor.writing.currency, (say("Stock at the end of the day"), [r[1] for r in rows], "primary")
    )
    head = [say("Day"), say("Stock at the end of the day"), say("Received"), say("Sold"), say("Wasted")]
    note = say("At what each lot cost.")
    return Panel(say("Stock by day"), head, rows, chart, note=note, wide=True)


def waste_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """How much was lost."""
    say = visitor.say
    lost = say("of what was sold and wasted, at cost")
    return [
        Card(say("Waste"), percent(said["share"]), lost, icon_name="trash"),
        Card(
            say("Cost of waste"),
            money(visitor, said["total"]["cost"]),
            number(said["total"]["quantity"]),
            icon_name="coin",
        ),
        Card(say("Expired, and still there"), str(said["expired_on_hand"]["lots"]), say("lots"), icon_name="calendar"),
    ]


def waste_reasons(said: Answer, visitor: Visitor) -> Panel:
    """Why."""
    say, word = visitor.say, visitor.writing.word
    rows: list[list[Cell]] = [
        [word(one["reason"]), Decimal(one["quantity"]), Decimal(one["cost"])] for one in said["by_reason"]
    ]
    unit = visitor.writing.currency
    chart = line("bar", _first(rows), unit, (say("At cost"), [row[2] for row in rows], "red"))
    head = [say("Reason"), say("Quantity"), say("At cost")]
    return Panel(say("Waste by reason"), head, rows, chart, say("Nothing was booked off as waste in these days."))


def waste_products(said: Answer, visitor: Visitor) -> Panel:
    """Of what."""
    say, names = visitor.say, said["names"]
    rows: list[list[Cell]] = [
        [names.product(one["product_id"]), Decimal(one["quantity"]), Decimal(one["cost"])] for one in said["by_product"]
    ]
    links = [f"/console/products/{one['product_id']}" for one in said["by_product"]]
    empty = say("Nothing was booked off as waste in these days.")
    return Panel(
        say("Waste by product"), [say("Product"), say("Quantity"), say("At cost")], rows, empty=empty, links=links
    )


def storage_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """How full the warehouses are."""
    say = visitor.say
    of = say("{used} of {capacity} kg", used=number(round(said["used_kg"])), capacity=number(said["capacity_kg"]))
    used = "–" if said["utilisation_pct"] is None else f"{number(said['utilisation_pct'], 1)} %"
    return [Card(say("Space in use"), used, of, icon_name="building-warehouse")]


def storage(said: Answer, visitor: Visitor) -> Panel:
    """How full their places are, by storage type."""
    say, word = visitor.say, visitor.writing.word
    rows: list[list[Cell]] = [
        [word(one["storage_type"]), one["used_kg"], one["capacity_kg"], one["utilisation_pct"]]
        for one in said["by_storage_type"]
    ]
    chart = line("bar", _first(rows), "%", (say("In use, %"), [row[3] for row in rows], "primary"))
    head = [say("Storage type"), say("Used, kg"), say("Capacity, kg"), say("In use, %")]
    empty = say("There is no place yet: add places to a warehouse first.")
    return Panel(say("Space by storage type"), head, rows, chart, empty)


def costs_cards(said: Answer, visitor: Visitor) -> Sequence[Card]:
    """What operations cost."""
    say = visitor.say
    burnt = say("{litres} l for 100 km", litres=number(said["fuel_l_per_100km"], 1))
    return [
        Card(
            say("Cost of operations"), money(visitor, said["total"]), say("waste, driving, workshop"), icon_name="coin"
        ),
        Card(say("Driving for a kilometre"), money(visitor, said["cost_per_km"]), burnt, icon_name="gas-station"),
    ]


def costs(said: Answer, visitor: Visitor) -> Panel:
    """What for."""
    say = visitor.say
    rows: list[list[Cell]] = [
        [say("Waste"), Decimal(said["waste"])],
        [say("Driving"), Decimal(said["driving"])],
        [say("Workshop"), Decimal(said["workshop"])],
    ]
    unit = visitor.writing.currency
    chart = line("pie", _first(rows), unit, (say("Cost"), [row[1] for row in rows], "primary"))
    return Panel(say("Cost of operations"), [say("What for"), say("Cost")], rows, chart)


def _lots(said: Answer, soon: Answer, visitor: Visitor, *, title: str, empty: str) -> Panel:
    say, names = visitor.say, said["names"]
    rows: list[list[Cell]] = [
        [
            one["lot_number"],
            names.product(one["product_id"]),
            names.warehouse(one["warehouse_id"]) if one["warehouse_id"] else "–",
            Decimal(one["quantity"]),
            date.fromisoformat(one["keeps_until"]),
            one["days_left"],
        ]
        for one in soon["first"]
    ]
    head = [say("Lot"), say("Product"), say("Warehouse"), say("Quantity"), say("Keeps until"), say("Days left")]
    links = [f"/console/lots/{one['lot_id']}" for one in soon["first"]]
    return Panel(title, head, rows, empty=empty, links=links, wide=True)


def _first(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """What rows are called, for an axis."""
    return [str(row[0]) for row in rows]
