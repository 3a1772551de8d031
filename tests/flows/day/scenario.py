"""What happens on a simulated day, drawn from a seed: who orders, who opens the door, which van breaks down, and where
no phone has signal.

A fate is what the scenario means to happen at a door; what did happen is told by the platform, and compared.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Fate = Literal["opens", "refuses", "absent"]

DEPOT = (12.9340, 77.6101)
#: degrees of latitude a kilometre, near enough in a city
_DEGREES_A_KM = 1 / 111.2


@dataclass(frozen=True)
class Door:
    """A customer who has ordered."""

    name: str
    phone: str
    latitude: float
    longitude: float
    #: local hours between which they are at home
    opens_h: int
    closes_h: int
    #: (number of the product, kilograms)
    lines: Sequence[tuple[int, str]]
    fate: Fate
    pays_cash: bool
    #: minutes after the vans left at which they order; None: the day before
    orders_late_min: int | None = None


@dataclass(frozen=True)
class Scenario:
    """The day."""

    seed: int
    doors: Sequence[Door]
    vans: int
    #: (latitude, longitude, radius in metres) of places where no phone has signal
    dead_places: Sequence[tuple[float, float, float]]
    #: of these vans: minutes after they left at which they stop for good
    breaks_down_min: dict[int, int]
    #: of this van: minutes after it left at which its cooling fails
    warms_up_min: dict[int, int]

    @property
    def late(self) -> Sequence[Door]:
        """Who orders when the vans are on the road."""
        return [door for door in self.doors if door.orders_late_min is not None]


def draw(
    seed: int, *, orders: int, vans: int, late: int, refusals: int, absent: int, breakdowns: int, warm: int
) -> Scenario:
    """A day of so many orders; the counts are exact, everything else is chance."""
    dice = random.Random(seed)
    drawn: dict[Fate, int] = {"refuses": refusals, "absent": absent, "opens": orders - refusals - absent}
    fates = [fate for fate, count in drawn.items() for _ in range(count)]
    dice.shuffle(fates)
    late_ones = set(dice.sample([number for number, fate in enumerate(fates) if fate == "opens"], late))
    doors = [_door(dice, number, fate, late=number in late_ones) for number, fate in enumerate(fates)]
    troubled = dice.sample(range(vans), breakdowns + warm)
    return Scenario(
        seed,
        doors,
        vans,
        [_zone(dice) for _ in range(4)],
        {van: dice.randrange(70, 150) for van in troubled[:breakdowns]},
        {van: dice.randrange(60, 120) for van in troubled[breakdowns:]},
    )


def _door(dice: random.Random, number: int, fate: Fate, *, late: bool) -> Door:
    north_km, east_km = dice.gauss(0, 2.5), dice.gauss(0, 2.5)
    opens_h = dice.choice([7, 7, 8, 9])
    products = dice.sample(range(6), dice.choice([1, 1, 2, 3]))
    return Door(
        name=f"Kitchen {number}",
        phone=f"+9198{number:08d}" if dice.random() < 0.9 else "",
        latitude=round(DEPOT[0] + north_km * _DEGREES_A_KM, 6),
        longitude=round(DEPOT[1] + east_km * _DEGREES_A_KM, 6),
        opens_h=7 if late else opens_h,
        closes_h=20 if late else opens_h + dice.choice([6, 8, 10]),
        lines=[(product, f"{dice.randrange(1, 12)}.{dice.choice(['000', '250', '500'])}") for product in products],
        fate=fate,
        pays_cash=dice.random() < 0.3,
        orders_late_min=dice.randrange(20, 120) if late else None,
    )


def _zone(dice: random.Random) -> tuple[float, float, float]:
    north_km, east_km = dice.gauss(0, 2), dice.gauss(0, 2)
    return DEPOT[0] + north_km * _DEGREES_A_KM, DEPOT[1] + east_km * _DEGREES_A_KM, dice.uniform(400, 1200)
