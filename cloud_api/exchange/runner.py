"""Working off runs: any number of workers share them; what one of them began and left, another goes on with.

An import that must be done whole, and one that only tries, is one unit of work. One that leaves bad rows out commits
piece by piece, and with each piece how far it is: who takes over begins after it, and nothing is booked twice.
"""

import asyncio
import tempfile
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.exchange import images, service, writing
from cloud_api.exchange.checking import Checked, Options, Problem, check_file
from cloud_api.exchange.entities.kinds import By, Entity, RowRefused
from cloud_api.exchange.errors import RowsRefused, TooMuch, UnreadableFile
from cloud_api.exchange.importing import Tally, apply_rows
from cloud_api.exchange.models import ExportRun, ImportRun
from cloud_api.exchange.states import RUN, RunAction, RunStatus
from cloud_api.exchange.tables import Format
from cloud_api.exchange.values import Cell, DateFormat, NumberFormat
from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.errors import AppError, NotFound, Unavailable
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.media.landing import Incoming, landing
from cloud_api.media.storage import Files

log = structlog.get_logger(__name__)

_POLL_S = 2.0
_PIECE = 100
_MOST_ATTEMPTS = 5
_MOST_EXPORTED = 250_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker took up."""

    model: type[ImportRun] | type[ExportRun]
    run_id: uuid.UUID
    scope: OrganizationScope
    #: which worker this is, of those that took it up
    attempt: int


class _TakenBack(Exception):
    """Carries what became of the rows out of a unit of work that is not to be."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally


class GaveUp(AppError):
    """Worker after worker took the run up and fell silent."""

    code = "GAVE_UP"


