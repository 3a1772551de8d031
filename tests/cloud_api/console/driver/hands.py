"""What a driver does with the app, and what the phone then keeps."""

import json
import random
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Page

from tests.cloud_api.console.screens import Screen

ROOM = Path(__file__).parents[4] / "cloud_api" / "console"
PICTURE = ROOM / "browser" / "src" / "driver-192.png"
OFFLINE = "ERR_INTERNET_DISCONNECTED"


async def kept(page: Page, store: str) -> list[Any]:
    """What the phone has in one of its stores; of pictures how large they are."""
    said = await page.evaluate(
        """async (name) => {
          const [{ name: base }] = await indexedDB.databases();
          const db = await new Promise((done) => {
            const asked = indexedDB.open(base);
            asked.onsuccess = () => done(asked.result);
          });
          const all = await new Promise((done) => {
            const asked = db.transaction(name).objectStore(name).getAll();
            asked.onsuccess = () => done(asked.result);
          });
          db.close();
          return JSON.stringify(all, (key, said) => (said instanceof Blob ? { size: said.size } : said));
        }""",
        store,
    )
    return list(json.loads(said))


async def told(page: Page) -> list[tuple[str, str]]:
    """Kind and result of what was sealed, but for positions."""
    entries = await kept(page, "entries")
    return [(entry["kind"], entry["result"]) for entry in entries if entry["kind"] != "position_batch"]


async def all_is_sent(page: Page) -> None:
    """Until nothing waits for the platform any more."""
    await page.wait_for_selector("#sent.ok use[href$='#circle-check']", state="attached")


async def set_off(phone: Screen) -> None:
    """Start the route, with signal."""
    page = phone.page
    await phone.open("/console/driver")
    await page.click("text=Start route")
    await page.wait_for_selector("#sent.ok")
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")


async def go_to(page: Page, delivery_id: str) -> None:
    """The next stop, which is this one; then to its door."""
    await page.click(f".next [href='#stop/{delivery_id}']")
    await page.click("text=I am at the door")
    await page.click("text=Hand over")


async def sign(page: Page, *, slope: float) -> None:
    """With a finger, in two strokes; who signs otherwise has another slope."""
    await page.click("summary:has-text('Signature')")
    field = page.locator("canvas.signature")
    await field.scroll_into_view_if_needed()
    box = await field.bounding_box()
    assert box is not None
    for from_x, to_x in ((0.1, 0.5), (0.5, 0.9)):
        await page.mouse.move(box["x"] + box["width"] * from_x, box["y"] + box["height"] * 0.7)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * to_x, box["y"] + box["height"] * (0.7 - slope), steps=4)
        await page.mouse.up()


def as_cameras_take_them(path: Path) -> Path:
    """A picture of several megabytes, full of detail."""
    size = (2400, 1600)
    detail = random.Random(7).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, detail).save(path, quality=90)
    return path
