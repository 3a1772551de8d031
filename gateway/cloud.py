"""The cloud as the gateway sees it: five calls of `contract.py` over HTTP, and two ways in which they fail."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import TypeVar

import httpx2
import msgspec

from gateway.backoff import LONGEST_DELAY_S
from gateway.config import CloudSettings
from gateway.contract import (
    WIRE_VERSION,
    AlarmEvent,
    Batch,
    BatchAnswer,
    Envelope,
    GatewayConfig,
    Heartbeat,
    HeartbeatAnswer,
    Lane,
    ProvisionAnswer,
    ProvisionRequest,
    Reading,
    TagRead,
    Weighing,
    bearer,
)
from gateway.errors import ConfigError
from gateway.spool import Credential, Row

T = TypeVar("T")

#: client errors that pass by themselves: request timeout, too early, too many requests
_BUSY = (408, 425, 429)


class CloudError(Exception):
    """The call has not succeeded; says why."""

    #: the server asked not to be called before
    retry_after_s = 0.0


class CloudUnavailable(CloudError):
    """No network, no answer, a server that is down or busy, or nonsense: the same call may succeed later."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class CloudRefused(CloudError):
    """The cloud has understood, and said no."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Cloud:
    """Makes the calls; holds no state but the connection."""

    def __init__(self, settings: CloudSettings) -> None:
        """Raises ConfigError when `cloud.url` is no address."""
        try:
            self._http = httpx2.AsyncClient(base_url=settings.url, timeout=settings.timeout_s)
        except httpx2.InvalidURL as error:
            raise ConfigError(f"cloud.url {settings.url!r} is no address ({error}): correct it.") from None

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def provision(self, claim_code: str, secret: str) -> ProvisionAnswer:
        """Trade the claim code for an identity."""
        request = ProvisionRequest(claim_code, secret, software_version())
        return await self._call("POST", "/api/v1/edge/provision", ProvisionAnswer, body=request)

    async def upload(self, credential: Credential, epoch: str, lane: Lane, rows: Sequence[Row]) -> BatchAnswer:
        """Send rows of one lane."""
        batch = Batch(
            WIRE_VERSION,
            epoch,
            lane,
            readings=[row for row in rows if isinstance(row, Reading)],
            alarms=[row for row in rows if isinstance(row, AlarmEvent)],
            tags=[row for row in rows if isinstance(row, TagRead)],
            weights=[row for row in rows if isinstance(row, Weighing)],
        )
        return await self._call("POST", "/api/v1/telemetry/readings", BatchAnswer, credential, batch)

    async def heartbeat(self, credential: Credential, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Tell how the gateway is."""
        path = f"/api/v1/edge/gateways/{credential.gateway_id}/heartbeat"
        return await self._call("POST", path, HeartbeatAnswer, credential, heartbeat)

    async def config(self, credential: Credential) -> GatewayConfig:
        """Fetch the configuration that is valid now."""
        path = f"/api/v1/edge/gateways/{credential.gateway_id}/config"
        return await self._call("GET", path, GatewayConfig, credential)

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[T],
        credential: Credential | None = None,
        body: msgspec.Struct | None = None,
    ) -> T:
        headers, content = {}, None
        if credential is not None:
            headers["Authorization"] = bearer(*credential)
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            content = gzip.compress(msgspec.json.encode(body), 6)
        try:
            response = await self._http.request(method, path, headers=headers, content=content)
        except httpx2.HTTPError as error:
            raise CloudUnavailable(f"no answer from {self._http.base_url} ({type(error).__name__} {error})") from None
        if not response.is_success:
            raise _failure(path, response)
        try:
            return msgspec.json.decode(response.content, type=Envelope[answer]).data  # type: ignore[valid-type]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CloudUnavailable(f"{path} answered what is not in the contract ({error})") from None


def software_version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("coldfleet")
    except metadata.PackageNotFoundError:
        return "source"


def _failure(path: str, response: httpx2.Response) -> CloudError:
    reason = f"{path} answered {response.status_code}: {_message(response)}"
    if response.status_code >= 500 or response.status_code in _BUSY or response.status_code < 400:
        return CloudUnavailable(reason, _retry_after_s(response.headers.get("Retry-After")))
    return CloudRefused(response.status_code, reason)


class _ErrorText(msgspec.Struct):
    code: str = ""
    message: str = ""


class _ErrorEnvelope(msgspec.Struct):
    error: _ErrorText


def _message(response: httpx2.Response) -> str:
    try:
        error = msgspec.json.decode(response.content, type=_ErrorEnvelope).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return response.text[:200] or response.reason_phrase
    return f"{error.code} {error.message}".strip()


def _retry_after_s(header: str | None) -> float:
    """Seconds, or a date (RFC 9110, section 10.2.3); never more than the longest delay."""
    if not header:
        return 0.0
    try:
        seconds = (
            float(header) if header.isdecimal() else (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError):  # not a date; or one without an offset
        return 0.0
    return min(max(seconds, 0.0), LONGEST_DELAY_S)
