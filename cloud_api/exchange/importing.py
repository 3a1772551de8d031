"""Doing what a file says: each row in a savepoint, so that one that is refused leaves nothing behind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.exchange.checking import Checked, Problem, told
from cloud_api.exchange.entities.kinds import By, Entity, Outcome, RowRefused, Values
from cloud_api.exchange.models import ImportRun
from cloud_api.exchange.service import TOLD
from cloud_api.kernel.errors import AppError, Detail


@dataclass(slots=True)
class Tally:
    """What became of rows."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    failed: int = 0

    def add_to(self, run: ImportRun) -> None:
        """Count it into the run."""
        run.created += self.outcomes[Outcome.CREATED]
        run.updated += self.outcomes[Outcome.UPDATED]
        run.unchanged += self.outcomes[Outcome.UNCHANGED]
        run.failed += self.failed
        run.done_rows += self.outcomes.total() + self.failed
        # another list: a changed one is not noticed
        run.problems = [*run.problems, *(problem.told() for problem in self.problems)][:TOLD]


async def apply_rows(
    db: AsyncSession,
    entity: Entity,
    checked: Checked,
    rows: Sequence[tuple[int, Values | Sequence[Problem]]],
    by: By,
) -> Tally:
    """Do these rows, in their order."""
    tally = Tally()
    named = {target: name for name, target in checked.columns.items()}
    for number, said in rows:
        if not isinstance(said, Mapping):
            tally.problems += said
            tally.failed += 1
            continue
        try:
            async with db.begin_nested():
                outcome = await entity.apply(db, said, by)
                await db.flush()
            tally.outcomes[outcome] += 1
        except (RowRefused, AppError, IntegrityError) as error:
            tally.problems += told(_refused(error), number, entity, named)
            tally.failed += 1
    return tally


def _refused(error: RowRefused | AppError | IntegrityError) -> RowRefused:
    match error:
        case RowRefused():
            return error
        case AppError():
            return RowRefused(error.details or [Detail("", error.message)])
        case _:
            return RowRefused([Detail("", "somebody else was just writing the same: import the file again")])
