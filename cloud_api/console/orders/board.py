"""The list of orders, narrowed by day and warehouse as well, which the API's own list is not."""

from typing import Any

from fastapi import Request

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.tables import Table, asked_for

FILTERS = ("q", "status", "delivery_date", "warehouse_id", "customer_id")
STATUSES = ("pending", "confirmed", "packed", "out_for_delivery", "delivered", "returned", "cancelled")
ENOUGH = 50
#: how much of the list is read for one page of what was asked for
_PAGES, _PAGE = 5, 200


async def board(request: Request, desk: Desk) -> Table:
    """One page of orders, as the request's address asks for it.

    Of a day or a warehouse it is gathered from at most a thousand orders; then the next page goes on from there.

    Raises:
        Refused: when the list is not given.
    """
    query = asked_for(request, FILTERS)
    if query.get("q"):
        return Table(request.url.path, query, await _found(desk, query))
    its = {name: query[name] for name in ("status", "customer_id") if name in query}
    narrowed = "delivery_date" in query or "warehouse_id" in query
    cursor, rows = query.get("cursor"), list[Answer]()
    for _ in range(_PAGES if narrowed else 1):
        part = await desk.page("/orders", **its, limit=_PAGE if narrowed else ENOUGH, cursor=cursor)
        rows += [row for row in part.items if _fits(row, query)]
        cursor = part.next_cursor
        if cursor is None or len(rows) >= ENOUGH:
            break
    return Table(request.url.path, query, rows, cursor)


async def _found(desk: Desk, query: dict[str, str]) -> list[Answer]:
    """What has these words: number, name and day; how it stands is not in the index."""
    facets = [f"delivery_date:{query['delivery_date']}"] if "delivery_date" in query else []
    said = await desk.get("/search", q=query["q"], kind="order", facet=facets, limit=ENOUGH)
    return [_hit(hit) for hit in said["hits"]]


def _hit(hit: Answer) -> dict[str, Any]:
    name = hit["title"].removeprefix(hit["code"]).strip()
    return {
        "id": hit["id"],
        "number": hit["code"],
        "customer_name": name,
        "delivery_date": hit["facets"].get("delivery_date", ""),
        "found": True,
    }


def _fits(row: Answer, query: dict[str, str]) -> bool:
    return all(row[name] == query[name] for name in ("delivery_date", "warehouse_id") if name in query)
