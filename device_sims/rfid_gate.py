"""A gate with a Zebra FX reader: every now and then a pallet of crates goes through, and each tag is seen many times.

Source: Zebra's "IoT Connector" documentation, events `tag data` and `heartbeat`: an array of records a second, each one
tag since the report before, `eventNum` counting up. A crate's code is a GRAI-96 (GS1 EPC Tag Data Standard, 14.6.4).
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime

from device_sims.ledger import Ledger, Outgoing

#: header, filter 0 and partition 5 of a GRAI-96: seven digits of company, five of asset type
_GRAI_96 = 0x33 << 88 | 5 << 82
_COMPANY, _CRATE = 4012345, 12345
#: dBm at the antenna that the tag is nearest to, and how much less at another
_NEAR_DBM, _FAR_DB = -48.0, 12.0


def crate_epc(serial: int) -> str:
    """The code of one returnable crate: 24 hexadecimal digits."""
    return f"{_GRAI_96 | _COMPANY << 58 | _CRATE << 38 | serial:024X}"


@dataclass(frozen=True)
class GateSpec:
    """What goes through a gate."""

    name: str
    #: on one pallet; the crates are numbered from 1 on through all passages
    crates: int = 12
    #: world seconds between two passages, and how long one takes
    every_s: float = 600.0
    passage_s: float = 4.0
    antennas: int = 2
    heartbeat_s: float = 60.0
    #: probability that a report is sent twice
    duplicate: float = 0.0


class Gate:
    """One reader over its gate."""

    def __init__(self, spec: GateSpec, *, seed: int, started_at_ms: int) -> None:
        self.spec = spec
        self.ledger = Ledger()
        self.reader = f"zebra:{spec.name}"
        self._random = random.Random(f"{seed}/gate/{spec.name}")  # noqa: S311 - repeatable, no secret
        self._events = 0
        self._passages = 0
        self._report_at_ms = started_at_ms + 1000
        self._passage_at_ms = started_at_ms + round(spec.every_s * 1000)
        self._heartbeat_at_ms = started_at_ms

    def step(self, now_ms: int) -> list[Outgoing]:
        """Everything that is to be sent up to now."""
        messages = []
        while self._heartbeat_at_ms <= now_ms:
            messages.append(self._heartbeat(self._heartbeat_at_ms))
            self._heartbeat_at_ms += round(self.spec.heartbeat_s * 1000)
        while self._report_at_ms <= now_ms:
            messages += self._report(self._report_at_ms)
            self._report_at_ms += 1000
        return messages

    def _report(self, at_ms: int) -> list[Outgoing]:
        """The tags seen in the second before; often none."""
        if at_ms > self._passage_at_ms + self.spec.passage_s * 1000:
            self._passages += 1
            self._passage_at_ms += round(self.spec.every_s * 1000)
        if at_ms <= self._passage_at_ms:
            return []
        first = self._passages * self.spec.crates + 1
        records = [
            self._record(serial, antenna, is_near, at_ms)
            for serial in range(first, first + self.spec.crates)
            for antenna in range(1, self.spec.antennas + 1)
            if self._random.random() < (0.9 if (is_near := antenna == 1 + serial % self.spec.antennas) else 0.3)
        ]
        if not records:
            return []
        payload = json.dumps(records).encode()
        topic = f"zebra/{self.spec.name}/d-evt"
        messages = [Outgoing(topic, payload, self.ledger, tag_reads=len(records))]
        if self._random.random() < self.spec.duplicate:
            self.ledger.duplicated += 1
            messages.append(Outgoing(topic, payload, self.ledger))  # a gateway knows the numbers already
        return messages

    def _record(self, serial: int, antenna: int, is_near: bool, at_ms: int) -> dict[str, object]:
        self._events += 1
        loss_db = 0.0 if is_near else _FAR_DB
        data = {
            "CRC": f"{self._random.randrange(1 << 16):04x}",
            "PC": "3000",
            "antenna": antenna,
            "channel": 866.9,
            "eventNum": self._events,
            "format": "epc",
            "idHex": crate_epc(serial).lower(),
            "peakRssi": round(self._random.gauss(_NEAR_DBM - loss_db, 3)),
            "phase": 0.0,
            "reads": self._random.randint(1, 12),
        }
        return {"data": data, "timestamp": _stamp(at_ms - self._random.randrange(1000)), "type": "INVENTORY"}

    def _heartbeat(self, at_ms: int) -> Outgoing:
        self._events += 1
        record = {"component": "RG", "data": {"radio_control": {}}, "eventNum": self._events}
        payload = json.dumps(record | {"timestamp": _stamp(at_ms), "type": "heartbeat"}).encode()
        return Outgoing(f"zebra/{self.spec.name}/m-evt", payload, self.ledger, quantities=("online",))


def _stamp(at_ms: int) -> str:
    """`2026-09-05T15:36:04.395+0000`: an offset without its colon, as Zebra writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}+0000"
