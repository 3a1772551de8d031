"""What machines send: packed or plain, never larger than allowed, and whatever is wrong with it has a name."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import wire
from cloud_api.kernel.errors import Invalid
from gateway.contract import Batch, Heartbeat
from tests.cloud_api.conftest import open_shared_platform
from tests.factories.stores import make_gateway

BEAT: dict[str, Any] = {
    "epoch": "0" * 32,
    "recorded_at_ms": 1,
    "uptime_s": 1,
    "software_version": "0.1.0",
    "config_version": 1,
    "backlog_rows": 0,
    "oldest_unsent_ms": None,
    "dead_letters": 0,
    "disk_free_mb": 1,
}
PLAIN = json.dumps(BEAT).encode()
ZSTD = {"Content-Encoding": "zstd"}


def streamed(body: bytes, *, window_log: int = 0) -> bytes:
    """Packed by zstd, without saying how large it is."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(body) + packer.flush()


async def beats(url: str, cases: dict[str, tuple[bytes, dict[str, str]]]) -> dict[str, httpx2.Response]:
    """The answers to heartbeats with these bodies and headers, by the case's name."""
    async with open_shared_platform(url) as platform:
        gateway_id, token = await make_gateway(platform, platform.tenant)
        async with platform.client(token) as gateway:
            path = f"/api/v1/edge/gateways/{gateway_id}/heartbeat"
            return {
                name: await gateway.post(path, content=body, headers=headers) for name, (body, headers) in cases.items()
            }


def told(answer: httpx2.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"][0]["field"] if error["details"] else ""


async def test_a_body_may_be_plain_or_packed(shared_sqlite_url: str) -> None:
    packed = {"Content-Encoding": "gzip"}
    answers = await beats(
        shared_sqlite_url,
        {
            "plain": (PLAIN, {}),
            "said to be plain": (PLAIN, {"Content-Encoding": "identity"}),
            "packed": (gzip.compress(PLAIN), packed),
            "packed, in capitals": (gzip.compress(PLAIN), {"Content-Encoding": "GZIP"}),
            "packed without any saving": (gzip.compress(PLAIN, compresslevel=0), packed),
            "packed by zstd": (zstandard.compress(PLAIN), ZSTD),
            "packed by zstd as it came": (streamed(PLAIN), ZSTD),
        },
    )
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 200)


async def test_what_cannot_be_unpacked_is_refused_by_name(shared_sqlite_url: str) -> None:
    packed = gzip.compress(PLAIN)
    zipped = {"Content-Encoding": "gzip"}
    answers = await beats(
        shared_sqlite_url,
        {
            "cut off": (packed[:-9], zipped),
            "cut off in its check sum": (packed[:-1], zipped),
            "spoiled": (packed[:20] + b"\x00\x01" + packed[22:], zipped),
            "with a wrong check sum": (packed[:-8] + b"\x00" * 8, zipped),
            "not packed at all": (PLAIN, zipped),
            "nothing": (b"", zipped),
            "two in one": (packed + packed, zipped),
            "with something behind it": (packed + b"x", zipped),
            "of another kind": (zlib.compress(PLAIN), zipped),
            "packed but not said to be": (packed, {}),
            "zstd that is cut off": (zstandard.compress(PLAIN)[:-3], ZSTD),
            "zstd that is cut off as it came": (streamed(PLAIN)[:-3], ZSTD),
            "two of zstd": (zstandard.compress(PLAIN) * 2, ZSTD),
            "zstd with something behind it": (streamed(PLAIN) + b"x", ZSTD),
            "gzip that is said to be zstd": (packed, ZSTD),
            "zstd that looks back too far": (streamed(PLAIN * 50_000, window_log=27), ZSTD),
            "nothing at all of zstd": (b"", ZSTD),
        },
    )
    assert {name: told(answer) for name, answer in answers.items()} == dict.fromkeys(answers, (422, "INVALID", "body"))


async def test_an_encoding_that_is_not_understood_is_named(shared_sqlite_url: str) -> None:
    cases = {name: (PLAIN, {"Content-Encoding": name}) for name in ("br", "gzip, gzip", "deflate", "x")}
    answers = await beats(shared_sqlite_url, cases)
    assert {told(answer) for answer in answers.values()} == {(422, "INVALID", "Content-Encoding")}


