"""Payments, as they travel over HTTP. Amounts are minor units of the organisation's currency."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel

#: beyond it somebody mistyped
_LARGEST_MINOR = 10**14
Amount = Annotated[int, Field(gt=0, le=_LARGEST_MINOR, examples=[18275])]
#: of Razorpay's orders, payments and signatures
ProviderText = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class PaymentOnline(RequestModel):
    """What is due is to be paid on the provider's page: by card, UPI, whatever it offers."""

    kind: Literal["online"]


class PaymentRecord(RequestModel):
    """What was paid elsewhere."""

    kind: Literal["recorded"]
    method: Literal["cash", "upi", "card", "bank_transfer", "cheque"]
    amount_minor: Amount
    #: the bank's number, the terminal's slip
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    #: now, when it is not said
    paid_at: AwareDatetime | None = None


PaymentCreate = Annotated[PaymentOnline | PaymentRecord, Field(discriminator="kind")]


class PaymentConfirm(RequestModel):
    """What the provider's page gave to the customer's browser."""

    razorpay_order_id: ProviderText
    razorpay_payment_id: ProviderText
    razorpay_signature: ProviderText


class PaymentRead(ResponseModel):
    """Money on its way in or out."""

    id: uuid.UUID
    number: str
    order_id: uuid.UUID
    delivery_id: uuid.UUID | None
    direction: Literal["in", "out"]
    method: str
    amount_minor: int
    currency: str
    status: str
    provider: str
    refund_of_id: uuid.UUID | None
    reference: str
    why: str
    failure: str
    taken_at: datetime | None
    created_at: datetime
    completed_at: datetime | None


class CheckoutRead(ResponseModel):
    """What the provider's page asks for, in a browser or a phone."""

    provider: Literal["razorpay"]
    #: the public half of the key
    key_id: str
    provider_order_id: str
    amount_minor: int
    currency: str
    #: filled in for the customer
    name: str
    email: str
    phone: str


class PaymentStarted(ResponseModel):
    """A payment, and how it is made when it waits for the customer."""

    payment: PaymentRead
    #: None: nothing is to be done
    checkout: CheckoutRead | None


class OrderPaymentsRead(ResponseModel):
    """The money of an order."""

    currency: str
    total_minor: int
    #: what it owes less, for what came back or was wrong
    credited_minor: int
    received_minor: int
    refunded_minor: int
    #: on its way back
    refunding_minor: int
    due_minor: int
    payment_status: str
    payments: list[PaymentRead]


class CashRead(ResponseModel):
    """What a driver holds of a day."""

    driver_id: uuid.UUID
    day: date
    payment_count: int
    amount_minor: int
    currency: str


class HandoverCreate(RequestModel):
    """A driver's cash, counted."""

    driver_id: uuid.UUID
    #: only what was taken through this day
    through: date | None = None
    #: what the list of cash said: refused when it is another sum by now
    expected_minor: Annotated[int, Field(ge=0, le=_LARGEST_MINOR)]
    counted_minor: Annotated[int, Field(ge=0, le=_LARGEST_MINOR)]
    #: of a difference
    reason: Annotated[str, Field(max_length=500)] = ""


class HandoverRead(ResponseModel):
    """A handover."""

    id: uuid.UUID
    number: str
    driver_id: uuid.UUID
    through: date | None
    payment_count: int
    expected_minor: int
    counted_minor: int
    difference_minor: int
    currency: str
    reason: str
    received_by: uuid.UUID
    received_at: datetime


class WebhookTaken(ResponseModel):
    """What became of what the provider told."""

    #: applied, known (it changed nothing), refused (it does not fit) or ignored (not for us)
    outcome: Literal["applied", "known", "refused", "ignored"]
