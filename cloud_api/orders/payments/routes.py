"""`/api/v1/orders/{id}/payments`, `/api/v1/orders/payments/cash`, and what Razorpay tells."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import unlimited
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.visibility import OrdersToRead, OrdersToWrite
from cloud_api.orders.payments import cash, online, queries, service, webhooks
from cloud_api.orders.payments.dependencies import AttemptLooked, CheckoutPrepared, razorpay_of
from cloud_api.orders.payments.errors import PaymentFailed, PaymentMismatch, WebhookRefused
from cloud_api.orders.payments.models import CashHandover, CustomerPayment
from cloud_api.orders.payments.schemas import (
    CashRead,
    CheckoutRead,
    HandoverCreate,
    HandoverRead,
    OrderPaymentsRead,
    PaymentConfirm,
    PaymentCreate,
    PaymentRead,
    PaymentStarted,
    WebhookTaken,
)
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/orders", tags=["orders"], route_class=ApiRoute)
provider = APIRouter(prefix="/payments", tags=["payments"], route_class=ApiRoute)

_SIGNED = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "As Razorpay sends it, signed in `X-Razorpay-Signature`",
    }
}


@router.get("/payments/cash", response_model=list[CashRead], dependencies=[require("deliveries:write")])
async def list_cash(db: Db, seen: VisiblePlaces) -> list[CashRead]:
    """Who holds how much cash of which day, taken at doors and not handed over."""
    return await cash.held(db, seen=VisibleOrders(seen))


@router.post(
    "/payments/cash/handover",
    response_model=HandoverRead,
    status_code=201,
    dependencies=[require("deliveries:write")],
)
async def hand_over_cash(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: HandoverCreate
) -> CashHandover:
    """Take over a driver's cash, as it was counted; a difference needs its reason."""
    return await cash.hand_over(db, new=body, received_by=principal.id, seen=VisibleOrders(seen))


@router.get("/payments/cash/handovers", response_model=list[HandoverRead], dependencies=[require("deliveries:write")])
async def list_cash_handovers(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], driver_id: uuid.UUID | None = None
) -> Page[CashHandover]:
    """What was handed over, the newest first."""
    of_visible_orders = select(CustomerPayment.handover_id).where(
        CustomerPayment.order_id.in_(select(CustomerOrder.id).where(VisibleOrders(seen).orders()))
    )
    statement = queries.handovers(driver_id).where(CashHandover.id.in_(of_visible_orders))
    return await page(db, statement, CashHandover.id, query)


@router.get("/{id}/payments", response_model=OrderPaymentsRead, dependencies=[require("orders:read")])
async def get_order_payments(db: Db, seen: OrdersToRead, id: uuid.UUID) -> OrderPaymentsRead:
    """The money of an order: what came in, what went back, what is due."""
    return await _money(db, id, seen)


@router.post("/{id}/payments", response_model=PaymentStarted, status_code=201, dependencies=[require("orders:write")])
async def pay_order(
    request: Request,
    prepared: CheckoutPrepared,
    db: Db,
    principal: CurrentPrincipal,
    seen: OrdersToWrite,
    id: uuid.UUID,
    body: PaymentCreate,
) -> PaymentStarted:
    """Begin to pay online what is due, or record what was paid elsewhere. Begun twice, it is one checkout."""
    if body.kind == "recorded":
        if seen.buyer_id is not None:
            raise Forbidden("what was paid elsewhere is recorded by the store")
        paid = await service.record_payment(db, id, new=body, recorded_by=principal.id, seen=seen)
        return PaymentStarted(payment=PaymentRead.model_validate(paid), checkout=None)
    payment, waits = await online.finish(db, id, prepared, by=principal.id, seen=seen)
    order = await orders.get_order(db, id, seen=seen)
    checkout = CheckoutRead(
        provider="razorpay",
        key_id=razorpay_of(request).key_id,
        provider_order_id=payment.provider_order_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        name=order.customer_name,
        email=order.customer_email,
        phone=order.customer_phone,
    )
    return PaymentStarted(payment=PaymentRead.model_validate(payment), checkout=checkout if waits else None)


@router.post("/{id}/payments/confirm", response_model=OrderPaymentsRead, dependencies=[require("orders:write")])
async def confirm_payment(
    looked: AttemptLooked, db: Db, seen: OrdersToWrite, id: uuid.UUID, body: PaymentConfirm
) -> OrderPaymentsRead:
    """The customer's browser is back from Razorpay's page. Whether this or the webhook comes first is the same."""
    outcome = await online.book(db, looked.payment_id, looked.attempt)
    if outcome == "refused":
        raise PaymentMismatch("another sum was paid than was asked for: the store looks into it")
    if looked.attempt.status == "failed":
        raise PaymentFailed(f"the payment did not succeed: {looked.attempt.failure or 'try again'}")
    return await _money(db, id, seen)


@router.post("/{id}/payments/settle", response_model=OrderPaymentsRead, dependencies=[require("returns:refund")])
async def settle_order_payments(db: Db, places: VisiblePlaces, id: uuid.UUID) -> OrderPaymentsRead:
    """Give back what was paid too much, and try again what could not be given back. Twice is once."""
    seen = VisibleOrders(places)
    order = await orders.get_order(db, id, seen=seen)
    await service.settle(db, order.id, why="settled by hand")
    return await _money(db, id, seen)


@provider.post("/webhooks/razorpay", response_model=WebhookTaken, openapi_extra=_SIGNED)
@unlimited
async def take_razorpay_webhook(request: Request) -> WebhookTaken:
    """What Razorpay tells, in any order and any number of times.

    404 for a payment that is not known yet: Razorpay tells again. What does not fit is reported, and answered 200.
    """
    body = await request.body()
    if not razorpay_of(request).signed_webhook(body, request.headers.get("X-Razorpay-Signature", "")):
        raise WebhookRefused("Razorpay did not sign this")
    told = webhooks.read(body, request.headers.get("X-Razorpay-Event-Id", "")[:255])
    if told is None:
        return WebhookTaken(outcome="ignored")
    return WebhookTaken(outcome=await webhooks.take(request.app.state.database, told))


async def _money(db: Db, order_id: uuid.UUID, seen: VisibleOrders) -> OrderPaymentsRead:
    order = await orders.get_order(db, order_id, seen=seen)
    sums = await queries.sums_of(db, order.id)
    return OrderPaymentsRead(
        currency=await service.currency_of(db),
        total_minor=order.total_minor,
        credited_minor=sums.credited,
        received_minor=sums.received,
        refunded_minor=sums.refunded,
        refunding_minor=sums.refunding,
        due_minor=await service.due_minor(db, order),
        payment_status=order.payment_status,
        payments=[PaymentRead.model_validate(one) for one in await service.payments_of(db, order.id, seen=seen)],
    )
