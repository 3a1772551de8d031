"""The life of a run."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class RunStatus(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RunAction(StrEnum):
    """What happens to a run."""

    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"


RUN = StateMachine(
    "run",
    RunStatus.QUEUED,
    {
        (RunStatus.QUEUED, RunAction.START): RunStatus.RUNNING,
        # a worker fell silent, and another takes the run over
        (RunStatus.RUNNING, RunAction.START): RunStatus.RUNNING,
        (RunStatus.RUNNING, RunAction.SUCCEED): RunStatus.SUCCEEDED,
        (RunStatus.RUNNING, RunAction.FAIL): RunStatus.FAILED,
    },
)
