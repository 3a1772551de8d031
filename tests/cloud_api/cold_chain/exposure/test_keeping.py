"""What was warm is sold sooner: from a reading to the shelf's order."""

import uuid
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.stories import Story
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

RESERVATIONS = "/api/v1/warehouse/stock/reservations"


async def receive(story: Story, lot: str, expires_on: date | None, *, place: str = "") -> uuid.UUID:
    """Ten of a lot with a label, when the story begins."""
    clock.use(lambda: story.at(0))
    async with story.farm.database.unit_of_work(story.store.tenant.organization) as db:
        movement = await stock.receive_goods(
            db,
            product_id=uuid.UUID(story.store.product_id),
            location_id=uuid.UUID(place or story.store.room_id),
            lot_number=lot,
            expires_on=expires_on,
            quantity=Decimal(10),
        )
    clock.use(None)
    return movement.lot_id


async def keeps_until(story: Story) -> dict[uuid.UUID, date | None]:
    """By lot."""
    async with story.farm.database.unit_of_work(story.store.tenant.organization, read_only=True) as db:
        rows = await db.execute(select(StockLevel.lot_id, StockLevel.keeps_until))
        return dict(rows.tuples().all())


async def heat(story: Story, temperature: float) -> None:
    """Twenty hours of it, in which a rule is broken, and then cold again."""
    await make_rule(story.store, duration_s=300)
    await story.measure([temperature] * 120 + [4.0] * 3, every=10)


async def free_the_room(story: Story) -> None:
    """Somebody looked at what the excursion holds, and found it fit to be sold."""
    for held in await story.store.tenant.get("/api/v1/warehouse/stock/holds"):
        await story.store.tenant.post(f"/api/v1/warehouse/stock/holds/{held['id']}/release", {"reason": "it is well"})


async def test_a_warm_rooms_lot_is_promised_before_a_colder_one_with_an_earlier_label(
    farm: Platform, store: ColdStore
) -> None:
    story, today = Story(farm, store), clock.now().date()
    beside = await make_room(store.tenant, store.warehouse_id)
    warm = await receive(story, "WARM", today + timedelta(days=20))
    cold = await receive(story, "COLD", today + timedelta(days=10), place=beside)
    await heat(story, 30.0)
    kept = await keeps_until(story)
    # 30 °C use 3 ** 2.6 = 17.4 times as much: twenty hours are 14.5 days, and 14.5 - 20/24 more than the clock's
    assert kept[cold] is None
    assert kept[warm] in {today + timedelta(days=5), today + timedelta(days=6)}
    await free_the_room(story)
    where = {"product_id": store.product_id, "warehouse_id": store.warehouse_id}
    made = [
        await store.tenant.post(RESERVATIONS, {"reference": reference, "quantity": "10", **where})
        for reference in ("first", "second")
    ]
    assert [[row["lot_id"] for row in rows] for rows in made] == [[str(warm)], [str(cold)]]


async def test_what_was_a_little_too_warm_keeps_its_labels_day_and_goes_first_of_that_day(
    farm: Platform, store: ColdStore
) -> None:
    story, label = Story(farm, store), clock.now().date() + timedelta(days=20)
    product = f"/api/v1/warehouse/products/{store.product_id}"
    # kept at up to 9 °C: the rule is stricter than the product
    changed = await store.tenant.client.put(product, json={"reference_temperature_c": 9.0, "q10": 3.0})
    assert changed.status_code == 200, changed.text
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(story, "COLD", label, place=beside)
    warm = await receive(story, "WARM", label)
    await heat(story, 8.5)
    assert (await keeps_until(story))[warm] == label
    await free_the_room(story)
    where = {"product_id": store.product_id, "warehouse_id": store.warehouse_id}
    [first] = await store.tenant.post(RESERVATIONS, {"reference": "R", "quantity": "1", **where})
    assert first["lot_id"] == str(warm)


async def test_what_nobody_said_how_long_it_keeps_has_no_last_day(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    lot = await receive(story, "NO-LABEL", None)
    await heat(story, 30.0)
    assert await keeps_until(story) == {lot: None}
