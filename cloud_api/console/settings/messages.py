"""`/console/settings/messages`: what customers and colleagues are told, in whose words."""

import re
from collections.abc import Sequence

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.texts import LANGUAGES

router = console_router("/settings/messages")
MESSAGES = "/console/settings/messages"
_SOURCE = "/notifications/templates"
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
#: what two people may say differently, as the form calls it
_LABELS = {"subject": "Subject", "body": "Text"}
#: as people know them -> the API's; what has no name here is called as its code says
KINDS = {
    "order.packed": "The order is packed",
    "stop.next": "The van comes to them next",
    "stop.arrived": "The van is at the door",
    "stop.failed": "The order could not be handed over",
    "stop.delivered": "The order was handed over",
    "eta.moved": "The order comes at another time",
    "delivery.otp": "The code at the door",
    "delivery.message": "What the driver writes",
    "payment.refunded": "Money goes back",
    "route.published": "A route for a driver",
    "route.changed": "A driver's route has changed",
    "delivery.failed": "A delivery has failed",
    "van.warm": "A van is too warm",
    "phone.silent": "A driver's phone is silent",
    "replan.proposed": "A new plan is proposed",
    "fleet.due": "Papers or service of a van are due",
}


@router.get("")
async def list_messages(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Every kind of message, and where it goes out in words of one's own."""
    kinds: dict[str, list[Answer]] = {}
    for one in await desk.get(_SOURCE):
        kinds.setdefault(one["key"], []).append(one)
    return show(request, "settings/messages.html", kinds=kinds, called=_called(who, kinds), languages=LANGUAGES)


@router.get("/{key}")
async def show_message(request: Request, desk: AtDesk, who: Looking, key: str) -> Response:
    """One text: `channel` and `locale` are in the address; in another language it begins with the English words."""
    known = await _known(desk, who, key)
    channel = request.query_params.get("channel", known[0]["channel"])
    locale = request.query_params.get("locale", "en").strip()
    if not _LOCALE.fullmatch(locale):
        said = who.say("A language is written as hi or kn-IN")
        raise Refused(422, "VALIDATION_FAILED", said, {"locale": said})
    one = _one(known, channel, locale)
    return await _page(request, desk, who, one, _form_of(one, locale))


@router.post("/{key}")
async def change_message(request: Request, desk: AtDesk, who: Looking, key: str) -> Response:
    """Say it in words of one's own."""
    form = await forms.read(request)
    if not form.get("body"):
        form.errors["body"] = who.say("Write something, or go back to the usual words")
        return await _again(request, desk, who, key, form, 422)
    body = {**form.body("channel", "locale", "subject", "body"), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_SOURCE}/{key}", body)
    except Refused as refused:
        form.refuse(refused)
        one = _one(await _known(desk, who, key), form.get("channel"), form.get("locale"))
        clashes.meet(form, refused, _form_of(one, form.get("locale")), clashes.said(who, _LABELS))
        return await _again(request, desk, who, key, form, refused.status)
    return go(request, MESSAGES, said="It is said in these words from now on.")


@router.post("/{key}/preview")
async def preview_message(request: Request, desk: AtDesk, who: Looking, key: str) -> Response:
    """How the typed words read; nothing is kept."""
    form = await forms.read(request)
    try:
        seen = await desk.do("POST", f"{_SOURCE}/{key}/preview", form.body("channel", "subject", "body"))
    except Refused as refused:
        form.refuse(refused)
        return await _again(request, desk, who, key, form, refused.status)
    return await _again(request, desk, who, key, form, 200, seen=seen)


@router.post("/{key}/back")
async def take_back(request: Request, desk: AtDesk, key: str) -> Response:
    """Say it in the usual words again."""
    form = await forms.read(request)
    await desk.do("PUT", f"{_SOURCE}/{key}", form.body("channel", "locale", body=None))
    return go(request, MESSAGES, said="It is said in the usual words again.")


async def _again(
    request: Request, desk: Desk, who: Visitor, key: str, form: Form, status: int, *, seen: Answer | None = None
) -> Response:
    one = _one(await _known(desk, who, key), form.get("channel"), form.get("locale"))
    return await _page(request, desk, who, one, form, status=status, seen=seen)


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    one: Answer,
    form: Form,
    *,
    status: int = 200,
    seen: Answer | None = None,
) -> Response:
    if seen is None and status == 200:
        words = {name: one[name] for name in ("channel", "subject", "body")}
        seen = await desk.do("POST", f"{_SOURCE}/{one['key']}/preview", words)
    title = _called(who, [one["key"]])[one["key"]]
    return show(
        request, "settings/message.html", status=status, one=one, form=form, seen=seen, title=title, languages=LANGUAGES
    )


async def _known(desk: Desk, who: Visitor, key: str) -> list[Answer]:
    """A kind's texts in force.

    Raises:
        Refused: when there is no such kind.
    """
    found = [one for one in await desk.get(_SOURCE) if one["key"] == key]
    if not found:
        raise Refused(404, "NOT_FOUND", who.say("There is no such message"))
    return found


def _one(known: Sequence[Answer], channel: str, locale: str) -> Answer:
    """The text in force; where there is none in this language, the English one as that of nobody."""
    by_channel = [one for one in known if one["channel"] == channel] or known
    for one in by_channel:
        if one["locale"] == locale:
            return one
    english = next(one for one in by_channel if one["locale"] == "en")
    return {**english, "locale": locale, "is_own": False, "version": 0, "is_new": True}


def _form_of(one: Answer, locale: str) -> Form:
    fields = {name: one[name] for name in ("channel", "subject", "body", "version")}
    return Form.of({**fields, "locale": locale})


def _called(who: Visitor, keys: Sequence[str] | dict[str, list[Answer]]) -> dict[str, str]:
    return {key: who.say(KINDS[key]) if key in KINDS else who.writing.word(key) for key in keys}
