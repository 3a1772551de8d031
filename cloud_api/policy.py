"""Who may do what, read from the routes themselves: an operation's parameter list is its policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from cloud_api.identity.roles.catalogue import OWN_REACH, built_in_roles
from cloud_api.kernel.permissions import REQUIRED, current_principal, grants


@dataclass(frozen=True)
class Policy:
    """What one operation asks of its caller."""

    name: str
    method: str
    path: str
    #: nobody has to sign in
    is_public: bool
    #: any of each group is enough, and each group has to be met; none: whoever is signed in
    required: tuple[tuple[str, ...], ...]

    def admits(self, role: str) -> bool:
        """Whether the built-in role passes."""
        granted = built_in_roles()[role]
        return all(any(grants(granted, permission) for permission in group) for group in self.required)

    @property
    def asks(self) -> str:
        """The same in words."""
        if self.is_public:
            return "nobody"
        return " and ".join(" or ".join(group) for group in self.required) or "signed in"


def policies(app: FastAPI) -> list[Policy]:
    """Every operation's, by path and method."""
    return sorted(_read(app), key=lambda policy: (policy.path, policy.method))


def _read(app: FastAPI) -> Iterator[Policy]:
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        if not isinstance(dependant, Dependant) or not str(context.path).startswith("/api/"):
            continue
        calls = [*_calls(dependant)]
        required = tuple(sorted({getattr(call, REQUIRED) for call in calls if hasattr(call, REQUIRED)}))
        is_public = current_principal not in calls
        for method in sorted((context.methods or set()) - {"HEAD"}):
            yield Policy(str(context.name), method, str(context.path), is_public, required)


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


_HEAD = """# Who may do what

Written by `make snapshots` from the routes and from `cloud_api/identity/roles/permissions.csv`; a test holds the three
equal. An x: the role passes. Roles marked * reach no further than what is their own: a customer's orders, a driver's
deliveries. `nobody` is asked where no credential is needed; `signed in` is enough where no permission stands.

"""


def table(listed: Sequence[Policy]) -> str:
    """Operation by role, as a Markdown document."""
    roles = sorted(built_in_roles())
    marked = [f"{role}*" if role in OWN_REACH else role for role in roles]
    lines = [f"| operation | asks | {' | '.join(marked)} |", "| --- | --- |" + " --- |" * len(roles)]
    for policy in listed:
        marks = ["" if policy.is_public else "x" if policy.admits(role) else "" for role in roles]
        lines.append(f"| `{policy.method} {policy.path}` | {policy.asks} | {' | '.join(marks)} |")
    return _HEAD + "\n".join(lines) + "\n"
