"""Files are kept whole, once, and each organisation's apart."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from cloud_api.kernel.errors import NotFound
from cloud_api.media import service
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import PHOTO, PHOTO_SHA256
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def keep(farm: Platform, tenant: Tenant, folder: Path, content: bytes = PHOTO, **other: str) -> None:
    declared = {"mime": "image/png", "sha256": hashlib.sha256(content).hexdigest(), **other}
    async with farm.database.unit_of_work(tenant.organization) as db:
        await service.keep_photo(db, folder, content=content, **declared)


def files_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_the_same_photo_at_the_same_time_is_kept_once(farm: Platform, tmp_path: Path) -> None:
    await asyncio.gather(*(keep(farm, farm.tenant, tmp_path) for _ in range(4)))
    assert files_in(tmp_path) == [PHOTO]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        kept, content = await service.read(db, tmp_path, PHOTO_SHA256)
    assert (kept.mime, kept.size_bytes, content) == ("image/png", len(PHOTO), PHOTO)


async def test_what_is_not_what_it_says_it_is_leaves_nothing_behind(farm: Platform, tmp_path: Path) -> None:
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (PHOTO, {"sha256": "0" * 64}),
        (PHOTO, {"sha256": "../../etc/passwd"}),
        (PHOTO, {"mime": "image/jpeg"}),
        (b"<script>", {"mime": "text/html"}),
        (b"", {}),
    ]
    for content, declared in wrong:
        with pytest.raises(service.BrokenUpload):
            await keep(farm, farm.tenant, tmp_path, content, **declared)
    assert files_in(tmp_path) == []


async def test_another_organisations_photo_is_none(farm: Platform, tmp_path: Path) -> None:
    stranger = await make_farm(farm)
    await keep(farm, farm.tenant, tmp_path)
    async with farm.database.unit_of_work(stranger.organization, read_only=True) as db:
        assert not await service.is_kept(db, PHOTO_SHA256)
        with pytest.raises(NotFound):
            await service.read(db, tmp_path, PHOTO_SHA256)
