"""Events on their way, for the operations of `/api/v1/admin/outbox`."""

import uuid

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.tenancy import SystemScope
from tests.architecture.worlds import World


async def a_parked_event(world: World) -> str:
    """One that no reaction is there for any more: nothing comes of trying it again."""
    id, now = uuid.uuid4(), clock.machine_now()
    async with world.platform.database.unit_of_work(SystemScope("test")) as db:
        owner = world.tenant.organization.organization_id
        told = {"type": "ShelvesMoved", "payload": {}, "emitted_at": now, "request_id": "", "dispatched_at": now}
        db.add(OutboxEvent(id=id, organization_id=owner, **told))
        await db.flush()
        db.add(OutboxDelivery(event_id=id, reaction="shelves.count", due_at=now, state="parked", attempts=8))
    return str(id)
