"""Doing commands that have arrived: whatever happens to one happens to no other.

Each has a savepoint of its own; but what lies beside each other in a log mostly succeeds, and shares most of what it
reads and writes. So such commands are first done together in one savepoint, and one by one when anything in it fails.
"""

import asyncio
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.errors import AppError
from cloud_api.logistics.deliveries.service import Round
from cloud_api.logistics.sync import policy
from cloud_api.logistics.sync.commands import KINDS, Call, Line, Together
from cloud_api.logistics.sync.policy import Outcome, Standing
from cloud_api.logistics.sync.schemas import SealedCommand
from cloud_api.notifications import service as notifications

log = structlog.get_logger(__name__)

NOWHERE = uuid.UUID(int=0)
#: PostgreSQL's words for: somebody else holds what is needed, and waits for what is held here
_IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})
_BUSY = Outcome("waiting", "BUSY", "somebody else is at it just now: it is tried again with the next part of the log")
_BROKEN = Outcome("waiting", "INTERNAL", "something went wrong on our side: it is tried again with the next part")


@dataclass(frozen=True)
class Task:
    """A command whose turn has come."""

    command: SealedCommand
    #: when it happened, as far as we know
    at: datetime
    skew: timedelta
    received_at: datetime


#: a command that may be done with others, and what it says
Shared = tuple[Task, BaseModel]


