"""`/console/settings/privacy`: requests to erase what is kept about somebody."""

from fastapi import Request, Response

from cloud_api.console.names import names_of
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/settings/privacy")
PRIVACY = "/console/settings/privacy"


@router.get("")
async def list_requests(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Who asked, about whom, and what became of it."""
    found = await table(request, desk, "/privacy/erasure-requests")
    people = [one[field] for one in found.rows for field in ("subject_id", "requested_by")]
    return show(request, "settings/privacy.html", table=found, names=await names_of(who, people=people))


@router.post("/{id}/execute")
async def execute(request: Request, desk: AtDesk, id: str) -> Response:
    """Make the person's data unreadable."""
    await desk.do("POST", f"/privacy/erasure-requests/{id}/execute")
    return go(request, PRIVACY, said="The data is erased.")


@router.post("/{id}/cancel")
async def cancel(request: Request, desk: AtDesk, id: str) -> Response:
    """Leave it as it is."""
    await desk.do("POST", f"/privacy/erasure-requests/{id}/cancel")
    return go(request, PRIVACY, said="The data stays as it is.")
