"""`/console/products/keywords`: words that products are found by, whatever category they stand in."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products/keywords")

_API = "/warehouse/tags"
_HERE = "/console/products/keywords"
_MOST = 500


@router.get("")
async def show_keywords(request: Request, visitor: Looking) -> Response:
    """All of them, and the form for another."""
    return await _page(request, visitor, Form())


@router.post("")
async def add_keyword(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """A word, and the colour of its mark."""
    form = await forms.read(request)
    body = form.body("name", "color") if form.ticked("coloured") else form.body("name")
    try:
        await desk.do("POST", _API, body, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(refused)
        return await _page(request, visitor, form, status=refused.status)
    return go(request, _HERE, said="The keyword is added.")


@router.post("/{id}/delete")
async def delete_keyword(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away, from the products that have it too."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, _HERE, said="The keyword is taken away.")


async def keywords_of(desk: Desk) -> list[Answer]:
    """Keywords by name."""
    return sorted(await desk.every(_API, most=_MOST), key=lambda one: str(one["name"]).casefold())


async def _page(request: Request, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    rows = await keywords_of(visitor.desk)
    return show(request, "products/keywords.html", status=status, form=form, rows=rows)
