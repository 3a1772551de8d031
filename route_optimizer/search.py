"""What a search may use up, and how it is watched and stopped.

A solver holds the interpreter for long, swallows what is raised in its callbacks, and looks at its clock only now and
then. So it runs in a thread of its own and touches two plain fields; the caller's functions run in the caller's thread.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from route_optimizer.plan import Ending
from route_optimizer.problem import Problem

#: stop ids in order, by vehicle id; a vehicle without stops may be absent
Sequences = Mapping[str, tuple[str, ...]]

WATCH_S = 0.05


@dataclass(frozen=True, slots=True)
class Progress:
    """The best plan so far, as the engine counts it."""

    elapsed_s: float
    #: in units of the objective, waiting times not yet optimised
    cost: int
    #: stops that the best plan leaves out
    left_out: int


@dataclass(slots=True)
class Search:
    """Shared by an engine, which reads `stopped` and writes `best`, and by whoever watches it."""

    #: seconds the engine may search
    budget_s: float
    seed: int
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False
    best: Progress | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def remaining_s(self) -> float:
        """Seconds of the budget that are left, never below 0."""
        return max(0.0, self.budget_s - self.elapsed_s)

    def found(self, cost: int, left_out: int) -> None:
        """Tell that there is a better plan."""
        self.best = Progress(self.elapsed_s, cost, left_out)


@dataclass(frozen=True, slots=True)
class Found:
    """An engine's answer: an order of stops for each vehicle. Times are not its business."""

    sequences: Sequences
    ending: Ending


Engine = Callable[[Problem, Search], Found]


def watched(
    engine: Engine,
    problem: Problem,
    search: Search,
    *,
    cancelled: Callable[[], bool] | None,
    progress: Callable[[Progress], None] | None,
) -> Found:
    """Run an engine; ask `cancelled` and tell `progress` about 20 times a second.

    Whatever these two raise, Ctrl-C included, stops the engine and is raised.
    """
    told = None
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="route-engine") as threads:
        future: Future[Found] = threads.submit(engine, problem, search)
        try:
            while not wait([future], timeout=WATCH_S).done:
                if cancelled is not None and cancelled():
                    search.stopped = True
                if progress is not None and search.best is not None and search.best != told:
                    told = search.best
                    progress(told)
            if progress is not None and search.best is not None and search.best != told:
                progress(search.best)
        finally:
            search.stopped = True
    return future.result()
