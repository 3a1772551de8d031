import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from gateway.backoff import Backoff
from gateway.config import CloudSettings
from gateway.contract import (
    Command,
    CommandAck,
    ConfigAck,
    Envelope,
    GatewayConfig,
    Heartbeat,
    LogUpload,
    NewCredential,
)
from gateway.credentials import Credential
from gateway.errors import ConfigError
from gateway.uplink.cloud import Cloud, CloudRefused, CloudUnavailable
from gateway.uplink.transport import NoAnswer, Transport
from tests.gateway.certificates import write_certificate
from tests.gateway.cloud_double import CLAIM_CODE, GATEWAY_ID, SERVER_TIME_MS, CloudDouble, running_cloud
from tests.gateway.running import NOW_MS, high_limit
from tests.services.waiting import until

SECRET = "ab" * 32
ME = Credential(GATEWAY_ID, SECRET)
BEAT = Heartbeat("cd" * 16, NOW_MS, 1, "1", 1, 0, None, 0, 100)


@asynccontextmanager
async def client(url: str, **told: object) -> AsyncIterator[Cloud]:
    cloud = Cloud(msgspec.convert({"url": url, **told}, CloudSettings))
    try:
        yield cloud
    finally:
        await cloud.close()


@pytest.fixture
async def me(cloud: CloudDouble) -> AsyncIterator[Cloud]:
    """A gateway that has been claimed."""
    async with client(cloud.url, timeout_s=5) as one:
        await one.provision(CLAIM_CODE, SECRET)
        yield one


# the calls


async def test_the_claim_brings_who_signs_the_configuration(cloud: CloudDouble) -> None:
    async with client(cloud.url) as one:
        answer = await one.provision(CLAIM_CODE, SECRET)
    assert (answer.gateway_id, answer.config_key) == (GATEWAY_ID, cloud.config_key)


async def test_the_signature_is_that_of_the_bytes_as_they_came(cloud: CloudDouble, me: Cloud) -> None:
    cloud.config = GatewayConfig(2, [high_limit()])
    body, signature = await me.config(ME)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(cloud.config_key)).verify(base64.b64decode(signature), body)
    assert msgspec.json.decode(body, type=Envelope[GatewayConfig]).data.limits == cloud.config.limits


async def test_what_became_of_things_is_told(cloud: CloudDouble, me: Cloud) -> None:
    config_ack, logs = ConfigAck(2, "staged", NOW_MS), LogUpload(NOW_MS, ["one", "two"])
    command = Command("c-1", "tare", NOW_MS, NOW_MS + 1, "scale:dock-1")
    cloud.commands = [command]
    await me.config_ack(ME, config_ack)
    await me.upload_logs(ME, logs)
    assert (await me.heartbeat(ME, BEAT)).commands_waiting == 1
    assert await me.commands(ME) == [command]
    await me.command_ack(ME, "c-1", CommandAck("done", NOW_MS))
    assert await me.commands(ME) == []
    assert (cloud.config_acks, cloud.logs, list(cloud.command_acks)) == ([config_ack], [logs], ["c-1"])


async def test_a_command_of_a_later_version_comes_as_it_is(cloud: CloudDouble, me: Cloud) -> None:
    good = Command("c-2", "identify", NOW_MS, NOW_MS)
    strange = replace(good, id="c-1", kind="dance")
    cloud.commands = [strange, good]
    assert await me.commands(ME) == [strange, good]


async def test_the_old_secret_is_good_until_the_new_one_was_used(cloud: CloudDouble, me: Cloud) -> None:
    new = Credential(GATEWAY_ID, "ef" * 32)
    await me.rotate_credentials(ME, NewCredential(new.secret))
    await me.heartbeat(ME, BEAT)
    await me.heartbeat(new, BEAT)
    with pytest.raises(CloudRefused, match="401: credential_unknown no"):
        await me.heartbeat(ME, BEAT)


async def test_the_time_and_every_good_answer_are_told(cloud: CloudDouble, me: Cloud) -> None:
    heard: list[str] = []
    times: list[tuple[int, float]] = []
    me.on_heard = lambda: heard.append("good")
    me.on_server_time = lambda at_ms, took_s: times.append((at_ms, took_s))
    await me.heartbeat(ME, BEAT)
    await me.commands(ME)
    cloud.fail(["nonsense", "busy", "half"])
    for _ in range(3):
        with pytest.raises(CloudUnavailable):
            await me.config(ME)
    assert len(heard) == 2, "a hotel's network is not the cloud"
    assert [at_ms for at_ms, _ in times] == [SERVER_TIME_MS]
    assert 0 < times[0][1] < 5


