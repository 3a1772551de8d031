"""The trail is verified over HTTP: it holds, or the first place where it does not is named."""

from datetime import timedelta

from cloud_api.audit.checking import check
from cloud_api.kernel import clock
from tests.cloud_api.audit.trails import KEY, leave, seal_all, seals_of, tamper, where
from tests.factories.farms import make_person
from tests.platform_under_test import Platform
from tests.services.postgres import PrivatePostgres

PATH = "/api/v1/admin/security/audit-logs/verification"


async def test_a_trail_that_nobody_touched_holds(platform: Platform) -> None:
    tenant = platform.tenant
    await leave(platform.database, tenant.organization, "one", "two", "three")
    await seal_all(platform.database)
    seals = await seals_of(platform.database, tenant.organization)
    whole = await tenant.get(PATH)
    assert (whole["intact"], whole["count"], whole["from_sequence"]) == (True, len(seals), 1)
    assert (whole["to_sequence"], whole["broken_at"], whole["fault"]) == (len(seals), None, None)
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    none = await tenant.get(PATH, **{"from": tomorrow})
    assert (none["intact"], none["count"]) == (True, 0)
    assert (await tenant.get(PATH, to=tomorrow))["count"] == len(seals)


async def test_the_first_place_that_does_not_hold_is_named(
    platform: Platform, migrated_postgres: PrivatePostgres
) -> None:
    scope, database = platform.tenant.organization, platform.database
    ids = await leave(database, scope, "one", "two", "three", "four")
    await seal_all(database)
    places = {seal.entry_id: seal.sequence for seal in await seals_of(database, scope)}
    last = max(places.values())
    for statement, place, fault in (
        (where(database, "DELETE FROM audit_seals", ids[3], column="entry_id"), places[ids[3]], "end_missing"),
        (where(database, "DELETE FROM audit_entries", ids[2]), places[ids[2]], "entry_gone"),
        (where(database, "UPDATE audit_entries SET note = 'other'", ids[1]), places[ids[1]], "changed"),
        (where(database, "DELETE FROM audit_seals", ids[0], column="entry_id"), places[ids[0]], "missing"),
    ):
        await tamper(database, migrated_postgres, statement)
        found = await platform.tenant.get(PATH)
        assert (found["intact"], found["broken_at"], found["fault"], found["to_sequence"]) == (
            False,
            place,
            fault,
            last,
        )


async def test_a_chain_whose_end_was_set_back_does_not_hold(
    platform: Platform, migrated_postgres: PrivatePostgres
) -> None:
    scope, database = platform.tenant.organization, platform.database
    await leave(database, scope, "one", "two")
    await seal_all(database)
    seals = await seals_of(database, scope)
    back = f"UPDATE audit_chains SET sequence = {seals[-2].sequence}, digest = '{seals[-2].digest}'"  # noqa: S608 - ours
    await tamper(database, migrated_postgres, where(database, back, scope.organization_id, column="organization_id"))
    assert (await platform.tenant.get(PATH))["fault"] == "end_differs"
    assert (await check(database, scope, b"another key")).broken_at == 1
    assert (await check(database, scope, KEY.encode())).fault == "end_differs"


async def test_who_may_not_read_the_trail_may_not_verify_it(platform: Platform) -> None:
    driver = await make_person(platform, platform.tenant, "delivery_personnel")
    assert (await driver.client.get(PATH)).status_code == 403
