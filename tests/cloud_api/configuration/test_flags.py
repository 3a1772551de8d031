"""Feature flags: always the same answer for the same person, and only ever more people."""

import uuid
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.configuration.flags import bucket, is_open
from cloud_api.configuration.models import BUCKETS, FeatureFlag
from cloud_api.kernel.permissions import Principal
from tests.factories.properties import FEW

KEYS = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+)*", fullmatch=True).filter(lambda key: len(key) <= 100)
NAMESPACE = uuid.UUID(int=0)


def a_flag(key: str = "new-picking-list", **rules: object) -> FeatureFlag:
    everything: dict[str, object] = {
        "enabled": True,
        "rollout_buckets": BUCKETS,
        "organization_ids": [],
        "roles": [],
        "user_ids": [],
    }
    return FeatureFlag(key=key, **{**everything, **rules})


def a_person(user_id: uuid.UUID | None = None, *, roles: tuple[str, ...] = ("viewer",)) -> Principal:
    return Principal(
        kind="user",
        id=user_id or uuid.uuid4(),
        organization_id=uuid.uuid4(),
        permissions=frozenset(),
        roles=frozenset(roles),
    )


@FEW
@given(key=KEYS, user_id=st.uuids())
def test_a_person_falls_into_the_same_bucket_every_time(key: str, user_id: uuid.UUID) -> None:
    assert bucket(key, user_id) == bucket(key, uuid.UUID(str(user_id)))
    assert 0 <= bucket(key, user_id) < BUCKETS


def test_the_dice_are_the_same_in_every_process_and_every_year() -> None:
    assert [bucket("new-picking-list", uuid.UUID(int=number)) for number in range(4)] == [117, 2370, 4959, 688]


@FEW
@given(key=KEYS, user_id=st.uuids(), rollouts=st.lists(st.integers(0, BUCKETS), min_size=2, max_size=20))
def test_a_larger_percentage_takes_the_feature_from_nobody(key: str, user_id: uuid.UUID, rollouts: list[int]) -> None:
    person = a_person(user_id)
    answers = [is_open(a_flag(key, rollout_buckets=rollout), person) for rollout in sorted(rollouts)]
    assert all(smaller <= larger for smaller, larger in pairwise(answers))


@FEW
@given(key=KEYS, user_id=st.uuids())
def test_nothing_is_for_nobody_and_a_hundred_percent_is_for_everybody(key: str, user_id: uuid.UUID) -> None:
    person = a_person(user_id)
    assert not is_open(a_flag(key, rollout_buckets=0), person)
    assert is_open(a_flag(key, rollout_buckets=BUCKETS), person)


@FEW
@given(key=KEYS, rollout=st.integers(0, BUCKETS))
def test_a_percentage_reaches_that_part_of_the_people(key: str, rollout: int) -> None:
    flag, crowd = a_flag(key, rollout_buckets=rollout), 2_000
    reached = sum(is_open(flag, a_person(uuid.uuid5(NAMESPACE, str(number)))) for number in range(crowd))
    share = rollout / BUCKETS
    five_sigma = 5 * (share * (1 - share) / crowd) ** 0.5
    assert abs(reached / crowd - share) <= five_sigma + 1 / crowd


def test_two_flags_of_half_the_people_do_not_have_the_same_half() -> None:
    people = [a_person(uuid.uuid5(NAMESPACE, str(number))) for number in range(2_000)]
    first, second = a_flag("first", rollout_buckets=BUCKETS // 2), a_flag("second", rollout_buckets=BUCKETS // 2)
    both = sum(is_open(first, person) and is_open(second, person) for person in people)
    assert 400 < both < 600


def test_a_flag_that_is_off_is_off_for_those_it_names_too() -> None:
    person = a_person()
    assert not is_open(a_flag(enabled=False, user_ids=[str(person.id)]), person)


def test_an_audience_is_an_organisation_and_a_role() -> None:
    person = a_person(roles=("viewer", "inventory_staff"))
    own, other = str(person.organization_id), str(uuid.uuid4())
    assert is_open(a_flag(organization_ids=[other, own]), person)
    assert not is_open(a_flag(organization_ids=[other]), person)
    assert is_open(a_flag(roles=["org_admin", "viewer"]), person)
    assert not is_open(a_flag(roles=["org_admin"]), person)
    assert is_open(a_flag(organization_ids=[own], roles=["viewer"]), person)
    assert not is_open(a_flag(organization_ids=[own], roles=["org_admin"]), person)
    assert not is_open(a_flag(organization_ids=[other], roles=["viewer"]), person)


def test_who_is_named_has_it_outside_the_audience_and_the_percentage() -> None:
    person = a_person()
    flag = a_flag(user_ids=[str(person.id)], organization_ids=[str(uuid.uuid4())], rollout_buckets=0)
    assert is_open(flag, person)
    assert not is_open(flag, a_person())