class Exchanger:
    """Takes queued runs, and running ones whose worker has fallen silent."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                found = await self.run_next()
            except (*DATABASE_FAILURES, Unavailable) as error:
                log.warning("exchanger_failed", error=str(error))
                found = False
            if not found:
                await asyncio.sleep(_POLL_S)

    async def run_next(self) -> bool:
        """Work off the next run, if there is one."""
        claim = await self.claim(ImportRun) or await self.claim(ExportRun)
        if claim is None:
            return False
        await self.work(claim)
        return True

    async def work(self, claim: Claim) -> None:
        """Work off a run that was claimed."""
        try:
            if claim.attempt > _MOST_ATTEMPTS:
                raise GaveUp(f"{_MOST_ATTEMPTS} workers fell silent over this file: send it in smaller parts")
            if claim.model is ImportRun:
                await self._import(claim)
            else:
                await self._export(claim)
        except Unavailable:  # somebody tries again when the lease has run out
            raise
        except service.Overtaken as error:
            log.warning("exchange_run_overtaken", run_id=str(claim.run_id), error=error.message)
        except AppError as error:
            with suppress(service.Overtaken):
                async with self._database.unit_of_work(claim.scope) as db:
                    service.end(await service.hold(db, claim.model, claim.run_id, attempt=claim.attempt), error=error)

    async def claim(self, model: type[ImportRun] | type[ExportRun]) -> Claim | None:
        """Take up the oldest run that nobody works on."""
        now = clock.machine_now()
        async with self._database.unit_of_work(SystemScope("claim an import or export")) as db:
            run = (
                await db.scalars(
                    _of(model)
                    .where(
                        model.status.in_((RunStatus.QUEUED, RunStatus.RUNNING)),
                        or_(model.leased_until.is_(None), model.leased_until < now),
                    )
                    .order_by(model.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
            ).one_or_none()
            if run is None:
                return None
            run.status = RUN.apply(RunStatus(run.status), RunAction.START)
            run.leased_until = now + service.LEASE
            run.attempt += 1
            return Claim(model, run.id, OrganizationScope(run.organization_id), run.attempt)

    async def _import(self, claim: Claim) -> None:
        async with self._database.unit_of_work(claim.scope, read_only=True) as db:
            run = await service.get_import(db, claim.run_id)
        with tempfile.TemporaryDirectory(prefix="coldfleet-import-") as folder:
            path = Path(folder) / "file"
            await self._fetch(run.storage_key, path)
            if run.entity == images.NAME:
                await self._show_pictures(claim, run, path)
                await self._files.remove(run.storage_key)
                return
            entity = service.entity_called(run.entity)
            checked = await asyncio.to_thread(check_file, path, entity, options_of(run))
            if run.dry_run or not run.skip_bad_rows:
                await self._do_whole(claim, run, entity, checked)
            else:
                await self._do_in_pieces(claim, run, entity, checked)
        await self._files.remove(run.storage_key)

    async def _do_whole(self, claim: Claim, run: ImportRun, entity: Entity, checked: Checked) -> None:
        """All rows, or none: or to see what would become of them."""
        try:
            async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
                held = await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt)
                tally = await apply_rows(db, entity, checked, checked.rows, await service.by_of(db, run))
                if run.dry_run or tally.failed:
                    raise _TakenBack(tally)
                await db.refresh(held)
                held.total = len(checked.rows)
                tally.add_to(held)
                service.end(held)
        except _TakenBack as back:
            async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
                held = await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt)
                held.total = len(checked.rows)
                if not run.dry_run:
                    back.tally.outcomes.clear()
                back.tally.add_to(held)
                service.end(held, error=None if run.dry_run else _refusal(back.tally, len(checked.rows)))

    async def _do_in_pieces(self, claim: Claim, run: ImportRun, entity: Entity, checked: Checked) -> None:
        """Those rows that can be done."""
        done, total = run.done_rows, len(checked.rows)
        while True:
            async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
                held = await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt)
                piece = checked.rows[done : done + _PIECE]
                tally = await apply_rows(db, entity, checked, piece, await service.by_of(db, run))
                await db.refresh(held)
                held.total = total
                tally.add_to(held)
                held.leased_until = clock.machine_now() + service.LEASE
                done += len(piece)
                if done >= total:
                    service.end(held)
                    return

    async def _show_pictures(self, claim: Claim, run: ImportRun, path: Path) -> None:
        """One after the other: what was shown before is shown already."""
        pictures = await asyncio.to_thread(images.pictures_of, path)
        for picture in pictures[run.done_rows :]:
            try:
                await self._show(claim, run, path, picture, len(pictures))
            except (Unavailable, service.Overtaken):
                raise
            except (RowRefused, AppError) as error:
                tally = Tally(problems=[Problem(picture.number, picture.name, str(error))], failed=1)
                await self._count(claim, run, tally, len(pictures))
        async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
            service.end(await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt))

    async def _show(self, claim: Claim, run: ImportRun, path: Path, picture: images.Picture, total: int) -> None:
        mime, unpacked = images.mime_of(picture), path.with_suffix(".picture")
        sha256, size_bytes = await asyncio.to_thread(images.unpack, path, picture, unpacked)
        incoming = Incoming(unpacked, sha256, size_bytes)
        async with (
            landing(self._files, incoming, organization_id=claim.scope.organization_id, mime=mime) as landed,
            self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db,
        ):
            held = await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt)
            product_id = await images.product_of(db, picture)
            outcome = await images.show(db, product_id, picture, landed, await service.by_of(db, run))
            held.total = total
            Tally(outcomes=Counter([outcome])).add_to(held)

    async def _count(self, claim: Claim, run: ImportRun, tally: Tally, total: int) -> None:
        async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
            held = await service.hold(db, ImportRun, claim.run_id, attempt=claim.attempt)
            held.total = total
            tally.add_to(held)

    async def _export(self, claim: Claim) -> None:
        async with self._database.unit_of_work(claim.scope, read_only=True) as db:
            run = await service.get_export(db, claim.run_id)
            rows = await collect(db, service.entity_called(run.entity), await service.by_of(db, run))
        key = f"{claim.scope.organization_id.hex}/exchange/{run.id.hex}"
        with tempfile.TemporaryDirectory(prefix="coldfleet-export-") as folder:
            path = Path(folder) / "file"
            columns = [column.name for column in service.entity_called(run.entity).columns]
            await asyncio.to_thread(writing.write, path, cast(Format, run.format), columns, rows)
            size_bytes = (await asyncio.to_thread(path.stat)).st_size
            await self._files.put(key, path)
        async with self._database.unit_of_work(claim.scope, actor=service.actor_of(run)) as db:
            held = await service.hold(db, ExportRun, claim.run_id, attempt=claim.attempt)
            held.total, held.size_bytes, held.storage_key = len(rows), size_bytes, key
            service.end(held)

    async def _fetch(self, key: str, path: Path) -> None:
        try:
            pieces = await self._files.open(key)
        except NotFound:
            raise UnreadableFile("the file that was sent is gone: send it again") from None
        with await asyncio.to_thread(path.open, "wb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)


async def collect(db: AsyncSession, entity: Entity, by: By) -> list[Mapping[str, Cell]]:
    """All rows of an export.

    Raises:
        TooMuch: when there are more than a file may have.
    """
    rows: list[Mapping[str, Cell]] = []
    async for row in entity.export(db, by):
        rows.append(row)
        if len(rows) > _MOST_EXPORTED:
            raise TooMuch(f"there are more than {_MOST_EXPORTED:,} rows: fetch them by the API, page by page")
    return rows


def _of(model: type[ImportRun] | type[ExportRun]) -> Select[tuple[ImportRun]] | Select[tuple[ExportRun]]:
    return select(ImportRun) if model is ImportRun else select(ExportRun)


def options_of(run: ImportRun) -> Options:
    """How its file is read."""
    said = run.options
    return Options(
        cast(Format, run.format),
        cast(DateFormat, said["date_format"]),
        cast(NumberFormat, said["number_format"]),
        cast(dict[str, str], said["mapping"]),
    )


def _refusal(tally: Tally, total: int) -> RowsRefused:
    return RowsRefused(
        f"{tally.failed} of {total} rows cannot be done, so none was: correct them, or leave them out "
        "(skip_bad_rows=true)"
    )
