"""`/console/lots/{id}/hold` and its like: what is done to a lot, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.lots.listing import LOTS
from cloud_api.console.pages import Visitor, go, refusal, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import LEVELS, names_of_levels

router = console_router("/lots")


@dataclass(frozen=True)
class Act:
    """Something that is done to a lot.

    Args:
        fields: of the form, in their order; the reason is always asked.
        question: asked before what cannot be undone.
    """

    title: str
    button: str
    needs: str
    fields: Sequence[str]
    said: str
    tone: str = "primary"
    question: str = ""
    note: str = ""


ACTS: Mapping[str, Act] = {
    "hold": Act(
        "Put on hold", "Put on hold", "stock:write", ("kind", "location_id"), "The lot is on hold.", "primary",
        note="Nothing of it can be promised or shipped until it is released.",
    ),
    "release": Act(
        "Release", "Release", "quality:approve", (), "The lot is released.", "primary",
        note="It may be sold again, as far as no excursion, check or recall holds it.",
    ),
    "dispose": Act(
        "Dispose", "Throw it away", "stock:write", ("location_id", "quantity"), "It is written off.", "danger",
        "Write it off as waste?", "It leaves stock as waste; the entry stands in its movements.",
    ),
    "recall": Act(
        "Recall", "Call it back", "quality:approve", (), "The lot is called back.", "danger",
        "Call this lot back, and hold all that was made of it?",
        "It and all that was made of it is held wherever it lies, and everybody who has some of it is listed.",
    ),
    "correct": Act("Correct", "Save", "stock:write", ("expires_on", "grade"), "The lot is corrected."),
}  # fmt: skip
_FIELDS = {"hold": ("reason", "kind", "location_id"), "correct": ("reason", "expires_on", "grade")}


@router.get("/{id}/evidence.zip")
async def get_evidence(desk: AtDesk, id: str) -> Response:
    """What was measured where it lay, with a signature: for auditors."""
    file = await desk.raw(f"/evidence/lots/{id}")
    told = {name: file.headers[name] for name in ("Content-Disposition",) if name in file.headers}
    return Response(file.content, media_type="application/zip", headers=told)


@router.get("/{id}/{act}")
async def show_act(request: Request, desk: AtDesk, visitor: Looking, id: str, act: str) -> Response:
    """The form for one of these."""
    if (not_allowed := _refused(visitor, act)) is not None:
        return refusal(request, not_allowed)
    lot = await desk.get(f"{LOTS}/{id}")
    place = request.query_params.get("location_id", "")
    form = Form.of(location_id=place, kind="hold", expires_on=lot["expires_on"], grade=lot["grade"])
    return await _page(request, visitor, lot, act, form)


@router.post("/{id}/{act}")
async def do_act(request: Request, desk: AtDesk, visitor: Looking, id: str, act: str) -> Response:
    """Do it."""
    if (not_allowed := _refused(visitor, act)) is not None:
        return refusal(request, not_allowed)
    form = await forms.read(request)
    try:
        address = await _done(desk, id, act, form)
    except Refused as refused:
        form.refuse(refused, reference="reason")
        return await _page(request, visitor, await desk.get(f"{LOTS}/{id}"), act, form, refused.status)
    return go(request, address, said=ACTS[act].said)


async def _done(desk: Desk, id: str, act: str, form: Form) -> str:
    if act == "dispose":
        if not form.get("reason"):
            raise Refused(422, "VALIDATION_ERROR", "say why", {"reason": "say why"})
        wasted = form.body("location_id", "quantity", movement_type="waste", lot_id=id, reference=form.get("reason"))
        await desk.do("POST", "/warehouse/stock/movements", wasted, key=form.key)
    elif act == "recall":
        report = await desk.do("POST", f"{LOTS}/{id}/recall", form.body("reason"), key=form.key)
        return f"/console/lots/recalls/{report['recall']['id']}"
    elif act == "correct":
        await desk.do("PUT", f"{LOTS}/{id}", form.body(*_FIELDS[act]), key=form.key)
    else:
        body = form.body(*_FIELDS.get(act, ("reason",)))
        await desk.do("POST", f"{LOTS}/{id}/{act}", body, key=form.key)
    return f"/console/lots/{id}"


async def _page(request: Request, visitor: Visitor, lot: Answer, act: str, form: Form, status: int = 200) -> Response:
    lying = (await visitor.desk.page(LEVELS, lot_id=lot["id"], in_stock=True, limit=200)).items
    names = await names_of_levels(visitor, [{"lot_id": None, "location_id": None, **lot}, *lying])
    if len(lying) == 1 and act == "dispose" and "location_id" not in form.values:
        form.values["location_id"] = lying[0]["location_id"]
    places = [
        (one["location_id"], f"{names.place(one['location_id'])} · {one['on_hand'].rstrip('0').rstrip('.')}")
        for one in lying
    ]
    return show(
        request, "lots/act.html", status=status, lot=lot, name=act, act=ACTS[act], form=form, places=places, names=names
    )


def _refused(visitor: Visitor, act: str) -> Refused | None:
    if act not in ACTS:
        return Refused(404, "NOT_FOUND", "there is no such page")
    if not visitor.may(ACTS[act].needs):
        return Refused(403, "FORBIDDEN", f"this needs the permission {ACTS[act].needs}")
    return None
