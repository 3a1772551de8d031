"""The verbs of configuration: what a gateway is to do, in versions that are made only when something changes.

A configuration has two parts: limits, which are those of the cold chain's rules, and its own, which people set here.
"""

import uuid
from collections.abc import Sequence
from typing import cast

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.devices.configuration.models import GatewayConfigVersion
from cloud_api.devices.configuration.schemas import ConfigUpdate
from cloud_api.devices.events import GatewayConfigRefused
from cloud_api.devices.gateways.service import check_moment, get_serving_gateway, hold_facts, tell_watchers
from cloud_api.devices.models import HEARTBEAT_INTERVAL_S, Gateway, Sensor
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.places.queries import EVERYWHERE, Visible
from gateway.contract import ConfigAck, GatewayConfig, LimitConfig, OutputConfig, PauseConfig, WatchConfig

_MAX_REASON = 500
_NOT_IN_FORCE = frozenset({"refused", "rolled_back"})


def first_version(gateway: Gateway) -> GatewayConfigVersion:
    """What a gateway is to do before anybody has said anything."""
    return _version(gateway, GatewayConfig(1, [], HEARTBEAT_INTERVAL_S), by=None)


async def get_config(db: AsyncSession, gateway: Gateway) -> GatewayConfig:
    """The configuration the gateway should have."""
    return _read(await get_version(db, gateway.id, gateway.config_version))


async def get_version(db: AsyncSession, gateway_id: uuid.UUID, version: int) -> GatewayConfigVersion:
    """One version of a gateway's configuration.

    Raises:
        NotFound: when it never had it.
    """
    its = (GatewayConfigVersion.gateway_id == gateway_id, GatewayConfigVersion.version == version)
    found = None
    if 1 <= version < 2**31:  # the column holds no other
        found = (await db.scalars(select(GatewayConfigVersion).where(*its))).one_or_none()
    if found is None:
        raise NotFound(f"this gateway has no configuration of version {version}", field="version")
    return found


async def lock_config(db: AsyncSession, gateway_id: uuid.UUID) -> Gateway:
    """The gateway, locked until the unit of work ends: read what its limits should be only after this.

    Otherwise of two rules made at the same moment the later commit would take the other's limit away again.
    """
    return await hold_facts(db, gateway_id)


async def configure_limits(db: AsyncSession, gateway: Gateway, limits: Sequence[LimitConfig]) -> None:
    """Give the locked gateway these limits to judge by; its own part stays. The same limits make no new version."""
    present = await get_config(db, gateway)
    await _offer(db, gateway, present, msgspec.structs.replace(present, limits=list(limits)), by=None)


