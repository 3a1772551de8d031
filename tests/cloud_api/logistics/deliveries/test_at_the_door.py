"""Money, calls, loading, and the day on the phone."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.logistics.deliveries.models import ContactLog
from cloud_api.notifications.models import ContactMessage
from tests.cloud_api.logistics.deliveries.rounds import MOBILE, Round, make_round
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import asked
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PHONE = "+919876543210"


@pytest.mark.long
async def test_money_is_taken_once_for_each_reference(farm: Platform) -> None:
    made = await make_round(farm)
    path = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/payment"
    body = {"amount_minor": 10_000, "method": "cash", "reference": "slip-1"}
    assert await made.said("POST", path, body) == (409, "INVALID_TRANSITION")
    await made.start()
    total = (await made.order())["total_minor"]
    for _ in range(2):
        taken = await made.driver.post(path, body)
        assert (taken["amount_minor"], taken["due_minor"]) == (10_000, total - 10_000)
    stranger = await make_round(farm, depot=made.depot)
    assert await stranger.said("POST", path, body) == (404, "NOT_FOUND")
    assert await made.said("POST", path, {**body, "amount_minor": 0}) == (422, "VALIDATION_FAILED")


@pytest.mark.long
async def test_a_customer_is_reached_without_their_number_being_told_and_that_is_logged(farm: Platform) -> None:
    made = await make_round(farm, phone=PHONE)
    path = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/contact"
    assert await made.said("POST", path, {"channel": "call"}) == (409, "NO_RELAY_NUMBER")
    setting = "/api/v1/admin/settings/deliveries.relay_number"
    await farm.tenant.put(setting, {"value": "+918001234567"})
    called = await made.driver.post(path, {"channel": "call"})
    assert (called["link"], called["result"]) == ("tel:+918001234567", "connected")
    wrote = await made.driver.post(path, {"channel": "sms", "text": "I am at the back gate"})
    assert (wrote["link"], wrote["result"]) == (None, "queued")
    assert "98765432" not in json.dumps([called, wrote])
    assert called["display"].endswith("10")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        logs = (await db.scalars(select(ContactLog).order_by(ContactLog.id))).all()
        assert [(log.channel, log.result) for log in logs] == [("call", "connected"), ("sms", "queued")]
        written = (await db.scalars(select(ContactMessage))).one()
    assert ("I am at the back gate" in written.body, written.recipient) == (True, PHONE)


@pytest.mark.long
async def test_who_cannot_be_reached_is_said_to_be_so(farm: Platform) -> None:
    made = await make_round(farm)
    path = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/contact"
    assert await made.said("POST", path, {"channel": "sms"}) == (409, "CUSTOMER_UNREACHABLE")


async def scanned(made: Round, *codes: str) -> Any:
    return await made.driver.post(f"{MOBILE}/routes/{made.route_id}/scan", {"codes": list(codes)})


@pytest.mark.long
async def test_loading_is_compared_with_what_belongs_on_the_van(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    other = await make_round(farm, depot=made.depot)
    numbers = [(await made.order(stop))["number"] for stop in range(2)]
    strange = (await other.order())["number"]
    first = await scanned(made, numbers[0], strange, "NOBODY-KNOWS")
    assert (first["complete"], first["not_for_this_van"], first["unknown"]) == (False, [strange], ["NOBODY-KNOWS"])
    assert [(gap["order_number"], gap["lot_numbers"]) for gap in first["missing"]] == [(numbers[1], ["LOT-1"])]
    assert (await scanned(made, "LOT-1"))["complete"] is True
    assert all([(await made.stop(stop))["scanned_at"] for stop in range(2)])


@pytest.mark.long
async def test_codes_are_resolved_many_at_once(farm: Platform) -> None:
    made = await make_round(farm)
    product = await farm.tenant.get(f"/api/v1/warehouse/products/{made.depot.product_id}")
    found = await made.driver.post(f"{MOBILE}/scan", {"codes": [product["sku"], "]C1", "NOBODY-KNOWS"]})
    assert [scan["kind"] for scan in found] == ["product", "unknown", "unknown"]


async def test_the_day_on_the_phone_is_one_answer_that_is_not_sent_twice(farm: Platform) -> None:
    made = await make_round(farm, doors=2, phone=PHONE)
    answer = await made.driver.client.get(f"{MOBILE}/today")
    day = answer.json()["data"]
    assert (day["route"]["id"], [stop["delivery_id"] for stop in day["stops"]]) == (
        made.route_id,
        list(made.delivery_ids),
    )
    stop = day["stops"][0]
    assert (stop["otp_needed"], stop["cash_due_minor"], stop["lines"]) == (
        True,
        0,
        [{"name": "Spinach", "quantity": "4.000", "unit": "kg"}],
    )
    assert PHONE not in answer.text
    etag = {"If-None-Match": answer.headers["etag"]}
    again = await made.driver.client.get(f"{MOBILE}/today", headers=etag)
    assert (again.status_code, again.content) == (304, b"")
    await made.start()
    assert (await made.driver.client.get(f"{MOBILE}/today", headers=etag)).status_code == 200
    bytes_a_stop = len(json.dumps(stop)) + 40
    assert bytes_a_stop * 200 < 300_000


@pytest.mark.long
async def test_a_long_day_asks_the_database_as_often_as_a_short_one(farm: Platform) -> None:
    short = await make_round(farm)
    long = await make_round(farm, doors=4, depot=short.depot)
    counts = [await asked(farm, made.driver, f"{MOBILE}/today") for made in (short, long)]
    assert counts[0] == counts[1] <= 12
