"""Whoever watches the alerts sees what goes on and who has answered, and nothing that is not theirs to see."""

import uuid
from typing import Any

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.kernel import clock
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.batches import make_series, send
from tests.factories.farms import make_farm, make_person, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/ws/alerts"


async def raised(
    farm: Platform, *, tenant: Tenant | None = None, place: str | None = None, alert_type: str = "high_temp"
) -> str:
    """An alert is raised; its id."""
    key = uuid.uuid4()
    async with farm.database.unit_of_work((tenant or farm.tenant).organization) as db:
        alert = await alerts.raise_alert(
            db,
            group=f"group:{key}",
            subject=f"excursion:{key}",
            alert_type=alert_type,
            severity="warning",
            title="Cold room 1: temperature above 8 °C",
            message="9.3 °C since 08:00 UTC.",
            location_id=None if place is None else uuid.UUID(place),
            at=clock.now(),
        )
        return str(alert.id)


def told(items: list[Any]) -> dict[str, str]:
    """The status of each alert, by its id."""
    return {item["id"]: item["alert"]["status"] for item in items if "alert" in item}


async def test_a_watcher_sees_what_goes_on_and_who_has_answered(farm: Platform, store: ColdStore) -> None:
    first = await raised(farm, place=store.room_id)
    async with shown(farm.app, PATH, by=farm.tenant) as socket:
        [item] = await socket.state()
        shown_alert = await farm.tenant.get(f"/api/v1/alerts/{first}")
        assert item["alert"].items() <= shown_alert.items()
        assert (item["id"], item["alert"]["title"]) == (first, "Cold room 1: temperature above 8 °C")

        second = await raised(farm)
        assert told((await socket.change())[0]) == {second: "open"}
        await farm.tenant.post(f"/api/v1/alerts/{first}/ack", {"comment": "the door was open"})
        [answered], _ = await socket.change()
        assert (answered["id"], answered["alert"]["status"]) == (first, "acknowledged")
        assert answered["alert"]["acknowledged_by"] == (await farm.tenant.get("/api/v1/auth/me"))["id"]
        await farm.tenant.post(f"/api/v1/alerts/{first}/resolve", {"note": "closed it"})
        assert await socket.change() == ([], [first])


async def test_an_excursion_is_seen_from_its_beginning_until_it_is_closed(farm: Platform, store: ColdStore) -> None:
    await make_rule(store)
    async with shown(farm.app, PATH, by=farm.tenant) as socket:
        assert await socket.state() == []
        await send(farm, store, make_series([9.0] * 12))
        excursions: list[Any] = []
        while not excursions:
            excursions = [item["excursion"] for item in (await socket.change())[0] if "excursion" in item]
        [seen] = excursions
        assert (seen["location_id"], seen["status"], seen["set_at"]) == (store.room_id, "open", 8.0)
    async with shown(farm.app, f"{PATH}?types=high_humidity", by=farm.tenant) as socket:
        assert await socket.state() == []
    async with shown(farm.app, f"{PATH}?types=high_temp", by=farm.tenant) as socket:
        assert [item["excursion"]["id"] for item in await socket.state() if "excursion" in item] == [seen["id"]]


async def test_a_watcher_may_leave_types_out_and_quality_has_a_view_of_its_own(farm: Platform) -> None:
    warm, offline = await raised(farm), await raised(farm, alert_type="gateway_offline")
    everything = {warm: "open", offline: "open"}
    for path, expected in {
        PATH: everything,
        f"{PATH}?types=": everything,
        f"{PATH}?types=gateway_offline,door": {offline: "open"},
        "/ws/quality/alerts": {warm: "open"},
    }.items():
        async with shown(farm.app, path, by=farm.tenant) as socket:
            assert told(await socket.state()) == expected
            if offline not in expected:
                await raised(farm, alert_type="gateway_offline")
                late = await raised(farm, alert_type="low_temp")
                assert told((await socket.change())[0]) == {late: "open"}


async def test_only_what_may_be_seen_is_shown(farm: Platform, store: ColdStore) -> None:
    other, stranger = await plant_store(farm), await make_farm(farm)
    await raised(farm, place=store.room_id)
    theirs, nowhere = await raised(farm, place=other.room_id), await raised(farm)
    keeper = await make_keeper(farm, other.warehouse_id, role="warehouse_manager")
    async with shown(farm.app, PATH, by=keeper) as socket, shown(farm.app, PATH, by=stranger) as foreign:
        assert told(await socket.state()) == {theirs: "open", nowhere: "open"}
        assert await foreign.state() == []
        await raised(farm, place=store.room_id)
        late = await raised(farm, place=other.room_id)
        assert told((await socket.change())[0]) == {late: "open"}
        own = await raised(farm, tenant=stranger)
        assert told((await foreign.change())[0]) == {own: "open"}


async def test_whoever_may_not_see_alerts_is_told_why(farm: Platform) -> None:
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    assert (await refused(farm.app, PATH, token=None))[0] == 4401
    assert await refused(farm.app, PATH, token=token_of(driver)) == (4403, "this needs the permission alerts:read")
    needs = "this needs the permission quality:read"
    assert await refused(farm.app, "/ws/quality/alerts", token=token_of(driver)) == (4403, needs)
    for types in ("Warm%20room", ",".join(["door"] * 21)):
        code, reason = await refused(farm.app, f"{PATH}?types={types}", token=token_of(farm.tenant))
        assert (code, "by commas" in reason) == (4422, True)
