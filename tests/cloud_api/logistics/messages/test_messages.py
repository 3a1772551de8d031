"""Who is told what of an order on its way, however often it is heard."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from cloud_api.kernel import clock, outbox
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.events import (
    EtaMoved,
    PhoneFellSilent,
    ReplanProposed,
    RouteChanged,
    StopArrived,
    StopDelivered,
    StopFailed,
    StopIsNext,
)
from cloud_api.notifications.models import ContactMessage
from cloud_api.orders.book.events import OrderPacked
from cloud_api.orders.payments.events import PaymentRefunded
from cloud_api.orders.payments.models import CustomerPayment
from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once
from tests.cloud_api.logistics.deliveries.rounds import Round, make_round
from tests.cloud_api.notifications.outgoing import deliver_again, give_up
from tests.factories.farms import make_person, plant_gateway, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import request_plan
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PHONE = "+919876543210"


@pytest_asyncio.fixture(loop_scope="session")
async def farm(farm: Platform) -> AsyncIterator[Platform]:
    """The platform; what it could not send in this test it does not send in another."""
    yield farm
    await give_up(farm)


async def hear(farm: Platform, *events: object) -> None:
    """Let these through the outbox, each twice, and everything again as after a crash."""
    for event in [*events, *events]:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            outbox.emit(db, event)
    await farm.deliver()
    await deliver_again(farm)


async def said_of(farm: Platform, order_id: str) -> Sequence[str]:
    """The kinds of messages that an order's customer was sent, oldest first, without the code."""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        its = select(ContactMessage.template).where(ContactMessage.subject == f"order:{order_id}")
        rows = await db.scalars(its.order_by(ContactMessage.id))
        return [template for template in rows if template != "delivery.otp"]


async def words_of(farm: Platform, template: str) -> Sequence[str]:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        its = select(ContactMessage.body).where(ContactMessage.template == template)
        return (await db.scalars(its.order_by(ContactMessage.id))).all()


async def titles(person: Tenant) -> list[str]:
    return [row["title"] for row in await person.get("/api/v1/notifications")]


async def test_a_customer_hears_of_each_step_once(farm: Platform) -> None:
    made = await make_round(farm, doors=2, phone=PHONE)
    await farm.deliver()
    assert [await said_of(farm, one) for one in made.order_ids] == [["order.packed"]] * 2
    await made.start()
    await farm.deliver()
    assert [await said_of(farm, one) for one in made.order_ids] == [["order.packed", "stop.next"], ["order.packed"]]
    await made.move(0, "arrived")
    await farm.deliver()
    [code] = [word for word in [await sent_code(farm, made)] if word]
    assert await made.prove(0, otp_code=code) == (200, "")
    await farm.deliver()
    for _ in range(2):
        await deliver_again(farm)
    assert [await said_of(farm, one) for one in made.order_ids] == [
        ["order.packed", "stop.next", "stop.arrived", "stop.delivered"],
        ["order.packed", "stop.next"],
    ]
    for link in [body.rpartition(" ")[2] for body in await words_of(farm, "stop.next")]:
        assert "/t/" in link


async def sent_code(farm: Platform, made: Round) -> str:
    """A new one: what was sent is gone."""
    later = clock.now() + timedelta(minutes=2)
    clock.use(lambda: later)
    await made.driver.post(f"/api/v1/mobile/deliveries/{made.delivery_ids[0]}/otp")
    return await made.code()


