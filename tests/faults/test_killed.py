"""kill -9, again and again, under load."""

import random
import time

import pytest

from tests.faults.site import Site, seed


def killed(site: Site, times: int) -> None:
    chance = random.Random(seed())
    site.start()
    site.send(rate=3000)
    for _ in range(times):
        site.wait_for_messages(1)
        time.sleep(chance.uniform(0.0, 0.25))  # the instant of the blow is the point
        site.kill()
        site.start()
    seen = site.verdict()
    assert seen["acknowledged"] >= times


def test_nothing_is_lost_doubled_or_reordered_by_twenty_kills_under_load(site: Site) -> None:
    killed(site, 20)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_nothing_is_lost_doubled_or_reordered_by_a_thousand_kills_under_load(site: Site) -> None:
    killed(site, 1000)
