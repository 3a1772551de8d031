"""A state machine is a table: (state, action) -> next state."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from cloud_api.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class InvalidTransition(Conflict):
    """The action is not possible in the present state."""

    code = "INVALID_TRANSITION"


class StateMachine(Generic[S, A]):
    """The life of a Document, whole, in one table. What is not listed is refused."""

    def __init__(self, name: str, initial: S, table: Mapping[tuple[S, A], S]) -> None:
        self.name = name
        self.initial = initial
        self.table = dict(table)

    def apply(self, state: S, action: A) -> S:
        """The state after `action`.

        Raises:
            InvalidTransition: naming what would be possible instead.
        """
        try:
            return self.table[state, action]
        except KeyError:
            allowed = ", ".join(sorted(self.allowed(state))) or "nothing more"
            raise InvalidTransition(
                f"{self.name} is {state}: cannot {action}; possible now: {allowed}", field="status"
            ) from None

    def allowed(self, state: S) -> set[A]:
        """Actions possible in `state`."""
        return {action for (at, action) in self.table if at == state}

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        arrows = [f"    {at} --> {to}: {action}" for (at, action), to in self.table.items()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.initial}", *arrows])
