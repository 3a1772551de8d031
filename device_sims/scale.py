"""A METTLER TOLEDO scale at a dock, sending immediate values again and again (MT-SICS, command SIR) while it is loaded.

Source: "MT-SICS Reference Manual", command SIR: `S`, blank, status (S stable, D dynamic), blank, ten characters of
weight, right-aligned, blank, unit; `S +` in overload. A serial bridge hands on each line as one message.
"""

import random
from dataclasses import dataclass

from device_sims.ledger import Ledger, Outgoing

#: seconds from the load's arrival: three values while it swings, one when it stands
_SWINGS = (0.55, 1.08, 0.97)


@dataclass(frozen=True)
class ScaleSpec:
    """What is put on a scale."""

    name: str
    #: world seconds between two loads
    every_s: float = 300.0
    #: mean and standard deviation of a load
    mean_kg: float = 240.0
    spread_kg: float = 25.0
    capacity_kg: float = 600.0
    #: probability that a load is too heavy
    overload: float = 0.0


class Scale:
    """One scale; its lines carry no time and no number."""

    def __init__(self, spec: ScaleSpec, *, seed: int, started_at_ms: int) -> None:
        self.spec = spec
        self.ledger = Ledger()
        self.scale = f"scale:{spec.name}"
        self._random = random.Random(f"{seed}/scale/{spec.name}")  # noqa: S311 - repeatable, no secret
        self._load_at_ms = started_at_ms + round(spec.every_s * 1000)

    def step(self, now_ms: int) -> list[Outgoing]:
        """The lines of every load up to now."""
        lines: list[str] = []
        while self._load_at_ms <= now_ms:
            lines += self._load()
            self._load_at_ms += round(self.spec.every_s * 1000)
        topic = f"scale/{self.spec.name}/raw"
        return [Outgoing(topic, f"{line}\r\n".encode(), self.ledger, weighings=1) for line in lines]

    def _load(self) -> list[str]:
        is_too_heavy = self._random.random() < self.spec.overload
        drawn_kg = self._random.gauss(self.spec.mean_kg, self.spec.spread_kg)
        load_kg = round(min(max(drawn_kg, 0.0), self.spec.capacity_kg), 2)
        if is_too_heavy:
            return [f"S D {0.6 * self.spec.capacity_kg:10.2f} kg", "S +"]
        return [*(f"S D {share * load_kg:10.2f} kg" for share in _SWINGS), f"S S {load_kg:10.2f} kg"]
