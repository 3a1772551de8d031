"""Where independent pieces of a search are worked on: processes of this machine, unless the caller brings something.

A search runs in a child process (see `apart`), so that what it is given is not an executor but how to open one: a plain
function, or an instance of a class, that pickles.
"""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing.process import BaseProcess
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Executor(Protocol):
    """What a search needs of one; everything in `concurrent.futures` is one."""

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a function called somewhere else; function, arguments and result can be pickled."""


#: opens an executor with room for so many calls at once
Opening = Callable[[int], AbstractContextManager[Executor]]


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A process for each worker, begun afresh: a copy of a process with threads could hang."""
    afresh = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=afresh, initializer=_watch_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _watch_parent() -> None:
    """A worker ends with the process that began it, even when that is killed; else it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
