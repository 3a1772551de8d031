"""The phone drives a platform that is really served, over a network, to the end of its route."""

import asyncio
import hashlib
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from device_sims.clock import WorldClock, real_now_ms
from device_sims.phone import Phone, PhoneProblem, distance_m, photograph
from tests.factories.orders import Drive, make_drive
from tests.platform_under_test import PASSWORD, Platform
from tests.services.waiting import until


class Hurried(WorldClock):
    """The real time, for phones that never wait."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def hurried() -> Hurried:
    return Hurried(speed=1.0, origin_ms=real_now_ms())


@asynccontextmanager
async def served(platform: Platform) -> AsyncIterator[str]:
    """The platform's URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(platform.app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started, what="the platform is served")
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def phone_of(url: str, drive: Drive, **options: object) -> Phone:
    return Phone(url, drive.driver.username, PASSWORD, clock=hurried(), seed=4, **options)  # type: ignore[arg-type]


async def test_a_phone_drives_its_route_to_the_end_and_repeats_itself(platform: Platform, tmp_path: Path) -> None:
    drive = await make_drive(platform, doors=2)
    async with served(platform) as url:
        report = await phone_of(url, drive, repeat=1.0, report=tmp_path / "report.json").drive()
    assert report.finished
    assert report.repeated > report.positions >= 2
    deliveries = await drive.tenant.get("/api/v1/warehouse/deliveries")
    assert {row["number"]: row["photo_sha256"] for row in deliveries} == report.proofs
    assert len(report.proofs) == 2
    assert json.loads((tmp_path / "report.json").read_text())["proofs"] == report.proofs
    [route] = await drive.tenant.get("/api/v1/warehouse/routes")
    assert (route["number"], route["status"]) == (report.route, "completed")
    movements = await drive.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    assert [row["quantity"] for row in movements if row["movement_type"] == "outbound"] == ["-4.000"] * 2


async def test_a_phone_with_a_broken_camera_stops_with_a_sentence_and_delivers_nothing(platform: Platform) -> None:
    drive = await make_drive(platform, doors=1)
    async with served(platform) as url:
        phone = phone_of(url, drive, broken_camera=True)
        with pytest.raises(PhoneProblem, match=r"/photo answered 422: .*send them again"):
            await phone.drive()
    assert not phone.report.finished
    assert phone.report.proofs == {}
    assert (await drive.tenant.get("/api/v1/orders"))[0]["status"] == "out_for_delivery"


async def test_a_phone_without_a_route_or_a_password_says_so(platform: Platform) -> None:
    drive = await make_drive(platform, doors=1)
    clock = hurried()
    async with served(platform) as url:
        with pytest.raises(PhoneProblem, match="ask the dispatcher"):
            await Phone(url, drive.tenant.username, PASSWORD, clock=clock, seed=1).drive()
        with pytest.raises(PhoneProblem, match="signing in answered 401"):
            await Phone(url, drive.driver.username, "wrong", clock=clock, seed=1).drive()


def test_a_photo_is_a_png_that_nobody_took_before() -> None:
    dice = random.Random(1)
    photos = [photograph(dice) for _ in range(3)]
    assert {photo[:8] for photo in photos} == {b"\x89PNG\r\n\x1a\n"}
    assert len({hashlib.sha256(photo).hexdigest() for photo in photos}) == 3


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m((12.0, 77.0), (13.0, 77.0)) == pytest.approx(111_195, abs=1)
    assert distance_m((12.0, 77.0), (12.0, 77.0)) == 0
