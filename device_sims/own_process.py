"""A simulated thing in a process of its own, told what to do by JSON lines on its standard input.

What must not share a processor's time, a memory or a fate with who asks: the load on a gateway and its ledger, the
cloud behind it. Each command is one object with a key `do`, each answer one line. The process ends with its input.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

#: what JSON can say
Answer = dict[str, Any]

STOP_S = 5.0


class OwnProcessError(Exception):
    """It ended, did not answer in time, or answered that it could not do what it was told."""


class OwnProcess:
    """The side that gives the commands. Blocking: from a coroutine use a thread."""

    def __init__(self, module: str, arguments: Sequence[str] = (), *, cores: Iterable[int] | None = None) -> None:
        """Start `python -m module`; `cores` are the processors it may run on, None: all."""
        self.module = module
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        self._unread = b""
        if cores is not None:
            os.sched_setaffinity(self._process.pid, cores)

    @property
    def pid(self) -> int:
        """For who measures it."""
        return self._process.pid

    def ask(self, do: str, *, timeout_s: float = 60.0, **told: object) -> Answer:
        """Give one command and wait for its answer.

        Raises:
            OwnProcessError: with what the process wrote to its standard error.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            stdin.write(json.dumps({"do": do, **told}).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise OwnProcessError(f"{self.module} has ended:\n{self._said()}") from None
        answer: Answer = json.loads(self._line(time.monotonic() + timeout_s, do))
        if "error" in answer:
            raise OwnProcessError(f"{self.module}: {do}: {answer['error']}")
        return answer

    def _line(self, deadline_s: float, do: str) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe was asked for
        while b"\n" not in self._unread:
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline_s - time.monotonic()))
            if not ready:
                raise OwnProcessError(f"{self.module} did not answer {do!r} in time:\n{self._said()}")
            read = os.read(stdout.fileno(), 1 << 20)
            if not read:
                raise OwnProcessError(f"{self.module} ended at {do!r}:\n{self._said()}")
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _said(self) -> str:
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace")[-4000:]

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # it has ended before it took what was said last
                    pipe.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> "OwnProcess":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Commands:
    """The side that is told: complete lines out of what a read of standard input brought."""

    def __init__(self) -> None:
        self._unread = b""

    def read(self) -> list[Answer] | None:
        """The commands that have come; None: there will be no more."""
        read = os.read(0, 1 << 16)
        if not read:
            return None
        *lines, self._unread = (self._unread + read).split(b"\n")
        return [json.loads(line) for line in lines]


def answer(said: Answer) -> None:
    """Answer the command at hand."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
