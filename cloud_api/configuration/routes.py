"""Settings of an organisation; feature flags and maintenance of the whole platform."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import flags, maintenance, service
from cloud_api.configuration.maintenance import MaintenanceGate, Notice
from cloud_api.configuration.models import FeatureFlag, Maintenance
from cloud_api.configuration.schemas import (
    FLAG_KEY_PATTERN,
    FlagCreate,
    FlagRead,
    FlagUpdate,
    MaintenanceNotice,
    MaintenanceRead,
    MaintenanceSwitch,
    SettingChange,
    SettingRead,
    SettingsChange,
)
from cloud_api.configuration.service import Chosen, Value
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import unlimited
from cloud_api.kernel.unit_of_work import Db, never_gated, platform_unit_of_work, system_unit_of_work

router = APIRouter(tags=["system"], route_class=ApiRoute)

SETTINGS = "/admin/settings"
FLAGS = "/admin/feature-flags"
MAINTENANCE = "/admin/maintenance"

PublicDb = Annotated[
    AsyncSession, Depends(system_unit_of_work("tell public settings", read_only=True), scope="function")
]
FlagsDb = Annotated[AsyncSession, Depends(platform_unit_of_work("change a feature flag"), scope="function")]
SwitchDb = Annotated[AsyncSession, Depends(platform_unit_of_work("switch maintenance"), scope="function")]
Slug = Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00]*$", description="Which organisation's.")]
FlagKey = Annotated[str, Path(max_length=100, pattern=FLAG_KEY_PATTERN)]


@router.get(SETTINGS, response_model=list[SettingRead], dependencies=[require("settings:read")])
async def get_settings(db: Db) -> list[Chosen]:
    """Every setting, with what it may be."""
    return [*(await service.chosen_by(db)).values()]


@router.put(SETTINGS, response_model=list[SettingRead], dependencies=[require("settings:write")])
async def change_settings(request: Request, db: Db, principal: CurrentPrincipal, body: SettingsChange) -> list[Chosen]:
    """Several at once: all of them or none."""
    guards = request.app.state.setting_guards
    await service.change(db, body.values, by=principal.id, guards=guards, expected=body.expected)
    return [*(await service.chosen_by(db)).values()]


@router.get(f"{SETTINGS}/{{key}}", response_model=SettingRead, dependencies=[require("settings:read")])
async def get_setting(db: Db, key: str) -> Chosen:
    """One setting."""
    return await service.chosen_one(db, key)


@router.put(f"{SETTINGS}/{{key}}", response_model=SettingRead, dependencies=[require("settings:write")])
async def change_setting(
    request: Request, db: Db, principal: CurrentPrincipal, key: str, body: SettingChange
) -> Chosen:
    """Set one."""
    await service.chosen_one(db, key)
    await service.change(db, {key: body.value}, by=principal.id, guards=request.app.state.setting_guards)
    return await service.chosen_one(db, key)


@router.get("/settings/public", response_model=dict[str, bool | int | str])
async def get_public_settings(db: PublicDb, organization: Slug = None) -> dict[str, Value]:
    """What a sign-in page has to know; the defaults for a slug that is nobody's."""
    return await service.public_values(db, slug=organization)


@router.get(FLAGS, response_model=list[FlagRead], dependencies=[require("flags:manage")])
async def list_feature_flags(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[FeatureFlag]:
    """Newest first."""
    return await page(db, select(FeatureFlag), FeatureFlag.id, query)


@router.post(FLAGS, response_model=FlagRead, status_code=201, dependencies=[require("flags:manage")])
async def create_feature_flag(db: FlagsDb, principal: CurrentPrincipal, body: FlagCreate) -> FeatureFlag:
    """A new flag: off, unless told."""
    return await flags.create_flag(db, key=body.key, rules=body.rules(), by=principal.id)


@router.get(f"{FLAGS}/{{key}}", response_model=FlagRead, dependencies=[require("flags:manage")])
async def get_feature_flag(db: Db, key: FlagKey) -> FeatureFlag:
    """One flag with its rules."""
    return await flags.get_flag(db, key)


@router.put(f"{FLAGS}/{{key}}", response_model=FlagRead, dependencies=[require("flags:manage")])
async def change_feature_flag(db: FlagsDb, principal: CurrentPrincipal, key: FlagKey, body: FlagUpdate) -> FeatureFlag:
    """Switch it, roll it out further, aim it at others."""
    return await flags.change_flag(db, key, rules=body.rules(), by=principal.id, seen=body.version)


@router.delete(f"{FLAGS}/{{key}}", status_code=204, dependencies=[require("flags:manage")])
async def delete_feature_flag(db: FlagsDb, principal: CurrentPrincipal, key: FlagKey) -> None:
    """Forget it: the feature is for nobody then."""
    await flags.delete_flag(db, key, by=principal.id)


@router.get("/feature-flags", response_model=dict[str, bool])
async def evaluate_feature_flags(db: Db, principal: CurrentPrincipal) -> dict[str, bool]:
    """Every flag, and whether it is for the caller: always the same answer for the same person."""
    return await flags.evaluate(db, principal)


@router.get(MAINTENANCE, response_model=MaintenanceRead, dependencies=[require("settings:read")])
async def get_maintenance(db: Db) -> Maintenance | MaintenanceRead:
    """Whether people may write at present."""
    return await maintenance.state(db) or MaintenanceRead()


@router.get("/maintenance", response_model=MaintenanceNotice)
@unlimited
async def tell_maintenance(request: Request) -> MaintenanceNotice:
    """For everybody, whether people may write at present: as of two seconds ago at the most."""
    gate: MaintenanceGate = request.app.state.maintenance
    notice = await gate.notice(request.app.state.database)
    if notice is None:
        return MaintenanceNotice(enabled=False)
    return MaintenanceNotice(enabled=True, message=notice.message, until=notice.until)


async def known_here_afterwards(request: Request) -> AsyncIterator[None]:
    """Resolved before the unit of work, so that it ends after the commit: this process sees the switch at once."""
    yield
    gate: MaintenanceGate = request.app.state.maintenance
    gate.forget()


@router.put(
    MAINTENANCE,
    response_model=MaintenanceRead,
    dependencies=[require("platform:manage"), Depends(known_here_afterwards, scope="function")],
)
@never_gated
async def switch_maintenance(db: SwitchDb, principal: CurrentPrincipal, body: MaintenanceSwitch) -> Maintenance:
    """For everybody: writes of people and programs answer 503 within two seconds; gateways go on."""
    notice = Notice(body.message, body.retry_after_s, body.until)
    return await maintenance.switch(db, enabled=body.enabled, notice=notice, by=principal.id, seen=body.version)
