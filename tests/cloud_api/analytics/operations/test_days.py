"""Days are those of the warehouse's clock: figures agree with what somebody counts who looks at every entry."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.stock import worth
from cloud_api.kernel import clock
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ANALYTICS = "/api/v1/warehouse/analytics"
#: over the last Sunday of October, when clocks are set back in Berlin
FIRST, LAST = date(2025, 10, 20), date(2025, 11, 2)
KINDS = ("inbound", "outbound", "waste", "adjustment")
ZONES = ("Asia/Kolkata", "Europe/Berlin", "Pacific/Auckland")
#: thousandths that lie there before all of it
BEFORE = 900_000


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger: in which zone, when, what, and thousandths of how dear a lot."""

    zone: str
    at: datetime
    kind: str
    quantity: int
    cost: int

    @property
    def day(self) -> date:
        return self.at.astimezone(ZoneInfo(self.zone)).date()


def entries(seed: int) -> list[Entry]:
    """Many, most of them near a midnight of some zone."""
    drawn, made = random.Random(seed), []
    for _ in range(120):
        zone, kind = drawn.choice(ZONES), drawn.choice(KINDS)
        day = FIRST - timedelta(days=2) + timedelta(days=drawn.randrange(18))
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(drawn.choice(ZONES)))
        at = midnight.astimezone(UTC) + timedelta(seconds=drawn.choice((-1, 0, 1, 5_400, 40_000)))
        sign = 1 if kind == "inbound" else -1
        made.append(Entry(zone, at, kind, sign * drawn.randrange(1, 7_000), drawn.choice((10_000, 25_000))))
    return made


async def keep(farm: Platform, its: Sequence[Entry]) -> dict[str, str]:
    """Write them straight into the ledger; zone -> its warehouse."""
    product_id = uuid.UUID(await make_product(farm.tenant))
    warehouses, rooms = {}, {}
    for zone in ZONES:
        warehouses[zone] = await make_warehouse(farm.tenant, timezone=zone)
        rooms[zone] = uuid.UUID(await make_room(farm.tenant, warehouses[zone]))
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for zone in ZONES:
            for cost in (10_000, 25_000):
                lot = Lot(product_id=product_id, lot_number=f"{zone} {cost}", unit_cost=cost, received_at=long_ago)
                db.add(lot)
                await db.flush()
                first = Entry(zone, long_ago, "opening", BEFORE, cost)
                own = [first, *(one for one in its if (one.zone, one.cost) == (zone, cost))]
                for one in own:
                    db.add(
                        StockMovement(
                            movement_type=one.kind,
                            product_id=product_id,
                            lot_id=lot.id,
                            location_id=rooms[zone],
                            quantity=Decimal(one.quantity).scaleb(-3),
                            effective_at=one.at,
                            recorded_at=clock.now(),
                        )
                    )
                left = Decimal(sum(one.quantity for one in own)).scaleb(-3)
                level = {"product_id": product_id, "lot_id": lot.id, "location_id": rooms[zone]}
                db.add(StockLevel(on_hand=left, **level))
    return warehouses


def amount(ten_millionths: int) -> Decimal:
    return Decimal(ten_millionths).scaleb(-7).quantize(Decimal("0.01"))


def sold(its: Sequence[Entry], day: date, kind: str, sign: int) -> Decimal:
    return amount(sum(sign * one.quantity * one.cost for one in its if one.day == day and one.kind == kind))


def lying(its: Sequence[Entry], day: date, zones: int) -> Decimal:
    before = zones * BEFORE * 35_000
    return amount(before + sum(one.quantity * one.cost for one in its if one.day <= day))


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_day_agrees_with_a_slow_count_in_every_zone(farm: Platform, seed: int) -> None:
    its = entries(seed)
    warehouses = await keep(farm, its)
    asked = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
    for zone in (None, *ZONES):
        own = [one for one in its if zone in (None, one.zone)]
        where = {} if zone is None else {"warehouse_id": warehouses[zone]}
        said = await farm.tenant.get(f"{ANALYTICS}/trends", **asked, **where)
        assert len(said["days"]) == 14
        for told in said["days"]:
            day = date.fromisoformat(told["day"])
            counted = {
                "stock": lying(own, day, 3 if zone is None else 1),
                "received": sold(own, day, "inbound", 1),
                "sold": sold(own, day, "outbound", -1),
                "wasted": sold(own, day, "waste", -1),
            }
            assert {name: Decimal(told[name]["cost"]) for name in counted} == counted, (zone, day)
        waste = await farm.tenant.get(f"{ANALYTICS}/waste", **asked, **where)
        in_days = [one for one in own if FIRST <= one.day <= LAST and one.kind == "waste"]
        assert Decimal(waste["total"]["cost"]) == amount(sum(-one.quantity * one.cost for one in in_days))
        assert Decimal(waste["total"]["quantity"]) == Decimal(sum(-one.quantity for one in in_days)).scaleb(-3)


async def test_a_value_that_goes_on_from_what_was_kept_is_that_of_the_whole_ledger(farm: Platform) -> None:
    its = [one for seed in (3, 4, 5) for one in entries(seed)]
    await keep(farm, its)
    report = "/api/v1/warehouse/stock/valuation"
    for late in (None, clock.now(), datetime(2025, 10, 22, 3, tzinfo=UTC), clock.now()):
        if late is not None:
            async with farm.database.unit_of_work(farm.tenant.organization) as db:
                first = (await db.scalars(select(StockMovement).limit(1))).one()
                about = {name: getattr(first, name) for name in ("product_id", "lot_id", "location_id")}
                gone = {"movement_type": "outbound", "quantity": Decimal("-1.500"), "recorded_at": clock.now()}
                db.add(StockMovement(effective_at=late, **gone, **about))
        for method in ("fifo", "average"):
            said = [await farm.tenant.get(report, method=method, **on) for on in ({}, {"on": "2025-10-25"}, {})]
            worth.forget()
            anew = [await farm.tenant.get(report, method=method, **on) for on in ({}, {"on": "2025-10-25"}, {})]
            assert said == anew, (late, method)
            await farm.tenant.get(report, method=method)
