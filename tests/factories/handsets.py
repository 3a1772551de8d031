"""Phones of drivers, as the tests of the log hold them in their hands: sealed by the reference client's own store."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cloud_api.kernel import clock
from device_sims.phone.logbook import Entry, Logbook
from tests.factories.orders import Depot, Drive, hire_driver, make_drive, upload
from tests.platform_under_test import Platform, Tenant

MOBILE = "/api/v1/mobile"


def a_photo(number: int = 0) -> bytes:
    """Nobody took it before, unless of the same number."""
    return b"\x89PNG\r\n\x1a\n" + f"door {number}".encode()


@dataclass
class Handset:
    """One driver's phone."""

    driver: Tenant
    book: Logbook = field(default_factory=lambda: Logbook(":memory:", durable=False))
    key_id: str = ""
    device_id: str = "phone-1"
    #: how far its clock is ahead
    ahead: timedelta = timedelta()

    async def register(self) -> Any:
        """Show its key."""
        user_id = (await self.driver.get("/api/v1/auth/me"))["id"]
        proof = self.book.key.possession(self.device_id, user_id)
        body = {"device_id": self.device_id, "public_key": self.book.key.public_key, "proof": proof}
        registered = await self.driver.post(f"{MOBILE}/keys", body)
        self.key_id = registered["id"]
        return registered

    def now(self) -> datetime:
        """By its own clock."""
        return clock.now() + self.ahead

    def tell(
        self,
        kind: str,
        target: str | None,
        payload: dict[str, Any] | None = None,
        *,
        after: Sequence[int] = (),
        ago_s: float = 0.0,
        id: str = "",
    ) -> int:
        """Seal what happened `ago_s` ago; its number."""
        at = (self.now() - timedelta(seconds=ago_s)).isoformat()
        return self.book.append(
            kind, id=id or str(uuid.uuid4()), target=target, at=at, payload=payload or {}, after=after
        )

    def entry(self, number: int) -> Entry:
        """As it is in the log."""
        [found] = self.book.entries("number = ?", number)
        return found

    def body(self, *numbers: int) -> dict[str, Any]:
        """A part of the log, as it travels."""
        entries = [self.entry(number).sealed() for number in numbers]
        return {"key_id": self.key_id, "sent_at": self.now().isoformat(), "entries": entries}

    async def send(self, *numbers: int) -> dict[int, tuple[str, str]]:
        """Send these; number -> (result, code) of all that is answered."""
        return results((await self.driver.post(f"{MOBILE}/sync", self.body(*numbers)))["results"])

    async def send_all(self) -> dict[int, tuple[str, str]]:
        """Send the whole log."""
        return await self.send(*(entry.number for entry in self.book.entries()))

    async def post(self, body: object) -> Any:
        """Send something else, that must be taken."""
        return await self.driver.post(f"{MOBILE}/sync", body)

    async def photograph(self, stop: Any, number: int = 0) -> str:
        """A picture that has arrived; its hash."""
        arrived = await upload(self.driver, stop["id"], a_photo(number))
        assert arrived.status_code == 201, arrived.text
        return hashlib.sha256(a_photo(number)).hexdigest()


def results(told: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """Number -> (result, code)."""
    return {one["number"]: (one["result"], one["code"]) for one in told}


def handed_over(sha256: str, **fields: Any) -> dict[str, Any]:
    """What a driver says at the door."""
    return {
        "photo_sha256": sha256,
        "recipient_name": "The cook",
        "cargo_temperature_c": 3.4,
        "latitude": 12.93,
        "longitude": 77.61,
        "delivered_at": clock.now().isoformat(),
        **fields,
    }


@dataclass(frozen=True)
class Day:
    """A driver's day: the route with its stops, and the phone."""

    drive: Drive
    route_id: str
    stops: Sequence[Any]
    phone: Handset

    @property
    def tenant(self) -> Tenant:
        return self.drive.tenant

    @property
    def depot(self) -> Depot:
        return Depot(self.tenant, self.drive.warehouse_id, self.drive.room_id, self.drive.product_id)

    def stop(self, number: int = 0) -> str:
        """A delivery's id."""
        return str(self.stops[number]["id"])

    async def delivery(self, number: int = 0) -> Any:
        """As the dispatcher sees it."""
        return await self.tenant.get(f"/api/v1/warehouse/deliveries/{self.stop(number)}")

    async def status(self, number: int = 0) -> str:
        return str((await self.delivery(number))["status"])

    async def order_status(self, number: int = 0) -> str:
        return str((await self.tenant.get(f"/api/v1/orders/{self.stops[number]['order_id']}"))["status"])


async def make_phone_day(farm: Platform, *, doors: int = 1) -> Day:
    """A planned route, and its driver's phone with a registered key."""
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=doors, tenant=farm.tenant, driver=driver)
    route = await drive.driver.get(f"{MOBILE}/routes/current")
    phone = Handset(drive.driver)
    await phone.register()
    return Day(drive, route["id"], route["deliveries"], phone)
