"""`/api/v1/imports`, `/api/v1/exports`, and both of products."""

import asyncio
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.exchange import images, service, writing
from cloud_api.exchange.arrivals import FILE_BODY, MOST_BYTES, ZIP_BODY, ArrivedFile, FileOptions, HereFile, StoredFile
from cloud_api.exchange.checking import Options, check_file
from cloud_api.exchange.entities.kinds import By, Entity
from cloud_api.exchange.entities.products import PRODUCTS
from cloud_api.exchange.models import ExportRun, ImportRun
from cloud_api.exchange.runner import collect
from cloud_api.exchange.schemas import (
    EntityName,
    ExportRunCreate,
    ExportRunRead,
    ImportRead,
    ImportSummaryRead,
    ProblemRead,
    ValidationRead,
)
from cloud_api.exchange.tables import Format
from cloud_api.exchange.values import Cell
from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media.storage import Files
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces

imports = APIRouter(prefix="/imports", tags=["exchange"], route_class=ApiRoute)
exports = APIRouter(prefix="/exports", tags=["exchange"], route_class=ApiRoute)
products = APIRouter(prefix="/warehouse/products", tags=["exchange"], route_class=ApiRoute)

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    "200": {"description": "The file", "content": dict.fromkeys(writing.MEDIA_TYPES.values(), _BYTES)}
}
IMPORTING = [require("imports:run")]
EXPORTING = [require("exports:run")]


