"""`/ws/dispatch/jobs/{id}`: how far a planning job is."""

import uuid
from dataclasses import dataclass

from fastapi import APIRouter, WebSocket
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.logistics.dispatch import jobs
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.schemas import PlanningJobRead
from cloud_api.places import service as places
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow, id_of

live = APIRouter()

_PACE = Pace()


@dataclass(frozen=True)
class JobView:
    """One job as `GET /dispatch/jobs/{id}` has it. Who sees its warehouse sees all of it."""

    scope: OrganizationScope
    job_id: uuid.UUID
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """The job, by its id."""
        topics = frozenset({topic_of("planning", self.scope.organization_id, self.job_id)})
        job = await db.get(PlanningJob, self.job_id)
        if job is None:
            return Picture({}, topics)
        return Picture({str(job.id): PlanningJobRead.model_validate(job).model_dump_json().encode()}, topics)


@live.websocket("/ws/dispatch/jobs/{id}")
async def follow_job(socket: WebSocket, id: str) -> None:
    """A planning job: its state, and the best plan so far, at most once a second while it runs.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, JobView]:
        principal = await watcher(socket, "dispatch:read")
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            seen = await places.visible_to(db, principal)
            job = await jobs.get_job(
                db, id_of(id, what="a job", example="/ws/dispatch/jobs/0198...", field="id"), seen=seen
            )
        return principal, JobView(principal.scope, job.id)

    await follow(socket, entitle)
