"""The farm of a simulated day: a store full of goods, vans with sensors and drivers, customers with orders."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from device_sims.fcm import FcmDouble
from device_sims.phone import DeadZones, Driver, Outcome, Stop
from device_sims.phone.syncing import Chaos
from device_sims.twilio import TwilioDouble
from device_sims.virtual_clock import VirtualClock
from tests.factories.batches import make_batch, make_epoch, make_reading
from tests.factories.farms import plant_gateway, plant_sensor
from tests.factories.orders import STORE, day_in, make_driver, receive_lot
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.flows.day.scenario import Door, Scenario
from tests.platform_under_test import PASSWORD, Platform, Tenant

COOL_C, WARM_C = 3.5, 13.0
_CODE = re.compile(r"\b\d{6}\b")


@dataclass
class Van:
    """A van, its driver and its sensor."""

    number: int
    id: str
    location_id: str
    driver: Tenant
    #: of the box that hears its sensor
    gateway_token: str
    sensor: str
    epoch: str
    said: int = 0
    #: delivery -> the hash that the phone believes to be its proof
    proofs: dict[str, str] = field(default_factory=dict)


@dataclass
class Farm:
    """What there is in the morning."""

    platform: Platform
    scenario: Scenario
    clock: VirtualClock
    sms: TwilioDouble
    fcm: FcmDouble
    warehouse_id: str
    room_id: str
    dock_id: str
    product_ids: Sequence[str]
    vans: Sequence[Van]
    departs_at: datetime
    day: str
    #: order -> who ordered it
    doors: dict[str, Door] = field(default_factory=dict)
    is_over: bool = False

    @property
    def now(self) -> datetime:
        """The world's time."""
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)

    @property
    def tenant(self) -> Tenant:
        """The organisation's administrator."""
        return self.platform.tenant

    async def sign_in(self) -> None:
        """The administrator signs in again: a token is good for an hour."""
        login = {"login": self.tenant.username, "password": PASSWORD}
        answer = await self.tenant.client.post("/api/v1/auth/login", json=login)
        self.tenant.client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"

    async def take_order(self, door: Door) -> str:
        """Somebody orders; the store promises and packs it. The order's id."""
        number = len(self.doors)
        address = {"address": f"{number} Market Road", "latitude": door.latitude, "longitude": door.longitude}
        customer = {"name": door.name, "phone": door.phone, "addresses": [address]}
        customer_id = (await self.tenant.post("/api/v1/customers", customer))["id"]
        lines = [
            {"product_id": self.product_ids[product], "quantity": quantity, "unit_price": "42.5000"}
            for product, quantity in door.lines
        ]
        order = await self.tenant.post(
            "/api/v1/orders",
            {
                "customer_id": customer_id,
                "warehouse_id": self.warehouse_id,
                "delivery_date": self.day,
                "window_from": f"{door.opens_h:02d}:00:00",
                "window_until": f"{door.closes_h:02d}:00:00",
                "payment_method": "cod" if door.pays_cash else "account",
                "lines": lines,
            },
        )
        self.doors[order["id"]] = door
        await self.tenant.post(f"/api/v1/orders/{order['id']}/confirm")
        await self.tenant.post(f"/api/v1/orders/{order['id']}/pack")
        return str(order["id"])

    async def tell_temperature(self, van: Van, celsius: float) -> None:
        """The van's sensor says what it measures."""
        van.said += 1
        reading = make_reading(van.said, celsius, self.clock.now_ms(), sensor=van.sensor)
        async with self.platform.client(van.gateway_token) as client:
            batch = make_batch([reading], epoch=van.epoch)
            answer = await client.post("/api/v1/telemetry/readings", json=batch)
        assert answer.status_code == 200, answer.text

    def driver_of(self, van: Van, folder: Path) -> Driver:
        """The van's driver with a phone that works without signal."""
        scenario, transport = self.scenario, httpx2.ASGITransport(app=self.platform.app, raise_app_exceptions=False)
        began_ms = round(self.departs_at.timestamp() * 1000)

        def plan_for(stop: Stop) -> Outcome:
            stands_ms = scenario.breaks_down_min.get(van.number, 10**6) * 60_000 + began_ms
            if self.clock.now_ms() >= stands_ms:
                return Outcome(kind="breakdown")
            fate = self.doors[stop.order_id].fate
            if fate == "opens":
                return Outcome(signs=van.number % 3 == 0)
            return Outcome(kind="fail", reason="refused" if fate == "refuses" else "customer_absent")

        async def ask_code(stop: Stop) -> str | None:
            texts = [message.body for message in self.sms.messages(self.doors[stop.order_id].phone)]
            codes = [found.group() for text in texts if (found := _CODE.search(text)) is not None]
            return codes[-1] if codes else None

        return Driver(
            "http://coldfleet.test",
            van.driver.username,
            PASSWORD,
            clock=self.clock,
            seed=scenario.seed * 1000 + van.number,
            plan_for=plan_for,
            ask_code=ask_code,
            signal=DeadZones(scenario.seed + van.number, share=0.25, mean_s=900.0, places=tuple(scenario.dead_places)),
            chaos=Chaos(shuffle=0.2, repeat=0.2, cut=0.1, photos_late=0.2),
            log=folder / f"phone-{van.number}.db",
            speed_m_per_s=8.0,
            service_s=180.0,
            skew_s=(van.number - scenario.vans // 2) * 7.0,
            unload_location_id=self.dock_id,
            durable=False,
            transport=transport,
        )


async def plant(platform: Platform, scenario: Scenario, clock: VirtualClock, sms: TwilioDouble, fcm: FcmDouble) -> Farm:
    """Build it, with the orders of the day before taken and packed."""
    tenant = platform.tenant
    warehouse_id = await make_warehouse(tenant, **STORE)
    room_id = await make_room(tenant, warehouse_id)
    dock_id = await make_room(tenant, warehouse_id)
    product_ids = [await make_product(tenant) for _ in range(6)]
    for product_id in product_ids:
        for lot in range(2):
            await receive_lot(
                tenant,
                product_id=product_id,
                location_id=room_id,
                lot_number=f"LOT-{lot}",
                quantity="2000.000",
                expires_on=day_in(10 + lot),
            )
    registration = {"platform": "fcm", "registration": fcm.mint_phone().fid}
    await tenant.post("/api/v1/mobile/devices", registration)
    vans = [await _van(platform, number, fcm) for number in range(scenario.vans)]
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    farm = Farm(
        platform,
        scenario,
        clock,
        sms,
        fcm,
        warehouse_id,
        room_id,
        dock_id,
        product_ids,
        vans,
        now + timedelta(hours=1),
        day_in(0),
    )
    for door in scenario.doors:
        if door.orders_late_min is None:
            await farm.take_order(door)
    return farm


async def _van(platform: Platform, number: int, fcm: FcmDouble) -> Van:
    tenant = platform.tenant
    driver_id, driver = await make_driver(platform, tenant)
    await driver.post("/api/v1/mobile/devices", {"platform": "fcm", "registration": fcm.mint_phone().fid})
    new = {"number": f"KA-01-{uuid.uuid4().hex[:6].upper()}", "capacity_g": 600_000, "driver_id": driver_id}
    made: dict[str, Any] = await tenant.post("/api/v1/warehouse/fleet/vehicles", new)
    sensor = f"z2m:van-{number}"
    gateway_id, token = await plant_gateway(platform, tenant)
    await plant_sensor(platform, tenant, gateway_id, location_id=made["location_id"], code=sensor)
    limit = {
        "name": f"Van {number}",
        "location_id": made["location_id"],
        "kind": "high",
        "set_at": 8.0,
        "clear_at": 7.0,
        "duration_s": 300,
    }
    await tenant.post("/api/v1/alerts/rules", limit)
    return Van(number, made["id"], made["location_id"], driver, token, sensor, make_epoch())
