"""What belongs to no organisation has a trail too: that of whoever changed it."""

from tests.platform_under_test import Platform, open_platform

FLAGS = "/api/v1/admin/feature-flags"


async def test_a_changed_flag_and_maintenance_stand_in_the_operators_trail(sqlite_url: str) -> None:
    async with open_platform(sqlite_url) as platform:
        await _changes(platform)


async def _changes(platform: Platform) -> None:
    operator = await platform.found_platform()
    await operator.post(FLAGS, {"key": "new-board"})
    await operator.put(f"{FLAGS}/new-board", {"enabled": True})
    assert (await operator.client.delete(f"{FLAGS}/new-board")).status_code == 204
    await operator.put("/api/v1/admin/maintenance", {"enabled": True, "message": "back at six"})
    trail = await operator.get("/api/v1/admin/security/audit-logs", limit=200)
    seen = [(entry["action"], entry["actor_name"]) for entry in reversed(trail)]
    for action in ("feature_flags.created", "feature_flags.changed", "feature_flags.deleted", "maintenance.created"):
        assert (action, operator.username) in seen, seen
    elsewhere = await platform.tenant.get("/api/v1/admin/security/audit-logs", limit=200)
    assert not [entry for entry in elsewhere if entry["entity"] in {"feature_flags", "maintenance"}]
