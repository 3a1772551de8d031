"""Stock as one person with a notebook would keep it: the model that the product is held against.

Whole units of one product, lots by name, places by number. Nothing here is concurrent, durable or quick.
"""

from collections import defaultdict
from dataclasses import dataclass, field

Shelf = tuple[str, int]


@dataclass
class PlainStock:
    """What lies where, and what of it is promised to whom."""

    on_hand: dict[Shelf, int] = field(default_factory=lambda: defaultdict(int))
    #: who -> shelf -> how much
    promised: dict[str, dict[Shelf, int]] = field(default_factory=dict)
    #: what is kept from being sold, and by which holds
    held: dict[Shelf, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: hold -> the place or the lot on which it lies; what arrives falls under it as well
    holds: dict[str, int | str] = field(default_factory=dict)

    def reserved(self, shelf: Shelf) -> int:
        """How much of it is promised."""
        return sum(shelves.get(shelf, 0) for shelves in self.promised.values())

    def free(self, shelf: Shelf) -> int:
        """How much of it may be promised."""
        return 0 if self.held[shelf] else self.on_hand[shelf] - self.reserved(shelf)

    def may_leave(self, shelf: Shelf, quantity: int) -> bool:
        """Whether so much lies there beyond what is promised."""
        return self.on_hand[shelf] - self.reserved(shelf) >= quantity

    def put(self, shelf: Shelf, quantity: int) -> None:
        """More lies there, or less. What arrives where a hold lies is held."""
        self.on_hand[shelf] += quantity
        if quantity > 0:
            self.held[shelf] |= {hold for hold, on in self.holds.items() if on in shelf}

    def carry(self, shelf: Shelf, to: Shelf, quantity: int) -> None:
        """Goods go from one shelf to another, and with them what they are held for."""
        self.put(shelf, -quantity)
        self.put(to, quantity)
        self.held[to] |= self.held[shelf]

    def hold(self, name: str, on: int | str) -> None:
        """Hold a place or a lot."""
        self.holds[name] = on
        for shelf, quantity in self.on_hand.items():
            if on in shelf and quantity:
                self.held[shelf].add(name)

    def let_go(self, name: str) -> None:
        """End a hold."""
        del self.holds[name]
        for names in self.held.values():
            names.discard(name)

    def take_promise(self, who: str) -> dict[Shelf, int]:
        """What was promised to somebody, who is not promised it any more."""
        return self.promised.pop(who, {})

    def shelves(self) -> dict[Shelf, tuple[int, int, bool]]:
        """Of each shelf on which anything ever lay: (on hand, reserved, held)."""
        return {
            shelf: (quantity, self.reserved(shelf), bool(self.held[shelf]))
            for shelf, quantity in self.on_hand.items()
            if quantity
        }
