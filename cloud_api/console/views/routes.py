"""`/console/views`: the views that somebody saved of a page, as the page's script asks for them."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.route import AtDesk, console_router

router = console_router("/views")
_SOURCE = "/auth/me/saved-views"


@router.get("")
async def list_views(request: Request, desk: AtDesk) -> Response:
    """Those of a page."""
    return await _views(desk, request.query_params.get("page", ""))


@router.post("")
async def save_view(request: Request, desk: AtDesk) -> Response:
    """What the page shows, under a name."""
    form = await forms.read(request)
    body = {"page": form.get("page"), "name": form.get("name"), "query": form.get("query")}
    try:
        await desk.do("PUT", _SOURCE, body)
    except Refused as refused:
        return JSONResponse({"problem": next(iter(refused.fields.values()), refused.message)}, refused.status)
    return await _views(desk, form.get("page"))


@router.post("/{id}/delete")
async def delete_view(request: Request, desk: AtDesk, id: str) -> Response:
    """Forget one of the reader's saved views."""
    form = await forms.read(request)
    await desk.do("DELETE", f"{_SOURCE}/{id}")
    return await _views(desk, form.get("page"))


async def _views(desk: Desk, page: str) -> Response:
    found: list[Answer] = await desk.get(_SOURCE, page=page)
    return JSONResponse([{name: view[name] for name in ("id", "name", "query")} for view in found])
