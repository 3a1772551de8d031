"""The life of a command to a gateway."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class CommandStatus(StrEnum):
    """Where a command stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class CommandAction(StrEnum):
    """What can happen to it."""

    DO = "do"
    FAIL = "fail"
    EXPIRE = "expire"


COMMAND = StateMachine(
    "command",
    CommandStatus.WAITING,
    {
        (CommandStatus.WAITING, CommandAction.DO): CommandStatus.DONE,
        (CommandStatus.WAITING, CommandAction.FAIL): CommandStatus.FAILED,
        (CommandStatus.WAITING, CommandAction.EXPIRE): CommandStatus.EXPIRED,
    },
)
