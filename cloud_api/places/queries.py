"""Which places somebody may see, as conditions on whatever hangs on one.

A person may be confined to warehouses (`WarehouseMember`). What stands in no warehouse, a vehicle and what lies in it,
is everybody's. Judges, reactions and machines are not people: they see `EVERYWHERE`.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.places.models import Location

_Key = InstrumentedAttribute[uuid.UUID] | InstrumentedAttribute[uuid.UUID | None]


@dataclass(frozen=True)
class Visible:
    """What somebody may see of the organisation's places: `select(StockLevel).where(seen.locations(...))`."""

    #: None: all of them
    warehouse_ids: frozenset[uuid.UUID] | None = None

    def shows(self, warehouse_id: uuid.UUID | None) -> bool:
        """Whether this warehouse is among them; what stands in none is."""
        return self.warehouse_ids is None or warehouse_id is None or warehouse_id in self.warehouse_ids

    def warehouses(self, warehouse_id: _Key) -> ColumnElement[bool]:
        """The same of the warehouse that a column names."""
        if self.warehouse_ids is None:
            return true()
        return or_(warehouse_id.is_(None), warehouse_id.in_(self.warehouse_ids))

    def locations(self, location_id: _Key) -> ColumnElement[bool]:
        """Whether the place that a column names is to be seen; where it names none, the answer is NULL."""
        if self.warehouse_ids is None:
            return true()
        return location_id.in_(select(Location.id).where(self.warehouses(Location.warehouse_id)))


EVERYWHERE = Visible()
