"""The organisation's files: what is kept, what is refused by name, and how the bytes come back."""

import asyncio
import io
import struct
import uuid
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.media import service
from cloud_api.media.content import XLSX
from cloud_api.media.storage import Files
from tests.cloud_api.media.samples import (
    ALL_KINDS,
    CSV,
    MEDIA,
    PDF,
    code_of,
    files_in,
    hash_of,
    picture,
    send,
    sent,
    workbook,
)
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, open_platform

pytestmark = IN_ONE_LOOP


@pytest.mark.parametrize(("name", "mime", "content"), ALL_KINDS, ids=[name for name, _, _ in ALL_KINDS])
async def test_every_kind_that_is_kept_comes_back_as_it_was(
    archive: Platform, name: str, mime: str, content: bytes
) -> None:
    made = await sent(archive.tenant, content, name=name, mime=mime)
    assert (made["name"], made["size_bytes"], made["sha256"]) == (name, len(content), hash_of(content))
    shown = await archive.tenant.client.get(f"{MEDIA}/{made['id']}/download")
    assert shown.content == content
    assert shown.headers["content-type"].startswith(made["mime"])
    assert shown.headers["x-content-type-options"] == "nosniff"
    how = "inline" if made["mime"].startswith("image/") else "attachment"
    assert shown.headers["content-disposition"] == f"{how}; filename*=UTF-8''{name}"


WRONG = [
    ("evil.svg", "image/svg+xml", b"<svg onload=alert(1)>", "not kept"),
    ("page.html", "text/html", b"<script>alert(1)</script>", "not kept"),
    ("a.png", "image/png", picture(kind="JPEG"), "no image/png"),
    ("a.png", "image/png", picture()[:50], "no image/png"),
    ("a.jpg", "image/jpeg", b"\xff\xd8\xff" + b"crate" * 9, "no image/jpeg"),
    ("rows.csv", "text/csv", bytes(range(256)) * 20, "no text"),
    ("rows.csv", "text/csv", b"sku,name\n\x00,b", "no text"),
    ("rows.csv", "text/csv", "sku\nOmelett für zwei".encode("latin-1"), "no text"),
    ("rows.csv", "text/csv", workbook(), "no text"),
    ("rows.csv", "text/csv", CSV[:-2], "no text"),
    ("rows.xlsx", XLSX, CSV, "no workbook"),
    ("rows.xlsx", XLSX, workbook()[:-40], "no workbook"),
    ("note.pdf", "application/pdf", PDF[:-8], "not all of one"),
    ("note.pdf", "application/pdf", b"MZ" + PDF, "no PDF"),
    ("note.exe", "application/pdf", PDF, "end it in pdf"),
    ("empty.txt", "text/plain", b"", "empty"),
]


@pytest.mark.parametrize(("name", "mime", "content", "complaint"), WRONG, ids=[f"{row[0]}-{row[3]}" for row in WRONG])
async def test_what_is_not_what_it_says_it_is_is_refused_by_name_and_leaves_nothing(
    archive: Platform, tmp_path: Path, name: str, mime: str, content: bytes, complaint: str
) -> None:
    answer = await send(archive.tenant, content, name=name, mime=mime)
    assert code_of(answer) == (422, "FILE_REFUSED")
    assert complaint in answer.json()["error"]["message"]
    assert files_in(tmp_path) == {}
    assert await archive.tenant.get(MEDIA) == []


