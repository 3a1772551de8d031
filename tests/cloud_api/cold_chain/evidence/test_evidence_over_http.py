"""Evidence as an auditor downloads it: of a place and of a lot, signed by the platform, and checked without it."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from cloud_api.cold_chain.evidence import verify
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.telemetry.models import SensorSeries
from tests.cloud_api.cold_chain.stories import Story
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_rule
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


def period(story: Story, since: float, until: float) -> dict[str, str]:
    return {"since": story.at(since).isoformat(), "until": story.at(until).isoformat()}


async def download(tenant: Tenant, path: str, **asked: str) -> dict[str, bytes]:
    answer = await tenant.client.get(f"/api/v1/evidence/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rows_of(contents: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(contents.decode(), newline="")))


async def warm_morning(farm: Platform, store: ColdStore) -> tuple[Story, Any]:
    """A lot in the room, and an excursion that was answered and decided."""
    story = Story(farm, store)
    await make_rule(store, duration_s=0)
    await story.receive(-30)
    await story.measure([4.0] * 30 + [9.0] * 20 + [4.0] * 30)
    [excursion] = await store.tenant.get("/api/v1/excursions")
    decided = {"disposition": "waste", "note": "cores at 9 °C"}
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/close", decided)
    return story, excursion


async def test_a_places_evidence_holds_readings_excursions_and_the_platforms_signature(
    farm: Platform, store: ColdStore
) -> None:
    story, excursion = await warm_morning(farm, store)
    files = await download(store.tenant, f"places/{store.room_id}", **period(story, 0, 80))
    async with farm.client() as anybody:
        published = (await anybody.get("/api/v1/evidence/key")).json()["data"]
    found = verify.verify(files, expected_key=published["public_key"])
    assert (found.rows, found.subject) == (80, f"place {store.room_id}")
    readings = rows_of(files["readings.csv"])
    assert [float(row["corrected"]) for row in readings] == [4.0] * 30 + [9.0] * 20 + [4.0] * 30
    [row] = rows_of(files["excursions.csv"])
    assert (row["number"], row["disposition"], row["note"]) == (excursion["number"], "waste", "cores at 9 °C")
    assert row["closed_by"] == "Keeper"
    manifest = json.loads(files["manifest.json"])
    assert manifest["public_key_at"].endswith("/api/v1/evidence/key")
    assert set(files) == {*manifest["files"], "manifest.json", "signature.json"}
    assert files["report.pdf"].startswith(b"%PDF")


async def test_a_lots_evidence_follows_it_and_names_what_excursions_did_to_it(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    beside = await make_room(store.tenant, store.warehouse_id)
    await make_rule(store, duration_s=0)
    lot = await story.receive(0)
    await story.measure([9.0] * 30 + [4.0] * 60)
    await story.leave(60, lot)
    await story.receive(60, place=beside)
    files = await download(store.tenant, f"lots/{lot}")
    found = verify.verify(files)
    assert (found.rows, found.subject) == (60, f"lot {lot}")
    assert len(rows_of(files["excursions.csv"])) == 1


async def test_a_bin_without_a_sensor_is_known_by_the_room_around_it(farm: Platform, store: ColdStore) -> None:
    bin_ = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="bin")
    story = Story(farm, store)
    await story.measure([4.0] * 10)
    files = await download(store.tenant, f"places/{bin_}", **period(story, 0, 10))
    assert verify.verify(files).rows == 10


async def test_a_place_that_nobody_watched_is_evidence_too(farm: Platform, store: ColdStore) -> None:
    empty = await make_room(store.tenant, store.warehouse_id)
    files = await download(store.tenant, f"places/{empty}", **period(Story(farm, store), 0, 10))
    assert verify.verify(files).rows == 0


@pytest.mark.parametrize("since", ["2100-01-01T00:00:00Z", "2026-01-31T08:00:00"])
async def test_a_period_that_cannot_be_is_refused(farm: Platform, store: ColdStore, since: str) -> None:
    asked = {"since": since, "until": "2101-01-01T00:00:00Z"}
    answer = await store.tenant.client.get(f"/api/v1/evidence/places/{store.room_id}", params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BAD_PERIOD")


async def test_more_than_one_piece_of_evidence_holds_is_refused_before_it_is_read(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    await story.measure([4.0])
    async with farm.database.unit_of_work(SystemScope("a sensor that is heard often")) as db:
        await db.execute(update(SensorSeries).values(hour_count=1_000_001))
    answer = await store.tenant.client.get(f"/api/v1/evidence/places/{store.room_id}", params=period(story, 0, 80))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "TOO_MUCH_EVIDENCE")
    assert "shorter period" in answer.json()["error"]["message"]


async def test_nobody_else_gets_it(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    lot = await story.receive(0)
    stranger = await make_farm(farm)
    driver = await make_person(farm, store.tenant, "delivery_personnel")
    for path in (f"places/{store.room_id}", f"lots/{lot}"):
        for who, status in ((stranger, 404), (driver, 403)):
            answer = await who.client.get(f"/api/v1/evidence/{path}", params=period(story, 0, 80))
            assert answer.status_code == status


async def test_an_excursion_that_goes_on_is_in_it_up_to_now(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    await story.measure([9.0] * 10)
    await story.excursion(0, None)
    until = clock.machine_now() + timedelta(days=3)
    asked = {"since": story.at(0).isoformat(), "until": until.isoformat()}
    files = await download(store.tenant, f"places/{store.room_id}", **asked)
    [row] = rows_of(files["excursions.csv"])
    assert (row["ended_at"], row["status"]) == ("", "open")
    assert json.loads(files["manifest.json"])["until"] <= clock.machine_now().isoformat()
