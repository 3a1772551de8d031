"""A search in a process of its own: it can be killed, may not eat the machine's memory, and takes nobody along.

The child is a fresh interpreter that is handed one end of a socket, so that it does not matter whether the caller has
threads, is a worker of a pool itself, or guards its main module. It leads a process group: what it starts ends with it,
also when the caller is killed.
"""

import contextlib
import logging
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from tempfile import TemporaryFile
from typing import IO

from route_optimizer.plan import Ending
from route_optimizer.problem import Problem
from route_optimizer.search import WATCH_S, Engine, Found, Progress, Search, Sequences

#: after the budget, seconds: for an engine to end what it cannot interrupt
GRACE_S = 0.7
#: after it was told to stop, seconds
LAST_MOMENTS_S = 0.7
#: for a process to vanish once it was told to, seconds
DYING_S = 0.3
#: of what a dying child wrote, characters
LAST_WORDS = 600

CHILD = "import sys; from route_optimizer.apart import child; child(int(sys.argv[1]), int(sys.argv[2]))"

log = logging.getLogger(__name__)


class EngineDied(Exception):
    """The process of a search ended before it had anything to offer: out of memory, or by a fault of the solver."""


class _Gone(Exception):
    """Nobody is at the other end any more."""


@dataclass(frozen=True, slots=True)
class _Incumbent:
    progress: Progress
    sequences: Sequences | None


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception
    #: the child's traceback
    words: str


def apart(
    engine: Engine,
    problem: Problem,
    search: Search,
    *,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Found:
    """Run an engine in a child; ask `cancelled` and tell `progress` about 20 times a second, in this thread.

    The child is killed when it is still busy `GRACE_S` after the budget, or `LAST_MOMENTS_S` after it was told to stop.
    Whatever ends it, the best sequences that it told are the answer, or else those that it was to start from.

    Args:
        engine: a function that can be pickled.
        problem: what is to be planned.
        search: its budget counts from `Search.began`, the start of the child included.
        cancelled: once true, the engine is told to stop.
        progress: told of better plans. Whatever these two raise ends the child and is raised.

    Raises:
        EngineDied: when the child ends by itself without having told any sequences.
    """
    ours, theirs = Pipe()
    with TemporaryFile() as words, ours:
        with theirs:
            process = _started(theirs.fileno(), search.memory_bytes, words)
        try:
            return _Watch(ours, process, search, cancelled, progress).until_the_end(engine, problem)
        except _Gone:
            return _survived(search, process, _last(words))
        finally:
            search.stopped = True
            _end(process)


def _started(descriptor: int, memory_bytes: int, words: IO[bytes]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(os.path.abspath(each) for each in sys.path)
    return subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
        [sys.executable, "-P", "-c", CHILD, str(descriptor), str(memory_bytes)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=words,
        env=os.environ | {"PYTHONPATH": path},
        pass_fds=[descriptor],
        start_new_session=True,
    )


@dataclass(slots=True)
class _Watch:
    """The caller's end."""

    socket: Connection
    process: subprocess.Popen[bytes]
    search: Search
    cancelled: Callable[[], bool] | None
    progress: Callable[[Progress], None] | None

    def until_the_end(self, engine: Engine, problem: Problem) -> Found:
        search = self.search
        self._say((engine, problem, replace(search, best=None, sequences=None, tell=None, whole=None)))
        deadline = search.began + search.budget_s + GRACE_S
        told = False
        while time.monotonic() < deadline:
            if (found := self._heard()) is not None:
                return found
            search.stopped = search.stopped or (self.cancelled is not None and self.cancelled())
            if search.stopped and not told:
                told = True
                self._say("stop")
                deadline = min(deadline, time.monotonic() + LAST_MOMENTS_S)
        return _best(search, "cancelled" if told else "budget")

    def _heard(self) -> Found | None:
        """What the child says within a moment; of several better plans the caller is told the last."""
        news: Progress | None = None
        within_s = WATCH_S
        try:
            while (said := self._next(within_s)) is not None:
                within_s = 0
                if isinstance(said, _Incumbent):
                    news = self.search.best = said.progress
                    self.search.sequences = said.sequences or self.search.sequences
                elif isinstance(said, _Failure):
                    return self._failed(said)
                else:
                    return _found(said)
        finally:
            if news is not None and self.progress is not None:
                self.progress(news)
        return None

    def _say(self, words: object) -> None:
        try:
            self.socket.send(words)
        except OSError as error:
            raise _Gone from error

    def _next(self, within_s: float) -> object:
        try:
            return self.socket.recv() if self.socket.poll(within_s) else None
        except (EOFError, OSError) as error:
            raise _Gone from error

    def _failed(self, failure: _Failure) -> Found:
        error = failure.error
        if isinstance(error, MemoryError):
            error = EngineDied(f"the search needs more than its {self.search.memory_bytes >> 20} MiB; give it more")
        if self.search.sequences is None:
            error.add_note(failure.words)
            raise error
        log.error("%s; its best plan is used\n%s", error, failure.words)
        return _best(self.search, "budget")


def _found(said: object) -> Found:
    if not isinstance(said, Found):
        raise TypeError(f"an engine gave {said!r} instead of what it found")
    return said


def _best(search: Search, ending: Ending) -> Found:
    return Found(search.sequences or search.start or {}, ending)


def _survived(search: Search, process: subprocess.Popen[bytes], words: str) -> Found:
    """What is left of a child that is gone."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(DYING_S)
    code = process.returncode or 0
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    if search.sequences is None:
        remedy = "raise its memory, or use another engine"
        raise EngineDied(f"the process of the search {how} before it found a plan: {words or 'no words'}; {remedy}")
    log.error("the process of the search %s; its best plan is used: %s", how, words)
    return _best(search, "budget")


def _last(words: IO[bytes]) -> str:
    words.seek(0)
    return words.read().decode(errors="replace").strip()[-LAST_WORDS:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started. What tracks their semaphores survives this signal, tidies up and ends."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(DYING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def child(descriptor: int, memory_bytes: int) -> None:
    """The life of the child: one engine, one search."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    socket = Connection(descriptor)
    sending = threading.Lock()

    def say(words: _Incumbent | _Failure | Found) -> None:
        with sending:
            socket.send(words)

    try:
        engine, problem, search = socket.recv()
        search.tell = lambda progress, sequences: say(_Incumbent(progress, sequences))
        threading.Thread(target=_listen, args=(socket, search), daemon=True).start()
        answer: Found | _Failure = engine(problem, search)
    except Exception as error:  # noqa: BLE001 - the caller is to see it
        answer = _Failure(_portable(error), "".join(traceback.format_exception(error)))
    say(answer)


def _listen(socket: Connection, search: Search) -> None:
    """Until the caller is gone, and then nobody waits for an answer."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            socket.recv()
            search.stopped = True
    os.killpg(0, signal.SIGTERM)


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever it is that does not pickle
        return RuntimeError(repr(error))
    return error
