"""Searches in a process of their own: whatever happens to it, the caller gets the best plan there was, or a reason."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from route_optimizer.apart import EngineDied, apart
from route_optimizer.executor import processes
from route_optimizer.problem import Stop
from route_optimizer.search import Engine, Found, Progress, Search
from tests.route_optimizer import doomed
from tests.route_optimizer.world import towns

PROBLEM = towns(10, 20)
LONG_S = 60.0


def ran(engine: Engine, *, budget_s: float = LONG_S, memory_mb: int = 1024, **watched: Callable[..., object]) -> Found:
    return apart(engine, PROBLEM, Search(budget_s, 0, memory_bytes=memory_mb << 20), **watched)  # type: ignore[arg-type]


def children() -> list[psutil.Process]:
    """Of this process, those that search."""
    return [
        each for each in psutil.Process().children(recursive=True) if "route_optimizer.apart" in str(each.cmdline())
    ]


def test_an_engine_gets_the_problem_and_its_answer_comes_back() -> None:
    told: list[Progress] = []
    search = Search(LONG_S, 0)
    found = apart(doomed.obliging, PROBLEM, search, progress=told.append)
    assert found == Found({"van": ("A", "B")}, "settled")
    assert (told[-1].cost, told[-1].left_out) == (5, 0)
    assert (search.best, search.sequences) == (told[-1], doomed.BEST)
    assert children() == []


@pytest.mark.parametrize("engine", [doomed.crashing, doomed.greedy])
def test_the_best_plan_survives_the_engine(engine: Engine) -> None:
    assert ran(engine, memory_mb=400) == Found(doomed.BEST, "budget")


def test_an_engine_that_is_told_to_stop_gives_what_it_has() -> None:
    told: list[Progress] = []
    assert ran(doomed.waiting, progress=told.append, cancelled=lambda: bool(told)).sequences == {"van": ("B", "A")}


def test_cancelling_does_not_wait_for_an_engine_that_does_not_listen() -> None:
    told: list[Progress] = []
    assert ran(doomed.deaf, progress=told.append, cancelled=lambda: bool(told)) == Found(doomed.BEST, "cancelled")


def test_a_plan_to_start_from_is_better_than_none() -> None:
    start = {"van": ("A",)}
    assert apart(doomed.silent, PROBLEM, Search(0.01, 0, start=start)) == Found(start, "budget")


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (doomed.crashing_at_once, "was ended by SIGABRT before it found a plan"),
        pytest.param(
            doomed.greedy_at_once, "the search needs more than its 400 MiB", marks=pytest.mark.long, id="greedy"
        ),
    ],
)
def test_an_engine_that_dies_with_nothing_says_how(engine: Engine, words: str) -> None:
    with pytest.raises(EngineDied, match=words):
        ran(engine, memory_mb=400)


def test_what_an_engine_raises_is_raised_with_the_place_where_it_was() -> None:
    with pytest.raises(KeyError, match="no such thing") as caught:
        ran(doomed.mistaken)
    assert "in mistaken" in "".join(caught.value.__notes__)


def test_what_the_caller_raises_ends_the_child() -> None:
    def fail(best: Progress) -> None:
        raise ConnectionError(best.cost)

    with pytest.raises(ConnectionError):
        ran(doomed.deaf, progress=fail)
    assert children() == []


def test_it_works_from_a_thread() -> None:
    answers: list[Found] = []
    thread = threading.Thread(target=lambda: answers.append(ran(doomed.obliging)))
    thread.start()
    thread.join()
    assert [found.ending for found in answers] == ["settled"]


@pytest.mark.long
def test_it_works_from_the_worker_of_a_pool() -> None:
    with processes(1) as pool:
        assert pool.submit(ran, doomed.obliging).result().ending == "settled"


def test_a_search_does_not_outlive_its_caller(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = (
        "from route_optimizer.apart import apart\n"
        "from route_optimizer.search import Search\n"
        "from tests.route_optimizer import doomed, test_apart\n"
        f"apart(doomed.orphaned, test_apart.with_last_stop({str(told)!r}), Search(600, 0))"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    caller = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": path})
    until(lambda: told.is_file() and told.read_text() != "")
    child = psutil.Process(int(told.read_text()))
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def with_last_stop(name: str) -> object:
    return towns(10, stops=[Stop(name, 1)])


def until(come: Callable[[], bool]) -> None:
    """Wait for something, for a minute at most."""
    end = time.monotonic() + LONG_S
    while not come():
        assert time.monotonic() < end, "it did not come"
        threading.Event().wait(0.02)
