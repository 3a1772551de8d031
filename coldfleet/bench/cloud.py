"""The platform as benchmarks start it: nothing limits who measures, nobody needs a second factor."""

import uuid
from pathlib import Path

from cloud_api.identity.people import service as people
from cloud_api.identity.roles.catalogue import ADMIN
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from device_sims.fcm import FcmDouble

_NO_LIMIT = "100000000"


def environment(url: str, folder: Path, phones: FcmDouble | None = None, **more: str) -> dict[str, str]:
    """What a process of the platform is started with.

    Args:
        url: of its database.
        folder: where its files and mails lie, and the account for pushes, when there are `phones`.
        more: further settings, without their prefix, as `seal_readings_after_days="3650"`.
    """
    settings = {
        "database_url": url,
        "media_folder": str(folder / "media"),
        "mail_folder": str(folder / "mail"),
        "log_level": "warning",
        "two_factor_for_admins": "false",
        "sign_ins_per_minute": _NO_LIMIT,
        "requests_per_hour": _NO_LIMIT,
        "gateway_requests_per_hour": _NO_LIMIT,
        "driver_requests_per_hour": _NO_LIMIT,
        "live_views_per_person": _NO_LIMIT,
    }
    if phones is not None:
        settings |= {"fcm_service_account": str(folder / "fcm.json"), "fcm_url": phones.url}
    return {f"COLDFLEET_{name.upper()}": value for name, value in (settings | more).items()}


async def found_organization(database: Database) -> OrganizationScope:
    """One that has nothing; as its administrator nobody can sign in."""
    slug = f"bench-{uuid.uuid4().hex[:10]}"
    async with database.unit_of_work(SystemScope("benchmark")) as db:
        organization, _ = await people.found_organization(
            db,
            name="Bench farm",
            slug=slug,
            admin_username=slug,
            admin_email=f"{slug}@bench.example",
            admin_full_name="Bench",
            admin_password_hash="nobody signs in",  # noqa: S106 - no hash: nobody can
            admin_role=ADMIN,
        )
    return OrganizationScope(organization.id)
