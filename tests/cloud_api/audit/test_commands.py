"""`coldfleet cloud export-audit`, `verify-audit` and `check-audit`, as people type them."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import logs
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from coldfleet.cli import main
from tests.cloud_api.audit.trails import leave, seal_all, seals_of, tamper, where
from tests.cloud_api.kernel.rows import add_organization
from tests.services.postgres import PrivatePostgres


class Typed:
    """Runs commands in this process, on one database."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code, and what was said, in one line each."""
        return await asyncio.to_thread(self._run, *words)

    def _run(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["cloud", *words])
        logs.configure(level="warning", for_people=True)  # a command configures those of its whole process
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return code if isinstance(code, int) else 0, out + err


@pytest.fixture
def typed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    monkeypatch.chdir(tmp_path)  # `.env` is nobody else's there
    monkeypatch.setenv("COLDFLEET_DATABASE_URL", database_url)
    return Typed(capsys)


async def sealed_trail(database: Database) -> tuple[OrganizationScope, str]:
    """An organisation with three entries, sealed; and its slug."""
    scope = await add_organization(database)
    await leave(database, scope, "b", "c")
    await seal_all(database)
    async with database.unit_of_work(scope, read_only=True) as db:
        return scope, (await db.scalars(select(Organization))).one().slug


async def test_a_trail_is_exported_and_verified(database: Database, typed: Typed) -> None:
    scope, slug = await sealed_trail(database)
    head = (await seals_of(database, scope))[-1].digest
    said = f"audit.jsonl is intact: 3 entries, 1 to 3\norganisation {scope.organization_id}, head {head}\n"
    assert await typed("export-audit", slug, "audit.jsonl") == (0, said)
    assert await typed("verify-audit", "audit.jsonl") == (0, said)


async def test_an_export_that_was_edited_is_refused_by_name(database: Database, typed: Typed, tmp_path: Path) -> None:
    _, slug = await sealed_trail(database)
    await typed("export-audit", slug, "audit.jsonl")
    exported = tmp_path / "audit.jsonl"
    exported.write_bytes(exported.read_bytes().replace(b'"note":"b"', b'"note":"x"'))
    code, said = await typed("verify-audit", "audit.jsonl")
    assert (code, said.startswith("audit.jsonl is BROKEN: line 3: entry 2 is edited")) == (1, True)
    exported.write_bytes(b"\xff")
    code, said = await typed("verify-audit", "audit.jsonl")
    assert (code, said.startswith("audit.jsonl is BROKEN: ")) == (1, True)


async def test_what_cannot_be_done_is_said_in_a_sentence(database: Database, typed: Typed) -> None:
    _, slug = await sealed_trail(database)
    for words, sentence in (
        (("export-audit", "nobody", "audit.jsonl"), "no organisation is called 'nobody'"),
        (("export-audit", slug, "nowhere/audit.jsonl"), "nowhere/audit.jsonl cannot be written: No such file"),
        (("verify-audit", "nowhere"), "nowhere cannot be read: No such file"),
    ):
        code, said = await typed(*words)
        assert (code, sentence in said) == (1, True), said


async def test_a_trail_that_was_tampered_with_in_the_database_is_found_out(
    database: Database, typed: Typed, migrated_postgres: PrivatePostgres
) -> None:
    scope, _ = await sealed_trail(database)
    assert await typed("check-audit") == (0, "every audit trail is whole\n")
    [_, second, _] = await seals_of(database, scope)
    edit = where(database, "UPDATE audit_entries SET note = 'x'", second.entry_id)
    await tamper(database, migrated_postgres, edit)
    said = f"organisation {scope.organization_id}: seal 2 does not fit its entry {second.entry_id} (noted)\n"
    assert await typed("check-audit") == (1, said)
