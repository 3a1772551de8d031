"""What stands on tags, and what they are on."""

import uuid
from typing import Any

import pytest
from epcpy.epc_schemes.giai import GIAI
from epcpy.epc_schemes.grai import GRAI
from epcpy.epc_schemes.sgln import SGLN
from epcpy.epc_schemes.sgtin import SGTIN, SGTINFilterValue
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.inventory.sightings.tags import epc as codes
from cloud_api.inventory.sightings.tags import service as tags
from cloud_api.inventory.sightings.tags.epc import MalformedEpc
from cloud_api.kernel import clock
from tests.cloud_api.inventory.sightings.tagged import (
    bind_crate,
    counted,
    follow,
    make_epc,
    make_portal,
    make_take,
    send,
    tag,
)
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Platform

PATH = "/api/v1/edge/tags"
in_one_loop = IN_ONE_LOOP


@pytest.mark.parametrize(
    ("epc", "scheme", "uri", "key"),
    [
        ("3034257BF7194E4000001A85", "sgtin-96", "urn:epc:id:sgtin:0614141.812345.6789", "80614141123458"),
        ("3114257BF4499602D2000000", "sscc-96", "urn:epc:id:sscc:0614141.1234567890", "106141412345678908"),
        ("E2801160600002054CC2096F", "", "", ""),
    ],
)
def test_an_epc_says_what_the_standard_says(epc: str, scheme: str, uri: str, key: str) -> None:
    assert codes.decode(f" {epc.lower()} ") == codes.Epc(epc, scheme, uri, key)


def test_what_a_scheme_writes_is_read_back() -> None:
    crate = SGTIN("urn:epc:id:sgtin:8901234.012345.ABC%2F1")
    long = SGTIN.BinaryCodingScheme.SGTIN_198
    written = crate.hex(binary_coding_scheme=long, filter_value=SGTINFilterValue.FULL_CASE)
    assert codes.decode(written).uri == crate.epc_uri
    assert codes.decode(written).scheme == "sgtin-198"
    for identity, of in (
        ("urn:epc:id:sgln:0614141.12345.400", SGLN),
        ("urn:epc:id:grai:0614141.12345.400", GRAI),
        ("urn:epc:id:giai:0614141.12345400", GIAI),
    ):
        scheme = next(iter(of.BinaryCodingScheme))
        filter_value = next(iter(getattr(__import__(of.__module__, fromlist=["x"]), f"{of.__name__}FilterValue")))
        read = codes.decode(of(identity).hex(binary_coding_scheme=scheme, filter_value=filter_value))
        assert (read.uri, read.scheme) == (identity, scheme.value)


@pytest.mark.parametrize("epc", ["", "3", "XYZ0", "30", "301C000000000000000000FF", "30" * 63])
def test_what_no_tag_can_carry_is_named(epc: str) -> None:
    with pytest.raises(MalformedEpc) as refused:
        codes.decode(epc)
    assert refused.value.details[0].field == "epc"


@given(
    st.binary(min_size=1, max_size=62),
    st.sampled_from([*(bytes.fromhex(header) for header in codes.HEADERS), b""]),
)
def test_any_memory_of_a_tag_is_decoded_kept_as_it_is_or_refused_by_name(memory: bytes, header: bytes) -> None:
    text = (header + memory)[:62].hex()
    try:
        read = codes.decode(text)
    except MalformedEpc:
        return
    assert read.hex == text.upper()
    assert bool(read.scheme) == bool(read.uri) == (text[:2].upper() in codes.HEADERS)


@in_one_loop
async def test_a_tag_is_found_by_its_epc_as_it_is_bound_now(farm: Platform, store: ColdStore) -> None:
    epc, lot_id = make_epc(), (await receive(store))["lot_id"]
    bound = await bind_crate(store, epc, lot_id)
    again = await bind_crate(store, epc.lower(), lot_id)

    assert again["id"] == bound["id"]
    assert bound["contents"] == [{"lot_id": lot_id, "quantity": "20.000", "weight_g": None}]
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        found = await tags.find(db, epc.lower())
        assert found is not None
        assert (found.entity_type, str(found.entity_id), found.gs1_key) == ("lot", lot_id, bound["gs1_key"])
        assert await tags.find(db, make_epc()) is None
    stranger = await make_farm(farm)
    async with farm.database.unit_of_work(stranger.organization) as db:
        assert await tags.find(db, epc) is None


@in_one_loop
async def test_what_a_tag_was_on_before_stays_known(farm: Platform, store: ColdStore) -> None:
    epc, first, second = make_epc(), await receive(store), await receive(store, lot="LOT-2")
    before = await bind_crate(store, epc, first["lot_id"])
    body = {"entity_type": "lot", "entity_id": second["lot_id"], "quantity": "5.000"}

    taken = await store.tenant.client.post(PATH, json={"epc": epc, **body})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "TAG_BOUND")
    after = await store.tenant.put(f"{PATH}/{before['id']}", body)

    assert [one["id"] for one in await store.tenant.get(PATH, epc=epc)] == [after["id"]]
    [over] = await store.tenant.get(PATH, epc=epc, bound=False)
    assert (over["id"], over["entity_id"], over["unbound_at"] is not None) == (before["id"], first["lot_id"], True)
    for _ in range(2):
        assert (await store.tenant.client.delete(f"{PATH}/{after['id']}")).status_code == 204
    assert await store.tenant.get(PATH, epc=epc) == []
    free = await bind_crate(store, epc, first["lot_id"])
    assert free["id"] not in (before["id"], after["id"])


