"""What may be done with lots, computed from what lies where: never stored, so never out of date."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations.models import Organization
from cloud_api.inventory.holds.models import HeldLevel, StockHold
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.kernel import clock
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible

STATUSES = ("available", "quarantine", "on_hold", "expired", "consumed")
_QUARANTINE = ("quarantine", "recall")


@dataclass(frozen=True)
class Calendar:
    """What day it is, where."""

    #: by the organisation's own time zone
    today: date
    #: by those of warehouses that have one of their own
    in_zone: Mapping[str, date]

    def at(self, zone: str | None) -> date:
        """The day in a warehouse of this time zone; None: in one without, or in none."""
        return self.today if zone is None else self.in_zone[zone]

    def before(self, day: ColumnElement[date], days: int = 0) -> ColumnElement[bool]:
        """Whether a day lies before so many days from today, by the calendar of the `Warehouse` of the statement."""
        margin = timedelta(days=days)
        return or_(
            and_(Warehouse.timezone.is_(None), day < self.today + margin),
            *(and_(Warehouse.timezone == zone, day < today + margin) for zone, today in sorted(self.in_zone.items())),
        )


async def calendar(db: AsyncSession) -> Calendar:
    """What day it is in every time zone that the organisation and its warehouses have."""
    rows = await db.execute(
        select(Organization.timezone, Warehouse.timezone)
        .outerjoin(Warehouse, Warehouse.organization_id == Organization.id)
        .distinct()
    )
    zones = rows.tuples().all()
    now = clock.now()
    days = {zone: now.astimezone(ZoneInfo(zone)).date() for pair in zones for zone in pair if zone is not None}
    return Calendar(days[zones[0][0]], {zone: days[zone] for _, zone in zones if zone is not None})


#: the last day on which what lies in a level may be sold; NULL: it keeps
keeps_until = func.coalesce(StockLevel.keeps_until, Lot.expires_on)


def lying(*conditions: ColumnElement[bool], seen: Visible = EVERYWHERE) -> ColumnElement[bool]:
    """Whether some of the statement's lot lies somewhere under these conditions on its level, place and warehouse."""
    return exists(
        select(StockLevel.id)
        .join(Location, Location.id == StockLevel.location_id)
        .outerjoin(Warehouse, Warehouse.id == Location.warehouse_id)
        .where(StockLevel.lot_id == Lot.id, StockLevel.on_hand > 0, seen.locations(StockLevel.location_id), *conditions)
        .correlate(Lot)
    )


def with_status(status: str, days: Calendar) -> ColumnElement[bool]:
    """Whether a lot has this status.

    available: some of it may be sold; else quarantine, on hold, expired: the first that keeps all of it from being
    sold; consumed: nothing is left.
    """
    fresh = or_(keeps_until.is_(None), ~days.before(keeps_until))
    available = lying(StockLevel.status == "available", fresh)
    quarantine = lying(
        StockLevel.id.in_(
            select(HeldLevel.stock_level_id)
            .join(StockHold, StockHold.id == HeldLevel.hold_id)
            .where(HeldLevel.released_at.is_(None), or_(StockHold.kind.in_(_QUARANTINE), _rejected_into_quarantine()))
        )
    )
    on_hold = lying(StockLevel.status == "on_hold")
    return {
        "available": available,
        "quarantine": and_(~available, quarantine),
        "on_hold": and_(~available, ~quarantine, on_hold),
        "expired": and_(lying(days.before(keeps_until)), ~available, ~on_hold),
        "consumed": ~lying(),
    }[status]


def _rejected_into_quarantine() -> ColumnElement[bool]:
    return HeldLevel.disposition == "quarantine"


@dataclass
class Standing:
    """How it stands with a lot."""

    on_hand: Decimal = Decimal("0.000")
    weight_g: int = 0
    status: str = "consumed"
    reasons: list[str] = field(default_factory=list)
    #: the earliest day that any of it keeps until, and how far off that is where it lies
    keeps_until: date | None = None
    days_left: int = 0


async def standing_of(
    db: AsyncSession, lots: Sequence[Lot], days: Calendar, *, seen: Visible = EVERYWHERE
) -> dict[uuid.UUID, Standing]:
    """How it stands with these lots, by their keys; quantities as far as somebody may see them."""
    rows = await db.execute(
        select(StockLevel, Warehouse.timezone, seen.locations(StockLevel.location_id), HeldLevel, StockHold)
        .join(Location, Location.id == StockLevel.location_id)
        .outerjoin(Warehouse, Warehouse.id == Location.warehouse_id)
        .outerjoin(HeldLevel, and_(HeldLevel.stock_level_id == StockLevel.id, HeldLevel.released_at.is_(None)))
        .outerjoin(StockHold, StockHold.id == HeldLevel.hold_id)
        .where(StockLevel.lot_id.in_([lot.id for lot in lots]), StockLevel.on_hand > 0)
        .order_by(StockLevel.id, StockHold.id)
    )
    lying_there = defaultdict[uuid.UUID, dict[uuid.UUID, _Lying]](dict)
    for level, zone, shown, held, why in rows:
        its = lying_there[level.lot_id].setdefault(level.id, _Lying(level, days.at(zone), bool(shown), []))
        if held is not None:
            quarantine = why.kind in _QUARANTINE or held.disposition == "quarantine"
            decided = f", rejected: {held.disposition}" if held.disposition else ""
            its.held.append((quarantine, f"{why.kind}: {why.reason}{decided}"))
    return {lot.id: _standing(lot, [*lying_there[lot.id].values()]) for lot in lots}


@dataclass(frozen=True)
class _Lying:
    """Some of a lot in a place."""

    level: StockLevel
    #: what day it is there
    today: date
    #: whether somebody may see it
    shown: bool
    #: (whether it is a quarantine, why) of each active hold
    held: list[tuple[bool, str]]


def _standing(lot: Lot, levels: Sequence[_Lying]) -> Standing:
    found = Standing()
    kinds, reasons = set[str](), dict[str, None]()
    for one in levels:
        level, today = one.level, one.today
        if one.shown:
            found.on_hand += level.on_hand
            found.weight_g += level.weight_g
        until = level.keeps_until or lot.expires_on
        if until is not None and (found.keeps_until is None or (until - today).days < found.days_left):
            found.keeps_until, found.days_left = until, (until - today).days
        expired = until is not None and until < today
        if expired:
            reasons[f"expired on {until}"] = None
        for quarantine, why in one.held:
            reasons[why] = None
            kinds.add("quarantine" if quarantine else "on_hold")
        if level.status == "on_hold":
            kinds.add("on_hold")
        else:
            kinds.add("expired" if expired else "available")
    found.status = next((status for status in STATUSES if status in kinds), "consumed")
    found.reasons = [*reasons] if levels else ["nothing of it is left"]
    return found
