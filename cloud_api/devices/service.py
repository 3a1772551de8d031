"""The verbs of devices: register, claim, hear, configure."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import cast

import msgspec
from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.errors import WrongClaimCode
from cloud_api.devices.events import SensorPlaced
from cloud_api.devices.models import Gateway, GatewayConfigVersion, GatewayHeartbeat, Sensor
from cloud_api.devices.queries import visible_gateways, visible_sensors
from cloud_api.devices.schemas import SensorCreate, SensorUpdate
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible
from gateway.contract import GatewayConfig, Heartbeat, LimitConfig

CLAIM_CODE_LIFE = timedelta(days=1)
HEARTBEAT_INTERVAL_S = 60
#: a gateway is offline when it has missed one heartbeat and ten seconds
OFFLINE_AFTER = timedelta(seconds=HEARTBEAT_INTERVAL_S + 10)
#: a broken sender must not fill the register: 1,000 devices with a handful of quantities each
MAX_SENSORS_PER_GATEWAY = 5_000
_SECRET = re.compile(r"[0-9a-f]{64}")


def is_online(gateway: Gateway) -> bool:
    """Whether the gateway's last sign of life is recent enough."""
    return gateway.last_seen_at is not None and clock.now() - gateway.last_seen_at <= OFFLINE_AFTER


async def register_gateway(db: AsyncSession, *, name: str) -> tuple[Gateway, str]:
    """Announce a gateway to come. Returns it with its claim code, which is shown this once.

    Raises:
        AlreadyExists: when the name is taken.
    """
    claim_code = _draw_claim_code()
    gateway = Gateway(
        name=name,
        claim_code_sha256=_sha256(claim_code),
        claim_expires_at=clock.now() + CLAIM_CODE_LIFE,
        created_at=clock.now(),
    )
    db.add(gateway)
    await flush_unique(db, f"another gateway is called {name!r}", field="name")
    db.add(_config_version(gateway.id, version=1, limits=()))
    await db.flush()
    return gateway, claim_code


async def renew_claim_code(
    db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible = EVERYWHERE
) -> tuple[Gateway, str]:
    """Draw a new claim code, for a box that replaces the present one. The present credential goes on working.

    Raises:
        NotFound: when there is no such gateway.
    """
    gateway = await get_gateway(db, gateway_id, seen=seen)
    claim_code = _draw_claim_code()
    gateway.claim_code_sha256 = _sha256(claim_code)
    gateway.claim_expires_at = clock.now() + CLAIM_CODE_LIFE
    gateway.status = "pending"
    return gateway, claim_code


async def claim_gateway(
    db: AsyncSession, *, claim_code: str, secret: str, software_version: str
) -> tuple[Gateway, GatewayConfig]:
    """Bind the gateway of `claim_code` to `secret`. Asking again with the same secret gives the same answer.

    Needs a system session.

    Raises:
        Invalid: when the secret is none.
        WrongClaimCode: when the code is unknown, too old, or was used with another secret.
    """
    if not _SECRET.fullmatch(secret):
        raise Invalid("secret must be 64 hexadecimal digits", field="secret")
    _check_software_version(software_version)
    gateway = (
        await db.scalars(select(Gateway).where(Gateway.claim_code_sha256 == _sha256(claim_code)).with_for_update())
    ).one_or_none()
    if gateway is None or gateway.status == "decommissioned":
        raise WrongClaimCode
    asked_again = gateway.status == "active" and gateway.secret_sha256 == _sha256(secret)
    if not asked_again and (gateway.status != "pending" or gateway.claim_expires_at < clock.now()):
        raise WrongClaimCode
    gateway.secret_sha256 = _sha256(secret)
    gateway.software_version = software_version
    gateway.status = "active"
    await db.flush()
    return gateway, await get_config(db, gateway)


