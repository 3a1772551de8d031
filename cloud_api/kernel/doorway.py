"""Finding a request's operation among hundreds without asking each of them.

A router looks at its routes one after the other, each a regular expression, and once more for each router it stands
in; a platform of many rooms would spend as long on that as on the work. A doorway has a room's routes, stands in the
application itself, and lets only those in who may find something there: whose path begins as one of the room's paths
does, as far as that is fixed.
"""

from typing import Self

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class Doorway(APIRouter):
    """The router of a room."""

    #: how the paths behind it begin; None: anything may be there
    _begins: tuple[str, ...] | None = None

    @classmethod
    def to(cls, router: APIRouter, *, under: str) -> Self:
        """A doorway to what `router` has, to be included under this prefix."""
        doorway = cls(routes=list(router.routes))
        paths = [getattr(route, "path", None) for route in router.routes]
        known = [path for path in paths if isinstance(path, str)]
        if len(known) == len(paths):
            doorway._begins = _shortest({under + path.partition("{")[0] for path in known})
        return doorway

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As any router, but at once for a path that is nowhere behind it."""
        if self._begins is not None and not scope.get("root_path") and not scope["path"].startswith(self._begins):
            return Match.NONE, {}
        return super().matches(scope)


def _shortest(begins: set[str]) -> tuple[str, ...]:
    """Those that do not begin with another of them."""
    return tuple(one for one in sorted(begins) if not any(one != other and one.startswith(other) for other in begins))
