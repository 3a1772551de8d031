"""What excursions did to lots."""

import uuid
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class LotExposure(OrganizationOwned, Base):
    """How far a lot that lay in the place of an excursion was beyond its limit. Reckoned anew when either changes."""

    __tablename__ = "lot_exposures"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("excursion_id", "lot_id", "location_id"),
        Index("ix_lot_exposures_lot_id", "lot_id"),
        same_organization("excursion_id", "excursions", ondelete="CASCADE"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
        same_organization("sensor_id", "sensors"),
    )

    excursion_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    #: where the lot lay: the place of the excursion, or one inside it
    location_id: Mapped[uuid.UUID]
    sensor_id: Mapped[uuid.UUID]
    quantity: Mapped[str]
    unit: Mapped[str]
    kind: Mapped[str]
    #: the limit
    set_at: Mapped[float]
    #: when the lot began to lie there in the excursion, and when that was over; None: it goes on
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]
    #: beyond the limit
    minutes: Mapped[float]
    #: what it was beyond, in the unit of the quantity, integrated over minutes
    degree_minutes: Mapped[float]
    #: the worst value that the lot lay in; None: nothing was measured
    peak: Mapped[float | None]
    #: of a temperature; over all the time that the lot lay there in the excursion
    mean_kinetic_c: Mapped[float | None]
