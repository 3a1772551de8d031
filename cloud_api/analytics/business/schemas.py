"""Figures for administrators, as they travel over HTTP. Money is in minor units of the organisation's currency."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from cloud_api.kernel.http import ResponseModel


class Step(ResponseModel):
    """One day, week or month; the first and the last of a period may be cut short."""

    first: date
    last: date


class Compared(ResponseModel):
    """A figure, and what it was in the period before."""

    value: int
    before: int
    #: by which share it grew; null: there was nothing before
    growth: float | None


class Told(ResponseModel):
    """What the figures are of."""

    first: date
    last: date
    #: with which days they are compared
    before_first: date
    before_last: date


class RevenueStep(Step):
    """What was earned."""

    #: orders delivered in it
    orders: int
    #: their totals
    gross_minor: int
    #: what was taken off delivered orders in it
    credited_minor: int
    #: gross less credited
    revenue_minor: int


class RevenueRead(Told):
    """What was earned, and how that grew."""

    currency: str
    revenue_minor: Compared
    gross_minor: Compared
    credited_minor: Compared
    orders: Compared
    steps: list[RevenueStep]


class OrderStep(Step):
    """Orders by when they were placed, and by when they were delivered."""

    placed: int
    #: of those placed in it, by now
    cancelled: int
    #: in it, whenever they were placed
    delivered: int


class StatusCount(ResponseModel):
    """Orders placed in the period that stand there now."""

    status: str
    orders: int


class CategoryCount(ResponseModel):
    """Goods of one category, in orders placed in the period."""

    #: null: products without one
    category_id: uuid.UUID | None
    category: str | None
    #: orders with at least one line of it
    orders: int
    lines: int
    amount_minor: int


class CityCount(ResponseModel):
    """Orders placed in the period that go to one city."""

    #: null: the door has no city, or is not known any more
    city: str | None
    orders: int
    #: the middle of its doors, degrees; null: none is known
    latitude: float | None
    longitude: float | None


class OrdersRead(Told):
    """How much was ordered, of what, and where it goes. Cancelled orders count as placed and nowhere else."""

    placed: Compared
    delivered: Compared
    cancelled: Compared
    steps: list[OrderStep]
    statuses: list[StatusCount]
    #: by amount, the most first
    categories: list[CategoryCount]
    #: the most orders first, fifty of them
    cities: list[CityCount]


class CustomerStep(Step):
    """Customers who ordered in it."""

    new: int
    returning: int


class CustomerSum(ResponseModel):
    """What one customer's delivered orders come to."""

    customer_id: uuid.UUID
    name: str
    orders: int
    gross_minor: int


class CustomersRead(Told):
    """Who ordered: new is whoever ordered for the first time ever, returning whoever had before."""

    currency: str
    active: Compared
    new: Compared
    returning: Compared
    steps: list[CustomerStep]
    #: the most first
    best: list[CustomerSum]


class ProductSum(ResponseModel):
    """What was delivered of one product."""

    product_id: uuid.UUID
    name: str
    sku: str
    unit: str
    orders: int
    quantity: Decimal
    amount_minor: int
    #: what the quantity costs at today's cost price; null: the product has none
    cost_minor: int | None
    #: (amount - cost) / amount; null: the cost is not known, or nothing was paid
    margin: float | None


class ProductsRead(Told):
    """What sold best, by amount."""

    currency: str
    amount_minor: int
    #: products of which anything was delivered
    products: int
    best: list[ProductSum]


class BusinessStep(Step):
    """The main figures side by side."""

    revenue_minor: int
    placed: int
    delivered: int
    customers: int


class BusinessRead(Told):
    """The main figures."""

    currency: str
    revenue_minor: Compared
    placed: Compared
    delivered: Compared
    customers: Compared
    #: gross of a delivered order, rounded half to even; 0 without any
    average_order_minor: Compared
    steps: list[BusinessStep]


class NewPeople(ResponseModel):
    """Accounts made in a month."""

    month: date
    people: int


class SurfaceShare(ResponseModel):
    """Requests to the API that came one way. A page of the console asks several times."""

    surface: str
    requests: int
    share: float


class StorageStep(Step):
    """What the files that are there now took at its end."""

    bytes: int
    files: int


class UsageRead(Told):
    """How the organisation uses the platform."""

    #: accounts that are active
    people: int
    #: of those, who signed in within so many days
    active_days: int
    active_people: int
    live_sessions: int
    #: of the last twelve months
    new_people: list[NewPeople]
    #: kept for ninety days; up to a minute ago
    requests: int
    surfaces: list[SurfaceShare]
    stored_bytes: int
    stored_files: int
    storage: list[StorageStep]


class SafetyPart(ResponseModel):
    """One part of the score."""

    #: second_factors, sign_ins, open_events, keys, passwords, accounts
    name: str
    #: of 100
    points: float
    most_points: int
    #: what was counted, of how many
    count: int
    of: int


class SeverityStep(Step):
    """Security events of a step, by severity."""

    low: int
    medium: int
    high: int
    critical: int


class ChangeRead(ResponseModel):
    """One of the last changes."""

    id: uuid.UUID
    occurred_at: datetime
    actor_kind: str
    actor_name: str
    action: str
    entity: str
    entity_id: str
    note: str


class SafetyRead(Told):
    """How safe the organisation's accounts are."""

    #: 0 to 100: the parts' points, rounded
    score: int
    #: security events of any age that nobody has closed
    threats: int
    #: of those, high and critical ones
    grave_threats: int
    parts: list[SafetyPart]
    events: Compared
    steps: list[SeverityStep]
    #: null: whoever asks may not read the audit trail
    changes: list[ChangeRead] | None
