"""Rooms at a glance, and one of them over time."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.batches import make_reading, send
from tests.factories.farms import make_person
from tests.factories.stores import ColdStore, make_cold_store, make_room, make_rule, make_warehouse, receive
from tests.platform_under_test import Platform

ROOMS = "/console/cold-rooms"
MINUTE_MS = 60_000


async def make_watched_store(platform: Platform, *values: float, **rule: object) -> ColdStore:
    """A store whose sensor said these values, a minute apart, the last of them just now; above 8 °C is too warm."""
    store = await make_cold_store(platform)
    await make_rule(store, **{"duration_s": 0, **rule})
    now_ms = make_reading(0)["recorded_at_ms"]
    rows = [
        make_reading(place + 1, value, now_ms - (len(values) - 1 - place) * MINUTE_MS)
        for place, value in enumerate(values)
    ]
    await send(platform, store, rows)
    return store


async def test_who_watches_no_room_yet_reads_how_to_begin(console: httpx2.AsyncClient) -> None:
    page = (await console.get(ROOMS)).text
    assert "No cold room is watched yet" in page
    assert "claim code" in page
    assert 'href="/console/gateways"' in page


async def test_a_tile_says_how_a_room_is(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_watched_store(sqlite_platform, 4.25, 4.5)
    page = (await console.get(ROOMS)).text
    assert f'href="{ROOMS}/{store.room_id}"' in page
    assert 'data-state="in_range"' in page
    assert "4.5<span" in page
    assert "at most 8 °C" in page
    assert 'aria-label="The last 24 hours: 4.' in page
    assert f'data-live="/ws/telemetry/{store.room_id}"' in page


async def test_rooms_that_need_somebody_come_first(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    well = await make_watched_store(sqlite_platform, 4.0)
    warm = await make_watched_store(sqlite_platform, 9.0)
    page = (await console.get(ROOMS)).text
    assert page.index(f"tile-{warm.room_id}") < page.index(f"tile-{well.room_id}")
    assert "1 beyond their limits" in page
    [excursion] = await sqlite_platform.tenant.get("/api/v1/excursions")
    assert f'href="/console/excursions/{excursion["id"]}"' in page


async def test_a_room_too_warm_is_said_to_be_until_it_is_well(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_watched_store(sqlite_platform, 9.0)
    tile = (await console.get(f"{ROOMS}/{store.room_id}/tile")).text
    assert "<html" not in tile
    assert 'data-state="too_warm"' in tile
    await send(sqlite_platform, store, [make_reading(2, 4.0)])
    tile = (await console.get(f"{ROOMS}/{store.room_id}/tile")).text
    assert 'data-state="in_range"' in tile
    assert 'data-state="recovered"' in tile, "somebody has still to decide about the goods"


async def test_a_sensor_that_was_never_heard_has_a_tile_too(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    await make_cold_store(sqlite_platform)
    page = (await console.get(ROOMS)).text
    assert 'data-state="not_heard_yet"' in page
    assert "never" in page


async def test_the_warehouse_stands_in_the_address(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    here = await make_watched_store(sqlite_platform, 4.0)
    there = await make_watched_store(sqlite_platform, 4.0)
    page = (await console.get(ROOMS, params={"warehouse_id": here.warehouse_id})).text
    assert f"tile-{here.room_id}" in page
    assert f"tile-{there.room_id}" not in page
    empty = await make_warehouse(sqlite_platform.tenant)
    page = (await console.get(ROOMS, params={"warehouse_id": empty})).text
    assert "No room of this warehouse has a sensor" in page


async def test_all_tiles_are_read_again_in_their_places(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_watched_store(sqlite_platform, 4.0)
    other = await make_watched_store(sqlite_platform, 4.0)
    page = (await console.get(ROOMS)).text
    assert all(f"id={room_id}" in page for room_id in (store.room_id, other.room_id)), "both are asked for again"
    part = (await console.get(f"{ROOMS}/tiles", params={"id": store.room_id})).text
    assert f'<div id="tile-{store.room_id}" hx-swap-oob="innerHTML">' in part
    assert other.room_id not in part, "what is not on the page has no place on it"


async def test_rooms_further_down_come_as_they_are_asked_for(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    here = await make_watched_store(sqlite_platform, 4.0)
    there = await make_watched_store(sqlite_platform, 4.0)
    part = (await console.get(f"{ROOMS}/more", params={"id": here.room_id})).text
    assert "<html" not in part
    assert f'id="tile-{here.room_id}"' in part
    assert f"{ROOMS}/tiles?id={here.room_id}" in part, "they are read again together"
    assert there.room_id not in part
    assert 'data-live="/ws/telemetry' not in part, "somebody may follow only so many rooms"


async def test_a_rooms_page_has_sensors_and_goods(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_watched_store(sqlite_platform, 9.0)
    calibration = {"certificate": "NABL-7", "due_on": "2030-05-01"}
    await store.tenant.post(f"/api/v1/edge/sensors/{store.sensor_id}/calibrations", calibration)
    await receive(store, lot="LOT-77")
    page = (await console.get(f"{ROOMS}/{store.room_id}")).text
    assert f'hx-get="{ROOMS}/{store.room_id}/inside?span=day"' in page, "what is in it follows"
    page = (await console.get(f"{ROOMS}/{store.room_id}/inside")).text
    for said in (
        "z2m:cold-room-1",
        "until 2030-05-01",
        "NABL-7",
        "LOT-77",
        "Spinach",
        "100 kg",
        'data-state="on_hold"',
    ):
        assert said in page
    assert "Excursions in this time" in page


async def test_what_lies_on_a_rack_in_the_room_lies_in_the_room(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_watched_store(sqlite_platform, 4.0)
    rack = {"code": "R-1", "name": "Rack 1", "location_type": "rack", "storage_type": "cold_storage"}
    made = await store.tenant.post(
        "/api/v1/warehouse/storage/locations",
        {**rack, "warehouse_id": store.warehouse_id, "parent_id": store.room_id},
    )
    await receive(store, lot="LOT-78", location_id=made["id"])
    assert "LOT-78" in (await console.get(f"{ROOMS}/{store.room_id}/inside")).text


async def test_a_chart_is_a_table_for_those_who_want_figures(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_watched_store(sqlite_platform, 4.0, 9.5)
    page = (await console.get(f"{ROOMS}/{store.room_id}")).text
    assert f'hx-get="{ROOMS}/{store.room_id}/table?span=day" hx-trigger="toggle once"' in page
    table = (await console.get(f"{ROOMS}/{store.room_id}/table", params={"span": "day"})).text
    assert "<html" not in table
    for said in ("Minutes beyond the limits", '"number">4.0<', '"number">9.5<', "no readings"):
        assert said in table
    month = (await console.get(f"{ROOMS}/{store.room_id}/table", params={"span": "month"})).text
    assert '"number">9.5<' in month
    assert "Minutes beyond" not in month


async def test_the_board_on_the_wall_says_how_each_room_is(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    assert "No cold room is watched yet" in (await console.get(f"{ROOMS}/board")).text
    well = await make_watched_store(sqlite_platform, 4.0)
    warm = await make_watched_store(sqlite_platform, 9.0)
    page = (await console.get(f"{ROOMS}/board")).text
    assert "<nav" not in page
    assert page.index(f'data-room="{warm.room_id}" data-state="too_warm"') < page.index(
        f'data-room="{well.room_id}" data-state="in_range"'
    )
    for said in ("9.0<small> °C", "Too warm", "In range", f'data-live="/ws/telemetry/{warm.room_id}"'):
        assert said in page
    part = (await console.get(f"{ROOMS}/board/rooms", params={"warehouse_id": well.warehouse_id})).text
    assert well.room_id in part
    assert warm.room_id not in part
    assert "<html" not in part


async def test_the_span_is_picked_by_links(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_watched_store(sqlite_platform, 4.0)
    path = f"{ROOMS}/{store.room_id}"
    page = (await console.get(path, params={"span": "month", "until": "2026-03-01T00:00:00+00:00"})).text
    assert f'href="{path}?span=week&amp;until=2026-03-01' in page
    assert f'href="{path}?span=month&amp;until=2026-01-30' in page, "a month earlier"
    assert f'href="{path}?span=month&amp;until=2026-03-31' in page, "a month later"
    now = (await console.get(path)).text
    assert 'aria-label="Later"' not in now
    assert "data-follows" in now


async def test_the_chart_has_readings_limits_and_excursions(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_watched_store(sqlite_platform, 4.0, 9.5)
    said = (await console.get(f"{ROOMS}/{store.room_id}/chart.json", params={"quantity": "temperature"})).json()
    assert (said["unit"], said["limits"]) == ("°C", [8.0])
    [series] = said["series"]
    assert min(value for value in series["least"] if value is not None) == 4.0
    assert max(value for value in series["most"] if value is not None) == 9.5
    [excursion] = said["excursions"]
    assert said["from"] < excursion["from"] <= excursion["to"] <= said["to"] + MINUTE_MS
    assert said["gaps"], "before the first reading nothing is known"


async def test_a_month_is_drawn_in_stretches_of_two_hours(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_watched_store(sqlite_platform, 4.0, 4.1, 4.2)
    said = (await console.get(f"{ROOMS}/{store.room_id}/chart.json", params={"span": "month"})).json()
    [series] = said["series"]
    assert 1 <= len(series["mean"]) <= 2
    assert max(value for value in series["most"] if value is not None) == 4.2
    assert said["to"] - said["from"] == 30 * 24 * 60 * MINUTE_MS


async def test_readings_and_evidence_are_handed_out(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_watched_store(sqlite_platform, 4.0)
    table = await console.get(f"{ROOMS}/{store.room_id}/readings.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert "z2m:cold-room-1" in table.text
    assert "attachment" in table.headers["content-disposition"]
    evidence = await console.get(f"{ROOMS}/{store.room_id}/evidence.zip")
    assert evidence.content.startswith(b"PK")


async def test_a_room_that_is_not_there_is_said_not_to_be(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    answer = await console.get(f"{ROOMS}/{sqlite_platform.tenant.organization.organization_id}")
    assert answer.status_code == 404
    bare = await make_room(sqlite_platform.tenant, await make_warehouse(sqlite_platform.tenant))
    page = await console.get(f"{ROOMS}/{bare}")
    assert page.status_code == 200
    assert "Neither temperature nor humidity is measured here" in page.text


async def test_somebody_who_may_not_see_readings_sees_no_room(sqlite_platform: Platform) -> None:
    supplier = await make_person(sqlite_platform, sqlite_platform.tenant, "supplier_manager")
    async with at_console(sqlite_platform, supplier) as console:
        answer = await console.get(ROOMS)
        assert answer.status_code == 403
        assert f'href="{ROOMS}"' not in answer.text


async def test_somebody_who_may_only_look_is_offered_nothing_else(sqlite_platform: Platform) -> None:
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as console:
        page = (await console.get(ROOMS)).text
        assert "No cold room is watched yet" in page
        assert "To the gateways" not in page
