"""What can go wrong on the road."""

from cloud_api.kernel.errors import Conflict, Forbidden, Invalid


class ProofIncomplete(Conflict):
    """A delivery needs a photo or a signature that has arrived here."""

    code = "PROOF_INCOMPLETE"


class StopsOpen(Conflict):
    """A route ends when every stop has."""

    code = "STOPS_OPEN"


class UnloadingPlaceMissing(Invalid):
    """Goods came back, and nobody says where they were put, or nowhere in that warehouse."""

    code = "UNLOADING_PLACE_MISSING"


class ClockImplausible(Invalid):
    """A phone says a time that cannot be."""

    code = "CLOCK_IMPLAUSIBLE"


class OrderNotPacked(Conflict):
    """Only what stands packed can be driven."""

    code = "ORDER_NOT_PACKED"


class AlreadyOnARoute(Conflict):
    """Another route has the order."""

    code = "ALREADY_ON_A_ROUTE"


class AlreadyDriving(Conflict):
    """A driver and a van have one route under way."""

    code = "ALREADY_DRIVING"


class RouteHasLeft(Conflict):
    """What is only possible before a van leaves."""

    code = "ROUTE_HAS_LEFT"


class RouteNotUnderWay(Conflict):
    """What is only possible on the road."""

    code = "ROUTE_NOT_UNDER_WAY"


class RouteChangedMeanwhile(Conflict):
    """Somebody else has changed the route since it was read."""

    code = "ROUTE_CHANGED_MEANWHILE"


class VehicleNotReady(Conflict):
    """The van is in the workshop, or given up."""

    code = "VEHICLE_NOT_READY"


class VehicleOverloaded(Conflict):
    """The orders weigh more than the van may carry."""

    code = "VEHICLE_OVERLOADED"


class BadRoute(Invalid):
    """A route that cannot be meant."""

    code = "BAD_ROUTE"


class WrongDoor(Conflict):
    """One confirmation is for parcels of one door."""

    code = "WRONG_DOOR"


class OtpRequired(Conflict):
    """The customer's code is needed, and none was entered."""

    code = "OTP_REQUIRED"


class OtpWrong(Conflict):
    """Not the code that was sent. The try is counted, although nothing else is kept."""

    code = "OTP_WRONG"
    keeps_work = True


class OtpLocked(Conflict):
    """Too many wrong codes: a dispatcher decides."""

    code = "OTP_LOCKED"


class OtpTooSoon(Conflict):
    """A code was sent just now."""

    code = "OTP_TOO_SOON"


class OwnOverride(Forbidden):
    """Nobody lets their own delivery pass without its code."""

    code = "OWN_OVERRIDE"


class CustomerUnreachable(Conflict):
    """Neither a number nor an address of the customer is known."""

    code = "CUSTOMER_UNREACHABLE"


class NoRelayNumber(Conflict):
    """Calls go through a number that hides both ends, and none is set."""

    code = "NO_RELAY_NUMBER"
