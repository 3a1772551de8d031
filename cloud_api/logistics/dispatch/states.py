"""The life of a planning job."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class JobStatus(StrEnum):
    """Where a planning job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    APPLIED = "applied"
    DISCARDED = "discarded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobAction(StrEnum):
    """What can happen to it."""

    RUN = "run"
    SUCCEED = "succeed"
    APPLY = "apply"
    DISCARD = "discard"
    FAIL = "fail"
    CANCEL = "cancel"


JOB = StateMachine(
    "planning job",
    JobStatus.QUEUED,
    {
        (JobStatus.QUEUED, JobAction.RUN): JobStatus.RUNNING,
        (JobStatus.QUEUED, JobAction.CANCEL): JobStatus.CANCELLED,
        #: the process that ran it died
        (JobStatus.RUNNING, JobAction.RUN): JobStatus.RUNNING,
        (JobStatus.RUNNING, JobAction.SUCCEED): JobStatus.SUCCEEDED,
        (JobStatus.RUNNING, JobAction.FAIL): JobStatus.FAILED,
        (JobStatus.RUNNING, JobAction.CANCEL): JobStatus.CANCELLED,
        (JobStatus.SUCCEEDED, JobAction.APPLY): JobStatus.APPLIED,
        #: nobody wants it, or a newer proposal took its place
        (JobStatus.SUCCEEDED, JobAction.DISCARD): JobStatus.DISCARDED,
    },
)
#: what may still be run, looked at or applied
OPEN = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED)
