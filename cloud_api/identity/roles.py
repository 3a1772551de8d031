"""What each built-in role may do: the table `permissions.csv`, read once."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def built_in_roles() -> Mapping[str, frozenset[str]]:
    """Role name -> permissions. The machine role `gateway` stands in the same table."""
    with files("cloud_api.identity").joinpath("permissions.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    roles = [column for column in rows[0] if column != "permission"]
    return {role: frozenset(row["permission"] for row in rows if row[role]) for role in roles}
