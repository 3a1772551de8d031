"""What stock is worth: a pure function over the ledger, by when things happened, exact to the last digit.

Nothing of it is stored, so nothing has to be posted again when an entry is written later: the next answer counts it in.

Amounts are integers: ten-thousandths of the currency a unit, times thousandths of a unit, are ten-millionths. What is
taken from a part of a layer, or from an average, is rounded to one of them, and what takes the last takes all that is
left: value in - value out = value left, always.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

Method = Literal["fifo", "average"]
#: what goods bring with them that change hands between two ends of a booking
_CARRIED = ("transfer", "production")


@dataclass(frozen=True, slots=True)
class Booked:
    """A movement, as far as its value goes."""

    product_id: UUID
    #: None: in a van, or on the way
    warehouse_id: UUID | None
    #: when its lot was received, and the lot: the order of layers
    lot_received_at: datetime
    lot_id: UUID
    movement_type: str
    #: signed, thousandths
    quantity: int
    #: ten-thousandths a unit: the movement's, else its lot's; None: nobody knows
    unit_cost: int | None
    #: what both ends of a transfer, or all of a production, have in common; None: nothing
    group: UUID | str | None


@dataclass(order=True, slots=True)
class _Layer:
    received_at: datetime
    lot_id: UUID
    quantity: int = field(compare=False)
    #: ten-millionths
    value: int = field(compare=False)


@dataclass(slots=True)
class Worth:
    """A product in a warehouse: thousandths, and ten-millionths of the currency."""

    value_in: int = 0
    value_out: int = 0
    #: what is left, oldest first
    layers: list[_Layer] = field(default_factory=list)
    #: what went out before it came in, at one instant
    owed: int = 0
    #: of a unit, as it was last known
    last_cost: int = 0

    @property
    def quantity(self) -> int:
        """Thousandths that are left."""
        return sum(layer.quantity for layer in self.layers) - self.owed

    @property
    def value(self) -> int:
        """Ten-millionths that are left."""
        return sum(layer.value for layer in self.layers)


def value(
    movements: Iterable[Booked], *, method: Method, makes: Mapping[UUID, int] | None = None
) -> dict[tuple[UUID, UUID | None], Worth]:
    """What is left of each product in each warehouse.

    Args:
        movements: in the order in which they happened.
        method: `fifo`: what was received first leaves first; `average`: everything leaves at the mean of what is left.
        makes: thousandths that come out of each production, by its group; among them the value is shared.
    """
    book = Book(method, makes or {})
    for movement in movements:
        book.add(movement)
    return dict(book.worth)


class Book:
    """The same, one movement after the other."""

    def __init__(self, method: Method, makes: Mapping[Any, int]) -> None:
        self.worth = defaultdict[tuple[UUID, UUID | None], Worth](Worth)
        self._method = method
        self._to_come = dict[object, int](makes.items())
        #: group -> what left by it and has not arrived
        self._under_way = defaultdict[object, deque[_Layer]](deque)

    def copy(self) -> "Book":
        """The same book: what is added to the one is not in the other."""
        other = Book(self._method, self._to_come)
        for key, its in self.worth.items():
            layers = [_again(layer) for layer in its.layers]
            other.worth[key] = Worth(its.value_in, its.value_out, layers, its.owed, its.last_cost)
        for group, left in self._under_way.items():
            if left:
                other._under_way[group] = deque(_again(layer) for layer in left)
        return other

    def expect(self, makes: Mapping[UUID, int]) -> None:
        """Productions to come: thousandths that come out of each, by its group."""
        self._to_come.update(makes)

    def add(self, movement: Booked) -> None:
        """Count one movement in."""
        its = self.worth[movement.product_id, movement.warehouse_id]
        carried = movement.movement_type in _CARRIED and movement.group is not None
        if movement.quantity < 0:
            taken = self._take(its, -movement.quantity)
            its.value_out += sum(layer.value for layer in taken)
            if carried:
                self._under_way[movement.group].extend(taken)
            return
        arrived = self._arrived(movement) if carried else []
        for layer in arrived or [self._bought(its, movement)]:
            its.value_in += layer.value
            self._put(its, layer)

    def _bought(self, its: Worth, movement: Booked) -> _Layer:
        if movement.unit_cost is not None:
            its.last_cost = movement.unit_cost
        worth = its.last_cost * movement.quantity
        return _Layer(movement.lot_received_at, movement.lot_id, movement.quantity, worth)

    def _arrived(self, movement: Booked) -> list[_Layer]:
        """What left by the same booking: of a transfer as much as arrives, of a production its share."""
        left = self._under_way.get(movement.group)
        if not left:
            return []
        if movement.movement_type == "production":
            to_come = self._to_come.get(movement.group, movement.quantity)
            self._to_come[movement.group] = to_come - movement.quantity
            all_of_it = _Layer(movement.lot_received_at, movement.lot_id, to_come, sum(layer.value for layer in left))
            left.clear()
            left.append(all_of_it)
            share = _part(left, movement.quantity)
            return [_Layer(movement.lot_received_at, movement.lot_id, movement.quantity, share.value)]
        layers, missing = [], movement.quantity
        while left and missing:
            layers.append(_part(left, missing))
            missing -= layers[-1].quantity
        if missing:
            layers.append(_Layer(movement.lot_received_at, movement.lot_id, missing, 0))
        return layers

    def _take(self, its: Worth, quantity: int) -> list[_Layer]:
        if self._method == "average":
            self._level_out(its)
        taken = []
        left = deque(its.layers)
        while left and quantity:
            taken.append(_part(left, quantity))
            quantity -= taken[-1].quantity
        its.layers = list(left)
        its.owed += quantity
        return taken

    def _put(self, its: Worth, layer: _Layer) -> None:
        if its.owed:  # it left before it came: at the cost that is known now
            at_once = deque([layer])
            gone = _part(at_once, min(its.owed, layer.quantity))
            its.owed -= gone.quantity
            its.value_out += gone.value
            if not at_once:
                return
            layer = at_once[0]
        at = bisect_left(its.layers, layer)
        if at < len(its.layers) and its.layers[at] == layer:  # of the same lot
            its.layers[at].quantity += layer.quantity
            its.layers[at].value += layer.value
        else:
            its.layers.insert(at, layer)

    def _level_out(self, its: Worth) -> None:
        if len(its.layers) > 1:
            first = its.layers[0]
            quantity = sum(layer.quantity for layer in its.layers)
            its.layers = [_Layer(first.received_at, first.lot_id, quantity, its.value)]


def _again(layer: _Layer) -> _Layer:
    return _Layer(layer.received_at, layer.lot_id, layer.quantity, layer.value)


def _part(layers: deque[_Layer], quantity: int) -> _Layer:
    """At most so much of the first layer, with its share of the value, rounded half up; the last takes all of it."""
    first = layers[0]
    if first.quantity <= quantity:
        return layers.popleft()
    share = (2 * first.value * quantity + first.quantity) // (2 * first.quantity)
    first.quantity -= quantity
    first.value -= share
    return _Layer(first.received_at, first.lot_id, quantity, share)


def amount(ten_millionths: int) -> Decimal:
    """An amount in the currency's own unit, exact."""
    return Decimal(ten_millionths).scaleb(-7)
