"""What sightings do when they hear themselves: reads are joined into passages, and passages booked."""

from cloud_api.inventory.sightings.events import PassageReady, TagsSeen
from cloud_api.inventory.sightings.portals.booking import book_passage
from cloud_api.inventory.sightings.portals.following import follow_tags
from cloud_api.kernel.outbox import Subscription, reaction

REACTIONS: list[Subscription] = [
    reaction(TagsSeen, "inventory.follow_tags", follow_tags),
    reaction(PassageReady, "inventory.book_passage", book_passage),
]
