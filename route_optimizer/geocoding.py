"""Where an address is, and what address is there: Nominatim by geopy, asked politely and remembered on disk."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from geopy.adapters import URLLibAdapter  # type: ignore[import-untyped]
from geopy.exc import (  # type: ignore[import-untyped]
    ConfigurationError,
    GeocoderParseError,
    GeocoderRateLimited,
    GeocoderServiceError,
    GeocoderTimedOut,
    GeocoderUnavailable,
    GeopyError,
)
from geopy.geocoders import Nominatim  # type: ignore[import-untyped]

from route_optimizer.matrices.calls import Patience
from route_optimizer.matrices.kept import opened
from route_optimizer.matrices.points import Point, check_points
from route_optimizer.matrices.sphere import GreatCircles
from route_optimizer.validation import ProblemError

#: the public server; its policy: one request a second, a user agent that says who asks, answers kept
PUBLIC_URL = "https://nominatim.openstreetmap.org"
#: seconds between requests that it allows
INTERVAL_S = 1.0
#: answers of one request
MOST_CANDIDATES = 5
#: characters
LONGEST_ADDRESS = 500
DAY_S = 86_400
#: parts of a degree that coordinates are rounded to before they are asked about: 1.1 m
DIGITS = 5

TABLES = "CREATE TABLE IF NOT EXISTS addresses (question TEXT PRIMARY KEY, found TEXT, asked_s INTEGER) WITHOUT ROWID;"

Answer = TypeVar("Answer")


class GeocodingError(ProblemError):
    """An address that could not be turned into a place, or a place into an address."""


class AddressNotFound(GeocodingError):
    """The map knows nothing of that name, or nothing at that place."""


class AddressAmbiguous(GeocodingError):
    """Several places far from one another have that address."""

    def __init__(self, address: str, candidates: "Sequence[Match]") -> None:
        names = "; ".join(match.address for match in candidates)
        super().__init__(
            "address", f"{address!r} may be any of {len(candidates)} places: {names}", "add the postcode or the country"
        )
        #: likeliest first
        self.candidates = tuple(candidates)


class GeocoderBusy(GeocodingError):
    """The service did not answer after all tries; later it may."""


class GeocoderRefused(GeocodingError):
    """The service will not answer us."""


class Precision(StrEnum):
    """What was matched, from the most exact on; a van finds only the first two."""

    BUILDING = "building"
    STREET = "street"
    #: a district, a village or a postcode
    AREA = "area"
    TOWN = "town"
    REGION = "region"


@dataclass(frozen=True)
class Match:
    """A place and its address, as the map has them."""

    point: Point
    address: str
    precision: Precision


class Limiter:
    """Lets requests of this process through at intervals, whichever thread they come from."""

    def __init__(
        self,
        interval_s: float = INTERVAL_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """At most one request in `interval_s` seconds of `clock`."""
        self._interval_s = interval_s
        self._clock = clock
        self._pause = pause
        self._next_s = -math.inf
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is one's turn."""
        with self._lock:
            now_s = self._clock()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._interval_s
        if turn_s > now_s:
            self._pause(turn_s - now_s)


#: all geocoders of a process share it unless they are given another
POLITE = Limiter()


