"""Large files in parts: over lines that break, in any order, and never half."""

import asyncio
import random
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from cloud_api.kernel import clock
from cloud_api.media.events import ObjectsUnneeded
from cloud_api.media.models import MediaUpload
from cloud_api.media.service import remove_unneeded
from cloud_api.media.storage import Files
from cloud_api.media.sweeper import UploadSweeper
from cloud_api.media.uploads import PART_BYTES
from tests.cloud_api.media.samples import MEDIA, code_of, files_in, hash_of
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

UPLOADS = f"{MEDIA}/uploads"
#: two parts and a bit
TEXT = random.Random(7).randbytes(PART_BYTES + 500).hex().encode()[: 2 * PART_BYTES + 1000]


async def begin(tenant: Tenant, content: bytes = TEXT, **fields: Any) -> Any:
    body = {"name": "readings.txt", "mime": "text/plain", "size_bytes": len(content), **fields}
    return await tenant.post(UPLOADS, body)


async def put(tenant: Tenant, upload: Any, number: int, content: bytes | None = None) -> httpx2.Response:
    size = upload["part_size_bytes"]
    part = TEXT[(number - 1) * size : number * size] if content is None else content
    return await tenant.client.put(f"{UPLOADS}/{upload['id']}/parts/{number}", content=part)


async def complete(tenant: Tenant, upload: Any, content: bytes = TEXT) -> httpx2.Response:
    return await tenant.client.post(f"{UPLOADS}/{upload['id']}/complete", json={"sha256": hash_of(content)})


async def test_an_interrupted_upload_goes_on_where_it_stopped(archive: Platform, tmp_path: Path) -> None:
    tenant = archive.tenant
    upload = await begin(tenant)
    assert (upload["parts_expected"], upload["parts"], upload["media_id"]) == (3, [], None)
    assert (await put(tenant, upload, 3)).status_code == 200
    assert (await put(tenant, upload, 1)).status_code == 200
    # the line breaks; whoever comes back asks what is there
    there = await tenant.get(f"{UPLOADS}/{upload['id']}")
    assert [part["number"] for part in there["parts"]] == [1, 3]
    assert there["parts"][1]["sha256"] == hash_of(TEXT[2 * PART_BYTES :])
    refused = await complete(tenant, upload)
    assert code_of(refused) == (409, "PARTS_MISSING")
    assert "1 of 3 parts have not arrived: 2" in refused.json()["error"]["message"]
    assert (await put(tenant, upload, 2)).status_code == 200
    made = await complete(tenant, upload)
    assert made.status_code == 200, made.text
    media = made.json()["data"]
    assert (media["name"], media["size_bytes"], media["sha256"]) == ("readings.txt", len(TEXT), hash_of(TEXT))
    shown = await tenant.client.get(f"{MEDIA}/{media['id']}/download")
    assert hash_of(shown.content) == hash_of(TEXT)
    # the answer was lost: the same again is the same file
    assert (await complete(tenant, upload)).json()["data"] == media
    assert code_of(await put(tenant, upload, 2)) == (409, "UPLOAD_ENDED")
    prefix = f"{tenant.organization.organization_id.hex}/parts/{uuid.UUID(upload['id']).hex}"
    await remove_unneeded(
        Files.in_folder(tmp_path),
        archive.database,
        tenant.organization.organization_id,
        ObjectsUnneeded(keys=[], prefixes=[prefix]),
    )
    assert [hash_of(content) for content in files_in(tmp_path).values()] == [hash_of(TEXT)]


async def test_a_part_that_is_sent_twice_counts_once_and_the_later_one_holds(archive: Platform) -> None:
    tenant = archive.tenant
    upload = await begin(tenant)
    wrong = b"x" * PART_BYTES
    await asyncio.gather(*(put(tenant, upload, number) for number in (2, 2, 3, 3)), put(tenant, upload, 1, wrong))
    assert code_of(await complete(tenant, upload)) == (422, "BROKEN_UPLOAD")
    there = await tenant.get(f"{UPLOADS}/{upload['id']}")
    assert [(part["number"], part["sha256"] == hash_of(wrong)) for part in there["parts"]] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    await put(tenant, upload, 1)
    assert (await complete(tenant, upload)).status_code == 200


