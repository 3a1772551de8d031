"""`/console/gateways`."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.files import MOST_ROWS, moment, table_file
from cloud_api.console.forms import Form
from cloud_api.console.gateways import differences, wanted
from cloud_api.console.gateways.lost import router as lost
from cloud_api.console.gateways.readers import router as readers
from cloud_api.console.gateways.scales import router as scales
from cloud_api.console.gateways.sensors import router as sensors
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.qr import picture_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router()
_API = "/edge/gateways"
_HERE = "/console/gateways"
_DUE_DAYS = 30
COMMANDS = ("restart", "identify", "upload_logs", "rotate_credential", "tare", "reset_alarm")
#: commands that name something
NAMING = ("tare", "reset_alarm")
_MOVED = (
    "Somebody else has changed the configuration meanwhile. What you see below is yours; open it anew to see theirs."
)


@router.get("/gateways")
async def list_gateways(request: Request, desk: AtDesk) -> Response:
    """Every gateway in service, and what has to be calibrated."""
    shown, due = await together(_fleet(request, desk), desk.get("/edge/calibrations/due", within_days=_DUE_DAYS))
    return show(request, "gateways/list.html", due=due, **shown)


@router.get("/gateways/part")
async def list_gateways_part(request: Request, desk: AtDesk) -> Response:
    """The table of gateways, as it is now."""
    return show(request, "gateways/list_part.html", **await _fleet(request, desk))


@router.get("/gateways/new")
async def show_new_gateway(request: Request) -> Response:
    """The form of a gateway to come."""
    return show(request, "gateways/new.html")


@router.post("/gateways")
async def announce_gateway(request: Request, desk: AtDesk) -> Response:
    """Announce a gateway: its claim code is shown now, and never again."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _API, form.body("name"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return show(request, "gateways/new.html", status=refused.status, form=form)
    return _claim(request, made, form.get("name"))


for its in (sensors, readers, scales, lost):
    router.include_router(its)