class Geocoder:
    """A Nominatim server and what it has answered so far.

    Found addresses are kept for half a year, and that one was not found for a day: maps are mended. Keys of what is
    kept are addresses, which may be personal data: the file deserves the same care as the orders.
    """

    def __init__(
        self,
        user_agent: str,
        cache: Path,
        *,
        url: str = PUBLIC_URL,
        countries: Sequence[str] = (),
        language: str = "en",
        apart_m: float = 1_000.0,
        kept_s: int = 180 * DAY_S,
        missing_kept_s: int = DAY_S,
        limiter: Limiter = POLITE,
        patience: Patience = Patience(timeout_s=15.0),  # noqa: B008 - frozen
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """Know a server.

        Args:
            user_agent: who asks, such as `oak-farm-dairy/1.0 (it@oakfarm.example)`: the service demands it.
            cache: an SQLite file, made when it is not there.
            url: of the server.
            countries: ISO codes of two letters; none searches the world.
            language: of the addresses that come back.
            apart_m: candidates nearer together than this, metres, are one place.
            kept_s: seconds after which a found address is asked for anew.
            missing_kept_s: the same for one that was not found.
            limiter: what keeps the service's pace.
            patience: how long it is waited for, and how often.
            now_s: the time, in seconds since any fixed instant.

        Raises:
            GeocoderRefused: when the user agent does not say who asks, or the URL is none.
        """
        parts = _parts(url)
        if not user_agent.strip() or user_agent.lower().startswith(("geopy", "python")):
            raise GeocoderRefused("user_agent", f"is {user_agent!r}", "name your application and a contact")
        try:
            self._service = Nominatim(
                user_agent=user_agent,
                domain=parts.netloc + parts.path.rstrip("/"),
                scheme=parts.scheme,
                timeout=patience.timeout_s,
                adapter_factory=URLLibAdapter,
            )
        except ConfigurationError:
            raise GeocoderRefused("user_agent", f"is {user_agent!r}", "name your application and a contact") from None
        self._asker = f"{url} {','.join(countries)} {language}"
        self._cache = cache
        self._countries = list(countries)
        self._language = language
        self._apart_m = apart_m
        self._kept_s = kept_s
        self._missing_kept_s = missing_kept_s
        self._limiter = limiter
        self._patience = patience
        self._now_s = now_s

    def find(self, address: str) -> Match:
        """Where an address is.

        Raises:
            AddressNotFound: when the map does not know it.
            AddressAmbiguous: when places `apart_m` or more apart match it equally well; it holds them.
            GeocoderBusy: when the service did not answer after all tries.
            GeocoderRefused: when it will not answer us.
            ProblemError: when the address is empty or too long, or the cache cannot be used.
        """
        matches = self.candidates(address)
        if not matches:
            raise AddressNotFound("address", f"{address!r} is not on the map", "correct it, or give coordinates")
        best, *others = matches
        exactness = list(Precision)
        places = GreatCircles([match.point for match in matches], detour_factor=1.0)
        rivals = [
            match
            for number, match in enumerate(others, start=1)
            if exactness.index(match.precision) <= exactness.index(best.precision)
            and places.metres(0, number) >= self._apart_m
        ]
        if rivals:
            raise AddressAmbiguous(address, [best, *rivals])
        return best

    def candidates(self, address: str) -> tuple[Match, ...]:
        """All that an address may be, likeliest first; none when the map does not know it. Raises as `find` does."""
        words = " ".join(address.split())
        if not words or len(words) > LONGEST_ADDRESS:
            wrong = f"has {len(words)} characters"
            raise GeocodingError("address", wrong, f"give 1 to {LONGEST_ADDRESS}: street, number, town")
        return self._remembered(
            f"find {words.casefold()}",
            lambda: self._service.geocode(
                words,
                exactly_one=False,
                limit=MOST_CANDIDATES,
                addressdetails=True,
                language=self._language,
                country_codes=self._countries or None,
            ),
        )

    def describe(self, point: Point) -> Match:
        """What address is at a place, or nearest to it; its point is the address's own.

        Raises:
            AddressNotFound: when the map has no address near it.
            GeocoderBusy: when the service did not answer after all tries.
            GeocoderRefused: when it will not answer us.
            ProblemError: when the point is not on Earth, or the cache cannot be used.
        """
        check_points([point])
        place = (round(point.latitude, DIGITS), round(point.longitude, DIGITS))
        matches = self._remembered(
            f"describe {place[0]:.{DIGITS}f} {place[1]:.{DIGITS}f}",
            lambda: self._service.reverse(place, exactly_one=False, language=self._language),
        )
        if not matches:
            raise AddressNotFound("point", f"{place} has no address near it", "check that it lies on land")
        return matches[0]

    def _remembered(self, question: str, ask: Callable[[], object]) -> tuple[Match, ...]:
        question = f"{self._asker} {question}"
        with opened(self._cache, TABLES) as db:
            known = db.execute("SELECT found, asked_s FROM addresses WHERE question=?", (question,)).fetchone()
        if known is not None:
            matches = msgspec.json.decode(known[0], type=tuple[Match, ...])
            if self._now_s() - known[1] < (self._kept_s if matches else self._missing_kept_s):
                return matches
        matches = _matches(self._asked(ask))
        with opened(self._cache, TABLES) as db, db:
            answer = (question, msgspec.json.encode(matches).decode(), int(self._now_s()))
            db.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)", answer)
        return matches

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        """The service's answer, at its pace, tried as often as patience has it."""
        said = ""
        for attempt in range(self._patience.tries):
            self._limiter.wait()
            pause_s = self._patience.first_pause_s * 2**attempt
            try:
                return ask()
            except GeocoderRateLimited as error:
                said, pause_s = "asks for fewer requests", error.retry_after or pause_s
            except (GeocoderTimedOut, GeocoderUnavailable) as error:
                said = f"did not answer ({type(error).__name__})"
            except GeopyError as error:
                if isinstance(error, GeocoderParseError):
                    raise _stranger("answered no JSON") from None
                if type(error) is not GeocoderServiceError:
                    remedy = "check the user agent, its usage policy, and the address"
                    raise GeocoderRefused("geocoder", f"refused the request: {error}", remedy) from None
                said = f"failed ({error})"
            except (AttributeError, LookupError, TypeError, ValueError):
                # geopy takes for granted that every answer is as Nominatim's are
                raise _stranger("answered what Nominatim does not") from None
            if pause_s > self._patience.longest_pause_s:
                said += f" and asks for {pause_s:,.0f} s of pause"
                break
            if attempt + 1 < self._patience.tries:
                self._patience.pause(pause_s)
        raise GeocoderBusy("geocoder", said, "try again later, or use a server of your own")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise GeocoderRefused("url", f"is {url!r}", "give it as https://host")
    return parts


class _Location(msgspec.Struct):
    """One answer of Nominatim, as far as it matters here; coordinates come as text."""

    lat: str
    lon: str
    display_name: str
    place_rank: int | None = None
    address: dict[str, str] = {}


def _matches(answer: object) -> tuple[Match, ...]:
    if not isinstance(answer, list):
        return ()
    try:
        found = [msgspec.convert(location.raw, _Location) for location in answer]
        return tuple(
            Match(Point(float(each.lat), float(each.lon)), each.display_name, _precision(each)) for each in found
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise _stranger(f"answered what Nominatim does not: {error}") from None


def _stranger(wrong: str) -> GeocoderRefused:
    return GeocoderRefused("geocoder", wrong, "check that the URL is Nominatim's")


def _precision(location: _Location) -> Precision:
    """From the rank of what was matched (30 a house, 26 a street, 16 a town), or the parts of its address."""
    if location.place_rank is None:
        if "house_number" in location.address:
            return Precision.BUILDING
        return Precision.STREET if "road" in location.address else Precision.AREA
    for lowest, precision in ((28, Precision.BUILDING), (26, Precision.STREET), (17, Precision.AREA)):
        if location.place_rank >= lowest:
            return precision
    return Precision.TOWN if location.place_rank >= 13 else Precision.REGION
