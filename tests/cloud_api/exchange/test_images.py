"""Pictures in a zip: each goes to the product that it is named after, once."""

import io
import zipfile

from tests.cloud_api.exchange.files import IMPORTS, csv_of, send, taken_in, work
from tests.cloud_api.exchange.test_imports import PRODUCTS, SPINACH, counts
from tests.cloud_api.media.samples import picture
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def zip_of(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, content in files.items():
            whole.writestr(name, content)
    return file.getvalue()


async def test_pictures_are_shown_with_their_products_once(farm: Platform) -> None:
    await taken_in(farm, csv_of([SPINACH]))
    content = zip_of(
        **{
            "SPINACH.png": picture(30),
            "SPINACH_2.png": picture(32),
            "__MACOSX/SPINACH.png": b"x",
            "KALE.png": picture(34),
            "SPINACH_3.png": b"no picture",
            "notes.txt": b"x",
        }
    )
    for expected in ((2, 0, 0, 3), (0, 0, 2, 3)):
        run = await send(farm.tenant, content, path=f"{IMPORTS}/images")
        await work(farm)
        told = await farm.tenant.get(f"{IMPORTS}/{run['id']}")
        assert (told["status"], counts(told), told["total"]) == ("succeeded", expected, 5)
        assert [problem["column"] for problem in told["problems"]] == ["KALE.png", "SPINACH_3.png", "notes.txt"]
    [product] = await farm.tenant.get(PRODUCTS)
    assert len(await farm.tenant.get(f"{PRODUCTS}/{product['id']}/images")) == 2
    assert product["image_id"] is not None


async def test_what_is_no_zip_fails_whole(farm: Platform) -> None:
    run = await send(farm.tenant, b"PK no zip", path=f"{IMPORTS}/images")
    await work(farm)
    told = await farm.tenant.get(f"{IMPORTS}/{run['id']}")
    assert (told["status"], told["error_code"]) == ("failed", "UNREADABLE_FILE")
