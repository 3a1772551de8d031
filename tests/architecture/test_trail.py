"""The trail is whole only if nothing goes round it: bulk statements over audited rows are counted on one hand."""

import ast

import pytest
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase

from cloud_api.all_models import MODULES
from cloud_api.kernel.tenancy import OrganizationOwned, OrganizationRoot
from tests.architecture.source import calls, parsed, python_files

_ERASURE = "the trail would keep, as its old values, what a person has the right to see gone; it hears users.erased"

#: "path: verb Model" = why nobody misses it in the trail
ALLOWED: dict[str, str] = {
    "cloud_api/identity/privacy/holders.py: delete OAuthIdentity": _ERASURE,
    "cloud_api/identity/privacy/holders.py: delete SecondFactor": _ERASURE,
    "cloud_api/identity/privacy/holders.py: update ErasureRequest": _ERASURE,
    "cloud_api/identity/privacy/holders.py: update Invitation": _ERASURE,
    "cloud_api/identity/privacy/holders.py: update PersonalDataExport": _ERASURE,
    "cloud_api/identity/privacy/holders.py: update User": _ERASURE,
    "cloud_api/identity/privacy/holders.py: update UserSession": _ERASURE,
    "cloud_api/identity/saved_views/service.py: delete SavedView": _ERASURE,
    "cloud_api/notifications/personal_data.py: delete Phone": _ERASURE,
    "cloud_api/inventory/holds/service.py: update StockHold": (
        "whether arrivals are held too follows from the excursion's end, which is in the trail"
    ),
}


def models() -> dict[str, type[DeclarativeBase]]:
    """Every model by its name."""
    return {
        name: found
        for module in MODULES
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, DeclarativeBase) and "__tablename__" in vars(found)
    }


AUDITED = {
    name
    for name, model in models().items()
    if issubclass(model, OrganizationOwned | OrganizationRoot) and model.__audited__
}


def bulk_writes(tree: ast.AST) -> set[str]:
    """`update Model` and `delete Model` of each bulk statement over an audited model, called by any of its names."""
    imported = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    each_of = {
        ast.unparse(node.target): [ast.unparse(model) for model in node.iter.elts]
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple | ast.List)
    }
    found = set()
    for call, called in calls(tree):
        verb = imported.get(called, called).rpartition(".")[2]
        if verb in {"update", "delete"} and call.args and not _is_attribute_of_a_value(called):
            target = ast.unparse(call.args[0])
            for model in each_of.get(target, [target]):
                name = imported.get(model, model).rpartition(".")[2]
                if name in AUDITED:
                    found.add(f"{verb} {name}")
    return found


def _is_attribute_of_a_value(called: str) -> bool:
    """`router.delete(...)`, `digest.update(...)`; not `sqlalchemy.update(...)`."""
    return "." in called and called.split(".")[0] not in {"sqlalchemy", "sa"}


def test_bulk_statements_over_audited_rows_are_few_and_have_reasons() -> None:
    found = {f"{path}: {write}" for path in python_files("cloud_api") for write in bulk_writes(parsed(path))}
    assert found - set(ALLOWED) == set(), "these pass the trail by: change rows by attribute, or say why here"
    assert set(ALLOWED) - found == set(), "needed no longer"


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import update\ndb.execute(update(User).where(User.id == id))",
        "from sqlalchemy import update as change\ndb.execute(change(User))",
        "from cloud_api.identity.people.models import User as Person\ndelete(Person)",
        "delete(models.User)",
        "sqlalchemy.update(User)",
        "for model in (FormerPassword, User):\n    delete(model)",
    ],
)
def test_a_bulk_statement_is_found(source: str) -> None:
    assert len(bulk_writes(ast.parse(source))) == 1


@pytest.mark.parametrize("source", ["update(StockLevel)", "router.delete(User)", "digest.update(User)", "select(User)"])
def test_what_is_none_or_passes_nothing_by_is_not_found(source: str) -> None:
    assert bulk_writes(ast.parse(source)) == set()


def test_the_trail_covers_what_people_do_and_leaves_streams_alone() -> None:
    assert {"User", "Organization", "Warehouse", "Product", "Lot", "CustomerOrder", "Excursion", "AlertRule"} <= AUDITED
    streams = {"StockMovement", "StockLevel", "GatewayHeartbeat", "OutboxEvent", "IdempotencyKey", "AuditEntry"}
    assert not AUDITED & {*streams, "VehiclePosition", "LaneCursor", "RuleState", "OneTimeToken", "FormerPassword"}


def test_no_secret_stands_in_an_audited_column_of_another_type() -> None:
    """Names that smell of secrets: each is sealed, or a hash, or not told at all."""
    suspicious = ("password", "secret", "token", "seed", "private_key", "api_key", "backup_code")
    told = [
        f"{name}.{column.name}"
        for name in AUDITED
        for column in models()[name].__table__.columns
        if any(word in column.name for word in suspicious)
        and column.info.get("audited", True)
        and isinstance(column.type, String)  # `Sealed` is none
        and not column.name.endswith(("hash", "sha256"))
    ]
    assert told == []
