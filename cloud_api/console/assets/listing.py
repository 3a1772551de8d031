"""`/console/assets`: every asset, and what should be back."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cloud_api.console import files
from cloud_api.console.asking import Answer, together
from cloud_api.console.assets import things
from cloud_api.console.assets.things import ASSETS, ITEMS
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for, table

router = console_router("/assets")

_FILTERS = ("search", "status", "location_id", "user_id", "category_id")
_OVERDUE = f"{ITEMS}/overdue"


@router.get("")
async def list_assets(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every asset, where it is and who has it. A code that was scanned leads to what it is of."""
    found, groups, people = await together(
        table(request, desk, ITEMS, filters=_FILTERS), things.place_groups(visitor), things.people_of(visitor)
    )
    scanned = _scanned(found)
    if scanned is not None:
        return RedirectResponse(f"{ASSETS}/{scanned['id']}", 303)
    names = await names_of(visitor, places=[row["location_id"] for row in found.rows])
    return show(
        request,
        "assets/list.html",
        table=found,
        names=names,
        states=visitor.writing.words(things.STATES),
        groups=groups,
        people=people,
        late={row["id"] for row in found.rows if things.is_late(visitor, row["checkout"])},
    )


@router.get("/export")
async def export_assets(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The assets that the filters leave, as a file."""
    rows = await desk.every(ITEMS, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(visitor, places=[row["location_id"] for row in rows])
    say = visitor.say
    head = [
        *(
            say("Asset number"),
            say("Name"),
            say("Status"),
            say("Place"),
            say("Warehouse"),
            say("Who has it"),
            say("Due back"),
        ),
        *(say("Overdue"), say("Serial number"), say("Bar code"), say("Lent only when agreed"), say("Last activity")),
    ]
    return files.table_file(request, "assets", head, (_row(row, names, visitor) for row in rows))


@router.get("/overdue")
async def list_overdue(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What should be back, the longest overdue first."""
    found = await table(request, desk, _OVERDUE)
    items = await things.items_of(visitor, found.rows)
    names = await names_of(visitor, places=[item["location_id"] for item in items.values()])
    return show(request, "assets/overdue.html", table=found, items=items, names=names)


@router.get("/overdue/export")
async def export_overdue(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    rows = await desk.every(_OVERDUE, most=files.MOST_ROWS)
    items = await things.items_of(visitor, rows)
    say = visitor.say
    head = [say("Asset number"), say("Name"), say("Who has it"), say("Lent on"), say("Due back"), say("For what")]
    told = (
        [
            *(items[row["item_id"]][name] for name in ("asset_code", "name")),
            row["holder"],
            files.moment(row["out_at"]),
            files.moment(row["due_at"]),
            row["purpose"],
        ]
        for row in rows
        if row["item_id"] in items
    )
    return files.table_file(request, "overdue-assets", head, told)


def _scanned(found: Table) -> Answer | None:
    """The one asset whose number or bar code was looked for, and nothing else."""
    code = found.query.get("search", "").strip().casefold()
    if set(found.query) != {"search"}:
        return None
    meant = [row for row in found.rows if code in {row["asset_code"].casefold(), (row["barcode"] or "").casefold()}]
    return meant[0] if len(meant) == 1 else None


def _row(row: Answer, names: Names, visitor: Visitor) -> list[files.Cell]:
    has = row["checkout"] if things.is_out(row) else None
    say = visitor.say
    return [
        row["asset_code"],
        row["name"],
        visitor.writing.word(row["status"]),
        names.place(row["location_id"]) if row["location_id"] else "",
        names.warehouse_of(row["location_id"]),
        has["holder"] if has else "",
        files.moment(has["due_at"]) if has else None,
        say("Yes") if things.is_late(visitor, has) else say("No"),
        row["serial_number"],
        row["barcode"] or "",
        say("Yes") if row["restricted"] else say("No"),
        files.moment(row["last_activity_at"]),
    ]
