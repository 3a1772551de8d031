"""PyVRP without the rules that it lacks, and then with them.

PyVRP finds far better routes than anything that knows every rule, so it looks at an easier problem first (see
`relaxed`): for a moment at one whose plans need no mending for the sake of breaks, so that there is a plan; then at
looser ones, each from where the last one ended. What it finds is mended; the best of it is improved by taking stops out
and putting them back in, which the schedule itself judges, so that every rule is kept.
"""

from route_optimizer.engines import decomposition, pyvrp
from route_optimizer.engines.choice import MANY_STOPS
from route_optimizer.engines.relaxed import Relaxed, relaxed
from route_optimizer.improve import MOST_STOPS, improve
from route_optimizer.insertion import fill_in
from route_optimizer.plan import Ending
from route_optimizer.problem import Problem
from route_optimizer.repair import kept, loss, routes_of
from route_optimizer.search import Found, Search, Sequences

#: for a first plan, seconds
FIRST_S = 0.4
#: how loose the easier problems are, and the share of the budget for each
STEPS = ((0.4, 0.1), (0.8, 0.3), (1.0, 0.3))
#: the same without breaks, or for few stops
SHARE = 0.5
#: to mend one plan, seconds at most
MEND_S = 1.0
#: a problem of so few stops is settled when a number of rounds brought nothing
FEW_STOPS = 25
ROUNDS, ROUNDS_PER_STOP = 100, 20


def lacks(problem: Problem) -> str | None:
    """Nothing: what PyVRP does not know is added afterwards."""
    return None


def search(problem: Problem, search: Search) -> Found:
    """What is fast first, then what is exact; the best of all."""
    if not problem.stops or not problem.vehicles:
        return Found({}, "optimal")
    return _Run(problem, search).found()


class _Run:
    """One search, and the best plan so far."""

    def __init__(self, problem: Problem, search: Search) -> None:
        self.problem = problem
        self.search = search
        self.best: Sequences = {}
        self.least: tuple[int, int] | None = None

    def found(self) -> Found:
        """The best of all."""
        budget_s = self.search.remaining_s
        if self.search.start:
            self._take(self.search.start)
        start = self._easily(relaxed(self.problem), self.best, FIRST_S)
        for looseness, share in STEPS if self._is_gradual() else ((1.0, SHARE),):
            if not self.search.over:
                start = self._easily(relaxed(self.problem, looseness, start), start, share * budget_s)
        self._improve()
        ending: Ending = "cancelled" if self.search.stopped else "budget" if self.search.over else "settled"
        return Found(self.best, ending)

    def _is_gradual(self) -> bool:
        """Whether it matters how loosely breaks are seen, and there is more to do than one step does."""
        return len(self.problem.stops) > FEW_STOPS and any(each.breaks for each in self.problem.vehicles)

    def _improve(self) -> None:
        few = len(self.problem.stops) <= FEW_STOPS
        rounds = ROUNDS + ROUNDS_PER_STOP * len(self.problem.stops) if few else None
        before = None
        while before != self.least and not self.search.over:
            before = self.least
            self._better(self.best, self.search.remaining_s, rounds)

    def _easily(self, easier: Relaxed, start: Sequences, budget_s: float) -> Sequences:
        """What PyVRP makes of the easier problem, before it is mended."""
        whole = self.search
        part = whole.part(budget_s, start=easier.there(start) or None, cores=whole.cores)
        engine = pyvrp if len(easier.easier.stops) < MANY_STOPS else decomposition
        found = easier.back(engine.search(easier.easier, part).sequences)
        self._take(found)
        return found

    def _take(self, sequences: Sequences) -> None:
        """Mend a plan, and keep it if it is better than the best."""
        mended = kept(self.problem, sequences)
        self._keep(mended)
        self._better(mended, MEND_S, ROUNDS)

    def _better(self, sequences: Sequences, budget_s: float, rounds: int | None) -> None:
        if len(self.problem.stops) > MOST_STOPS:
            # more than `improve` takes: what is left out is put in where it fits
            return self._keep(fill_in(self.problem, sequences, within_s=min(budget_s, self.search.remaining_s)))
        part = self.search.part(budget_s)
        part.tell = lambda _, better: self._keep(better or {})
        return self._keep(improve(self.problem, sequences, part, iterations=rounds))

    def _keep(self, sequences: Sequences) -> None:
        routes = routes_of(self.problem, sequences)
        new = loss(self.problem, routes)
        if self.least is None or new < self.least:
            self.best, self.least = {each.vehicle: each.order for each in routes}, new
            served = sum(len(each.visits) for each in routes)
            self.search.found(new[1], len(self.problem.stops) - served, self.best)
