"""The wire: everything a gateway and the cloud say to each other, version 2.

JSON over HTTPS. Every answer of the cloud stands in its usual envelope, `Envelope[T]`. A row is identified by
(gateway, epoch, lane, sequence): the epoch is drawn when the gateway's spool file is created, sequences rise within
a lane and are never used twice. The cloud keeps one cursor a lane; what is at or below it is a duplicate. Two rows
that say the same at different sequences are two events: one crate seen twice, one pallet weighed twice.

Readings have two lanes, so that live ones need not wait behind a week of old ones. They are numbered once, in
`readings`. When many have piled up, the gateway first learns the cloud's cursor of `readings` by sending one batch of
it, then moves all others that wait to `backlog`, where they keep their sequences: what one lane has sent, the other
never sends. `summaries` and `gaps` say what became of readings that a full disk did not leave room for: each
sequence that never comes is named by a gap.

The wire carries raw values: calibration is applied where a value is judged or read. Times are milliseconds since
1970-01-01 UTC. Snapshots of these types stand in `tests/contracts/wire.json`: a change that an older peer could not
read needs a new `WIRE_VERSION`. The cloud takes all of `VERSIONS`, and is updated before its gateways.

Version 1 sent readings as a list of objects; version 2 sends them as columns, and has the lanes `backlog`,
`summaries` and `gaps`.
"""

from typing import Generic, Literal, TypeVar

import msgspec

WIRE_VERSION = 2
#: what the cloud takes
VERSIONS = (1, 2)

#: Each lane has its own cursor: alarms overtake live rows, live rows overtake the backlog.
Lane = Literal["alarms", "readings", "tags", "weights", "backlog", "summaries", "gaps"]
Quality = Literal["good", "suspect", "bad"]
TimeSource = Literal["device", "gateway"]
LimitKind = Literal["high", "low"]
#: what a watch looks for: no news, a rise or a fall that is too quick
WatchKind = Literal["silent", "rising", "falling"]
AlarmKind = Literal["high", "low", "silent", "rising", "falling"]
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
    #: id of the limit or watch that was broken, as configuration gave it
    rule: str
    kind: AlarmKind
    event: Literal["raised", "cleared"]
    #: `rules.incident_key(...)`: the same for the same breach on both sides
    incident: str
    #: calibrated; of `rising` and `falling` the change, of `silent` the seconds
    value: float
    #: first reading of the breach; of `silent` the last one before it
    started_at_ms: int
    #: the reading, or the moment, that raised or cleared the alarm
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


#: the bits of a number in `ReadingColumns.flags`
FLAG_SUSPECT, FLAG_BAD, FLAG_DEVICE_TIME = 1, 2, 4


class ReadingColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Readings of the lanes `readings` and `backlog` since version 2: one list a field, all of one length.

    Columns of small differences are a tenth of the size of objects once they are compressed.
    """

    #: (sensor, quantity, unit) of every series that occurs, as `Reading` explains them
    series: list[tuple[str, str, str]]
    #: of each row: index into `series`
    rows: list[int]
    #: the rows' sequences as runs of (first, how many), rising
    sequences: list[tuple[int, int]]
    #: the first row's `recorded_at_ms`, then of each row the difference from the row before
    times_ms: list[int]
    values: list[float]
    #: of each row the sum of its bits (quality good: neither of the first two); empty: all are 0
    flags: list[int] = []


class Summary(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What is left of the readings of one series over a stretch of time that had to be thinned out."""

    sequence: int
    sensor: str
    quantity: str
    unit: str
    #: the first and the last reading
    from_ms: int
    to_ms: int
    #: how many readings there were, >= 1
    count: int
    minimum: float
    mean: float
    maximum: float
    time_source: TimeSource = "gateway"
    quality: Quality = "good"


