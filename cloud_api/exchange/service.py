"""The verbs of imports and exports: asking for a run, looking at it, and what a worker writes into it."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.exchange.entities.categories import CATEGORIES
from cloud_api.exchange.entities.customers import CUSTOMERS
from cloud_api.exchange.entities.kinds import By, Entity
from cloud_api.exchange.entities.opening_stock import OPENING_STOCK
from cloud_api.exchange.entities.products import PRODUCTS
from cloud_api.exchange.errors import NotReady
from cloud_api.exchange.models import ExportRun, ImportRun
from cloud_api.exchange.states import RUN, RunAction, RunStatus
from cloud_api.kernel import clock
from cloud_api.kernel.errors import AppError, Conflict, NotFound
from cloud_api.kernel.permissions import Principal, check
from cloud_api.kernel.tenancy import Actor
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

ENTITIES: Mapping[str, Entity] = {each.name: each for each in (PRODUCTS, CATEGORIES, CUSTOMERS, OPENING_STOCK)}
#: a worker that has not been heard for so long has fallen silent
LEASE = timedelta(seconds=60)
#: the first of what is wrong is told
TOLD = 1_000

R = TypeVar("R", bound=ImportRun | ExportRun)


class Overtaken(Conflict):
    """Another worker has taken the run up meanwhile."""

    code = "OVERTAKEN"


def entity_called(name: str) -> Entity:
    """What is imported and exported under this name.

    Raises:
        NotFound: when nothing is.
    """
    entity = ENTITIES.get(name)
    if entity is None:
        raise NotFound(f"{name!r} is not imported: one of {', '.join(ENTITIES)}", field="entity")
    return entity


async def request_import(db: AsyncSession, run: ImportRun, *, by: Principal) -> ImportRun:
    """Queue a file that has arrived, for `by`. A file that was taken in before is told, and done again.

    Raises:
        Forbidden: when `by` may not write what it says.
    """
    # pictures are shown with products
    check(by, ENTITIES.get(run.entity, PRODUCTS).write_permission)
    earlier = select(ImportRun.id).where(
        ImportRun.sha256 == run.sha256,
        ImportRun.entity == run.entity,
        ImportRun.status == RunStatus.SUCCEEDED,
        ImportRun.dry_run.is_(False),
    )
    run.same_as_id = await db.scalar(earlier.order_by(ImportRun.id.desc()).limit(1))
    _sign(run, by)
    db.add(run)
    await db.flush()
    return run


async def request_export(
    db: AsyncSession, *, entity: Entity, format: str, by: Principal, seen: Visible = EVERYWHERE
) -> ExportRun:
    """Queue a file to be written, for `by`.

    Raises:
        Forbidden: when `by` may not read what it will say.
    """
    check(by, entity.read_permission)
    run = ExportRun(entity=entity.name, format=format, of_everywhere=seen.warehouse_ids is None)
    _sign(run, by)
    db.add(run)
    await db.flush()
    return run


async def get_import(db: AsyncSession, run_id: uuid.UUID) -> ImportRun:
    """One run of an import.

    Raises:
        NotFound: when there is none.
    """
    run = await db.get(ImportRun, run_id)
    if run is None:
        raise NotFound(f"no import with id {run_id}")
    return run


async def get_export(db: AsyncSession, run_id: uuid.UUID) -> ExportRun:
    """One run of an export.

    Raises:
        NotFound: when there is none.
    """
    run = await db.get(ExportRun, run_id)
    if run is None:
        raise NotFound(f"no export with id {run_id}")
    return run


async def fetchable(db: AsyncSession, run_id: uuid.UUID, *, by: Principal, seen: Visible = EVERYWHERE) -> ExportRun:
    """An export whose file is there, when `by` may have it.

    Raises:
        NotFound: when there is none, or it tells of warehouses that `by` does not see.
        Forbidden: when `by` may not read what it says.
        NotReady: when it is not written, or could not be.
    """
    run = await get_export(db, run_id)
    check(by, entity_called(run.entity).read_permission)
    # what is one's own was made of what one saw; what others made only for who sees everything, of everything
    if run.requested_by != by.id and seen.warehouse_ids is not None:
        raise NotFound(f"no export with id {run_id}")
    if run.status != RunStatus.SUCCEEDED:
        raise NotReady(f"the export is {run.status}: " + (run.error or "ask again in a moment"))
    return run


async def hold(db: AsyncSession, model: type[R], run_id: uuid.UUID, *, attempt: int) -> R:
    """The run, locked, for the worker that took it up.

    Raises:
        Overtaken: when that is another one by now, or the run has ended.
    """
    its = select(model).where(model.id == run_id).with_for_update().execution_options(populate_existing=True)
    run = (await db.scalars(its)).one()
    if run.attempt != attempt or run.status != RunStatus.RUNNING:
        raise Overtaken(f"run {run_id} was taken up by another worker, or has ended")
    run.leased_until = clock.machine_now() + LEASE
    return run


def end(run: ImportRun | ExportRun, *, error: AppError | None = None) -> None:
    """A run is over: it succeeded, or there is an error that stopped all of it."""
    action = RunAction.SUCCEED if error is None else RunAction.FAIL
    run.status = RUN.apply(RunStatus(run.status), action)
    run.error_code, run.error = (None, None) if error is None else (error.code, error.message)
    run.finished_at, run.leased_until = clock.now(), None


async def by_of(db: AsyncSession, run: ImportRun | ExportRun) -> By:
    """For whom a run is done: people see the warehouses that they are confined to now."""
    seen, person = EVERYWHERE, run.requested_by_kind == "user"
    if person:
        seen = Visible(frozenset(await places.warehouses_of(db, run.requested_by)) or None)
    return By(run.requested_by if person else None, seen, f"import:{run.id}")


def actor_of(run: ImportRun | ExportRun) -> Actor:
    """As whom it is done, in the trail."""
    return Actor(run.requested_by_kind, run.requested_by, run.requested_by_name, "", run.organization_id)


def _sign(run: ImportRun | ExportRun, by: Principal) -> None:
    run.requested_by, run.requested_by_kind, run.requested_by_name = by.id, by.kind, by.name
    run.created_at = clock.now()
