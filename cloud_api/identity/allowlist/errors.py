"""What the allow-list refuses."""

from cloud_api.kernel.errors import Conflict, Forbidden


class AddressNotAllowed(Forbidden):
    """An operation of administrators, from an address that is not on their list."""

    code = "ADDRESS_NOT_ALLOWED"

    def __init__(self) -> None:
        super().__init__("administrators' operations are not open to your address: your organisation keeps a list")


class WouldLockOut(Conflict):
    """Afterwards the caller could not undo it."""

    code = "WOULD_LOCK_YOU_OUT"

    def __init__(self, address: str) -> None:
        super().__init__(f"your own address {address} would not be allowed any more: add a range with it first")
