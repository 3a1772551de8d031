"""The driver's app in a browser: with signal, without, and with signal again."""

import io
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import zxingcpp
from PIL import Image
from playwright.async_api import Page

from cloud_api.kernel import clock
from tests.cloud_api.console.driver.days import UPI_ID
from tests.cloud_api.console.driver.films import film_of
from tests.cloud_api.console.driver.hands import (
    OFFLINE,
    PICTURE,
    all_is_sent,
    as_cameras_take_them,
    go_to,
    kept,
    set_off,
    sign,
    told,
)
from tests.cloud_api.console.screens import Screen, film_in
from tests.cloud_api.logistics.deliveries.rounds import Round

#: of a picture, however large the camera made it
MOST_BYTES = 300_000
#: nothing more fits into the browser's store
FULL = """() => {
  window.addOfBefore = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""


async def test_what_the_camera_reads_is_loaded_and_what_is_missing_is_said(
    phone: Screen, day: Round, browser_folder: Path
) -> None:
    orders = [await day.order(stop) for stop in range(3)]
    film_of(orders[0]["number"], film_in(browser_folder))
    page = phone.page
    await phone.open("/console/driver")
    await page.wait_for_selector("#sent.ok")
    await page.click("text=Scan the load")
    await page.click("text=Use the camera")
    await page.wait_for_selector(f"li:has-text('{orders[0]['number']}') >> text={orders[0]['customer_name']}")
    await page.click("text=Stop the camera")
    film_of(orders[1]["number"], film_in(browser_folder), kind="Code128", scale=2)
    await page.click("text=Use the camera")
    await page.wait_for_selector(f"li:has-text('{orders[1]['number']}')")
    await page.fill("[name=code]", "NOBODY-KNOWS")
    await page.press("[name=code]", "Enter")
    await phone.is_accessible()
    await page.click("button:has-text('Done')")
    await page.wait_for_selector("h1:has-text('Not everything is loaded')")
    said = await page.inner_text("main")
    assert (orders[1]["number"] in said, orders[2]["number"] in said) == (False, True)
    assert "NOBODY-KNOWS" in said.partition("Nobody knows these codes")[2]
    assert await page.evaluate("document.querySelector('video') === null"), "the camera is let go"
    await phone.is_accessible()
    await page.click("text=To the route")
    await all_is_sent(page)
    assert await told(page) == [("scan", "applied")]


async def test_a_whole_day_without_signal_is_told_once_and_whole(phone: Screen, day: Round, tmp_path: Path) -> None:
    page, (first, second, third) = phone.page, day.delivery_ids
    await set_off(phone)
    await phone.is_accessible()
    await day.announce()
    await page.context.set_offline(True)
    await page.reload()

    await hand_over_and_close_the_app_in_the_middle(phone, day, as_cameras_take_them(tmp_path / "door.jpg"))
    page = phone.page
    await page.click(f".next [href='#stop/{second}']")
    await page.click("text=Cannot deliver")
    await page.check("[value=refused]")
    await phone.is_accessible()
    await page.click("button:has-text('Not delivered')")

    await hand_over_for_money(page, day)
    await page.wait_for_selector("text=All stops are done")
    await page.wait_for_selector("#standing:has-text('entries, 3 pictures.')")

    await page.context.set_offline(False)
    await all_is_sent(page)
    assert "Not yet sent" not in await page.inner_text("main")
    phone.complaints = [one for one in phone.complaints if OFFLINE not in one]
    proofs = [await day.dispatcher.get(f"/api/v1/warehouse/deliveries/{stop}/proof") for stop in (first, third)]
    assert [(one["photo"] or {}).get("intact") for one in proofs] == [True, None]
    assert proofs[0]["photo"]["size_bytes"] <= MOST_BYTES
    assert [(one["signature"]["mime"], one["signature"]["intact"]) for one in proofs] == [("image/png", True)] * 2
    assert (proofs[0]["recipient_name"], proofs[0]["cargo_temperature_c"]) == ("The cook", 3.4)
    assert proofs[0]["otp_status"] == "verified"
    refused = await day.stop(1)
    assert (refused["status"], refused["failure_reason"]) == ("failed", "refused")
    [payment] = (await day.dispatcher.get(f"/api/v1/orders/{day.order_ids[2]}/payments"))["payments"]
    assert (payment["method"], payment["reference"]) == ("upi", "UPI-4711")
    assert await told(page) == [
        (kind, "applied") for kind in ("start_route", "arrive", "deliver", "fail", "arrive", "payment", "deliver")
    ]
    heard = await day.driver.get("/api/v1/mobile/commands", limit=50)
    assert len([one for one in heard if one["kind"] != "position_batch"]) == 7
    assert await kept(page, "photos") == [], "a picture that has arrived is not kept on the phone"

    await page.click("text=Finish route")
    await page.fill("[name=place]", day.depot.room_id)
    await phone.is_accessible()
    await page.click("button:has-text('Finish route')")
    await page.wait_for_selector("h1:has-text('is finished')")
    await all_is_sent(page)
    assert (await day.stop(1))["status"] == "returned"


async def hand_over_and_close_the_app_in_the_middle(phone: Screen, day: Round, picture: Path) -> None:
    """To the cook: with a picture, a signature, a code and a temperature; the name is forgotten at first."""
    page, first = phone.page, day.delivery_ids[0]
    await go_to(page, first)
    await page.click("text=Delivered")
    assert await page.inner_text("#e-recipient") == "Who takes the goods? Write the name."
    await page.fill("[name=recipient]", "The cook")
    await page.set_input_files("[name=photo]", picture)
    await page.wait_for_selector(".shot img")
    await sign(page, slope=0.4)
    await page.fill("[name=code]", await day.code())
    await page.fill("[name=temperature]", "3,4")
    await phone.is_accessible()
    await page.close()
    page = await phone.another_page()
    await phone.open(f"/console/driver#stop/{first}/deliver")
    assert await page.input_value("[name=recipient]") == "The cook", "closed and opened again: what was typed is there"
    await page.wait_for_selector(".shot img")
    await page.click("text=Delivered")


async def hand_over_for_money(page: Page, day: Round) -> None:
    """To the waiter, who scans the code and pays."""
    await go_to(page, day.delivery_ids[2])
    await page.check("[value=upi]")
    order = await day.order(2)
    asked = dict(parse_qsl(urlsplit(await scanned(page)).query))
    assert (asked["pa"], asked["am"], asked["tn"]) == (UPI_ID, "170.00", order["number"])
    await page.fill("[name=reference]", "UPI-4711")
    await page.fill("[name=recipient]", "The waiter")
    await sign(page, slope=-0.2)
    await page.click("text=Delivered")


async def scanned(page: Page) -> str:
    """What a customer's phone reads from the driver's."""
    await page.locator("svg.qr").scroll_into_view_if_needed()
    shot = Image.open(io.BytesIO(await page.locator("svg.qr").screenshot()))
    return zxingcpp.read_barcodes(shot)[0].text


async def test_a_key_that_was_revoked_in_the_middle_loses_nothing_and_doubles_nothing(
    phone: Screen, day: Round
) -> None:
    await day.driver.put("/api/v1/auth/me", {"locale": "hi-IN"})
    page, (first, second, _) = phone.page, day.delivery_ids
    await phone.open("/console/driver")
    await page.click("text=रूट शुरू करें")
    await page.wait_for_selector("#sent.ok")
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    await page.context.set_offline(True)
    await page.click(f".next [href='#stop/{first}']")
    await page.click(".button.bad")
    await page.check("[value=customer_absent]")
    await page.set_input_files("[name=photo]", PICTURE)
    await page.wait_for_selector(".shot img")
    await page.click("button[type=submit]")
    await page.wait_for_selector(f".next [href='#stop/{second}']")
    assert "अभी नहीं भेजा" in await page.inner_text("main")

    phone.expected.add(403)
    [key] = await day.dispatcher.get("/api/v1/mobile/keys")
    assert (await day.dispatcher.client.delete(f"/api/v1/mobile/keys/{key['id']}")).status_code == 204
    await page.close()
    page = await phone.another_page()
    await phone.open("/console/driver")
    await page.wait_for_selector(f".next [href='#stop/{second}']")
    await page.context.set_offline(False)
    await all_is_sent(page)
    phone.complaints = [one for one in phone.complaints if OFFLINE not in one]
    assert await told(page) == [("start_route", "applied"), ("fail", "applied")], "the log of before is still shown"
    gone = await day.stop(0)
    assert (gone["status"], gone["failure_reason"]) == ("failed", "customer_absent")
    keys = await day.driver.get("/api/v1/mobile/keys")
    assert [one["revoked_at"] is None for one in keys] == [True, False]
    commands = await day.driver.get("/api/v1/mobile/commands", limit=50)
    assert sorted(one["kind"] for one in commands if one["result"] == "applied") == ["fail", "start_route"]

    await page.click(f".next [href='#stop/{second}']")
    await page.click("text=मैं दरवाज़े पर हूँ")
    await page.wait_for_selector("a:has-text('सौंपें')")
    await all_is_sent(page)
    assert (await day.stop(1))["status"] == "arrived"
    await phone.is_accessible()


async def test_a_clock_that_is_wrong_and_a_phone_that_is_full_are_said_in_words(phone: Screen, day: Round) -> None:
    page = phone.page
    await page.clock.set_system_time(clock.now() - timedelta(minutes=20))
    await set_off(phone)
    await page.wait_for_selector("text=The clock of this phone is 20 min slow.")
    await page.click(f".next [href='#stop/{day.delivery_ids[0]}']")
    await page.click("text=Cannot deliver")
    await page.check("[value=other]")
    await page.fill("[name=note]", "The gate is shut")
    await page.evaluate(FULL)
    await page.click("button:has-text('Not delivered')")
    await page.wait_for_selector("text=This phone is full, and what you just did is not kept.")
    assert await page.input_value("[name=note]") == "The gate is shut"
    await page.evaluate("() => { IDBObjectStore.prototype.add = window.addOfBefore; }")
    await page.click("button:has-text('Not delivered')")
    await page.wait_for_selector("text=Noted. The goods come back with you.")
    await all_is_sent(page)
    assert await told(page) == [("start_route", "applied"), ("fail", "applied")]


async def test_a_private_window_that_keeps_nothing_says_so(phone: Screen) -> None:
    await phone.page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'InvalidStateError'); };"
    )
    await phone.open("/console/driver")
    await phone.page.wait_for_selector("text=This browser keeps nothing: is it a private window")


async def test_who_was_signed_out_goes_on_with_a_signature_and_loses_nothing(phone: Screen, day: Round) -> None:
    page, (_, second, _) = phone.page, day.delivery_ids
    await phone.open("/console/driver")
    await page.wait_for_selector("#sent.ok")
    await page.context.clear_cookies()
    await page.click("text=Start route")
    await page.wait_for_selector("#standing.signed_out")
    assert "Not yet sent: 1 entry" in await page.inner_text("#standing")
    await page.click(f".stops [href='#stop/{second}']")
    await page.click("text=I am at the door")
    await page.click("text=Hand over")
    await page.fill("[name=recipient]", "The cook")
    await page.click("summary:has-text('Signature')")
    await page.fill("[name=signed]", "A. Cook")
    await page.click("text=Delivered")
    await page.wait_for_selector(f".stop.done[href='#stop/{second}']")
    await page.click("text=Sign in")
    await page.wait_for_url("**/console/sign-in**")
    await phone.come_in(day.driver)
    await phone.open("/console/driver")
    await all_is_sent(page)
    proof = await day.dispatcher.get(f"/api/v1/warehouse/deliveries/{second}/proof")
    assert (proof["signature"]["mime"], proof["signature"]["intact"], proof["photo"]) == ("image/png", True, None)
