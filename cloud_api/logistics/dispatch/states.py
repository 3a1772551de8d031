"""The life of a planning job."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class JobStatus(StrEnum):
    """Where a planning job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    APPLIED = "applied"
    FAILED = "failed"


class JobAction(StrEnum):
    """What can happen to it."""

    RUN = "run"
    APPLY = "apply"
    FAIL = "fail"


JOB = StateMachine(
    "planning job",
    JobStatus.QUEUED,
    {
        (JobStatus.QUEUED, JobAction.RUN): JobStatus.RUNNING,
        #: the process that ran it died
        (JobStatus.RUNNING, JobAction.RUN): JobStatus.RUNNING,
        (JobStatus.RUNNING, JobAction.APPLY): JobStatus.APPLIED,
        (JobStatus.RUNNING, JobAction.FAIL): JobStatus.FAILED,
    },
)
