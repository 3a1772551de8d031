"""A cold store under observation: sensors, a gateway and the cloud, each a process of its own."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from device_sims.own_process import Answer, OwnProcess
from tests.faults import ledger
from tests.services.free_port import free_port
from tests.services.processes import RunningProcess, running
from tests.services.waiting import wait_until

ROOT = Path(__file__).parents[2]
SENSORS = 8
USER, PASSWORD = "room", "secret"
#: the line that a failing test shows beside what went wrong
SEED_VARIABLE = "COLDFLEET_FAULT_SEED"


def seed() -> int:
    """Another one each time, or the one in the environment; printed, so that a failure can be had again."""
    drawn = int(os.environ.get(SEED_VARIABLE) or random.randrange(1 << 30))
    sys.stdout.write(f"{SEED_VARIABLE}={drawn}\n")
    return drawn


class Site:
    """One gateway on a fixed port, its sensors and its cloud."""

    def __init__(self, folder: Path, stack: ExitStack, *, bridge_port: int | None = None) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self.cloud = stack.enter_context(OwnProcess("device_sims.cloud"))
        self.load = stack.enter_context(OwnProcess("device_sims.load"))
        self.url: str = self.cloud.ask("come")["url"]
        self.cloud.ask("keep")
        self.gateway: RunningProcess | None = None
        #: what the gateway's processes are started with
        self.prefix: Sequence[str] = ()
        self.environment: Mapping[str, str] = {}
        self._config = folder / "gateway.toml"
        self._ready_file = folder / "ready.json"
        self._stack = stack
        self._bridge_port = bridge_port

    def configure(self, *, max_mb: int = 64, linger_s: float = 0.01, speed: float = 1.0) -> None:
        """Write the gateway's settings; with `speed` it waits so many times shorter for a cloud that fails."""
        source = f'[listener]\nport = {self.port}\nusers = {{ {USER} = "{PASSWORD}" }}\n'
        if self._bridge_port is not None:
            source = f'[bridge]\nhost = "127.0.0.1"\nport = {self._bridge_port}\ntopics = ["zigbee2mqtt/#"]\n'
        self._config.write_text(
            f'data_dir = "{self.data_dir}"\n'
            f'[cloud]\nurl = "{self.url}"\nclaim_code = "COLD-0001"\nupload_interval_s = 0.05\ntimeout_s = 1.0\n'
            f"{source}[spool]\nmax_mb = {max_mb}\nlinger_s = {linger_s}\n"
            f"[clock]\nspeed = {speed}\norigin_ms = {0 if speed == 1 else time.time_ns() // 1_000_000}\n"
        )

    def start(self) -> RunningProcess:
        """Start the gateway; it is ready when sensors can connect."""
        if self.gateway is not None:
            self.gateway.close()
        self._ready_file.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "gateway",
            "--config",
            str(self._config),
            "--ready-file",
            str(self._ready_file),
        ]
        gateway = self._stack.enter_context(running([*self.prefix, *command], cwd=ROOT, environment=self.environment))
        if self._bridge_port is None:
            gateway.wait_for(self._ready_file.exists, what="the gateway is ready")
        else:
            gateway.wait_for_output("bridge: mqtt://")
        self.gateway = gateway
        return gateway

    def send(self, *, port: int | None = None, window: int = 20, rate: float = 0.0, sensors: int = SENSORS) -> None:
        """Begin to send numbered messages."""
        self.load.ask(
            "start",
            port=port or self.port,
            user=USER,
            password=PASSWORD,
            connections=sensors,
            window=window,
            rate=rate,
            kind="numbered",
        )

    def acknowledged(self) -> int:
        """Messages so far."""
        return int(self.load.ask("mark")["acknowledged"])

    def stored(self) -> int:
        """Readings in the cloud so far."""
        return int(self.cloud.ask("report")["rows"])

    def wait_for_messages(self, more: int, *, timeout_s: float = 30.0) -> None:
        """Until so many more are acknowledged."""
        enough = self.acknowledged() + more
        wait_until(lambda: self.acknowledged() >= enough, what=f"{enough} are acknowledged", timeout_s=timeout_s)

    def kill(self) -> None:
        """As a power cut would, but for what the kernel still writes."""
        assert self.gateway is not None
        os.killpg(self.gateway.pid, signal.SIGKILL)
        self.gateway.kill()

    def said(self) -> str:
        """What the gateway wrote."""
        return "" if self.gateway is None else self.gateway.output()

    def stop_sending(self, *, settle_s: float = 20.0) -> Answer:
        """No new messages; wait until all that were sent are acknowledged; the sensors' report."""
        report = self.load.ask("stop", settle_s=settle_s, timeout_s=settle_s + 30)
        outstanding = sum(told["sent"] - told["acknowledged"] for told in report["sensors"])
        assert not outstanding, f"{outstanding} messages were never acknowledged; the gateway wrote:\n{self.said()}"
        return report

    def verdict(self, *, repeats: int = 0, broker_loses: bool = False) -> Answer:
        """Stop the sensors, wait until the cloud has everything, judge. Returns what the cloud has seen."""
        return self.judge(self.stop_sending(), repeats=repeats, broker_loses=broker_loses)

    def judge(self, report: Answer, *, repeats: int = 0, broker_loses: bool = False, timeout_s: float = 30.0) -> Answer:
        """Wait until the cloud has what is in the sensors' report; the invariants of `ledger` hold, or this fails."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            details, counts = self.cloud.ask("details"), self.cloud.ask("report")
            found = ledger.complaints(report, counts, details, repeats=repeats, broker_loses=broker_loses)
            if not found:
                return {**counts, **details, "acknowledged": report["acknowledged"]}
            assert time.monotonic() < deadline_s, "\n".join([*found, "the gateway wrote:", self.said()])
            time.sleep(0.1)


@contextmanager
def open_site(folder: Path, *, bridge_port: int | None = None) -> Iterator[Site]:
    """A site whose processes end with the block; a failure shows what the gateway wrote."""
    with ExitStack() as stack:
        site = Site(folder, stack, bridge_port=bridge_port)
        site.configure()
        yield site
