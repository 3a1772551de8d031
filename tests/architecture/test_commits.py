"""One request, task or message is one unit of work: transactions begin and end in one file."""

import ast

import pytest

from tests.architecture.source import PACKAGES, calls, parsed, python_files

TRANSACTION_VERBS = frozenset({"commit", "rollback", "begin", "begin_transaction"})
#: the unit of work; the gateway's own store, which has no sessions; Alembic's environment, which begins where it must;
#: programs that ours is measured by
OWNERS = frozenset(
    {
        "cloud_api/kernel/db.py",
        "gateway/spool/writer.py",
        "cloud_api/migrations/env.py",
        "coldfleet/bench/peers/aiomqtt_sqlite.py",
        "coldfleet/bench/peers/plain_ingest.py",
        "coldfleet/bench/peers/plain_orders.py",
        "coldfleet/bench/peers/plain_reserve.py",
        "coldfleet/bench/stock_site.py",
    }
)


def transaction_calls(tree: ast.AST) -> list[str]:
    """Where a transaction is begun or ended, as `line: call`."""
    return [
        f"{call.lineno}: {called}()"
        for call, called in calls(tree)
        if "." in called and called.rpartition(".")[2] in TRANSACTION_VERBS
    ]


def test_transactions_begin_and_end_in_the_unit_of_work_only() -> None:
    found = [
        f"{path}:{place}"
        for path in python_files(*PACKAGES)
        if path.as_posix() not in OWNERS
        for place in transaction_calls(parsed(path))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "await db.commit()",
        "self._session.rollback()",
        "with session.begin(): pass",
        "async with factory().begin(): pass",
    ],
)
def test_a_transaction_elsewhere_is_found(source: str) -> None:
    module = f"async def verb():\n    {source}\n"
    assert [place.partition(":")[0] for place in transaction_calls(ast.parse(module))] == ["2"]


def test_a_savepoint_and_a_verb_of_ours_are_no_transactions() -> None:
    assert transaction_calls(ast.parse("db.begin_nested()\ncommit(plan)\nplan.committed()\n")) == []
