"""How often somebody may ask: counters in this process, or in a Redis that several processes share.

Each operation draws on one budget. Who has proved who they are draws on a budget of their own, by what they are:
people and keys on `default`, gateways on `gateway`. Operations that ask nobody who they are draw on one of the
caller's address: `sign_in` when they write, `anonymous` when they read. `@budget("driver")` on an operation names
another; `@unlimited` none.

Counted over a sliding window: of the window before, as much counts as still lies within the last hour (or minute).
When Redis is away nothing is refused: a counter that is down must not take the platform with it.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import structlog
from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cloud_api.kernel.errors import AppError, Unavailable
from cloud_api.kernel.metrics import RATE_LIMIT_STORE_FAILURES, RATE_LIMITED
from cloud_api.kernel.settings import Settings

log = structlog.get_logger(__name__)

Budget = Literal["default", "gateway", "driver", "console", "sign_in", "anonymous"]

#: of a store that answers nothing; a request waits that long once, then the store is left alone for a while
_STORE_TIMEOUT_S = 0.5
_STORE_PAUSE_S = 1.0
_WARNING_EVERY_S = 60.0
#: reading and refreshing cost an attacker no guess: so much more of it is open to one address than signing in
_ANONYMOUS_PER_SIGN_IN = 10

_BUDGET = "coldfleet_budget"
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Standing:
    """What is left of a budget after this request."""

    budget: Budget
    #: requests in a window of `window_s`
    limit: int
    window_s: int
    remaining: int
    #: when there is more again, in seconds since 1970
    reset_at: float

    @property
    def reset_in_s(self) -> int:
        """Whole seconds until there is more again, at least one."""
        return max(1, math.ceil(self.reset_at - time.time()))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that everybody reads, and those of the IETF's draft (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.reset_at)),
            "RateLimit-Policy": f'"{self.budget}";q={self.limit};w={self.window_s}',
            "RateLimit": f'"{self.budget}";r={self.remaining};t={self.reset_in_s}',
        }


class RateLimited(AppError):
    """Too often; `Retry-After` says when again."""

    status, code = 429, "RATE_LIMITED"
    _per: ClassVar[Mapping[int, str]] = {60: "a minute", 3600: "an hour"}

    def __init__(self, standing: Standing) -> None:
        often = f"{standing.limit} requests {self._per.get(standing.window_s, f'in {standing.window_s} s')}"
        super().__init__(f"{often} are allowed here: try again in {standing.reset_in_s} s")
        self.standing = standing

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.standing.reset_in_s)}


class TooOften(AppError):
    """This one thing was asked for too often, whoever asks: mails and messages cost money and patience."""

    status, code = 429, "RATE_LIMITED"

    def __init__(self, *, times: int, within_s: int) -> None:
        super().__init__(f"this is possible {times} times in {within_s // 60} minutes: try again later")
        self.within_s = within_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.within_s)}


class RateLimits:
    """The counters, and what the settings allow."""

    def __init__(self, settings: Settings) -> None:
        self._pool: ConnectionPool | None = None
        self._storage: MemoryStorage | RedisStorage = MemoryStorage()
        store_url = settings.rate_limit_store.get_secret_value()
        if store_url:
            # one more try at once: a connection from before Redis was restarted is found dead only by using it
            self._pool = ConnectionPool.from_url(
                store_url,
                socket_timeout=_STORE_TIMEOUT_S,
                socket_connect_timeout=_STORE_TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),
            )
            options: dict[str, Any] = {"connection_pool": self._pool}
            self._storage = RedisStorage(store_url, implementation="redispy", key_prefix="coldfleet", **options)
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)
        self._budgets: Mapping[Budget, RateLimitItem] = {
            "default": RateLimitItemPerHour(settings.requests_per_hour),
            "gateway": RateLimitItemPerHour(settings.gateway_requests_per_hour),
            "driver": RateLimitItemPerHour(settings.driver_requests_per_hour),
            "console": RateLimitItemPerHour(settings.console_requests_per_hour),
            "sign_in": RateLimitItemPerMinute(settings.sign_ins_per_minute),
            "anonymous": RateLimitItemPerMinute(settings.sign_ins_per_minute * _ANONYMOUS_PER_SIGN_IN),
        }
        self._asked_again_from = -math.inf
        self._warned_at = -math.inf

    async def take(self, budget: Budget, subject: str) -> Standing | None:
        """Count one request of `subject`.

        Returns:
            What is left; None when the store is away and nobody counts.

        Raises:
            RateLimited: when nothing was left.
        """
        if time.monotonic() < self._asked_again_from:
            RATE_LIMIT_STORE_FAILURES.inc()
            return None
        item = self._budgets[budget]
        try:
            passed = await self._strategy.hit(item, budget, subject)
            window = await self._strategy.get_window_stats(item, budget, subject)
        except (RedisError, OSError) as error:
            self._note_absence(error)
            return None
        standing = Standing(budget, item.amount, item.get_expiry(), window.remaining, window.reset_time)
        if not passed:
            RATE_LIMITED.labels(budget).inc()
            raise RateLimited(standing)
        return standing

    async def first_use(self, token: str, *, within_s: int) -> bool:
        """Whether `token` comes for the first time within `within_s`; several processes agree if they share a store.

        Raises:
            Unavailable: when the store is away: what must not happen twice does not happen at all.
        """
        try:
            return await self._storage.incr(f"once/{token}", within_s) == 1
        except (RedisError, OSError) as error:
            self._note_absence(error)
            raise Unavailable("what is used once cannot be checked right now: try again soon") from None

    async def at_most(self, times: int, *, within_s: int, what: str) -> None:
        """Count one of `what`, whoever asks for it; it is nobody's budget. Nothing is refused when the store is away.

        Raises:
            TooOften: when it has been asked for that often within `within_s`.
        """
        try:
            count = await self._storage.incr(f"at-most/{what}", within_s)
        except (RedisError, OSError) as error:
            self._note_absence(error)
            return
        if count > times:
            raise TooOften(times=times, within_s=within_s)

    async def close(self) -> None:
        """Hang up."""
        if self._pool is not None:
            await self._pool.aclose()

    def _note_absence(self, error: Exception) -> None:
        RATE_LIMIT_STORE_FAILURES.inc()
        now = time.monotonic()
        self._asked_again_from = now + _STORE_PAUSE_S
        if now - self._warned_at >= _WARNING_EVERY_S:
            self._warned_at = now
            log.warning("rate_limit_store_away", error=type(error).__name__, consequence="requests are not limited")


def budget(name: Budget) -> Callable[[F], F]:
    """Mark an operation: it draws on this budget instead of the one that its caller's kind would name."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _BUDGET, name)
        return endpoint

    return mark


def unlimited(endpoint: F) -> F:
    """Mark an operation that is never counted: health, figures."""
    setattr(endpoint, _BUDGET, None)
    return endpoint


async def charge(request: Request, *, default: Budget, subject: str) -> None:
    """Count this request for `subject`, on the budget that the operation names or on `default`.

    What is left stands in `request.state.rate_limit`, for the answer's headers.

    Raises:
        RateLimited: when nothing was left.
    """
    limits: RateLimits | None = getattr(request.app.state, "rate_limits", None)
    named: Budget | None = getattr(request.scope.get("endpoint"), _BUDGET, default)
    if limits is None or named is None:
        return
    try:
        request.state.rate_limit = await limits.take(named, subject)
    except RateLimited as refused:
        request.state.rate_limit = refused.standing
        raise
