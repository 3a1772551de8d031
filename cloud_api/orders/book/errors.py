"""What can go wrong with orders."""

from cloud_api.kernel.errors import AlreadyExists, Conflict, Invalid


class CustomerInactive(Conflict):
    """No more orders are taken from this customer."""

    code = "CUSTOMER_INACTIVE"


class TooLateToCancel(Conflict):
    """A customer gives an order up before it is packed; after that the store has to be asked."""

    code = "TOO_LATE_TO_CANCEL"


class BadOrder(Invalid):
    """An order that cannot be meant."""

    code = "BAD_ORDER"


class WarehouseNeeded(Invalid):
    """There are several warehouses that an order may come from, or none."""

    code = "WAREHOUSE_NEEDED"


class PriceIsTheStores(Invalid):
    """Who orders for themselves pays what the store asks."""

    code = "PRICE_IS_THE_STORES"


class CutOffPassed(Conflict):
    """The order is as good as on its way: nothing of it is changed any more."""

    code = "CUT_OFF_PASSED"


class PickingBegun(Conflict):
    """Goods are on their way into the box: other lines would leave them there."""

    code = "PICKING_BEGUN"


class AddressNotConfirmed(Conflict):
    """The map was not certain where the door is, and nobody has looked."""

    code = "ADDRESS_NOT_CONFIRMED"


class NotDelivered(Conflict):
    """What was not delivered yet is not rated."""

    code = "NOT_DELIVERED"


class AlreadyRated(AlreadyExists):
    """A delivery is rated once."""

    code = "ALREADY_RATED"
