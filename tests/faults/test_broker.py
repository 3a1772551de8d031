"""A site's broker between the sensors and the gateway, stopped and killed under load, and the gateway with it."""

import random
from pathlib import Path

from device_sims.own_process import Answer
from tests.faults.site import Site, open_site, seed
from tests.services.mosquitto import PrivateMosquitto
from tests.services.waiting import wait_until


def test_nothing_is_lost_when_a_persistent_broker_restarts_and_the_gateway_is_killed(
    mosquitto: PrivateMosquitto, tmp_path: Path
) -> None:
    chance = random.Random(seed())
    with open_site(tmp_path, bridge_port=mosquitto.port) as site:
        site.start()
        site.send(port=mosquitto.port, rate=1000)
        for blow in chance.sample(["broker", "gateway"] * 3, 6):
            site.wait_for_messages(chance.randint(50, 500))
            if blow == "broker":
                mosquitto.stop()
                mosquitto.start()
            else:
                site.kill()
                site.start()
        site.verdict(repeats=6)


def wait_for_subscription(site: Site, number: int) -> None:
    wait_until(lambda: site.said().count(": subscribed to") >= number, what="the gateway is back at its broker")


def all_last_have_come(site: Site, report: Answer) -> bool:
    series = site.cloud.ask("details")["series"]
    last = {f"z2m:{told['sensor']}": told["acknowledged"] - 1 for told in report["sensors"]}
    return all(series[sensor][-1][1] == number for sensor, number in last.items())


def test_a_killed_broker_costs_what_it_had_not_saved_and_nothing_else(
    mosquitto: PrivateMosquitto, tmp_path: Path
) -> None:
    with open_site(tmp_path, bridge_port=mosquitto.port) as site:
        site.start()
        site.send(port=mosquitto.port, rate=1000)
        for blow in range(1, 4):
            site.wait_for_messages(500)
            mosquitto.kill()
            mosquitto.start()
            wait_for_subscription(site, blow + 1)  # until then the broker has nobody to keep anything for
        site.wait_for_messages(500)
        report = site.stop_sending()
        wait_until(lambda: all_last_have_come(site, report), what="what came after the last blow has all come")
        site.judge(report, repeats=3, broker_loses=True)
