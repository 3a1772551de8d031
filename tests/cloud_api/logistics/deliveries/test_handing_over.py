"""Stops that other rooms move: put in another order, handed from van to van, brought to life again by a late proof."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import AppError
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.models import Route
from tests.cloud_api.inventory.stock import lying_in
from tests.cloud_api.logistics.deliveries.rounds import Round, make_round
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def give(db: AsyncSession, made: Round, to: Round, *, stop: int, sequence: int | None = None) -> None:
    delivery = await service.get_delivery(db, uuid.UUID(made.delivery_ids[stop]))
    route: Route = await service.get_route(db, uuid.UUID(to.route_id))
    at = clock.now() + timedelta(hours=1)
    await service.hand_over(db, delivery, to_route=route, sequence=sequence, planned_arrival_at=at, user_id=None)


@pytest.mark.long
async def test_after_a_breakdown_goods_go_from_van_to_van_and_stay_promised(farm: Platform) -> None:
    broken = await make_round(farm, doors=2)
    helper = await make_round(farm, doors=2, depot=broken.depot)
    await broken.start()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        with pytest.raises(AppError, match="start it first"):
            await give(db, broken, helper, stop=0)
    await helper.start()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await give(db, broken, helper, stop=0, sequence=1)
    order = [stop["id"] for stop in (await helper.route())["deliveries"]]
    assert order == [broken.delivery_ids[0], *helper.delivery_ids]
    assert await lying_in(farm.tenant, broken.van["location_id"]) == {"LOT-1": ("4.000", "0.000", "available")}
    assert await lying_in(farm.tenant, helper.van["location_id"]) == {"LOT-1": ("12.000", "0.000", "available")}
    assert ((await broken.route())["load_g"], (await helper.route())["load_g"]) == (4_000, 12_000)
    assert await broken.move(0, "arrived") == (404, "NOT_FOUND")
    moved = f"/api/v1/mobile/deliveries/{broken.delivery_ids[0]}/status"
    assert await helper.said("PUT", moved, {"status": "arrived"}) == (200, "")


async def test_only_what_is_ahead_gets_another_place_and_no_two_have_one(farm: Platform) -> None:
    made = await make_round(farm, doors=4)
    await made.start()
    assert await made.move(1, "failed") == (200, "")
    ids = [uuid.UUID(delivery_id) for delivery_id in made.delivery_ids]
    at = clock.now() + timedelta(hours=1)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for wrong in ([ids[1]], [ids[0], ids[0]], [uuid.uuid4()]):
            with pytest.raises(AppError, match=r"not ahead|twice"):
                await service.resequence(db, uuid.UUID(made.route_id), [(one, at) for one in wrong])
        await service.resequence(db, uuid.UUID(made.route_id), [(ids[3], at), (ids[0], at)])
    stops = (await made.route())["deliveries"]
    assert [uuid.UUID(stop["id"]) for stop in stops] == [ids[1], ids[3], ids[0], ids[2]]
    assert [stop["sequence"] for stop in stops] == [2, 3, 4, 5]
    told = [event["delivery_id"] for event in await made.told("StopIsNext")]
    assert told == [made.delivery_ids[0], made.delivery_ids[3]]
