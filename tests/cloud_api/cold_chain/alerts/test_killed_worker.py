"""A worker is killed in the middle of an escalation; the next goes on, and nobody is told twice."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud_api.cold_chain.alerts.models import AlertEvent
from cloud_api.kernel import clock
from cloud_api.notifications.models import Notification
from tests.cloud_api.cold_chain.alerts.alarms import make_policy, raise_in
from tests.factories.farms import open_farm_alone
from tests.platform_under_test import Platform
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

COLDFLEET = str(Path(sys.executable).with_name("coldfleet"))
ALERTS, STEPS, SPEED = 20, 6, 100


@pytest.fixture
async def farm(postgres_url: str) -> AsyncIterator[Platform]:
    """On a database that workers can share."""
    async with open_farm_alone(postgres_url) as alone:
        yield alone


async def tellings(farm: Platform) -> list[tuple[str, object]]:
    """(alert, step) of every telling so far."""
    its = select(AlertEvent).where(AlertEvent.kind == "told")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return [(str(event.alert_id), event.detail["step"]) for event in await db.scalars(its)]


async def wait_for(farm: Platform, worker: RunningProcess, count: int) -> None:
    async def enough() -> bool:
        assert worker.exit_code is None, worker.output()
        return len(await tellings(farm)) >= count

    await until(enough, what=f"{count} tellings", timeout_s=60)


async def test_each_step_is_done_once_though_a_worker_is_killed_in_the_middle(farm: Platform, tmp_path: Path) -> None:
    origin = clock.machine_now()
    clock.use(clock.scaled(origin=origin, speed=SPEED))
    to_everybody = {"to": {"kind": "everyone"}, "channels": ["in_app"], "after_s": 60}
    policy_id = await make_policy(farm.tenant, {**to_everybody, "after_s": 0}, *[to_everybody] * (STEPS - 1))
    alerts = [
        await raise_in(farm, group=f"room {number}", subject=f"excursion:{number}", policy_id=policy_id)
        for number in range(ALERTS)
    ]
    environment = {
        "COLDFLEET_DATABASE_URL": farm.database.url.render_as_string(hide_password=False),
        "COLDFLEET_CLOCK_ORIGIN": origin.isoformat(),
        "COLDFLEET_CLOCK_SPEED": str(SPEED),
    }
    with running([COLDFLEET, "cloud", "worker"], cwd=tmp_path, environment=environment) as worker:
        await wait_for(farm, worker, ALERTS + ALERTS // 2)
        await asyncio.to_thread(worker.kill)
    assert len(await tellings(farm)) < ALERTS * STEPS, "killed in the middle, not at the end"
    with running([COLDFLEET, "cloud", "worker"], cwd=tmp_path, environment=environment) as worker:
        await wait_for(farm, worker, ALERTS * STEPS)
    assert Counter(await tellings(farm)) == Counter((alert_id, step) for alert_id in alerts for step in range(STEPS))
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        written = Counter(await db.scalars(select(Notification.collapse_key)))
    assert written == {f"alert:{alert_id}": STEPS for alert_id in alerts}
