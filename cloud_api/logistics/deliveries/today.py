"""A driver's day in one small answer: the route, and all that has to be known at each of its doors."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.logistics.deliveries import codes, lookup
from cloud_api.logistics.deliveries.door import masked
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.schemas import RouteRead, TodayLine, TodayRead, TodayStop
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.payments import service as payments

#: paid on a bill, later: nothing is taken at the door
_ON_A_BILL = "account"
_RUPEE = "INR"


async def today(db: AsyncSession, *, seen: VisibleRoutes) -> TodayRead | None:
    """The route under way, or the next one, with its doors in order; None when there is none. The same number of
    statements for one stop and for two hundred.
    """
    route = await lookup.next_route(db, seen=seen)
    if route is None:
        return None
    stops = await _told(db, await lookup.deliveries_of(db, route.id))
    return TodayRead(route=RouteRead.model_validate(route), stops=stops)


async def stops_of(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> list[TodayStop]:
    """These deliveries as their drivers see them, by key; those that are on no route are left out."""
    its = select(Delivery).where(Delivery.id.in_(delivery_ids), Delivery.route_id.is_not(None)).order_by(Delivery.id)
    return await _told(db, (await db.scalars(its)).all())


async def _told(db: AsyncSession, stops: Sequence[Delivery]) -> list[TodayStop]:
    its = await orders.orders_in_turn(db, [stop.order_id for stop in stops])
    lines = await _lines(db, [order.id for order in its])
    dues = await payments.dues_minor(db, its)
    with_code = await configuration.value(db, definitions.OTP_REQUIRED)
    payee = await configuration.value(db, definitions.UPI_ID)
    organization = await organizations.own(db)
    zone = ZoneInfo(organization.timezone)
    due = {order.id: 0 if order.payment_method == _ON_A_BILL else dues[order.id] for order in its}
    return [
        TodayStop(
            delivery_id=stop.id,
            order_id=order.id,
            order_number=order.number,
            sequence=stop.sequence or 0,
            attempt=stop.attempt,
            status=stop.status,
            planned_arrival_at=stop.planned_arrival_at or order.created_at,
            customer_name=order.customer_name,
            address=order.address,
            latitude=order.latitude,
            longitude=order.longitude,
            window_from=datetime.combine(order.delivery_date, order.window_from, zone).astimezone(UTC),
            window_until=datetime.combine(order.delivery_date, order.window_until, zone).astimezone(UTC),
            note=_note(order, stop),
            phone=masked(order.customer_phone),
            cash_due_minor=due[order.id],
            upi_link=_upi_link(payee, organization, order, due[order.id]),
            otp_needed=with_code and codes.can_be_reached(order) and stop.otp_status not in codes.PASSED,
            otp_status=stop.otp_status,
            lines=lines.get(order.id, []),
        )
        for stop, order in zip(stops, its, strict=True)
    ]


async def _lines(db: AsyncSession, order_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[TodayLine]]:
    """What is handed over of each order: what was packed, or else what was ordered."""
    rows = await db.execute(
        select(OrderLine, Product.name, Product.unit)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.id)
    )
    found: dict[uuid.UUID, list[TodayLine]] = {}
    for line, name, unit in rows.tuples():
        quantity = line.quantity if line.packed_quantity is None else line.packed_quantity
        found.setdefault(line.order_id, []).append(TodayLine(name=name, quantity=f"{quantity:.3f}", unit=unit))
    return found


def _upi_link(payee: str, organization: Organization, order: CustomerOrder, due_minor: int) -> str:
    """What a UPI app is asked to pay, as NPCI's linking specification writes it; UPI knows rupees only."""
    if not payee or not due_minor or organization.currency != _RUPEE:
        return ""
    asked = {
        "pa": payee,
        "pn": organization.name,
        "am": f"{due_minor // 100}.{due_minor % 100:02}",
        "cu": _RUPEE,
        "tn": order.number,
    }
    return f"upi://pay?{urlencode(asked, safe='@', quote_via=quote)}"


def _note(order: CustomerOrder, stop: Delivery) -> str:
    return " · ".join(note for note in (order.note, stop.note) if note)
