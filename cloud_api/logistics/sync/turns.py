"""Whose turn it is: a command waits for those that it names (`after`), and is done once; nothing else holds it up."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from cloud_api.kernel import clock
from cloud_api.logistics.sync.doing import Task
from cloud_api.logistics.sync.models import PhoneCommand
from cloud_api.logistics.sync.policy import Outcome
from cloud_api.logistics.sync.schemas import SealedCommand

WAITING = "waiting"
#: results of what has been done, now or before
DONE = ("applied", "duplicate")

#: a key, and a number in its log
Place = tuple[uuid.UUID, int]


class Turns:
    """Commands that are done in the order of their numbers.

    Args:
        said: what they say.
        before: the entries that they build on and that are not among them, as far as they are here.
        done_ids: those of their ids that were done under another number, or with another key.
    """

    def __init__(
        self, said: Mapping[Place, SealedCommand], *, before: dict[Place, PhoneCommand], done_ids: set[uuid.UUID]
    ) -> None:
        self._said = said
        self._before = before
        self._done_ids = done_ids

    def ready(self, rows: Iterable[PhoneCommand]) -> Iterator[Task]:
        """The commands, from the first of these on, that can be done if those before them among them are."""
        ahead: dict[Place, PhoneCommand] = {}
        ids: set[uuid.UUID] = set()
        for row in rows:
            command = self._said[row.key_id, row.number]
            if self._missing(row, ahead) is not None or command.id in self._done_ids | ids:
                return
            yield self._task(row, ahead)
            ahead[row.key_id, row.number] = row
            ids.add(command.id)

    def task(self, row: PhoneCommand) -> Task | None:
        """A command whose turn has come; None: it waits, or was done before, and that is written down."""
        missing = self._missing(row, {})
        if missing is not None:
            row.waits_for_photo = None
            row.code, row.message = "EARLIER_MISSING", f"waits for entry {missing}"
            row.field = "after"
        elif self._said[row.key_id, row.number].id in self._done_ids:
            settle(row, "duplicate", "ALREADY_SENT", "this command was done when it was sent before", "id")
        else:
            return self._task(row, {})
        self._remember(row)
        return None

    def end(self, row: PhoneCommand, outcome: Outcome) -> None:
        """Write down what became of a command."""
        row.waits_for_photo = outcome.photo
        if outcome.result == WAITING:
            row.code, row.message, row.field = outcome.code, outcome.message, outcome.field
        else:
            settle(row, outcome.result, outcome.code, outcome.message, outcome.field)
        self._remember(row)

    def _remember(self, row: PhoneCommand) -> None:
        if row.result in DONE:
            self._done_ids.add(self._said[row.key_id, row.number].id)
        self._before[row.key_id, row.number] = row

    def _missing(self, row: PhoneCommand, ahead: Mapping[Place, PhoneCommand]) -> int | None:
        """The first entry that a command builds on and that has no final result; None: it waits for none."""
        for number in self._said[row.key_id, row.number].after:
            place = row.key_id, number
            known = self._before.get(place)
            if place not in ahead and (known is None or known.result == WAITING):
                return number
        return None

    def _task(self, row: PhoneCommand, ahead: Mapping[Place, PhoneCommand]) -> Task:
        """What is to be done: nothing happened before what it builds on, nor after we heard of it."""
        command = self._said[row.key_id, row.number]
        earlier = (
            ahead.get((row.key_id, number)) or self._before.get((row.key_id, number)) for number in command.after
        )
        moments = [known.happened_at for known in earlier if known and known.happened_at]
        assert row.happened_at is not None  # noqa: S101 - of what could be read it is known
        row.happened_at = min(max([row.happened_at, *moments]), row.received_at)
        return Task(command, row.happened_at, timedelta(milliseconds=row.skew_ms), row.received_at)


def settle(row: PhoneCommand, result: str, code: str, message: str, field: str) -> None:
    """Write down a command's final result."""
    row.result, row.code, row.message, row.field = result, code, message, field
    row.answered_at = clock.now()
    row.waits_for_photo = None
    if row.kind == "position_batch":
        row.command = ""