async def configure_gateway(
    db: AsyncSession, gateway_id: uuid.UUID, *, wanted: ConfigUpdate, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> GatewayConfigVersion:
    """Set a gateway's own part; its limits stay. The same again makes no new version.

    Raises:
        NotFound: when there is no such gateway.
        Invalid: when a pause or an output names a rule that the gateway does not have.
        GatewayDecommissioned: when nobody would read it.
    """
    gateway, present = await _lock_present(db, gateway_id, seen)
    changed = msgspec.structs.replace(
        present,
        watches=[WatchConfig(**{**watch.model_dump(), "change": watch.change or 0.0}) for watch in wanted.watches],
        pauses=[PauseConfig(**pause.model_dump()) for pause in wanted.pauses],
        outputs=[OutputConfig(**output.model_dump()) for output in wanted.outputs],
        heartbeat_interval_s=wanted.heartbeat_interval_s,
    )
    _check_names(changed)
    return await _offer(db, gateway, present, changed, by=by)


async def roll_back(
    db: AsyncSession, gateway_id: uuid.UUID, *, version: int, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> GatewayConfigVersion:
    """Give a gateway the own part of an earlier version again, as a new version. Limits stay those of the rules.

    Raises:
        NotFound: when there is no such gateway, or it never had this version.
        GatewayDecommissioned: when nobody would read it.
    """
    gateway, present = await _lock_present(db, gateway_id, seen)
    earlier = _read(await get_version(db, gateway.id, version))
    return await _offer(db, gateway, present, msgspec.structs.replace(earlier, limits=present.limits), by=by)


async def acknowledge_config(db: AsyncSession, gateway: Gateway, ack: ConfigAck) -> None:
    """Keep what became of a version. What comes late, after something that the gateway said later, changes nothing.

    Of a version that it does not work by, rooms above hear `GatewayConfigRefused`.

    Raises:
        NotFound: when the gateway never was given this version.
        Invalid: when it says so at no time.
    """
    check_moment("recorded_at_ms", ack.recorded_at_ms)
    version = await get_version(db, gateway.id, ack.version)
    said_at = clock.from_ms(ack.recorded_at_ms)
    if version.acknowledged_at is not None and version.acknowledged_at > said_at:
        return
    is_news = version.state != ack.state
    version.state = ack.state
    version.acknowledged_at = said_at
    version.reason = ack.reason[:_MAX_REASON].replace("\0", "\ufffd")
    if ack.version == gateway.config_version and is_news:
        gateway.config_state = ack.state
        tell_watchers(db, gateway)
    if is_news and ack.state in _NOT_IN_FORCE:
        outbox.emit(db, GatewayConfigRefused(gateway.id, ack.version, ack.state, version.reason))


async def _lock_present(db: AsyncSession, gateway_id: uuid.UUID, seen: Visible) -> tuple[Gateway, GatewayConfig]:
    await get_serving_gateway(db, gateway_id, seen=seen)
    gateway = await lock_config(db, gateway_id)
    return gateway, await get_config(db, gateway)


async def _offer(
    db: AsyncSession, gateway: Gateway, present: GatewayConfig, wanted: GatewayConfig, *, by: uuid.UUID | None
) -> GatewayConfigVersion:
    """The version with this content: the present one, or a new one when it differs."""
    wanted = msgspec.structs.replace(wanted, watches=await _calibrated(db, gateway.id, wanted.watches))
    if msgspec.structs.replace(wanted, version=present.version) == present:
        return await get_version(db, gateway.id, gateway.config_version)
    gateway.config_version += 1
    gateway.config_state = "offered"
    gateway.heartbeat_interval_s = wanted.heartbeat_interval_s
    offered = _version(gateway, msgspec.structs.replace(wanted, version=gateway.config_version), by=by)
    db.add(offered)
    await db.flush()
    if by is not None:  # limits follow from rules and places, which are in the trail themselves
        old, new = _own_part(present), _own_part(wanted)
        audit.record(db, action="gateways.configured", entity="gateways", entity_id=gateway.id, old=old, new=new)
    return offered


async def _calibrated(db: AsyncSession, gateway_id: uuid.UUID, watches: Sequence[WatchConfig]) -> list[WatchConfig]:
    """The watches with the gain that their sensors have now."""
    codes = {watch.sensor for watch in watches}
    if not codes:
        return []
    its = select(Sensor.code, Sensor.quantity, Sensor.gain).where(Sensor.gateway_id == gateway_id)
    gains = {(code, quantity): gain for code, quantity, gain in await db.execute(its.where(Sensor.code.in_(codes)))}
    return [msgspec.structs.replace(watch, gain=gains.get((watch.sensor, watch.quantity), 1.0)) for watch in watches]


def _version(gateway: Gateway, config: GatewayConfig, *, by: uuid.UUID | None) -> GatewayConfigVersion:
    return GatewayConfigVersion(
        gateway_id=gateway.id,
        version=config.version,
        config=cast(dict[str, object], msgspec.to_builtins(config)),
        created_by=by,
        created_at=clock.now(),
        state="offered",
        reason="",
    )


def _read(version: GatewayConfigVersion) -> GatewayConfig:
    return msgspec.convert(version.config, GatewayConfig)


def _own_part(config: GatewayConfig) -> dict[str, object]:
    own = cast(dict[str, object], msgspec.to_builtins(config))
    return {name: value for name, value in own.items() if name not in {"version", "limits"}}


def rules_in(config: GatewayConfig) -> set[str]:
    """The ids of all limits and watches."""
    return {limit.rule for limit in config.limits} | {watch.rule for watch in config.watches}


def _check_names(config: GatewayConfig) -> None:
    """Every rule that a pause or an output names is one of the gateway's.

    Raises:
        Invalid: naming the field.
    """
    known = rules_in(config)
    for field, index, rules in [
        *(("pauses", index, pause.rules) for index, pause in enumerate(config.pauses)),
        *(("outputs", index, output.rules) for index, output in enumerate(config.outputs)),
    ]:
        if unknown := sorted({*rules} - known):
            raise Invalid(f"this gateway has no limit and no watch {unknown[0]!r}", field=f"{field}.{index}.rules")