def zipped(name: str, *, says_bytes: int = 0) -> bytes:
    """A workbook with one more part, that says how large it is."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as book:
        for part in ("[Content_Types].xml", "xl/workbook.xml", name):
            book.writestr(part, b"<x/>")
    content = bytearray(written.getvalue())
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, says_bytes)
    return bytes(content)


async def test_workbooks_that_unpack_without_end_or_carry_macros_are_refused(archive: Platform) -> None:
    bomb, macros = zipped("xl/a.xml", says_bytes=510_000_000), zipped("xl/vbaProject.bin")
    for content, complaint in ((bomb, "unpacks to"), (macros, "macros"), (zipped("x")[:-1], "no workbook")):
        answer = await send(archive.tenant, content, name="a.xlsx", mime=XLSX)
        assert code_of(answer) == (422, "FILE_REFUSED")
        assert complaint in answer.json()["error"]["message"]


async def test_a_picture_that_would_fill_the_memory_is_refused(archive: Platform) -> None:
    written = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(written, format="PNG")
    answer = await send(archive.tenant, written.getvalue())
    assert code_of(answer) == (422, "FILE_REFUSED")
    assert "9000 × 9000 pixels" in answer.json()["error"]["message"]


async def test_fifty_megabytes_are_refused_before_they_have_all_come(archive: Platform, tmp_path: Path) -> None:
    async def endless() -> object:
        for _ in range(50):
            yield b"x" * 1_000_000

    answer = await send(archive.tenant, endless(), name="rows.csv", mime="text/csv")  # type: ignore[arg-type]
    assert code_of(answer) == (413, "FILE_TOO_LARGE")
    assert "in parts" in answer.json()["error"]["message"]
    assert files_in(tmp_path) == {}


async def test_a_name_cannot_lead_out_of_its_folder(archive: Platform) -> None:
    for name in ("../../etc/passwd.png", "a/b.png", "a\\b.png", "a\nb.png", "", "x" * 201):
        assert (await send(archive.tenant, picture(), name=name)).status_code == 422, name
    made = await sent(archive.tenant, picture(61), name='प्याज "1" %0d%0a.png')
    shown = await archive.tenant.client.get(f"{MEDIA}/{made['id']}/download")
    assert "\n" not in shown.headers["content-disposition"]


async def test_the_declared_hash_must_fit(archive: Platform) -> None:
    headers = {"X-Content-SHA256": "0" * 64}
    assert code_of(await send(archive.tenant, picture(), **headers)) == (422, "BROKEN_UPLOAD")


async def test_the_same_file_at_the_same_time_is_one_file(archive: Platform, tmp_path: Path) -> None:
    made = await asyncio.gather(*(sent(archive.tenant, picture()) for _ in range(4)))
    assert len({one["id"] for one in made}) == 1
    assert list(files_in(tmp_path).values()) == [picture()]
    assert [one["id"] for one in await archive.tenant.get(MEDIA)] == [made[0]["id"]]


async def test_a_retried_upload_is_answered_as_before_and_another_body_is_refused(archive: Platform) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await send(archive.tenant, picture(), **key)
    again = await send(archive.tenant, picture(), **key)
    assert (again.json()["data"], again.headers["idempotency-replayed"]) == (first.json()["data"], "true")
    assert code_of(await send(archive.tenant, picture(70), **key)) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_ranges_and_what_the_caller_has_already(archive: Platform) -> None:
    content = bytes(b"0123456789" * 1000)
    made = await sent(archive.tenant, content, name="a.txt", mime="text/plain")
    path = f"{MEDIA}/{made['id']}/download"

    async def ask(**headers: str) -> tuple[int, bytes, str | None]:
        answer = await archive.tenant.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    whole, etag = (200, content, None), f'"{hash_of(content)}"'
    assert await ask(Range="bytes=3-5") == (206, b"345", "bytes 3-5/10000")
    assert await ask(Range="bytes=9998-") == (206, b"89", "bytes 9998-9999/10000")
    assert await ask(Range="bytes=-3") == (206, b"789", "bytes 9997-9999/10000")
    assert await ask(Range="bytes=-99999") == (206, content, "bytes 0-9999/10000")
    assert await ask(Range="bytes=9999-99999999") == (206, b"9", "bytes 9999-9999/10000")
    assert await ask(Range="bytes=3-5", If_Range=etag) == (206, b"345", "bytes 3-5/10000")
    assert await ask(Range="bytes=3-5", If_Range='"other"') == whole
    for nothing_of_ours in ("bytes=5-3", "bytes=a-b", "lines=1-2", "bytes=1-2,5-6", "bytes=-"):
        assert await ask(Range=nothing_of_ours) == whole, nothing_of_ours
    for behind in ("bytes=10000-", "bytes=-0"):
        status, _, told = await ask(Range=behind)
        assert (status, told) == (416, "bytes */10000"), behind
    assert await ask(If_None_Match=f'"x", W/{etag}') == (304, b"", None)
    assert await ask(If_None_Match='"x"') == whole


async def test_a_file_that_something_shows_stays_and_says_what(archive: Platform) -> None:
    made, shown_by = await sent(archive.tenant, picture()), [uuid.uuid4() for _ in range(4)]
    media_id, path = uuid.UUID(made["id"]), f"{MEDIA}/{made['id']}"
    async with archive.database.unit_of_work(archive.tenant.organization) as db:
        for entity_id in (*shown_by, shown_by[0]):
            await service.attach(db, media_id=media_id, entity_type="lot", entity_id=entity_id)
    detail = await archive.tenant.get(path)
    assert [one["entity_id"] for one in detail["attachments"]] == [str(one) for one in shown_by]
    [found] = await archive.tenant.get(MEDIA, entity_type="lot", entity_id=str(shown_by[3]))
    assert found["id"] == made["id"]
    refused = await archive.tenant.client.delete(path)
    assert code_of(refused) == (409, "STILL_ATTACHED")
    assert f"lot {shown_by[0]}" in refused.json()["error"]["message"]
    assert "and 1 more" in refused.json()["error"]["message"]
    async with archive.database.unit_of_work(archive.tenant.organization) as db:
        for entity_id in shown_by:
            await service.detach(db, media_id=media_id, entity_type="lot", entity_id=entity_id)
    assert (await archive.tenant.client.delete(path)).status_code == 204
    assert (await archive.tenant.client.get(path)).status_code == 404


async def test_nothing_unknown_shows_files_and_nothing_shows_an_unknown_one(archive: Platform) -> None:
    made = await sent(archive.tenant, picture())
    async with archive.database.unit_of_work(archive.tenant.organization) as db:
        with pytest.raises(Invalid, match="'moon'"):
            await service.attach(db, media_id=uuid.UUID(made["id"]), entity_type="moon", entity_id=uuid.uuid4())
        with pytest.raises(NotFound):
            await service.attach(db, media_id=uuid.uuid4(), entity_type="lot", entity_id=uuid.uuid4())


async def test_the_list_is_told_by_kind(archive: Platform) -> None:
    png, pdf = (
        await sent(archive.tenant, picture()),
        await sent(archive.tenant, PDF, name="a.pdf", mime="application/pdf"),
    )
    assert [one["id"] for one in await archive.tenant.get(MEDIA)] == [pdf["id"], png["id"]]
    assert [one["id"] for one in await archive.tenant.get(MEDIA, mime="image/")] == [png["id"]]
    assert await archive.tenant.get(MEDIA, mime="image%") == []


async def test_people_s_pictures_and_proofs_are_not_among_the_files(archive: Platform) -> None:
    me = (await archive.tenant.get("/api/v1/auth/me"))["id"]
    headers = {"Content-Type": "image/png"}
    shown = await archive.tenant.client.post(f"/api/v1/admin/users/{me}/avatar", content=picture(), headers=headers)
    path = f"{MEDIA}/{shown.json()['data']['id']}"
    assert await archive.tenant.get(MEDIA) == []
    for answer in (await archive.tenant.client.get(path), await archive.tenant.client.delete(path)):
        assert answer.status_code == 404
    # sent again as a file it is one, and what shows it still holds it
    assert (await sent(archive.tenant, picture(), name="me.png"))["id"] == shown.json()["data"]["id"]
    assert code_of(await archive.tenant.client.delete(path)) == (409, "STILL_ATTACHED")
    await archive.tenant.client.delete(f"/api/v1/admin/users/{me}/avatar")
    assert (await archive.tenant.client.delete(path)).status_code == 204


async def test_another_organisation_has_its_own_copy_and_sees_no_other(archive: Platform, tmp_path: Path) -> None:
    stranger = await make_farm(archive)
    mine, theirs = await sent(archive.tenant, picture()), await sent(stranger, picture())
    assert mine["id"] != theirs["id"]
    for path in ("", "/download", "/transform", "/signed-url"):
        assert (await stranger.client.get(f"{MEDIA}/{mine['id']}{path}")).status_code == 404
    assert (await stranger.client.post(f"{MEDIA}/{mine['id']}/purge")).status_code == 404
    folders = {path.partition("/")[0] for path in files_in(tmp_path)}
    assert folders == {one.organization.organization_id.hex for one in (archive.tenant, stranger)}


async def test_who_may_only_read_sends_nothing_and_leaves_no_bytes(archive: Platform, tmp_path: Path) -> None:
    viewer = await make_person(archive, archive.tenant, "viewer")
    assert (await send(viewer, picture())).status_code == 403
    assert files_in(tmp_path) == {}
    assert await viewer.get(MEDIA) == []


async def test_files_that_were_laid_under_their_hash_alone_are_still_read(archive: Platform, tmp_path: Path) -> None:
    content = picture(62)
    made = await sent(archive.tenant, content)
    async with archive.database.unit_of_work(archive.tenant.organization) as db:
        media = await service.get_media(db, uuid.UUID(made["id"]))
        laid, media.storage_key = tmp_path / media.key, None
        old = tmp_path / media.organization_id.hex / media.sha256[:2] / media.sha256
    laid.rename(tmp_path / "aside")
    assert (await archive.tenant.client.get(f"{MEDIA}/{made['id']}/download")).status_code == 404
    (tmp_path / "aside").rename(old)
    assert (await archive.tenant.client.get(f"{MEDIA}/{made['id']}/download")).content == content


async def test_bytes_follow_their_row_and_the_same_file_may_come_again(database_url: str) -> None:
    async with open_platform(database_url) as platform:
        folder, files = platform.settings.media_folder, Files.of(platform.settings)
        made = await sent(platform.tenant, picture())
        assert (await platform.tenant.client.get(f"{MEDIA}/{made['id']}/transform", params={"width": 9})).is_success
        await platform.tenant.client.delete(f"{MEDIA}/{made['id']}")
        again = await sent(platform.tenant, picture())
        await platform.deliver()
        assert list(files_in(folder).values()) == [picture()]
        assert (await platform.tenant.client.get(f"{MEDIA}/{again['id']}/download")).content == picture()
        prefix = platform.tenant.organization.organization_id.hex
        assert await files.keys(f"{prefix}/derived") == []
