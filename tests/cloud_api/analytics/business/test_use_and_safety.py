"""How an organisation uses the platform, and how safe it is: counted by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from cloud_api.analytics.load.recording import RequestHistory
from cloud_api.audit.models import SecurityEvent
from cloud_api.identity.machines.models import ApiKey
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.models import SecondFactor
from cloud_api.kernel import clock
from cloud_api.kernel.db import Base
from cloud_api.kernel.metrics import PRINCIPAL
from cloud_api.kernel.permissions import Principal
from cloud_api.media.models import Media
from tests.cloud_api.analytics.business.books import FIGURES
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

NOW = datetime(2026, 6, 15, 6, 0, tzinfo=UTC)
DAYS = {"from": "2026-06-14", "to": "2026-06-15"}


async def keep(platform: Platform, *rows: Base) -> None:
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        db.add_all(rows)


async def change_people(platform: Platform, **values: Any) -> None:
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        await db.execute(update(User).values(**values))


def event(severity: Any, at: datetime, *, status: str = "open", type: Any = "suspicious_activity") -> SecurityEvent:
    who = {"actor_kind": "nobody", "actor_name": "", "address": "", "request_id": "", "details": {}}
    return SecurityEvent(type=type, severity=severity, status=status, occurred_at=at, **who)


def photo(number: int, at: datetime, size_bytes: int) -> Media:
    return Media(sha256=f"{number:064d}", mime="image/jpeg", size_bytes=size_bytes, received_at=at)


async def test_people_files_and_requests_are_counted(farm: Platform) -> None:
    await make_person(farm, farm.tenant, "viewer")
    await change_people(farm, last_signed_in_at=None, created_at=NOW - timedelta(days=70))
    other = await make_person(farm, farm.tenant, "viewer")
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        its = update(User).where(User.username == other.username)
        await db.execute(its.values(last_signed_in_at=NOW - timedelta(days=3), created_at=NOW))
    await keep(
        farm,
        photo(1, NOW - timedelta(days=30), 1_000),
        photo(2, datetime(2026, 6, 14, 18, 29, 59, tzinfo=UTC), 20),
        photo(3, datetime(2026, 6, 14, 18, 30, tzinfo=UTC), 300),
    )
    clock.use(lambda: NOW)
    told = await farm.tenant.get(f"{FIGURES}/usage", **DAYS, active_days=7)
    assert (told["people"], told["active_people"]) == (3, 1)
    assert {one["month"]: one["people"] for one in told["new_people"] if one["people"]} == {
        "2026-04-01": 2,
        "2026-06-01": 1,
    }
    assert [(step["bytes"], step["files"]) for step in told["storage"]] == [(1_020, 2), (1_320, 3)]
    assert (told["stored_bytes"], told["stored_files"]) == (1_320, 3)
    assert (await farm.tenant.get(f"{FIGURES}/usage", **DAYS, active_days=2))["active_people"] == 0


async def test_requests_of_the_day_are_told_by_the_way_they_came(farm: Platform) -> None:
    history, other = RequestHistory(), await make_farm(farm)
    for at, kind, route, tenant in (
        (datetime(2026, 6, 13, 18, 29, tzinfo=UTC), "user", "/api/v1/orders", farm.tenant),
        (datetime(2026, 6, 13, 18, 30, tzinfo=UTC), "user", "/api/v1/mobile/routes/today", farm.tenant),
        (datetime(2026, 6, 15, 18, 29, tzinfo=UTC), "gateway", "/api/v1/telemetry/readings", farm.tenant),
        (datetime(2026, 6, 15, 18, 29, tzinfo=UTC), "gateway", "/api/v1/telemetry/readings", farm.tenant),
        (datetime(2026, 6, 15, 18, 30, tzinfo=UTC), "user", "/api/v1/orders", farm.tenant),
        (datetime(2026, 6, 14, 12, 0, tzinfo=UTC), "api_key", "/api/v1/orders", other),
    ):
        clock.use(lambda at=at: at)  # type: ignore[misc]
        organization_id, nothing = tenant.organization.organization_id, frozenset[str]()
        fields: dict[str, Any] = {"kind": kind, "id": organization_id, "organization_id": organization_id}
        history.note({PRINCIPAL: Principal(**fields, permissions=nothing)}, route, 200, 0.01)
    clock.use(None)
    await history.flush(farm.database)
    told = await farm.tenant.get(f"{FIGURES}/usage", **DAYS)
    shares = [(one["surface"], one["requests"], one["share"]) for one in told["surfaces"]]
    assert (told["requests"], shares) == (3, [("gateway", 2, 0.6667), ("driver", 1, 0.3333)])


async def test_the_score_says_what_it_is_made_of(farm: Platform) -> None:
    person = await make_person(farm, farm.tenant, "viewer")
    clock.use(lambda: NOW)
    fresh = {"last_signed_in_at": NOW, "password_changed_at": NOW, "password_hash": "x"}
    await change_people(farm, **fresh)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        user_id = (await db.scalars(select(User.id).where(User.username == person.username))).one()
        db.add(SecondFactor(user_id=user_id, totp_seed="A" * 32, created_at=NOW, confirmed_at=NOW))
        key = {"secret_sha256": "", "scopes": [], "signing_secret": "", "ip_ranges": []}
        db.add(ApiKey(name="old", prefix=f"o{user_id.hex}", created_at=NOW - timedelta(days=91), **key))
        db.add(ApiKey(name="new", prefix=f"n{user_id.hex}", created_at=NOW, **key))
        gone = {"created_at": NOW - timedelta(days=400), "revoked_at": NOW}
        db.add(ApiKey(name="gone", prefix=f"g{user_id.hex}", **gone, **key))
        for one in (
            event("critical", NOW - timedelta(days=200)),
            event("high", NOW, status="investigating"),
            event("low", NOW, status="resolved"),
            *(event("low", NOW, status="false_positive", type="failed_sign_in") for _ in range(5)),
        ):
            db.add(one)
    told = await farm.tenant.get(f"{FIGURES}/security", **DAYS)
    points = {part["name"]: (part["points"], part["count"], part["of"]) for part in told["parts"]}
    assert points == {
        "second_factors": (15.0, 1, 2),
        "open_events": (7.0, 2, 2),
        "keys": (7.5, 1, 2),
        "passwords": (10.0, 0, 2),
        "accounts": (10.0, 0, 2),
        "sign_ins": (5.0, 5, 2),
    }
    assert (told["score"], told["threats"], told["grave_threats"]) == (54, 2, 2)
    assert told["events"] == {"value": 7, "before": 0, "growth": None}
    steps = [[step[severity] for severity in ("low", "medium", "high", "critical")] for step in told["steps"]]
    assert steps == [[0, 0, 0, 0], [6, 0, 1, 0]]
    moments = [one["occurred_at"] for one in told["changes"]]
    assert (len(moments), moments) == (10, sorted(moments, reverse=True))
    assert sum(part["most_points"] for part in told["parts"]) == 100


async def test_who_may_not_read_the_trail_is_not_told_of_changes(farm: Platform) -> None:
    other = await make_farm(farm)
    keeper = await make_person(farm, farm.tenant, "warehouse_manager")
    assert await heard_by(keeper, "GET", f"{FIGURES}/security") == (403, "FORBIDDEN")
    role = f"guard_{(await id_of(keeper))[-6:]}"
    await farm.tenant.post("/api/v1/admin/roles", {"name": role, "permissions": ["security:read"]})
    guard = await make_person(farm, farm.tenant, role)
    assert (await guard.get(f"{FIGURES}/security"))["changes"] is None
    await keep(farm, event("critical", NOW))
    assert (await other.get(f"{FIGURES}/security", **DAYS))["threats"] == 0
