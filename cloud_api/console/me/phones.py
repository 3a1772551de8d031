"""`/console/me/phones`: one's own phones that take pushes, and whether the last push reached each."""

from fastapi import Request, Response

from cloud_api.console.asking import together
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, console_router

router = console_router("/me/phones")
PHONES = "/console/me/phones"
#: more than anybody carries; what became of the last push is asked for one by one
_MOST = 20


@router.get("")
async def show_phones(request: Request, desk: AtDesk) -> Response:
    """Every phone, the last registered first."""
    known = (await desk.page("/mobile/devices", limit=_MOST)).items
    phones = await together(*(desk.get(f"/mobile/devices/{phone['id']}") for phone in known))
    return show(request, "me/phones.html", phones=phones)


@router.post("/{id}/try")
async def try_phone(request: Request, desk: AtDesk, id: str) -> Response:
    """Push to this phone alone."""
    await desk.do("POST", f"/mobile/devices/{id}/test")
    return go(request, PHONES, said="A push is on its way. Look again in a moment.")


@router.post("/{id}/remove")
async def remove_phone(request: Request, desk: AtDesk, id: str) -> Response:
    """Send nothing more to it."""
    await desk.do("DELETE", f"/mobile/devices/{id}")
    return go(request, PHONES, said="Nothing more is sent to this phone.")