@router.get("/gateways/{id}")
async def show_gateway(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """How one gateway is: its heartbeats, what waits in it, its alarms."""
    return show(request, "gateways/health.html", here="health", **await _health(request, desk, visitor, id))


@router.get("/gateways/{id}/part")
async def show_gateway_part(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The same again when something has changed."""
    return show(request, "gateways/health_part.html", **await _health(request, desk, visitor, id))


@router.get("/gateways/{id}/devices")
async def list_devices(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Its sensors, readers and scales."""
    gateway, its, its_readers, its_scales = await together(
        desk.get(f"{_API}/{id}"),
        table(request, desk, "/edge/sensors", filters=("code", "quantity", "status"), gateway_id=id),
        desk.every("/edge/readers", gateway_id=id),
        desk.every("/edge/scales", gateway_id=id),
    )
    placed = [row["location_id"] for row in (*its.rows, *its_readers, *its_scales)]
    return show(
        request,
        "gateways/devices.html",
        here="devices",
        gateway=gateway,
        table=its,
        readers=its_readers,
        scales=its_scales,
        names=await names_of(visitor, places=placed),
    )


@router.get("/gateways/{id}/commands")
async def list_commands(request: Request, desk: AtDesk, id: str) -> Response:
    """What it was told, and what became of it."""
    return await _commands(request, desk, id)


@router.get("/gateways/{id}/commands/part")
async def list_commands_part(request: Request, desk: AtDesk, id: str) -> Response:
    """The table of its commands, as it is now."""
    rows = await table(request, desk, f"{_API}/{id}/commands")
    return show(request, "gateways/commands_part.html", table=rows)


@router.post("/gateways/{id}/commands")
async def send_command(request: Request, desk: AtDesk, id: str) -> Response:
    """Tell it to do something once."""
    form = await forms.read(request)
    body = form.body("kind")
    if form.get("kind") in NAMING:
        body |= form.body("target")
    if form.get("expires_in_s").isdecimal():
        body["expires_in_s"] = int(form.get("expires_in_s"))
    try:
        await desk.do("POST", f"{_API}/{id}/commands", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _commands(request, desk, id, status=refused.status, form=form)
    return go(request, f"{_HERE}/{id}/commands", said="It hears of this with its next word.")


@router.get("/gateways/{id}/alarms")
async def list_alarms(request: Request, desk: AtDesk, id: str) -> Response:
    """All that its own judge has raised."""
    source = f"{_API}/{id}/alarms"
    gateway, rows, its = await together(desk.get(f"{_API}/{id}"), table(request, desk, source), _sensors(desk, id))
    return show(request, "gateways/alarms.html", here="alarms", gateway=gateway, table=rows, codes=its)


@router.get("/gateways/{id}/alarms/export")
async def export_alarms(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The same as a file."""
    rows, its = await together(desk.every(f"{_API}/{id}/alarms", most=MOST_ROWS), _sensors(desk, id))
    head = ("Raised", "Began", "Over since", "Sensor", "What", "Value", "Rule")
    told = (
        [
            *(moment(one[name]) for name in ("raised_at", "started_at", "cleared_at")),
            its.get(one["sensor_id"], {}).get("code", ""),
            visitor.writing.word(one["kind"]),
            one["value"],
            one["rule"],
        ]
        for one in rows
    )
    return table_file(request, "gateway-alarms", [visitor.say(name) for name in head], told)


@router.get("/gateways/{id}/logs")
async def list_logs(request: Request, desk: AtDesk, id: str) -> Response:
    """What it handed in of its log."""
    gateway, rows = await together(desk.get(f"{_API}/{id}"), table(request, desk, f"{_API}/{id}/logs", limit=10))
    return show(request, "gateways/logs.html", here="logs", gateway=gateway, table=rows)


@router.get("/gateways/{id}/config")
async def show_config(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What it is to do."""
    return await _config(request, desk, visitor, id)


@router.post("/gateways/{id}/config")
async def change_config(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Set what is its own, as a new version."""
    form = await forms.read(request)
    config = await desk.get(f"{_API}/{id}/config")
    body = wanted.body_of(form, config)
    if form.get("version") != str(config["version"]):
        form.problem = visitor.say(_MOVED)
        return await _config(request, desk, visitor, id, status=409, form=form)
    try:
        made = await desk.do("PUT", f"{_API}/{id}/config", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _config(request, desk, visitor, id, status=refused.status, form=form)
    changed = made["version"] != config["version"]
    said = "The configuration is a new version; the gateway takes it soon." if changed else "Nothing has changed."
    return go(request, f"{_HERE}/{id}/config", said=said)


@router.post("/gateways/{id}/config/rollback")
async def roll_back(request: Request, desk: AtDesk, id: str) -> Response:
    """Give it what an earlier version had."""
    form = await forms.read(request)
    version = form.get("version")
    await desk.do("POST", f"{_API}/{id}/config/rollback", {"version": int(version) if version.isdecimal() else version})
    return go(request, f"{_HERE}/{id}/config", said="The earlier configuration is a new version.")


@router.post("/gateways/{id}/name")
async def rename_gateway(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Call it something else."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_API}/{id}", {**form.body("name"), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        told = await _health(request, desk, visitor, id)
        clashes.meet(form, refused, told["naming"], {"name": visitor.say("Name")})
        return show(request, "gateways/health.html", status=refused.status, here="health", **{**told, "naming": form})
    return go(request, f"{_HERE}/{id}", said="The gateway has its new name.")


@router.post("/gateways/{id}/claim-code")
async def draw_claim_code(request: Request, desk: AtDesk, id: str) -> Response:
    """A new claim code, for the box that replaces this one."""
    form = await forms.read(request)
    gateway = await desk.get(f"{_API}/{id}")
    made = await desk.do("POST", f"{_API}/{id}/claim-code", key=form.key)
    return _claim(request, made, gateway["name"])


@router.post("/gateways/{id}/revoke")
async def revoke_gateway(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it out of service, for good."""
    form = await forms.read(request)
    await desk.do("DELETE", f"{_API}/{id}", sensors="keep" if form.get("sensors") == "keep" else "retire")
    return go(request, _HERE, said="The gateway is out of service, and its credential is dead.")


def _claim(request: Request, made: Answer, name: str) -> Response:
    told = {"url": request.app.state.settings.public_url, "picture": picture_of(made["claim_code"])}
    return show(request, "gateways/claim.html", made=made, name=name, **told)


async def _fleet(request: Request, desk: Desk) -> dict[str, Any]:
    rows = await table(request, desk, _API, filters=("status",))
    serving = [row for row in rows.rows if row["status"] == "active"]
    return {
        "table": rows,
        "serving": len(serving),
        "online": sum(row["online"] for row in serving),
        "waiting": sum(row["backlog_rows"] or 0 for row in serving),
        "unsettled": sum(row["config_state"] in ("refused", "rolled_back") for row in serving),
    }


async def _health(request: Request, desk: Desk, visitor: Visitor, id: str) -> dict[str, Any]:
    gateway, beats, alarms, its = await together(
        desk.get(f"{_API}/{id}"),
        desk.page(f"{_API}/{id}/heartbeats", limit=12),
        desk.page(f"{_API}/{id}/alarms", limit=10),
        _sensors(desk, id),
    )
    return {
        "gateway": gateway,
        "beats": beats.items,
        "beat": beats.items[0] if beats.items else None,
        "alarms": alarms.items,
        "codes": its,
        "naming": Form.of(name=gateway["name"], version=gateway["version"]),
    }


async def _sensors(desk: Desk, id: str) -> dict[str, Answer]:
    return {row["id"]: row for row in await desk.every("/edge/sensors", gateway_id=id)}


async def _commands(request: Request, desk: Desk, id: str, *, status: int = 200, form: Form | None = None) -> Response:
    gateway, rows = await together(desk.get(f"{_API}/{id}"), table(request, desk, f"{_API}/{id}/commands"))
    shown = form or Form.of(expires_in_s=3_600)
    return show(
        request,
        "gateways/commands.html",
        status=status,
        here="commands",
        gateway=gateway,
        table=rows,
        form=shown,
        kinds=COMMANDS,
    )


async def _config(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, form: Form | None = None
) -> Response:
    gateway, config, history = await together(
        desk.get(f"{_API}/{id}"), desk.get(f"{_API}/{id}/config"), desk.page(f"{_API}/{id}/config/history", limit=20)
    )
    shown = form or wanted.form_of(config)
    return show(
        request,
        "gateways/config.html",
        status=status,
        here="config",
        gateway=gateway,
        config=config,
        history=history.items,
        new_in=differences.by_version(history.items, visitor),
        names=await names_of(visitor, people=[one["created_by"] for one in history.items]),
        form=shown,
        rows=wanted.rows_of(shown),
        watch_kinds=wanted.WATCH_KINDS,
        output_kinds=wanted.OUTPUT_KINDS,
    )
