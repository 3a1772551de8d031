"""`/console/lots`: lots by what is the matter with them: expiring, on hold, called back; or found by a word."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import files
from cloud_api.console.asking import Answer, Desk, Listing, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import days_left
from cloud_api.console.tables import LIMIT, Table, asked_for

router = console_router("/lots")

LOTS = "/warehouse/batches"
RECALLS = "/warehouse/recalls"
_STATES = ("available", "on_hold", "quarantine", "expired", "consumed")
_SPANS = (3, 7, 14, 30)
_FILTERS = ("search", "status", "days", "warehouse_id", "product_id", "order")
#: letters from which on words are looked for, and not only parts of numbers and names
_FOUND_BY_WORDS = 3
_SUGGESTED = 8
#: recalls that are open at a time, at most: each has one lot
_RECALLED = 200


@router.get("")
async def show_lots(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Lots, as the filters say."""
    query = asked_for(request, _FILTERS)
    source, wanted = await _wanted(desk, query)
    part, warehouses = await together(_part(desk, source, wanted), warehouses_of(visitor))
    names = await names_of(visitor, products=[row["product_id"] for row in part.items])
    say, word = visitor.say, visitor.writing.word
    states = [(one, word(one)) for one in _STATES]
    if visitor.may("quality:read"):
        states.append(("recalled", word("recalled")))
    spans = [("0", say("today")), *((str(one), say("{count} days", count=one)) for one in _SPANS)]
    rows = _with_days(part.items, visitor)
    return show(
        request, "lots/lots.html", table=Table(request.url.path, query, rows, part.next_cursor), names=names,
        warehouses=options(warehouses), states=states, spans=spans,
    )  # fmt: skip


@router.get("/export")
async def export_lots(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave, as a file."""
    source, wanted = await _wanted(desk, asked_for(request, _FILTERS))
    lots = await desk.every(source, most=files.MOST_ROWS, **wanted)
    names = await names_of(visitor, products=[lot["product_id"] for lot in lots])
    say = visitor.say
    head = [
        say("Lot"), say("Product"), say("Number"), say("On hand"), say("Unit"), say("Keeps until"), say("Made on"),
        say("Received"), say("Status"), say("Reason"), say("Supplier"), say("Grade"), say("Cost of a unit"),
    ]  # fmt: skip
    rows = (_cells(row, names, visitor) for row in _with_days(lots, visitor))
    return files.table_file(request, "lots", head, rows)


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Lots that begin as what is being typed; before much is typed, the newest."""
    word = request.query_params.get("q", "").strip()
    try:
        if len(word) < _FOUND_BY_WORDS:
            rows = (await desk.page(LOTS, search=word, limit=_SUGGESTED)).items
            found = [(row["id"], row["lot_number"], row["expires_on"] or "") for row in rows]
        else:
            hits = (await desk.get("/search", q=word, kind="lot", limit=_SUGGESTED))["hits"]
            found = [(hit["id"], hit["title"], hit["code"]) for hit in hits]
    except Refused:
        found = []
    return JSONResponse(
        [{"id": id, "text": name, "note": code, "href": f"/console/lots/{id}"} for id, name, code in found]
    )


async def _wanted(desk: Desk, query: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Where the API has what the filters ask for, and what it is asked there."""
    asked: dict[str, Any] = dict(query)
    if asked.get("days"):
        return f"{LOTS}/expiring", {name: asked[name] for name in asked if name not in ("status", "order")}
    asked.pop("days", None)
    if asked.get("status") == "recalled":
        recalls = await desk.every(RECALLS, status="open", most=_RECALLED)
        return LOTS, {**asked, "status": None, "id": sorted({one["lot_id"] for one in recalls}) or [_NOBODY]}
    return LOTS, asked


#: an id that no lot has: nothing is asked for
_NOBODY = "00000000-0000-0000-0000-000000000000"


async def _part(desk: Desk, source: str, wanted: dict[str, Any]) -> Listing:
    return await desk.page(source, **{"limit": LIMIT, **wanted})


def _with_days(rows: Sequence[Answer], visitor: Visitor) -> list[dict[str, Any]]:
    today = visitor.today()
    return [
        {
            **row,
            "until": row.get("keeps_until") or row["expires_on"],
            "days_left": row.get("days_left", days_left(row["expires_on"], today)),
            "shortened": bool(row.get("keeps_until")) and row.get("keeps_until") != row["expires_on"],
        }
        for row in rows
    ]


def _cells(row: dict[str, Any], names: Names, visitor: Visitor) -> list[files.Cell]:
    product = names.products.get(row["product_id"], {})
    word = visitor.writing.word
    return [
        row["lot_number"],
        names.product(row["product_id"]),
        product.get("sku"),
        files.amount(row["on_hand"]),
        product.get("unit"),
        files.day(row["until"]),
        files.day(row["manufactured_on"]),
        files.moment(row["received_at"]),
        word(row["status"]),
        "; ".join(row["reasons"]),
        row["supplier"],
        word(row["grade"]) if row["grade"] else None,
        files.amount(row["unit_cost"]),
    ]
