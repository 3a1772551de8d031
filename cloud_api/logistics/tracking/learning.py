"""What past deliveries teach: how long a door takes, and how wrong expected arrivals are."""

import math
import statistics
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Integer, Row, cast, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.deliveries.states import DeliveryStatus
from cloud_api.logistics.tracking.models import EtaPromise
from cloud_api.orders.book.models import CustomerOrder

#: at a door of which nothing is known
SERVICE_S = 240
#: shorter is a driver who confirmed both at once, longer one who forgot
_SERVICE_RANGE_S = (15.0, 3600.0)
_SERVICE_DAYS = 180
#: how many deliveries an assumption is worth: of the organisation's typical door, of one customer's
_ORGANIZATION_PRIOR, _CUSTOMER_PRIOR = 10, 3
_TYPICAL_OF = 500
_LATEST_OF_A_CUSTOMER = 30

_ERROR_DAYS, _ERROR_ROWS = 28, 1_000
_ERROR_PRIOR = 20
_SMALLEST_SPREAD_S = 60.0
#: legs ahead up to which errors are taken together
_LEGS = (1, 3, 7, 15)
#: parts of what is asked at once
_EVERYBODYS, _THEIRS, _ERRORS = range(3)


async def learned_service_s(db: AsyncSession, customer_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How long a hand-over takes at each customer's door: from `arrived_at` to `delivered_at`, in seconds.

    The median of what the customer's latest deliveries took, drawn towards the organisation's own typical door as long
    as there are few, and that towards four minutes.
    """
    return (await learned(db, customer_ids))[0] if customer_ids else {}


async def learned(db: AsyncSession, customer_ids: Collection[uuid.UUID]) -> tuple[Mapping[uuid.UUID, int], "Spread"]:
    """`learned_service_s`, and how late nine of ten arrivals of the last weeks were, by how many legs lay ahead when
    their time was told: in one query.
    """
    rows = (await db.execute(_experience(customer_ids))).all()
    spread = spread_of([(row.legs, row.error_s) for row in rows if row.which == _ERRORS])
    everybodys = [taken_s for _, taken_s in _taken(_doors(rows, _EVERYBODYS))]
    typical_s = _drawn(everybodys, towards=SERVICE_S, worth=_ORGANIZATION_PRIOR)
    theirs: dict[uuid.UUID, list[float]] = defaultdict(list)
    for customer_id, taken_s in _taken(_doors(rows, _THEIRS)):
        if len(theirs[customer_id]) < _LATEST_OF_A_CUSTOMER:
            theirs[customer_id].append(taken_s)
    service_s = {
        customer_id: round(_drawn(theirs.get(customer_id, []), towards=typical_s, worth=_CUSTOMER_PRIOR))
        for customer_id in customer_ids
    }
    return service_s, spread


def _experience(customer_ids: Collection[uuid.UUID]) -> CompoundSelect[Any]:
    """(which, delivery, customer, arrived, delivered, legs, error): the latest doors, those of these customers, and
    what was told wrongly.
    """
    now, nothing = clock.now(), cast(null(), Integer)
    doors = (
        select(
            Delivery.id, CustomerOrder.customer_id, Delivery.arrived_at, Delivery.delivered_at, nothing.label("legs"),
            nothing.label("error_s"),
        )
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(
            Delivery.status == DeliveryStatus.DELIVERED,
            Delivery.arrived_at.is_not(None),
            Delivery.delivered_at > now - timedelta(days=_SERVICE_DAYS),
        )
    )  # fmt: skip
    errors = (
        select(
            EtaPromise.delivery_id, cast(null(), CustomerOrder.customer_id.type), EtaPromise.arrived_at,
            EtaPromise.arrived_at, EtaPromise.legs, EtaPromise.error_s,
        )
        .where(EtaPromise.arrived_at > now - timedelta(days=_ERROR_DAYS), EtaPromise.error_s.is_not(None))
        .order_by(EtaPromise.arrived_at.desc())
        .limit(_ERROR_ROWS)
    )  # fmt: skip
    parts = {
        _EVERYBODYS: doors.order_by(Delivery.id.desc()).limit(_TYPICAL_OF),
        _THEIRS: doors.where(CustomerOrder.customer_id.in_(customer_ids)),
        _ERRORS: errors,
    }
    return union_all(*(select(literal(which, Integer).label("which"), its.subquery()) for which, its in parts.items()))


def _doors(rows: Sequence[Row[Any]], which: int) -> list[tuple[uuid.UUID, datetime | None, datetime | None]]:
    """(customer, arrived, delivered) of one part, newest first: the rows of a union come in no promised order."""
    its = sorted((row for row in rows if row.which == which), key=lambda row: row.id, reverse=True)
    return [(row.customer_id, row.arrived_at, row.delivered_at) for row in its]


def _taken(rows: Iterable[tuple[uuid.UUID, datetime | None, datetime | None]]) -> list[tuple[uuid.UUID, float]]:
    """Whose door took how long."""
    shortest, longest = _SERVICE_RANGE_S
    measured = [
        (customer_id, (delivered_at - arrived_at).total_seconds())
        for customer_id, arrived_at, delivered_at in rows
        if arrived_at is not None and delivered_at is not None
    ]
    return [(customer_id, taken_s) for customer_id, taken_s in measured if shortest <= taken_s <= longest]


def _drawn(taken_s: Sequence[float], *, towards: float, worth: int) -> float:
    """The median, with an assumption that is worth so many deliveries."""
    if not taken_s:
        return towards
    return (len(taken_s) * statistics.median(taken_s) + worth * towards) / (len(taken_s) + worth)


@dataclass(frozen=True, slots=True)
class Spread:
    """How much later than expected nine of ten arrivals are, by the legs that lie ahead."""

    #: what was measured: (up to so many legs, how many arrivals, their 90th percentile of lateness in seconds)
    measured: tuple[tuple[int, int, float], ...] = ()

    def late_s(self, legs: int) -> float:
        """Of a door so many legs ahead; never less than of a nearer one."""
        return max(self._at(fewer) for fewer in (*(bound for bound in _LEGS if bound < legs), legs))

    def _at(self, legs: int) -> float:
        # errors of the legs are independent enough to add up like steps of a random walk
        assumed_s = 180.0 + 180.0 * math.sqrt(max(1, legs))
        bucket = _bucket(legs)
        for bound, count, late_s in self.measured:
            if bound == bucket:
                weighed = (count * late_s + _ERROR_PRIOR * assumed_s) / (count + _ERROR_PRIOR)
                return max(_SMALLEST_SPREAD_S, weighed)
        return assumed_s


def _bucket(legs: int) -> int:
    return next((bound for bound in _LEGS if legs <= bound), _LEGS[-1] + 1)


def spread_of(errors: Collection[tuple[int, int]]) -> Spread:
    """The spread of (legs ahead, seconds later than told)."""
    late: dict[int, list[int]] = defaultdict(list)
    for legs, error_s in errors:
        late[_bucket(legs)].append(error_s)
    return Spread(tuple((bound, len(those), _ninetieth(those)) for bound, those in sorted(late.items())))


def _ninetieth(values: Sequence[int]) -> float:
    """The 90th percentile."""
    if len(values) == 1:
        return float(values[0])
    return float(statistics.quantiles(values, n=10, method="inclusive")[-1])
