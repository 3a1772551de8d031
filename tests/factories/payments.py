"""Orders that are paid online, through the double of Razorpay."""

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from cloud_api.kernel import clock
from cloud_api.orders.payments import service
from cloud_api.orders.payments.provider import Razorpay
from device_sims.razorpay import RazorpayDouble
from device_sims.razorpay_words import CameBack, Webhook
from tests.platform_under_test import Platform, Tenant

WEBHOOK = "/api/v1/payments/webhooks/razorpay"


@asynccontextmanager
async def account_at(platform: Platform, double: RazorpayDouble) -> AsyncIterator[Razorpay]:
    """The platform's account at the double."""
    razorpay = Razorpay(double.key_id, double.key_secret, double.webhook_secret, url=double.url)
    before, platform.app.state.razorpay = platform.app.state.razorpay, razorpay
    try:
        yield razorpay
    finally:
        platform.app.state.razorpay = before
        razorpay.close()


async def begin(tenant: Tenant, order_id: str) -> Any:
    """An online payment of what is due, waiting for the customer."""
    return await tenant.post(f"/api/v1/orders/{order_id}/payments", {"kind": "online"})


async def come_back(tenant: Tenant, order_id: str, paid: CameBack) -> Any:
    """The customer's browser is back from the page: the order's money."""
    return await tenant.post(f"/api/v1/orders/{order_id}/payments/confirm", paid.as_json())


async def tell(platform: Platform, webhooks: Iterable[Webhook]) -> list[tuple[int, str]]:
    """(status, outcome or error code) of each webhook."""
    heard = []
    async with platform.client() as anybody:
        for webhook in webhooks:
            answer = await anybody.post(WEBHOOK, content=webhook.body, headers=webhook.headers)
            said = answer.json()
            heard.append((answer.status_code, said["data"]["outcome"] if answer.is_success else said["error"]["code"]))
    return heard


async def money_of(tenant: Tenant, order_id: str) -> Any:
    """The money of an order."""
    return await tenant.get(f"/api/v1/orders/{order_id}/payments")


async def take(
    platform: Platform,
    tenant: Tenant,
    order_id: str,
    *,
    amount_minor: int,
    taken_by: str,
    method: str = "cash",
    reference: str = "note 1",
    delivery_id: uuid.UUID | None = None,
) -> str:
    """Money taken at the door; the payment's number."""
    async with platform.database.unit_of_work(tenant.organization) as db:
        payment = await service.take_at_door(
            db,
            uuid.UUID(order_id),
            amount_minor=amount_minor,
            method=method,
            reference=reference,
            taken_by=uuid.UUID(taken_by),
            taken_at=clock.now(),
            delivery_id=delivery_id or uuid.uuid4(),
        )
        return payment.number
