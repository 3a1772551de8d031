"""`/console/settings`: the organisation's settings, by what they are about. The other pages stand beside."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.pages import go, show, visitor_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.settings import features, look, machines, messages, privacy, providers, retention, upkeep

settings = console_router("/settings")
SETTINGS = "/console/settings"
#: the first word of a key -> the group that it stands in; what is new stands in the last
_GROUPS: Mapping[str, str] = {
    "locale": "Language and units",
    "units": "Language and units",
    "session": "Signing in",
    "sign_in": "Signing in",
    "password": "Signing in",
    "sso_enforced": "Signing in",
    "ip_allowlist_enforced": "Signing in",
    "orders": "Orders",
    "returns": "Returns",
    "inventory": "Stock",
    "stock_takes": "Stock",
    "deliveries": "Deliveries",
    "fleet": "Fleet",
    "notifications": "Notifications",
}
_LAST = "Other"
_MEANWHILE = "CHANGED_MEANWHILE"
#: what a setting is called on the page; what has no name here is called as its key says
_TITLES: Mapping[str, str] = {
    "locale": "Language and country",
    "units.temperature": "Temperatures in",
    "session.limit": "Sign-ins at the same time",
    "sign_in.lockout_attempts": "Wrong passwords until locked",
    "sign_in.lockout_minutes": "Minutes that a lock lasts",
    "password.expires_days": "Days until a password expires",
    "sso_enforced": "Only by the identity provider",
    "ip_allowlist_enforced": "Only from allowed addresses",
    "orders.cut_off_hours": "Hours before delivery when orders close",
    "orders.short_pick": "When goods are missing",
    "orders.pack_tolerance_percent": "Tolerance when packing, percent",
    "orders.default_warehouse": "Usual warehouse",
    "inventory.expiring_soon_days": "Days before expiry to tell",
    "returns.within_days": "Days to ask for a return",
    "returns.outside_minutes": "Minutes outside the cold",
    "stock_takes.variance_percent": "Difference without approval, percent",
    "deliveries.otp_required": "Code at the door",
    "deliveries.otp_minutes": "Minutes that a code works",
    "deliveries.relay_number": "Number to reach customers by",
    "deliveries.upi_id": "UPI address to pay to at the door",
    "deliveries.arrival_radius_m": "Arrived within, metres",
    "deliveries.silent_after_minutes": "Minutes of silence until told",
    "deliveries.tracking_link_hours": "Hours that tracking stays open",
    "notifications.contact_days": "Days that messages are kept",
    "fleet.remind_days": "Days before papers expire to tell",
}
_RESET = "_reset"
#: before the key of a setting: what the page showed when it was opened
_WAS = "_was."


@settings.get("")
async def show_settings(request: Request, desk: AtDesk, who: Looking) -> Response:
    """All settings, each with what it may be and what it is when nobody sets it."""
    if not who.may("settings:read"):
        return go(request, _first_page(who))
    return _page(request, await desk.get("/admin/settings"))


@settings.post("")
async def change_settings(request: Request, desk: AtDesk) -> Response:
    """Change those that are not as they were; one can be set back."""
    form, known = await forms.read(request), await desk.get("/admin/settings")
    if form.get(_RESET):
        await desk.do("PUT", "/admin/settings", {"values": {form.get(_RESET): None}})
        return go(request, SETTINGS, said="It is as it is when nobody sets it.")
    shown = {one["key"]: _typed(one, form.get(_WAS + one["key"], forms.shown(one["value"]))) for one in known}
    values = {one["key"]: wanted for one in known if (wanted := _wanted(one, form)) != shown[one["key"]]}
    if not values:
        return go(request, SETTINGS, said="Nothing was changed.")
    try:
        await desk.do("PUT", "/admin/settings", {"values": values, "expected": {key: shown[key] for key in values}})
    except Refused as refused:
        form.refuse(refused)
        form.errors = {name.removeprefix("values."): message for name, message in form.errors.items()}
        if refused.code == _MEANWHILE:
            known = await desk.get("/admin/settings")
            _tell_of_others(request, form, known)
        return _page(request, known, form=form, status=refused.status)
    return go(request, SETTINGS, said="Saved.")


def _wanted(setting: Answer, form: forms.Form) -> object:
    """What was typed, of the setting's own type; what is no number goes as it is, so that the API says so."""
    key = setting["key"]
    if setting["kind"] == "boolean":
        return form.ticked(key)
    if key not in form.values:
        return setting["value"]
    return _typed(setting, form.get(key))


def _typed(setting: Answer, text: str) -> object:
    if setting["kind"] == "boolean":
        return text == "true"
    return int(text) if setting["kind"] == "integer" and text.lstrip("-").isdecimal() else text


def _tell_of_others(request: Request, form: forms.Form, known: Sequence[Answer]) -> None:
    """Beside each setting that somebody else has changed stands what it is now; who saves again takes their own."""
    say = visitor_of(request).say
    form.problem = say("Somebody else has changed these meanwhile. Look at them, and save again to have yours.")
    for one in known:
        if one["key"] in form.errors:
            form.errors[one["key"]] = say("It is {value} now.", value=forms.shown(one["value"]))
        form.values[_WAS + one["key"]] = forms.shown(one["value"])


def _page(request: Request, known: Sequence[Answer], *, form: forms.Form | None = None, status: int = 200) -> Response:
    groups: dict[str, list[Answer]] = {name: [] for name in dict.fromkeys([*_GROUPS.values(), _LAST])}
    for setting in known:
        groups[_GROUPS.get(setting["key"].partition(".")[0], _LAST)].append(setting)
    form = form or forms.Form.of(**{name + one["key"]: one["value"] for one in known for name in ("", _WAS)})
    shown = {name: some for name, some in groups.items() if some}
    return show(request, "settings/settings.html", status=status, groups=shown, titles=_TITLES, form=form)


def _first_page(who: Looking) -> str:
    """Where somebody goes who may not see the settings, but something beside them."""
    pages = {
        "flags:manage": "flags",
        "api_keys:manage": "machines",
        "privacy:manage": "privacy",
        "security:read": "addresses",
        "monitoring:read": "platform",
        "notifications:send": "messages",
    }
    return f"{SETTINGS}/{next((page for needed, page in pages.items() if who.may(needed)), 'retention')}"


@settings.get("/addresses")
async def show_addresses(request: Request, desk: AtDesk) -> Response:
    """From where administrators may come."""
    return await _addresses(request, desk)


@settings.post("/addresses")
async def add_address(request: Request, desk: AtDesk) -> Response:
    """One more address or range."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/admin/security/ip-allowlist", form.body("cidr", "label"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _addresses(request, desk, form=form, status=refused.status)
    return go(request, f"{SETTINGS}/addresses", said="The address is added.")


@settings.post("/addresses/{id}/remove")
async def remove_address(request: Request, desk: AtDesk, id: str) -> Response:
    """Let administrators come from this range no more."""
    await desk.do("DELETE", f"/admin/security/ip-allowlist/{id}")
    return go(request, f"{SETTINGS}/addresses", said="The address is gone.")


async def _addresses(request: Request, desk: Desk, *, form: forms.Form | None = None, status: int = 200) -> Response:
    ranges = await desk.every("/admin/security/ip-allowlist")
    return show(request, "settings/addresses.html", status=status, ranges=ranges, form=form or forms.Form())


router = APIRouter()
for part in (
    settings,
    look.router,
    providers.router,
    features.router,
    machines.router,
    privacy.router,
    retention.router,
    messages.router,
    upkeep.router,
):
    router.include_router(part)
