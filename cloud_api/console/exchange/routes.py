"""`/console/imports`, `/console/exports`: files that come in, tried first, and files that are written."""

from collections.abc import Mapping

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.pages import Visitor, attachment, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, table

router = console_router()
IMPORTS, EXPORTS = "/console/imports", "/console/exports"
#: what can be imported and exported -> what it is called
ENTITIES: Mapping[str, str] = {
    "products": "Products",
    "categories": "Categories",
    "customers": "Customers",
    "opening_stock": "Opening stock",
}
FORMATS = ("csv", "xlsx", "json")
_DATES: Mapping[str, str] = {"iso": "2026-07-31", "dmy": "31-07-2026", "mdy": "07-31-2026", "ymd": "2026/07/31"}
_NUMBERS: Mapping[str, str] = {
    "plain": "1234567.5",
    "indian": "12,34,567.5",
    "western": "1,234,567.5",
    "european": "1.234.567,5",
}
_UNDER_WAY = ("queued", "running")


@router.get("/imports")
async def show_imports(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form, and what was imported before."""
    form = forms.Form.of(entity=request.query_params.get("entity", "products"), format="csv")
    return show(request, "exchange/imports.html", form=form, **_known(await table(request, desk, "/imports"), who))


@router.post("/imports")
async def start_import(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Try a file, or take it in: which, says the button. Asked by HTMX, the answer is the report alone."""
    form = await forms.read(request)
    sent = await forms.file_of(request, "file")
    try:
        made = await _send(desk, who, form, sent)
    except Refused as refused:
        form.refuse(refused)
        form.errors.setdefault("file", refused.fields.get("body", refused.message))
        if "HX-Request" in request.headers:
            return show(request, "exchange/refused.html", refused=refused)
        found = await table(request, desk, "/imports")
        return show(request, "exchange/imports.html", status=refused.status, form=form, **_known(found, who))
    if "HX-Request" in request.headers:
        return show(request, "exchange/report.html", run=made, entities=ENTITIES)
    return go(request, f"{IMPORTS}/{made['id']}")


@router.get("/imports/template")
async def get_template(request: Request, desk: AtDesk) -> Response:
    """A file with all columns, to be filled in."""
    entity = request.query_params.get("entity", "products")
    kind = request.query_params.get("format", "xlsx")
    file = await desk.raw(f"/imports/templates/{entity}", format=kind)
    return attachment(file.content, file.headers["content-type"], f"{entity}-template.{kind}")


@router.get("/imports/{id}")
async def show_import(request: Request, desk: AtDesk, id: str) -> Response:
    """One run: how far it is, and what is wrong with which row."""
    run = await desk.get(f"/imports/{id}")
    if "HX-Request" in request.headers:
        return show(request, "exchange/report.html", run=run, entities=ENTITIES)
    return show(request, "exchange/import.html", run=run, entities=ENTITIES)


@router.get("/imports/{id}/export")
async def export_problems(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """What is wrong with the rows, beside them in a spreadsheet."""
    run = await desk.get(f"/imports/{id}")
    head = [who.say("Row"), who.say("Column"), who.say("What is wrong")]
    rows = [(one["row"], one["column"], one["message"]) for one in run["problems"]]
    return files.table_file(request, "import-problems", head, rows)


@router.get("/exports")
async def show_exports(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What can be written, and what was."""
    return show(request, "exchange/exports.html", **_known(await table(request, desk, "/exports"), who))


@router.get("/exports/part")
async def show_exports_part(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The table alone, read again while something is being written."""
    found = await table(request, desk, "/exports")
    return show(request, "exchange/exports_part.html", **_known(found, who))


@router.post("/exports")
async def start_export(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Let a file be written."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/exports", form.body("entity", "format"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        found = await table(request, desk, "/exports")
        return show(request, "exchange/exports.html", status=refused.status, **{**_known(found, who), "form": form})
    return go(request, EXPORTS, said="The file is being written.")


@router.get("/exports/{id}/file")
async def fetch_export(desk: AtDesk, id: str) -> Response:
    """The file that was written, as it is kept."""
    file = await desk.raw(f"/exports/{id}/download")
    response = Response(file.content, media_type=file.headers["content-type"])
    response.headers["Content-Disposition"] = file.headers["content-disposition"]
    response.headers["Cache-Control"] = "no-store"
    return response


async def _send(desk: Desk, who: Visitor, form: forms.Form, sent: forms.Sent | None) -> Answer:
    if sent is None:
        raise Refused(422, "VALIDATION_FAILED", who.say("Choose a file."), {"file": who.say("Choose a file.")})
    return await desk.send_file(
        "POST",
        "/imports",
        sent.content,
        sent.kind,
        entity=form.get("entity"),
        format=form.get("format"),
        date_format=form.get("date_format"),
        number_format=form.get("number_format"),
        name=sent.name[-100:] or "import",
        dry_run=form.get("do") != "import",
        skip_bad_rows=form.ticked("skip_bad_rows"),
    )


def _known(found: Table, who: Visitor) -> dict[str, Answer]:
    return {
        "table": found,
        "entities": ENTITIES,
        "kinds": [(name, who.say(text)) for name, text in ENTITIES.items()],
        "formats": [(one, one.upper()) for one in FORMATS],
        "dates": _DATES,
        "numbers": _NUMBERS,
        "under_way": any(run["status"] in _UNDER_WAY for run in found.rows),
    }
