"""Engines that fail in every way, for searches in a process of their own."""

import os
import threading
from pathlib import Path

from route_optimizer.problem import Problem
from route_optimizer.search import Found, Search

BEST = {"van": ("A", None, "B")}


def obliging(problem: Problem, search: Search) -> Found:
    search.found(7, 1, BEST)
    search.found(5, 0)
    return Found({"van": tuple(stop.id for stop in problem.stops)}, "settled")


def waiting(problem: Problem, search: Search) -> Found:
    """Ends once it is told to, and not before."""
    search.found(7, 1, BEST)
    while not search.over:
        threading.Event().wait(0.01)
    return Found({"van": ("B", "A")}, "cancelled" if search.stopped else "budget")


def deaf(problem: Problem, search: Search) -> Found:
    """Has something, and never looks up again."""
    search.found(7, 1, BEST)
    while True:
        threading.Event().wait()


def silent(problem: Problem, search: Search) -> Found:
    """Never ends, and never says anything."""
    while True:
        threading.Event().wait()


def crashing(problem: Problem, search: Search) -> Found:
    search.found(7, 1, BEST)
    os.abort()


def crashing_at_once(problem: Problem, search: Search) -> Found:
    os.abort()


def greedy(problem: Problem, search: Search) -> Found:
    """Eats until there is no more."""
    search.found(7, 1, BEST)
    return greedy_at_once(problem, search)


def greedy_at_once(problem: Problem, search: Search) -> Found:
    eaten = []
    while True:
        eaten.append(bytearray(32 << 20))


def mistaken(problem: Problem, search: Search) -> Found:
    raise KeyError("no such thing")


def orphaned(problem: Problem, search: Search) -> Found:
    """Writes down who it is, where the last of its stops is named after a file, and never ends."""
    Path(problem.stops[-1].id).write_text(str(os.getpid()))
    return deaf(problem, search)
