"""`POST /api/v1/alerts/rules/{id}/test` and `POST /api/v1/excursions/{id}/reset`."""

import uuid
from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Request

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.schemas import ExcursionRead
from cloud_api.cold_chain.judging import replay, service
from cloud_api.cold_chain.judging.schemas import RuleTest, RuleTestRead, TriedBreach
from cloud_api.cold_chain.rules.known import check, known
from cloud_api.cold_chain.rules.service import get_rule
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["cold chain"], route_class=ApiRoute)

_LONGEST = timedelta(days=92)


@router.post("/alerts/rules/{id}/test", response_model=RuleTestRead, dependencies=[require("alerts:write")])
async def try_rule(request: Request, db: Db, seen: VisiblePlaces, id: uuid.UUID, body: RuleTest) -> RuleTestRead:
    """What the rule, changed so, would have raised of the readings that are there. Nothing is written."""
    until = body.until or clock.now()
    if not body.since < until <= body.since + _LONGEST:
        raise Invalid(f"`since` lies before `until`, and at most {_LONGEST.days} days before", field="since")
    changes = body.model_dump(exclude={"since", "until"}, exclude_none=True)
    rule = replace(known(await get_rule(db, id, seen=seen)), **changes)
    check(rule)
    since_ms, until_ms = clock.to_ms(body.since), clock.to_ms(until)
    store = request.app.state.reading_store
    would_be = await replay.replay(db, rule, store=store, since_ms=since_ms, until_ms=until_ms)
    were = await replay.raised(db, rule.id, since_ms=since_ms, until_ms=until_ms)
    return RuleTestRead(
        would_be=[
            TriedBreach(
                sensor_id=one.sensor_id,
                started_at=clock.from_ms(one.breach.started_at_ms),
                raised_at=clock.from_ms(one.breach.raised_at_ms),
                ended_at=None if one.breach.ended_at_ms is None else clock.from_ms(one.breach.ended_at_ms),
                peak_value=one.breach.peak,
            )
            for one in would_be
        ],
        were=[TriedBreach.model_validate(one) for one in were],
    )


@router.post("/excursions/{id}/reset", response_model=ExcursionRead, dependencies=[require("alerts:ack")])
async def reset_excursion(
    request: Request, db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID
) -> Excursion:
    """Take the latch off: it is over when the value is."""
    store = request.app.state.reading_store
    return await service.reset_excursion(db, id, user_id=principal.id, store=store, seen=seen)
