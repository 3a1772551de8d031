"""Labels are printed, and codes are found."""

import httpx2
import pytest

from tests.cloud_api.console.handling.rooms import make_rooms, page
from tests.factories.stores import make_product
from tests.platform_under_test import Platform


async def test_labels_of_lots_places_and_products_are_handed_out_as_files(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id = (await rooms.receive("LABEL-1", "4"))["lot_id"]
    wanted = (
        ("lot", lot_id, "pdf", b"%PDF"),
        ("location", rooms.room_id, "zpl", b"^XA"),
        ("product", rooms.product_id, "png", b"\x89PNG"),
    )
    for kind, id, format, begins in wanted:
        shown = await page(console, f"/console/labels?kind={kind}&id={id}")
        assert f"/console/labels/file?kind={kind}&amp;id={id}" in shown
        file = await console.get(f"/console/labels/file?kind={kind}&id={id}&format={format}")
        assert file.status_code == 200, file.text
        assert begins in file.content[:200]
        assert file.headers["content-disposition"] == f'inline; filename="labels.{format}"'
    bad = await console.get(f"/console/labels/file?kind=lot&id={lot_id}&format=pdf&width_mm=1000")
    assert bad.status_code == 422


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("]d201095060001343521727013110CODE-9", "CODE-9", id="an element string"),
        pytest.param("09506000134352", "Paneer", id="a GTIN"),
        pytest.param("4006381333931", "Nothing here goes by that code.", id="nobody's"),
    ],
)
async def test_a_code_is_told_what_it_is_of(
    console: httpx2.AsyncClient, sqlite_platform: Platform, code: str, said: str
) -> None:
    await make_product(sqlite_platform.tenant, name="Paneer", gtin="09506000134352")
    answer = await console.get("/console/labels", params={"code": code})
    assert answer.status_code == 200
    assert said in answer.text


async def test_a_label_of_nothing_yet_says_what_to_choose(console: httpx2.AsyncClient) -> None:
    said = await page(console, "/console/labels?kind=nonsense")
    assert "Or choose several on the page of lots" in said
    assert "/console/labels/file" not in said


async def test_labels_of_several_are_one_file(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lots = [(await rooms.receive(f"MANY-{number}", "4"))["lot_id"] for number in range(3)]
    assert 'id="marked"' in await page(console, "/console/lots")
    query = "&".join(f"id={lot}" for lot in lots)
    shown = await page(console, f"/console/labels?kind=lot&{query}&id=")
    assert "3 labels" in shown
    assert all(f"MANY-{number}" in shown for number in range(3))
    file = await console.get(f"/console/labels/file?kind=lot&{query}&format=zpl")
    assert file.text.count("^XA") == 3
    assert f"id={lots[0]}" not in await page(console, f"/console/labels?kind=lot&id={lots[1]}")
