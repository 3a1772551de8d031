"""Files are kept whole, once, and each organisation's apart."""

import asyncio
import uuid
from pathlib import Path

from cloud_api.media import service
from cloud_api.media.content import Looks
from cloud_api.media.landing import arriving, in_one_piece, stored
from cloud_api.media.storage import Files
from tests.cloud_api.media.conftest import with_settings
from tests.cloud_api.media.samples import code_of, files_in
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import PHOTO, PHOTO_SHA256
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def keep(farm: Platform, tenant: Tenant, folder: Path, content: bytes = PHOTO) -> None:
    files, organization_id = Files.in_folder(folder), tenant.organization.organization_id
    async with (
        arriving(in_one_piece(content), folder=folder, at_most_bytes=1_000) as incoming,
        stored(files, incoming, organization_id=organization_id, looks=Looks("image/png")) as landed,
        farm.database.unit_of_work(tenant.organization) as db,
    ):
        await service.keep(db, landed)


async def test_the_same_photo_at_the_same_time_is_kept_once(farm: Platform, tmp_path: Path) -> None:
    await asyncio.gather(*(keep(farm, farm.tenant, tmp_path) for _ in range(4)))
    assert list(files_in(tmp_path).values()) == [PHOTO]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        kept = await service.find(db, PHOTO_SHA256)
    assert kept is not None
    content = await Files.in_folder(tmp_path).read(kept.key)
    assert (kept.mime, kept.size_bytes, content) == ("image/png", len(PHOTO), PHOTO)


async def test_what_is_not_what_it_says_it_is_leaves_nothing_behind(farm: Platform, tmp_path: Path) -> None:
    me = f"/api/v1/admin/users/{await id_of(farm.tenant)}/avatar"
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (PHOTO, {"X-Content-SHA256": "0" * 64}),
        (PHOTO, {"X-Content-SHA256": "../../etc/passwd"}),
        (PHOTO, {"Content-Type": "image/jpeg"}),
        (b"<script>", {"Content-Type": "text/html"}),
        (b"", {}),
    ]
    with with_settings(farm, media_folder=tmp_path):
        for content, declared in wrong:
            answer = await farm.tenant.client.post(
                me, content=content, headers={"Content-Type": "image/png", **declared}
            )
            assert code_of(answer) == (422, "BROKEN_UPLOAD")
    assert files_in(tmp_path) == {}


async def test_what_no_row_came_to_speak_of_is_taken_away_again(farm: Platform, tmp_path: Path) -> None:
    path = f"/api/v1/mobile/deliveries/{uuid.uuid4()}/photo"
    with with_settings(farm, media_folder=tmp_path):
        answer = await farm.tenant.client.post(path, content=PHOTO, headers={"Content-Type": "image/png"})
    assert answer.status_code == 404
    assert files_in(tmp_path) == {}


async def test_another_organisations_photo_is_none(farm: Platform, tmp_path: Path) -> None:
    stranger = await make_farm(farm)
    await keep(farm, farm.tenant, tmp_path)
    async with farm.database.unit_of_work(stranger.organization, read_only=True) as db:
        assert await service.find(db, PHOTO_SHA256) is None
