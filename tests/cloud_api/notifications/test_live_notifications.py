"""What one has not read comes to the screen by itself, and goes when it is read."""

import uuid

from cloud_api.notifications import service
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def tell(farm: Platform, person: Tenant, title: str, **more: str) -> None:
    about = {"message": "...", "severity": "info", "category": "system", "subject": "x", **more}
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await service.notify(db, user_ids=[uuid.UUID(await id_of(person))], title=title, **about)  # type: ignore[arg-type]


async def path_of(person: Tenant) -> str:
    return f"/ws/notifications/{await id_of(person)}"


async def test_a_watcher_sees_what_is_unread_and_each_change(farm: Platform) -> None:
    await tell(farm, farm.tenant, "Stock take")
    async with shown(farm.app, await path_of(farm.tenant), by=farm.tenant) as socket:
        [there] = await socket.state()
        assert (there["title"], there["subject"]) == ("Stock take", "x")
        await tell(farm, farm.tenant, "Warm", collapse_key="alert:1")
        [warm], gone = await socket.change()
        assert (warm["title"], gone) == ("Warm", [])
        await tell(farm, farm.tenant, "Over: Warm", collapse_key="alert:1")
        [over], gone = await socket.change()
        assert (over["title"], gone) == ("Over: Warm", [warm["id"]])
        await farm.tenant.put(f"/api/v1/notifications/{there['id']}/read", {})
        assert await socket.change() == ([], [there["id"]])
        await farm.tenant.put("/api/v1/notifications/mark-all-read", {})
        assert await socket.change() == ([], [over["id"]])


async def test_what_was_taken_out_goes_and_what_others_are_told_does_not_come(farm: Platform) -> None:
    colleague = await make_person(farm, farm.tenant, "viewer")
    await tell(farm, farm.tenant, "Mine")
    async with shown(farm.app, await path_of(farm.tenant), by=farm.tenant) as socket:
        [mine] = await socket.state()
        await tell(farm, colleague, "Theirs")
        assert (await farm.tenant.client.delete(f"/api/v1/notifications/{mine['id']}")).status_code == 204
        assert await socket.change() == ([], [mine["id"]])


async def test_nobody_watches_somebody_else(farm: Platform) -> None:
    colleague, stranger = await make_person(farm, farm.tenant, "viewer"), await make_farm(farm)
    path = await path_of(farm.tenant)
    for person in (colleague, stranger):
        code, reason = await refused(farm.app, path, token=token_of(person))
        assert (code, "your own" in reason) == (4403, True)
    assert (await refused(farm.app, "/ws/notifications/me", token=token_of(farm.tenant)))[0] == 4403
    assert (await refused(farm.app, path, token="nonsense"))[0] == 4401
