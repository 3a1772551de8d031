"""`/api/v1/activity`: who did what, when, out of the trail. Values stay there; so does what concerns sign-ins."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cloud_api.audit import queries
from cloud_api.audit.models import AuditEntry
from cloud_api.audit.schemas import ActivityFeedRead
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.json_types import Instant
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/activity", tags=["audit"], route_class=ApiRoute)


@router.get("", response_model=list[ActivityFeedRead], dependencies=[require("audit:read")])
async def list_activity(
    db: Db,
    query: Annotated[PageQuery, Depends()],
    actor: uuid.UUID | None = None,
    entity: Annotated[str | None, Query(max_length=100)] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
) -> Page[ActivityFeedRead]:
    """Newest first."""
    rows = await page(db, queries.activity(actor=actor, entity=entity, since=since), AuditEntry.id, query)
    return Page([_read(entry) for entry in rows.items], rows.limit, rows.next_cursor)


def _read(entry: AuditEntry) -> ActivityFeedRead:
    said = {name: getattr(entry, name) for name in ActivityFeedRead.model_fields if name != "changed"}
    return ActivityFeedRead.model_validate({**said, "changed": sorted({*(entry.old or ()), *(entry.new or ())})})
