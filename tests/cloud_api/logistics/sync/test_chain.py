"""What is sealed cannot be changed, whatever arrives first; and what a wrong clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.logistics.sync.chain import Chain, Verdict
from cloud_api.logistics.sync.clocks import TOLERATED, corrected, skew_of
from cloud_api.logistics.sync.schemas import SealedEntry
from cloud_api.logistics.sync.sealing import PublicKey, UnreadableKey
from device_sims.phone.sealing import SealingKey

KEY, OTHER = SealingKey.make(), SealingKey.make()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def sealed(commands: list[str], key: SealingKey = KEY) -> list[SealedEntry]:
    entries: list[SealedEntry] = []
    previous_hash = key.first_hash
    for number, command in enumerate(commands, 1):
        digest, signature = key.seal(number, previous_hash, command)
        entries.append(
            SealedEntry(number=number, previous_hash=previous_hash, hash=digest, signature=signature, command=command)
        )
        previous_hash = digest
    return entries


def chain() -> Chain:
    return Chain(PublicKey(KEY.public_key), [])


LOG = sealed([f'{{"n":{number}}}' for number in range(6)])
FORK = sealed([*(f'{{"n":{number}}}' for number in range(3)), "another"])


@given(st.lists(st.sampled_from(LOG), max_size=20))
def test_entries_are_taken_once_each_in_whatever_order_they_come(order: list[SealedEntry]) -> None:
    looking, seen = chain(), set[int]()
    for entry in order:
        wanted = Verdict.KNOWN if entry.number in seen else Verdict.NEW
        assert looking.look_at(entry) is wanted
        seen.add(entry.number)


@settings(max_examples=50)
@given(st.sampled_from(LOG), st.sampled_from(["number", "previous_hash", "hash", "command", "signature"]), st.data())
def test_whatever_is_changed_in_an_entry_is_found(entry: SealedEntry, name: str, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from([one for one in LOG if getattr(one, name) != getattr(entry, name)]))
    changed = entry.model_copy(update={name: getattr(other, name)})
    wanted = Verdict.SIGNATURE_WRONG if name == "signature" else Verdict.HASH_WRONG
    assert chain().look_at(changed) is wanted


def test_another_entry_at_the_same_place_is_tampering_and_so_is_one_that_does_not_follow() -> None:
    looking = chain()
    assert [looking.look_at(entry) for entry in LOG[:4]] == [Verdict.NEW] * 4
    assert looking.look_at(FORK[3]) is Verdict.TAMPERED
    behind_first = chain()
    assert behind_first.look_at(LOG[4]) is Verdict.NEW
    assert behind_first.look_at(FORK[3]) is Verdict.TAMPERED


def test_an_entry_of_another_phones_log_is_not_taken() -> None:
    [foreign] = sealed(["{}"], OTHER)
    assert chain().look_at(foreign) is Verdict.SIGNATURE_WRONG
    [copied] = sealed(["{}"], KEY)
    signed = copied.model_copy(update={"signature": OTHER.sign(bytes.fromhex(copied.hash))})
    assert chain().look_at(signed) is Verdict.SIGNATURE_WRONG


def test_a_first_entry_that_follows_something_else_is_tampering() -> None:
    digest, signature = KEY.seal(1, "0" * 64, "{}")
    entry = SealedEntry(number=1, previous_hash="0" * 64, hash=digest, signature=signature, command="{}")
    assert chain().look_at(entry) is Verdict.TAMPERED


def test_half_a_character_has_a_hash_and_no_hash_is_one_in_capitals() -> None:
    [entry] = sealed(["{}"])
    assert chain().look_at(entry.model_copy(update={"command": "\ud800"})) is Verdict.HASH_WRONG
    assert chain().look_at(entry.model_copy(update={"hash": entry.hash.upper()})) is Verdict.HASH_WRONG
    assert chain().look_at(entry.model_copy(update={"previous_hash": "\ud800"})) is Verdict.HASH_WRONG


@pytest.mark.parametrize("text", ["", "AAAA", "not base 64"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UnreadableKey, match="not a public key"):
        PublicKey(text)


moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(at=moments, sent_at=moments, before=moments)
def test_nothing_happened_after_we_heard_of_it_nor_before_what_it_builds_on(
    at: datetime, sent_at: datetime, before: datetime
) -> None:
    skew = skew_of(sent_at, NOON)
    happened_at = corrected(at, skew=skew, not_after=NOON, not_before=[before])
    assert happened_at <= NOON
    assert happened_at >= min(before, NOON)


@given(st.integers(-90 * 86400, 90 * 86400), st.integers(0, 72 * 3600))
def test_a_clock_that_is_wrong_by_the_same_all_day_tells_the_right_time(wrong_s: int, ago_s: int) -> None:
    skew = skew_of(NOON + timedelta(seconds=wrong_s), NOON)
    noted = NOON - timedelta(seconds=ago_s) + timedelta(seconds=wrong_s)
    happened_at = corrected(noted, skew=skew, not_after=NOON)
    assert abs(happened_at - (NOON - timedelta(seconds=ago_s))) <= TOLERATED
