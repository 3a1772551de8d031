"""What can go wrong when a day is planned."""

from cloud_api.kernel.errors import Conflict, Invalid


class NothingToPlan(Conflict):
    """No packed order, or no van."""

    code = "NOTHING_TO_PLAN"


class WarehouseWithoutCoordinates(Conflict):
    """Routes start at the warehouse: its coordinates are needed."""

    code = "WAREHOUSE_WITHOUT_COORDINATES"


class Overtaken(Conflict):
    """Another machine has taken the job, or somebody gave it up."""

    code = "PLANNING_JOB_OVERTAKEN"


class NoSolution(Conflict):
    """The job has found nothing yet, or never will."""

    code = "NO_SOLUTION"


class StalePlan(Conflict):
    """Somebody else has changed it meanwhile."""

    code = "STALE_PLAN"


class PlanOutdated(Conflict):
    """Some of it no longer holds: each stop that does not is named."""

    code = "PLAN_OUTDATED"


class BadMove(Invalid):
    """A stop or a van that is not part of the plan, or a place that is none."""

    code = "BAD_MOVE"


class NothingToReplan(Conflict):
    """No route of these is planned or under way."""

    code = "NOTHING_TO_REPLAN"
