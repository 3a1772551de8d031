"""The driver's phone that works without signal, against a platform that is really served."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device_sims.phone import DeadZones, Driver, Outcome, Stop
from device_sims.phone.logbook import Logbook
from device_sims.phone.syncing import Chaos
from tests.device_sims.test_phone import hurried, served
from tests.engines import ALONE_MOSTLY_POSTGRES
from tests.factories.orders import Drive, make_drive
from tests.platform_under_test import PASSWORD, Platform

BAD_LINE = Chaos(shuffle=0.7, repeat=0.5, cut=0.3, photos_late=0.5, most_entries=5)


def driver_of(url: str, drive: Drive, **options: Any) -> Driver:
    return Driver(
        url,
        drive.driver.username,
        PASSWORD,
        **{"clock": hurried(), "seed": 4, "unload_location_id": drive.room_id, "durable": False, **options},
    )


async def statuses(drive: Drive) -> dict[str, str]:
    return {row["id"]: row["status"] for row in await drive.tenant.get("/api/v1/warehouse/deliveries")}


@ALONE_MOSTLY_POSTGRES
async def test_a_driver_delivers_fails_and_completes_over_a_line_that_loses_shuffles_and_repeats(
    platform: Platform,
) -> None:
    drive = await make_drive(platform, doors=3)
    await platform.deliver()
    asked: list[Stop] = []

    def plan(stop: Stop) -> Outcome:
        asked.append(stop)
        return Outcome("fail", reason="customer_absent") if len(asked) == 2 else Outcome(signs=len(asked) == 3)

    async with served(platform) as url:
        driver = driver_of(url, drive, plan_for=plan, chaos=BAD_LINE)
        report = await driver.drive()
    assert report.finished
    assert report.disputed == []
    assert set(report.results) <= {"applied", "duplicate"}
    assert await statuses(drive) == {
        **{delivery_id: "delivered" for delivery_id in report.proofs},
        **{delivery_id: "returned" for delivery_id in report.failed},
    }
    assert (len(report.proofs), len(report.failed)) == (2, 1)
    [route] = await drive.tenant.get("/api/v1/warehouse/routes")
    assert route["status"] == "completed"
    kept = await drive.tenant.get("/api/v1/warehouse/deliveries")
    assert {
        row["id"]: row["photo_sha256"] or row["signature_sha256"] for row in kept if row["id"] in report.proofs
    } == (report.proofs)
    movements = await drive.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    assert [row["quantity"] for row in movements if row["movement_type"] == "outbound"] == ["-4.000"] * 2


class Tunnel:
    """Signal for the first looks, then none for many, then again."""

    def __init__(self, *, before: int, length: int) -> None:
        self._left = before
        self._length = length

    def there(self, now_ms: int, at: tuple[float, float] | None) -> bool:
        self._left -= 1
        return self._left >= 0 or self._left < -self._length


@ALONE_MOSTLY_POSTGRES
async def test_a_whole_route_in_a_tunnel_is_there_when_the_van_comes_out(platform: Platform) -> None:
    drive = await make_drive(platform, doors=2)
    await platform.deliver()
    async with served(platform) as url:
        report = await driver_of(url, drive, signal=Tunnel(before=2, length=12), skew_s=-5400.0).drive()
    assert report.finished
    assert (len(report.proofs), report.disputed) == (2, [])
    assert set((await statuses(drive)).values()) == {"delivered"}


@ALONE_MOSTLY_POSTGRES
async def test_a_phone_whose_key_is_revoked_seals_again_and_does_nothing_twice(platform: Platform) -> None:
    drive = await make_drive(platform, doors=2)
    await platform.deliver()
    async with served(platform) as url:
        driver = driver_of(url, drive)
        assert await driver.sync()
        revoked = await drive.driver.client.delete(f"/api/v1/mobile/keys/{driver.book.fact('key_id')}")
        assert revoked.status_code == 204
        report = await driver.drive()
    assert (report.finished, report.disputed) == (True, [])
    assert set((await statuses(drive)).values()) == {"delivered"}
    keys = await drive.driver.get("/api/v1/mobile/keys")
    assert sorted(key["revoked_at"] is None for key in keys) == [False, True]


@pytest.mark.long
async def test_a_van_that_breaks_down_keeps_its_stop_open_until_somebody_takes_it(platform: Platform) -> None:
    drive = await make_drive(platform, doors=1)
    await platform.deliver()
    async with served(platform) as url:
        report = await driver_of(url, drive, plan_for=lambda _stop: Outcome("breakdown"), tries=3).drive()
    assert [code for _, _, code, _ in report.disputed] == ["STOPS_OPEN"]
    assert report.proofs == report.failed == {}
    assert set((await statuses(drive)).values()) == {"out_for_delivery"}


KEEPS_AND_DIES = """
import os, signal, sys
from device_sims.phone.logbook import Logbook
book = Logbook(sys.argv[1])
for number in range(1, 6):
    book.append("note", id=f"{number:032x}", target=None, at="2026-01-31T08:00:00Z", payload={"text": "x"})
    print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_the_app_has_said_is_done_is_there_after_the_phone_died(tmp_path: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", KEEPS_AND_DIES, str(tmp_path / "log.db")], capture_output=True, text=True, check=False
    )
    assert died.returncode == -signal.SIGKILL
    book = Logbook(tmp_path / "log.db")
    assert [entry.number for entry in book.unsettled()] == [int(number) for number in died.stdout.split()]
    last = book.entries()[-1]
    assert book.append("note", id="6" * 32, target=None, at=last.at, payload={}) == 6
    assert book.entries()[-1].previous_hash == last.hash
    book.close()


def test_what_is_sealed_again_has_the_same_ids_and_builds_on_the_same() -> None:
    book = Logbook(":memory:")
    for number, builds_on in ((1, list[int]()), (2, [1]), (3, [1, 2])):
        book.append("note", id=f"{number:032x}", target="a", at="2026-01-31T08:00:00Z", payload={}, after=builds_on)
    book.hear([{"number": 1, "result": "applied", "code": "", "message": ""}])
    book.hear([{"number": 1, "result": "waiting", "code": "", "message": ""}])
    key, before = book.key.public_key, book.unsettled()
    book.seal_again()
    assert book.key.public_key != key
    after = book.entries()
    assert [(one.number, one.id) for one in after] == [(1, before[0].id), (2, before[1].id)]
    assert [json.loads(one.command)["after"] for one in after] == [[], [1]], "what is settled is not waited for"
    assert after[0].previous_hash == book.key.first_hash
    book.close()


def test_dead_stretches_are_the_same_for_the_same_seed_and_take_their_share() -> None:
    looks = range(0, 40 * 3_600_000, 30_000)
    seen = [
        [zones.there(now_ms, None) for now_ms in looks] for zones in (DeadZones(5, share=0.4), DeadZones(5, share=0.4))
    ]
    assert seen[0] == seen[1]
    assert 0.2 < seen[0].count(False) / len(looks) < 0.6
    assert all(DeadZones(5, share=0).there(now_ms, None) for now_ms in looks)
    basement = DeadZones(5, share=0, places=((12.93, 77.61, 100.0),))
    assert [basement.there(0, at) for at in ((12.93, 77.61), (12.94, 77.61))] == [False, True]
    with pytest.raises(ValueError, match="share of 1"):
        DeadZones(5, share=1)
