"""`/api/v1/evidence`, and how long sensors were in excursion."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.evidence import gathering, minutes, service
from cloud_api.cold_chain.evidence.errors import BadPeriod
from cloud_api.cold_chain.evidence.schemas import MinutesRead, PublicKeyRead, SensorMinutes
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import require
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.unit_of_work import Db, system_unit_of_work
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry.stores.port import ReadingStore

router = APIRouter(tags=["cold chain"], route_class=ApiRoute)

_PIECE = 1 << 16
_USUAL = timedelta(days=7)
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "report.pdf, tables, signature, verify.py"}
}
_MakesKey = Annotated[
    AsyncSession, Depends(system_unit_of_work("show the key that evidence is signed with"), scope="function")
]


@router.get("/excursions/minutes", response_model=MinutesRead, dependencies=[require("alerts:read")])
async def excursion_minutes(
    db: Db,
    seen: VisiblePlaces,
    since: datetime,
    until: datetime,
    location_id: uuid.UUID | None = None,
    sensor_id: Annotated[list[uuid.UUID] | None, Query(max_length=1_000)] = None,
) -> MinutesRead:
    """How long each sensor was in excursion in [since, until); a sensor that is missing was not."""
    if since.tzinfo is None or until.tzinfo is None or since >= until:
        raise BadPeriod("since must lie before until, both with their zones", field="since")
    inside = None
    if location_id is not None:
        await places.get_location(db, location_id, seen=seen)
        inside = await places.within(db, location_id)
    found = await minutes.in_excursion(
        db, since=since, until=until, location_ids=inside, sensor_ids=sensor_id, seen=seen
    )
    return MinutesRead(
        since=since,
        until=until,
        sensors=[
            SensorMinutes(sensor_id=key, minutes=round(minutes.minutes(spans), 2), excursions=len(spans))
            for key, spans in found.items()
        ],
    )


@router.get("/evidence/key", response_model=PublicKeyRead)
async def get_evidence_key(db: _MakesKey) -> PublicKeyRead:
    """The public key that evidence is signed with: for auditors, who need no account to look at it."""
    return PublicKeyRead(algorithm="Ed25519", public_key=await service.public_key(db))


@router.get(
    "/evidence/places/{location_id}",
    dependencies=[require("alerts:read")],
    response_model=None,
    response_class=StreamingResponse,
    responses=_ZIP,
)
async def get_place_evidence(
    request: Request,
    db: Db,
    seen: VisiblePlaces,
    location_id: uuid.UUID,
    since: datetime | None = None,
    until: datetime | None = None,
) -> StreamingResponse:
    """What was measured in a place and everything inside it, as a ZIP that can be verified without us.

    Of the last seven days, unless told otherwise.
    """
    store: ReadingStore = request.app.state.reading_store
    until = until or clock.now()
    since = since or until - _USUAL
    case = await gathering.of_place(db, location_id, since=since, until=until, store=store, seen=seen)
    return await _answer(request, db, case)


@router.get(
    "/evidence/lots/{lot_id}",
    dependencies=[require("alerts:read")],
    response_model=None,
    response_class=StreamingResponse,
    responses=_ZIP,
)
async def get_lot_evidence(
    request: Request,
    db: Db,
    seen: VisiblePlaces,
    lot_id: uuid.UUID,
    since: datetime | None = None,
    until: datetime | None = None,
) -> StreamingResponse:
    """What was measured where a lot lay, from when it was received, as a ZIP that can be verified without us."""
    store: ReadingStore = request.app.state.reading_store
    case = await gathering.of_lot(db, lot_id, since=since, until=until, store=store, seen=seen)
    return await _answer(request, db, case)


async def _answer(request: Request, db: AsyncSession, case: gathering.Case) -> StreamingResponse:
    settings: Settings = request.app.state.settings
    sealed = await service.seal(db, request.app.state.database, case, public_url=settings.public_url)
    name = f"evidence-{case.subject.replace(' ', '-')}-{case.made_at:%Y%m%dT%H%M%SZ}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(sealed.length)}
    return StreamingResponse(_pieces(sealed.file), media_type="application/zip", headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
