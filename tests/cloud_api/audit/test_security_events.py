"""Security events: raised by rooms, seen by those responsible, settled once."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.audit.models import SECURITY_EVENT_TYPES, SecurityEvent, SecurityEventType, Severity
from cloud_api.audit.service import raise_security_event
from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope, TenancyViolation
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

EVENTS = "/api/v1/admin/security/events"
THREATS = "/api/v1/admin/security/threats"


async def raised(
    farm: Platform,
    type: SecurityEventType = "failed_sign_in",
    severity: Severity = "low",
    *,
    scope: OrganizationScope | None = None,
    **details: object,
) -> str:
    """As a room raises it that nobody has signed in to yet."""
    nobody = Actor("nobody", None, "", "192.0.2.66")
    organization_id = (scope or farm.tenant.organization).organization_id
    async with farm.database.unit_of_work(SystemScope("sign in"), actor=nobody) as db:
        event = raise_security_event(db, type=type, severity=severity, organization_id=organization_id, details=details)
        return str(event.id)


async def test_an_event_says_what_who_and_from_where(farm: Platform) -> None:
    event_id = await raised(farm, "account_lockout", "high", login="asha", failures=5)
    [seen] = await farm.tenant.get(EVENTS)
    assert (seen["id"], seen["type"], seen["severity"], seen["status"]) == (
        event_id,
        "account_lockout",
        "high",
        "open",
    )
    assert (seen["actor_kind"], seen["address"]) == ("nobody", "192.0.2.66")
    assert seen["details"] == {"login": "asha", "failures": 5}


async def test_it_leaves_by_the_outbox_in_the_same_transaction(farm: Platform) -> None:
    event_id = await raised(farm, "data_breach", "critical")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        [emitted] = await db.scalars(select(OutboxEvent).where(OutboxEvent.type == "SecurityEventRaised"))
    assert emitted.payload["security_event_id"] == event_id
    assert (emitted.payload["type"], emitted.payload["severity"]) == ("data_breach", "critical")


async def test_a_room_within_the_organisation_names_neither_it_nor_the_actor(farm: Platform) -> None:
    asha = Actor("user", uuid.UUID(int=7), "asha", "192.0.2.7")
    async with farm.database.unit_of_work(farm.tenant.organization, actor=asha) as db:
        raise_security_event(db, type="password_changed", severity="low")
    [seen] = await farm.tenant.get(EVENTS)
    assert (seen["actor_id"], seen["actor_name"], seen["address"]) == (str(asha.id), "asha", "192.0.2.7")


async def test_an_event_of_no_organisation_and_one_of_no_known_type_are_refused(farm: Platform) -> None:
    async with farm.database.unit_of_work(SystemScope("sign in")) as db:
        with pytest.raises(TenancyViolation):
            raise_security_event(db, type="failed_sign_in", severity="low")
        with pytest.raises(ValueError, match="add it to SecurityEventType"):
            raise_security_event(db, type="sunburn", severity="low")  # type: ignore[arg-type]


async def test_the_list_is_filtered_by_type_severity_and_status(farm: Platform) -> None:
    quiet, loud = await raised(farm), await raised(farm, "refresh_reuse", "critical")
    await farm.tenant.put(f"{EVENTS}/{loud}/status", {"status": "investigating"})

    async def found(**filters: Any) -> list[str]:
        return [event["id"] for event in await farm.tenant.get(EVENTS, **filters)]

    assert await found() == [loud, quiet]
    assert await found(type="failed_sign_in") == [quiet]
    assert await found(severity="critical") == [loud]
    assert await found(status="investigating") == [loud]
    assert (await farm.tenant.client.get(EVENTS, params={"type": "sunburn"})).status_code == 422


@pytest.mark.parametrize("status", ["resolved", "false_positive"])
@pytest.mark.parametrize("looked_into", [True, False])
async def test_an_event_is_settled_once_by_somebody_with_a_reason(
    farm: Platform, status: str, looked_into: bool
) -> None:
    event_id = await raised(farm)
    if looked_into:
        moved = await farm.tenant.put(f"{EVENTS}/{event_id}/status", {"status": "investigating"})
        assert (moved["status"], moved["resolved_at"]) == ("investigating", None)
    settled = await farm.tenant.put(f"{EVENTS}/{event_id}/resolve", {"status": status, "note": "it was me"})
    me = (await farm.tenant.get("/api/v1/auth/me"))["id"]
    assert (settled["status"], settled["resolved_by"], settled["note"]) == (status, me, "it was me")
    assert settled["resolved_at"] is not None
    for path, body in (("status", {"status": "investigating"}), ("resolve", {"note": "again"})):
        again = await farm.tenant.client.put(f"{EVENTS}/{event_id}/{path}", json=body)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


async def test_how_it_ended_stands_in_the_trail(farm: Platform) -> None:
    event_id = await raised(farm)
    await farm.tenant.put(f"{EVENTS}/{event_id}/resolve", {"note": "it was me"})
    changed, created = await farm.tenant.get("/api/v1/admin/security/audit-logs", entity_id=event_id)
    assert (created["actor_kind"], changed["actor_kind"]) == ("nobody", "user")
    assert (changed["old"]["status"], changed["new"]["status"]) == ("open", "resolved")


async def test_threats_are_counted_by_day_and_week_and_take_from_the_score(farm: Platform) -> None:
    now = clock.now()
    assert await farm.tenant.get(THREATS) == {"score": 100, "unsettled": 0, "threats": []}
    for age in (timedelta(days=8), timedelta(days=2), timedelta(hours=1)):
        clock.use(lambda at=now - age: at)  # type: ignore[misc]
        await raised(farm)
    critical = await raised(farm, "refresh_reuse", "critical")
    clock.use(lambda: now)
    assert await farm.tenant.get(THREATS) == {
        "score": 100 - 2 * 1 - 25,
        "unsettled": 3,
        "threats": [
            {"type": "failed_sign_in", "severity": "low", "last_24_hours": 1, "last_7_days": 2},
            {"type": "refresh_reuse", "severity": "critical", "last_24_hours": 1, "last_7_days": 1},
        ],
    }
    await farm.tenant.put(f"{EVENTS}/{critical}/resolve", {"note": "a clock that was wrong"})
    settled = await farm.tenant.get(THREATS)
    assert (settled["score"], settled["unsettled"], len(settled["threats"])) == (98, 2, 2)


async def test_the_score_stops_at_nothing(farm: Platform) -> None:
    for _ in range(5):
        await raised(farm, "data_breach", "critical")
    assert (await farm.tenant.get(THREATS))["score"] == 0


async def test_others_see_and_settle_nothing_of_it(farm: Platform) -> None:
    event_id = await raised(farm)
    stranger = await make_farm(farm)
    assert await stranger.get(EVENTS) == []
    assert (await stranger.get(THREATS))["threats"] == []
    answer = await stranger.client.put(f"{EVENTS}/{event_id}/resolve", json={"note": "mine now"})
    assert answer.status_code == 404


async def test_who_may_not_see_them_is_refused(farm: Platform) -> None:
    event_id = await raised(farm)
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    for answer in (
        await driver.client.get(EVENTS),
        await driver.client.get(THREATS),
        await driver.client.put(f"{EVENTS}/{event_id}/resolve", json={"note": "x"}),
        await driver.client.put(f"{EVENTS}/{event_id}/status", json={}),
    ):
        assert answer.status_code == 403


async def test_every_type_can_be_raised_and_read(farm: Platform) -> None:
    for type in SECURITY_EVENT_TYPES:
        await raised(farm, type)
    assert {event["type"] for event in await farm.tenant.get(EVENTS)} == {*SECURITY_EVENT_TYPES}
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert len((await db.scalars(select(SecurityEvent))).all()) == len(SECURITY_EVENT_TYPES)