@in_one_loop
async def test_many_tags_are_bound_at_once_or_none(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    crates = [{"epc": make_epc(), "entity_type": "lot", "entity_id": lot_id, "quantity": "1.000"} for _ in range(12)]
    wrong = [*crates, {**crates[0], "epc": make_epc(), "entity_id": str(uuid.uuid4())}]

    refused = await store.tenant.client.post(f"{PATH}/bulk", json={"tags": wrong})
    twice = await store.tenant.client.post(f"{PATH}/bulk", json={"tags": [*crates, crates[3]]})
    assert (refused.status_code, twice.status_code) == (404, 422)
    assert twice.json()["error"]["details"][0]["field"] == "tags.12.epc"
    assert await store.tenant.get(PATH) == []
    bound = await store.tenant.post(f"{PATH}/bulk", {"tags": crates})
    assert [one["epc"] for one in bound] == [crate["epc"] for crate in crates]


@in_one_loop
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"epc": "nonsense"}, 422),
        ({"quantity": None}, 422),
        ({"quantity": "-1"}, 422),
        ({"quantity": "0.0001"}, 422),
        ({"weight_g": 5}, 422),
        ({"entity_id": str(uuid.UUID(int=1))}, 404),
        ({"entity_type": "item"}, 422),
        ({"entity_type": "pallet", "quantity": None}, 422),
        ({"goods_location_id": str(uuid.UUID(int=1))}, 404),
    ],
    ids=str,
)
async def test_a_binding_that_cannot_be_is_refused_by_name(
    farm: Platform, store: ColdStore, changed: dict[str, Any], status: int
) -> None:
    lot_id = (await receive(store))["lot_id"]
    body = {"epc": make_epc(), "entity_type": "lot", "entity_id": lot_id, "quantity": "1.000", **changed}
    answer = await store.tenant.client.post(PATH, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["details"]


@in_one_loop
async def test_catch_weight_goods_are_bound_with_their_weight(farm: Platform, store: ColdStore) -> None:
    cheese = await make_product(store.tenant, name="Cheese", unit="piece", catch_weight=True)
    lot = await receive(store, product_id=cheese, quantity="4", weight_g=12_000)
    body = {"epc": make_epc(), "entity_type": "lot", "entity_id": lot["lot_id"], "quantity": "1"}
    assert (await store.tenant.client.post(PATH, json=body)).status_code == 422
    bound = await store.tenant.post(PATH, {**body, "weight_g": 3100})
    assert bound["contents"][0]["weight_g"] == 3100


@in_one_loop
async def test_another_organisation_may_have_a_tag_with_the_same_epc(farm: Platform, store: ColdStore) -> None:
    epc = make_epc()
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    other = await plant_store(farm, await make_farm(farm))
    theirs = await bind_crate(other, epc, (await receive(other))["lot_id"])
    assert [one["id"] for one in await other.tenant.get(PATH)] == [theirs["id"]]


@in_one_loop
async def test_what_a_reader_swept_is_a_count_of_a_stock_take_however_often_it_saw_each_tag(
    farm: Platform, store: ColdStore
) -> None:
    reader = await make_portal(store, portal=False, direction="both")
    first, second = (await receive(store))["lot_id"], (await receive(store, lot="LOT-2"))["lot_id"]
    crates, stranger = [make_epc() for _ in range(3)], make_epc()
    await bind_crate(store, crates[0], first)
    await bind_crate(store, crates[1], first, quantity="12.500")
    contents = [{"lot_id": first, "quantity": "1.000"}, {"lot_id": second, "quantity": "2.000"}]
    await store.tenant.post(PATH, {"epc": crates[2], "entity_type": "pallet", "contents": contents})
    now = clock.now_ms()
    seen = [tag(number, epc, at_ms=now - 1000 + number) for number, epc in enumerate([*crates, *crates, stranger], 1)]
    before = tag(99, make_epc(), at_ms=now - 600_000)
    await send(farm, store, "tags", *seen, before)
    await follow(farm, store)
    take_id = await make_take(farm, store)
    since, until = clock.from_ms(now - 60_000).isoformat(), clock.from_ms(now + 1000).isoformat()
    body = {"reader_id": reader["id"], "location_id": store.room_id, "since": since, "until": until}

    for _ in range(2):
        swept = await store.tenant.post(f"/api/v1/warehouse/stock/takes/{take_id}/rfid-sweep", body)

    assert (swept["tags_seen"], swept["unbound_epcs"]) == (4, [stranger])
    told = {one["lot_id"]: (one["quantity"], one["tags"]) for one in swept["counts"]}
    assert told == {first: ("33.500", 3), second: ("2.000", 1)}
    assert await counted(farm, store, take_id) == {first: ("33.500", "rfid"), second: ("2.000", "rfid")}

    # what a scanner read is the same without a reader
    path = f"/api/v1/warehouse/stock/takes/{take_id}/rfid-sweep"
    read = {"location_id": store.room_id, "epcs": [*crates, crates[0].lower(), stranger]}
    assert await store.tenant.post(path, read) == swept
    for wrong in ({**body, **read}, {**read, "epcs": None}):
        assert (await store.tenant.client.post(path, json=wrong)).status_code == 422, wrong
    refused = await store.tenant.client.post(path, json={**read, "epcs": [crates[0], "XY"]})
    assert [detail["field"] for detail in refused.json()["error"]["details"]] == ["epcs.1"]
