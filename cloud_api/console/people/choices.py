"""What the people's forms choose from: roles, permissions by what they are about, warehouses."""

from collections.abc import Mapping, Sequence

from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor


async def roles_of(desk: Desk, who: Visitor) -> Sequence[Answer]:
    """The organisation's roles by name; none for who may not see them."""
    if not who.may("roles:read"):
        return []
    return sorted(await desk.every("/admin/roles"), key=lambda role: str(role["name"]))


async def warehouses_of(desk: Desk, who: Visitor) -> Sequence[Answer]:
    """The warehouses by name; none for who may not see them."""
    if not who.may("stock:read"):
        return []
    return sorted(await desk.every("/warehouse/warehouses"), key=lambda warehouse: str(warehouse["name"]))


async def permissions_by_resource(desk: Desk) -> Mapping[str, Sequence[Answer]]:
    """The catalogue: resource -> its permissions."""
    found: dict[str, list[Answer]] = {}
    for permission in await desk.get("/admin/permissions"):
        found.setdefault(permission["resource"], []).append(permission)
    return found


def beside(form: Form, refused: Refused, name: str) -> None:
    """Show what is wrong with one of the ticked (`roles.0`) beside all of them."""
    form.many.setdefault(name, [])
    form.refuse(refused)
    for path, message in refused.fields.items():
        if path.partition(".")[0] == name:
            form.errors[name] = message