@imports.get("", response_model=list[ImportSummaryRead], dependencies=IMPORTING)
async def list_imports(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[ImportRun]:
    """Newest first."""
    return await page(db, select(ImportRun), ImportRun.id, query)


@imports.post("", response_model=ImportRead, status_code=202, dependencies=IMPORTING, openapi_extra=FILE_BODY)
@takes_up_to(MOST_BYTES)
async def start_import(
    file: ArrivedFile, db: Db, principal: CurrentPrincipal, options: FileOptions, entity: EntityName
) -> ImportRun:
    """The file's bytes as the body. `dry_run` tells what would become of its rows, and writes none.

    One bad row stops all of them, unless `skip_bad_rows`. A row that is there already changes nothing, so the same
    file may be sent again. An empty cell leaves what is there.
    """
    return await _queue(db, file, service.entity_called(entity), options, principal)


@imports.post("/validate", response_model=ValidationRead, dependencies=IMPORTING, openapi_extra=FILE_BODY)
@takes_up_to(MOST_BYTES)
async def validate_import(file: HereFile, options: FileOptions, entity: EntityName) -> ValidationRead:
    """What is wrong with a file by itself: its columns, its cells, and rows that are there twice."""
    checked = await asyncio.to_thread(check_file, file.path, service.entity_called(entity), options)
    problems = checked.problems
    return ValidationRead(
        format=options.format,
        encoding=checked.table.encoding,
        delimiter=checked.table.delimiter,
        total=len(checked.rows),
        failed=sum(not isinstance(said, Mapping) for _, said in checked.rows),
        columns=dict(checked.columns),
        ignored=checked.ignored,
        problems=[ProblemRead(**asdict(problem)) for problem in problems[: service.TOLD]],
    )


@imports.post("/images", response_model=ImportRead, status_code=202, dependencies=IMPORTING, openapi_extra=ZIP_BODY)
@takes_up_to(MOST_BYTES)
async def import_images(file: ArrivedFile, db: Db, principal: CurrentPrincipal) -> ImportRun:
    """A zip of pictures as the body, each named after a product's sku; those that cannot be shown are told."""
    run = file.run
    if run.dry_run:
        raise Invalid("pictures are shown at once: nothing is tried", field="dry_run")
    run.entity, run.format, run.options, run.skip_bad_rows = images.NAME, "zip", {}, True
    queued = await service.request_import(db, run, by=principal)
    file.used = True
    return queued


@imports.get(
    "/templates/{entity}", response_model=None, response_class=Response, responses=_FILE, dependencies=IMPORTING
)
async def get_import_template(entity: str, format: Annotated[Format, Query()] = "xlsx") -> Response:
    """A file with all columns and one row, to be filled in."""
    known = service.entity_called(entity)
    row: dict[str, Cell] = {column.name: column.example for column in known.columns}
    return await _written(known, format, [row], name=f"{entity}-template")


@imports.get("/{id}", response_model=ImportRead, dependencies=IMPORTING)
async def get_import(db: Db, id: uuid.UUID) -> ImportRun:
    """How far it is, and what was wrong with its rows."""
    return await service.get_import(db, id)


@exports.get("", response_model=list[ExportRunRead], dependencies=EXPORTING)
async def list_exports(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[ExportRun]:
    """Newest first."""
    return await page(db, select(ExportRun), ExportRun.id, query)


@exports.post("", response_model=ExportRunRead, status_code=202, dependencies=EXPORTING)
async def start_export(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: ExportRunCreate) -> ExportRun:
    """Have a file written of all there is; of stock, in the warehouses that the caller sees."""
    entity = service.entity_called(body.entity)
    return await service.request_export(db, entity=entity, format=body.format, by=principal, seen=seen)


@exports.get("/{id}", response_model=ExportRunRead, dependencies=EXPORTING)
async def get_export(db: Db, id: uuid.UUID) -> ExportRun:
    """Whether the file is there."""
    return await service.get_export(db, id)


async def _fetchable(request: Request, principal: CurrentPrincipal, id: uuid.UUID) -> ExportRun:
    """The export of the path, in a unit of work that is over when its bytes are fetched."""
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        return await service.fetchable(db, id, by=principal, seen=await places.visible_to(db, principal))


@exports.get("/{id}/download", response_model=None, response_class=Response, responses=_FILE, dependencies=EXPORTING)
async def download_export(request: Request, run: Annotated[ExportRun, Depends(_fetchable)]) -> Response:
    """The file."""
    pieces = await Files.of(request.app.state.settings).open(run.storage_key or "")
    kind = writing.MEDIA_TYPES[run.format]  # type: ignore[index]  # the database holds no other
    return StreamingResponse(pieces, media_type=kind, headers=_named(f"{run.entity}.{run.format}"))


@products.get(
    "/export",
    response_model=None,
    response_class=Response,
    responses=_FILE,
    dependencies=[require("products:read")],
)
async def export_products(db: Db, format: Annotated[Format, Query()] = "csv") -> Response:
    """The catalogue as one file, that can be imported again."""
    return await _written(PRODUCTS, format, await collect(db, PRODUCTS, By()), name="products")


@products.post(
    "/import",
    response_model=ImportRead,
    status_code=202,
    dependencies=[require("products:write")],
    openapi_extra=FILE_BODY,
)
@takes_up_to(MOST_BYTES)
async def import_products(file: ArrivedFile, db: Db, principal: CurrentPrincipal, options: FileOptions) -> ImportRun:
    """As `/api/v1/imports` of products."""
    return await _queue(db, file, PRODUCTS, options, principal)


async def _queue(
    db: AsyncSession, file: StoredFile, entity: Entity, options: Options, principal: Principal
) -> ImportRun:
    run = file.run
    run.entity, run.format = entity.name, options.format
    run.options = {
        "date_format": options.date_format,
        "number_format": options.number_format,
        "mapping": dict(options.mapping),
    }
    queued = await service.request_import(db, run, by=principal)
    file.used = True
    return queued


async def _written(entity: Entity, format: Format, rows: Sequence[Mapping[str, Cell]], *, name: str) -> Response:
    def write() -> bytes:
        with tempfile.TemporaryDirectory(prefix="coldfleet-export-") as folder:
            path = Path(folder) / "file"
            writing.write(path, format, [column.name for column in entity.columns], rows)
            return path.read_bytes()

    content = await asyncio.to_thread(write)
    return Response(content, media_type=writing.MEDIA_TYPES[format], headers=_named(f"{name}.{format}"))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
