"""What can go wrong with customers."""

from cloud_api.kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Unavailable


class NoCustomerAccount(NotFound):
    """Signed in, but not as one of the customers."""

    def __init__(self) -> None:
        super().__init__("you are signed in as none of our customers: ask us to tie your account to one")


class TiedElsewhere(AlreadyExists):
    """A person acts for one customer."""


class BadPhone(Invalid):
    """Nobody can be called under it."""

    code = "BAD_PHONE"


class CoordinatesNeeded(Invalid):
    """Nobody says where a door is, and there is no map to look in."""

    code = "COORDINATES_NEEDED"


class AddressNotFound(Invalid):
    """The map does not know an address, or a part of it."""

    code = "ADDRESS_NOT_FOUND"


class AddressAmbiguous(Invalid):
    """Several places far from one another have that address."""

    code = "ADDRESS_AMBIGUOUS"


class GeocoderNotConfigured(Invalid):
    """The platform has no map to look in."""

    code = "GEOCODER_NOT_CONFIGURED"


class GeocoderUnavailable(Unavailable):
    """The map's server does not answer, or not us."""

    code = "GEOCODER_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(
            "the map's server does not answer: try again later, or send latitude and longitude", retry_after_s=60
        )


class LastAddress(Conflict):
    """A customer has at least one door."""

    code = "LAST_ADDRESS"
