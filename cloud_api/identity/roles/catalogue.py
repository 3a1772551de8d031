"""What each built-in role may do, and every permission there is: the table `permissions.csv`, read once.

What a permission means in words stands in `descriptions.csv`.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cloud_api.kernel.permissions import ALL, grants

#: the machine role that stands in the same table
GATEWAY = "gateway"
SUPER_ADMIN = "super_admin"
ADMIN = "org_admin"
#: these reach no further than what is one's own: a customer's orders, a driver's deliveries
OWN_REACH = frozenset({"customer", "delivery_personnel"})
#: who holds one of these can give rights away, and needs a second factor
ADMINISTRATION = frozenset({"users:write", "roles:write", "platform:manage"})


@cache
def _table(name: str = "permissions.csv") -> list[dict[str, str]]:
    with files("cloud_api.identity.roles").joinpath(name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


@cache
def permissions() -> tuple[str, ...]:
    """Every permission, `resource:action`, in alphabetical order."""
    return tuple(sorted(row["permission"] for row in _table()))


@cache
def built_in_roles() -> Mapping[str, frozenset[str]]:
    """Role name -> what it grants. Machines' role `gateway` is among them; a super administrator has everything."""
    roles = [column for column in _table()[0] if column != "permission"]
    granted = {role: frozenset(row["permission"] for row in _table() if row[role]) for role in roles}
    return {**granted, SUPER_ADMIN: frozenset({ALL})}


@cache
def descriptions() -> Mapping[str, str]:
    """Permission -> what it lets people do, in words."""
    return {row["permission"]: row["description"] for row in _table("descriptions.csv")}


def expand(granted: str) -> frozenset[str]:
    """The permissions that one grant stands for, wildcards and groups included; none when it is misspelt."""
    return frozenset(permission for permission in permissions() if grants({granted}, permission))


@cache
def own_permissions() -> frozenset[str]:
    """The permissions that have a meaning for one's own only: those of the built-in roles of that reach."""
    return frozenset().union(*(built_in_roles()[role] for role in OWN_REACH))
