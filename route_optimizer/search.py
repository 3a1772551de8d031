"""What a search may use up, and how it is watched and stopped.

A solver holds the interpreter for long, swallows what is raised in its callbacks, and looks at its clock only now and
then. So it runs in a process of its own (see `apart`), or where it is known to be gentle in a thread, and touches a few
plain fields; the caller's functions run in the caller's thread.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from route_optimizer.executor import Opening
from route_optimizer.plan import Ending, Order
from route_optimizer.problem import Problem

#: what each vehicle serves, by its id; a vehicle without stops may be absent
Sequences = Mapping[str, Order]

WATCH_S = 0.05
#: what a process of a search may have, unless told otherwise
MEMORY_BYTES = 3 << 30


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
    """Shared by an engine, which reads `stopped` and tells what it has `found`, and by whoever watches it."""

    #: seconds the engine may search
    budget_s: float
    seed: int
    #: processors it may keep busy
    cores: int = 1
    #: the most that each of its processes may allocate
    memory_bytes: int = MEMORY_BYTES
    #: a plan to begin with; an engine never ends with a worse one
    start: Sequences | None = None
    #: opens what an engine spreads its work over; None is processes of this machine, if there are several cores
    executor: Opening | None = None
    #: by `time.monotonic`, which all processes of a machine share
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False
    best: Progress | None = None
    #: the best plan so far, if the engine has told it
    sequences: Sequences | None = None
    #: called with whatever is found, in the engine's thread
    tell: Callable[[Progress, Sequences | None], None] | None = None
    #: the search that this one is a part of, and ends with
    whole: "Search | None" = None

    def part(
        self, budget_s: float, *, seed: int | None = None, start: Sequences | None = None, cores: int = 1
    ) -> "Search":
        """Some seconds of it that end when all of it does; what is found in it is not told."""
        within_s = min(budget_s, self.remaining_s)
        own = self.seed if seed is None else seed
        executor = self.executor if cores > 1 else None
        return Search(within_s, own, cores, self.memory_bytes, start, executor, whole=self)

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def remaining_s(self) -> float:
        """Seconds of the budget that are left, never below 0."""
        return max(0.0, self.budget_s - self.elapsed_s)

    @property
    def over(self) -> bool:
        """Whether to end: told to, or out of time."""
        return self.stopped or self.elapsed_s >= self.budget_s or (self.whole is not None and self.whole.over)

    def found(self, cost: int, left_out: int, sequences: Sequences | None = None) -> None:
        """Tell that there is a better plan; with its sequences it outlives the engine."""
        self.best = Progress(self.elapsed_s, cost, left_out)
        if sequences is not None:
            self.sequences = sequences
        if self.tell is not None:
            self.tell(self.best, sequences)


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
