"""`/console/sightings/bindings`: what tags are on, said and unsaid, one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import files, form_rows, forms
from cloud_api.console.asking import Answer, Listing, Refused, nothing, together
from cloud_api.console.choices import Options, by_warehouse
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for, table

router = console_router("/sightings/bindings")

TAGS = "/edge/tags"
HERE = "/console/sightings/bindings"
#: what a tag may be on, and what somebody must be allowed to read to choose one
KINDS = {
    "lot": "stock:read",
    "pallet": "stock:read",
    "item": "items:read",
    "location": "storage:read",
    "person": "users:read",
}
#: kind -> names of such things
_NAMED = {"lot": "lots", "item": "items", "location": "places", "person": "people"}
_FILTERS = ("epc", "entity_type", "bound")
_WRITES = "stock:write"
#: lots on a pallet
_MOST_LOTS = 50
_LINE = ("lot_id", "quantity", "weight_g")
#: bindings of one tag that are over
_BEFORE = 20
_SUGGESTED = 8


@dataclass(frozen=True)
class _Typed:
    """A form that was refused, and how."""

    form: Form
    status: int


@router.get("")
async def list_bindings(request: Request, visitor: Looking) -> Response:
    """What tags are on, newest first; or what they were on before."""
    listed = await _found(request, visitor)
    return show(request, "handling/tags.html", table=listed, names=await _names(visitor, listed.rows), kinds=KINDS)


@router.get("/export")
async def export_bindings(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave as a file: a row for each lot of each tag."""
    tags = await desk.every(TAGS, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    names = await _names(visitor, tags)
    say = visitor.say
    head = [
        say("Tag (EPC)"), say("GS1 key"), say("Kind"), say("Tag is on"), say("Lot"), say("Product"), say("Quantity"),
        say("Unit"), say("Weight in grams"), say("Where the goods are"), say("Bound"), say("Taken off"),
        say("Last seen"), say("Seen at"),
    ]  # fmt: skip
    rows = (_cells(tag, line, names, visitor) for tag in tags for line in tag["contents"] or [None])
    return files.table_file(request, "tags", head, rows)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """The form of a tag that nobody knows yet."""
    visitor.need(_WRITES)
    asked = request.query_params
    form = Form.of(epc=asked.get("epc"), entity_type=_kind(visitor, asked.get("kind", "")))
    return await _form(request, visitor, form)


@router.post("/new")
async def bind_tag(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say what it is on."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", TAGS, {"epc": form.get("epc"), **subject_of(form, visitor)}, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _form(request, visitor, form, status=refused.status)
    return go(request, f"{HERE}/{made['id']}", said="It is known what the tag is on.")


@router.get("/assets")
async def suggest_assets(request: Request, desk: AtDesk) -> Response:
    """Assets whose name or number has what is being typed."""
    try:
        word = request.query_params.get("q", "").strip()
        found = (await desk.page("/items", search=word, limit=_SUGGESTED)).items
    except Refused:
        found = []
    return JSONResponse(
        [
            {"id": one["id"], "text": one["name"], "note": one["asset_code"], "href": f"/console/assets/{one['id']}"}
            for one in found
        ]
    )


@router.get("/{id}")
async def show_binding(request: Request, visitor: Looking, id: str) -> Response:
    """What one tag is on, what it was on before, and the form to put it on something else."""
    return await _page(request, visitor, id)


@router.post("/{id}")
async def rebind_tag(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Put it on something else."""
    form = await forms.read(request)
    try:
        made = await desk.do("PUT", f"{TAGS}/{id}", subject_of(form, visitor), key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _page(request, visitor, id, _Typed(form, refused.status))
    return go(request, f"{HERE}/{made['id']}", said="It is known what the tag is on.")


@router.post("/{id}/off")
async def take_off(request: Request, desk: AtDesk, id: str) -> Response:
    """Nothing is booked any more when it is seen."""
    await desk.do("DELETE", f"{TAGS}/{id}")
    return go(request, f"{HERE}/{id}", said="The tag is on nothing any more.")


def subject_of(form: Form, visitor: Visitor) -> dict[str, Any]:
    """What a tag is to be on, as the API takes it.

    Raises:
        Refused: when nothing is named, beside the field that should name it.
    """
    kind = form.get("entity_type")
    body: dict[str, Any] = form.body("entity_type")
    missing = {}
    if kind in ("lot", "pallet"):
        body |= form.body("goods_location_id")
    if kind == "pallet":
        count = form_rows.close_up(form, "contents", *_LINE)
        body["contents"] = [_content(form, f"contents.{place}.") for place in range(count)]
        if not count:
            missing["contents.0.lot_id"] = visitor.say("Choose at least one lot")
            form.values.setdefault("contents.0.lot_id", "")
    else:
        body |= form.body("entity_id")
        if "entity_id" not in body:
            missing["entity_id"] = visitor.say("Choose what the tag is on")
    if kind == "lot":
        body |= amount_of(form, "")
        if "quantity" not in body:
            missing["quantity"] = visitor.say("Say how much of it is where the tag is")
    if missing:
        raise Refused(422, "VALIDATION_FAILED", next(iter(missing.values())), missing)
    return body


def amount_of(form: Form, before: str) -> dict[str, Any]:
    """How much of a lot, and what it weighs, where anything was typed."""
    said = {name: form.get(f"{before}{name}") for name in ("quantity", "weight_g")}
    return {name: forms.whole(text) if name == "weight_g" else text for name, text in said.items() if text}


def _content(form: Form, before: str) -> dict[str, Any]:
    return {"lot_id": form.get(f"{before}lot_id") or None, **amount_of(form, before)}


def _kind(visitor: Visitor, asked: str) -> str:
    return asked if asked in KINDS and visitor.may(KINDS[asked]) else "lot"


async def _found(request: Request, visitor: Visitor) -> Table:
    try:
        return await table(request, visitor.desk, TAGS, filters=_FILTERS)
    except Refused as refused:
        if refused.code != "MALFORMED_EPC":
            raise
        return Table(request.url.path, asked_for(request, _FILTERS), [])


async def _names(visitor: Visitor, tags: Sequence[Answer], **more: Iterable[str]) -> Names:
    """Of what they are on, where the books have that, and where they were seen."""
    wanted: dict[str, list[str | None]] = {kind: [] for kind in _NAMED.values()}
    for tag in tags:
        if tag["entity_type"] in _NAMED:
            wanted[_NAMED[tag["entity_type"]]].append(tag["entity_id"])
        wanted["lots"] += [one["lot_id"] for one in tag["contents"]]
        wanted["places"] += [tag["goods_location_id"], tag["last_location_id"]]
    for kind, ids in more.items():
        wanted[kind] += ids
    return await names_of(visitor, **wanted)


def _cells(tag: Answer, line: Answer | None, names: Names, visitor: Visitor) -> list[files.Cell]:
    named = {"item": names.item, "location": names.place, "person": names.person}.get(tag["entity_type"])
    lot_id = line["lot_id"] if line else None
    return [
        tag["epc"],
        tag["gs1_key"],
        visitor.writing.word(tag["entity_type"]),
        named(tag["entity_id"]) if named else None,
        names.lot(lot_id) if line else None,
        names.product_of(lot_id) if line else None,
        files.amount(line["quantity"]) if line else None,
        names.unit_of(lot_id) if line else None,
        line["weight_g"] if line else None,
        names.place(tag["goods_location_id"]) if tag["goods_location_id"] else None,
        files.moment(tag["bound_at"]),
        files.moment(tag["unbound_at"]),
        files.moment(tag["last_seen_at"]),
        names.place(tag["last_location_id"]) if tag["last_location_id"] else None,
    ]


async def _form(request: Request, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    return show(request, "handling/tag_new.html", status=status, form=form, **await _choices(visitor, form))


async def _page(request: Request, visitor: Visitor, id: str, typed: _Typed | None = None) -> Response:
    tag = await visitor.desk.get(f"{TAGS}/{id}")
    writes = visitor.may(_WRITES) and tag["unbound_at"] is None
    form = typed.form if typed else _form_of(tag, _kind(visitor, request.query_params.get("kind", tag["entity_type"])))
    before, choices, names = await together(
        visitor.desk.page(TAGS, epc=tag["epc"], bound=False, limit=_BEFORE),
        _choices(visitor, form) if writes else nothing(),
        _names(visitor, [tag], people=[tag["bound_by"]] if tag["bound_by"] else []),
    )
    over: Listing = before
    rest = [one for one in over.items if one["id"] != id]
    return show(
        request, "handling/tag.html", status=typed.status if typed else 200, tag=tag, names=names, writes=writes,
        before=rest, before_names=await _names(visitor, rest), form=form, **(choices or {}),
    )  # fmt: skip


async def _choices(visitor: Visitor, form: Form) -> dict[str, Any]:
    """What the form of a kind of thing chooses from, and the names of what was chosen."""
    kind = form.get("entity_type")
    rows = form_rows.to_show(len(form_rows.places_of(form, "contents", *_LINE)), _MOST_LOTS)
    lots = [form.get(f"contents.{place}.lot_id") for place in rows]
    chosen = [form.get("entity_id")] if form.get("entity_id") else []
    (choices, names), people = await together(
        choices_for(visitor, lots=[*lots, *(chosen if kind == "lot" else [])], items=chosen if kind == "item" else []),
        _people(visitor) if kind == "person" else nothing(),
    )
    return {
        "kinds": [kind for kind, needed in KINDS.items() if visitor.may(needed)],
        "rows": rows,
        "groups": by_warehouse(choices.places, choices.warehouses, goods=kind != "location"),
        "people": people,
        "chosen": names,
    }


async def _people(visitor: Visitor) -> Options:
    found = await visitor.desk.every("/admin/users")
    named = ((one["id"], str(one["full_name"] or one["username"])) for one in found)
    return sorted(named, key=lambda pair: pair[1].casefold())


def _form_of(tag: Answer, kind: str) -> Form:
    """What it is on, in the form; of another kind of thing an empty one."""
    form = Form.of(entity_type=kind, goods_location_id=tag["goods_location_id"])
    if kind != tag["entity_type"]:
        return form
    if kind == "pallet":
        for place, line in enumerate(tag["contents"]):
            form.values |= {f"contents.{place}.{name}": _plain(line[name]) for name in _LINE}
        return form
    form.values["entity_id"] = tag["entity_id"]
    if kind == "lot":
        form.values |= {name: _plain(tag["contents"][0][name]) for name in ("quantity", "weight_g")}
    return form


def _plain(said: object) -> str:
    """As people type it, without zeros that say nothing."""
    text = forms.shown(said)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _complain(form: Form, refused: Refused) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(refused)