async def get_gateway(db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Gateway:
    """One gateway.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Gateway).where(Gateway.id == gateway_id, visible_gateways(Gateway.id, seen))
    gateway = (await db.scalars(its)).one_or_none()
    if gateway is None:
        raise NotFound(f"no gateway with id {gateway_id}", field="gateway_id")
    return gateway


async def lock_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> Gateway:
    """The gateway, heard of at this moment, locked until the unit of work ends: its batches come one at a time."""
    gateway = (await db.scalars(select(Gateway).where(Gateway.id == gateway_id).with_for_update())).one()
    gateway.last_seen_at = clock.now()
    return gateway


async def gateway_by_secret(db: AsyncSession, *, gateway_id: uuid.UUID, secret: str) -> Gateway | None:
    """The active gateway with this credential. Needs a system session."""
    gateway = await db.get(Gateway, gateway_id)
    if gateway is None or gateway.secret_sha256 is None or gateway.status == "decommissioned":
        return None
    return gateway if secrets.compare_digest(gateway.secret_sha256, _sha256(secret)) else None


async def hear(db: AsyncSession, gateway_id: uuid.UUID, heartbeat: Heartbeat) -> Gateway:
    """Keep a heartbeat. The same one twice is one.

    Raises:
        Invalid: when a figure in it cannot be true.
    """
    _check_heartbeat(heartbeat)
    unsent_ms = heartbeat.oldest_unsent_ms
    gateway = await get_gateway(db, gateway_id)
    gateway.last_seen_at = clock.now()
    gateway.software_version = heartbeat.software_version
    await insert_missing(
        db,
        GatewayHeartbeat,
        {
            "gateway_id": gateway_id,
            "recorded_at": clock.from_ms(heartbeat.recorded_at_ms),
            "received_at": clock.now(),
            "epoch": heartbeat.epoch,
            "uptime_s": heartbeat.uptime_s,
            "backlog_rows": heartbeat.backlog_rows,
            "oldest_unsent_at": None if unsent_ms is None else clock.from_ms(unsent_ms),
            "dead_letters": heartbeat.dead_letters,
            "disk_free_mb": heartbeat.disk_free_mb,
        },
    )
    return gateway


async def get_config(db: AsyncSession, gateway: Gateway) -> GatewayConfig:
    """The configuration the gateway should have."""
    config = (
        await db.scalars(
            select(GatewayConfigVersion.config).where(
                GatewayConfigVersion.gateway_id == gateway.id, GatewayConfigVersion.version == gateway.config_version
            )
        )
    ).one()
    return msgspec.convert(config, GatewayConfig)


async def lock_config(db: AsyncSession, gateway_id: uuid.UUID) -> Gateway:
    """The gateway, locked until the unit of work ends: read what its limits should be only after this.

    Otherwise of two rules made at the same moment the later commit would take the other's limit away again.
    """
    locked = select(Gateway).where(Gateway.id == gateway_id).with_for_update()
    return (await db.scalars(locked, execution_options={"populate_existing": True})).one()


async def configure_limits(db: AsyncSession, gateway: Gateway, limits: Sequence[LimitConfig]) -> int:
    """Give the locked gateway these limits to judge by. Returns the version; the same limits make no new one."""
    present = await get_config(db, gateway)
    if list(present.limits) != list(limits):
        gateway.config_version += 1
        db.add(_config_version(gateway.id, version=gateway.config_version, limits=limits))
        await db.flush()
    return gateway.config_version


async def register_sensor(db: AsyncSession, *, new: SensorCreate, seen: Visible = EVERYWHERE) -> Sensor:
    """Register a sensor before it is heard.

    Raises:
        NotFound: when the gateway or the place is not there.
        AlreadyExists: when the gateway has this quantity of this device already.
    """
    await get_gateway(db, new.gateway_id, seen=seen)
    if new.location_id is not None:
        await places.get_location(db, new.location_id, seen=seen)
    sensor = Sensor(**new.model_dump(), created_at=clock.now())
    db.add(sensor)
    await flush_unique(
        db, f"{new.quantity} of {new.code} is registered or was heard already: change that sensor", field="code"
    )
    outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def update_sensor(
    db: AsyncSession, sensor_id: uuid.UUID, *, changes: SensorUpdate, seen: Visible = EVERYWHERE
) -> Sensor:
    """Move or calibrate a sensor.

    Raises:
        NotFound: when the sensor or the place is not there.
    """
    sensor = await get_sensor(db, sensor_id, seen=seen)
    if changes.location_id is not None:
        await places.get_location(db, changes.location_id, seen=seen)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(sensor, field, value)
    outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def get_sensor(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Sensor:
    """One sensor.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Sensor).where(Sensor.id == sensor_id, visible_sensors(seen))
    sensor = (await db.scalars(its)).one_or_none()
    if sensor is None:
        raise NotFound(f"no sensor with id {sensor_id}", field="sensor_id")
    return sensor