# how they fail


@pytest.mark.parametrize(
    ("header", "at_least_s"),
    [
        ("120", 120.0),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 300.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("99999999999", 300.0),
        ("soon", 0.0),
        ("-5", 0.0),
    ],
)
async def test_a_busy_cloud_says_when_to_come_back(
    cloud: CloudDouble, me: Cloud, header: str, at_least_s: float
) -> None:
    cloud.retry_after = header
    cloud.fail(["busy"])
    with pytest.raises(CloudUnavailable) as caught:
        await me.config(ME)
    assert caught.value.retry_after_s == at_least_s
    assert Backoff().next_delay_s(caught.value.retry_after_s) >= at_least_s


async def test_a_cloud_that_says_no_is_told_apart_from_one_that_is_away(cloud: CloudDouble, me: Cloud) -> None:
    with pytest.raises(CloudRefused, match="401: credential_unknown no"):
        await me.config(Credential(GATEWAY_ID, "wrong"))
    async with client("http://127.0.0.1:1") as nobody:
        with pytest.raises(CloudUnavailable, match=r"no answer from http://127\.0\.0\.1:1"):
            await nobody.config(ME)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"url": "http://a:b"}, "cloud.url 'http://a:b' is no address"),
        ({"url": "https://a", "ca_file": "/nowhere"}, "cloud.ca_file '/nowhere' cannot be used"),
        ({"url": "https://a", "certificate_file": "/nowhere"}, "cloud.certificate_file '/nowhere' cannot be used"),
    ],
)
def test_what_cannot_be_used_is_said_plainly(told: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Cloud(msgspec.convert(told, CloudSettings))


def test_plain_http_over_a_network_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    assert Cloud(CloudSettings("http://127.0.0.1:8000")).warnings == []
    assert not caplog.text
    assert "can be read on the way" in Cloud(CloudSettings("http://cold.example.com")).warnings[0]
    assert "use https" in caplog.text


# connections


async def test_one_connection_serves_many_calls_and_a_dead_one_is_replaced(cloud: CloudDouble) -> None:
    async with client(cloud.url) as one:
        await one.provision(CLAIM_CODE, SECRET)
        for _ in range(5):
            await one.heartbeat(ME, BEAT)
        assert cloud.connections == 1
        await cloud.hang_up()
        await one.heartbeat(ME, BEAT)
        assert cloud.connections == 2


async def test_what_was_given_up_is_not_read_as_the_answer_to_the_next_call(cloud: CloudDouble) -> None:
    """An answer that comes too late belongs to nobody."""
    async with client(cloud.url, timeout_s=1) as one:
        await one.provision(CLAIM_CODE, SECRET)
        cloud.delays_s = iter([1.5])
        with pytest.raises(CloudUnavailable, match=r"nothing within 1 s"):
            await one.config(ME)
        assert (await one.heartbeat(ME, BEAT)).server_time_ms == SERVER_TIME_MS


async def test_an_endless_drip_is_no_answer() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()
        finally:
            writer.close()

    gone = asyncio.Event()
    async with serving(drip) as url, client(url, timeout_s=0.3) as one:
        with pytest.raises(CloudUnavailable, match=r"nothing within 0.3 s"):
            await one.config(ME)
        await until(gone.is_set, what="the connection is closed")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b" " * 9_000_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\n\r\n{"success": false, "data": {}}',
        b"HTTP/1.1 500 \xff\xfe\r\n\r\n\xff\xfe",
    ],
)
async def test_whatever_comes_back_it_is_no_answer(answer: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with serving(say) as url, client(url, timeout_s=5) as one:
        with pytest.raises(CloudUnavailable):
            await one.config(ME)


async def test_an_answer_in_pieces_is_an_answer() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b'{"success": true, ', b'"data": []}', b""):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        writer.close()

    async with serving(say) as url, client(url) as one:
        assert await one.commands(ME) == []


