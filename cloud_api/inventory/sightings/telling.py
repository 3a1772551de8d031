"""What readers and scales saw, and what was made of it, is announced to who watches; only the topic travels."""

import uuid
from typing import Any, Literal

from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper, object_session

from cloud_api.inventory.sightings.models import TagSighting, Weight
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.inventory.sightings.weighing.models import WeightUse
from cloud_api.realtime.hub import topic_of

Kind = Literal["passages", "tags", "weights"]
_KINDS: dict[type, Kind] = {Passage: "passages", TagSighting: "tags", Weight: "weights", WeightUse: "weights"}


def sightings_topic(organization_id: uuid.UUID, kind: Kind) -> str:
    """What is announced when an organisation's readers or scales saw something, or something was made of it."""
    return topic_of(f"sightings.{kind}", organization_id, organization_id)


def _announce(_mapper: Mapper[Any], _connection: Connection, row: Passage | TagSighting | Weight | WeightUse) -> None:
    session = object_session(row)
    if session is not None:  # `kernel.db.announce` is for who holds the session that is asynchronous
        topic = sightings_topic(row.organization_id, _KINDS[type(row)])
        session.info.setdefault("topics", set()).add(topic)


for _model in _KINDS:
    event.listen(_model, "after_insert", _announce)
event.listen(Passage, "after_update", _announce)
