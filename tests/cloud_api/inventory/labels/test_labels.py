"""Labels: what stands on them is read back by a scanner, and leads to what they are of."""

import io
import re
import uuid
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from cloud_api.catalog.gs1 import Element, read
from cloud_api.inventory.labels import sheet
from cloud_api.inventory.labels.errors import LabelTooSmall, NoSuchSymbol
from cloud_api.inventory.labels.layout import divide
from cloud_api.inventory.labels.schemas import LabelSize
from cloud_api.inventory.labels.subjects import Subject
from cloud_api.inventory.labels.symbols import Symbology, draw
from tests.cloud_api.identity.staff import refusal
from tests.cloud_api.inventory.labels.goods import LABELS, PRODUCTS, lot_with_gtin, make_item, new_gtin
from tests.factories.farms import make_farm, make_person, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Platform, Tenant

GOODS = (Element("01", "09501101530003"), Element("10", "L2107A"), Element("17", "271130"))
SPINACH = Subject("Spinach", ("Lot L2107A", "Exp. 2027-11-30", "SPN-1"), "SPN-1", GOODS, "gs1_datamatrix")


def seen_in(png: bytes) -> zxingcpp.Barcode:
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return found


def png_of(subject: Subject, size: LabelSize, symbology: Symbology) -> bytes:
    symbol = draw(symbology, plain=subject.plain, elements=subject.elements)
    label = divide(subject, symbol, size, copies=1)
    return sheet.typeset([label], size, format="png", typst=sheet.load_typst())


@pytest.mark.parametrize("symbology", ["qr", "code128", "datamatrix", "gs1_128", "gs1_datamatrix"])
@pytest.mark.parametrize("size", [(82, 50, 203), (100, 25, 203), (70, 30, 300), (200, 40, 600)])
def test_a_scanner_reads_what_stands_on_the_label(symbology: Symbology, size: tuple[int, int, Any]) -> None:
    width_mm, height_mm, dpi = size
    found = seen_in(png_of(SPINACH, LabelSize(width_mm=width_mm, height_mm=height_mm, dpi=dpi), symbology))
    if symbology.startswith("gs1"):
        assert found.symbology_identifier == {"gs1_128": "]C1", "gs1_datamatrix": "]d2"}[symbology]
        scanned = found.symbology_identifier + found.bytes.decode()
        assert read(scanned).elements == GOODS
    else:
        assert found.text == "SPN-1"


def test_a_label_is_as_large_as_it_was_wanted() -> None:
    png = Image.open(io.BytesIO(png_of(SPINACH, LabelSize(width_mm=80, height_mm=50, dpi=203), "qr")))
    assert abs(png.width - 80 / 25.4 * 203) <= 1
    assert abs(png.height - 50 / 25.4 * 203) <= 1


def ink_at_the_rim(png: bytes) -> bool:
    """Whether anything is printed in the outermost millimetre."""
    image = Image.open(io.BytesIO(png)).convert("L")
    inner = image.crop((8, 8, image.width - 8, image.height - 8))
    image.paste(255, (8, 8, 8 + inner.width, 8 + inner.height))
    return image.getextrema()[0] < 128  # type: ignore[operator]  # one channel has two numbers


