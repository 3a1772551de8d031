"""What customers are told about arrivals, what came of it, and how true it was."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import STAMPED
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.events import EtaMoved
from cloud_api.logistics.tracking.arrivals import etas
from cloud_api.logistics.tracking.eta import Eta
from cloud_api.logistics.tracking.models import DeliveryTrack, EtaPromise
from cloud_api.logistics.tracking.schemas import EtaErrorRead

#: a smaller change is not worth a message, and a second message does not follow sooner
WORTH_TELLING = timedelta(minutes=5)
_WEEK = timedelta(days=7)


async def locked_tracks(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, DeliveryTrack]:
    """What is known of these deliveries, locked in key order; begun where nothing is known yet."""
    if not delivery_ids:
        return {}
    organization_id = db.sync_session.info["scope"].organization_id
    its = select(DeliveryTrack).where(DeliveryTrack.delivery_id.in_(delivery_ids)).order_by(DeliveryTrack.delivery_id)
    its = its.execution_options(populate_existing=True)
    found = {track.delivery_id: track for track in await db.scalars(its.with_for_update())}
    missing = sorted(set(delivery_ids) - found.keys())
    if missing:
        insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
        rows = [{"id": new_id(), "organization_id": organization_id, "delivery_id": id} for id in missing]
        begun = insert(DeliveryTrack).values(rows).on_conflict_do_nothing()
        await db.execute(begun, execution_options={STAMPED: organization_id})
        its = its.where(DeliveryTrack.delivery_id.in_(missing))
        found |= {track.delivery_id: track for track in await db.scalars(its.with_for_update())}
    return found


async def promise_eta(db: AsyncSession, delivery_id: uuid.UUID) -> Eta | None:
    """When a delivery comes, as its customer is told now: written down, and compared with later.

    None: it is not on its way, or the van stands before the door.
    """
    route_id = await db.scalar(select(Delivery.route_id).where(Delivery.id == delivery_id))
    eta = None if route_id is None else (await etas(db, route_id)).get(delivery_id)
    if eta is not None:
        tracks = await locked_tracks(db, [delivery_id])
        _promise(db, tracks[delivery_id], eta, now=clock.now())
    return eta


async def tell_what_moved(db: AsyncSession, expected: Mapping[uuid.UUID, Eta]) -> int:
    """Write down what is expected for the first time; tell of what has moved by five minutes or more since it was told.

    Each delivery at most once in five minutes. Returns of how many was told.
    """
    now, told = clock.now(), 0
    for delivery_id, track in (await locked_tracks(db, expected.keys())).items():
        eta = expected[delivery_id]
        if track.told_at is None or track.told_p50_at is None:
            _promise(db, track, eta, now=now)
        elif abs(eta.p50_at - track.told_p50_at) >= WORTH_TELLING and now - track.told_at >= WORTH_TELLING:
            _promise(db, track, eta, now=now)
            outbox.emit(db, EtaMoved(delivery_id))
            told += 1
    return told


def _promise(db: AsyncSession, track: DeliveryTrack, eta: Eta, *, now: datetime) -> None:
    track.told_at, track.told_p50_at, track.told_p90_at = now, eta.p50_at, eta.p90_at
    db.add(
        EtaPromise(
            delivery_id=track.delivery_id,
            told_at=now,
            p50_at=eta.p50_at,
            band_s=round((eta.p90_at - eta.p50_at).total_seconds()),
            legs=eta.stops_before + 1,
        )
    )


async def settle(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> None:
    """Vans have arrived: what was told before is compared with it, in the order of keys. Again changes nothing."""
    arrived_at = func.coalesce(Delivery.arrived_at, Delivery.delivered_at)
    its = (
        select(EtaPromise, arrived_at)
        .join(Delivery, Delivery.id == EtaPromise.delivery_id)
        .where(EtaPromise.delivery_id.in_(delivery_ids), EtaPromise.arrived_at.is_(None))
        .where(EtaPromise.told_at <= arrived_at)
        .order_by(EtaPromise.id)
    )
    for promise, at in (await db.execute(its)).tuples():
        promise.arrived_at = at
        promise.error_s = round((at - promise.p50_at).total_seconds())


@dataclass(frozen=True, slots=True)
class _Week:
    monday: date
    begins_at: datetime


async def error_by_week(db: AsyncSession, *, weeks: int, seen: VisibleRoutes) -> Sequence[EtaErrorRead]:
    """How true what was told was, week by week, the present one first."""
    monday = await organizations.today(db)
    monday -= timedelta(days=monday.weekday())
    mondays = [monday - turn * _WEEK for turn in range(weeks)]
    listed = [_Week(monday, await organizations.instant(db, monday, time())) for monday in mondays]
    of_week = case(
        *((EtaPromise.arrived_at >= week.begins_at, turn) for turn, week in enumerate(listed)), else_=len(listed)
    )
    error, band_s = EtaPromise.error_s, EtaPromise.band_s
    rows = await db.execute(
        select(
            of_week,
            func.count(),
            func.sum(error),
            func.sum(func.abs(error)),
            func.sum(case((func.abs(error) <= band_s, 1), else_=0)),
            func.sum(case((error <= 0, 1), else_=0)),
            func.sum(case((error <= band_s, 1), else_=0)),
        )
        .join(Delivery, Delivery.id == EtaPromise.delivery_id)
        .where(seen.deliveries(), EtaPromise.arrived_at >= listed[-1].begins_at, error.is_not(None))
        .group_by(of_week)
    )
    sums = {turn: counted for turn, *counted in rows}
    return [_of_week(week, sums.get(turn)) for turn, week in enumerate(listed)]


def _of_week(week: _Week, sums: Sequence[int] | None) -> EtaErrorRead:
    """Count, errors, errors without their sign, within the band, before p50, before p90."""
    count, error_s, absolute_s, within, before_p50, before_p90 = (int(number) for number in sums or (0,) * 6)
    nobody = count == 0
    return EtaErrorRead(
        week=week.monday,
        promises=count,
        bias_s=None if nobody else round(error_s / count),
        mean_absolute_error_s=None if nobody else round(absolute_s / count),
        share_within_band=None if nobody else within / count,
        share_before_p50=None if nobody else before_p50 / count,
        share_before_p90=None if nobody else before_p90 / count,
    )
