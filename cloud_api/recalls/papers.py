"""The report of a recall on paper: as a table for spreadsheets, and as A4 by Typst, from the template `report.typ`."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files

from cloud_api.recalls.schemas import RecalledCustomer, RecallReport

#: what a spreadsheet would take for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADER = (
    "recall",
    "lot",
    "product",
    "customer",
    "phone",
    "email",
    "address",
    "order",
    "quantity",
    "unit",
    "delivered",
    "delivered_at",
    "route",
    "vehicle",
    "stop",
    "stop_status",
    "reference",
)


def table(report: RecallReport) -> str:
    """A line for each customer, lot and stop, and for whatever else went out; line ends as RFC 4180 has them."""
    out = io.StringIO()
    write = csv.writer(out).writerow
    write(_HEADER)
    number = report.recall.number
    for one in report.customers:
        stops = [
            (stop.route_number, stop.vehicle, str(stop.sequence), stop.status, stop.delivery_number)
            for stop in report.stops
            if stop.order_number == one.order_number
        ]
        for stop in stops or [("",) * 5]:
            write([_cell(cell) for cell in (number, *_who(one), *stop)])
    for other in report.other_shipments:
        gone = ("", "", "", "", "", "", f"{other.quantity:.3f}", "", "yes", other.effective_at.isoformat())
        write([_cell(cell) for cell in (number, other.lot_number, *gone, "", "", "", "", other.reference)])
    return out.getvalue()


def pdf(report: RecallReport, compiler: Callable[..., bytes]) -> bytes:
    """The same for people."""
    template = files("cloud_api.recalls").joinpath("report.typ").read_bytes()
    data = json.dumps(contents(report), ensure_ascii=False)
    return compiler(template, sys_inputs={"data": data}, format="pdf", timestamp=int(report.made_at.timestamp()))


def contents(report: RecallReport) -> dict[str, object]:
    """What the template shows: texts that are ready."""
    recall = report.recall
    closed = "" if recall.closed_at is None else f", closed {_time(recall.closed_at)}: {recall.close_reason}"
    reached = sum(1 for one in report.customers if one.delivered)
    return {
        "title": recall.number,
        "facts": [
            ("Reason", recall.reason),
            ("Opened", f"{_time(recall.opened_at)}{closed}"),
            ("Made", _time(report.made_at)),
            ("Customers", f"{len({one.customer_id for one in report.customers})}, {reached} deliveries reached them"),
        ],
        "lots": [
            [one.lot_number, f"{one.product_name} ({one.sku})", f"{one.on_hand:.3f}", f"{one.on_hold:.3f}"]
            for one in report.lots
        ],
        "customers": [
            [
                one.customer_name,
                one.phone or one.email,
                one.order_number,
                one.lot_number,
                f"{one.quantity:.3f} {one.unit}",
                "delivered" if one.delivered else one.order_status.replace("_", " "),
            ]
            for one in report.customers
        ],
        "stops": [
            [stop.route_number, stop.vehicle, str(stop.sequence), stop.order_number, stop.status]
            for stop in report.stops
        ],
        "others": [
            [_time(other.effective_at), other.lot_number, f"{other.quantity:.3f}", other.reference]
            for other in report.other_shipments
        ],
    }


def _who(one: RecalledCustomer) -> Sequence[str]:
    return (
        one.lot_number,
        one.product_name,
        one.customer_name,
        one.phone,
        one.email,
        one.address,
        one.order_number,
        f"{one.quantity:.3f}",
        one.unit,
        "yes" if one.delivered else "no",
        "" if one.delivered_at is None else one.delivered_at.isoformat(),
    )


def _cell(text: str) -> str:
    """As text; line ends would tear a row, and what a spreadsheet would run as a formula is quoted."""
    plain = "".join(" " if ord(character) < 32 else character for character in text)
    return f"'{plain}" if plain.startswith(_FORMULAS) else plain


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
