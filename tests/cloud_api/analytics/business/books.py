"""Orders, credits and files of any day, written straight into the database."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import update

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel.money import amount_minor
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.payments.models import OrderCredit
from tests.platform_under_test import Platform, Tenant

FIGURES = "/api/v1/admin/analytics"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Sold:
    """One line: so much of a product, for ten-thousandths a unit."""

    product_id: str
    quantity: Decimal = Decimal(1)
    unit_price: int = 100_0000
    packed: Decimal | None = None

    @property
    def amount_minor(self) -> int:
        return amount_minor(self.unit_price, to_thousandths(self.quantity if self.packed is None else self.packed))


@dataclass(frozen=True)
class Sale:
    """One order."""

    customer_id: str
    warehouse_id: str
    created_at: datetime
    delivered_at: datetime | None = None
    status: str = ""
    lines: tuple[Sold, ...] = ()
    address_id: str | None = None
    #: (when, how much)
    credits: tuple[tuple[datetime, int], ...] = field(default=())

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)


async def write(platform: Platform, tenant: Tenant, *sales: Sale) -> None:
    """Keep orders in the books, as they would have been by now."""
    async with platform.database.unit_of_work(tenant.organization) as db:
        for sale in sales:
            number = next(_numbers)
            order = CustomerOrder(
                number=f"SO-B-{number}",
                customer_id=uuid.UUID(sale.customer_id),
                warehouse_id=uuid.UUID(sale.warehouse_id),
                customer_name="Kitchen",
                address="Door",
                address_id=None if sale.address_id is None else uuid.UUID(sale.address_id),
                latitude=12.9,
                longitude=77.6,
                delivery_date=sale.created_at.date() + timedelta(days=1),
                window_from=time(8),
                window_until=time(18),
                status=sale.status or ("delivered" if sale.delivered_at else "pending"),
                total_minor=sale.total_minor,
                created_at=sale.created_at,
                delivered_at=sale.delivered_at,
            )
            db.add(order)
            await db.flush()
            for line in sale.lines:
                db.add(
                    OrderLine(
                        order_id=order.id,
                        product_id=uuid.UUID(line.product_id),
                        quantity=line.quantity,
                        packed_quantity=line.packed,
                        unit_price=line.unit_price,
                    )
                )
            for at, amount in sale.credits:
                source = f"return:{next(_numbers)}"
                db.add(OrderCredit(order_id=order.id, amount_minor=amount, why="warm", source=source, created_at=at))


async def live_in(platform: Platform, tenant: Tenant, zone: str) -> None:
    """Move an organisation to another time zone."""
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        its = update(Organization).where(Organization.id == tenant.organization.organization_id)
        await db.execute(its.values(timezone=zone))
