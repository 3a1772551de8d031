"""The verbs of an organisation's settings."""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ScalarSelect, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration.definitions import SETTINGS, AnySetting, Setting, V
from cloud_api.configuration.errors import ChangedMeanwhile, SettingRefused, UnknownSetting
from cloud_api.configuration.models import SettingValue
from cloud_api.configuration.queries import values_set_by, values_set_by_slug
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Detail
from cloud_api.kernel.registers import flush_unique
from cloud_api.kernel.tenancy import OrganizationScope, TenancyViolation

Value = bool | int | str

#: registered by `main`, asked before settings change, in the same unit of work; raises when they may not
SettingGuard = Callable[[AsyncSession, Mapping[str, object]], Awaitable[None]]


@dataclass(frozen=True)
class Chosen:
    """A setting as one organisation has it."""

    setting: AnySetting
    #: None when they never set it
    row: SettingValue | None

    @property
    def is_set(self) -> bool:
        """Whether they set it to something it may be; a value that it may be no longer counts as not set."""
        return self.row is not None and self.setting.accepts(self.row.value)

    @property
    def updated_at(self) -> datetime | None:
        """When they set it."""
        return None if self.row is None else self.row.updated_at

    @property
    def value(self) -> Value:
        """Theirs, or the default."""
        return self.row.value if self.row is not None and self.is_set else self.setting.default


async def value(db: AsyncSession, setting: Setting[V]) -> V:
    """What the session's organisation has set, or the default.

    Raises:
        TenancyViolation: in a session across organisations, which has to say whose: `value_for`.
    """
    return await value_for(db, _organization_of(db), setting)


def asked(setting: AnySetting) -> ScalarSelect[Value | None]:
    """What the session's organisation has set, as a column of another question; `told` says what it means."""
    return select(SettingValue.value).where(SettingValue.key == setting.key).scalar_subquery()


def told(setting: Setting[V], found: Value | None) -> V:
    """What was found, or the default."""
    return cast(V, found) if setting.accepts(found) else setting.default


async def value_for(db: AsyncSession, organization_id: uuid.UUID, setting: Setting[V]) -> V:
    """The same in a session across organisations: signing in."""
    found = await db.scalar(
        select(SettingValue.value).where(
            SettingValue.organization_id == organization_id, SettingValue.key == setting.key
        )
    )
    return told(setting, found)


async def values_of(db: AsyncSession) -> dict[str, Value]:
    """Every setting of the session's organisation by its key."""
    return {key: chosen.value for key, chosen in (await chosen_by(db)).items()}


async def chosen_by(db: AsyncSession) -> dict[str, Chosen]:
    """Every setting as the session's organisation has it, by its key, in the order of `definitions`."""
    return _chosen(await db.scalars(values_set_by(_organization_of(db))))


async def chosen_one(db: AsyncSession, key: str) -> Chosen:
    """One of them.

    Raises:
        UnknownSetting: when there is none of this name.
    """
    if key not in SETTINGS:
        raise UnknownSetting(key)
    rows = values_set_by(_organization_of(db)).where(SettingValue.key == key)
    return _chosen(await db.scalars(rows))[key]


async def public_values(db: AsyncSession, *, slug: str | None) -> dict[str, Value]:
    """What anybody may know of an organisation; the defaults when nobody has this slug. For a system session."""
    rows: Iterable[SettingValue] = [] if slug is None else await db.scalars(values_set_by_slug(slug))
    return {key: chosen.value for key, chosen in _chosen(rows).items() if chosen.setting.is_public}


async def change(
    db: AsyncSession,
    values: Mapping[str, object],
    *,
    by: uuid.UUID | None,
    guards: Sequence[SettingGuard] = (),
    expected: Mapping[str, object] | None = None,
) -> None:
    """Set several, all or none of them; None goes back to the default.

    Args:
        expected: values as `by` has read them.

    Raises:
        ChangedMeanwhile: when one of them is not as expected any more, with a detail for each.
        SettingRefused: when one does not exist or cannot be what is asked, with a detail for each.
        AlreadyExists: when somebody else sets one of them for the first time at this moment.
    """
    refused = [Detail(key, why) for key, wanted in values.items() if (why := _refusal(key, wanted)) is not None]
    if refused:
        raise SettingRefused("; ".join(f"{detail.field}: {detail.message}" for detail in refused[:3]), details=refused)
    for guard in guards:
        await guard(db, values)
    theirs = values_set_by(_organization_of(db)).where(SettingValue.key.in_({*values, *(expected or ())}))
    rows = {row.key: row for row in await db.scalars(theirs.with_for_update())}
    _check_as_read(expected or {}, rows)
    for key, wanted in values.items():
        row = rows.get(key)
        if wanted is None:
            if row is not None:
                await db.delete(row)
        elif row is None:
            db.add(SettingValue(key=key, value=cast(Value, wanted), updated_at=clock.now(), updated_by=by))
        elif (type(row.value), row.value) != (type(wanted), wanted):
            row.value, row.updated_at, row.updated_by = cast(Value, wanted), clock.now(), by
    await flush_unique(db, "somebody else changes these settings at this moment: read them again", field="values")


def _refusal(key: str, wanted: object) -> str | None:
    setting = SETTINGS.get(key)
    if setting is None:
        return "there is no such setting: GET /api/v1/admin/settings lists them"
    if wanted is None or setting.accepts(wanted):
        return None
    return f"must be {setting.expected}, or null for the default"


def _check_as_read(expected: Mapping[str, object], rows: Mapping[str, SettingValue]) -> None:
    now = {key: Chosen(SETTINGS[key], rows.get(key)).value for key in expected if key in SETTINGS}
    other = [Detail(key, f"somebody has set it to {value}") for key, value in now.items() if value != expected[key]]
    if other:
        raise ChangedMeanwhile("somebody else has changed these settings since: read them again", details=other)


def _chosen(rows: Iterable[SettingValue]) -> dict[str, Chosen]:
    by_key = {row.key: row for row in rows}
    return {key: Chosen(setting, by_key.get(key)) for key, setting in SETTINGS.items()}


def _organization_of(db: AsyncSession) -> uuid.UUID:
    scope = db.sync_session.info["scope"]
    if not isinstance(scope, OrganizationScope):
        raise TenancyViolation("whose setting? A session across organisations asks with value_for")
    return scope.organization_id