class Gap(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Sequences of a lane that will never come, and why."""

    sequence: int
    #: whose sequences: as a rule the batch's own epoch, another one after a spool file was salvaged
    epoch: str
    lane: Lane
    #: the range, both ends included; it may hold sequences that came before
    first: int
    last: int
    #: rows that are gone; 0: from `first` on all, and nobody can tell how many
    rows: int
    from_ms: int
    to_ms: int
    #: `thinned`: summaries stand for them; `dropped`: nothing does; `unreadable`: the disk has spoilt them
    reason: Literal["thinned", "dropped", "unreadable"]


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
    #: of the lanes `readings` and `backlog`, since version 2
    columns: ReadingColumns | None = None
    summaries: list[Summary] = []
    gaps: list[Gap] = []


MAX_ROWS = 2000


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
    #: how many commands wait for the gateway
    commands_waiting: int = 0


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
    #: the value holds until the next one comes: a door contact reports changes only, and a door left open says nothing
    holds: bool = False
    #: once raised the alarm stays until a person resets it (command `reset_alarm`)
    latched: bool = False
    #: the raw value is judged as value x gain + offset; > 0; a gateway from before this field leaves it out
    gain: float = 1.0


class WatchConfig(msgspec.Struct, frozen=True):
    """What one series must keep doing: be heard, and not change too quickly. Judged by `rules` at the gateway."""

    rule: str
    sensor: str
    quantity: str
    kind: WatchKind
    #: `silent`: how long without a reading; `rising` and `falling`: over how long the change is measured
    duration_s: float
    #: `rising` and `falling`: how large a change is too large, in the series' unit, > 0
    change: float = 0.0
    latched: bool = False
    #: a raw change counts this many times; > 0
    gain: float = 1.0


class PauseConfig(msgspec.Struct, frozen=True):
    """When a series is not judged, or by another limit: a defrost, a planned shutdown."""

    sensor: str
    quantity: str
    #: ids of limits and watches; empty: all of the series
    rules: list[str]
    #: the first pause, ...
    starts_at_ms: int
    duration_s: float
    #: ... and how long after each start the next begins; None: once
    every_s: float | None = None
    #: added to both bounds of high limits and to what may rise or fall, and taken from the bounds of low limits,
    #: meanwhile (`silent` is as strict as ever); None: not judged at all
    relax_by: float | None = None


class OutputConfig(msgspec.Struct, frozen=True):
    """What the gateway itself does while alarms are active, with the cloud or without."""

    #: `gpio`: the number of a pin (`GPIO17`); `mqtt`: a topic
    kind: Literal["gpio", "mqtt"]
    target: str
    #: limits and watches that count; empty: all
    rules: list[str] = []
    #: an alarm of its own: no word from the cloud for this long; None: the cloud's silence is not told here
    cloud_silent_s: float | None = None


class GatewayConfig(msgspec.Struct, frozen=True):
    """`GET /api/v1/edge/gateways/{gateway_id}/config`. A version never changes its content.

    The answer is signed: its header `SIGNATURE_HEADER` is the Ed25519 signature of the body, in base64, to be
    checked with the `config_key` that the gateway was given when it was provisioned.
    """

    version: int
    limits: list[LimitConfig]
    heartbeat_interval_s: int = 60
    #: for whom it is signed; empty in an answer to anybody else
    gateway_id: str = ""
    watches: list[WatchConfig] = []
    pauses: list[PauseConfig] = []
    outputs: list[OutputConfig] = []


SIGNATURE_HEADER = "X-Coldfleet-Signature"


class ConfigAck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/gateways/{gateway_id}/config/ack`: what became of a version."""

    version: int
    #: `staged`: in force, on trial; `confirmed`: the gateway has worked well with it; `rolled_back`: it has not, the
    #: version before is in force again; `refused`: it contradicts itself or is not signed by the cloud
    state: Literal["staged", "confirmed", "rolled_back", "refused"]
    recorded_at_ms: int
    reason: str = ""


CommandKind = Literal["restart", "identify", "tare", "reset_alarm", "rotate_credential", "upload_logs"]


class Command(msgspec.Struct, frozen=True):
    """One of `GET /api/v1/edge/gateways/{gateway_id}/commands`: those that wait, oldest first. Each is done once."""

    id: str
    kind: CommandKind
    issued_at_ms: int
    #: not to be done any more after this
    expires_at_ms: int
    #: `tare`: the scale, `scale:dock-1`; `reset_alarm`: the rule; otherwise empty
    target: str = ""


class CommandAck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/gateways/{gateway_id}/commands/{command_id}/ack`."""

    outcome: Literal["done", "failed", "expired"]
    recorded_at_ms: int
    message: str = ""


class NewCredential(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/gateways/{gateway_id}/rotate-credentials`, with the old secret.

    The old one is good until the new one has been used, so that a lost answer locks nobody out.
    """

    #: 64 hexadecimal digits, drawn and saved by the gateway
    secret: str


class LogUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/edge/gateways/{gateway_id}/logs`: the newest lines, oldest first."""

    recorded_at_ms: int
    lines: list[str]


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
    #: the cloud's public key of Ed25519, 64 hexadecimal digits: who signs the configuration
    config_key: str = ""


class SourceState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in."""

    name: Literal["listener", "bridge"]
    #: clients of the listener; 1 or 0 for the bridge
    connected: int
    #: messages since the start
    received: int
    #: what the operator should look into, in words
    warnings: list[str] = []


class SensorState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a sensor was heard last."""

    sensor: str
    last_heard_ms: int


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
    # from here on since version 2
    #: the kernel's: it changes when the box starts anew
    boot_id: str = ""
    #: `trusted`: told by the cloud or by a synchronised system clock
    clock: Literal["untrusted", "trusted"] = "untrusted"
    #: how often the system's clock has jumped by more than two seconds
    clock_jumps: int = 0
    #: how far the system's clock is ahead of the gateway's
    clock_ahead_ms: int = 0
    #: backlog by lane
    waiting: dict[str, int] = {}
    #: of the last thousand
    commit_p99_ms: float = 0.0
    #: to the disk by this process, over the last day or since it started
    bytes_written_a_day: int = 0
    spool_used_mb: int = 0
    spool_quota_mb: int = 0
    #: rows since the spool was created
    rows_thinned: int = 0
    rows_dropped: int = 0
    #: the reasons of the latest dead letters, each with how many of it are kept
    dead_letter_reasons: dict[str, int] = {}
    sources: list[SourceState] = []
    #: the longest silent first; at most 100
    sensors: list[SensorState] = []
    #: the processor's, when the box tells
    temperature_c: float | None = None
    #: what the operator should look into, in words
    warnings: list[str] = []


class HeartbeatAnswer(msgspec.Struct, frozen=True):
    server_time_ms: int
    config_version: int
    commands_waiting: int = 0


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """How the cloud wraps every successful answer."""

    success: bool
    data: T


def bearer(gateway_id: str, secret: str) -> str:
    """The value of a gateway's `Authorization` header."""
    return f"Bearer gateway.{gateway_id}.{secret}"
