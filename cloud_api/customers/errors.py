"""What can go wrong with customers."""

from cloud_api.kernel.errors import AlreadyExists, Conflict, NotFound


class NoCustomerAccount(NotFound):
    """Signed in, but not as one of the customers."""

    def __init__(self) -> None:
        super().__init__("you are signed in as none of our customers: ask us to tie your account to one")


class TiedElsewhere(AlreadyExists):
    """A person acts for one customer."""


class LastAddress(Conflict):
    """A customer has at least one door."""

    code = "LAST_ADDRESS"
