"""What goes on beside the requests outlives a database that is away, and nothing else."""

import asyncio

import pytest
from structlog.testing import capture_logs

from cloud_api.kernel.loops import keep_looking, while_full


class Eye:
    """Looks, and comes upon these one after the other; then the test is over."""

    def __init__(self, *meets: Exception | None) -> None:
        self.meets = list(meets)
        self.looked = 0

    async def look(self) -> None:
        self.looked += 1
        if not self.meets:
            raise asyncio.CancelledError
        met = self.meets.pop(0)
        if met is not None:
            raise met


async def test_a_database_that_does_not_answer_is_asked_again() -> None:
    eye = Eye(None, OSError("gone"), None)
    with capture_logs() as said, pytest.raises(asyncio.CancelledError):
        await keep_looking(eye.look, every_s=0, failure="eye_failed")
    assert eye.looked == 4
    assert [(line["event"], line["error"]) for line in said] == [("eye_failed", "gone")]


async def test_a_fault_of_ours_is_not_looked_over() -> None:
    eye = Eye(None, LookupError("a fault"))
    with pytest.raises(LookupError, match="a fault"):
        await keep_looking(eye.look, every_s=0, failure="eye_failed")
    assert eye.looked == 2


async def test_steps_are_taken_for_as_long_as_they_are_full() -> None:
    done = [10, 10, 4, 10]

    async def step() -> int:
        return done.pop(0)

    await while_full(step, at_once=10)
    assert done == [10]