async def test_closing_ends_what_is_under_way(cloud: CloudDouble) -> None:
    one = Cloud(CloudSettings(cloud.url))
    cloud.delays_s = iter([30.0])
    call = asyncio.create_task(one.provision(CLAIM_CODE, SECRET))
    await until(lambda: len(cloud.requests) == 1, what="the call is under way")
    await one.close()
    with pytest.raises(CloudUnavailable):
        await asyncio.wait_for(call, 5)


async def test_a_proxy_of_the_environment_is_used_but_not_for_the_machine_itself() -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with serving(proxy) as url:
        address = url.replace("http://", "http://me:p%40ss@")
        environment = {"https_proxy": address, "HTTP_PROXY": address, "no_proxy": "inside.example, other"}
        plain = Transport(CloudSettings("http://cold.example.com:81"), environment)
        assert (await plain.exchange("GET", "/x", {})).status == 502
        secure = Transport(CloudSettings("https://cold.example.com"), environment)
        with pytest.raises(NoAnswer, match="502"):
            await secure.exchange("GET", "/x", {})
        for direct in ("http://127.0.0.1:1", "http://a.inside.example:1"):
            with pytest.raises(NoAnswer):
                await Transport(CloudSettings(direct, timeout_s=5), environment).exchange("GET", "/x", {})
    password = base64.b64encode(b"me:p@ss")
    assert [line.split(b"\r\n")[0] for line in asked] == [
        b"GET http://cold.example.com:81/x HTTP/1.1",
        b"CONNECT cold.example.com:443 HTTP/1.0",
    ]
    assert all(b"Proxy-Authorization: Basic " + password in head for head in asked)
    with pytest.raises(ConfigError, match="https_proxy cannot be used"):
        Transport(CloudSettings("https://cold.example.com"), {"https_proxy": "socks5://a:1"})


# TLS


async def test_a_certificate_must_be_signed_by_whom_we_believe(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    async with running_cloud(server_tls(certificate, key)) as cloud:
        async with client(cloud.url) as one:
            with pytest.raises(CloudUnavailable, match=r"set cloud.ca_file"):
                await one.provision(CLAIM_CODE, SECRET)
        async with client(cloud.url, ca_file=str(certificate)) as one:
            await one.provision(CLAIM_CODE, SECRET)
            await one.heartbeat(ME, BEAT)
            assert cloud.connections == 1


async def test_a_front_door_may_ask_for_the_gateways_own_certificate(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    own, own_key = write_certificate(tmp_path / "own", "gateway.example")
    tls = server_tls(certificate, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(own)
    async with running_cloud(tls) as cloud:
        told = {"ca_file": str(certificate), "certificate_file": str(own), "key_file": str(own_key)}
        async with client(cloud.url, **told) as one:
            await one.provision(CLAIM_CODE, SECRET)
        async with client(cloud.url, ca_file=str(certificate)) as nobody:
            with pytest.raises(CloudUnavailable):
                await nobody.provision(CLAIM_CODE, SECRET)


@pytest.mark.parametrize(("begins_d", "ends_d", "is_taken"), [(10, 100, True), (-100, -10, False)])
async def test_a_box_that_wakes_up_in_the_past_still_reaches_its_cloud(
    tmp_path: Path, begins_d: int, ends_d: int, is_taken: bool
) -> None:
    certificate, key = certificate_of(tmp_path, begins_d, ends_d)
    async with running_cloud(server_tls(certificate, key)) as cloud:
        async with client(cloud.url, ca_file=str(certificate)) as one:
            if is_taken:
                await one.provision(CLAIM_CODE, SECRET)
            else:
                with pytest.raises(CloudUnavailable, match="clock is right"):
                    await one.provision(CLAIM_CODE, SECRET)
        async with client(cloud.url) as stranger:
            with pytest.raises(CloudUnavailable):
                await stranger.provision(CLAIM_CODE, SECRET)


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def certificate_of(folder: Path, begins_d: int, ends_d: int) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, valid from so many days from now until so many."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloud")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins_d))
        .not_valid_after(now + timedelta(days=ends_d))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


@asynccontextmanager
async def serving(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
) -> AsyncIterator[str]:
    """A server of its own ways on a free port."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        told = answer(reader, writer)
        if asyncio.iscoroutine(told):
            await told

    server = await asyncio.start_server(serve, "127.0.0.1", 0, family=socket.AF_INET)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()
    await server.wait_closed()
