"""A phone that is always online: fetches the day's route, drives it, sends positions, and proves each delivery.

It speaks the platform's mobile API over HTTP, as an app would, and like an app on a bad line it cannot know whether a
command whose answer was lost arrived: with probability `repeat` it sends a command again. The platform must not mind.
"""

import hashlib
import json
import math
import random
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from device_sims.clock import WorldClock
from device_sims.phone.road import distance_m, photograph
from device_sims.phone.wire import PhoneProblem

SPEED_M_PER_S = 9.0
POSITION_EVERY_S = 60.0
SERVICE_TIME_S = 240.0


@dataclass
class DriveReport:
    """What the phone itself counted."""

    finished: bool = False
    route: str = ""
    positions: int = 0
    repeated: int = 0
    #: delivery number -> SHA-256 of the photo that was accepted with its proof
    proofs: dict[str, str] = field(default_factory=dict)


class Phone:
    """One driver's phone.

    Args:
        cargo_temperature_c: what the driver's thermometer reads in the product.
        repeat: probability with which a command is sent twice.
        broken_camera: every photo loses a byte on its way.
    """

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        *,
        clock: WorldClock,
        seed: int,
        cargo_temperature_c: float = 3.5,
        repeat: float = 0.3,
        broken_camera: bool = False,
        report: Path | None = None,
    ) -> None:
        self._credentials = {"login": login, "password": password}
        self._client = httpx2.AsyncClient(base_url=f"{url}/api/v1", timeout=20)
        self._clock = clock
        self._dice = random.Random(seed)  # noqa: S311 - a simulator's
        self._cargo_temperature_c = cargo_temperature_c
        self._repeat = repeat
        self._broken_camera = broken_camera
        self._report_path = report
        self.report = DriveReport()

    async def drive(self) -> DriveReport:
        """Drive the current route to its end.

        Raises:
            PhoneProblem: when the platform refuses a command.
            httpx2.HTTPError: when it cannot be reached.
        """
        async with self._client:
            route = await self._ask("GET", "/mobile/routes/current")
            self.report.route = route["number"]
            orders = {order["id"]: order for order in await self._ask("GET", f"/mobile/routes/{route['id']}/orders")}
            if route["status"] == "planned":
                await self._ask("POST", f"/mobile/routes/{route['id']}/start", {})
            here: tuple[float, float] | None = None
            for stop in route["deliveries"]:
                order = orders[stop["order_id"]]
                door = (order["latitude"], order["longitude"])
                await self._travel(stop, here or door, door)
                await self._deliver(stop, order, door)
                here = door
            await self._ask("POST", f"/mobile/routes/{route['id']}/complete", {})
        self.report.finished = True
        self._save()
        return self.report

    async def _travel(self, stop: dict[str, Any], start: tuple[float, float], door: tuple[float, float]) -> None:
        """Straight to the door, at a steady speed, telling the position on the way."""
        duration_s = distance_m(start, door) / SPEED_M_PER_S
        steps = max(1, math.ceil(duration_s / POSITION_EVERY_S))
        for step in range(1, steps + 1):
            await self._clock.sleep(duration_s / steps)
            share = step / steps
            at = tuple(a + (b - a) * share for a, b in zip(start, door, strict=True))
            body = {
                "recorded_at": self._now(),
                "latitude": at[0],
                "longitude": at[1],
                "speed_kmh": SPEED_M_PER_S * 3.6,
            }
            await self._ask("POST", f"/mobile/deliveries/{stop['id']}/location", body)
            self.report.positions += 1
            self._save()

    async def _deliver(self, stop: dict[str, Any], order: dict[str, Any], door: tuple[float, float]) -> None:
        await self._ask("PUT", f"/mobile/deliveries/{stop['id']}/status", {"status": "arrived"})
        await self._clock.sleep(SERVICE_TIME_S)
        photo = photograph(self._dice)
        sha256 = hashlib.sha256(photo).hexdigest()
        await self._upload(stop, photo, sha256)
        proof = {
            "photo_sha256": sha256,
            "recipient_name": order["customer_name"],
            "cargo_temperature_c": round(self._cargo_temperature_c + self._dice.uniform(-0.3, 0.3), 1),
            "latitude": door[0],
            "longitude": door[1],
            "delivered_at": self._now(),
        }
        await self._ask("POST", f"/mobile/deliveries/{stop['id']}/proof", proof)
        self.report.proofs[stop["number"]] = sha256
        self._save()

    async def _upload(self, stop: dict[str, Any], photo: bytes, sha256: str) -> None:
        headers = {"Content-Type": "image/png", "X-Content-SHA256": sha256}
        sent = photo[:-1] if self._broken_camera else photo
        await self._send("POST", f"/mobile/deliveries/{stop['id']}/photo", content=sent, headers=headers)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a command, now and then twice under the same key."""
        if body is None:
            return await self._send(method, path)
        headers = {"Idempotency-Key": self._dice.randbytes(16).hex()}
        data = await self._send(method, path, json=body, headers=headers)
        if self._dice.random() < self._repeat:
            data = await self._send(method, path, json=body, headers=headers)
            self.report.repeated += 1
        return data

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._client.request(method, path, **options)
        if answer.status_code == 401:
            await self._sign_in()
            answer = await self._client.request(method, path, **options)
        if not answer.is_success:
            raise PhoneProblem(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()["data"] if answer.content else None

    async def _sign_in(self) -> None:
        answer = await self._client.post("/auth/login", json=self._credentials)
        if not answer.is_success:
            raise PhoneProblem(f"signing in answered {answer.status_code}: {answer.text}")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).isoformat()

    def _save(self) -> None:
        if self._report_path is not None:
            fresh = self._report_path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(self.report)), encoding="utf-8")
            fresh.replace(self._report_path)
