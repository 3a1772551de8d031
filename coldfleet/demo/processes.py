"""The demonstration's processes: each a `coldfleet` command of its own, as on separate machines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

READY_S = 90.0
STOP_S = 15.0


class DemoProblem(typer.TyperException):
    """The demonstration cannot go on; the sentence says why and where to look."""


class Process:
    """One running command. What it prints goes to a file in the demonstration's folder."""

    def __init__(self, name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "coldfleet", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C reaches the demonstration, which stops them in order
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def rss_mb(self) -> float | None:
        """Its resident memory in MB, where the system tells."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(found[0]) / 1024 if found else None

    def wait_ready(self, ready_file: Path, *keys: str) -> dict[str, Any]:
        """What the process wrote into its ready file, once all of `keys` have a value there.

        Raises:
            DemoProblem: when it ends, or is not ready in time; with the last lines it printed.
        """
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if ready_file.exists():
                found: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
                if all(found.get(key) is not None for key in keys):
                    return found
            if not self.running:
                raise DemoProblem(f"the {self.name} ended at once:\n{self.tail()}")
            time.sleep(0.02)
        raise DemoProblem(f"the {self.name} was not ready within {READY_S:.0f} s:\n{self.tail()}")

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Ask it to end; insist when it does not."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            if not self.wait(STOP_S):
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def tail(self, lines: int = 12) -> str:
        """The last it printed."""
        printed = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in printed[-lines:])
