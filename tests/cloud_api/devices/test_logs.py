"""What a gateway hands in of its log: the newest of it, and of the uploads the newest."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.devices.logs.service import KEPT_UPLOADS, MAX_BYTES, MAX_LINES, newest_lines
from tests.cloud_api.devices.boxes import path_of, tell
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def upload(farm: Platform, store: ColdStore, at_ms: int, lines: list[str]) -> Any:
    return await tell(farm, store, "/logs", {"recorded_at_ms": at_ms, "lines": lines})


async def kept(store: ColdStore) -> Any:
    return await store.tenant.get(path_of(store, "/logs"))


async def test_lines_are_kept_in_their_order_and_the_same_upload_once(farm: Platform, store: ColdStore) -> None:
    for _ in range(2):
        assert (await upload(farm, store, 1000, ["started", "half \0 a line", "läuft"])).status_code == 200
    [log] = await kept(store)
    assert (log["lines"], log["left_out"]) == (["started", "half \ufffd a line", "läuft"], 0)


async def test_of_too_many_lines_the_newest_are_kept(farm: Platform, store: ColdStore) -> None:
    await upload(farm, store, 1000, [str(number) for number in range(MAX_LINES + 5)])
    [log] = await kept(store)
    assert (len(log["lines"]), log["lines"][0], log["left_out"]) == (MAX_LINES, "5", 5)


async def test_of_a_gateways_uploads_the_newest_are_kept(farm: Platform, store: ColdStore) -> None:
    for number in range(KEPT_UPLOADS + 3):
        await upload(farm, store, 1000 + number, [str(number)])
    expected = [[str(number)] for number in range(KEPT_UPLOADS + 2, 2, -1)]
    assert [log["lines"] for log in await kept(store)] == expected


async def test_only_the_gateway_itself_hands_in_and_at_a_time_that_was(farm: Platform, store: ColdStore) -> None:
    assert (await upload(farm, store, -1, [])).status_code == 422
    answer = await store.tenant.client.post(path_of(store, "/logs"), json={"recorded_at_ms": 1, "lines": []})
    assert answer.status_code == 403
    assert await kept(store) == []


@given(st.lists(st.tuples(st.text(max_size=4), st.integers(0, 100_000)), max_size=12))
async def test_whatever_a_log_says_its_newest_part_fits(told: list[tuple[str, int]]) -> None:
    lines = [text * times for text, times in told]
    shown = newest_lines(lines)
    assert sum(len(line.encode()) for line in shown) <= MAX_BYTES or len(shown) == 1
    assert len(shown) <= len(lines)
    for line, original in zip(reversed(shown), reversed(lines), strict=False):
        assert original.replace("\0", "\ufffd").startswith(line.rstrip("\ufffd"))
