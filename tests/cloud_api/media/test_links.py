"""Addresses that show one file for a time: to whoever has them, and nothing else."""

import base64
import uuid
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from cloud_api.media.links import Link, LinkInvalid, read_token, token_of
from tests.cloud_api.media.samples import MEDIA, code_of, picture, sent
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

KEY = "a secret key of the platform, long enough"


@IN_ONE_LOOP
async def test_whoever_has_the_address_sees_the_file_until_its_time_is_over(archive: Platform) -> None:
    made = await sent(archive.tenant, picture())
    signed = await archive.tenant.get(f"{MEDIA}/{made['id']}/signed-url", expires_in_s=60)
    path = signed["url"].removeprefix(archive.settings.public_url)
    async with archive.client() as nobody:
        shown = await nobody.get(path)
        assert (shown.status_code, shown.content) == (200, picture())
        assert (await nobody.get(path, headers={"Range": "bytes=0-3"})).content == picture()[:4]
        soon = clock.now() + timedelta(seconds=61)
        clock.use(lambda: soon)
        late = await nobody.get(path)
    assert code_of(late) == (403, "LINK_INVALID")
    assert "time" in late.json()["error"]["message"]


@IN_ONE_LOOP
async def test_an_address_ends_with_its_file(archive: Platform) -> None:
    made = await sent(archive.tenant, picture())
    signed = await archive.tenant.get(f"{MEDIA}/{made['id']}/signed-url")
    await archive.tenant.client.delete(f"{MEDIA}/{made['id']}")
    async with archive.client() as nobody:
        assert (await nobody.get(signed["url"].removeprefix(archive.settings.public_url))).status_code == 404


@IN_ONE_LOOP
async def test_an_address_is_bound_to_its_organisation(archive: Platform) -> None:
    """Even signed by us: of another organisation's file it shows nothing."""
    stranger, made = await make_farm(archive), await sent(archive.tenant, picture())
    key = archive.settings.secret_key.get_secret_value()
    ends_at = clock.now() + timedelta(hours=1)
    link = Link(stranger.organization.organization_id, uuid.UUID(made["id"]), ends_at)
    async with archive.client() as nobody:
        assert (await nobody.get(f"{MEDIA}/signed/{token_of(link, secret_key=key)}")).status_code == 404
        for nonsense in ("x", "a" * 96, "é", token_of(link, secret_key=KEY)):
            assert code_of(await nobody.get(f"{MEDIA}/signed/{nonsense}")) == (403, "LINK_INVALID")


@IN_ONE_LOOP
async def test_nobody_has_an_address_that_holds_for_ever(archive: Platform) -> None:
    made = await sent(archive.tenant, picture())
    for expires_in_s in ("0", "604801", "x"):
        answer = await archive.tenant.client.get(
            f"{MEDIA}/{made['id']}/signed-url", params={"expires_in_s": expires_in_s}
        )
        assert answer.status_code == 422


def link() -> Link:
    ends_at = (clock.now() + timedelta(hours=1)).replace(microsecond=0)
    return Link(uuid.uuid4(), uuid.uuid4(), ends_at)


def test_what_was_signed_is_read() -> None:
    made = link()
    assert read_token(token_of(made, secret_key=KEY), secret_key=KEY) == made


@given(st.integers(0, 71), st.integers(1, 255))
def test_not_one_bit_of_an_address_may_be_changed(at: int, flipped: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(token_of(link(), secret_key=KEY)))
    sealed[at] ^= flipped
    try:
        read_token(base64.urlsafe_b64encode(bytes(sealed)).decode(), secret_key=KEY)
    except LinkInvalid:
        return
    raise AssertionError("it was taken")
