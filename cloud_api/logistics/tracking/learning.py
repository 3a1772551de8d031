"""What past deliveries teach: how long a door takes, and how wrong expected arrivals are."""

import math
import statistics
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
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


async def learned_service_s(db: AsyncSession, customer_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How long a hand-over takes at each customer's door: from `arrived_at` to `delivered_at`, in seconds.

    The median of what the customer's latest deliveries took, drawn towards the organisation's own typical door as long
    as there are few, and that towards four minutes.
    """
    if not customer_ids:
        return {}
    measured = (
        select(CustomerOrder.customer_id, Delivery.arrived_at, Delivery.delivered_at)
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(
            Delivery.status == DeliveryStatus.DELIVERED,
            Delivery.arrived_at.is_not(None),
            Delivery.delivered_at > clock.now() - timedelta(days=_SERVICE_DAYS),
        )
        .order_by(Delivery.id.desc())
    )
    everybodys = [taken for _, taken in _taken((await db.execute(measured.limit(_TYPICAL_OF))).tuples())]
    typical_s = _drawn(everybodys, towards=SERVICE_S, worth=_ORGANIZATION_PRIOR)
    theirs: dict[uuid.UUID, list[float]] = defaultdict(list)
    rows = await db.execute(measured.where(CustomerOrder.customer_id.in_(customer_ids)))
    for customer_id, taken_s in _taken(rows.tuples()):
        if len(theirs[customer_id]) < _LATEST_OF_A_CUSTOMER:
            theirs[customer_id].append(taken_s)
    return {
        customer_id: round(_drawn(theirs.get(customer_id, []), towards=typical_s, worth=_CUSTOMER_PRIOR))
        for customer_id in customer_ids
    }


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


async def learned_spread(db: AsyncSession) -> Spread:
    """How late nine of ten arrivals of the last weeks were, by how many legs lay ahead when their time was told."""
    since = clock.now() - timedelta(days=_ERROR_DAYS)
    rows = await db.execute(
        select(EtaPromise.legs, EtaPromise.error_s)
        .where(EtaPromise.arrived_at > since, EtaPromise.error_s.is_not(None))
        .order_by(EtaPromise.arrived_at.desc())
        .limit(_ERROR_ROWS)
    )
    return spread_of([(legs, error_s) for legs, error_s in rows.tuples() if error_s is not None])


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
