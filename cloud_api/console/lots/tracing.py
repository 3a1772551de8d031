"""A lot's way as a picture: what came in, the lots it went through, and where it lies or to whom it went."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cloud_api.console.asking import Answer
from cloud_api.console.names import Names

WIDTH, HEIGHT = 188, 54
_GAP_X, _GAP_Y, _TOP = 60, 14, 26
#: boxes in one column; the rest is said as a number
_MOST = 6
_LETTERS = 24


@dataclass
class Box:
    """A lot, a receipt, a place or a shipment."""

    key: str
    column: int
    title: str
    note: str
    href: str = ""
    kind: str = ""
    x: int = 0
    y: int = 0


@dataclass
class Picture:
    """Boxes in columns, and lines between them."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    heads: list[tuple[int, str]] = field(default_factory=list)
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Told:
    """What a picture is made of.

    Args:
        trace: as the API tells it.
        deliveries: by their numbers, as far as they are known.
        say: translates.
        when: writes a day.
    """

    lot_id: str
    trace: Answer
    names: Names
    deliveries: Mapping[str, Answer]
    say: Callable[..., str]
    when: Callable[[str], str]
    number: Callable[[object], str]


def picture(told: Told) -> Picture:
    """The boxes and where they stand."""
    depths = _depths(told.lot_id, told.trace["steps"])
    first, last = min(depths.values()) - 1, max(depths.values()) + 1
    boxes, pairs = _lots(told, depths), _steps(told.trace["steps"])
    for made in (_receipts(told, first), _places(told, last), _shipments(told, last)):
        boxes += [box for box, _ in made]
        pairs += [(lot_id, box.key) if box.column == last else (box.key, lot_id) for box, lot_id in made]
    return _placed(boxes, pairs, told.say)


def shipments(trace: Answer, deliveries: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """What went out, gathered by lot and by what it went out with; with the delivery, where there is one."""
    gathered: dict[tuple[str, str], dict[str, Any]] = {}
    for one in trace["shipments"]:
        key = (one["lot_id"], one["reference"] or one["number"])
        its = gathered.setdefault(
            key,
            {
                "lot_id": one["lot_id"], "reference": key[1], "quantity": Decimal(0), "at": one["effective_at"],
                "type": one["movement_type"], "delivery": deliveries.get(key[1]),
            },
        )  # fmt: skip
        its["quantity"] += abs(Decimal(one["quantity"]))
    return list(gathered.values())


def _depths(lot_id: str, steps: Sequence[Answer]) -> dict[str, int]:
    """How many steps each lot is away: before it are negative."""
    depths = {lot_id: 0}
    for start, end, step in (("child_lot_id", "parent_lot_id", -1), ("parent_lot_id", "child_lot_id", 1)):
        reached = [lot_id]
        while reached:
            here = reached.pop()
            for one in steps:
                if one[start] == here and one[end] not in depths:
                    depths[one[end]] = depths[here] + step
                    reached.append(one[end])
    return depths


def _lots(told: Told, depths: Mapping[str, int]) -> list[Box]:
    return [
        Box(
            lot["id"], depths.get(lot["id"], 0), lot["lot_number"], told.names.product(lot["product_id"]),
            "" if lot["id"] == told.lot_id else f"/console/lots/{lot['id']}",
            "this" if lot["id"] == told.lot_id else "lot",
        )
        for lot in told.trace["lots"]
    ]  # fmt: skip


def _steps(steps: Sequence[Answer]) -> list[tuple[str, str]]:
    return [(one["parent_lot_id"], one["child_lot_id"]) for one in steps]


def _receipts(told: Told, column: int) -> list[tuple[Box, str]]:
    suppliers = {lot["id"]: lot["supplier"] for lot in told.trace["lots"]}
    return [
        (
            Box(
                one["id"], column, suppliers.get(one["lot_id"]) or told.say("Received"),
                f"{told.number(one['quantity'])} · {told.when(one['effective_at'])}", "", "receipt",
            ),
            one["lot_id"],
        )
        for one in told.trace["receipts"]
    ]  # fmt: skip


def _places(told: Told, column: int) -> list[tuple[Box, str]]:
    under_way = told.say("under way")
    return [
        (
            Box(
                f"{one['lot_id']} {one['location_id']}", column, told.names.place(one["location_id"]),
                f"{told.number(one['on_hand'])} · {told.names.warehouse_of(one['location_id']) or under_way}",
                f"/console/stock?location_id={one['location_id']}", "held" if one["status"] == "on_hold" else "place",
            ),
            one["lot_id"],
        )
        for one in told.trace["places"]
        if Decimal(one["on_hand"]) > 0
    ]  # fmt: skip


def _shipments(told: Told, column: int) -> list[tuple[Box, str]]:
    return [
        (
            Box(
                f"{one['lot_id']} {one['reference']}", column, one["reference"],
                f"{told.number(one['quantity'])} · {told.when(one['at'])}",
                f"/console/deliveries/{one['delivery']['id']}" if one["delivery"] else "", "shipment",
            ),
            one["lot_id"],
        )
        for one in shipments(told.trace, told.deliveries)
    ]  # fmt: skip


def _placed(boxes: Sequence[Box], pairs: Sequence[tuple[str, str]], say: Callable[..., str]) -> Picture:
    columns = defaultdict[int, list[Box]](list)
    for box in boxes:
        columns[box.column].append(box)
    drawn, at = Picture(), dict[str, Box]()
    shown = {column: _at_most(column, its, say) for column, its in columns.items()}
    tallest = max(len(its) for its in shown.values())
    for place, column in enumerate(sorted(shown)):
        its = shown[column]
        before = (tallest - len(its)) * (HEIGHT + _GAP_Y) // 2
        for row, box in enumerate(its):
            box.x, box.y = place * (WIDTH + _GAP_X) + 1, _TOP + before + row * (HEIGHT + _GAP_Y)
            box.title, box.note = _short(box.title), _short(box.note, _LETTERS + 4)
            at[box.key] = box
        drawn.boxes += its
        drawn.heads.append((place * (WIDTH + _GAP_X) + 1, _head(its, say)))
    drawn.lines = [_line(at[one], at[other]) for one, other in pairs if one in at and other in at]
    drawn.width = len(shown) * (WIDTH + _GAP_X) - _GAP_X + 2
    drawn.height = _TOP + tallest * (HEIGHT + _GAP_Y)
    return drawn


def _at_most(column: int, boxes: list[Box], say: Callable[..., str]) -> list[Box]:
    if len(boxes) <= _MOST:
        return boxes
    first = sorted(boxes, key=lambda box: box.kind != "this")[: _MOST - 1]
    more = len(boxes) - len(first)
    return [*first, Box(f"more {column}", column, say("{count} more", count=more), say("in the list below"))]


def _head(boxes: Sequence[Box], say: Callable[..., str]) -> str:
    kinds = {box.kind for box in boxes}
    if "receipt" in kinds:
        return say("Came in")
    if kinds & {"this", "lot"}:
        return say("Lots") if "this" not in kinds or len(boxes) > 1 else say("This lot")
    return (
        say("Lies in") if kinds <= {"place", "held"} else say("Went to") if kinds == {"shipment"} else say("Where now")
    )


def _line(one: Box, other: Box) -> str:
    x1, y1, x2, y2 = one.x + WIDTH, one.y + HEIGHT // 2, other.x, other.y + HEIGHT // 2
    bend = (x2 - x1) // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _short(text: str, letters: int = _LETTERS) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
