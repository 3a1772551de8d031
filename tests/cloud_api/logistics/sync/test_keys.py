"""A phone's key: shown with a proof, one person's, and believed until it is revoked."""

import pytest

from device_sims.phone.logbook import Logbook
from device_sims.phone.sealing import SealingKey
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import MOBILE, Handset
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def a_driver(farm: Platform) -> Tenant:
    return await make_person(farm, farm.tenant, "delivery_personnel")


async def refused(phone: Handset, **changes: str) -> tuple[int, str]:
    """(status, code) of a registration that is changed on the way."""
    user_id = (await phone.driver.get("/api/v1/auth/me"))["id"]
    proof = phone.book.key.possession(phone.device_id, user_id)
    body = {"device_id": phone.device_id, "public_key": phone.book.key.public_key, "proof": proof, **changes}
    answer = await phone.driver.client.post(f"{MOBILE}/keys", json=body)
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


async def sync_code(phone: Handset) -> str:
    answer = await phone.driver.client.post(f"{MOBILE}/sync", json=phone.body())
    return "" if answer.is_success else str(answer.json()["error"]["code"])


@pytest.mark.parametrize("p256", [False, True])
async def test_a_key_that_is_shown_again_is_the_same_and_says_where_its_log_stands(farm: Platform, p256: bool) -> None:
    phone = Handset(await a_driver(farm), Logbook(":memory:", p256=p256))
    first = await phone.register()
    assert (first["algorithm"], first["last_number"], first["missing"]) == ("p256" if p256 else "ed25519", 0, [])
    assert first["first_hash"] == phone.book.key.first_hash
    for _ in range(4):
        phone.tell("note", None, {"text": "x"})
    await phone.send(1, 4)
    again = await phone.register()
    assert (again["id"], again["last_number"], again["missing"]) == (first["id"], 4, [2, 3])


async def test_a_key_is_taken_with_a_proof_of_its_own_phone_and_person_only(farm: Platform) -> None:
    phone = Handset(await a_driver(farm))
    user_id = (await phone.driver.get("/api/v1/auth/me"))["id"]
    other = SealingKey.make()
    assert await refused(phone, proof=other.possession(phone.device_id, user_id)) == (422, "KEY_INVALID")
    assert await refused(phone, proof=phone.book.key.possession("phone-2", user_id)) == (422, "KEY_INVALID")
    assert await refused(phone, proof="no base 64") == (422, "KEY_INVALID")
    assert await refused(phone, public_key="bm8ga2V5") == (422, "KEY_INVALID")
    assert await refused(phone) == (201, "")


async def test_a_key_is_one_persons(farm: Platform) -> None:
    phone = Handset(await a_driver(farm))
    await phone.register()
    thief = Handset(await a_driver(farm), phone.book)
    assert await refused(thief) == (409, "KEY_TAKEN")
    thief.key_id = phone.key_id
    assert await sync_code(thief) == "KEY_UNKNOWN"


async def test_another_key_on_the_same_phone_takes_the_place_of_the_first(farm: Platform) -> None:
    driver = await a_driver(farm)
    first, second, elsewhere = Handset(driver), Handset(driver), Handset(driver, device_id="phone-2")
    for phone in (first, elsewhere, second):
        await phone.register()
    assert [await sync_code(phone) for phone in (first, second, elsewhere)] == ["KEY_REVOKED", "", ""]
    assert await refused(first) == (403, "KEY_REVOKED")


async def test_a_lost_phones_key_is_revoked_by_its_driver_or_the_dispatcher_and_by_no_other(farm: Platform) -> None:
    mine, lost = Handset(await a_driver(farm)), Handset(await a_driver(farm))
    for phone in (mine, lost):
        await phone.register()
    assert [key["id"] for key in await mine.driver.get(f"{MOBILE}/keys")] == [mine.key_id]
    assert (await mine.driver.client.delete(f"{MOBILE}/keys/{lost.key_id}")).status_code == 404
    assert await sync_code(lost) == ""
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    assert {key["id"] for key in await dispatcher.get(f"{MOBILE}/keys")} >= {mine.key_id, lost.key_id}
    for _ in range(2):
        assert (await dispatcher.client.delete(f"{MOBILE}/keys/{lost.key_id}")).status_code == 204
    assert (await mine.driver.client.delete(f"{MOBILE}/keys/{mine.key_id}")).status_code == 204
    assert [await sync_code(phone) for phone in (mine, lost)] == ["KEY_REVOKED"] * 2
    [key] = [key for key in await dispatcher.get(f"{MOBILE}/keys") if key["id"] == lost.key_id]
    assert key["revoke_reason"].startswith("revoked by")


async def test_signing_out_on_the_phone_revokes_its_key(farm: Platform) -> None:
    phone = Handset(await a_driver(farm))
    await phone.register()
    assert (await phone.driver.client.post(f"{MOBILE}/auth/logout", json={})).status_code == 204
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    [key] = await dispatcher.get(f"{MOBILE}/keys")
    assert (key["id"], key["revoke_reason"]) == (phone.key_id, "signed_out")
