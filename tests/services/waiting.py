"""Waiting for what is to become true, and saying what did not."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

#: short enough that nobody notices, long enough to leave the processor to those waited for
POLL_S = 0.01


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 20.0) -> None:
    """Block until the condition holds.

    Args:
        what: the condition in words, for the failure: "the gateway is connected".

    Raises:
        TimeoutError: it did not hold within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        time.sleep(POLL_S)


async def until(condition: Callable[[], bool | Awaitable[bool]], *, what: str, timeout_s: float = 20.0) -> None:
    """As `wait_until`, while the event loop goes on; the condition may be a coroutine function.

    Raises:
        TimeoutError: it did not hold within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        await asyncio.sleep(POLL_S)


def let_the_minute_turn() -> None:
    """Wait when it is about to: limits that are counted in memory turn with it, and let one request more pass."""
    wait_until(lambda: time.time() % 60 < 55, what="the minute is young")


def let_the_day_turn() -> None:
    """Wait when it may be about to: days end at half past an hour or at a full one, in India and in UTC."""
    wait_until(lambda: time.time() % 1800 < 1795, what="no day is about to end")
