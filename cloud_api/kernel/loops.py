"""What goes on beside the requests, again and again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cloud_api.kernel.db import DATABASE_FAILURES

log = structlog.get_logger(__name__)


async def keep_looking(look: Callable[[], Awaitable[object]], *, every_s: float, failure: str) -> None:
    """Look until cancelled; a database that does not answer is asked again.

    Args:
        failure: what the log says then.
    """
    while True:
        try:
            await look()
        except DATABASE_FAILURES as error:
            log.warning(failure, error=str(error))
        await asyncio.sleep(every_s)


async def while_full(step: Callable[[], Awaitable[int]], *, at_once: int) -> None:
    """Take steps for as long as one does as much as it may at once: then more is waiting."""
    while await step() >= at_once:
        pass
