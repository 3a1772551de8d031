"""An alert reaches each phone of those who may act on it, once, whatever the push service does meanwhile."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from sqlalchemy import Select, select, update

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.main import open_dispatcher
from cloud_api.notifications import service
from cloud_api.notifications.models import Notification, PushDelivery
from cloud_api.notifications.push import FcmPush
from cloud_api.realtime.hub import Hub
from device_sims.fcm import FcmDouble
from device_sims.fcm.phones import Phone
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def sign_in(person: Tenant, phone: Phone) -> Any:
    return await person.post("/api/v1/mobile/devices", {"registration": phone.fid})


async def raise_alert(platform: Platform, **more: Any) -> Sequence[Notification]:
    """Everybody who may answer is told of a room that is too warm."""
    said: dict[str, Any] = {"title": "Cold room 1: temperature above 8 °C", "message": "9.5 °C since 10:00 UTC"}
    about = {"severity": "error", "category": "quality", "subject": "excursion:1", "urgent": True}
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        return await service.notify(db, permission="alerts:ack", **{**said, **about, **more})


async def deliveries(platform: Platform) -> list[tuple[str, str | None]]:
    """(state, last error) of what the outbox has of ours for the push service."""
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        rows = await db.scalars(
            select(OutboxDelivery).where(
                OutboxDelivery.reaction == "notifications.push", OutboxDelivery.event_id.in_(events_of(platform))
            )
        )
        return sorted((row.state, row.last_error) for row in rows)


def events_of(platform: Platform) -> Select[tuple[uuid.UUID]]:
    return select(OutboxEvent.id).where(OutboxEvent.organization_id == platform.tenant.organization.organization_id)


async def deliver_again(platform: Platform) -> None:
    """Deliver what is waiting for its next try."""
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        ours = OutboxDelivery.event_id.in_(events_of(platform))
        await db.execute(update(OutboxDelivery).where(ours).values(due_at=clock.machine_now()))
    await platform.deliver()


async def test_an_alert_is_pushed_once_to_each_phone_of_each_person_who_may_acknowledge_it(
    pushing: Platform, double: FcmDouble
) -> None:
    staff, viewer = [await make_person(pushing, pushing.tenant, role) for role in ("inventory_staff", "viewer")]
    phones = [double.mint_phone() for _ in range(4)]
    for person, phone in zip((pushing.tenant, pushing.tenant, staff, viewer), phones, strict=True):
        await sign_in(person, phone)
    await raise_alert(pushing)
    for _ in range(2):
        await deliver_again(pushing)
    assert [len(double.deliveries(phone.fid)) for phone in phones] == [1, 1, 1, 0]
    [notification] = await staff.get("/api/v1/notifications")
    message: Any = double.deliveries(phones[2].fid)[0].message
    assert message["notification"] == {"title": notification["title"], "body": notification["message"]}
    assert message["data"] == {
        "notification_id": notification["id"],
        "subject": "excursion:1",
        "severity": "error",
    }
    assert await deliveries(pushing) == [("done", None)] * 2
    async with pushing.database.unit_of_work(pushing.tenant.organization, read_only=True) as db:
        assert {row.status for row in await db.scalars(select(PushDelivery))} == {"sent"}


def on_screen(double: FcmDouble, phone: Phone) -> list[str]:
    """The titles that a phone shows: of one tag the newest."""
    shown: dict[str, str] = {}
    for delivery in double.deliveries(phone.fid):
        message: Any = delivery.message
        shown[message["android"]["notification"]["tag"]] = message["notification"]["title"]
    return list(shown.values())


async def test_of_one_incident_a_phone_shows_the_newest_only(pushing: Platform, double: FcmDouble) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    incident = {"collapse_key": "alert:7", "data": {"alert_id": "7"}}
    for title, more in (("Warm", {}), ("Warm, again", {}), ("Over: Warm", {"urgent": False, "silent": True})):
        await raise_alert(pushing, title=title, **incident, **more)
        await pushing.deliver()
    await raise_alert(pushing, title="Another room")
    await pushing.deliver()
    assert on_screen(double, phone) == ["Over: Warm", "Another room"]
    message: Any = double.deliveries(phone.fid)[0].message
    assert message["data"]["alert_id"] == "7"
    assert message["android"]["collapse_key"] == message["apns"]["headers"]["apns-collapse-id"] == "alert:7"
    assert message["android"]["ttl"] == "86400s"
    listed = [row["title"] for row in await pushing.tenant.get("/api/v1/notifications")]
    assert listed == ["Another room", "Over: Warm"]


async def test_what_was_overtaken_before_it_left_leaves_no_more(pushing: Platform, double: FcmDouble) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    for title in ("Warm", "Warm, again"):
        await raise_alert(pushing, title=title, collapse_key="alert:7")
    await pushing.deliver()
    assert [on_screen(double, phone), len(double.deliveries(phone.fid))] == [["Warm, again"], 1]
    assert await deliveries(pushing) == [("done", None)] * 2


@pytest.mark.parametrize(
    ("more", "priority", "channel", "sound", "apns"),
    [
        ({"urgent": True}, "high", "urgent", "default", "10"),
        ({"urgent": False}, "normal", "usual", "default", "5"),
        ({"urgent": False, "silent": True}, "normal", "silent", None, "5"),
    ],
)
async def test_only_what_is_urgent_wakes_a_phone(
    pushing: Platform,
    double: FcmDouble,
    more: dict[str, bool],
    priority: str,
    channel: str,
    sound: str | None,
    apns: str,
) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    await raise_alert(pushing, **more)
    await pushing.deliver()
    message: Any = double.deliveries(phone.fid)[0].message
    android = message["android"]
    assert (android["priority"], android["notification"]["channel_id"]) == (priority, channel)
    assert android["notification"].get("sound") == message["apns"]["payload"]["aps"].get("sound") == sound
    assert message["apns"]["headers"]["apns-priority"] == apns


@pytest.mark.parametrize("letter", ["x", "ü", "क", "🌡"])
async def test_a_long_text_is_cut_to_what_the_service_takes(pushing: Platform, double: FcmDouble, letter: str) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    await raise_alert(pushing, message=letter * 3000)
    await pushing.deliver()
    message: Any = double.deliveries(phone.fid)[0].message
    assert message["notification"]["body"].endswith(f"{letter}…")
    [listed] = await pushing.tenant.get("/api/v1/notifications")
    assert listed["message"] == letter * 3000


async def test_a_notification_that_was_erased_meanwhile_is_not_sent(pushing: Platform, double: FcmDouble) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    [written] = await raise_alert(pushing)
    async with pushing.database.unit_of_work(pushing.tenant.organization) as db:
        await db.delete(await db.get_one(Notification, written.id))
    await pushing.deliver()
    assert double.deliveries() == []
    assert await deliveries(pushing) == [("done", None)]


async def test_a_phone_without_the_app_is_asked_no_more_and_the_others_are_served(
    pushing: Platform, double: FcmDouble
) -> None:
    gone, here = double.mint_phone(), double.mint_phone()
    for phone in (gone, here):
        await sign_in(pushing.tenant, phone)
    double.uninstall(gone.fid)
    await raise_alert(pushing)
    await pushing.deliver()
    assert [len(double.deliveries(phone.fid)) for phone in (gone, here)] == [0, 1]
    phones = await pushing.tenant.get("/api/v1/mobile/devices")
    assert sorted(phone["is_active"] for phone in phones) == [False, True]
    assert await deliveries(pushing) == [("done", None)]
    asked = double.requests[f"/v1/projects/{double.project_id}/messages:send"]
    await raise_alert(pushing)
    await pushing.deliver()
    assert double.requests[f"/v1/projects/{double.project_id}/messages:send"] == asked + 1


async def test_a_registration_that_is_none_is_refused_for_good(pushing: Platform, double: FcmDouble) -> None:
    await pushing.tenant.post("/api/v1/mobile/devices", {"registration": "nobody-knows-this-one"})
    await raise_alert(pushing)
    await pushing.deliver()
    assert await deliveries(pushing) == [("done", None)]
    async with pushing.database.unit_of_work(pushing.tenant.organization, read_only=True) as db:
        [settled] = await db.scalars(select(PushDelivery))
    assert (settled.status, "InvalidArgument" in settled.detail) == ("refused", True)


async def test_a_moment_of_unavailability_costs_nobody_a_push_and_brings_nobody_two(
    pushing: Platform, double: FcmDouble
) -> None:
    phones = [double.mint_phone() for _ in range(3)]
    for phone in phones:
        await sign_in(pushing.tenant, phone)
    double.fail_next(2, 503)
    await raise_alert(pushing)
    await pushing.deliver()
    assert [len(double.deliveries(phone.fid)) for phone in phones] == [1, 1, 1]


async def test_what_was_not_taken_is_tried_again_and_what_was_taken_is_not(
    pushing: Platform, double: FcmDouble
) -> None:
    phones = [double.mint_phone() for _ in range(3)]
    for phone in phones:
        await sign_in(pushing.tenant, phone)
    double.fail_next(1, 429)
    await raise_alert(pushing)
    await pushing.deliver()
    assert sorted(len(double.deliveries(phone.fid)) for phone in phones) == [0, 1, 1]
    [(state, reason)] = await deliveries(pushing)
    assert (state, "Quota" in (reason or "")) == ("pending", True)
    await deliver_again(pushing)
    assert [len(double.deliveries(phone.fid)) for phone in phones] == [1, 1, 1]
    assert await deliveries(pushing) == [("done", None)]


async def test_without_a_service_account_the_alert_waits_and_says_why(pushing: Platform, double: FcmDouble) -> None:
    push, pushing.push = pushing.push, None
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    await raise_alert(pushing)
    await pushing.deliver()
    [(state, reason)] = await deliveries(pushing)
    assert (state, "COLDFLEET_FCM_SERVICE_ACCOUNT" in (reason or "")) == ("pending", True)
    pushing.push = push
    await deliver_again(pushing)
    assert len(double.deliveries(phone.fid)) == 1
    assert await deliveries(pushing) == [("done", None)]


async def test_who_has_no_phone_is_told_in_the_app_only(pushing: Platform) -> None:
    pushing.push = None
    await raise_alert(pushing)
    await pushing.deliver()
    assert await deliveries(pushing) == [("done", None)]
    assert len(await pushing.tenant.get("/api/v1/notifications")) == 1


async def test_a_phone_that_changed_hands_gets_its_new_owners_alerts_only(pushing: Platform, double: FcmDouble) -> None:
    staff, phone = await make_person(pushing, pushing.tenant, "inventory_staff"), double.mint_phone()
    for person in (pushing.tenant, staff):
        await sign_in(person, phone)
    await raise_alert(pushing)
    await pushing.deliver()
    message: Any = double.deliveries(phone.fid)[0].message
    [told] = await staff.get("/api/v1/notifications")
    assert message["data"]["notification_id"] == told["id"]
    assert await pushing.tenant.get("/api/v1/mobile/devices") == []


async def test_a_phone_that_signed_out_gets_nothing_more_until_it_signs_in_again(
    pushing: Platform, double: FcmDouble
) -> None:
    phone = double.mint_phone()
    registered = await sign_in(pushing.tenant, phone)
    answer = await pushing.tenant.client.delete(f"/api/v1/mobile/devices/{registered['id']}")
    assert answer.status_code == 204
    await raise_alert(pushing)
    await pushing.deliver()
    assert double.deliveries() == []
    again = await sign_in(pushing.tenant, phone)
    assert again == {**registered, **await seen_of_only_phone(pushing)}
    assert again["last_seen_at"] > registered["last_seen_at"]
    await raise_alert(pushing)
    await pushing.deliver()
    assert len(double.deliveries(phone.fid)) == 1


async def seen_of_only_phone(platform: Platform) -> dict[str, object]:
    [phone] = await platform.tenant.get("/api/v1/mobile/devices")
    return {name: phone[name] for name in ("registered_at", "last_seen_at")}


async def test_the_dispatcher_brings_its_push_service_and_takes_it_away_again(
    pushing: Platform, double: FcmDouble, service_account: Path
) -> None:
    phone = double.mint_phone()
    await sign_in(pushing.tenant, phone)
    await raise_alert(pushing)
    told = Settings(fcm_service_account=service_account, fcm_url=double.url, _env_file=None)
    async with open_dispatcher(told, pushing.database, Planner(pushing.database), Hub()) as dispatcher:
        while await dispatcher.deliver_due():
            pass
    assert len(double.deliveries(phone.fid)) == 1


def pointed_at(service_account: Path, token_uri: str) -> Path:
    account = json.loads(service_account.read_text())
    service_account.write_text(json.dumps({**account, "token_uri": token_uri}))
    return service_account


async def test_asking_google_for_an_access_token_does_not_stop_everything_else(
    double: FcmDouble, service_account: Path
) -> None:
    """The endpoint that is asked runs in the very loop that a blocking request would stop."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"error": "invalid_grant", "error_description": "no such account"}'
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        push = FcmPush(pointed_at(service_account, f"http://127.0.0.1:{port}/token"), url=double.url)
        said = {"title": "Cold room 1", "message": "9.5 °C", "severity": "error", "subject": "excursion:1"}
        notification = Notification(**said, urgent=True, silent=False, collapse_key="", data={})
        with pytest.raises(RefreshError, match="invalid_grant"):
            async with asyncio.timeout(20):
                await push.send(notification, [double.mint_phone().fid])
        await push.close()
    assert double.deliveries() == []
