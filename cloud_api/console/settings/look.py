"""`/console/settings/look`: the white label, as the sign-in and the head of each page show it."""

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/settings/look")
LOOK = "/console/settings/look"
_FIELDS = {
    "name": "Name above the pages",
    "primary_colour": "Colour of buttons",
    "accent_colour": "Second colour",
}


@router.get("")
async def show_look(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form, and where the sign-in of the organisation is."""
    who.need("organizations:write")
    return await _page(request, who, await desk.get(f"{_own(who)}/branding"))


@router.post("")
async def change_look(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Another name, other colours."""
    form = await forms.read(request)
    before = await desk.get(f"{_own(who)}/branding")
    body = {**form.body(*_FIELDS), "logo_url": before["logo_url"], **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_own(who)}/branding", body)
    except Refused as refused:
        form.refuse(refused)
        now = _form_of(before, await desk.get(_own(who)))
        clashes.meet(form, refused, now, clashes.said(who, _FIELDS))
        return await _page(request, who, before, form=form, status=refused.status)
    return go(request, LOOK, said="Saved.")


@router.post("/logo")
async def set_logo(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Another picture."""
    sent = await forms.file_of(request, "logo")
    try:
        await _send(desk, who, sent)
    except Refused as refused:
        form = forms.Form()
        form.errors["logo"] = refused.message
        before = await desk.get(f"{_own(who)}/branding")
        return await _page(request, who, before, picture=form, status=refused.status)
    return go(request, LOOK, said="The logo is shown from now on.")


@router.post("/logo/remove")
async def remove_logo(request: Request, desk: AtDesk, who: Looking) -> Response:
    """No picture any more."""
    await desk.do("DELETE", f"{_own(who)}/logo")
    return go(request, LOOK, said="The logo is gone.")


async def _send(desk: Desk, who: Visitor, sent: forms.Sent | None) -> None:
    if sent is None:
        raise Refused(422, "VALIDATION_FAILED", who.say("Choose a picture."))
    await desk.send_file("PUT", f"{_own(who)}/logo", sent.content, sent.kind)


def _own(who: Visitor) -> str:
    assert who.me is not None  # noqa: S101 - the route class has seen to it
    return f"/organizations/{who.me['organization']['id']}"


def _form_of(branding: Answer, organization: Answer) -> forms.Form:
    return forms.Form.of({name: branding[name] for name in _FIELDS}, version=organization["version"])


async def _page(
    request: Request,
    who: Visitor,
    branding: Answer,
    *,
    form: forms.Form | None = None,
    picture: forms.Form | None = None,
    status: int = 200,
) -> Response:
    assert who.me is not None  # noqa: S101 - the route class has seen to it
    address = f"{request.url.replace(path='/console/sign-in', query='')}?organization={who.me['organization']['slug']}"
    return show(
        request,
        "settings/look.html",
        status=status,
        branding=branding,
        address=address,
        form=form or _form_of(branding, await who.desk.get(_own(who))),
        picture=picture or forms.Form(),
    )
