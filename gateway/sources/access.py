"""Who may come in, and what they may publish and subscribe to.

A password stands in the settings as it is, or as the hash that `coldfleet gateway password` makes of it. Comparing a
hash takes a tenth of a second of a core, by design: it runs in a thread of its own, one at a time, and what was right
once is recognised at once when the sensor comes back.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway.config import PLACEHOLDER, ListenerUser
from gateway.errors import ConfigError
from gateway.sources import topics
from gateway.sources.mqtt_codec import Topics

#: N = 2^14, r = 8, p = 1: 16 MB and some 50 ms of a desktop's core (RFC 7914); sensors' passwords are drawn, not chosen
_COST, _BLOCK, _PARALLEL = 14, 8, 1
_MOST_MEMORY = 64 << 20
_DIGEST_BYTES = 32
_PREFIX = "scrypt"

#: topics remembered for the clients of one user, or for one client when the rights depend on its id
_TOPICS_OF_A_USER, _TOPICS_OF_A_CLIENT = 4096, 256

#: that many wrong passwords from one address are answered at once; then each is answered twice as late as the last
FREE_FAILURES = 5
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 10.0
#: so many may wait for such an answer; more from that address are turned away unheard
_MOST_DELAYED = 8
_FORGIVEN_AFTER_S = 600.0
_MOST_ADDRESSES = 1024


def hash_password(password: str) -> str:
    """What may stand in the settings instead of a password."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password.encode(), salt, _COST, _BLOCK, _PARALLEL)
    return f"{_PREFIX}${_COST}${_BLOCK}${_PARALLEL}${_text(salt)}${_text(digest)}"


@dataclass(frozen=True, slots=True)
class _Hash:
    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @property
    def is_affordable(self) -> bool:
        sizes = 8 <= self.cost <= 20 and 1 <= self.block <= 32 and 1 <= self.parallel <= 16
        return sizes and 128 * self.block << self.cost < _MOST_MEMORY

    def fits(self, password: bytes) -> bool:
        digest = _scrypt(password, self.salt, self.cost, self.block, self.parallel)
        return hmac.compare_digest(digest, self.digest)


def _read_hash(stored: str, user: str) -> _Hash | None:
    """None when it is a password in the clear. Raises ConfigError."""
    if not stored.startswith(f"{_PREFIX}$"):
        return None
    try:
        _, cost, block, parallel, salt, digest = stored.split("$")
        told = _Hash(int(cost), int(block), int(parallel), _bytes(salt), _bytes(digest))
    except ValueError:
        told = None
    if told is None or not told.is_affordable or not told.salt or len(told.digest) != _DIGEST_BYTES:
        raise ConfigError(
            f"the password of listener.users.{user} is no hash of a gateway: make one with coldfleet gateway password."
        )
    return told


def _scrypt(password: bytes, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password, salt=salt, n=1 << cost, r=block, p=parallel, maxmem=_MOST_MEMORY, dklen=_DIGEST_BYTES
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


class Rights:
    """What one client may do."""

    def __init__(self, publish: Sequence[str], subscribe: Sequence[str], *, topics_at_most: int) -> None:
        self._publish = [topics.levels(allowed) for allowed in publish]
        self._subscribe = [topics.levels(allowed) for allowed in subscribe]
        #: the decoder asks here
        self.topics = Topics(self.may_publish, at_most=topics_at_most)
        #: what was refused last, for the operator
        self.refused_topic = ""

    def may_publish(self, topic: str) -> bool:
        cut = topics.levels(topic)
        allowed = any(topics.covers(one, cut) for one in self._publish)
        if not allowed:
            self.refused_topic = topic
        return allowed

    def may_subscribe(self, topic_filter: str) -> bool:
        cut = topics.levels(topic_filter)
        return any(topics.covers(one, cut) for one in self._subscribe)


class Failures:
    """Wrong passwords by address, so that guessing becomes slow."""

    def __init__(self) -> None:
        #: address -> how many, when the last was; oldest first
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._delayed: dict[str, int] = {}

    def is_crowded(self, address: str) -> bool:
        """Whether so many wrong ones wait for their answer that nobody else from there is heard."""
        return self._delayed.get(address, 0) >= _MOST_DELAYED

    def note(self, address: str) -> float:
        """One more; returns for how many seconds its answer must wait."""
        now_s = time.monotonic()
        before, last_s = self._failed.pop(address, (0, now_s))
        count = before + 1 if now_s - last_s < _FORGIVEN_AFTER_S else 1
        self._failed[address] = count, now_s
        if len(self._failed) > _MOST_ADDRESSES:
            self._failed.popitem(last=False)
        if count <= FREE_FAILURES:
            return 0.0
        return min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(count - FREE_FAILURES - 1, 16))

    async def wait(self, address: str, delay_s: float) -> None:
        """Let the answer wait."""
        self._delayed[address] = self._delayed.get(address, 0) + 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._delayed[address] -= 1
            if not self._delayed[address]:
                del self._delayed[address]


