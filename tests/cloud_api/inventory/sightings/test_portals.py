"""What portals saw becomes movements: joined, settled, booked or proposed, once."""

from cloud_api.inventory.sightings.portals.settling import settle_due
from cloud_api.kernel import clock
from tests.cloud_api.inventory.sightings.tagged import (
    bind_crate,
    follow,
    make_epc,
    make_place,
    make_portal,
    make_rule,
    on_hand,
    passages,
    send,
    tag,
)
from tests.cloud_api.inventory.stock import assert_consistent, hold
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_a_crate_that_passes_a_portal_is_booked_at_once_and_by_itself(farm: Platform, store: ColdStore) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    await bind_crate(store, epc, (await receive(store))["lot_id"])

    await send(farm, store, "tags", tag(1, epc), tag(2, epc), tag(3, epc))
    await follow(farm, store)

    [passage] = await passages(store)
    assert (passage["status"], passage["reads"], passage["direction"]) == ("booked", 3, "in")
    assert (await on_hand(store, store.room_id), await on_hand(store, inside)) == ("80.0", "20.0")
    movements = await store.tenant.get("/api/v1/warehouse/stock/movements")
    assert [one["reference"] for one in movements[:2]] == [f"passage:{passage['id']}"] * 2
    [crate] = await store.tenant.get("/api/v1/edge/tags", epc=epc.lower())
    assert (crate["goods_location_id"], crate["last_location_id"]) == (inside, store.room_id)
    await assert_consistent(farm, store)


async def test_the_same_reads_again_and_later_ones_of_the_same_passage_book_nothing_more(
    farm: Platform, store: ColdStore
) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    now = clock.now_ms()

    for _ in range(2):
        await send(farm, store, "tags", tag(1, epc, at_ms=now))
        await follow(farm, store)
    await send(farm, store, "tags", tag(2, epc, at_ms=now - 20_000), tag(3, epc, at_ms=now - 40_000))
    await follow(farm, store)

    [passage] = await passages(store)
    assert (passage["status"], passage["reads"]) == ("booked", 3)
    assert await on_hand(store, inside) == "20.0"


async def test_goods_on_hold_are_proposed_with_the_reason_and_accepted_with_their_hold(
    farm: Platform, store: ColdStore
) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    await hold(farm, store, "excursion:portal-1")

    await send(farm, store, "tags", tag(1, epc))
    await follow(farm, store)

    [proposal] = await passages(store, status="proposed")
    assert (proposal["reason"], await on_hand(store, inside)) == ("STOCK_ON_HOLD", "0")
    for _ in range(2):
        accepted = await store.tenant.post(f"/api/v1/warehouse/passages/{proposal['id']}/accept")
        assert (accepted["status"], accepted["reason"]) == ("booked", "")
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=inside)
    assert (level["on_hand"], level["status"]) == ("20.000", "on_hold")


async def test_more_than_the_books_have_is_proposed_and_nothing_of_it_half_booked(
    farm: Platform, store: ColdStore
) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    plenty, few = await receive(store), await receive(store, lot="LOT-2", quantity="5.000")
    contents = [
        {"lot_id": plenty["lot_id"], "quantity": "10.000"},
        {"lot_id": few["lot_id"], "quantity": "6.000"},
    ]
    pallet = {"epc": epc, "entity_type": "pallet", "contents": contents, "goods_location_id": store.room_id}
    await store.tenant.post("/api/v1/edge/tags", pallet)

    await send(farm, store, "tags", tag(1, epc))
    await follow(farm, store)

    [proposal] = await passages(store)
    assert (proposal["status"], proposal["reason"]) == ("proposed", "NOT_ENOUGH_STOCK")
    assert (await on_hand(store, store.room_id), await on_hand(store, inside)) == ("105.0", "0")
    await receive(store, lot="LOT-2", quantity="5.000")
    await store.tenant.post(f"/api/v1/warehouse/passages/{proposal['id']}/accept")
    assert (await on_hand(store, store.room_id), await on_hand(store, inside)) == ("94.0", "16.0")
    await assert_consistent(farm, store)


async def test_what_was_seen_too_long_ago_is_proposed_and_not_booked(farm: Platform, store: ColdStore) -> None:
    reader, inside, late, early = await make_portal(store), await make_place(store), make_epc(), make_epc()
    await make_rule(store, reader["id"], inside, max_age_s=10, window_s=5)
    lot_id = (await receive(store))["lot_id"]
    for epc in (late, early):
        await bind_crate(store, epc, lot_id)
    now = clock.now_ms()

    # one was kept by its gateway for half a minute, the other was seen before anybody said what it is on
    await send(farm, store, "tags", tag(1, late, at_ms=now - 30_000), tag(2, early, at_ms=now - 3 * 86_400_000))
    await follow(farm, store)

    told = {one["epc"]: (one["status"], one["reason"]) for one in await passages(store)}
    assert told == {late: ("proposed", "TOO_OLD"), early: ("seen", "UNBOUND")}
    assert await on_hand(store, inside) == "0"


