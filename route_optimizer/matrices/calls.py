"""Calls of a web service that may be busy, slow or cross: patient, within limits, and silent about the key."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus

import httpx2
import msgspec

from route_optimizer.matrices.sources import SourceRefused, SourceUnavailable

#: answers after which the same request may be tried again
PASSING = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
#: characters of a service's own words that are passed on
LONGEST_QUOTE = 300


@dataclass(frozen=True)
class Patience:
    """How long a service is waited for."""

    #: seconds for one answer
    timeout_s: float = 60.0
    #: how often one request is sent, at most; at least 1
    tries: int = 4
    #: seconds before the second try, doubled for each further one, where the service does not say itself
    first_pause_s: float = 1.0
    #: a service that asks for a longer pause is given up
    longest_pause_s: float = 60.0
    #: lets so many seconds pass
    pause: Callable[[float], None] = time.sleep
    #: the time of day, to which a service's dates are compared
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Caller:
    """One service at one address."""

    #: what it is called in errors
    service: str
    #: without a slash at the end
    url: str
    #: sent with each request; what may be secret in them is shown nowhere
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent, before a library quotes it in an error of its own.

        Raises:
            SourceRefused: when a header is empty, or holds a character that headers cannot.
        """
        for name, value in self.headers.items():
            if not value.strip() or not (value.isascii() and value.isprintable()):
                raise SourceRefused(
                    f"{self.service}.headers[{name}]",
                    "is empty or holds a character that cannot be sent",
                    "check the key: a line's end may have been read with it",
                )

    def get(self, path: str) -> bytes:
        """What it answers to a GET.

        Raises:
            SourceRefused: when it will not answer this request.
            SourceUnavailable: when it did not answer after all tries.
        """
        return self._send("GET", path, None)

    def post(self, path: str, body: bytes) -> bytes:
        """What it answers to a POST of JSON; raises as `get` does."""
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> bytes:
        """The body of its answer, tried as often as `Patience` has it."""
        said = ""
        with httpx2.Client(timeout=self.patience.timeout_s, headers=dict(self.headers), verify=_trusted()) as client:
            for attempt in range(self.patience.tries):
                pause_s = self.patience.first_pause_s * 2**attempt
                try:
                    answer = client.request(method, self.url + path, content=body, headers=_type_of(body))
                except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
                    raise SourceRefused(f"{self.service}.url", "is no address", "give it as https://host") from None
                except httpx2.TransportError as error:
                    said = f"did not answer ({type(error).__name__})"
                else:
                    if answer.is_success:
                        return answer.content
                    said = self._quote(answer)
                    if answer.status_code not in PASSING:
                        raise SourceRefused(self.service, said, _remedy(answer.status_code))
                    pause_s = self._asked_for(answer, pause_s)
                if attempt + 1 < self.patience.tries:
                    self.patience.pause(pause_s)
        times = f"{self.patience.tries} times" if self.patience.tries > 1 else "once"
        raise SourceUnavailable(self.service, f"{said}, asked {times}", "try again later, or check that it runs")

    def _asked_for(self, answer: httpx2.Response, otherwise_s: float) -> float:
        """Seconds of pause that it asks for, by `Retry-After` as a number or a date."""
        wish = answer.headers.get("retry-after")
        if wish is None:
            return otherwise_s
        try:
            pause_s = float(wish) if wish.strip().isdigit() else self._until(parsedate_to_datetime(wish))
        except ValueError:
            return otherwise_s
        if pause_s > self.patience.longest_pause_s:
            said = f"{self._quote(answer)} and asks for {pause_s:,.0f} s of pause"
            raise SourceUnavailable(self.service, said, "try again then, or raise the quota")
        return max(pause_s, 0.0)

    def _until(self, instant: datetime) -> float:
        return (instant.astimezone(UTC) - self.patience.now()).total_seconds()

    def _quote(self, answer: httpx2.Response) -> str:
        """Its refusal in its own words, without anything that we sent in secret."""
        words = _message(answer.content) or answer.reason_phrase
        for secret in self.headers.values():
            words = words.replace(secret, "***")
        return f"answered {answer.status_code}: {words[:LONGEST_QUOTE]}"


@cache
def _trusted() -> ssl.SSLContext:
    """Who is trusted; read once, as reading takes longer than most calls."""
    return httpx2.create_ssl_context()


def _type_of(body: bytes | None) -> dict[str, str]:
    return {} if body is None else {"content-type": "application/json"}


def _message(body: bytes) -> str | None:
    """The words of a refusal: OSRM's `message`, Valhalla's `error`, Google's `error.message`, alone or in a list."""
    try:
        said: object = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    if isinstance(said, list) and said:
        said = said[0]
    while isinstance(said, dict):
        said = said.get("message") or said.get("error")
    return said if isinstance(said, str) else None


def _remedy(status: int) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "check the key, and that it may use this service"
    if status == HTTPStatus.NOT_FOUND:
        return "check the address and the profile"
    return "check what it says; a smaller request or another profile may do"
