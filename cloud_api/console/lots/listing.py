"""`/console/lots`: lots by what may be done with them, by when they expire, and those that were called back."""

from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import days_left, today_of
from cloud_api.console.stock.names import names_of, warehouses_of
from cloud_api.console.tables import LIMIT, Table, asked_for, table

router = console_router("/lots")

LOTS = "/warehouse/batches"
RECALLS = "/warehouse/recalls"
_STATES = ("available", "on_hold", "quarantine", "expired", "consumed")
_SPANS = (3, 7, 14, 30)
_FILTERS = ("q", "status", "days", "warehouse_id", "product_id", "order")
_FOUND = 50


@router.get("")
async def show_lots(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Lots, as the filters say."""
    listed, warehouses = await together(_lots(request, desk), warehouses_of(desk))
    names = await names_of(desk, products={row["product_id"] for row in listed.rows})
    rows = _with_days(listed.rows, visitor)
    states = [(one, visitor.writing.word(one)) for one in _STATES]
    if visitor.may("quality:read"):
        states.append(("recalled", visitor.writing.word("recalled")))
    spans = [("0", visitor.say("today")), *((str(one), visitor.say("{count} days", count=one)) for one in _SPANS)]
    return show(
        request, "lots/lots.html", table=Table(listed.path, listed.query, rows, listed.next_cursor), names=names,
        warehouses=warehouses, states=states, spans=spans,
    )  # fmt: skip


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Lots that begin as what is being typed; choosing one opens it."""
    try:
        hits = (await desk.get("/search", q=request.query_params.get("q", ""), kind="lot", limit=8))["hits"]
    except Refused:
        hits = []
    return JSONResponse(
        [{"text": hit["title"], "note": hit["code"], "href": f"/console/lots/{hit['id']}"} for hit in hits]
    )


async def _lots(request: Request, desk: Desk) -> Table:
    query = asked_for(request, _FILTERS)
    if word := query.get("q", "").strip():
        hits = (await desk.get("/search", q=word, kind="lot", limit=_FOUND))["hits"]
        return Table(request.url.path, query, await _by_key(desk, [hit["id"] for hit in hits], query))
    if query.get("status") == "recalled":
        recalls = await desk.page(RECALLS, status="open", limit=_FOUND)
        keys = list(dict.fromkeys(one["lot_id"] for one in recalls.items))
        return Table(request.url.path, query, await _by_key(desk, keys, {}))
    if query.get("days"):
        listed = await table(request, desk, f"{LOTS}/expiring", filters=("days", "warehouse_id", "product_id"))
    else:
        listed = await table(request, desk, LOTS, filters=("status", "product_id", "order"))
    return Table(listed.path, query, listed.rows, listed.next_cursor)


async def _by_key(desk: Desk, keys: list[str], query: dict[str, str]) -> list[Answer]:
    """These lots, in this order, as far as the other filters leave them."""
    found = (await names_of(desk, lots=keys[:LIMIT])).lots
    lots = [found[key] for key in keys if key in found]
    wanted = query.get("status")
    product_id = query.get("product_id")
    return [lot for lot in lots if wanted in (None, lot["status"]) and product_id in (None, lot["product_id"])]


def _with_days(rows: Iterable[Answer], visitor: Visitor) -> list[dict[str, Any]]:
    today = today_of(visitor)
    return [
        {
            **row,
            "until": row.get("keeps_until") or row["expires_on"],
            "days_left": row.get("days_left", days_left(row["expires_on"], today)),
            "shortened": bool(row.get("keeps_until")) and row.get("keeps_until") != row["expires_on"],
        }
        for row in rows
    ]
