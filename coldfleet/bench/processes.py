"""What is measured, as the kernel sees it: processes on processors of their own, their time, memory and writes."""

import errno
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
READY_S = 60.0
#: below those from which the system itself takes one for whoever asks for any
_PORTS = range(10_000, 32_000)


class BenchProblem(Exception):
    """Nothing can be measured; the sentence says why."""


def cores() -> tuple[int, int]:
    """(for what is measured, for those who measure). One and the same on a machine with a single one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


class Measured:
    """A program on one processor, writing its output to a file."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int,
        log: Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = list(command)
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        os.sched_setaffinity(self._process.pid, {core})

    def cpu_s(self) -> float:
        """Processor time so far, all threads, user and system, in hundredths of a second."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory: (now, the most so far)."""
        status = dict(line.split(":", 1) for line in self._proc("status").splitlines())
        return int(status["VmRSS"].split()[0]) / 1024, int(status["VmHWM"].split()[0]) / 1024

    def written_bytes(self) -> int:
        """Caused to be written to the disk so far."""
        counts = dict(line.split(": ") for line in self._proc("io").splitlines())
        return int(counts["write_bytes"])

    def wait_for(self, path: Path, text: str = "") -> None:
        """Wait until a file is there and has the text in it.

        Raises:
            BenchProblem: the program ended, or it took too long.
        """
        deadline_s = time.monotonic() + READY_S
        while not (path.exists() and text in path.read_text(encoding="utf-8", errors="replace")):
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise BenchProblem(f"{self.command[0]} is not ready:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """The last that it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "Measured":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill it."""
        self.kill()

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="ascii", errors="replace")


def mosquitto(folder: Path, port: int, settings: str, *, core: int) -> Measured:
    """Debian's broker with these settings.

    Raises:
        BenchProblem: it is not installed.
    """
    binary = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    if binary is None:
        raise BenchProblem("Mosquitto is not installed: apt-get install mosquitto")
    config = folder / "mosquitto.conf"
    config.write_text(f"{settings}\nlistener {port} 127.0.0.1\n", encoding="utf-8")
    folder.chmod(0o755)  # it gives up being root
    broker = Measured([binary, "-v", "-c", str(config)], core=core, log=folder / "mosquitto.log")
    broker.wait_for(broker.log, "Opening ipv4")
    return broker


def free_port() -> int:
    """A port of the loopback for what cannot choose one itself: nobody else gets it.

    The system hands it to no server that asks for any port and to no connection that goes out. Who asks here, in this
    process or another, is given another one for as long as this process lives.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket(socket.AF_UNIX) as claim, socket.socket() as probe:
            try:
                claim.bind(f"\0coldfleet-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    raise
            else:
                claim.detach()  # it stays bound until the process ends
                return port


def machine(folder: Path) -> str:
    """What the figures were measured on, in a line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    version = ".".join(str(part) for part in sys.version_info[:3])
    return (
        f"{os.cpu_count()} cores of {model}, load {os.getloadavg()[0]:.1f}, Python {version}, "
        f"SQLite {sqlite3.sqlite_version}, data on {file_system(folder)}"
    )


def file_system(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    found, longest = "an unknown file system", -1
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mounted_on, kind, *_ = line.split()
        if folder.resolve().is_relative_to(mounted_on) and len(mounted_on) > longest:
            found, longest = kind, len(mounted_on)
    return found


def work_folder(where: Path | None) -> "tempfile.TemporaryDirectory[str]":
    """A folder for the time of the measurement."""
    return tempfile.TemporaryDirectory(prefix="coldfleet-bench-", dir=where)


def percentile(counts: Mapping[str, int] | Mapping[int, int], share: float) -> float:
    """The value that this share of all stays at or below; 0 of nothing."""
    total, seen = sum(counts.values()), 0
    for value, count in sorted((int(value), count) for value, count in counts.items()):
        seen += count
        if seen >= share * total:
            return value
    return 0.0


def median(samples: Iterable[float]) -> float:
    """The middle one."""
    ordered = sorted(samples)
    return ordered[len(ordered) // 2]
