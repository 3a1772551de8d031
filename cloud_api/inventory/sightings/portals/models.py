"""Rules of portals, and the passages of tags through them."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.inventory.sightings.portals.states import PassageStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

DIRECTIONS = ("in", "out", "both")
ACTIONS = ("transfer", "receive", "ship", "ignore")
MODES = ("propose", "automatic")
_OPEN = text("status = 'open'")
_PROPOSED = text("status = 'proposed'")


class PortalRule(Versioned, OrganizationOwned, Base):
    """What is booked when a tag passes a reader, or any reader of a place, in a direction."""

    __tablename__ = "portal_rules"
    __table_args__ = (
        UniqueConstraint("organization_id", "applies_to", "direction"),
        CheckConstraint("(reader_id IS NULL) <> (location_id IS NULL)", name="of_one"),
        CheckConstraint(f"direction IN {DIRECTIONS}", name="direction"),
        CheckConstraint(f"action IN {ACTIONS}", name="action"),
        CheckConstraint(f"mode IN {MODES}", name="mode"),
        CheckConstraint("window_s > 0 AND max_age_s > 0", name="durations"),
        CheckConstraint("(to_location_id IS NOT NULL) = (action IN ('transfer', 'receive'))", name="destination"),
        same_organization("reader_id", "sensors"),
        same_organization("location_id", "locations"),
        same_organization("to_location_id", "locations"),
    )

    #: the id of the reader or the place: neither of the next two can stand in a unique key, for one is always NULL
    applies_to: Mapped[uuid.UUID]
    #: the sensor that speaks for the reader
    reader_id: Mapped[uuid.UUID | None]
    location_id: Mapped[uuid.UUID | None]
    #: both: whichever way, also when nobody knows
    direction: Mapped[str]
    action: Mapped[str]
    to_location_id: Mapped[uuid.UUID | None]
    mode: Mapped[str]
    #: reads of a tag that are no further apart are one passage
    window_s: Mapped[int]
    #: what was seen longer ago than this is never booked by itself
    max_age_s: Mapped[int]
    created_at: Mapped[datetime]


class Passage(OrganizationOwned, Base):
    """A tag that passed a reader: all its reads of which none is further from the next than the window."""

    __tablename__ = "tag_passages"
    __audited__ = False
    __table_args__ = (
        Index("ix_tag_passages_reader_id_epc", "reader_id", "epc", "began_at"),
        Index("ix_tag_passages_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_tag_passages_proposed", "organization_id", "id", sqlite_where=_PROPOSED, postgresql_where=_PROPOSED),
        CheckConstraint(f"status IN {tuple(map(str, PassageStatus))}", name="status"),
        CheckConstraint("began_at <= ended_at", name="times"),
        same_organization("reader_id", "sensors"),
        same_organization("location_id", "locations"),
        same_organization("tag_id", "rfid_tags"),
        same_organization("from_location_id", "locations"),
        same_organization("to_location_id", "locations"),
    )

    #: the sensor that speaks for the reader
    reader_id: Mapped[uuid.UUID]
    #: where the reader was when it began
    location_id: Mapped[uuid.UUID | None]
    epc: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    reads: Mapped[int]
    #: which saw it first and last; None: the reader does not tell
    first_antenna: Mapped[int | None]
    last_antenna: Mapped[int | None]
    #: as the reader itself has it
    told_direction: Mapped[str]
    #: in, out or unknown; what `settling` made of the antennas
    direction: Mapped[str]
    status: Mapped[str] = mapped_column(default=PassageStatus.OPEN)
    #: why it is a proposal, or nothing is booked of it: a code, and in words
    reason: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    #: of an open one: when it is over if no more is told of it
    due_at: Mapped[datetime]
    #: what its tag was on, and what its rule says, when it was settled
    tag_id: Mapped[uuid.UUID | None]
    action: Mapped[str] = mapped_column(default="ignore")
    from_location_id: Mapped[uuid.UUID | None]
    to_location_id: Mapped[uuid.UUID | None]
    #: what was booked of it in the ledger
    group_id: Mapped[uuid.UUID | None]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[datetime | None]
    #: of reads that came late: they showed that this is the same passage as another
    merged_into_id: Mapped[uuid.UUID | None]
