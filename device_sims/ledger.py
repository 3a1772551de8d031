"""What a simulated device remembers of its own messages: the figures that everybody downstream is measured against."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Counts of one sensor. A message counts as acknowledged when its PUBACK came in, and not before."""

    #: well-formed messages, repeats by the duplicate fault included
    acknowledged: int = 0
    #: what a gateway should make of the acknowledged messages, by quantity
    readings: Counter[str] = field(default_factory=Counter)
    #: tag reads and weights that a gateway should make of them
    tag_reads: int = 0
    weighings: int = 0
    malformed_acknowledged: int = 0
    #: publishes of a message that had been sent before and not been acknowledged: the receiver may have it twice
    resends: int = 0
    #: messages that the dropout fault swallowed
    dropped: int = 0
    #: extra copies that the duplicate fault made
    duplicated: int = 0
    #: messages that carried a frozen value
    stuck: int = 0
    #: messages that the malformed fault cut short
    malformed: int = 0

    def as_json(self) -> dict[str, int | dict[str, int]]:
        """The report's form."""
        return {
            "acknowledged": self.acknowledged,
            "readings": dict(sorted(self.readings.items())),
            "tag_reads": self.tag_reads,
            "weighings": self.weighings,
            "malformed_acknowledged": self.malformed_acknowledged,
            "resends": self.resends,
            "dropped": self.dropped,
            "duplicated": self.duplicated,
            "stuck": self.stuck,
            "malformed": self.malformed,
        }


@dataclass
class Outgoing:
    """One MQTT message on its way, and the ledger that waits for its acknowledgement."""

    topic: str
    payload: bytes
    ledger: Ledger
    #: one entry for each reading that a gateway should make of it
    quantities: tuple[str, ...] = ()
    tag_reads: int = 0
    weighings: int = 0
    retain: bool = False
    malformed: bool = False
    attempts: int = 0

    def attempt(self) -> None:
        """Note that it goes out now, for the first time or again."""
        if self.attempts:
            self.ledger.resends += 1
        self.attempts += 1

    def settle(self) -> None:
        """Note its acknowledgement."""
        if self.malformed:
            self.ledger.malformed_acknowledged += 1
            return
        self.ledger.acknowledged += 1
        self.ledger.readings.update(self.quantities)
        self.ledger.tag_reads += self.tag_reads
        self.ledger.weighings += self.weighings
