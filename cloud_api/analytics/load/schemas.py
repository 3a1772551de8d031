"""How the platform is doing, as it travels over HTTP."""

from datetime import date, datetime

from cloud_api.kernel.http import ResponseModel


class Times(ResponseModel):
    """How long answers took: between the bounds of the class in which the share was reached, in ms."""

    requests: int
    #: null: nothing was asked
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    #: answered with 5xx, and their share; null: nothing was asked
    failed: int
    error_rate: float | None


class HourRead(Times):
    """One hour of the clock, UTC."""

    hour: datetime


class AreaRead(Times):
    """One group of routes."""

    area: str


class UptimeRead(ResponseModel):
    """Of the minutes asked for that are over or under way, since the first that is known: how many were up.

    As the platform sees itself: a process that answers requests ran, and the database took what it wrote.
    """

    minutes: int
    minutes_down: int
    #: null: no minute is known
    share: float | None
    #: which share is promised, and how many minutes it leaves to be down
    goal: float
    budget_minutes: float


class PerformanceRead(ResponseModel):
    """What requests took: all of them, what the console asks in this process included, health checks left out."""

    since: datetime
    until: datetime
    uptime: UptimeRead
    #: all of it
    total: Times
    #: those in which anything was asked, the first first
    hours: list[HourRead]
    #: the most asked first
    areas: list[AreaRead]


class ErrorType(ResponseModel):
    """Answers with one error."""

    status: int
    code: str
    area: str
    requests: int


class ErrorHourRead(ResponseModel):
    """Errors of one hour: what was refused (4xx), and what failed (5xx)."""

    hour: datetime
    refused: int
    failed: int


class ErrorsRead(ResponseModel):
    """What went wrong."""

    since: datetime
    until: datetime
    requests: int
    refused: int
    failed: int
    #: failed of all requests; null: nothing was asked
    error_rate: float | None
    #: the most frequent first, a hundred of them
    types: list[ErrorType]
    hours: list[ErrorHourRead]


class GrowthRead(ResponseModel):
    """How much there is of something at the end of a month."""

    month: date
    organizations: int
    people: int


class PoolRead(ResponseModel):
    """This process's connections to the database."""

    size: int
    in_use: int


class ProcessRead(ResponseModel):
    """The process that answers, and the machine it is on, at this moment."""

    started_at: datetime
    uptime_s: float
    memory_bytes: int
    #: of the machine: runnable processes for each core, over the last minute
    load_per_core: float
    memory_used_share: float
    #: of the disk that the process works on
    disk_free_bytes: int
    disk_used_share: float


class SystemRead(ResponseModel):
    """The whole platform."""

    organizations: int
    people: int
    #: people who signed in within thirty days
    active_people: int
    live_sessions: int
    stored_bytes: int
    #: how long the questions to the database took that this answer needed, ms
    database_ms: float
    #: null: it opens one for each question
    pool: PoolRead | None
    process: ProcessRead
    #: of the last twelve months
    growth: list[GrowthRead]
