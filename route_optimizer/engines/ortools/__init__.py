"""OR-Tools' routing library: the engine that knows every rule.

What it is careful about, each learnt by measuring:

* Every stop is optional at a penalty, so that a first solution always exists; never a bare cheapest-arc start (with
  every stop mandatory it found none in 30 s on some instances).
* Transits are vectors and matrices in C++; a Python callback is called millions of times.
* `SetAllowedVehiclesForIndex` does not take a list in the 9.15 wheel: the vehicle variable's values are set instead.
* The solver never lets go of the interpreter, and swallows what a callback raises. A limit written in Python, which
  reads two fields, lets other threads in and stops the search within milliseconds, for a sixth of the speed.
* Costs are 64-bit: they are divided until the largest sum that can occur fits. The plan's cost is recomputed exactly.
* It takes no seed: the seed shuffles the stops instead, which changes every tie.
* Idle vehicles slow it: of each kind it is shown a few more than are used.
* Its iterated local search leaks memory, gigabytes in a minute: guided local search does not.

What it does not know to the second: rests for the driving rule are counted, not placed; a route begun just after a
break's latest instant waits until the break could have been over; and a group that goes together has a price for being
torn. What comes of these is mended afterwards, as every engine's orders are.
"""

import random
from dataclasses import replace

from route_optimizer.engines.ortools.graph import fleet
from route_optimizer.engines.ortools.model import Model
from route_optimizer.problem import Problem
from route_optimizer.search import Found, Search


def lacks(problem: Problem) -> str | None:
    """Nothing: it knows every rule."""
    return None


def search(problem: Problem, search: Search) -> Found:
    """Search until the budget ends; a small problem only until it is settled."""
    if not problem.stops or not problem.vehicles:
        return Found({}, "optimal")
    stops = list(problem.stops)
    random.Random(search.seed).shuffle(stops)  # noqa: S311  no secret depends on it
    start = search.start or {}
    shown = replace(problem, stops=tuple(stops), vehicles=fleet(problem, start))
    return Model(shown).run(search)
