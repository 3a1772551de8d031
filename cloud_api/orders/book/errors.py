"""What can go wrong with orders."""

from cloud_api.kernel.errors import Conflict, Invalid


class CustomerInactive(Conflict):
    """No more orders are taken from this customer."""

    code = "CUSTOMER_INACTIVE"


class TooLateToCancel(Conflict):
    """A customer gives an order up before it is packed; after that the store has to be asked."""

    code = "TOO_LATE_TO_CANCEL"


class BadOrder(Invalid):
    """An order that cannot be meant."""

    code = "BAD_ORDER"
