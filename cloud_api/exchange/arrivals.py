"""What routes ask for to have a file here, or in the store, before their unit of work begins."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from cloud_api.exchange.checking import Options
from cloud_api.exchange.errors import UnreadableFile, WrongColumns
from cloud_api.exchange.models import ImportRun
from cloud_api.exchange.tables import Format
from cloud_api.exchange.values import DateFormat, NumberFormat
from cloud_api.exchange.writing import MEDIA_TYPES
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.unit_of_work import pass_gates
from cloud_api.media.landing import Incoming, arriving
from cloud_api.media.schemas import FileName
from cloud_api.media.storage import Files

MOST_BYTES = 25_000_000
_BYTES = {"schema": {"type": "string", "format": "binary"}}
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys((*MEDIA_TYPES.values(), "application/octet-stream"), _BYTES),
    }
}
ZIP_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/zip": _BYTES}}}


def _options(
    format: Annotated[Format, Query()] = "csv",
    date_format: Annotated[DateFormat, Query(description="How dates are written that are not ISO 8601.")] = "iso",
    number_format: Annotated[NumberFormat, Query(description="How numbers are grouped.")] = "plain",
    map: Annotated[
        list[str] | None, Query(max_length=200, description="A column that is called otherwise, as `Item no:sku`.")
    ] = None,
) -> Options:
    mapping = {}
    for each in map or []:
        name, colon, target = each.rpartition(":")
        if not colon or not name or not target:
            raise WrongColumns("write the mapping as `Column of the file:field`", field="map")
        mapping[name] = target
    return Options(format, date_format, number_format, mapping)


FileOptions = Annotated[Options, Depends(_options)]


async def _here(request: Request, principal: CurrentPrincipal) -> AsyncIterator[Incoming]:
    """The body as a file of this machine, for the length of the request."""
    await pass_gates(request, principal)
    folder = request.app.state.settings.media_folder
    async with arriving(request.stream(), folder=folder, at_most_bytes=MOST_BYTES) as incoming:
        request.state.body_sha256 = incoming.sha256
        if not incoming.size_bytes:
            raise UnreadableFile("the file is empty: send its bytes as the body", field="body")
        yield incoming


HereFile = Annotated[Incoming, Depends(_here, scope="function")]


class StoredFile:
    """A file in the store, under the id of the run that is to be made of it."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        #: a row of this unit of work speaks of it
        self.used = False


async def _stored(
    request: Request,
    principal: CurrentPrincipal,
    incoming: HereFile,
    name: Annotated[FileName, Query()] = "import",
    dry_run: bool = False,
    skip_bad_rows: bool = False,
) -> AsyncIterator[StoredFile]:
    files, run_id = Files.of(request.app.state.settings), new_id()
    key = f"{principal.organization_id.hex}/exchange/{run_id.hex}"
    await files.put(key, incoming.path)
    stored = StoredFile(
        ImportRun(
            id=run_id,
            dry_run=dry_run,
            skip_bad_rows=skip_bad_rows,
            problems=[],
            file_name=name,
            sha256=incoming.sha256,
            size_bytes=incoming.size_bytes,
            storage_key=key,
        )
    )
    try:
        yield stored
    finally:
        if not stored.used:
            await files.remove(key)


ArrivedFile = Annotated[StoredFile, Depends(_stored, scope="function")]
