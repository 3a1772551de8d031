"""`/ws/alerts` and `/ws/quality/alerts`: what goes on, and who has answered."""

import re
import uuid
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, WebSocket
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import queries
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.alerts.schemas import AlertRead
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.schemas import ExcursionRead
from cloud_api.cold_chain.excursions.states import ExcursionStatus
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ResponseModel
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places
from cloud_api.places.queries import Visible
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow

live = APIRouter()

_PACE = Pace(gather_s=0.01, look_every_s=15.0)
#: of each kind, the newest: a screen shows no more
_MOST = 500
_MOST_TYPES = 20
_TYPE = re.compile(r"[a-z_]{1,40}")
#: what the excursions of a limit are called as alerts; others are called as they are
_TYPES = {
    ("high", "temperature"): "high_temp",
    ("low", "temperature"): "low_temp",
    ("high", "humidity"): "high_humidity",
    ("low", "humidity"): "low_humidity",
}
#: what spoils food, and what keeps us from seeing that it does
QUALITY_TYPES = frozenset({*_TYPES.values(), "cumulative", "rate", "sensor_failure", "door", "calibration_due"})


@dataclass(frozen=True)
class AlertsView:
    """What is not settled: alerts that are not resolved, excursions that are not closed, as far as they may be seen."""

    scope: OrganizationScope
    seen: Visible
    #: none: of every type
    types: frozenset[str] = frozenset()
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """By id, each as the API shows it under its kind's name, newest first."""
        alerts = queries.alerts(self.seen)
        excursions = select(Excursion).where(
            Excursion.status != ExcursionStatus.CLOSED, self.seen.locations(Excursion.location_id)
        )
        if self.types:
            alerts = alerts.where(Alert.alert_type.in_(self.types))
            excursions = excursions.where(or_(*(_is_called(name) for name in sorted(self.types))))
        items = {
            str(alert.id): _item(alert.id, "alert", AlertRead.model_validate(alert), without={"is_read"})
            for alert in await db.scalars(alerts.order_by(Alert.id.desc()).limit(_MOST))
        } | {
            str(excursion.id): _item(excursion.id, "excursion", ExcursionRead.model_validate(excursion))
            for excursion in await db.scalars(excursions.order_by(Excursion.id.desc()).limit(_MOST))
        }
        organization_id = self.scope.organization_id
        return Picture(items, frozenset({topic_of("alerts", organization_id, organization_id)}))


def _item(id: uuid.UUID, kind: str, shown: ResponseModel, *, without: set[str] | None = None) -> bytes:
    return f'{{"id":"{id}","{kind}":{shown.model_dump_json(exclude=without)}}}'.encode()


def _is_called(alert_type: str) -> ColumnElement[bool]:
    """Whether an excursion is of this type."""
    for (kind, quantity), name in _TYPES.items():
        if name == alert_type:
            return and_(Excursion.kind == kind, Excursion.quantity == quantity)
    return Excursion.kind == alert_type


@live.websocket("/ws/alerts")
async def follow_alerts(socket: WebSocket) -> None:
    """Every alert that is not resolved and every excursion that is not closed, and each change of one.

    `?types=high_temp,door` leaves out the others. The token is the second subprotocol, after `bearer`. What is sent,
    and how a refusal looks, `realtime.sockets` says.
    """
    wanted = [name for name in socket.query_params.get("types", "").split(",") if name]

    async def entitle() -> tuple[Principal, AlertsView]:
        if len(wanted) > _MOST_TYPES or not all(_TYPE.fullmatch(name) for name in wanted):
            raise Invalid(f"types takes up to {_MOST_TYPES} types by commas: high_temp,door", field="types")
        return await _entitle(socket, "alerts:read", frozenset(wanted))

    await follow(socket, entitle)


@live.websocket("/ws/quality/alerts")
async def follow_quality_alerts(socket: WebSocket) -> None:
    """The same of what bears on the quality of food: temperatures, humidities, doors, sensors that are in doubt."""
    await follow(socket, partial(_entitle, socket, "quality:read", QUALITY_TYPES))


async def _entitle(socket: WebSocket, permission: str, types: frozenset[str]) -> tuple[Principal, AlertsView]:
    principal = await watcher(socket, permission)
    database: Database = socket.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        return principal, AlertsView(principal.scope, await places.visible_to(db, principal), types)
