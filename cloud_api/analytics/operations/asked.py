"""What somebody asks about: which days, which warehouses; a day is the calendar's of the warehouse it happened in."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, case, cast, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.periods import LONGEST_DAYS, check_days, midnight
from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.reservations.queries import is_postgresql
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.places.models import Warehouse
from cloud_api.places.queries import Visible
from cloud_api.telemetry.zones import zone_called

USUAL_DAYS = 30
_Column = Any


@dataclass(frozen=True)
class Zones:
    """By which clock a day is counted: the organisation's, but for warehouses that have one of their own."""

    usual: ZoneInfo
    own: Mapping[uuid.UUID, ZoneInfo]

    def of(self, warehouse_id: uuid.UUID | None) -> ZoneInfo:
        """A warehouse's; of what is in none, the organisation's."""
        return self.usual if warehouse_id is None else self.own.get(warehouse_id, self.usual)

    def today(self, warehouse_id: uuid.UUID | None) -> date:
        """Which day it is there."""
        return clock.now().astimezone(self.of(warehouse_id)).date()


@dataclass(frozen=True)
class Asked:
    """Days, both included, and warehouses."""

    first: date
    last: date
    #: None: all that may be seen, and what is in none
    warehouse_id: uuid.UUID | None
    seen: Visible
    zones: Zones

    @property
    def days(self) -> list[date]:
        """Each of them."""
        return [self.first + timedelta(days=ahead) for ahead in range((self.last - self.first).days + 1)]

    def begins(self, zone: ZoneInfo) -> datetime:
        """When the first day begins by a clock."""
        return midnight(self.first, zone)

    def ends(self, zone: ZoneInfo) -> datetime:
        """When the last day is over by a clock."""
        return midnight(self.last + timedelta(days=1), zone)

    def here(self, warehouse: _Column) -> ColumnElement[bool]:
        """Whether the warehouse that a column names is asked about, and may be seen."""
        shown = self.seen.warehouses(warehouse)
        return shown if self.warehouse_id is None else and_(shown, warehouse == self.warehouse_id)

    def happened(self, at: _Column, warehouse: _Column, *, until_now: bool = False) -> ColumnElement[bool]:
        """Whether a moment lies in the days, by the clock of the warehouse that a column names.

        Args:
            until_now: whatever came after the last day too.
        """
        spans = [(who, self.begins(zone), self.ends(zone)) for who, zone in self._clocks(warehouse)]
        # what an index can be read by
        widest = [at >= min(begin for _, begin, _ in spans)]
        if not until_now:
            widest.append(at < max(end for _, _, end in spans))
        if len(spans) == 1:
            return and_(*widest)
        told = [and_(who, at >= begin) if until_now else and_(who, at >= begin, at < end) for who, begin, end in spans]
        return and_(*widest, or_(*told))

    def day_of(self, db: AsyncSession, at: _Column, warehouse: _Column) -> ColumnElement[date]:
        """The day of a moment, by the clock of the warehouse that a column names."""
        clocks = self._clocks(warehouse)
        days = [(who, self._day_by(db, at, zone)) for who, zone in clocks]
        return days[0][1] if len(days) == 1 else case(*days[1:], else_=days[0][1])

    def _clocks(self, warehouse: _Column) -> list[tuple[ColumnElement[bool], ZoneInfo]]:
        """Which warehouses have which clock; the organisation's first."""
        if self.warehouse_id is not None:
            return [(true(), self.zones.of(self.warehouse_id))]
        its = dict[ZoneInfo, list[uuid.UUID]]()
        for warehouse_id, zone in self.zones.own.items():
            its.setdefault(zone, []).append(warehouse_id)
        if not its:
            return [(true(), self.zones.usual)]
        usual = or_(warehouse.is_(None), warehouse.not_in(list(self.zones.own)))
        return [(usual, self.zones.usual), *((warehouse.in_(ids), zone) for zone, ids in its.items())]

    def _day_by(self, db: AsyncSession, at: _Column, zone: ZoneInfo) -> ColumnElement[date]:
        until = max(self.ends(zone), clock.now() + timedelta(days=1))
        stretches = zone_called(zone.key).stretches(clock.to_ms(self.begins(zone)), clock.to_ms(until))
        days = [(at < clock.from_ms(end_ms), _shifted(db, at, offset_ms)) for _, end_ms, offset_ms in stretches]
        return days[0][1] if len(days) == 1 else case(*days[:-1], else_=days[-1][1])


async def asked_about(
    db: AsyncSession, *, seen: Visible, first: date | None, last: date | None, warehouse_id: uuid.UUID | None
) -> Asked:
    """What somebody asks about; the last thirty days and today, unless days are named.

    Raises:
        NotFound: when the warehouse is not there to be seen.
        Invalid: when the days are none, or more than a year.
    """
    if warehouse_id is not None:
        await places.get_warehouse(db, warehouse_id, seen=seen)
    zones = await _zones(db)
    last = last or zones.today(warehouse_id)
    check_days(last, last, most=LONGEST_DAYS)
    first = first or last - timedelta(days=USUAL_DAYS - 1)
    check_days(first, last, most=LONGEST_DAYS)
    return Asked(first, last, warehouse_id, seen, zones)


async def _zones(db: AsyncSession) -> Zones:
    usual = await organizations.zone(db)
    its = await db.execute(select(Warehouse.id, Warehouse.timezone).where(Warehouse.timezone.is_not(None)))
    own = {warehouse_id: ZoneInfo(name) for warehouse_id, name in its.tuples() if name is not None}
    return Zones(usual, {warehouse_id: zone for warehouse_id, zone in own.items() if zone != usual})


def _shifted(db: AsyncSession, at: _Column, ahead_ms: int) -> ColumnElement[date]:
    """The day of a moment by a clock that is so far ahead of UTC."""
    if is_postgresql(db):
        return cast(func.timezone("UTC", at) + literal(timedelta(milliseconds=ahead_ms)), Date)
    return func.date(at, f"{ahead_ms // 1000:+d} seconds", type_=Date())
