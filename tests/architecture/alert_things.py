"""Alerts, who is told of them, and what people were told, for the operations of these."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

from cloud_api.cold_chain.alerts.service import raise_alert
from cloud_api.kernel import clock
from tests.architecture.worlds import World
from tests.factories.scopes import id_of

POLICIES = "/api/v1/alerts/escalation-policies"
ON_CALL_LISTS = "/api/v1/notifications/on-call-lists"
STEPS: list[object] = [{"to": {"kind": "everyone"}, "channels": ["push"]}]


async def an_alert(world: World) -> str:
    """Of the store's room."""
    number = world.number()
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        alert = await raise_alert(
            db,
            group=f"high:temperature:{number}",
            subject=f"excursion:{number}",
            alert_type="high_temp",
            severity="warning",
            title="Cold room 1: temperature above 8 °C",
            message="9.5 °C",
            location_id=uuid.UUID(world.store.room_id),
            at=clock.now(),
        )
        return str(alert.id)


async def in_an_hour(_world: World) -> dict[str, object]:
    return {"until": (clock.now() + timedelta(hours=1)).isoformat()}


async def a_policy(world: World) -> str:
    body = {"name": f"Policy {world.number()}", "steps": STEPS}
    return str((await world.tenant.post(POLICIES, body))["id"])


async def an_on_call_list(world: World) -> str:
    """With the administrator on it."""
    body = {"name": f"List {world.number()}", "members": [{"user_id": await id_of(world.tenant)}]}
    return str((await world.tenant.post(ON_CALL_LISTS, body))["id"])


async def a_notification(world: World) -> str:
    """To the administrator."""
    body = {"user_ids": [await id_of(world.tenant)], "title": "Stock-take", "message": "On Monday"}
    await world.tenant.post("/api/v1/notifications", body)
    newest = (await world.tenant.get("/api/v1/notifications", limit=1))[0]
    return str(newest["id"])


#: operation -> what makes the thing that its path names, and what it is sent
ALERTS: dict[str, tuple[Callable[[World], Awaitable[str]], object]] = {
    "get_alert": (an_alert, None),
    "acknowledge_alert": (an_alert, {"comment": "on it"}),
    "snooze_alert": (an_alert, in_an_hour),
    "escalate_alert": (an_alert, {"note": "the door does not close"}),
    "resolve_alert": (an_alert, {"note": "the door was open"}),
    "add_alert_note": (an_alert, {"note": "the door was open"}),
    "mark_alert_read": (an_alert, None),
    "get_escalation_policy": (a_policy, None),
    "update_escalation_policy": (a_policy, {"steps": STEPS}),
    "delete_escalation_policy": (a_policy, None),
    "get_on_call_list": (an_on_call_list, None),
    "update_on_call_list": (an_on_call_list, {"timezone": "Asia/Kolkata"}),
    "delete_on_call_list": (an_on_call_list, None),
    "mark_notification_read": (a_notification, None),
    "delete_notification": (a_notification, None),
}
