"""`/api/v1/telemetry`: what gateways and direct clients send, and what became of it."""

import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials

from cloud_api.devices.provisioning.authenticate import digest_shown
from cloud_api.devices.sensors.known import known_sensors
from cloud_api.kernel import clock, wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.json_types import Instant
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import (
    CurrentPrincipal,
    Principal,
    check,
    checks_again,
    current_principal,
    require,
)
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry import queries
from cloud_api.telemetry.intake.direct import DirectAnswer, DirectDb, DirectReadings, take_in_direct
from cloud_api.telemetry.intake.door import Intake
from cloud_api.telemetry.intake.parcels import believed_now, open_parcel
from cloud_api.telemetry.models import DeadLetter, LaneCursor, ReadingGap, ReadingSummary
from cloud_api.telemetry.queries import Span
from cloud_api.telemetry.schemas import DeadLetterRead, GapRead, LaneRead, SummaryRead
from gateway.contract import Batch, BatchAnswer

router = APIRouter(prefix="/telemetry", tags=["telemetry"], route_class=ApiRoute)


class BatchRoute(ApiRoute):
    """The route of gateways' batches, which are most of what is ever asked: they do without resolved dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, except for gateways."""
        usual = super().get_route_handler()

        async def handle(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token.startswith("gateway."):
                return await usual(request)
            credentials = HTTPAuthorizationCredentials(scheme=scheme, credentials=token.strip())
            principal = await current_principal(request, credentials, None)
            check(principal, "telemetry:ingest")
            return await take_in_batch(request, principal, digest_shown(credentials.credentials))

        return handle


async def take_in_batch(request: Request, principal: Principal, secret_sha256: str) -> Response:
    """Store a gateway's batch together with others that wait, and answer when it is committed."""
    intake: Intake = request.app.state.intake
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else wire.MAX_BODY_BYTES
    with intake.room.take(principal.organization_id, size) as place:
        body = await wire.read_body(request)
        place.resize(len(body))
        window = believed_now(request.app.state.settings)
        parcel = open_parcel(principal.id, body, window=window, secret_sha256=secret_sha256)
        return wire.answer(await intake.store(request.app.state.database, principal.organization_id, parcel))


@checks_again
async def take_in_readings(request: Request, principal: CurrentPrincipal, db: DirectDb) -> Response:
    """A gateway's next batch: each row is stored, recognised as a duplicate, or refused by name.

    Programs that are no gateway send readings of registered sensors, with an Idempotency-Key.
    """
    if db is None:  # a gateway that shows its credential as an API key
        return await take_in_batch(request, principal, digest_shown(request.headers.get("x-api-key", "")))
    seen = await places.visible_to(db, principal)
    body, window = await wire.read_body(request), believed_now(request.app.state.settings)
    means = request.app.state.intake.means
    return wire.answer(await take_in_direct(db, body, seen=seen, window=window, means=means))


router.add_api_route(
    "/readings",
    take_in_readings,
    methods=["POST"],
    dependencies=[require("telemetry:ingest")],
    route_class_override=BatchRoute,
    **wire.documented(body=Batch | DirectReadings, answer=BatchAnswer | DirectAnswer),
)


@router.get("/summaries", response_model=list[SummaryRead], dependencies=[require("telemetry:read")])
async def list_summaries(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    gateway_id: uuid.UUID | None = None,
    sensor_id: uuid.UUID | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[SummaryRead]:
    """What is left of readings that a gateway had to thin out, the last to arrive first, calibrated."""
    found = queries.summaries(seen, _span(since, until), gateway_id=gateway_id, sensor_id=sensor_id)
    rows = await page(db, found, ReadingSummary.id, query)
    sensors = await known_sensors(db, sensor_ids={row.sensor_id for row in rows.items}, are_placed=False)
    corrected = [(row, sensors[row.sensor_id].correction_at(row.from_ms)) for row in rows.items]
    items = [
        SummaryRead(
            id=row.id,
            gateway_id=row.gateway_id,
            sensor_id=row.sensor_id,
            since=clock.from_ms(row.from_ms),
            until=clock.from_ms(row.to_ms),
            count=row.count,
            minimum=row.minimum * correction.gain + correction.offset,
            mean=row.mean * correction.gain + correction.offset,
            maximum=row.maximum * correction.gain + correction.offset,
            time_source=row.time_source,
            quality=row.quality,
        )
        for row, correction in corrected
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/gaps", response_model=list[GapRead], dependencies=[require("telemetry:read")])
async def list_gaps(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    gateway_id: uuid.UUID | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[GapRead]:
    """What gateways say will never come, and why, the last to be told first."""
    rows = await page(db, queries.gaps(seen, _span(since, until), gateway_id=gateway_id), ReadingGap.id, query)
    items = [
        GapRead(
            id=row.id,
            gateway_id=row.gateway_id,
            epoch=row.epoch,
            lane=row.lane,
            first_sequence=row.first_sequence,
            last_sequence=row.last_sequence,
            rows_gone=row.rows_gone,
            since=clock.from_ms(row.from_ms),
            until=clock.from_ms(row.to_ms),
            reason=row.reason,
        )
        for row in rows.items
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/dead-letters", response_model=list[DeadLetterRead], dependencies=[require("devices:read")])
async def list_dead_letters(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    gateway_id: uuid.UUID | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[DeadLetterRead]:
    """Rows nobody could use, newest first; of those that came in [since, until)."""
    found = queries.dead_letters(seen, since, until, gateway_id=gateway_id)
    rows = await page(db, found, DeadLetter.id, query)
    items = [
        DeadLetterRead(
            id=row.id,
            gateway_id=row.gateway_id,
            received_at=row.received_at,
            code=row.code,
            field=row.field,
            message=row.message,
            raw=row.raw.decode("utf-8", "backslashreplace"),
        )
        for row in rows.items
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/stats", response_model=list[LaneRead], dependencies=[require("devices:read")])
async def list_lanes(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], gateway_id: uuid.UUID | None = None
) -> Page[LaneCursor]:
    """What became of every lane's rows."""
    return await page(db, queries.lanes(seen, gateway_id=gateway_id), LaneCursor.id, query)


def _span(since: datetime | None, until: datetime | None) -> Span:
    return Span(None if since is None else clock.to_ms(since), None if until is None else clock.to_ms(until))
