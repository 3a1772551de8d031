"""A program under test in a process of its own: started, waited for, ended, and heard when something goes wrong."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.services.waiting import wait_until


class RunningProcess:
    """What `running` yields. Its own process group, so that a Ctrl-C in the terminal reaches the tests first."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start `command`; `environment` is added to ours."""
        self.command = list(command)
        # A file and not a pipe: nobody has to read it for the program to go on.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            self.command,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def output(self) -> str:
        """Everything it has written so far, standard error included."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def wait_for(self, condition: Callable[[], bool], *, what: str, timeout_s: float = 30.0) -> None:
        """Wait until the condition holds.

        Raises:
            AssertionError: the process ended first.
            TimeoutError: neither happened within `timeout_s`.
        """

        def holds_or_ended() -> bool:
            ended = self.exit_code is not None
            if condition():
                return True
            if ended:
                raise AssertionError(f"{self.command[0]} ended with {self.exit_code} before: {what}")
            return False

        wait_until(holds_or_ended, what=what, timeout_s=timeout_s)

    def wait_for_output(self, text: str, *, timeout_s: float = 30.0) -> None:
        """Wait until it has written `text`; raises as `wait_for`."""
        self.wait_for(lambda: text in self.output(), what=f"it writes {text!r}", timeout_s=timeout_s)

    def wait_for_exit(self, *, timeout_s: float = 30.0) -> int:
        """Its exit code.

        Raises:
            TimeoutError: it still ran after `timeout_s`.
        """
        wait_until(lambda: self.exit_code is not None, what=f"{self.command[0]} ends", timeout_s=timeout_s)
        return self._process.returncode

    def terminate(self, *, timeout_s: float = 30.0) -> int:
        """Ask it to end (SIGTERM) and return its exit code; raises as `wait_for_exit`."""
        self._process.terminate()
        return self.wait_for_exit(timeout_s=timeout_s)

    def kill(self) -> None:
        """End it and its children as a power cut would (SIGKILL)."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Kill what still runs and let go of the output."""
        self.kill()
        self._output.close()


@contextmanager
def running(
    command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[RunningProcess]:
    """Run a program for the length of the block; whatever fails in it also shows what the program wrote.

    From a coroutine, put the waiting methods into `asyncio.to_thread`.
    """
    process = RunningProcess(command, cwd=cwd, environment=environment)
    try:
        yield process
    except (Exception, KeyboardInterrupt) as failure:
        failure.add_note(f"--- {' '.join(process.command)} wrote:\n{process.output() or '(nothing)'}---")
        raise
    finally:
        process.close()


def is_gone(pid: int) -> bool:
    """No such process; a zombie has ended too, whether or not anybody reaps it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
