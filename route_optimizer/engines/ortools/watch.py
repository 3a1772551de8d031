"""Between the solver and the search: what was found, and whether it is enough."""

import time
from typing import Protocol

from route_optimizer.engines.ortools.prices import Prices
from route_optimizer.plan import Ending, Order
from route_optimizer.problem import Problem
from route_optimizer.search import Search

#: a problem of at most so many stops is settled when nothing better was found for a while
SMALL = 25
#: seconds between two times that the orders of a better plan are told
TELL_S = 0.5


class Watched(Protocol):
    """A model at a solution."""

    problem: Problem
    prices: Prices

    def cost(self) -> int:
        """The solver's."""

    def left_out(self) -> int:
        """Stops."""

    def orders(self) -> dict[str, Order]:
        """What is driven."""


class Watch:
    """Told of each solution, asked whether to end."""

    def __init__(self, model: Watched, search: Search) -> None:
        self.model = model
        self.search = search
        self.best: int | None = None
        #: of this thread's own work, so that a busy machine makes nobody impatient
        self.found_s = time.thread_time()
        self.began_s = self.found_s
        self.told_s = 0.0
        stops = len(model.problem.stops)
        self.patience_s = 0.05 + 0.02 * stops if stops <= SMALL else None
        self.ending: Ending = "budget"

    def look(self) -> None:
        """Called at each solution; not all are better than the best."""
        cost = self.model.cost()
        if self.best is None or cost < self.best:
            self.best = cost
            self.found_s = time.thread_time()
            seen, left_out = self.model.prices.seen(cost), self.model.left_out()
            if time.monotonic() - self.told_s < TELL_S:
                self.search.found(seen, left_out)
                return
            self.told_s = time.monotonic()
            self.search.found(seen, left_out, self.model.orders())

    def is_over(self) -> bool:
        """Called hundreds of thousands of times a second."""
        if self.search.stopped:
            self.ending = "cancelled"
            return True
        if self.patience_s is None or self.best is None:
            return False
        if time.thread_time() - self.found_s > self.patience_s + (self.found_s - self.began_s):
            self.ending = "settled"
            return True
        return False
