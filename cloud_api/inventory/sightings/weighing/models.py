"""What became of weights, and when a scale is believed."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

KINDS = ("receipt", "pick", "count", "adjustment")


class WeighingRule(OrganizationOwned, Base):
    """When a weight of a scale is believed beyond what the scale itself says. A scale without one: at once."""

    __tablename__ = "weighing_rules"
    __table_args__ = (
        UniqueConstraint("scale_id"),
        CheckConstraint("readings > 0 AND within_s > 0", name="positive"),
        same_organization("scale_id", "sensors"),
    )

    #: the sensor that speaks for the scale
    scale_id: Mapped[uuid.UUID]
    #: so many stable weights one after the other, this one included, lie within one division of it
    readings: Mapped[int]
    #: ... and all of them in this time before it
    within_s: Mapped[int]


class WeightUse(OrganizationOwned, Base):
    """What a weight was used for: once."""

    __tablename__ = "weight_uses"
    __table_args__ = (
        UniqueConstraint("weight_id"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("net_g > 0", name="net"),
        same_organization("weight_id", "weights"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
        same_organization("movement_id", "stock_movements"),
    )

    weight_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    #: without the scale's tare and the container's
    net_g: Mapped[int] = mapped_column(BigInteger)
    #: of the container that it was in
    container_g: Mapped[int] = mapped_column(BigInteger)
    #: None: of a pick
    lot_id: Mapped[uuid.UUID | None]
    location_id: Mapped[uuid.UUID | None]
    #: None: what was weighed is what the books had, or it is booked later
    movement_id: Mapped[uuid.UUID | None]
    #: `reservation:<id>`, `stock_take:<id>`; empty: neither
    reference: Mapped[str] = mapped_column(default="")
    applied_by: Mapped[uuid.UUID | None]
    applied_at: Mapped[datetime]
