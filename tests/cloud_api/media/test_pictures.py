"""Pictures in other sizes: upright, without what the camera wrote, made once, and never a way to fill the memory."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cloud_api.media.errors import NoPicture
from cloud_api.media.pictures import Shape, painted
from tests.cloud_api.media.samples import MEDIA, code_of, files_in, picture, sent
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform


def shape(**wanted: object) -> Shape:
    return Shape(**{"width": None, "height": None, "fit": "inside", "format": "webp", "quality": 80, **wanted})  # type: ignore[arg-type]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def is_red(picture: Image.Image, at: tuple[int, int]) -> bool:
    red, _, blue = picture.convert("RGB").split()
    return bool(red.getpixel(at) > blue.getpixel(at))  # type: ignore[operator]  # one channel has numbers


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ({"width": 30}, (30, 20)),
        ({"height": 10}, (15, 10)),
        ({"width": 30, "height": 30}, (30, 20)),
        ({"width": 600}, (60, 40)),
        ({"width": 30, "height": 30, "fit": "cover"}, (30, 30)),
        ({"width": 30, "height": 30, "fit": "contain"}, (30, 30)),
        ({"width": 10, "height": 90, "fit": "fill"}, (10, 90)),
        ({}, (60, 40)),
    ],
)
@pytest.mark.parametrize("format", ["webp", "jpeg", "png", "avif"])
def test_a_picture_becomes_as_large_as_it_is_wanted(
    wanted: dict[str, object], size: tuple[int, int], format: str
) -> None:
    made = opened(painted(picture(), shape(**wanted, format=format)))
    assert (made.size, made.format) == (size, format.upper())


def test_a_photo_stands_upright_and_says_nothing_of_its_maker() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned right: its left edge is its bottom
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825)[1] = "N"
    photo = picture(60, 40, kind="JPEG", exif=exif, comment=b"by Asha", quality=95)
    for format in ("webp", "jpeg", "png", "avif"):
        content = painted(photo, shape(format=format, width=40))
        made = opened(content)
        assert made.size == (40, 60)
        assert is_red(made, (20, 5))
        assert not is_red(made, (20, 55))
        assert dict(made.getexif()) == {}
        for told in (b"Maker", b"Asha", b"Exif"):
            assert told not in content, (format, told)


def test_what_is_transparent_stays_so_where_it_can_and_turns_white_where_not() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(written, format="PNG")
    assert opened(painted(written.getvalue(), shape(format="png"))).mode == "RGBA"
    assert opened(painted(written.getvalue(), shape(format="jpeg", quality=95))).getpixel((4, 4)) == (255, 255, 255)


@given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "AVIF"]), st.data())
@settings(max_examples=120, deadline=None)
def test_broken_pictures_are_refused_and_break_nothing(noise: bytes, kind: str, data: st.DataObject) -> None:
    whole = picture(kind=kind)
    at = data.draw(st.integers(0, len(whole)))
    for content in (noise, whole[:at], whole[:at] + noise + whole[at:]):
        try:
            assert opened(painted(content, shape(width=10))).size[0] <= 10
        except NoPicture:
            continue


def test_a_picture_of_too_many_pixels_is_not_unpacked() -> None:
    written = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(written, format="PNG")
    assert len(written.getvalue()) < 100_000
    with pytest.raises(NoPicture, match="pixels"):
        painted(written.getvalue(), shape(width=10))


@IN_ONE_LOOP
async def test_a_shape_is_made_once_and_again_after_it_was_purged(archive: Platform, tmp_path: Path) -> None:
    client, made = archive.tenant.client, await sent(archive.tenant, picture())
    path, wanted = f"{MEDIA}/{made['id']}/transform", {"width": "20", "format": "avif"}

    def derived() -> list[str]:
        return [name for name in files_in(tmp_path) if "/derived/" in name]

    first = await client.get(path, params=wanted)
    assert (first.status_code, first.headers["content-type"]) == (200, "image/avif")
    assert len(derived()) == 1
    # from the store: what lies there is what comes
    [kept] = derived()
    (tmp_path / kept).write_bytes(picture(20, 13, kind="AVIF", quality=20))
    assert (await client.get(path, params=wanted)).content != first.content
    assert (await archive.tenant.post(f"{MEDIA}/{made['id']}/purge"))["removed"] == 1
    assert derived() == []
    assert (await client.get(path, params=wanted)).content == first.content
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, params=wanted, headers=known)).status_code == 304


@IN_ONE_LOOP
async def test_shapes_that_make_no_sense_are_refused(archive: Platform) -> None:
    client, made = archive.tenant.client, await sent(archive.tenant, picture())
    note = await sent(archive.tenant, b"kept cold", name="a.txt", mime="text/plain")
    for wrong in (
        {"width": 0},
        {"width": 4097},
        {"fit": "round"},
        {"format": "tiff"},
        {"quality": 96},
        {"height": "a"},
    ):
        assert (await client.get(f"{MEDIA}/{made['id']}/transform", params=wrong)).status_code == 422, wrong
    assert code_of(await client.get(f"{MEDIA}/{note['id']}/transform")) == (422, "NO_PICTURE")


@IN_ONE_LOOP
async def test_whoever_asks_for_every_size_does_not_fill_the_disk(archive: Platform, tmp_path: Path) -> None:
    made = await sent(archive.tenant, picture())
    path = f"{MEDIA}/{made['id']}/transform"
    await archive.tenant.client.get(path, params={"width": 3})
    [first] = [name for name in files_in(tmp_path) if "/derived/" in name]
    for number in range(63):
        (tmp_path / first).with_name(f"{number}.webp").write_bytes(b"")
    for width in (4, 5):
        assert (await archive.tenant.client.get(path, params={"width": width})).status_code == 200
    assert len(files_in(tmp_path)) == 1 + 64
