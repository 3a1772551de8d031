"""What can go wrong with orders."""

from cloud_api.kernel.errors import Conflict, Invalid


class CustomerInactive(Conflict):
    """No more orders are taken from this customer."""

    code = "CUSTOMER_INACTIVE"


class BadOrder(Invalid):
    """An order that cannot be meant."""

    code = "BAD_ORDER"
