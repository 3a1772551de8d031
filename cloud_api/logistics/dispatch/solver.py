"""Solving in a process of its own: it holds no lock, can be ended at once, and takes nobody with it.

The child is a fresh interpreter that reads its task from its input and writes better plans and the answer to its
output, each as a pickle behind its length. It leads a process group. The optimizer's own children end when it does.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import sys
import threading
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import BinaryIO

from cloud_api.logistics.dispatch.problems import Recipe
from cloud_api.logistics.dispatch.solutions import (
    Baseline,
    Changed,
    Figures,
    Solution,
    as_it_would_go_on,
    as_taken,
    taken_in_turn,
)
from route_optimizer.apart import EngineDied
from route_optimizer.problem import Problem
from route_optimizer.replan import replan
from route_optimizer.search import Progress
from route_optimizer.solve import solve
from route_optimizer.validation import ProblemError

CHILD = "from cloud_api.logistics.dispatch.solver import child; child()"
_LENGTH_BYTES = 8
_LAST_WORDS = 600
#: for a process to vanish once it was told to, seconds
_DYING_S = 1.0

Telling = Callable[[Progress], Awaitable[None]]


class SolverDied(Exception):
    """The process of a search ended before it had an answer: out of memory, or by a fault of the solver."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job as the solver takes it."""

    recipe: Recipe
    time_limit_s: int
    seed: int = 0
    #: None: a day from its beginning
    changed: Changed | None = None


def solved(task: Task, told: Callable[[Progress], None] | None = None) -> Solution:
    """Solve here, in this process.

    Raises:
        ProblemError: when the problem makes no sense.
        RefusedPlan: when the judge finds the plan to break a rule.
        EngineDied: when an engine ends without a plan.
    """
    problem = task.recipe.problem()
    if task.changed is not None:
        return _replanned(task, task.changed, problem)
    plan = solve(problem, budget_s=task.time_limit_s, seed=task.seed, progress=told)
    return Solution(
        recipe=task.recipe,
        plan=plan,
        baseline=as_taken(task.recipe, problem),
        before=taken_in_turn(task.recipe, problem, plan),
    )


def _replanned(task: Task, changed: Changed, problem: Problem) -> Solution:
    found = replan(
        problem,
        changed.day,
        insert=changed.insert,
        cancel=changed.cancel,
        budget_s=task.time_limit_s,
        most_moved=changed.most_moved,
        handling=changed.handling,
        seed=task.seed,
    )
    fetched = {each.pickup: each.delivery for each in found.problem.shipments}
    before, takes = as_it_would_go_on(problem, changed)
    due_s = {stop.id: stop.due_s for stop in problem.stops}
    late = [visit for route in before.routes for visit in route.visits if _is_after(visit.start_s, due_s[visit.stop])]
    return Solution(
        recipe=task.recipe.of(found.problem),
        plan=found.plan,
        baseline=Baseline(
            "the routes as they are", sum(takes.values(), Figures()), served=len(changed.standing), late=len(late)
        ),
        before=takes,
        why=found.why,
        standing=changed.standing,
        routes=changed.routes,
        removed=changed.removed,
        fetched=fetched,
    )


def _is_after(start_s: int, due_s: int | None) -> bool:
    return due_s is not None and start_s > due_s


async def solved_apart(task: Task, told: Telling) -> Solution:
    """Solve in a child; whoever is cancelled meanwhile ends it at once.

    Raises:
        ProblemError: when the problem makes no sense.
        EngineDied: when an engine ends without a plan.
        SolverDied: when the child ends without an answer, or by a fault of ours.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        CHILD,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"PYTHONPATH": _path()},
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise SolverDied("the process of the search has no pipes")  # never: they are asked for above
    last_words = asyncio.create_task(_last(process.stderr))
    try:
        return await _conversation(process, process.stdin, process.stdout, task, told)
    except (asyncio.IncompleteReadError, ConnectionError):
        await process.wait()
        words = (await last_words) or "no words"
        raise SolverDied(f"the process of the search ended with code {process.returncode}: {words}") from None
    finally:
        await _end(process)
        last_words.cancel()


def _path() -> str:
    """Where the child finds what we have imported."""
    return os.pathsep.join(os.path.abspath(each) for each in sys.path)


async def _conversation(
    process: Process, to: asyncio.StreamWriter, said: asyncio.StreamReader, task: Task, told: Telling
) -> Solution:
    """Hand the task over, and listen until there is an answer. Its input stays open: at its end the child ends too."""
    words = pickle.dumps(task)
    to.write(len(words).to_bytes(_LENGTH_BYTES, "big") + words)
    await to.drain()
    while True:
        length = int.from_bytes(await said.readexactly(_LENGTH_BYTES), "big")
        heard = pickle.loads(await said.readexactly(length))  # noqa: S301 - our own child
        if isinstance(heard, Progress):
            await told(heard)
        elif isinstance(heard, Solution):
            return heard
        else:
            assert isinstance(heard, Exception)  # noqa: S101 - a child says nothing else
            raise heard


async def _last(words: asyncio.StreamReader) -> str:
    kept = b""
    while more := await words.read(4096):
        kept = (kept + more)[-_LAST_WORDS:]
    return kept.decode(errors="replace").strip()


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    waiting = asyncio.ensure_future(process.wait())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(waiting, _DYING_S)


def child() -> None:
    """The life of the child: one task, one answer."""
    out, source = sys.stdout.buffer, sys.stdin.buffer
    lock = threading.Lock()

    def say(words: Progress | Solution | Exception) -> None:
        _write(out, words, lock)

    length = int.from_bytes(source.read(_LENGTH_BYTES), "big")
    task: Task = pickle.loads(source.read(length))  # noqa: S301 - our own
    threading.Thread(target=_end_with, args=(source,), daemon=True).start()
    try:
        answer: Solution | Exception = solved(task, say)
    except (ProblemError, EngineDied) as error:
        answer = error
    except Exception as error:  # noqa: BLE001 - the caller is to see it, also when it does not pickle
        answer = SolverDied("".join(traceback.format_exception_only(error)).strip())
    say(answer)


def _write(out: BinaryIO, words: object, lock: threading.Lock) -> None:
    content = pickle.dumps(words)
    with lock:
        out.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)
        out.flush()


def _end_with(source: BinaryIO) -> None:
    """Until the caller is gone, and then nobody waits for an answer."""
    source.read()
    os._exit(1)
