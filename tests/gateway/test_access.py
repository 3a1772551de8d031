"""Who may come in, and what they may do there."""

import asyncio
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.config import PLACEHOLDER, ListenerUser
from gateway.errors import ConfigError
from gateway.sources import access
from gateway.sources.access import Door, Failures, hash_password
from tests.gateway.running import ROOT

FULL = hash_password("päss")


def door(*, anonymous: bool = False, **users: str | ListenerUser) -> Door:
    told = {name: user if isinstance(user, ListenerUser) else ListenerUser(user) for name, user in users.items()}
    return Door(told, anonymous=anonymous)


async def test_a_password_is_known_in_the_clear_and_by_its_hash() -> None:
    here = door(clear="secret", hashed=FULL)
    assert await here.knows("clear", b"secret")
    assert not await here.knows("clear", b"Secret")
    assert not await here.knows("clear", None)
    assert await here.knows("hashed", "päss".encode())
    assert not await here.knows("hashed", b"pass")
    assert not await here.knows("hashed", FULL.encode())
    assert not await here.knows("nobody", b"secret")
    assert not await here.knows(None, b"secret")
    here.close()


async def test_who_has_no_name_comes_in_where_that_is_enough() -> None:
    assert await door(anonymous=True).knows(None, None)
    assert not await door(anonymous=True).knows("room", None)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("x") != hash_password("x")


async def test_a_password_is_compared_once_and_recognised_afterwards() -> None:
    here = door(hashed=FULL)
    assert await here.knows("hashed", "päss".encode())
    here.close()  # no thread is left to compare in
    assert await here.knows("hashed", "päss".encode())
    with pytest.raises(RuntimeError, match="shutdown"):
        await here.knows("hashed", b"wrong")


async def test_the_loop_goes_on_while_a_password_is_compared() -> None:
    here = door(hashed=FULL)
    comparing = asyncio.create_task(here.knows("hashed", b"wrong"))
    turns = 0
    while not comparing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    here.close()


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (ListenerUser(PLACEHOLDER), "listener.users.scale has no password of its own yet"),
        (ListenerUser(""), "listener.users.scale has no password of its own yet"),
        (ListenerUser("scrypt$14$8$1$c2FsdA"), "no hash of a gateway: make one with coldfleet gateway password"),
        (ListenerUser("scrypt$99$8$1$c2FsdA$" + "A" * 43), "no hash of a gateway"),
        (ListenerUser("scrypt$20$32$1$c2FsdA$" + "A" * 43), "no hash of a gateway"),
        (ListenerUser("scrypt$14$8$1$c2Fsd!$" + "A" * 43), "no hash of a gateway"),
        (ListenerUser("scrypt$x$8$1$c2FsdA$" + "A" * 43), "no hash of a gateway"),
        (ListenerUser("secret", publish=("a/#/b",)), "listener.users.scale: 'a/#/b' is no filter"),
        (ListenerUser("secret", subscribe=("",)), "listener.users.scale: '' is no filter"),
    ],
)
def test_a_user_who_cannot_be_used_is_named(user: ListenerUser, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        door(scale=user)


def test_rights_are_those_of_the_user() -> None:
    user = ListenerUser("secret", publish=("scale/%u/#", "te/+/%c/#"), subscribe=("scale/%u/command",))
    rights = door(dock=user).rights("dock", "unit-7")
    assert rights.may_publish("scale/dock/raw")
    assert rights.may_publish("te/device/unit-7/x")
    assert not rights.may_publish("scale/other/raw")
    assert rights.refused_topic == "scale/other/raw"
    assert not rights.may_publish("te/device/unit-8/x")
    assert rights.may_subscribe("scale/dock/command")
    assert not rights.may_subscribe("scale/+/command")
    assert not rights.may_subscribe("#")


@pytest.mark.parametrize("client_id", ["+", "#", "a/b", "", "%u", "$SYS"])
def test_a_client_cannot_widen_its_rights_by_its_name(client_id: str) -> None:
    rights = door(dock=ListenerUser("secret", publish=("te/%c/#",))).rights("dock", client_id)
    for topic in ("te/x/y", f"te/{client_id}/y", "te/a/b/y", "te//y", "te/dock/y"):
        assert not rights.may_publish(topic)


def test_clients_of_one_user_share_what_is_remembered_unless_their_rights_differ() -> None:
    here = door(one="secret", two=ListenerUser("secret", publish=("%c/#",)))
    assert here.rights("one", "a") is here.rights("one", "b")
    assert here.rights("two", "a") is not here.rights("two", "b")


def test_guessing_becomes_slow() -> None:
    failures = Failures()
    delays = [failures.note("10.0.0.7") for _ in range(20)]
    assert delays[: access.FREE_FAILURES] == [0.0] * access.FREE_FAILURES
    assert delays[access.FREE_FAILURES :][:3] == [0.5, 1.0, 2.0]
    assert delays[-1] == 10.0
    assert failures.note("10.0.0.8") == 0.0


async def test_those_who_guess_wait_few_at_a_time() -> None:
    failures = Failures()
    waiting = [asyncio.create_task(failures.wait("10.0.0.7", 3600.0)) for _ in range(8)]
    await asyncio.sleep(0)
    assert failures.is_crowded("10.0.0.7")
    assert not failures.is_crowded("10.0.0.8")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not failures.is_crowded("10.0.0.7")


def test_addresses_are_not_remembered_without_end() -> None:
    failures = Failures()
    for _ in range(access.FREE_FAILURES + 1):
        first = failures.note("10.0.0.7")
    assert first > 0
    for number in range(2000):
        failures.note(f"10.1.{number // 256}.{number % 256}")
    assert failures.note("10.0.0.7") == 0.0


def _make_hash(told: str) -> "subprocess.CompletedProcess[str]":
    coldfleet = Path(sys.executable).with_name("coldfleet")
    return subprocess.run(
        [coldfleet, "gateway", "password"],
        input=told,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
        env=os.environ,
    )


async def test_the_command_makes_a_hash_or_draws_a_password() -> None:
    given = (await asyncio.to_thread(_make_hash, "hunter2\n")).stdout.strip()
    here = door(room=given)
    assert await here.knows("room", b"hunter2")
    drawn = await asyncio.to_thread(_make_hash, "\n")
    password = drawn.stderr.strip().removeprefix("drawn: ")
    assert len(password) >= 20
    assert await door(room=drawn.stdout.strip()).knows("room", password.encode())


def test_the_password_of_the_example_is_refused() -> None:
    users = tomllib.loads((ROOT / "deploy" / "gateway.example.toml").read_text())["listener"]["users"]
    with pytest.raises(ConfigError, match=r"listener\.users\.zigbee2mqtt has no password of its own yet"):
        door(**users)
