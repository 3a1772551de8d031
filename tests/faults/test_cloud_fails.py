"""A cloud, and a network before it, that fail in every way."""

import random

import pytest

from tests.faults.site import Site, seed
from tests.services.waiting import wait_until


def failing(site: Site, requests: int) -> None:
    chance = random.Random(seed())
    site.configure(speed=20)
    site.start()
    site.cloud.ask("fail", share=0.4, seed=chance.randrange(1 << 30))
    site.send(rate=2000)
    enough = site.cloud.ask("report")["requests"] + requests
    wait_until(lambda: site.cloud.ask("report")["requests"] >= enough, what="the requests", timeout_s=requests)
    report = site.stop_sending()
    site.cloud.ask("fail", share=0.0, seed=0)
    seen = site.judge(report)
    assert sum(seen["injected"].values()) > requests / 5


def test_a_cloud_that_answers_wrongly_or_not_at_all_costs_nothing(site: Site) -> None:
    failing(site, 60)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_requests_of_which_four_thousand_fail_cost_nothing(site: Site) -> None:
    failing(site, 10_000)