async def test_the_order_of_antennas_tells_the_direction_when_the_passage_is_over(
    farm: Platform, store: ColdStore
) -> None:
    antennas = [{"number": 1, "direction": "out"}, {"number": 2, "direction": "in"}]
    reader = await make_portal(store, direction="both", antennas=antennas)
    inside, coming, going, staying = await make_place(store), make_epc(), make_epc(), make_epc()
    await make_rule(store, reader["id"], inside, direction="in", window_s=1)
    lot_id = (await receive(store))["lot_id"]
    for epc in (coming, going, staying):
        await bind_crate(store, epc, lot_id)
    now = clock.now_ms()
    clock.use(lambda: clock.from_ms(now))  # a passage is open for a second

    def seen(sequence: int, epc: str, antenna: int, after_ms: int) -> dict[str, object]:
        return tag(sequence, epc, antenna=antenna, at_ms=now - 5000 + after_ms)

    await send(farm, store, "tags", seen(1, coming, 1, 0), seen(2, going, 2, 0), seen(3, staying, 2, 0))
    await follow(farm, store)
    assert {one["status"] for one in await passages(store)} == {"open"}
    await send(farm, store, "tags", seen(4, coming, 2, 900), seen(5, going, 1, 900), seen(6, staying, 2, 900))
    await follow(farm, store)
    clock.use(lambda: clock.from_ms(now + 2000))
    await settle_due(farm.database)
    await follow(farm, store)

    told = {one["epc"]: (one["direction"], one["status"]) for one in await passages(store)}
    assert told == {coming: ("in", "booked"), going: ("out", "seen"), staying: ("unknown", "seen")}
    assert await on_hand(store, inside) == "20.0"


async def test_goods_are_received_once_and_shipped_once_however_often_their_tag_passes(
    farm: Platform, store: ColdStore
) -> None:
    reader, epc = await make_portal(store, direction="both"), make_epc()
    inside = await make_place(store)
    await make_rule(store, reader["id"], inside, direction="in", action="receive", window_s=1)
    await make_rule(store, reader["id"], None, direction="out", action="ship", window_s=1)
    lot_id = (await receive(store))["lot_id"]
    await bind_crate(store, epc, lot_id, goods_location_id=None)
    now = clock.now_ms()

    for number, direction in enumerate(("in", "in", "out", "out", "in"), 1):
        await send(farm, store, "tags", tag(number, epc, at_ms=now - 50_000 + number * 5000, direction=direction))
        await follow(farm, store)

    kinds = [one["movement_type"] for one in await store.tenant.get("/api/v1/warehouse/stock/movements")]
    assert kinds == ["outbound", "inbound", "inbound"]
    assert [(one["status"], one["reason"]) for one in await passages(store)] == [
        ("booked", ""),
        ("seen", "NOTHING_TO_BOOK"),
        ("booked", ""),
        ("seen", "NOTHING_TO_BOOK"),
        ("proposed", "GOODS_GONE"),
    ]
    await assert_consistent(farm, store)


async def test_a_passage_from_before_what_was_booked_last_is_only_proposed(farm: Platform, store: ColdStore) -> None:
    reader, epc = await make_portal(store, direction="both"), make_epc()
    inside, outside, now = await make_place(store), await make_place(store), clock.now_ms()
    await make_rule(store, reader["id"], inside, direction="in", window_s=1)
    await make_rule(store, reader["id"], outside, direction="out", window_s=1)
    await bind_crate(store, epc, (await receive(store))["lot_id"])

    await send(farm, store, "tags", tag(1, epc, at_ms=now - 5000, direction="out"))
    await follow(farm, store)
    await send(farm, store, "tags", tag(2, epc, at_ms=now - 20_000, direction="in"))
    await follow(farm, store)

    late = (await passages(store, status="proposed"))[0]
    assert (late["reason"], await on_hand(store, outside)) == ("LATE_SIGHTING", "20.0")
    await store.tenant.post(f"/api/v1/warehouse/passages/{late['id']}/reject", {"reason": "it went out again"})
    assert (await passages(store, status="rejected"))[0]["message"] == "it went out again"
    accepted = await store.tenant.client.post(f"/api/v1/warehouse/passages/{late['id']}/accept", json={})
    assert (accepted.status_code, accepted.json()["error"]["code"]) == (409, "INVALID_TRANSITION")


async def test_reads_that_come_late_show_that_two_passages_were_one(farm: Platform, store: ColdStore) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside, mode="propose", window_s=30)
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    now = clock.now_ms()

    await send(farm, store, "tags", tag(1, epc, at_ms=now - 50_000), tag(2, epc, at_ms=now))
    await follow(farm, store)
    assert [one["status"] for one in await passages(store)] == ["proposed", "proposed"]
    await send(farm, store, "tags", tag(3, epc, at_ms=now - 25_000))
    await follow(farm, store)

    [whole] = await passages(store)
    assert (whole["status"], whole["reads"]) == ("proposed", 3)


async def test_a_tag_nobody_bound_and_a_portal_without_a_rule_book_nothing(farm: Platform, store: ColdStore) -> None:
    await make_portal(store)
    stranger, crate = make_epc(), make_epc()
    await bind_crate(store, crate, (await receive(store))["lot_id"])

    await send(farm, store, "tags", tag(1, stranger), tag(2, crate))
    await follow(farm, store)

    told = {one["epc"]: (one["status"], one["reason"]) for one in await passages(store)}
    assert told == {stranger: ("seen", "UNBOUND"), crate: ("seen", "IGNORED")}


async def test_an_item_that_passes_is_where_its_tag_was_seen(farm: Platform, store: ColdStore) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    jack = await store.tenant.post("/api/v1/items", {"name": "Pallet jack", "location_id": store.room_id})
    await store.tenant.post("/api/v1/edge/tags", {"epc": epc, "entity_type": "item", "entity_id": jack["id"]})

    await send(farm, store, "tags", tag(1, epc))
    await follow(farm, store)

    assert (await store.tenant.get(f"/api/v1/items/{jack['id']}"))["location_id"] == inside
    [moved, _] = await store.tenant.get(f"/api/v1/items/{jack['id']}/activity")
    assert (moved["action"], moved["actor_id"]) == ("transfer", None)
