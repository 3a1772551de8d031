"""The cloud as the gateway sees it: the calls of `contract.py` over HTTP, and two ways in which they fail.

Every call may be made twice: when an answer is lost, the same is simply asked again.
"""

import gzip
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from gateway.backoff import LONGEST_DELAY_S
from gateway.config import CloudSettings
from gateway.contract import (
    SIGNATURE_HEADER,
    WIRE_VERSION,
    Batch,
    BatchAnswer,
    Command,
    CommandAck,
    ConfigAck,
    Envelope,
    Heartbeat,
    HeartbeatAnswer,
    LogUpload,
    NewCredential,
    ProvisionAnswer,
    ProvisionRequest,
    bearer,
)
from gateway.credentials import Credential
from gateway.spool.outgoing import Outgoing
from gateway.uplink.transport import Answer, NoAnswer, Transport

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: client errors that pass by themselves: request timeout, too early, too many requests
_BUSY = (408, 425, 429)
#: 2,000 noisy readings: 4.1 bytes and 0.13 us a row; level 1 has 4.5 and 0.08, level 6 has 3.9 and 0.32
_GZIP_LEVEL = 4


class CloudError(Exception):
    """The call has not succeeded; says why."""

    #: the server asked not to be called before
    retry_after_s = 0.0


class CloudUnavailable(CloudError):
    """No network, no answer, a server that is down or busy, or nonsense: the same call may succeed later.

    It may also have succeeded already.
    """

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class CloudRefused(CloudError):
    """The cloud has understood, and said no."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Delivered(NamedTuple):
    """What became of a batch, and what it took."""

    answer: BatchAnswer
    #: of the body on the wire
    sent_bytes: int
    took_s: float


class Cloud:
    """Makes the calls; holds no state but the connections."""

    def __init__(self, settings: CloudSettings) -> None:
        """Raises ConfigError when an address or a file of `settings` cannot be used."""
        self._transport = Transport(settings)
        #: told (server_time_ms, round_trip_s) of each answer that tells the time
        self.on_server_time: Callable[[int, float], None] = lambda _time_ms, _round_trip_s: None
        #: told of each good answer of any kind
        self.on_heard: Callable[[], None] = lambda: None

    @property
    def warnings(self) -> list[str]:
        """What the operator should look into."""
        return ["cloud.url is plain http: what is sent can be read on the way"] if self._transport.is_public else []

    async def close(self) -> None:
        """Give up the calls under way."""
        self._transport.close()

    async def provision(self, claim_code: str, secret: str) -> ProvisionAnswer:
        """Trade the claim code for an identity."""
        request = ProvisionRequest(claim_code, secret, software_version())
        return await self._call("POST", "/api/v1/edge/provision", ProvisionAnswer, body=request)

    async def upload(self, credential: Credential, batch: Outgoing) -> Delivered:
        """Send rows of one lane."""
        path = "/api/v1/telemetry/readings"
        answer = await self._exchange("POST", path, credential, lambda: _pack(_on_the_wire(batch)))
        content = self._open(path, answer, BatchAnswer)
        self.on_server_time(content.server_time_ms, answer.took_s)
        return Delivered(content, answer.sent_bytes, answer.took_s)

    async def heartbeat(self, credential: Credential, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Tell how the gateway is."""
        path = _path(credential, "heartbeat")
        answer = await self._exchange("POST", path, credential, lambda: _pack(heartbeat))
        content = self._open(path, answer, HeartbeatAnswer)
        self.on_server_time(content.server_time_ms, answer.took_s)
        return content

    async def config(self, credential: Credential) -> tuple[bytes, str]:
        """The answer with the configuration that is valid now, as it came, and the header with its signature."""
        path = _path(credential, "config")
        answer = await self._exchange("GET", path, credential)
        self._open(path, answer, msgspec.Raw)
        return answer.body, answer.headers.get(SIGNATURE_HEADER, "")

    async def config_ack(self, credential: Credential, ack: ConfigAck) -> None:
        """Tell what became of a version of the configuration."""
        await self._call("POST", _path(credential, "config/ack"), msgspec.Raw, credential, ack)

    async def commands(self, credential: Credential) -> list[Command]:
        """What waits to be done, oldest first; a kind that is not known yet comes as it is, to be refused."""
        commands = []
        for raw in await self._call("GET", _path(credential, "commands"), list[msgspec.Raw], credential):
            try:
                commands.append(msgspec.json.decode(raw, type=Command))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                _log.warning("a command of the cloud is not understood (%s): %.200r", error, bytes(raw))
                commands += _of_later_version(raw)
        return commands

    async def command_ack(self, credential: Credential, command_id: str, ack: CommandAck) -> None:
        """Tell what became of a command."""
        path = _path(credential, f"commands/{quote(command_id, safe='')}/ack")
        await self._call("POST", path, msgspec.Raw, credential, ack)

    async def rotate_credentials(self, credential: Credential, new: NewCredential) -> None:
        """Let the cloud take a new secret; `credential` is the old one."""
        path = _path(credential, "rotate-credentials")
        await self._call("POST", path, msgspec.Raw, credential, new)

    async def upload_logs(self, credential: Credential, logs: LogUpload) -> None:
        """Send the newest lines."""
        await self._call("POST", _path(credential, "logs"), msgspec.Raw, credential, logs)

    async def _call(
        self,
        method: str,
        path: str,
        kind: type[T],
        credential: Credential | None = None,
        body: msgspec.Struct | None = None,
    ) -> T:
        packed = None if body is None else (lambda: _pack(body))
        return self._open(path, await self._exchange(method, path, credential, packed), kind)

    async def _exchange(
        self, method: str, path: str, credential: Credential | None, body: Callable[[], bytes] | None = None
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if credential is not None:
            headers["Authorization"] = bearer(*credential)
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        try:
            answer = await self._transport.exchange(method, path, headers, body)
        except NoAnswer as error:
            raise CloudUnavailable(f"no answer from {self._transport.address} ({error})") from None
        if not 200 <= answer.status < 300:
            raise _failure(path, answer)
        return answer

    def _open(self, path: str, answer: Answer, kind: type[T]) -> T:
        """A page of the hotel's network is no answer, whatever its status."""
        try:
            envelope = msgspec.json.decode(answer.body, type=Envelope[kind])  # type: ignore[valid-type]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CloudUnavailable(f"{path} answered what is not in the contract ({error})") from None
        if not envelope.success:
            raise CloudUnavailable(f"{path} answered {answer.status}, and that it has failed")
        self.on_heard()
        content: T = envelope.data
        return content


def software_version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("coldfleet")
    except metadata.PackageNotFoundError:
        return "source"


class _AnyCommand(msgspec.Struct):
    id: str
    kind: str
    issued_at_ms: int
    expires_at_ms: int


def _of_later_version(raw: msgspec.Raw) -> list[Command]:
    """As much of it as an answer takes; nothing when there is not even that."""
    try:
        return [Command(*msgspec.structs.astuple(msgspec.json.decode(raw, type=_AnyCommand)))]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _path(credential: Credential, what: str) -> str:
    return f"/api/v1/edge/gateways/{quote(credential.gateway_id, safe='')}/{what}"


def _on_the_wire(batch: Outgoing) -> Batch:
    head = (WIRE_VERSION, batch.epoch, batch.lane)
    if batch.columns is not None:
        return Batch(*head, columns=batch.columns)
    return Batch(*head, **{batch.lane: batch.events})  # type: ignore[arg-type]  # the lane's name is its list's


def _pack(body: msgspec.Struct) -> bytes:
    return gzip.compress(msgspec.json.encode(body), _GZIP_LEVEL, mtime=0)


def _failure(path: str, answer: Answer) -> CloudError:
    reason = f"{path} answered {answer.status}: {_message(answer)}"
    if answer.status >= 500 or answer.status in _BUSY or answer.status < 400:
        return CloudUnavailable(reason, _retry_after_s(answer.headers.get("Retry-After")))
    return CloudRefused(answer.status, reason)


class _ErrorText(msgspec.Struct):
    code: str = ""
    message: str = ""


class _ErrorEnvelope(msgspec.Struct):
    error: _ErrorText


def _message(answer: Answer) -> str:
    try:
        error = msgspec.json.decode(answer.body, type=_ErrorEnvelope).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return answer.body[:200].decode(errors="replace") or answer.reason
    return f"{error.code} {error.message}".strip()


def _retry_after_s(header: str | None) -> float:
    """Seconds, or a date (RFC 9110, section 10.2.3); never more than the longest delay."""
    if not header:
        return 0.0
    try:
        seconds = (
            float(header) if header.isdecimal() else (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError, OverflowError):  # not a date; or one without an offset, or beyond all calendars
        return 0.0
    return min(max(seconds, 0.0), LONGEST_DELAY_S)
