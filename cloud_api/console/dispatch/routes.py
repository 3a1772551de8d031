"""`/console/dispatch`: the board, plans and proposals, edits by hand."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import warehouses_of
from cloud_api.console.dispatch import board, words
from cloud_api.console.dispatch.history import router as history
from cloud_api.console.dispatch.settings import router as settings
from cloud_api.console.forms import Form
from cloud_api.console.pages import go, show, visitor_of
from cloud_api.console.route import AtDesk, Looking, console_router

pages = console_router("/dispatch")
HERE = "/console/dispatch"
_LONGEST_S = 300
#: of the API's limit on one edit
_MOST_MOVES = 200


@pages.get("")
async def show_board(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A day of a warehouse; with `job`, what a job found for it, to be looked at and changed."""
    asked = request.query_params
    places = await warehouses_of(looking, closed=True)
    if not places:
        await desk.get("/dispatch/constraints")  # refused to whoever may not plan at all
        return show(request, "dispatch/board.html", places=[], day=None, job=None, solution=None)
    job = await desk.get(f"/dispatch/jobs/{asked['job']}") if asked.get("job") else None
    if job is not None and job["status"] != "succeeded":
        return go(request, _of(job))
    warehouse_id = str(job["warehouse_id"]) if job else asked.get("warehouse_id") or str(places[0]["id"])
    seen = await board.day_of(desk, warehouse_id, str(job["delivery_date"]) if job else asked.get("date", ""))
    solution = await desk.get(f"/dispatch/jobs/{job['id']}/solution") if job else None
    proposals = [] if job else await _proposals(desk, seen["jobs"])
    return show(
        request,
        "dispatch/board.html",
        places=places,
        day=seen,
        job=job,
        solution=solution,
        proposals=proposals,
        running=[each for each in seen["jobs"] if each["status"] in ("queued", "running")],
        found=[each for each in seen["jobs"] if each["status"] == "succeeded" and each["kind"] == "plan"],
        source=f"{HERE}/board.json?{urlencode(_source(seen, job))}",
        here=address(seen["warehouse_id"], seen["delivery_date"]),
        spoken=words.of_script(looking.say),
        numbers={str(each["vehicle_id"]): each["number"] for each in seen["vans"]},
    )


