"""Live views are counted: handshakes by the rate limits, open ones by who has them."""

from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.farms import make_farm, plant_store
from tests.platform_under_test import Platform, open_platform
from tests.services.waiting import let_the_minute_turn


async def place_of(platform: Platform) -> str:
    return f"/ws/telemetry/{(await plant_store(platform)).room_id}"


async def test_one_person_has_so_many_live_views_and_no_more(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, live_views_per_person=2) as platform:
        path, other = await place_of(platform), await make_farm(platform)
        others_path = f"/ws/telemetry/{(await plant_store(platform, other)).room_id}"
        me = platform.tenant
        async with shown(platform.app, path, by=me) as first:
            async with shown(platform.app, path, by=me) as second:
                for socket in (first, second):
                    await socket.state()
                code, reason = await refused(platform.app, path, token=token_of(me))
                assert (code, reason) == (4429, "you have 2 live views open, and more are not possible: close one")
                async with shown(platform.app, others_path, by=other) as theirs:
                    await theirs.state()
            async with shown(platform.app, path, by=me) as third:
                await third.state()


async def test_handshakes_draw_on_the_budget_of_who_makes_them(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, requests_per_hour=3) as platform:
        path = await place_of(platform)
        let_the_minute_turn()
        for _ in range(3):
            async with shown(platform.app, path, by=platform.tenant) as socket:
                await socket.state()
        code, reason = await refused(platform.app, path, token=token_of(platform.tenant))
        assert (code, reason.startswith("3 requests an hour are allowed here: try again in")) == (4429, True)


async def test_handshakes_of_nobody_draw_on_a_budget_of_their_address(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, sign_ins_per_minute=1) as platform:
        path = await place_of(platform)
        let_the_minute_turn()
        codes = [(await refused(platform.app, path, token="nonsense"))[0] for _ in range(11)]
        assert codes == [4401] * 10 + [4429]
        async with shown(platform.app, path, by=platform.tenant) as socket:
            await socket.state()
