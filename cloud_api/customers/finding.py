"""Where an address is: asked of a map's server, outside any unit of work, for it may take seconds.

The server is Nominatim, or what speaks as it does, under `geocoder_url`. Its answers are kept in a file beside the
platform's others.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from cloud_api.customers.errors import (
    AddressAmbiguous,
    AddressNotFound,
    GeocoderNotConfigured,
    GeocoderUnavailable,
)
from cloud_api.kernel.settings import Settings
from route_optimizer import geocoding
from route_optimizer.geocoding import Geocoder, Limiter, Match
from route_optimizer.matrices.calls import Patience
from route_optimizer.validation import ProblemError

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: somebody waits for the answer
_PATIENCE = Patience(timeout_s=5.0, tries=2)


@dataclass(frozen=True, slots=True)
class Located:
    """What the map says of an address."""

    latitude: float
    longitude: float
    #: one of `models.PRECISIONS`
    precision: str
    #: as the map writes it
    address: str


@dataclass(frozen=True, slots=True)
class Sought:
    """An address that is looked for."""

    address: str
    city: str = ""
    postal_code: str = ""
    #: what its fields are called in the request: `addresses.0.`
    within: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return ", ".join(part for part in (self.address, self.area) if part)

    @property
    def area(self) -> str:
        """All but street and number."""
        return " ".join(part for part in (self.postal_code, self.city) if part)


class AddressFinder:
    """The map's server, as the process is told of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limiter = Limiter(settings.geocoder_interval_s)
        self._by_country: dict[str, Geocoder] = {}

    @property
    def is_configured(self) -> bool:
        """Whether there is a server to ask."""
        return bool(self._settings.geocoder_url)

    async def find(self, sought: Sought, *, country: str) -> Located:
        """Where an address is.

        Args:
            country: ISO 3166 code: it is looked for nowhere else.

        Raises:
            GeocoderNotConfigured: when there is no server to ask.
            AddressNotFound: naming the part that the map does not know.
            AddressAmbiguous: naming the places that it may be.
            GeocoderUnavailable: when the server does not answer, or not us.
        """
        geocoder = self._of(country)
        try:
            return _located(await _asked(lambda: geocoder.find(sought.text), sought))
        except geocoding.AddressAmbiguous as error:
            names = "; ".join(match.address for match in error.candidates)
            raise AddressAmbiguous(
                f"{sought.text!r} may be {names}: say more of it, or send latitude and longitude",
                field=f"{sought.within}address",
            ) from None
        except geocoding.AddressNotFound:
            raise await self._missing(geocoder, sought) from None

    async def candidates(self, sought: Sought, *, country: str) -> Sequence[Located]:
        """All that an address may be, likeliest first. Raises as `find`, but for what is ambiguous."""
        geocoder = self._of(country)
        found = await _asked(lambda: geocoder.candidates(sought.text), sought)
        if not found:
            raise await self._missing(geocoder, sought)
        return [_located(match) for match in found]

    async def _missing(self, geocoder: Geocoder, sought: Sought) -> AddressNotFound:
        """Which part of it is not on the map."""
        if sought.area and not await _asked(lambda: geocoder.candidates(sought.area), sought):
            field = "city" if sought.city else "postal_code"
            return AddressNotFound(
                f"the map knows no {sought.area!r}: correct it, or send latitude and longitude",
                field=f"{sought.within}{field}",
            )
        place = f" in {sought.area}" if sought.area else ""
        return AddressNotFound(
            f"the map knows no {sought.address!r}{place}: correct it, or send latitude and longitude",
            field=f"{sought.within}address",
        )

    def _of(self, country: str) -> Geocoder:
        if not self.is_configured:
            raise GeocoderNotConfigured(
                "this platform is not told of a map to look in (COLDFLEET_GEOCODER_URL): send latitude and longitude",
                field="latitude",
            )
        if country not in self._by_country:
            self._by_country[country] = Geocoder(
                f"coldfleet/1 ({self._settings.mail_from})",
                self._settings.geocoder_cache,
                url=self._settings.geocoder_url,
                countries=[country.lower()],
                limiter=self._limiter,
                patience=_PATIENCE,
            )
        return self._by_country[country]


async def _asked(ask: Callable[[], T], sought: Sought) -> T:
    """In a thread: the client waits for its turn and for the server."""
    try:
        return await asyncio.to_thread(ask)
    except (geocoding.AddressNotFound, geocoding.AddressAmbiguous):
        raise
    except (geocoding.GeocoderBusy, geocoding.GeocoderRefused) as error:
        log.warning("geocoder_failed", error=str(error))
        raise GeocoderUnavailable from None
    except ProblemError as error:
        raise AddressNotFound(str(error), field=f"{sought.within}address") from None


def _located(match: Match) -> Located:
    return Located(match.point.latitude, match.point.longitude, str(match.precision), match.address)
