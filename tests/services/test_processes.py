"""Processes, ports and waiting: what the tests lean on must itself hold."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from tests.services.free_port import free_port
from tests.services.processes import is_gone, running
from tests.services.waiting import until, wait_until


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


ROOT = Path(__file__).parents[2]
WAITS_FOR_EVER = "import time; print('up'); time.sleep(600)"


def test_a_program_that_ends_early_fails_the_wait_and_its_words_are_shown() -> None:
    with (
        pytest.raises(AssertionError, match="ended with 3 before: it writes 'ready'") as failure,
        running(python("print('port is busy'); raise SystemExit(3)")) as process,
    ):
        process.wait_for_output("ready")
    assert "port is busy" in failure.value.__notes__[0]


def test_last_words_count_even_of_a_program_that_has_ended() -> None:
    with running(python("print('done')")) as process:
        assert process.wait_for_exit() == 0
        process.wait_for_output("done")


def test_a_program_that_says_nothing_fails_at_the_deadline() -> None:
    with running(python(WAITS_FOR_EVER)) as process:
        process.wait_for_output("up")
        with pytest.raises(TimeoutError, match="it writes 'ready'"):
            process.wait_for_output("ready", timeout_s=0.05)


def test_a_program_may_end_in_its_own_way_when_asked() -> None:
    program = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up'); time.sleep(600)"
    with running(python(program)) as process:
        process.wait_for_output("up")
        assert process.terminate() == 7


def test_nothing_of_a_program_outlives_the_block() -> None:
    with_a_child = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WAITS_FOR_EVER!r}])
print("child", child.pid)
child.wait()
"""
    with running(python(with_a_child)) as process:
        process.wait_for_output("up")
        child = int(process.output().split()[1])
    wait_until(lambda: is_gone(child), what="the child is gone")
    assert process.exit_code == -9


def test_a_free_port_can_be_bound_and_is_nobody_elses() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
    asking = "from tests.services.free_port import free_port; print(len({free_port() for _ in range(400)}))"
    with running(python(asking), environment={"PYTHONPATH": str(ROOT)}) as asker:
        assert asker.wait_for_exit() == 0
        assert asker.output() == "400\n"


def test_waiting_names_what_did_not_come_true() -> None:
    with pytest.raises(TimeoutError, match="the gateway is connected"):
        wait_until(lambda: False, what="the gateway is connected", timeout_s=0)


async def test_waiting_lets_the_event_loop_go_on() -> None:
    arrived = asyncio.Event()
    asyncio.get_running_loop().call_soon(arrived.set)
    await until(arrived.is_set, what="the message arrived")

    async def never() -> bool:
        return False

    with pytest.raises(TimeoutError, match="the alarm rings"):
        await until(never, what="the alarm rings", timeout_s=0)