async def test_completing_at_the_same_time_makes_one_file(archive: Platform, tmp_path: Path) -> None:
    tenant = archive.tenant
    upload = await begin(tenant, b"kept cold")
    await put(tenant, upload, 1, b"kept cold")
    made = await asyncio.gather(*(complete(tenant, upload, b"kept cold") for _ in range(4)))
    assert [one.status_code for one in made] == [200] * 4
    assert len({one.json()["data"]["id"] for one in made}) == 1
    kept = [path for path in files_in(tmp_path) if "/parts/" not in path]
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"size_bytes": 40_000_001}, 413, "FILE_TOO_LARGE"),
        ({"size_bytes": 0}, 422, "VALIDATION_FAILED"),
        ({"mime": "application/x-msdownload"}, 422, "FILE_REFUSED"),
        ({"name": "readings.exe"}, 422, "FILE_REFUSED"),
        ({"name": "../readings.txt"}, 422, "VALIDATION_FAILED"),
    ],
)
async def test_what_cannot_become_a_file_is_refused_at_the_beginning(
    archive: Platform, fields: dict[str, object], status: int, code: str
) -> None:
    body = {"name": "readings.txt", "mime": "text/plain", "size_bytes": 9, **fields}
    assert code_of(await archive.tenant.client.post(UPLOADS, json=body)) == (status, code)


async def test_parts_that_do_not_fit_leave_nothing_behind(archive: Platform, tmp_path: Path) -> None:
    tenant = archive.tenant
    upload = await begin(tenant)
    for number, content, status in ((1, b"short", 422), (4, b"more", 422), (3, b"x" * 999, 422), (0, b"x", 422)):
        assert (await put(tenant, upload, number, content)).status_code == status, number
    assert (await put(tenant, upload, 1, b"x" * (PART_BYTES + 1))).status_code == 413
    assert files_in(tmp_path) == {}
    stranger = await make_farm(archive)
    assert (await put(stranger, upload, 1)).status_code == 404
    assert (await complete(stranger, upload)).status_code == 404
    assert (await stranger.client.get(f"{UPLOADS}/{upload['id']}")).status_code == 404
    assert files_in(tmp_path) == {}


async def test_whole_parts_of_the_wrong_kind_of_file_are_refused_in_the_end(archive: Platform, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10
    upload = await begin(archive.tenant, content, name="rows.csv", mime="text/csv")
    await put(archive.tenant, upload, 1, content)
    assert code_of(await complete(archive.tenant, upload, content)) == (422, "FILE_REFUSED")
    assert [path for path in files_in(tmp_path) if "/parts/" not in path] == []


async def test_what_nobody_came_back_for_is_swept_away(archive: Platform, tmp_path: Path) -> None:
    tenant = archive.tenant
    abandoned, alive = await begin(tenant), await begin(tenant)
    await put(tenant, abandoned, 1)
    sweeper = UploadSweeper(archive.database, tmp_path)
    await sweeper.sweep()
    assert (await tenant.client.get(f"{UPLOADS}/{abandoned['id']}")).status_code == 200
    async with archive.database.unit_of_work(tenant.organization) as db:
        await db.execute(update(MediaUpload).values(expires_at=clock.now() - timedelta(seconds=1)))
    await put(tenant, alive, 1)  # somebody came back in time
    assert await sweeper.sweep() == 1
    assert (await tenant.client.get(f"{UPLOADS}/{abandoned['id']}")).status_code == 404
    assert len((await tenant.get(f"{UPLOADS}/{alive['id']}"))["parts"]) == 1
    assert code_of(await put(tenant, abandoned, 2)) == (404, "NOT_FOUND")
