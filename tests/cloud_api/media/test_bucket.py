"""Files in a bucket instead of a folder: the same files, and nothing without the right key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_api.kernel.errors import NotFound, Unavailable
from cloud_api.media.storage import Files
from device_sims.s3 import Bucket
from tests.cloud_api.media.conftest import with_settings
from tests.cloud_api.media.samples import MEDIA, code_of, files_in, picture, send, sent
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, settings_for_tests

KEY = {"media_s3_key_id": "AKIACOLDFLEET", "media_s3_secret": "a secret of the bucket"}


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket("crates", key_id="AKIACOLDFLEET", secret="a secret of the bucket") as opened:
        yield opened


def files_of(bucket: Bucket, **changed: str) -> Files:
    named = {"media_bucket": bucket.name, "media_s3_endpoint": bucket.url, **KEY, **changed}
    return Files.of(settings_for_tests(**named))


async def test_what_is_put_is_read_listed_and_removed(bucket: Bucket) -> None:
    files = files_of(bucket)
    await files.put("a/b c/ü", b"0123456789")
    await files.put("a/d", b"x")
    assert await files.read("a/b c/ü") == b"0123456789"
    assert [piece async for piece in await files.open("a/b c/ü", start=2, end=4)] == [b"23"]
    assert [piece async for piece in await files.open("a/b c/ü", start=8)] == [b"89"]
    assert sorted(await files.keys("a")) == ["a/b c/ü", "a/d"]
    assert await files.remove_under("a") == 2
    await files.remove("a/d")
    with pytest.raises(NotFound):
        await files.read("a/d")
    assert bucket.refused == 0


@pytest.mark.parametrize("changed", [{"media_s3_secret": "another"}, {"media_s3_key_id": "OTHER"}])
async def test_with_a_wrong_key_nothing_is_kept_and_that_is_said(bucket: Bucket, changed: dict[str, str]) -> None:
    with pytest.raises(Unavailable):
        await files_of(bucket, **changed).put("a", b"x")
    assert bucket.objects == {}
    assert bucket.refused >= 1


@IN_ONE_LOOP
async def test_the_platform_keeps_its_files_in_the_bucket(archive: Platform, bucket: Bucket, tmp_path: Path) -> None:
    settings = settings_for_tests(media_bucket=bucket.name, media_s3_endpoint=bucket.url, **KEY)
    names = ("media_bucket", "media_s3_endpoint", "media_s3_key_id", "media_s3_secret")
    with with_settings(archive, **{name: getattr(settings, name) for name in names}):
        made = await sent(archive.tenant, picture())
        path = f"{MEDIA}/{made['id']}"
        part = await archive.tenant.client.get(f"{path}/download", headers={"Range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, picture()[1:4])
        assert (await archive.tenant.client.get(f"{path}/transform", params={"width": 9})).status_code == 200
        assert len(bucket.objects) == 2
        assert (await archive.tenant.post(f"{path}/purge"))["removed"] == 1
        assert list(bucket.objects.values()) == [picture()]
        assert files_in(tmp_path) == {}
        bucket.secret = "changed behind our back"
        refused = await send(archive.tenant, picture(77))
        assert code_of(refused) == (503, "UNAVAILABLE")
    assert [one["id"] for one in await archive.tenant.get(MEDIA)] == [made["id"]]
