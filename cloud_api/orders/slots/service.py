"""The verbs of delivery windows.

A warehouse that has windows delivers in them and in no others, each to so many orders a day. Whoever takes one locks
its row: of two who want the last place one gets it. A unit of work takes one window, so nobody waits for two.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import NotFound
from cloud_api.orders.slots.errors import BadSlot, NoSuchSlot, SlotExists, SlotFull
from cloud_api.orders.slots.models import DeliverySlot, SlotBooking
from cloud_api.orders.slots.queries import taken_since
from cloud_api.orders.slots.schemas import BookedDayRead, SlotBookedRead, SlotCreate, SlotRead, SlotUpdate
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: how far ahead a refusal looks for another window
_AHEAD_DAYS = 14


async def take(
    db: AsyncSession,
    *,
    warehouse_id: uuid.UUID,
    day: date,
    window_from: time,
    window_until: time,
    order_id: uuid.UUID,
) -> None:
    """Give an order its place in a window, and the one that it had before to others.

    Where the warehouse has no windows, orders name their own, and nothing is taken.

    Raises:
        NoSuchSlot: when the warehouse has windows, and this is none of that day.
        SlotFull: naming the next that is not.
    """
    slots = await _active(db, warehouse_id)
    if not slots:
        await free(db, order_id)
        return
    offered = _of_day(slots, day)
    its = (slot for slot in offered if (slot.window_from, slot.window_until) == (window_from, window_until))
    wanted = next(its, None)
    if wanted is None:
        windows = ", ".join(map(_window, offered)) or "none"
        raise NoSuchSlot(
            f"{window_from:%H:%M}-{window_until:%H:%M} is no window of {day}: there are {windows}; "
            "choose one of them, or another day",
            field="window_from",
        )
    locked = select(DeliverySlot).where(DeliverySlot.id == wanted.id).with_for_update()
    slot = (await db.scalars(locked.execution_options(populate_existing=True))).one()
    booking = await _booking(db, order_id)
    if booking is not None and (booking.slot_id, booking.day) == (slot.id, day):
        return
    if await _taken(db, slot.id, day) >= slot.capacity or not slot.is_active:
        raise SlotFull(
            f"{_window(slot)} on {day} is taken by as many orders as it can be: "
            f"{await _next_free(db, slots, day, window_from)}",
            field="window_from",
        )
    if booking is None:
        db.add(SlotBooking(slot_id=slot.id, day=day, order_id=order_id))
    else:
        booking.slot_id, booking.day = slot.id, day
    await db.flush()


async def free(db: AsyncSession, order_id: uuid.UUID) -> None:
    """Give an order's place to others; of one that has none, nothing."""
    booking = await _booking(db, order_id)
    if booking is not None:
        await db.delete(booking)
        await db.flush()


async def create_slot(db: AsyncSession, *, new: SlotCreate, seen: Visible = EVERYWHERE) -> DeliverySlot:
    """Offer a window.

    Raises:
        NotFound: when the warehouse is not to be seen.
        BadSlot: when it ends before it begins, or names neither days of the week nor a day, or both.
        SlotExists: when the warehouse offers it on such a day already.
    """
    await places.get_warehouse(db, new.warehouse_id, seen=seen)
    if new.window_from >= new.window_until:
        raise BadSlot("window_from must lie before window_until", field="window_from")
    if bool(new.weekdays) == (new.day is not None):
        raise BadSlot("name days of the week, or one day, and not both", field="weekdays")
    slot = DeliverySlot(
        warehouse_id=new.warehouse_id,
        weekdays=_bits(new.weekdays),
        day=new.day,
        window_from=new.window_from,
        window_until=new.window_until,
        capacity=new.capacity,
        created_at=clock.now(),
    )
    _refuse_another(slot, await _active(db, new.warehouse_id))
    db.add(slot)
    await db.flush()
    return slot


async def update_slot(
    db: AsyncSession, slot_id: uuid.UUID, *, changes: SlotUpdate, seen: Visible = EVERYWHERE
) -> DeliverySlot:
    """Change how many orders a window takes, on which days of the week, or whether it is offered at all.

    Orders that took it keep their place, also when it takes fewer now than they are.

    Raises:
        NotFound: when there is none to be seen.
        StaleVersion: when `changes` was made of another version than there is now.
        BadSlot: when days of the week are named for a window of one day.
        SlotExists: when the warehouse offers it on such a day already.
    """
    slot = await get_slot(db, slot_id, seen=seen, locked=True)
    await versions.count(db, slot, seen=changes.version, what=f"window {_window(slot)}")
    if changes.weekdays is not None:
        if slot.day is not None:
            raise BadSlot(f"this window is one of {slot.day} only: leave weekdays out", field="weekdays")
        slot.weekdays = _bits(changes.weekdays)
    slot.capacity = slot.capacity if changes.capacity is None else changes.capacity
    slot.is_active = slot.is_active if changes.is_active is None else changes.is_active
    if slot.is_active:
        _refuse_another(slot, await _active(db, slot.warehouse_id))
    await db.flush()
    return slot