class Door:
    """Knows the users of the settings."""

    def __init__(self, users: Mapping[str, ListenerUser], *, anonymous: bool) -> None:
        """Raises ConfigError: a user's password or filters cannot be used."""
        for name, user in users.items():
            _check_user(name, user)
        self._users = users
        self._anonymous = anonymous
        self._hashes = {name: told for name, user in users.items() if (told := _read_hash(user.password, name))}
        #: user -> digest of the password that was right; good for as long as the process lives
        self._right: dict[str, bytes] = {}
        self._digest_key = secrets.token_bytes(32)
        self._rights: dict[str | None, Rights] = {}
        self._thread: ThreadPoolExecutor | None = None

    async def knows(self, username: str | None, password: bytes | None) -> bool:
        """Whether this is one of the users, or somebody without a name where that is enough."""
        if username is None:
            return self._anonymous
        given = password or b""
        expected = self._hashes.get(username)
        if expected is None and username in self._users:
            return hmac.compare_digest(given, self._users[username].password.encode())
        digest = hashlib.blake2b(given, key=self._digest_key).digest()
        if hmac.compare_digest(digest, self._right.get(username, b"")):
            return True
        if expected is None:
            if not self._hashes:
                return False
            # No such user: as long as for one that exists, so that names cannot be told apart.
            stand_in = next(iter(self._hashes.values()))
            await self._in_thread(stand_in, given)
            return False
        fits = await self._in_thread(expected, given)
        if fits:
            self._right[username] = digest
        return fits

    def rights(self, username: str | None, client_id: str) -> Rights:
        """What a client that was let in may do."""
        user = ListenerUser("") if username is None else self._users[username]
        by_client = any("%c" in told for told in (*user.publish, *user.subscribe))
        known = None if by_client else self._rights.get(username)
        if known is None:
            known = Rights(
                _filled(user.publish, username or "", client_id),
                _filled(user.subscribe, username or "", client_id),
                topics_at_most=_TOPICS_OF_A_CLIENT if by_client else _TOPICS_OF_A_USER,
            )
            if not by_client:
                self._rights[username] = known
        return known

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, expected: _Hash, given: bytes) -> bool:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        return await asyncio.get_running_loop().run_in_executor(self._thread, expected.fits, given)


def _check_user(name: str, user: ListenerUser) -> None:
    key = f"listener.users.{name}"
    if user.password in ("", PLACEHOLDER):
        raise ConfigError(f"{key} has no password of its own yet: draw one, e.g. with coldfleet gateway password.")
    for told in (*user.publish, *user.subscribe):
        if not topics.is_filter(told):
            raise ConfigError(f"{key}: {told!r} is no filter of topics: write it as MQTT does, for example scale/%u/#.")


def _filled(filters: Sequence[str], username: str, client_id: str) -> list[str]:
    """The filters with the client's own names in them; a name that would widen one, or is empty, gets nothing by it."""
    names = {"%u": username, "%c": client_id}
    filled = []
    for told in filters:
        used = [name for mark, name in names.items() if mark in told]
        if all(name and not set(name) & set("+#/$%\0") for name in used):
            for mark, name in names.items():
                told = told.replace(mark, name)
            filled.append(told)
    return filled