class Doer:
    """Does one driver's commands.

    Args:
        photos_here: those of the pictures that the commands name that have arrived, by SHA-256.
        standings: how the routes and deliveries stand that the commands are about. It is looked at again when a verb
            refuses: what is not refused costs nothing but itself.
    """

    def __init__(
        self,
        db: AsyncSession,
        *,
        driver_id: uuid.UUID,
        photos_here: Collection[str],
        standings: dict[uuid.UUID, Standing],
    ) -> None:
        self._db = db
        self._driver_id = driver_id
        self._photos_here = photos_here
        self._standings = standings

    async def do(self, task: Task) -> Outcome:
        """Do one command; nothing that it could be raises."""
        command, line = task.command, KINDS[task.command.kind]
        payload = self._read(command, line)
        if isinstance(payload, Outcome):
            return payload
        call = self._call(task)
        known = policy.already(command, self._standings.get(call.target_id), driver_id=self._driver_id)
        outcome = known or await self._settled(call, command, line, payload)
        if policy.to_be_told(line, outcome):
            await self._tell(command, outcome)
        return outcome

    def together(self, tasks: Iterable[Task]) -> list[Shared]:
        """Those of these commands, from the first on, that may be done in one savepoint."""
        found: list[Shared] = []
        expected: dict[uuid.UUID, Standing] = {}
        for task in tasks:
            command, line = task.command, KINDS[task.command.kind]
            if not line.shares or command.payload.get("also"):
                break
            target_id = command.target_id or NOWHERE
            stands = expected.get(target_id, self._standings.get(target_id))
            payload = self._read(command, line)
            if isinstance(payload, Outcome) or policy.already(command, stands, driver_id=self._driver_id):
                break
            found.append((task, payload))
            after = policy.standing_after(command, driver_id=self._driver_id)
            if after is not None:
                expected[target_id] = after
        return found

    async def do_together(self, these: Sequence[Shared]) -> bool:
        """Do commands in one savepoint. Whether all of them were applied; else nothing of any of them has been done,
        and each is to be done by itself.
        """
        [failed] = await asyncio.gather(self._all(these), return_exceptions=True)
        match failed:
            case None:
                for task, _ in these:
                    self._note(task.command)
                return True
            case AppError() | DBAPIError():
                log.info("phone_commands_one_by_one", commands=len(these), error=type(failed).__name__)
            case Exception():
                log.warning("phone_commands_one_by_one", commands=len(these), exc_info=failed)
            case _:
                raise failed
        return False

    async def _all(self, these: Sequence[Shared]) -> None:
        async with self._db.begin_nested():
            commands = [task.command for task, _ in these]
            stops = {said.target_id for said in commands if said.target_id and KINDS[said.kind].target == "delivery"}
            pictures = {sha256 for said in commands for sha256 in policy.photos_of(said)}
            shared = Together(await Round.lock(self._db, stops, driver_id=self._driver_id, sha256s=pictures))
            for task, payload in these:
                await KINDS[task.command.kind].do(self._call(task, within=shared), payload)
            await shared.settle(self._db)

    def _call(self, task: Task, *, within: Together | None = None) -> Call:
        target_id = task.command.target_id or NOWHERE
        return Call(self._db, self._driver_id, target_id, task.at, task.skew, task.received_at, within)

    def _read(self, command: SealedCommand, line: Line) -> BaseModel | Outcome:
        """What a command says; or what becomes of it without being done."""
        if command.target_id is None and line.target != "anything":
            return Outcome("refused", "TARGET_MISSING", f"name the {line.target} in target_id", "target_id")
        try:
            payload = line.payload.model_validate(command.payload)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(["payload", *(str(part) for part in first["loc"])])
            return Outcome("refused", "VALIDATION_FAILED", str(first["msg"]), where)
        for field in ("photo_sha256", "signature_sha256"):
            sha256 = getattr(payload, field, None)
            if sha256 is not None and sha256 not in self._photos_here:
                return Outcome(
                    "waiting", "PHOTO_MISSING", "the picture has not arrived: upload it", field, photo=sha256
                )
        return payload

    async def _settled(self, call: Call, command: SealedCommand, line: Line, payload: BaseModel) -> Outcome:
        """The outcome, whatever is raised; but when the database does not answer all ends here."""
        [done] = await asyncio.gather(self._done(call, command, line, payload), return_exceptions=True)
        match done:
            case Outcome():
                return done
            case AppError():
                return policy.judged(done)
            case IntegrityError():
                return Outcome("conflict", "CONFLICT", "it does not fit what somebody else was just writing")
            case DBAPIError() if getattr(done.orig, "sqlstate", None) in _IN_THE_WAY:
                return _BUSY
            case DBAPIError():
                raise done
            case Exception():
                log.error("phone_command_failed", kind=command.kind, command_id=str(command.id), exc_info=done)
                return _BROKEN
        raise done

    async def _done(self, call: Call, command: SealedCommand, line: Line, payload: BaseModel) -> Outcome:
        """Do it; when it is refused, look whether that is because of what was done meanwhile."""
        try:
            await self._in_a_savepoint(call, line, payload)
        except AppError as error:
            return await self._refused(call, command, line, payload, error)
        self._note(command)
        return policy.APPLIED

    async def _refused(
        self, call: Call, command: SealedCommand, line: Line, payload: BaseModel, error: AppError
    ) -> Outcome:
        now = (await policy.standings(self._db, [call.target_id], driver_id=self._driver_id)).get(call.target_id)
        reason = policy.already(command, now, driver_id=self._driver_id) or policy.refused_for(command, now)
        if reason is not None:
            return reason
        async with self._db.begin_nested():
            outcome = await policy.set_right(call, command, error)
            if outcome is None:
                return policy.judged(error)
            await line.do(call, payload)
            await self._db.flush()
        self._note(command)
        return outcome

    def _note(self, command: SealedCommand) -> None:
        """How its target stands after a command, without another look."""
        after = policy.standing_after(command, driver_id=self._driver_id)
        if after is not None and command.target_id is not None:
            self._standings[command.target_id] = after

    async def _in_a_savepoint(self, call: Call, line: Line, payload: BaseModel) -> None:
        kept: AppError | None = None
        async with self._db.begin_nested():
            try:
                await line.do(call, payload)
            except AppError as error:
                if not error.keeps_work:
                    raise
                kept = error
            await self._db.flush()
        if kept is not None:
            raise kept

    async def _tell(self, command: SealedCommand, outcome: Outcome) -> None:
        number = await policy.number_of(self._db, command.target_id)
        await notifications.notify(
            self._db,
            permission="deliveries:write",
            title=f"{number}: {command.kind.replace('_', ' ')}, reported late",
            message=f"{outcome.message} ({outcome.code})",
            severity="warning",
            category="delivery",
            subject=f"delivery:{command.target_id}",
            collapse_key=f"phone-command:{command.id}",
        )
