"""What can go wrong when a day is planned."""

from cloud_api.kernel.errors import Conflict


class NothingToPlan(Conflict):
    """No packed order, or no van."""

    code = "NOTHING_TO_PLAN"


class WarehouseWithoutCoordinates(Conflict):
    """Routes start at the warehouse: its coordinates are needed."""

    code = "WAREHOUSE_WITHOUT_COORDINATES"
