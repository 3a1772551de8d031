"""The simulated cloud: as true as the contract says, and as wrong as it is told to be."""

import base64
import gzip
from collections.abc import Iterator

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device_sims.cloud import CLAIM_CODE, FAULTS, GATEWAY_ID
from device_sims.cloud_telemetry import Runs
from device_sims.load_packets import NUMBERED_FROM, NUMBERED_STEP
from device_sims.own_process import OwnProcess
from gateway.contract import (
    SIGNATURE_HEADER,
    Batch,
    BatchAnswer,
    Envelope,
    Gap,
    Lane,
    ProvisionAnswer,
    ProvisionRequest,
    Reading,
    ReadingColumns,
    bearer,
)

EPOCH = "0" * 32
SECRET = "5" * 64
SERIES = ("z2m:room", "temperature", "Cel")
AUTHORIZATION = {"Authorization": bearer(GATEWAY_ID, SECRET)}


@pytest.fixture
def cloud() -> Iterator[OwnProcess]:
    with OwnProcess("device_sims.cloud") as running:
        yield running


@pytest.fixture
def http(cloud: OwnProcess) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=cloud.ask("come")["url"], timeout=5.0) as client:
        provision(client)
        yield client


def provision(http: httpx2.Client, claim_code: str = CLAIM_CODE) -> httpx2.Response:
    body = msgspec.json.encode(ProvisionRequest(claim_code, SECRET, "test"))
    return http.post("/api/v1/edge/provision", content=body)


def columns(first: int, count: int, *, lane: Lane = "readings", values: list[float] | None = None) -> Batch:
    made = ReadingColumns(
        [SERIES],
        [0] * count,
        [(first, count)],
        [1_768_471_950_000] + [1000] * (count - 1),
        values or [4.0] * count,
    )
    return Batch(2, EPOCH, lane, columns=made)


def send(http: httpx2.Client, batch: Batch) -> httpx2.Response:
    content = gzip.compress(msgspec.json.encode(batch))
    headers = {**AUTHORIZATION, "Content-Encoding": "gzip"}
    return http.post("/api/v1/telemetry/readings", content=content, headers=headers)


def answer(response: httpx2.Response) -> BatchAnswer:
    assert response.status_code == 200
    return msgspec.json.decode(response.content, type=Envelope[BatchAnswer]).data


def test_rows_at_or_below_the_cursor_are_duplicates(cloud: OwnProcess, http: httpx2.Client) -> None:
    assert answer(send(http, columns(1, 10))).accepted == 10
    again = answer(send(http, columns(6, 10)))
    assert (again.acked_through, again.accepted, again.duplicates) == (15, 5, 5)
    report = cloud.ask("report")
    assert (report["rows"], report["stored_twice"], report["complaints"]) == (15, 0, [])


def test_version_1_is_understood(cloud: OwnProcess, http: httpx2.Client) -> None:
    rows = [Reading(number, "z2m:room", "temperature", 4.0, "Cel", 1_768_471_950_000) for number in (1, 2, 3)]
    assert answer(send(http, Batch(1, EPOCH, "readings", readings=rows))).acked_through == 3


def test_a_sequence_in_two_lanes_is_seen(cloud: OwnProcess, http: httpx2.Client) -> None:
    send(http, columns(1, 10))
    assert answer(send(http, columns(10, 5, lane="backlog"))).accepted == 5
    assert cloud.ask("report")["stored_twice"] == 1


@pytest.mark.parametrize(
    "batch",
    [
        Batch(2, EPOCH, "readings"),
        Batch(3, EPOCH, "readings", columns=columns(1, 1).columns),
        columns(0, 2),
        columns(1, 2001),
        Batch(
            2, EPOCH, "readings", columns=ReadingColumns([("a", "b", "c")], [0, 0], [(1, 1), (1, 1)], [0, 0], [1, 2])
        ),
        Batch(2, EPOCH, "readings", columns=ReadingColumns([("a", "b", "c")], [0, 0], [(1, 2)], [0, 0], [1])),
        Batch(2, EPOCH, "tags", columns=columns(1, 1).columns),
    ],
)
def test_what_contradicts_the_contract_is_refused_and_remembered(
    cloud: OwnProcess, http: httpx2.Client, batch: Batch
) -> None:
    assert send(http, batch).status_code == 422
    assert cloud.ask("report")["complaints"]


def test_it_keeps_the_numbers_of_each_sensor_in_the_order_of_sequences(cloud: OwnProcess, http: httpx2.Client) -> None:
    cloud.ask("keep")
    said = [NUMBERED_FROM + number * NUMBERED_STEP for number in (0, 1, 2, 2, 3)]
    send(http, columns(4, 2, values=said[3:]))
    send(http, columns(1, 3, lane="backlog", values=said[:3]))
    gap = Gap(1, EPOCH, "readings", 6, 9, 4, 0, 0, "unreadable")
    send(http, Batch(2, EPOCH, "gaps", gaps=[gap]))
    details = cloud.ask("details")
    assert details["series"] == {"z2m:room": [[0, 2], [2, 3]]}
    assert [EPOCH, "readings", [[1, 5]]] in details["sequences"]
    assert details["gaps"][0]["last"] == 9


def test_only_its_gateway_is_let_in(http: httpx2.Client) -> None:
    assert provision(http, "WRONG").status_code == 404
    assert provision(http).status_code == 200  # the same secret again: an answer was lost
    assert http.get(f"/api/v1/edge/gateways/{GATEWAY_ID}/config").status_code == 401


def test_the_configuration_is_signed_with_the_key_that_provisioning_gave(http: httpx2.Client) -> None:
    told = msgspec.json.decode(provision(http).content, type=Envelope[ProvisionAnswer]).data
    response = http.get(f"/api/v1/edge/gateways/{GATEWAY_ID}/config", headers=AUTHORIZATION)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told.config_key))
    key.verify(base64.b64decode(response.headers[SIGNATURE_HEADER]), response.content)


def test_it_goes_away_and_comes_back_where_it_was(cloud: OwnProcess, http: httpx2.Client) -> None:
    send(http, columns(1, 10))
    cloud.ask("go")
    with pytest.raises(httpx2.TransportError):
        send(http, columns(11, 10))
    cloud.ask("come")
    assert answer(send(http, columns(11, 10))).acked_through == 20


def test_each_fault_is_drawn_by_the_seed_and_stores_as_it_says(cloud: OwnProcess, http: httpx2.Client) -> None:
    first = 1
    for kind in FAULTS:
        if kind == "timeout":
            continue  # it takes a client's whole patience
        before = cloud.ask("report")["rows"]
        cloud.ask("fail", share=1.0, seed=1, kinds=[kind])
        try:
            response = send(http, columns(first, 10))
        except httpx2.TransportError:
            assert kind.startswith(("cut", "half"))
        else:
            assert (response.status_code >= 400) == (kind == "error")
        stores = kind.startswith(("ack", "half")) or kind == "cut_after"
        assert cloud.ask("report")["rows"] == before + 10 * stores, kind
        first += 10 * stores
    assert set(cloud.ask("report")["injected"]) == {*FAULTS} - {"timeout"}


def test_runs_are_a_set_of_numbers() -> None:
    runs = Runs()
    assert [runs.add(1, 5), runs.add(10, 5), runs.add(6, 4), runs.add(3, 2), runs.add(20, 1)] == [0, 0, 0, 2, 0]
    assert runs.as_json() == [(1, 14), (20, 20)]
    assert runs.add(12, 10) == 4
    assert runs.as_json() == [(1, 21)]
