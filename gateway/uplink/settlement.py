"""What an answer of the cloud settles. An answer that cannot be true settles nothing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from gateway.contract import BatchAnswer, ReadingColumns
from gateway.spool.outgoing import Outgoing


class Implausible(Exception):
    """The answer contradicts itself, or what was sent."""


class Settlement(NamedTuple):
    """What the gateway need not keep."""

    #: at least the batch's first sequence, at most its last
    through: int
    #: sequence -> why the cloud will never take it
    refused: Mapping[int, str]


def settle(batch: Outgoing, answer: BatchAnswer, last_given: int) -> Settlement:
    """Read an answer.

    All of the batch's rows up to `acked_through` must be accounted for. When the cloud is further than the batch, an
    answer was lost before: then all of it are duplicates.

    Args:
        last_given: the highest sequence of the lane that this gateway has ever given, in the batch's epoch.

    Raises:
        Implausible: says in which way.
    """
    acked = answer.acked_through
    if acked < batch.first:
        raise Implausible(f"the cloud acknowledged nothing of {batch.lane} {batch.first} and up")
    if acked > last_given:
        # To that cloud our rows look like duplicates. Keep them: somebody must look.
        raise Implausible(
            f"the cloud has {batch.lane} up to {acked}, this spool has only ever had {last_given}: it is an old copy; "
            "move it aside, claim the gateway again, and bring in the copy's rows by hand"
        )
    covered = batch.rows if acked >= batch.last else rows_through(batch, acked)
    told = answer.accepted + answer.duplicates + len(answer.refused)
    if told != covered or (acked > batch.last and answer.duplicates != covered):
        raise Implausible(
            f"the cloud has {batch.lane} up to {acked}, and told of {told} rows of {covered}: that does not fit "
            f"{batch.first} to {batch.last}"
        )
    refused = {}
    for refusal in answer.refused:
        sequence = batch.sequence_of(refusal.row) if 0 <= refusal.row < batch.rows else 0
        if not batch.first <= sequence <= acked or refusal.sequence not in (None, sequence):
            raise Implausible(f"the cloud refused row {refusal.row} of {batch.lane}, which is not what was sent")
        refused[sequence] = f"{refusal.code} {refusal.field}: {refusal.message}"
    return Settlement(min(acked, batch.last), refused)


def rows_through(batch: Outgoing, sequence: int) -> int:
    """How many of the batch's rows have that sequence or a lower one."""
    if batch.columns is None:
        return sum(event.sequence <= sequence for event in batch.events)
    return _rows_of_runs(batch.columns.sequences, sequence)


def behind(batch: Outgoing, sequence: int) -> Outgoing | None:
    """The part of a batch above a sequence; None when there is none."""
    start = rows_through(batch, sequence)
    if not start:
        return batch
    if start == batch.rows:
        return None
    columns = None if batch.columns is None else _columns_from(batch.columns, start)
    first, rows = batch.sequence_of(start), batch.rows - start
    return msgspec.structs.replace(batch, first=first, rows=rows, columns=columns, events=batch.events[start:])


def _columns_from(columns: ReadingColumns, start: int) -> ReadingColumns:
    runs, skip = [], start
    for first, count in columns.sequences:
        if skip < count:
            runs.append((first + skip, count - skip))
        skip = max(0, skip - count)
    times_ms = [sum(columns.times_ms[: start + 1]), *columns.times_ms[start + 1 :]]
    return ReadingColumns(
        columns.series, columns.rows[start:], runs, times_ms, columns.values[start:], columns.flags[start:]
    )


def _rows_of_runs(runs: Sequence[tuple[int, int]], sequence: int) -> int:
    return sum(min(count, max(0, sequence - first + 1)) for first, count in runs)
