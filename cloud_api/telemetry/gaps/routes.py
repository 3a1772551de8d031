"""`/api/v1/edge/gateways/{id}/gaps`: what is missing of what a gateway has numbered."""

import dataclasses
import uuid
from datetime import datetime, timedelta

from fastapi import APIRouter, Request

from cloud_api.devices.gateways.service import get_gateway
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute, ResponseModel
from cloud_api.kernel.json_types import Instant
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry.gaps import service as gaps
from cloud_api.telemetry.schemas import GapRead

router = APIRouter(prefix="/edge/gateways/{id}/gaps", tags=["telemetry"], route_class=ApiRoute)

_LONGEST = timedelta(days=1)


class LaneAccountRead(ResponseModel):
    """What became of the sequences of one spool's lane; of `readings` those of `backlog` among them."""

    epoch: str
    lane: str
    acked_through: int
    accepted: int
    refused: int
    #: that gaps tell of
    told: int
    #: neither stored nor refused nor told of
    missing: int
    #: of the missing so many may still come: they wait in the gateway's backlog
    waiting: int


class MissingRead(ResponseModel):
    """Sequences, both ends included, that no reading fills and no gap tells of; rows refused by name are among them."""

    epoch: str
    first: int
    last: int
    #: they may still come
    waiting: bool


class SilentSensorRead(ResponseModel):
    """A sensor whose next reading is overdue."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    #: null: never
    heard_at: datetime | None
    last_recorded_at: datetime | None
    #: how far its readings should be apart; null: nobody knows
    expected_s: float | None


class GapReportRead(ResponseModel):
    """What is missing of what a gateway has numbered; of missing sequences, gaps and sensors at most 200 each."""

    gateway_id: uuid.UUID
    since: datetime
    until: datetime
    #: since the gateway began
    lanes: list[LaneAccountRead]
    #: among readings recorded in the period
    missing: list[MissingRead]
    #: what the gateway says it has lost of the period
    gaps: list[GapRead]
    #: now
    silent_sensors: list[SilentSensorRead]


@router.get("", response_model=GapReportRead, dependencies=[require("devices:read")])
async def get_gap_report(
    request: Request,
    db: Db,
    seen: VisiblePlaces,
    id: uuid.UUID,
    since: Instant | None = None,
    until: Instant | None = None,
) -> GapReportRead:
    """Every lane's account since the beginning, exactly; which sequences are missing in a period of at most a day,
    which is the last one unless it is said; and whose readings are overdue now.
    """
    ends = until or clock.now()
    begins = since or ends - _LONGEST
    if not timedelta() < ends - begins <= _LONGEST:
        raise Invalid(
            "the period must be longer than nothing and at most a day: set until, or another since", field="since"
        )
    await get_gateway(db, id, seen=seen)
    span = {"from_ms": clock.to_ms(begins), "to_ms": clock.to_ms(ends)}
    accounts, holes = await gaps.accounts_of(db, id, store=request.app.state.reading_store, **span)
    return GapReportRead(
        gateway_id=id,
        since=begins,
        until=ends,
        lanes=[LaneAccountRead(**dataclasses.asdict(account)) for account in accounts],
        missing=[MissingRead(**dataclasses.asdict(hole)) for hole in holes],
        gaps=[
            GapRead(
                id=row.id,
                gateway_id=id,
                epoch=row.epoch,
                lane=row.lane,
                first_sequence=row.first_sequence,
                last_sequence=row.last_sequence,
                rows_gone=row.rows_gone,
                since=clock.from_ms(row.from_ms),
                until=clock.from_ms(row.to_ms),
                reason=row.reason,
            )
            for row in await gaps.told_gaps(db, id, **span)
        ],
        silent_sensors=[
            SilentSensorRead(
                sensor_id=one.sensor_id,
                location_id=one.location_id,
                code=one.code,
                quantity=one.quantity,
                heard_at=_instant(one.heard_at_ms),
                last_recorded_at=_instant(one.last_recorded_at_ms),
                expected_s=None if one.expected_ms is None else one.expected_ms / 1000,
            )
            for one in await gaps.silent_sensors(db, id, seen=seen)
        ],
    )


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else clock.from_ms(at_ms)
