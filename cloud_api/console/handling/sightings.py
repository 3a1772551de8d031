"""`/console/sightings`: tags that passed portals and what is to be booked of it, reads of tags, weights."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/sightings")

STATUSES = ("proposed", "ready", "open", "booked", "rejected", "seen")
_PASSAGES = "/warehouse/passages"
_WEIGHTS = "/telemetry/weights"
_FILTERS = ("status", "reader_id", "epc")


@router.get("")
async def list_passages(request: Request, visitor: Looking) -> Response:
    """Tags that passed portals, newest first; proposals are accepted or rejected here."""
    statuses = visitor.writing.words(STATUSES)
    told, readers = await together(_passages(request, visitor), _devices(visitor, "/edge/readers"))
    return show(request, "handling/passages.html", statuses=statuses, readers=readers, **told)


@router.get("/part")
async def show_passage_rows(request: Request, visitor: Looking) -> Response:
    """The table of passages, as it is now."""
    return show(request, "handling/passage_rows.html", **await _passages(request, visitor))


@router.get("/tags")
async def list_tag_reads(request: Request, visitor: Looking) -> Response:
    """What readers saw, newest first."""
    return show(request, "handling/tag_reads.html", **await _tag_reads(request, visitor))


@router.get("/tags/part")
async def show_tag_rows(request: Request, visitor: Looking) -> Response:
    """The table of reads, as it is now."""
    return show(request, "handling/tag_read_rows.html", **await _tag_reads(request, visitor))


@router.get("/weights")
async def list_weights(request: Request, visitor: Looking) -> Response:
    """What scales showed, newest first."""
    told, scales = await together(_weights(request, visitor), _devices(visitor, "/edge/scales"))
    return show(request, "handling/weights.html", scales=scales, **told)


@router.get("/weights/part")
async def show_weight_rows(request: Request, visitor: Looking) -> Response:
    """The table of weights, as it is now."""
    return show(request, "handling/weight_rows.html", **await _weights(request, visitor))


@router.get("/passages/{id}")
async def show_passage(request: Request, visitor: Looking, id: str) -> Response:
    """One passage, and what is to become of it."""
    return await _passage(request, visitor, id, Form())


@router.post("/passages/{id}/accept")
async def accept(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Book what the proposal says."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"{_PASSAGES}/{id}/accept", form.body("from_location_id"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        form.problem = refused.message
        return await _passage(request, visitor, id, form, status=refused.status)
    return go(request, "/console/sightings?status=proposed", said="The passage is booked.")


@router.post("/passages/{id}/reject")
async def reject(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Book nothing of it."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"{_PASSAGES}/{id}/reject", form.body("reason"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _passage(request, visitor, id, form, status=refused.status)
    return go(request, "/console/sightings?status=proposed", said="Nothing is booked of it.")


async def _passage(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    passage = await visitor.desk.get(f"{_PASSAGES}/{id}")
    tag = await visitor.desk.get(f"/edge/tags/{passage['tag_id']}") if passage["tag_id"] else None
    lots = [tag["entity_id"]] if tag and tag["entity_type"] == "lot" else []
    choices, names = await choices_for(visitor, lots=lots, readers=[passage["reader_id"]])
    return show(
        request,
        "handling/passage.html",
        status=status,
        form=form,
        passage=passage,
        tag=tag,
        choices=choices,
        names=names,
    )


async def _passages(request: Request, visitor: Visitor) -> dict[str, Any]:
    rows = await table(request, visitor.desk, _PASSAGES, filters=_FILTERS)
    between = ("location_id", "from_location_id", "to_location_id")
    names = await names_of(
        visitor,
        readers=[row["reader_id"] for row in rows.rows],
        places=[row[place] for row in rows.rows for place in between],
    )
    return {"table": rows, "names": names}


async def _tag_reads(request: Request, visitor: Visitor) -> dict[str, Any]:
    rows = await table(request, visitor.desk, "/telemetry/rfid-reads", filters=("epc",))
    readers, places = ([row[name] for row in rows.rows] for name in ("reader_id", "location_id"))
    return {"table": rows, "names": await names_of(visitor, readers=readers, places=places)}


async def _weights(request: Request, visitor: Visitor) -> dict[str, Any]:
    rows = await table(request, visitor.desk, _WEIGHTS, filters=("scale_id", "applied"))
    scales, places = ([row[name] for row in rows.rows] for name in ("scale_id", "location_id"))
    return {"table": rows, "names": await names_of(visitor, scales=scales, places=places)}


async def _devices(visitor: Visitor, path: str) -> list[tuple[str, str]]:
    """Readers or scales to choose from, by name."""
    found = await visitor.desk.every(path) if visitor.may("devices:read") else []
    return sorted(((one["id"], one["name"] or one["code"]) for one in found), key=lambda pair: str(pair[1]))
