"""A phone's sealed log: any part, in any order, any number of times; each command answered by its own result."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from device_sims.phone.sealing import SealingKey
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import MOBILE, Day, a_photo, handed_over, make_phone_day, results
from tests.factories.orders import hire_driver
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def sealed(day: Day, number: int, command: str, previous_hash: str, **changes: Any) -> dict[str, Any]:
    """An entry whose text nobody made who knew how."""
    digest, signature = day.phone.book.key.seal(number, previous_hash, command)
    entry = {"number": number, "previous_hash": previous_hash, "hash": digest, "signature": signature}
    return {**entry, "command": command, **changes}


async def test_a_day_that_was_driven_without_signal_is_there_once_it_was_sent(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=2)
    phone = day.phone
    start = phone.tell("start_route", day.route_id, {"odometer_start_km": 1200}, ago_s=7200)
    for stop in (0, 1):
        phone.tell("arrive", day.stop(stop), after=[start], ago_s=3600 - stop)
    first = await phone.photograph(day.stops[0], 1)
    phone.tell("deliver", day.stop(0), handed_over(first), after=[2], ago_s=3000)
    phone.tell("fail", day.stop(1), {"failure_reason": "customer_absent"}, after=[3], ago_s=2000)
    phone.tell("complete_route", day.route_id, {"unload_location_id": day.drive.room_id}, after=[4, 5], ago_s=1000)
    once = await phone.send_all()
    assert once == {number: ("applied", "") for number in range(1, 7)}
    assert await phone.send_all() == once, "the same entry again gets the same answer"
    assert [await day.status(stop) for stop in (0, 1)] == ["delivered", "returned"]
    assert [await day.order_status(stop) for stop in (0, 1)] == ["delivered", "packed"]
    delivered = await day.delivery(0)
    assert delivered["delivered_at"][:23] == phone.entry(4).at[:23]
    movements = await day.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    assert [row["quantity"] for row in movements if row["movement_type"] == "outbound"] == ["-4.000"]


async def test_what_builds_on_something_missing_waits_and_is_done_when_the_gap_is_filled(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=2)
    phone = day.phone
    start = phone.tell("start_route", day.route_id)
    arrive = phone.tell("arrive", day.stop(0), after=[start])
    fail = phone.tell("fail", day.stop(0), {"failure_reason": "refused"}, after=[arrive])
    other = phone.tell("arrive", day.stop(1), after=[start])
    assert await phone.send(fail) == {fail: ("waiting", "EARLIER_MISSING")}
    assert await phone.send(start) == {start: ("applied", ""), fail: ("waiting", "EARLIER_MISSING")}
    assert await phone.send(other) == {other: ("applied", ""), fail: ("waiting", "EARLIER_MISSING")}
    assert await day.status(0) == "out_for_delivery"
    assert await phone.send(arrive) == {arrive: ("applied", ""), fail: ("applied", "")}
    assert [await day.status(stop) for stop in (0, 1)] == ["failed", "arrived"]


async def test_a_proof_waits_for_its_photo_and_is_done_when_the_bytes_are_here(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=2)
    phone = day.phone
    start = phone.tell("start_route", day.route_id)
    sha256 = handed_over(hashlib.sha256(a_photo(7)).hexdigest())
    proof = phone.tell("deliver", day.stop(0), sha256, after=[start])
    behind = phone.tell("note", day.stop(0), {"text": "green door"}, after=[proof])
    told = await phone.post(phone.body(start, proof, behind))
    assert results(told["results"]) == {
        start: ("applied", ""),
        proof: ("waiting", "PHOTO_MISSING"),
        behind: ("waiting", "EARLIER_MISSING"),
    }
    assert told["photos_wanted"] == [sha256["photo_sha256"]]
    assert await day.status(0) == "out_for_delivery", "a proof counts as stored when its bytes are"
    await phone.photograph(day.stops[0], 7)
    assert await phone.send() == {proof: ("applied", ""), behind: ("applied", "")}
    assert await day.status(0) == "delivered"
    assert (await day.delivery(0))["note"] == "green door"


async def test_a_command_that_is_sealed_again_with_another_key_is_done_once(farm: Platform) -> None:
    day = await make_phone_day(farm)
    phone = day.phone
    start = phone.tell("start_route", day.route_id)
    arrive = phone.tell("arrive", day.stop(0), after=[start])
    await phone.send(start, arrive)
    phone.book.seal_again()
    await phone.register()
    assert [entry.kind for entry in phone.book.entries()] == ["start_route", "arrive"]
    assert await phone.send_all() == {1: ("duplicate", "ALREADY_SENT"), 2: ("duplicate", "ALREADY_SENT")}


async def test_another_content_under_the_same_number_is_named_and_somebody_is_told_once(farm: Platform) -> None:
    day = await make_phone_day(farm)
    phone = day.phone
    start = phone.tell("start_route", day.route_id)
    await phone.send(start)
    changed = phone.entry(start).command.replace("start_route", "complete_route")
    forged = sealed(day, 1, changed, phone.book.key.first_hash)
    for _ in range(3):
        told = await phone.post({**phone.body(), "entries": [forged]})
        assert results(told["results"]) == {1: ("refused", "TAMPERED")}
    raised = await day.tenant.get("/api/v1/admin/security/events", limit=50)
    assert [row["severity"] for row in raised if row["type"] == "phone_log_tampered"] == ["high"]
    assert (await phone.send(start)) == {start: ("applied", "")}, "the log is as it was"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hash": "0" * 64}, "HASH_WRONG"),
        ({"hash": "no hash"}, "HASH_WRONG"),
        ({"command": "{}"}, "HASH_WRONG"),
        ({"number": 2}, "HASH_WRONG"),
        ({"signature": "AAAA"}, "SIGNATURE_WRONG"),
        ({"signature": "\N{SNOWMAN}"}, "SIGNATURE_WRONG"),
    ],
)
async def test_a_wrong_hash_or_signature_is_named_and_nothing_is_done(
    farm: Platform, changes: dict[str, Any], code: str
) -> None:
    day = await make_phone_day(farm)
    phone = day.phone
    start = phone.tell("start_route", day.route_id)
    entry = {**phone.entry(start).sealed(), **changes}
    told = await phone.post({**phone.body(), "entries": [entry]})
    assert [(one["result"], one["code"]) for one in told["results"]] == [("refused", code)]
    assert await day.status() == "assigned"
    assert await phone.send(start) == {start: ("applied", "")}


async def test_an_entry_of_another_phone_is_not_taken_for_ones_own(farm: Platform) -> None:
    day = await make_phone_day(farm)
    digest, signature = SealingKey.make().seal(1, day.phone.book.key.first_hash, "{}")
    entry = {"number": 1, "previous_hash": day.phone.book.key.first_hash, "hash": digest, "signature": signature}
    told = await day.phone.post({**day.phone.body(), "entries": [{**entry, "command": "{}"}]})
    assert results(told["results"]) == {1: ("refused", "SIGNATURE_WRONG")}


A_NOTE = {"id": "6f1c2d4e-8a8b-4b6a-9c55-0a1b2c3d4e5f", "kind": "note", "at": "2026-01-31T08:00:00Z"}
UNREADABLE = [
    "",
    "no JSON",
    "[]",
    "{}",
    "[" * 5000,
    "\0",
    json.dumps({**A_NOTE, "id": "a"}),
    json.dumps({**A_NOTE, "kind": "fly"}),
    json.dumps({**A_NOTE, "at": "yesterday"}),
    json.dumps({**A_NOTE, "after": [99]}),
    json.dumps({**A_NOTE, "payload": {"text": "a\0b"}}),
    json.dumps({**A_NOTE, "payload": {"text": "\ud83d"}}),
    json.dumps({**A_NOTE, "colour": "green"}),
]


async def test_what_nobody_can_read_is_refused_and_holds_up_nothing_behind_it(farm: Platform) -> None:
    day = await make_phone_day(farm)
    phone, previous_hash, entries = day.phone, day.phone.book.key.first_hash, []
    start = {**A_NOTE, "kind": "start_route", "at": phone.now().isoformat(), "target_id": day.route_id}
    for number, command in enumerate([*UNREADABLE, json.dumps(start)], 1):
        entries.append(sealed(day, number, command, previous_hash))
        previous_hash = entries[-1]["hash"]
    told = await phone.post({**phone.body(), "entries": entries})
    assert [(one["result"], one["code"]) for one in told["results"]] == [
        *[("refused", "UNREADABLE")] * len(UNREADABLE),
        ("applied", ""),
    ]
    again = await phone.post({**phone.body(), "entries": entries})
    assert again["results"] == told["results"]


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        ("fail", {"failure_reason": "bored"}, "payload.failure_reason"),
        ("fail", {"status": "arrived"}, "payload.status"),
        ("payment", {"amount_minor": 0, "method": "cash", "reference": "1"}, "payload.amount_minor"),
        ("payment", {"amount_minor": "5", "method": "cash", "reference": "1"}, "payload.amount_minor"),
        ("note", {"text": ""}, "payload.text"),
        ("deliver", {"recipient_name": "x", "delivered_at": "now"}, "payload.delivered_at"),
        ("arrive", {"colour": "green"}, "payload.colour"),
    ],
)
async def test_what_a_kind_does_not_say_is_refused_by_the_name_of_the_field(
    farm: Platform, kind: str, payload: dict[str, Any], field: str
) -> None:
    day = await make_phone_day(farm)
    number = day.phone.tell(kind, day.stop(0), payload)
    [told] = (await day.phone.post(day.phone.body(number)))["results"]
    assert (told["result"], told["code"], told["field"]) == ("refused", "VALIDATION_FAILED", field)


async def test_a_command_about_somebody_elses_stop_is_refused_and_so_is_one_about_nothing(farm: Platform) -> None:
    mine, theirs = await make_phone_day(farm), await make_phone_day(farm)
    start = mine.phone.tell("start_route", theirs.route_id)
    await theirs.phone.send(theirs.phone.tell("start_route", theirs.route_id))
    stop = mine.phone.tell("fail", theirs.stop(0), {"failure_reason": "refused"})
    nothing = mine.phone.tell("arrive", None)
    assert await mine.phone.send(start, stop, nothing) == {
        start: ("refused", "NOT_FOUND"),
        stop: ("refused", "NOT_FOUND"),
        nothing: ("refused", "TARGET_MISSING"),
    }
    assert await theirs.status() == "out_for_delivery"


async def test_a_phone_whose_clock_is_three_hours_ahead_tells_the_right_times(farm: Platform) -> None:
    day = await make_phone_day(farm)
    phone = day.phone
    phone.ahead = timedelta(hours=3)
    start = phone.tell("start_route", day.route_id, ago_s=3600)
    arrive = phone.tell("arrive", day.stop(0), after=[start], ago_s=600)
    told = await phone.post(phone.body(start, arrive))
    assert results(told["results"]) == {start: ("applied", ""), arrive: ("applied", "")}
    assert told["skew_ms"] == pytest.approx(-3 * 3600 * 1000, abs=60_000)
    rows = {row["kind"]: row for row in await day.tenant.get(f"{MOBILE}/commands")}
    assert rows["arrive"]["phone_at"] > rows["arrive"]["received_at"] > rows["arrive"]["happened_at"]
    assert (await day.delivery(0))["arrived_at"] == rows["arrive"]["happened_at"]
    [key] = await day.phone.driver.get(f"{MOBILE}/keys")
    assert key["skew_ms"] == told["skew_ms"]


async def test_positions_of_the_day_are_kept_once_and_not_in_the_log(farm: Platform) -> None:
    day = await make_phone_day(farm)
    phone = day.phone
    start = phone.tell("start_route", day.route_id, ago_s=900)
    noted = [
        {"recorded_at": (phone.now() - timedelta(seconds=ago_s)).isoformat(), "latitude": 12.9, "longitude": 77.6}
        for ago_s in (800, 700, 600)
    ]
    batches = [phone.tell("position_batch", day.route_id, {"positions": noted}) for _ in range(2)]
    assert await phone.send(*batches, start) == dict.fromkeys([*batches, start], ("applied", ""))
    track = await day.tenant.get(f"/api/v1/warehouse/deliveries/tracking/{day.route_id}")
    assert (track["latitude"], track["longitude"]) == (12.9, 77.6)
    assert await phone.send(*batches) == dict.fromkeys(batches, ("applied", ""))


async def test_who_looks_after_drivers_sees_what_phones_have_sealed_and_a_driver_their_own(farm: Platform) -> None:
    day = await make_phone_day(farm)
    start = day.phone.tell("start_route", day.route_id)
    await day.phone.send(start, day.phone.tell("complete_route", day.route_id, {}, after=[start]))
    assert [row["kind"] for row in await day.tenant.get(f"{MOBILE}/commands")] == ["complete_route", "start_route"]
    [open_stops] = await day.tenant.get(f"{MOBILE}/commands", result="conflict")
    assert open_stops["code"] == "STOPS_OPEN"
    assert len(await day.phone.driver.get(f"{MOBILE}/commands")) == 2
    _, other = await hire_driver(farm, farm.tenant)
    assert await other.get(f"{MOBILE}/commands") == []
