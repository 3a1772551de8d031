"""What the fleet refuses."""

from cloud_api.kernel.errors import Conflict, Invalid


class VehicleOnRoute(Conflict):
    """It has a route that is not over."""

    code = "VEHICLE_ON_ROUTE"


class CompartmentsTooLarge(Invalid):
    """The parts carry more than the whole."""

    code = "COMPARTMENTS_TOO_LARGE"


class DriverMissing(Invalid):
    """Nobody active here has this id."""

    code = "DRIVER_MISSING"