@pages.get("/board.json")
async def get_board(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The board for its script."""
    asked = request.query_params
    try:
        if asked.get("job"):
            said = await board.of_job(desk, looking, asked["job"])
        else:
            said = await board.of_day(desk, looking, asked.get("warehouse_id", ""), asked.get("date", ""))
    except Refused as refused:
        return _refusal(refused)
    return JSONResponse({**said, "zone": str(looking.writing.zone)}, headers={"Cache-Control": "no-store"})


@pages.get("/plan")
async def show_plan(request: Request, desk: AtDesk) -> Response:
    """What to plan a day with."""
    asked = request.query_params
    form = Form.of(warehouse_id=asked.get("warehouse_id", ""), delivery_date=asked.get("date", ""))
    form.values |= {"time_limit_s": "10", "departs_at": "07:00"}
    form.many["order_ids"] = [one for one in asked.getlist("order_ids") if one]
    return await _plan_form(request, desk, form)


@pages.post("/plan")
async def plan(request: Request, desk: AtDesk) -> Response:
    """Have a day planned; what is found is looked at before any route is made."""
    form = await forms.read(request)
    limit = form.get("time_limit_s")
    body = form.body("warehouse_id", "delivery_date", "departs_at", "objective", "time_limit_s")
    body |= {"order_ids": form.many.get("order_ids", []), "vehicle_ids": form.many.get("vehicle_ids", [])}
    if limit.isdecimal():
        body["time_limit_s"] = int(limit)
    try:
        job = await desk.do("POST", "/dispatch/jobs", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _plan_form(request, desk, form, status=refused.status)
    return go(request, _of(job), said="The day is being planned.")


@pages.get("/jobs/{id}/progress")
async def show_progress(request: Request, desk: AtDesk, looking: Looking, id: str) -> Response:
    """How far a job is; what it found, as soon as it has."""
    job = await desk.get(f"/dispatch/jobs/{id}")
    if job["status"] in ("queued", "running"):
        return show(request, "dispatch/progress.html", job=job)
    if job["status"] == "succeeded":
        return go(request, f"{HERE}?job={job['id']}")
    said = "The planning is stopped."
    if job["status"] == "failed":
        said = looking.say("The plan failed: {error}", error=job["error"])
    elif job["status"] == "discarded":
        said = "Nothing would change: there is no proposal."
    return go(request, _of(job), said=said)


@pages.post("/jobs/{id}/cancel")
async def cancel(request: Request, desk: AtDesk, id: str) -> Response:
    """Stop a job that runs; throw away what one found."""
    job = await desk.do("POST", f"/dispatch/jobs/{id}/cancel")
    thrown = job["status"] == "discarded"
    said = "The proposal is dismissed." if thrown else "The planning is stopped."
    return go(request, _of(job), said=said)


@pages.post("/jobs/{id}/apply")
async def apply(request: Request, desk: AtDesk, id: str) -> Response:
    """Make routes of what a job found; what no longer holds is named, and may be left out."""
    form = await forms.read(request)
    version = form.get("version")
    body = {
        "allow_partial": form.ticked("allow_partial"),
        "version": int(version) if version.isdecimal() else None,
    }
    try:
        job = await desk.do("POST", f"/dispatch/jobs/{id}/apply", body, key=form.key)
    except Refused as refused:
        if refused.status != 409:
            raise
        job = await desk.get(f"/dispatch/jobs/{id}")
        told = {"job": job, "refused": refused, "outdated": refused.code == "PLAN_OUTDATED"}
        return show(request, "dispatch/outdated.html", status=409, here=_of(job), **told)
    said = "The routes are made and their drivers told."
    if form.ticked("allow_partial"):
        said = "What still held is made. The rest waits on the board."
    return go(request, _of(job), said=said)


@pages.post("/jobs/{id}/edits")
async def edit_job(request: Request, desk: AtDesk, id: str) -> Response:
    """Change what a job found; for the board's script."""
    sent = await _moves(request)
    return await _edited(desk, {**sent, "job_id": id})


@pages.post("/edits")
async def edit_day(request: Request, desk: AtDesk) -> Response:
    """Change routes that have not left; for the board's script."""
    return await _edited(desk, await _moves(request))


@pages.post("/replan")
async def replan(request: Request, desk: AtDesk) -> Response:
    """Have what is left of a day planned again, as a proposal."""
    form = await forms.read(request)
    body = {**form.body("cause", "why"), "route_ids": form.many.get("route_ids", [])}
    job = await desk.do("POST", "/dispatch/replan", body, key=form.key)
    return go(request, _of(job), said="The rest of the day is being planned again.")


def address(warehouse_id: object, day: object) -> str:
    """Where a day's board is."""
    return f"{HERE}?{urlencode({'warehouse_id': str(warehouse_id), 'date': str(day)})}"


def _of(job: Answer) -> str:
    return address(job["warehouse_id"], job["delivery_date"])


def _source(seen: Answer, job: Answer | None) -> dict[str, str]:
    if job is not None:
        return {"job": str(job["id"])}
    return {"warehouse_id": str(seen["warehouse_id"]), "date": str(seen["delivery_date"])}


async def _proposals(desk: Desk, jobs: list[Answer]) -> list[dict[str, Any]]:
    """Replans that wait for somebody, with what each would change; there is one a cause at most."""
    waiting = [each for each in jobs if each["kind"] == "replan" and each["status"] == "succeeded"]
    found = await together(*(desk.get(f"/dispatch/jobs/{each['id']}/solution") for each in waiting))
    return [{"job": job, "solution": solution} for job, solution in zip(waiting, found, strict=True)]


async def _plan_form(request: Request, desk: Desk, form: Form, *, status: int = 200) -> Response:
    seen, places, said = await together(
        board.day_of(desk, form.get("warehouse_id"), form.get("delivery_date")),
        warehouses_of(visitor_of(request), closed=True),
        desk.get("/dispatch/constraints"),
    )
    form.values.setdefault("objective", said["objective"])
    form.values["delivery_date"] = str(seen["delivery_date"])
    place = next((each for each in places if str(each["id"]) == str(seen["warehouse_id"])), None)
    return show(
        request,
        "dispatch/plan.html",
        status=status,
        form=form,
        day=seen,
        place=place,
        chosen=form.many.get("order_ids", []),
        vans_chosen=form.many.get("vehicle_ids", []),
        longest_s=_LONGEST_S,
        here=address(seen["warehouse_id"], seen["delivery_date"]),
    )


async def _moves(request: Request) -> dict[str, Any]:
    """What the script sent, as the API takes it: of these fields only."""
    sent = await request.json()
    known = ("warehouse_id", "delivery_date", "version", "route_versions", "dry_run", "force")
    return {
        "moves": list(sent.get("moves", []))[:_MOST_MOVES],
        **{name: sent[name] for name in known if sent.get(name) is not None},
    }


async def _edited(desk: Desk, wanted: dict[str, Any]) -> Response:
    try:
        return JSONResponse(await desk.do("POST", "/dispatch/assignments", wanted))
    except Refused as refused:
        return _refusal(refused)


def _refusal(refused: Refused) -> JSONResponse:
    """Why not, for a script."""
    return JSONResponse({"code": refused.code, "message": refused.message}, refused.status)


router = APIRouter(include_in_schema=False)
for _part in (pages, settings, history):
    router.include_router(_part)