async def recognise_sensors(
    db: AsyncSession,
    gateway_id: uuid.UUID,
    heard: Mapping[tuple[str, str], str],
    *,
    at_most: int = MAX_SENSORS_PER_GATEWAY,
) -> dict[tuple[str, str], Sensor]:
    """The sensors of what a gateway heard, (code, quantity) -> unit; those not seen before are registered.

    A new quantity of a device takes the place that the device's other quantities have. What would be more than
    `at_most` active sensors is missing from the answer.
    """
    found = await _sensors_of(db, gateway_id, heard)
    for key, sensor in found.items():
        sensor.unit = sensor.unit or heard[key]  # an alarm that came first did not say it
    missing = {key: unit for key, unit in heard.items() if key not in found}
    if not missing:
        return found
    active = select(func.count()).select_from(Sensor).where(Sensor.gateway_id == gateway_id, Sensor.status == "active")
    room = max(0, at_most - (await db.scalar(active) or 0))
    siblings = await _places_of(db, gateway_id, {code for code, _ in missing})
    for (code, quantity), unit in list(missing.items())[:room]:
        await insert_missing(
            db,
            Sensor,
            {
                "gateway_id": gateway_id,
                "location_id": siblings.get(code),
                "code": code,
                "quantity": quantity,
                "unit": unit,
                "offset": 0.0,
                "status": "active",
                "created_at": clock.now(),
            },
        )
    found |= await _sensors_of(db, gateway_id, missing)
    for key in missing:
        if key in found and found[key].location_id is not None:
            outbox.emit(db, SensorPlaced(found[key].id, gateway_id))
    return found


async def sensors_in(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> Sequence[Sensor]:
    """Active sensors of these places, in key order."""
    return (
        await db.scalars(
            select(Sensor).where(Sensor.location_id.in_(location_ids), Sensor.status == "active").order_by(Sensor.id)
        )
    ).all()


async def sensors_of_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> Sequence[Sensor]:
    """Active sensors of one gateway that have a place, in key order."""
    return (
        await db.scalars(
            select(Sensor)
            .where(Sensor.gateway_id == gateway_id, Sensor.status == "active", Sensor.location_id.is_not(None))
            .order_by(Sensor.id)
        )
    ).all()


async def _sensors_of(
    db: AsyncSession, gateway_id: uuid.UUID, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Sensor]:
    rows = await db.scalars(
        select(Sensor).where(Sensor.gateway_id == gateway_id, tuple_(Sensor.code, Sensor.quantity).in_(keys))
    )
    return {(sensor.code, sensor.quantity): sensor for sensor in rows}


async def _places_of(db: AsyncSession, gateway_id: uuid.UUID, codes: Collection[str]) -> dict[str, uuid.UUID]:
    rows = await db.execute(
        select(Sensor.code, Sensor.location_id)
        .where(Sensor.gateway_id == gateway_id, Sensor.code.in_(codes), Sensor.location_id.is_not(None))
        .distinct()
    )
    return {code: cast(uuid.UUID, location_id) for code, location_id in rows}


def _config_version(gateway_id: uuid.UUID, *, version: int, limits: Sequence[LimitConfig]) -> GatewayConfigVersion:
    config = GatewayConfig(version=version, limits=list(limits), heartbeat_interval_s=HEARTBEAT_INTERVAL_S)
    return GatewayConfigVersion(
        gateway_id=gateway_id,
        version=version,
        config=cast(dict[str, object], msgspec.to_builtins(config)),
        created_at=clock.now(),
    )


def _check_heartbeat(heartbeat: Heartbeat) -> None:
    """What the types of the wire cannot say.

    Raises:
        Invalid: naming the field.
    """
    _check_software_version(heartbeat.software_version)
    if not re.fullmatch("[0-9a-f]{32}", heartbeat.epoch):
        raise Invalid("epoch must be 32 hexadecimal digits", field="epoch")
    for name in ("recorded_at_ms", "oldest_unsent_ms"):
        try:
            clock.from_ms(getattr(heartbeat, name) or 0)
        except ValueError as error:
            raise Invalid(f"{name}: {error}", field=name) from None
    for name in ("uptime_s", "backlog_rows", "dead_letters", "disk_free_mb"):
        if not 0 <= getattr(heartbeat, name) < 2**31:
            raise Invalid(f"{name} must lie between 0 and 2^31", field=name)


def _check_software_version(software_version: str) -> None:
    if not 1 <= len(software_version) <= 64 or not software_version.isprintable():
        raise Invalid("software_version must have 1 to 64 printable characters", field="software_version")


def _draw_claim_code() -> str:
    """Sixteen characters that can be read out over a telephone: 80 bits."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    drawn = "".join(secrets.choice(alphabet) for _ in range(16))
    return "-".join(drawn[at : at + 4] for at in range(0, 16, 4))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
