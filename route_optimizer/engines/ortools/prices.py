"""What the solver pays, in a unit in which every rate is whole, divided where the largest sum would not fit."""

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
from numpy.typing import NDArray

from route_optimizer.engines.ortools.graph import Graph
from route_optimizer.problem import Objective, Stop, Vehicle

#: the largest sum of costs handed to the solver, with room below 2^63 for what it adds itself
LARGEST_SUM = 2**58
#: in this part of a unit of the objective every rate per metre, per second and per millilitre is whole
FINE = 9_000_000
PER_HOUR = FINE // 3_600
PER_KM = FINE // 1_000
PER_KM_AND_1000 = FINE // 1_000_000

MONEY = (Objective.COST, Objective.HYBRID)


@dataclass(frozen=True)
class Prices:
    """Each method answers in `FINE` parts; `priced` makes the solver's number of it."""

    graph: Graph
    horizon_s: int

    @property
    def objective(self) -> Objective:
        """What is saved."""
        return self.graph.problem.objective

    def per_metre(self, vehicle: Vehicle) -> int:
        """Distance and what is burnt on it."""
        if self.objective is Objective.DISTANCE:
            return FINE
        if self.objective is Objective.FUEL:
            return PER_KM * vehicle.fuel_ml_per_km
        if self.objective is Objective.TIME:
            return 0
        problem = self.graph.problem
        burnt = vehicle.fuel_ml_per_km * problem.fuel_price_minor_per_l
        if self.objective is Objective.HYBRID:
            burnt += vehicle.co2_g_per_km * problem.co2_price_minor_per_kg
        return PER_KM * vehicle.cost_per_km_minor + PER_KM_AND_1000 * burnt

    def per_second(self, vehicle: Vehicle) -> int:
        """From start to end."""
        if self.objective is Objective.TIME:
            return FINE
        return PER_HOUR * vehicle.cost_per_hour_minor if self.objective in MONEY else 0

    def overtime(self, vehicle: Vehicle) -> int:
        """A second of overtime, on top."""
        if vehicle.overtime_after_s is None or self.objective not in MONEY:
            return 0
        return PER_HOUR * vehicle.overtime_cost_per_hour_minor

    def fixed(self, vehicle: Vehicle) -> int:
        """A vehicle that leaves at all."""
        return vehicle.fixed_cost_minor * FINE if self.objective in MONEY else 0

    def late(self, stop: Stop) -> int:
        """A second of lateness."""
        return PER_HOUR * stop.late_cost_per_hour if stop.due_s is not None else 0

    @property
    def reassign(self) -> int:
        """A stop on another vehicle than planned."""
        return FINE * self.graph.problem.reassign_cost

    @property
    def balance(self) -> int:
        """A second of the longest route."""
        return PER_HOUR * self.graph.problem.balance_cost_per_hour

    @cached_property
    def mandatory(self) -> int:
        """The penalty of one unit of weight left out: more than any plan costs, prizes included."""
        problem = self.graph.problem
        metres, seconds = int(self.graph.metres.max()), int(self.graph.seconds.max())
        dearest = max(metres * self.per_metre(each) + seconds * self.per_second(each) for each in problem.vehicles)
        waiting = sum(self.per_second(each) + self.overtime(each) for each in problem.vehicles)
        late = sum(self.late(stop) for stop in problem.stops)
        return (
            1
            + (self.graph.visits + len(problem.vehicles)) * dearest
            + self.horizon_s * (waiting + late + self.balance)
            + sum(FINE * (stop.prize or 0) for stop in problem.stops)
            + sum(self.fixed(each) for each in problem.vehicles)
            + self.reassign * len(problem.stops)
        )

    @cached_property
    def divisor(self) -> int:
        """What all rates have in common; more when the largest sum that can occur would not fit."""
        problem = self.graph.problem
        rates = [self.reassign, self.balance, *(self.late(stop) for stop in problem.stops)]
        for each in problem.vehicles:
            rates += [self.per_metre(each), self.per_second(each), self.overtime(each), self.fixed(each)]
        common = gcd(FINE, *rates)
        weight = sum(1 + stop.priority for stop in problem.stops)
        return max(common, 1 + (1 + weight) * self.mandatory // LARGEST_SUM)

    def priced(self, fine: int) -> int:
        """The solver's number for a price."""
        return (fine + self.divisor // 2) // self.divisor

    def penalty(self, stop: Stop) -> int:
        """What leaving it out costs."""
        worth = (1 + stop.priority) * self.mandatory if stop.prize is None else stop.prize * FINE
        return worth // self.divisor

    def arcs(self, vehicle: Vehicle) -> NDArray[np.int64]:
        """Cost of each arc; where no road leads it does not matter, the times forbid it."""
        metre, second = self.per_metre(vehicle), self.per_second(vehicle)
        metres, seconds = np.maximum(self.graph.metres, 0), np.maximum(self.graph.seconds, 0)
        if metre % self.divisor == 0 and second % self.divisor == 0:
            return np.asarray(metres * (metre // self.divisor) + seconds * (second // self.divisor))
        fine = metres * (metre / self.divisor) + seconds * (second / self.divisor)
        return np.asarray(np.rint(fine), dtype=np.int64)

    def seen(self, solver_cost: int) -> int:
        """A cost of the solver in units of the objective, without penalties for weight left out."""
        return solver_cost % max(1, self.mandatory // self.divisor) * self.divisor // FINE
