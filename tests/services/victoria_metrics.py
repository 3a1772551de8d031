"""A VictoriaMetrics of the tests' own: Debian's binary, a free port, an empty folder."""

import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.free_port import free_port
from tests.services.processes import RunningProcess


class VictoriaMetricsUnavailable(Exception):
    """No server, and what to do about it."""


class PrivateVictoriaMetrics:
    """A running server, which takes what is written to InfluxDB 2 and answers in its own way."""

    def __init__(self, url: str) -> None:
        self.url = url

    def exported(self, metric: str) -> str:
        """Everything of a metric, a JSON object a line: `metric` has its labels, `values` and `timestamps` (ms)."""
        with urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=10):  # noqa: S310 - our own server
            pass
        ever = "start=1970-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
        with urllib.request.urlopen(f"{self.url}/api/v1/export?match={metric}&{ever}", timeout=10) as answer:  # noqa: S310
            return str(answer.read().decode())


def find_binary(search_path: str | None = None) -> str:
    """Where Debian keeps it.

    Raises:
        VictoriaMetricsUnavailable: it is not there.
    """
    found = shutil.which("victoria-metrics", path=search_path)
    if found is None:
        raise VictoriaMetricsUnavailable(
            "VictoriaMetrics is not installed: run make test, or apt-get install victoria-metrics"
        )
    return found


@pytest.fixture(scope="session")
def victoria_metrics() -> Iterator[PrivateVictoriaMetrics]:
    """One server for all tests that write to it. Without it they fail."""
    with ExitStack() as stack:
        try:
            binary = find_binary()
        except VictoriaMetricsUnavailable as problem:
            pytest.fail(str(problem), pytrace=False)
        folder = tempfile.mkdtemp(prefix="coldfleet-victoria-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        port = free_port()
        own = [f"-storageDataPath={Path(folder)}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
        process = RunningProcess(["setpriv", "--pdeathsig=TERM", "--", binary, *own, "-memory.allowedBytes=64MB"])
        stack.callback(process.close)
        process.wait_for_output("started VictoriaMetrics")
        yield PrivateVictoriaMetrics(f"http://127.0.0.1:{port}")
