"""What the people's forms choose from: roles, and permissions by what they are about."""

from collections.abc import Mapping, Sequence

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.pages import Visitor


async def roles_of(desk: Desk, who: Visitor) -> Sequence[Answer]:
    """The organisation's roles by name; none for who may not see them."""
    if not who.may("roles:read"):
        return []
    return sorted(await desk.every("/admin/roles"), key=lambda role: str(role["name"]))


async def permissions_by_resource(desk: Desk) -> Mapping[str, Sequence[Answer]]:
    """The catalogue: resource -> its permissions."""
    found: dict[str, list[Answer]] = {}
    for permission in await desk.get("/admin/permissions"):
        found.setdefault(permission["resource"], []).append(permission)
    return found