NAMES = [
    "Spinach " * 40,
    "S" * 400,
    "பாலக் கீரை",
    "पालक की पत्तियाँ",
    "ปลาแช่แข็ง",
    "🥬",
    "\u202eabc",
    "<b>&#[]$*_",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("symbology", ["qr", "code128"])
def test_names_however_long_and_in_every_script_stay_on_the_label(name: str, symbology: Symbology) -> None:
    subject = Subject(name, (name, name, name, name), "SPN-1", None, "qr")
    for height_mm in (15, 30):
        png = png_of(subject, LabelSize(width_mm=50, height_mm=height_mm), symbology)
        assert not ink_at_the_rim(png)
        assert seen_in(png).text == "SPN-1"


def test_what_would_not_be_read_is_refused_with_the_size_that_would() -> None:
    with pytest.raises(LabelTooSmall, match="needs a label 81 mm wide"):
        png_of(SPINACH, LabelSize(width_mm=40, height_mm=30), "gs1_128")
    long = Subject("Crate", (), "X" * 250, None, "qr")
    with pytest.raises(LabelTooSmall, match="mm wide and high"):
        png_of(long, LabelSize(width_mm=60, height_mm=15), "qr")


def test_what_a_bar_code_cannot_say_is_refused_with_the_remedy() -> None:
    crate = Subject("Crate", (), "கூடை", None, "qr")
    with pytest.raises(NoSuchSymbol, match="needs a GTIN"):
        draw("gs1_datamatrix", plain=crate.plain, elements=None)
    with pytest.raises(NoSuchSymbol, match="ask for qr"):
        draw("code128", plain=crate.plain, elements=None)
    assert draw("qr", plain=crate.plain, elements=None).text == "கூடை"


@IN_ONE_LOOP
async def test_a_products_label_leads_back_to_its_number(store: ColdStore) -> None:
    gtin, sku = new_gtin(), f"SPN-{uuid.uuid4().hex[:6]}"
    product_id = await make_product(store.tenant, sku=sku, gtin=gtin)
    path = f"{PRODUCTS}/{product_id}/label"

    async def label(**wanted: str | int) -> Any:
        answer = await store.tenant.client.get(path, params=wanted)
        assert answer.status_code == 200, answer.text
        return answer

    png = await label(format="png")
    assert (png.headers["content-type"], seen_in(png.content).text) == ("image/png", sku)
    goods = seen_in((await label(format="png", symbology="gs1_datamatrix")).content)
    assert read("]d2" + goods.bytes.decode()).gtin == gtin
    pdf = PdfReader(io.BytesIO((await label(copies=3)).content))
    assert len(pdf.pages) == 3
    assert sku in pdf.pages[2].extract_text()
    assert abs(float(pdf.pages[0].mediabox.width) - 60 / 25.4 * 72) < 0.5
    assert (await label(format="svg")).text.startswith("<svg")
    assert f"^FDMA,{sku}^FS" in (await label(format="zpl")).text
    assert refusal(await store.tenant.client.get(path, params={"width_mm": 14})) == (422, "VALIDATION_FAILED")
    small = await store.tenant.client.get(path, params={"symbology": "code128", "width_mm": 15})
    assert refusal(small) == (422, "LABEL_TOO_SMALL")


@IN_ONE_LOOP
async def test_a_lots_label_leads_back_to_the_lot(store: ColdStore) -> None:
    gtin, with_gtin = await lot_with_gtin(store)
    _, endless = await lot_with_gtin(store, expires_on=None)
    without = await receive(store, lot="a number of far more than twenty characters")
    for movement in (with_gtin, endless, without):
        wanted = {"kind": "lot", "id": movement["lot_id"]}
        pdf = await store.tenant.client.post(LABELS, json={"labels": [wanted]})
        assert pdf.content.startswith(b"%PDF"), pdf.text
        zpl = await store.tenant.client.post(LABELS, json={"labels": [wanted], "format": "zpl"})
        [field] = re.findall(r"\^FD(?:MA,|_1)(.*?)\^FS", zpl.text)
        code = field.replace("_1", "\x1d")
        found = await store.tenant.post("/api/v1/warehouse/scans", {"code": code})
        assert found["lot"]["id"] == movement["lot_id"], code
        if "\x1d" in code:  # a scanner that swallows the separator is found out, whatever the lot is called
            swallowed = await store.tenant.client.post(
                "/api/v1/warehouse/scans", json={"code": code.replace("\x1d", "")}
            )
            assert swallowed.status_code == 422 or swallowed.json()["data"]["kind"] == "unknown"
    assert gtin


@IN_ONE_LOOP
async def test_a_batch_comes_in_its_order_with_its_copies(store: ColdStore) -> None:
    item, lot = await make_item(store.tenant), await receive(store)
    wanted = [
        {"kind": "item", "id": item["id"], "copies": 2},
        {"kind": "product", "id": store.product_id},
        {"kind": "lot", "id": lot["lot_id"]},
        {"kind": "location", "id": store.room_id, "copies": 3},
    ]
    answer = await store.tenant.client.post(LABELS, json={"labels": wanted})
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert len(pages) == 7
    assert all(item["asset_code"] in page for page in pages[:2])
    assert "LOT-1" in pages[3]
    zpl = await store.tenant.client.post(LABELS, json={"labels": wanted, "format": "zpl"})
    assert re.findall(r"\^PQ(\d+)", zpl.text) == ["2", "1", "1", "3"]
    shown = await store.tenant.client.get(f"/api/v1/items/{item['id']}/label", params={"format": "png"})
    assert seen_in(shown.content).text == item["asset_code"]


@IN_ONE_LOOP
async def test_labels_of_what_one_may_not_see_are_not_printed(farm: Platform, store: ColdStore) -> None:
    lot, stranger = await receive(store), await plant_store(farm, await make_farm(farm))
    things = [("product", store.product_id), ("lot", lot["lot_id"]), ("location", store.room_id)]

    async def ask(tenant: Tenant, kind: str, id: str, **how: object) -> Any:
        return await tenant.client.post(LABELS, json={"labels": [{"kind": kind, "id": id}], "format": "zpl", **how})

    for kind, id in things:
        assert refusal(await ask(stranger.tenant, kind, id)) == (404, "NOT_FOUND"), kind
        assert (await ask(store.tenant, kind, id)).status_code == 200, kind
    customer = await make_person(farm, store.tenant, "customer")
    assert (await ask(customer, "location", store.room_id)).status_code == 403


@IN_ONE_LOOP
async def test_too_many_labels_are_refused(store: ColdStore) -> None:
    one = {"kind": "product", "id": store.product_id, "copies": 200}
    answer = await store.tenant.client.post(LABELS, json={"labels": [one] * 6})
    assert refusal(answer) == (422, "INVALID")
    assert "at most 1,000" in answer.json()["error"]["message"]
    assert (await store.tenant.client.post(LABELS, json={"labels": []})).status_code == 422