@pytest.mark.long
async def test_what_is_over_when_it_is_heard_is_not_told(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    await give_up(farm)
    delivery = uuid.UUID(made.delivery_ids[0])
    await made.start()
    await made.move(0, "failed", failure_reason="customer_absent")
    await hear(farm, StopIsNext(delivery), StopArrived(delivery), StopDelivered(delivery), EtaMoved(delivery))
    assert await said_of(farm, made.order_ids[0]) == ["stop.failed"]


@pytest.mark.long
async def test_who_cannot_be_reached_is_told_nothing(farm: Platform) -> None:
    made = await make_round(farm)
    await made.start()
    await farm.deliver()
    assert await said_of(farm, made.order_ids[0]) == []


async def test_a_failed_stop_is_told_at_the_door_and_at_the_desk(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    elsewhere = await make_keeper(farm, await make_warehouse(farm.tenant))
    viewer = await make_person(farm, farm.tenant, "viewer")
    await made.start()
    await made.move(0, "failed", failure_reason="wrong_address")
    await farm.deliver()
    await hear(farm, StopFailed(uuid.UUID(made.delivery_ids[0]), "wrong_address"))
    number = (await made.order())["number"]
    assert f"Order {number} was not handed over" in await titles(farm.tenant)
    [row] = [one for one in await farm.tenant.get("/api/v1/notifications") if "not handed over" in one["title"]]
    assert "the address was not found" in row["message"]
    assert row["data"]["order_id"] == made.order_ids[0]
    for person in (elsewhere, viewer, made.driver):
        assert not any("not handed over" in title for title in await titles(person))
    [body] = await words_of(farm, "stop.failed")
    assert "the address was not found" in body


async def test_a_driver_hears_of_a_route_and_of_what_changes_in_it(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await farm.deliver()
    number = (await made.route())["number"]
    [told] = await made.driver.get("/api/v1/notifications")
    assert told["title"] == f"Route {number} is yours"
    assert "2 stops" in told["message"]
    assert told["data"] == {"route_id": made.route_id}
    await hear(farm, RouteChanged(uuid.UUID(made.route_id), "an order was cancelled"))
    [changed] = await made.driver.get("/api/v1/notifications")
    assert (changed["title"], "an order was cancelled" in changed["message"]) == (f"Route {number} has changed", True)
    assert not any("Route" in title for title in await titles(farm.tenant))


@pytest.mark.long
async def test_a_new_time_is_told_at_most_every_five_minutes(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    await made.start()
    began = clock.now()
    clock.use(lambda: began)
    await farm.deliver()
    delivery, told = uuid.UUID(made.delivery_ids[0]), []
    for after_s in (0, 120, 299, 300, 420, 605):
        now = began + timedelta(seconds=after_s)
        clock.use(lambda at=now: at)  # type: ignore[misc]
        await hear(farm, EtaMoved(delivery))
        told.append(len(await words_of(farm, "eta.moved")))
    # the first time was told with `stop.next`
    assert told == [0, 0, 0, 1, 1, 2]


@pytest.mark.long
async def test_no_new_time_follows_at_once_on_the_first(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    await made.start()
    delivery = uuid.UUID(made.delivery_ids[0])
    await farm.deliver()
    await hear(farm, StopIsNext(delivery))
    await hear(farm, EtaMoved(delivery))
    assert await said_of(farm, made.order_ids[0]) == ["stop.next"]


@pytest.mark.long
async def test_dispatchers_hear_of_a_silent_phone_and_of_a_proposal_even_in_their_quiet_hours(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    job_id = await a_job(farm, made)
    await hear(farm, PhoneFellSilent(uuid.UUID(made.route_id)), ReplanProposed(uuid.UUID(job_id)))
    wanted = {f"Van {made.van['number']} is silent", "A change of plan waits for you"}
    assert wanted <= set(await titles(farm.tenant))
    assert len(await titles(farm.tenant)) == len(set(await titles(farm.tenant)))
    assert not wanted & set(await titles(made.driver))


async def a_job(farm: Platform, made: Round) -> str:
    order = await make_round(farm, depot=made.depot)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await deliveries.cancel_route(db, uuid.UUID(order.route_id), reason="planned anew")
    return await request_plan(farm.tenant, made.depot.warehouse_id)


@pytest.mark.long
async def test_who_has_muted_deliveries_is_not_told(farm: Platform) -> None:
    made = await make_round(farm)
    await made.start()
    quiet = {"channels": {"delivery": {"in_app": False, "push": False, "mail": False, "sms": False}}}
    await farm.tenant.put("/api/v1/notifications/settings", quiet)
    await hear(farm, PhoneFellSilent(uuid.UUID(made.route_id)))
    assert not any("silent" in title for title in await titles(farm.tenant))


async def test_a_warm_van_is_told_to_its_driver_and_to_dispatchers_at_once(farm: Platform, store: ColdStore) -> None:
    made = await make_round(farm)
    await made.start()
    place = made.van["location_id"]
    gateway_id, token = await plant_gateway(farm, farm.tenant)
    sensor_id = await plant_sensor(farm, farm.tenant, gateway_id, location_id=place)
    in_van = replace(store, room_id=place, gateway_id=gateway_id, gateway_token=token, sensor_id=sensor_id)
    await judge_at_once(in_van)
    await break_the_limit(farm, in_van)
    await farm.deliver()
    await deliver_again(farm)
    for person in (made.driver, farm.tenant):
        warm = [one for one in await person.get("/api/v1/notifications") if one["data"].get("vehicle_id")]
        assert [one["title"] for one in warm] == [f"Van {made.van['number']}: temperature above 8 °C"]
        assert warm[0]["severity"] == "error"


@pytest.mark.long
async def test_a_warm_room_is_no_van(farm: Platform, store: ColdStore) -> None:
    made = await make_round(farm)
    await judge_at_once(store)
    await break_the_limit(farm, store)
    await farm.deliver()
    assert not any("Van" in title for title in await titles(made.driver))


@pytest.mark.long
async def test_money_that_goes_back_is_told_and_credit_is_not(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    order_id = uuid.UUID(made.order_ids[0])
    refunds = []
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for method in ("upi", "credit"):
            paid = payment(order_id, method, direction="in", refund_of_id=None)
            db.add(paid)
            await db.flush()
            refund = payment(order_id, method, direction="out", refund_of_id=paid.id)
            db.add(refund)
            await db.flush()
            refunds.append(refund.id)
    await hear(farm, *(PaymentRefunded(order_id, one) for one in refunds))
    [body] = await words_of(farm, "payment.refunded")
    assert "INR 425.50" in body


def payment(order_id: uuid.UUID, method: str, **fields: Any) -> CustomerPayment:
    number = f"PAY-{uuid.uuid4().hex[:8]}"
    money = {"amount_minor": 42_550, "currency": "INR", "status": "completed"}
    return CustomerPayment(number=number, order_id=order_id, method=method, created_at=clock.now(), **money, **fields)


@pytest.mark.long
async def test_an_order_that_was_cancelled_meanwhile_is_not_announced(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    await give_up(farm)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await deliveries.cancel_route(db, uuid.UUID(made.route_id), reason="closed")
    await farm.tenant.post(f"/api/v1/orders/{made.order_ids[0]}/cancel", {"reason": "closed"})
    await hear(farm, OrderPacked(uuid.UUID(made.order_ids[0])))
    assert await said_of(farm, made.order_ids[0]) == []