async def test_a_body_is_never_larger_than_it_may_be_packed_or_not(shared_sqlite_url: str) -> None:
    zipped = {"Content-Encoding": "gzip"}
    padded = PLAIN + b" " * (wire.MAX_UNPACKED_BYTES - len(PLAIN))
    answers = await beats(
        shared_sqlite_url,
        {
            "a plain one at the limit": (PLAIN + b" " * (wire.MAX_BODY_BYTES - len(PLAIN)), {}),
            "a plain one over it": (PLAIN + b" " * (wire.MAX_BODY_BYTES - len(PLAIN) + 1), {}),
            "a packed one at the limit": (gzip.compress(padded), zipped),
            "a packed one over it": (gzip.compress(padded + b" "), zipped),
            "a bomb": (gzip.compress(b"\0" * 50_000_000, compresslevel=1), zipped),
            "one of zstd at the limit": (zstandard.compress(padded), ZSTD),
            "one of zstd over it": (zstandard.compress(padded + b" "), ZSTD),
            "a bomb of zstd": (zstandard.compress(b"\0" * 50_000_000), ZSTD),
            "a bomb of zstd as it came": (streamed(b"\0" * 50_000_000), ZSTD),
        },
    )
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "a plain one at the limit": 200,
        "a plain one over it": 413,
        "a packed one at the limit": 200,
        "a packed one over it": 413,
        "a bomb": 413,
        "one of zstd at the limit": 200,
        "one of zstd over it": 413,
        "a bomb of zstd": 413,
        "a bomb of zstd as it came": 413,
    }
    assert told(answers["a bomb"])[1] == "TOO_LARGE"
    assert "send fewer rows" in answers["a bomb"].json()["error"]["message"]


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in BEAT.items() if key != name}).encode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"", "body"),
        (b"null", "body"),
        (b'{"uptime_s": NaN}', "body"),
        (b'{"epoch": "\xff"}', "body"),
        (b"\xff", "body"),
        (PLAIN + PLAIN, "body"),
        (without("epoch"), "body"),
        (json.dumps({**BEAT, "colour": "red"}).encode(), "body"),
        (json.dumps({**BEAT, "uptime_s": "long"}).encode(), "uptime_s"),
        (json.dumps({**BEAT, "uptime_s": 1.5}).encode(), "uptime_s"),
        (json.dumps({**BEAT, "uptime_s": None}).encode(), "uptime_s"),
    ],
)
def test_json_that_is_not_what_it_should_be_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        wire.decode(body, Heartbeat)
    assert [detail.field for detail in refused.value.details] == [field]


def test_a_field_deep_inside_is_named_with_its_path() -> None:
    rows = [{"sequence": 1}, {"sequence": "two"}]
    body = json.dumps({"version": 1, "epoch": "0", "lane": "readings", "alarms": rows}).encode()
    with pytest.raises(Invalid) as refused:
        wire.decode(body, Batch)
    assert refused.value.details[0].field == "alarms[0]"


@pytest.mark.parametrize("nest", [lambda deep: b"[" * deep, lambda deep: b"[" * deep + b"]" * deep])
def test_json_that_is_nested_too_deep_is_refused_like_other_nonsense(nest: Callable[[int], bytes]) -> None:
    class Anything(msgspec.Struct):
        rows: list[msgspec.Raw]

    with pytest.raises(Invalid):
        wire.decode(b'{"rows": [' + nest(400_000) + b"]}", Anything)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_bring_the_reader_down(body: bytes) -> None:
    with pytest.raises(Invalid):
        wire.decode(body, Heartbeat)


def test_what_is_read_is_what_was_written() -> None:
    read = msgspec.to_builtins(wire.decode(PLAIN, Heartbeat))
    assert {name: read[name] for name in BEAT} == BEAT


async def test_an_answer_to_a_machine_stands_in_the_envelope(shared_sqlite_url: str) -> None:
    answer = (await beats(shared_sqlite_url, {"plain": (PLAIN, {})}))["plain"]
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"success", "data"}
