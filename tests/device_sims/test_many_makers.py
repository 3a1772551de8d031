"""What the simulated devices of many makers say, heard by the gateway's own listener and decoders."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

import device_sims
from device_sims import chirpstack, ruuvi, shelly
from device_sims.climate_sensor import Sample
from device_sims.clock import WorldClock
from device_sims.ledger import Ledger
from device_sims.publisher import Broker
from device_sims.rfid_gate import Gate, GateSpec, crate_epc
from device_sims.run import ScenarioRun
from device_sims.scale import Scale, ScaleSpec
from device_sims.scenario import load
from gateway import decoders
from gateway.config import ListenerSettings
from gateway.contract import Reading, TagRead, Weighing
from gateway.pipeline import Pipeline
from gateway.sources.listener import Listener
from gateway.spool.outgoing import Row
from gateway.spool.store import LANES
from tests.gateway.running import HandClock, drain, running_spool, timeline_of

EXAMPLE = Path(device_sims.__file__).parent / "scenarios" / "many_makers.toml"
NOON_MS = 1_768_471_950_000
SAMPLE = Sample(NOON_MS, 7, -18.437, 61.26, 1013.21, 96.6, 0.5)


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        (
            shelly.PlusHT("shellyplusht-08b61fce63c4"),
            {"temperature": -18.4, "humidity": 61.3, "battery": 97, "battery_voltage": 6.14, "rssi": -60},
        ),
        (
            ruuvi.Tag("F4:1F:0C:28:CB:D6"),
            {"temperature": -18.435, "humidity": 61.26, "pressure": 1013.21, "battery_voltage": 2.973, "rssi": -66},
        ),
        (chirpstack.Device("24e124126a148401"), {"temperature": -18.4, "humidity": 61.5, "battery": 97, "rssi": -89}),
    ],
)
def test_a_gateway_reads_what_the_maker_writes(
    maker: shelly.PlusHT | ruuvi.Tag | chirpstack.Device, expected: dict[str, float]
) -> None:
    topic, payload, quantities = maker.message(SAMPLE)
    decoded = decoders.decode(topic, payload, NOON_MS + 1000)
    assert {one.quantity: one.value for one in decoded.measurements} == pytest.approx(expected, abs=0.0026)
    assert Counter(quantities) == Counter(one.quantity for one in decoded.measurements)
    assert {(one.sensor, one.time_source, one.quality) for one in decoded.measurements} == {
        (maker.sensor, "device", "good")
    }
    assert {NOON_MS - one.recorded_at_ms for one in decoded.measurements} <= {0}
    assert (decoded.identity is not None) == maker.is_numbered


def test_a_probe_in_the_core_has_no_humidity_to_tell() -> None:
    core = Sample(NOON_MS, 7, 3.5, None, None, 50.0, 0.0)
    for maker in (shelly.PlusHT("a"), ruuvi.Tag("F4:1F:0C:28:CB:D6"), chirpstack.Device("24e124126a148401")):
        topic, payload, quantities = maker.message(core)
        found = [one.quantity for one in decoders.decode(topic, payload, NOON_MS).measurements]
        assert sorted(found) == sorted(quantities)
        assert not {"humidity", "pressure"} & set(found)


def test_a_pallets_crates_are_seen_while_it_passes_and_never_otherwise() -> None:
    gate = Gate(GateSpec("g", crates=5, every_s=60, passage_s=4), seed=1, started_at_ms=NOON_MS)
    seen: dict[int, set[str]] = {}
    for second in range(1, 181):
        for message in gate.step(NOON_MS + second * 1000):
            for one in decoders.decode(message.topic, message.payload, NOON_MS + second * 1000).sightings:
                seen.setdefault(second, set()).add(one.read.epc)
                assert one.read.antenna in (1, 2)
                assert 0 <= NOON_MS + second * 1000 - one.read.recorded_at_ms < 1000
    assert set(seen) <= {*range(61, 65), *range(121, 125)}
    first, second_pallet = (
        set().union(*(seen.get(second, set()) for second in times))
        for times in ((61, 62, 63, 64), (121, 122, 123, 124))
    )
    assert first == {crate_epc(serial) for serial in range(1, 6)}
    assert second_pallet == {crate_epc(serial) for serial in range(6, 11)}


def test_a_crates_code_is_a_grai_96() -> None:
    code = int(crate_epc(258), 16)
    assert len(crate_epc(258)) == 24
    assert (code >> 88, code >> 82 & 7, code >> 58 & 0xFFFFFF) == (0x33, 5, 4_012_345)
    assert (code >> 38 & 0xFFFFF, code & (1 << 38) - 1) == (12_345, 258)


def test_a_load_swings_and_then_stands() -> None:
    scale = Scale(ScaleSpec("dock", every_s=60), seed=2, started_at_ms=NOON_MS)
    assert scale.step(NOON_MS + 59_000) == []
    lines = [message.payload for message in scale.step(NOON_MS + 60_000)]
    assert [line[:4] for line in lines] == [b"S D ", b"S D ", b"S D ", b"S S "]
    assert all(len(line) == len(b"S S     240.00 kg\r\n") for line in lines)


def test_a_load_that_is_too_heavy_is_no_weight() -> None:
    scale = Scale(ScaleSpec("dock", every_s=60, overload=1.0), seed=2, started_at_ms=NOON_MS)
    messages = scale.step(NOON_MS + 60_000)
    weighings = [one for sent in messages for one in decoders.decode(sent.topic, sent.payload, NOON_MS).weighings]
    assert [(one.state, one.weight_kg) for one in weighings] == [("dynamic", 360.0), ("overload", None)]


async def test_the_gateway_stores_exactly_what_the_report_counts(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("duration_s = 3600\nstep_s = 10\n" + EXAMPLE.read_text().replace("speed = 60.0", "speed = 20000"))
    clock = WorldClock(20_000, NOON_MS, itertools.count(NOON_MS).__next__)
    async with running_spool(tmp_path / "data") as spool:
        timeline = timeline_of(spool, HandClock(NOON_MS + 3_600_000))
        pipeline = Pipeline(spool, timeline, max_pending=100)
        listener = Listener(ListenerSettings(port=0, anonymous=True), pipeline)
        port = await listener.start()
        report = tmp_path / "report.json"
        await ScenarioRun(load(path), broker=Broker("127.0.0.1", port), report=report, clock=clock).run()
        await listener.close()
        rows = [row for lane in LANES for row in await drain(spool, lane)]
    assert pipeline.dead_letters == 0
    _compare(json.loads(report.read_bytes()), rows)


def _compare(report: dict[str, Any], rows: list[Row]) -> None:
    assert report["finished"] is True
    assert report["connections"] == 6
    spoken = [*report["sensors"].values(), *report["gates"].values(), *report["scales"].values()]
    stored = Counter((row.sensor, row.quantity) for row in rows if isinstance(row, Reading))
    names = {one["sensor"] for one in report["sensors"].values()}
    for one in report["sensors"].values():
        assert {q: n for (sensor, q), n in stored.items() if sensor == one["sensor"]} == one["readings"]
    assert {sensor for sensor, _ in stored} - names == {f"ruuvi:{ruuvi.GATEWAY}", "zebra:fx9600-dock-1"}
    assert sum(sum(one["readings"].values()) for one in [*spoken, *report["voices"].values()]) == stored.total()
    assert sum(one["tag_reads"] for one in spoken) == len([row for row in rows if isinstance(row, TagRead)]) > 50
    assert sum(one["weighings"] for one in spoken) == len([row for row in rows if isinstance(row, Weighing)]) > 40
    assert cast(int, report["sensors"]["F4:1F:0C:28:CB:D6"]["duplicated"]) > 0
    assert all(row.quality == "good" for row in rows if isinstance(row, Reading))


def test_a_device_that_is_there_says_so() -> None:
    ledger = Ledger()
    online = shelly.PlusHT("shellyplusht-08b61fce63c4").online(ledger)
    (one,) = decoders.decode(online.topic, online.payload, NOON_MS).measurements
    assert (one.sensor, one.quantity, one.value, online.retain) == (
        "shelly:shellyplusht-08b61fce63c4",
        "online",
        1,
        True,
    )
