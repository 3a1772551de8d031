"""Who is on call, and whose hours are quiet: pure, in local time."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec


class Shift(msgspec.Struct, frozen=True):
    """Hours of some weekdays; over midnight when they end before they begin, and then named by the day they begin."""

    #: 0 is Monday
    weekdays: tuple[int, ...]
    from_time: time
    #: equal to `from_time`: round the clock
    until_time: time


class Duty(msgspec.Struct, frozen=True):
    """A stretch of time for which somebody was named."""

    starts_at: datetime
    ends_at: datetime


def covers(shift: Shift, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the instant lies in one of the shift's days."""
    local = at.astimezone(zone)
    now, today, yesterday = local.time(), local.weekday(), (local.weekday() - 1) % 7
    if shift.from_time < shift.until_time:
        return today in shift.weekdays and shift.from_time <= now < shift.until_time
    begun_today = today in shift.weekdays and now >= shift.from_time
    return begun_today or (yesterday in shift.weekdays and now < shift.until_time)


def order(members: Sequence[tuple[Sequence[Shift], Sequence[Duty]]], at: datetime, zone: ZoneInfo) -> list[int]:
    """The places of those who are on call, in the order in which they are told.

    First whoever the rota names, then whoever has a shift now, then those who have no hours at all and stand in for
    everybody. When nobody is on call, the whole list is: an hour that nobody planned for is no reason to be silent.
    """
    named = [place for place, (_, rota) in enumerate(members) if any(_includes(duty, at) for duty in rota)]
    in_shift = [place for place, (shifts, _) in enumerate(members) if any(covers(one, at, zone) for one in shifts)]
    always = [place for place, (shifts, rota) in enumerate(members) if not shifts and not rota]
    on_call = list(dict.fromkeys([*named, *in_shift, *always]))
    return on_call or list(range(len(members)))


def end_of_quiet(quiet_from: time, quiet_until: time, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours in which the instant lies are over; None when it lies in none."""
    local = at.astimezone(zone)
    if not covers(Shift(tuple(range(7)), quiet_from, quiet_until), at, zone):
        return None
    end = local.replace(
        hour=quiet_until.hour, minute=quiet_until.minute, second=quiet_until.second, microsecond=0, fold=0
    )
    if end <= local:
        end = (end.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return end.astimezone(UTC)


def _includes(duty: Duty, at: datetime) -> bool:
    return duty.starts_at <= at < duty.ends_at