async def withdraw_slot(db: AsyncSession, slot_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Offer a window no more; orders that took it keep it.

    Raises:
        NotFound: when there is none to be seen.
    """
    slot = await get_slot(db, slot_id, seen=seen, locked=True)
    await versions.count(db, slot, seen=None, what=f"window {_window(slot)}")
    slot.is_active = False


async def get_slot(
    db: AsyncSession, slot_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> DeliverySlot:
    """One window; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(DeliverySlot).where(DeliverySlot.id == slot_id, seen.warehouses(DeliverySlot.warehouse_id))
    slot = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if slot is None:
        raise NotFound(f"no delivery slot with id {slot_id}", field="id")
    return slot


async def read_slots(db: AsyncSession, slots: Sequence[DeliverySlot], *, day: date | None = None) -> list[SlotRead]:
    """Windows as people see them, with what is left of each on a day."""
    taken: dict[uuid.UUID, int] = {}
    if day is not None:
        rows = await db.execute(taken_since(day, [slot.id for slot in slots]).where(SlotBooking.day == day))
        taken = {slot_id: orders for slot_id, _, orders in rows}
    return [_read(slot, None if day is None else taken.get(slot.id, 0)) for slot in slots]


async def read_booked(db: AsyncSession, slot: DeliverySlot) -> SlotBookedRead:
    """A window as people see it, with the days from today on for which orders took it."""
    today = clock.now().astimezone(await organizations.zone(db)).date()
    rows = await db.execute(taken_since(today, [slot.id]).order_by(SlotBooking.day))
    booked = [BookedDayRead(day=day, taken=orders) for _, day, orders in rows]
    return SlotBookedRead(**_read(slot, None).model_dump(), booked=booked)


def _read(slot: DeliverySlot, taken: int | None) -> SlotRead:
    return SlotRead(
        id=slot.id,
        warehouse_id=slot.warehouse_id,
        weekdays=[number + 1 for number in range(7) if slot.weekdays & 1 << number],
        day=slot.day,
        window_from=slot.window_from,
        window_until=slot.window_until,
        capacity=slot.capacity,
        is_active=slot.is_active,
        taken=taken,
        left=None if taken is None else max(0, slot.capacity - taken),
        version=slot.version,
    )


async def _active(db: AsyncSession, warehouse_id: uuid.UUID) -> Sequence[DeliverySlot]:
    its = select(DeliverySlot).where(DeliverySlot.warehouse_id == warehouse_id, DeliverySlot.is_active)
    return (await db.scalars(its.order_by(DeliverySlot.window_from, DeliverySlot.id))).all()


async def _booking(db: AsyncSession, order_id: uuid.UUID) -> SlotBooking | None:
    return (await db.scalars(select(SlotBooking).where(SlotBooking.order_id == order_id))).one_or_none()


async def _taken(db: AsyncSession, slot_id: uuid.UUID, day: date) -> int:
    its = select(func.count()).where(SlotBooking.slot_id == slot_id, SlotBooking.day == day)
    return (await db.scalar(its)) or 0


async def _next_free(db: AsyncSession, slots: Sequence[DeliverySlot], day: date, after: time) -> str:
    """In words, for a refusal."""
    rows = await db.execute(taken_since(day, [slot.id for slot in slots]))
    taken = {(slot_id, on): orders for slot_id, on, orders in rows}
    for on in (day + timedelta(days=number) for number in range(_AHEAD_DAYS)):
        for slot in _of_day(slots, on):
            if (on, slot.window_from) > (day, after) and taken.get((slot.id, on), 0) < slot.capacity:
                return f"the next that is free is {_window(slot)} on {on}"
    return f"no other is free in the {_AHEAD_DAYS} days from then on"


def _of_day(slots: Iterable[DeliverySlot], day: date) -> list[DeliverySlot]:
    """As `queries.offered_on`, of windows that are read already."""
    its_own = [slot for slot in slots if slot.day == day]
    return its_own or [slot for slot in slots if slot.weekdays & 1 << day.weekday()]


def _refuse_another(slot: DeliverySlot, others: Iterable[DeliverySlot]) -> None:
    for other in others:
        same_window = (other.window_from, other.window_until) == (slot.window_from, slot.window_until)
        same_day = other.day == slot.day if slot.day is not None else bool(other.weekdays & slot.weekdays)
        if other is not slot and same_window and same_day:
            raise SlotExists(f"{_window(slot)} is offered on such a day already: change that one", field="window_from")


def _bits(weekdays: Collection[int]) -> int:
    return sum(1 << number - 1 for number in set(weekdays))


def _window(slot: DeliverySlot) -> str:
    return f"{slot.window_from:%H:%M}-{slot.window_until:%H:%M}"
