"""The verbs of commands: give, hand out, settle."""

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.commands.models import GatewayCommand
from cloud_api.devices.commands.schemas import CommandCreate, CommandRead
from cloud_api.devices.commands.states import COMMAND, CommandAction, CommandStatus
from cloud_api.devices.configuration.service import get_config, rules_in
from cloud_api.devices.gateways.service import check_moment, get_serving_gateway
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.devices.sensors.service import get_sensor
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.places.queries import EVERYWHERE, Visible
from gateway.contract import Command, CommandAck, HeartbeatAnswer

#: a broken program must not fill the table, nor a gateway that comes back work for days
MAX_WAITING = 100
_MAX_MESSAGE = 500
_ACTIONS = {"done": CommandAction.DO, "failed": CommandAction.FAIL, "expired": CommandAction.EXPIRE}


class TooManyCommands(Conflict):
    """The gateway has not done what waits already."""

    code = "TOO_MANY_COMMANDS"

    def __init__(self) -> None:
        super().__init__(f"{MAX_WAITING} commands wait for this gateway already: let it do some first")


async def issue_command(
    db: AsyncSession, gateway_id: uuid.UUID, *, new: CommandCreate, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> GatewayCommand:
    """Tell a gateway to do something; it hears of it with its next batch or heartbeat.

    Raises:
        NotFound: when there is no such gateway.
        Invalid: when it has no such scale, or no such rule.
        GatewayDecommissioned, TooManyCommands: when it could not do it.
    """
    gateway = await get_serving_gateway(db, gateway_id, seen=seen)
    if new.kind == "tare":
        await _check_scale(db, gateway_id, new.target)
    if new.kind == "reset_alarm" and new.target not in rules_in(await get_config(db, gateway)):
        raise Invalid(f"this gateway has no limit and no watch {new.target!r}", field="target")
    if await count_waiting(db, gateway.id) >= MAX_WAITING:
        raise TooManyCommands
    now = clock.now()
    command = GatewayCommand(
        gateway_id=gateway.id,
        kind=new.kind,
        target=new.target,
        status=COMMAND.initial,
        issued_by=by,
        issued_at=now,
        expires_at=now + timedelta(seconds=new.expires_in_s),
        message="",
    )
    db.add(command)
    await db.flush()
    return command


async def tare_scale(
    db: AsyncSession, scale_id: uuid.UUID, *, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> GatewayCommand:
    """Tell the gateway of a scale to tare it.

    Raises:
        NotFound: when there is no such scale.
        GatewayDecommissioned, TooManyCommands: when its gateway could not do it.
    """
    scale = await get_sensor(db, scale_id, seen=seen)
    if scale.quantity != "weight" or scale.status != "active":
        raise NotFound(f"no scale with id {scale_id}", field="scale_id")
    return await issue_command(db, scale.gateway_id, new=CommandCreate(kind="tare", target=scale.code), by=by)


async def waiting_commands(db: AsyncSession, gateway_id: uuid.UUID) -> list[Command]:
    """What the gateway is to do, oldest first."""
    rows = await db.scalars(select(GatewayCommand).where(*_waits(gateway_id)).order_by(GatewayCommand.id))
    return [
        Command(
            id=str(row.id),
            kind=row.kind,  # type: ignore[arg-type]  # the table has no other kinds
            issued_at_ms=clock.to_ms(row.issued_at),
            expires_at_ms=clock.to_ms(row.expires_at),
            target=row.target,
        )
        for row in rows
    ]


async def count_waiting(db: AsyncSession, gateway_id: uuid.UUID) -> int:
    """How many commands wait for the gateway."""
    return await db.scalar(select(func.count(GatewayCommand.id)).where(*_waits(gateway_id))) or 0


async def count_waiting_of(db: AsyncSession, gateway_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many commands wait for each gateway; one for which none does is missing."""
    waiting = (
        select(GatewayCommand.gateway_id, func.count())
        .where(
            GatewayCommand.gateway_id.in_(gateway_ids),
            GatewayCommand.status == CommandStatus.WAITING,
            GatewayCommand.expires_at > clock.now(),
        )
        .group_by(GatewayCommand.gateway_id)
    )
    return {gateway_id: count for gateway_id, count in await db.execute(waiting)}


async def settle_command(db: AsyncSession, gateway_id: uuid.UUID, command_id: uuid.UUID, ack: CommandAck) -> None:
    """Keep what became of a command. The same said again changes nothing.

    Raises:
        NotFound: when the gateway has no such command.
        Invalid: when it was settled at no time.
        InvalidTransition: when it was settled otherwise before.
    """
    check_moment("recorded_at_ms", ack.recorded_at_ms)
    its = select(GatewayCommand).where(GatewayCommand.id == command_id, GatewayCommand.gateway_id == gateway_id)
    command = (await db.scalars(its.with_for_update())).one_or_none()
    if command is None:
        raise NotFound(f"no command with id {command_id}", field="command_id")
    if command.status == ack.outcome:
        return
    command.status = COMMAND.apply(CommandStatus(command.status), _ACTIONS[ack.outcome])
    command.settled_at = clock.from_ms(ack.recorded_at_ms)
    command.message = ack.message[:_MAX_MESSAGE].replace("\0", "\ufffd")


def read(rows: Sequence[GatewayCommand]) -> list[CommandRead]:
    """As people see them: one that no gateway has fetched in time is expired, though nobody has said so."""
    now, shown = clock.now(), [CommandRead.model_validate(row) for row in rows]
    return [
        one.model_copy(update={"status": CommandStatus.EXPIRED})
        if one.status == CommandStatus.WAITING and one.expires_at <= now
        else one
        for one in shown
    ]


async def answer_to(db: AsyncSession, gateway: Gateway) -> HeartbeatAnswer:
    """What every gateway is answered that reports something: the time, and what there is for it."""
    return HeartbeatAnswer(
        server_time_ms=clock.now_ms(),
        config_version=gateway.config_version,
        commands_waiting=await count_waiting(db, gateway.id),
    )


def _waits(gateway_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        GatewayCommand.gateway_id == gateway_id,
        GatewayCommand.status == CommandStatus.WAITING,
        GatewayCommand.expires_at > clock.now(),
    )


async def _check_scale(db: AsyncSession, gateway_id: uuid.UUID, code: str) -> None:
    its = (Sensor.gateway_id == gateway_id, Sensor.code == code, Sensor.quantity == "weight")
    if await db.scalar(select(Sensor.id).where(*its, Sensor.status == "active")) is None:
        raise Invalid(f"this gateway has no scale {code!r}", field="target")
