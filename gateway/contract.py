"""The wire: everything a gateway and the cloud say to each other, version 1.

JSON over HTTPS. Every answer of the cloud stands in its usual envelope, `Envelope[T]`. A row is identified by
(gateway, epoch, lane, sequence): the epoch is drawn when the gateway's spool file is created, sequences rise within
a lane and are never used twice. The cloud keeps one cursor a lane; what is at or below it is a duplicate. Two rows
that say the same at different sequences are two events: one crate seen twice, one pallet weighed twice.

The wire carries raw values: calibration is applied where a value is judged or read. Times are milliseconds since
1970-01-01 UTC. Snapshots of these types stand in `tests/contracts/wire.json`: a change that an older peer could not
read needs a new `WIRE_VERSION`.
"""

from typing import Generic, Literal, TypeVar

import msgspec

WIRE_VERSION = 1

#: Each lane is numbered, sent and acknowledged for itself: alarms overtake all others.
Lane = Literal["alarms", "readings", "tags", "weights"]
Quality = Literal["good", "suspect", "bad"]
TimeSource = Literal["device", "gateway"]
LimitKind = Literal["high", "low"]
#: which way a tag went through a gate, as far as the reader itself can tell
Direction = Literal["unknown", "in", "out"]
#: only a stable weight is a weight to receive or to invoice by
ScaleState = Literal["stable", "dynamic", "overload", "underload"]
WeightBasis = Literal["unknown", "gross", "net"]

T = TypeVar("T")


class Reading(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One measured value of one sensor."""

    #: place in the lane, >= 1
    sequence: int
    #: the device as its maker names it, with the maker's prefix: `z2m:cold-room-1`
    sensor: str
    #: what was measured: `temperature`, `humidity`, `battery`, ...
    quantity: str
    #: in `unit`; finite
    value: float
    #: UCUM-like: `Cel`, `%`, `hPa`, `V`, `1`, `bool`
    unit: str
    recorded_at_ms: int
    #: whose clock `recorded_at_ms` is
    time_source: TimeSource = "gateway"
    quality: Quality = "good"


class AlarmEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the gateway's own judge decided, so that a local alarm and the cloud's excursion are one incident."""

    sequence: int
    sensor: str
    quantity: str
    #: id of the limit that was broken, as configuration gave it
    rule: str
    kind: LimitKind
    event: Literal["raised", "cleared"]
    #: `rules.incident_key(...)`: the same for the same breach on both sides
    incident: str
    value: float
    #: first reading of the breach
    started_at_ms: int
    #: the reading that raised or cleared the alarm
    recorded_at_ms: int


class TagRead(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A reader has seen a tag. Not yet that something has moved: readers see one tag many times."""

    sequence: int
    #: the reader as its maker names it, with the maker's prefix: `zebra:fx9600-dock-1`
    reader: str
    #: the tag's Electronic Product Code: 2 to 124 hexadecimal digits in capitals
    epc: str
    recorded_at_ms: int
    #: the reader's port; None: it does not tell
    antenna: int | None = None
    #: strongest signal since the last report
    rssi_dbm: float | None = None
    #: how often the tag was seen since the last report; None: the reader does not tell
    reads: int | None = None
    #: the chip's own number, in hexadecimal capitals, when the reader was told to ask for it
    tid: str | None = None
    direction: Direction = "unknown"
    time_source: TimeSource = "gateway"
    quality: Quality = "good"


class Weighing(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What a scale has shown."""

    sequence: int
    #: `scale:dock-1`
    scale: str
    #: finite; may be negative; None when the scale is outside of its range
    weight_kg: float | None
    state: ScaleState
    #: UCUM, lower case: the unit the scale showed, from which `weight_kg` was converted
    unit: str
    recorded_at_ms: int
    basis: WeightBasis = "unknown"
    time_source: TimeSource = "gateway"
    #: `bad` outside of the scale's range, whatever the number
    quality: Quality = "good"


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`POST /api/v1/telemetry/readings`: rows of one lane, sequences rising. At most `MAX_ROWS`.

    Only the list of its lane is written: a cloud that knows fewer lanes reads those it knows.
    """

    version: int
    #: 32 hexadecimal digits
    epoch: str
    lane: Lane
    readings: list[Reading] = []
    alarms: list[AlarmEvent] = []
    tags: list[TagRead] = []
    weights: list[Weighing] = []


MAX_ROWS = 1000


class Refusal(msgspec.Struct, frozen=True):
    """A row the cloud will never take; the gateway moves it to its dead letters."""

    #: index into the batch's list
    row: int
    #: None when the row was too broken to tell
    sequence: int | None
    code: str
    field: str
    message: str


class BatchAnswer(msgspec.Struct, frozen=True):
    """Everything at or below `acked_through` is settled: stored, a duplicate, or refused by name."""

    acked_through: int
    accepted: int
    duplicates: int
    refused: list[Refusal]
    server_time_ms: int
    config_version: int


class LimitConfig(msgspec.Struct, frozen=True):
    """One limit of one series, judged by `rules.judge` at the gateway and in the cloud alike."""

    rule: str
    sensor: str
    quantity: str
    kind: LimitKind
    #: broken when the calibrated value passes this ...
    set_at: float
    #: ... and over when it is back at this or better
    clear_at: float
    #: how long it must stay broken before the alarm is raised
    duration_s: float
    #: added to the raw value before judging
    offset: float = 0.0


class GatewayConfig(msgspec.Struct, frozen=True):
    """`GET /api/v1/edge/gateways/{gateway_id}/config`. A version never changes its content."""

    version: int
    limits: list[LimitConfig]
    heartbeat_interval_s: int = 60


class ProvisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/provision`. The gateway draws its secret and saves it first: a lost answer is asked again."""

    claim_code: str
    #: 64 hexadecimal digits; the cloud keeps only its hash
    secret: str
    software_version: str


class ProvisionAnswer(msgspec.Struct, frozen=True):
    gateway_id: str
    name: str
    config: GatewayConfig


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/gateways/{gateway_id}/heartbeat`."""

    epoch: str
    recorded_at_ms: int
    uptime_s: int
    software_version: str
    config_version: int
    #: rows on disk that the cloud has not acknowledged
    backlog_rows: int
    oldest_unsent_ms: int | None
    #: since the spool was created
    dead_letters: int
    disk_free_mb: int


class HeartbeatAnswer(msgspec.Struct, frozen=True):
    server_time_ms: int
    config_version: int


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """How the cloud wraps every successful answer."""

    success: bool
    data: T


def bearer(gateway_id: str, secret: str) -> str:
    """The value of a gateway's `Authorization` header."""
    return f"Bearer gateway.{gateway_id}.{secret}"
