"""What logistics does when it hears other rooms, and its own."""

from cloud_api.kernel.outbox import Subscription
from cloud_api.logistics.deliveries.reactions import REACTIONS as DELIVERIES
from cloud_api.logistics.dispatch.reactions import REACTIONS as DISPATCH
from cloud_api.logistics.messages.reactions import REACTIONS as MESSAGES
from cloud_api.logistics.sync.reactions import REACTIONS as SYNC
from cloud_api.logistics.tracking.reactions import REACTIONS as TRACKING

REACTIONS: list[Subscription] = [
    *DELIVERIES,
    *DISPATCH,
    *MESSAGES,
    *SYNC,
    *TRACKING,
]
