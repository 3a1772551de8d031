"""Lists come in pages that stay whole while rows arrive."""

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel.paging import BadCursor, decode_cursor, encode_cursor
from tests.platform_under_test import Platform, Tenant

CATEGORIES = "/api/v1/warehouse/products/categories"


async def add(tenant: Tenant, slug: str) -> None:
    await tenant.post(CATEGORIES, {"name": slug, "slug": slug})


async def pages(tenant: Tenant, limit: int) -> AsyncIterator[list[str]]:
    """The slugs of each page, by following the cursors."""
    cursor: str | None = None
    while True:
        parameters: dict[str, Any] = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = (await tenant.client.get(CATEGORIES, params=parameters)).json()
        assert answer["meta"]["limit"] == limit
        yield [row["slug"] for row in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            return


@pytest.mark.parametrize(("count", "limit", "sizes"), [(0, 5, [0]), (5, 5, [5]), (6, 5, [5, 1]), (7, 2, [2, 2, 2, 1])])
async def test_every_row_comes_exactly_once(
    shared_platform: Platform, count: int, limit: int, sizes: list[int]
) -> None:
    tenant, other = shared_platform.tenant, await shared_platform.found()
    slugs = [f"shelf-{number}" for number in range(count)]
    for slug in slugs:
        await add(tenant, slug)
        await add(other, slug)
    seen = [page async for page in pages(tenant, limit)]
    assert [len(page) for page in seen] == sizes
    assert sorted(slug for page in seen for slug in page) == slugs


async def test_rows_that_arrive_or_leave_meanwhile_shift_nothing(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    slugs = [f"shelf-{number}" for number in range(9)]
    for slug in slugs:
        await add(tenant, slug)
    seen: list[str] = []
    async for page in pages(tenant, 2):
        seen += page
        await add(tenant, f"late-{len(seen)}")
        newest = (await tenant.get(CATEGORIES, limit=1))[0]
        if len(seen) == 4:
            await tenant.client.delete(f"{CATEGORIES}/{newest['id']}")
    assert sorted(seen) == slugs


async def test_a_page_has_one_to_two_hundred_rows(sqlite_platform: Platform) -> None:
    for limit in ("0", "-1", "201", "many", ""):
        answer = await sqlite_platform.tenant.client.get(CATEGORIES, params={"limit": limit})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "limit")


async def test_a_cursor_that_is_not_ours_is_refused(sqlite_platform: Platform) -> None:
    seventeen_bytes = base64.urlsafe_b64encode(b"x" * 17).decode()
    for cursor in ("", "x", "é", "!!!!", "AAAA", "A" * 21, seventeen_bytes, "A" * 5000):
        answer = await sqlite_platform.tenant.client.get(CATEGORIES, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BAD_CURSOR"), cursor
        assert answer.json()["error"]["details"][0]["field"] == "cursor"


async def test_a_cursor_of_anothers_list_shows_none_of_it(shared_platform: Platform) -> None:
    tenant, other = shared_platform.tenant, await shared_platform.found()
    for number in range(3):
        await add(other, f"theirs-{number}")
    theirs = (await other.client.get(CATEGORIES, params={"limit": 1})).json()["meta"]["next_cursor"]
    assert await tenant.get(CATEGORIES, cursor=theirs) == []


@given(st.binary(max_size=64))
def test_a_cursor_gives_its_key_back(key: bytes) -> None:
    assert decode_cursor(encode_cursor(key)) == key


@given(st.text(max_size=64))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(BadCursor):
        assert isinstance(decode_cursor(text), bytes)


def test_a_cursor_goes_into_an_address_as_it_is() -> None:
    for key in (uuid.UUID(int=2**128 - 1).bytes, b"\xfb\xef\xbe"):
        assert set(encode_cursor(key)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
