"""Each role may do what the table says, and nothing else: every operation is called by every role.

Whoever is not granted an operation hears 403, before anything is looked at. Whoever is granted it succeeds; a role
that reaches no further than what is one's own (a customer's, a driver's) may hear that there is no such thing instead,
and so may everybody where the thing is the caller's own phone, route or mail.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable

import httpx2
import pytest

from cloud_api.identity.roles.catalogue import GATEWAY, OWN_REACH, SUPER_ADMIN, built_in_roles, permissions
from cloud_api.policy import Policy, policies
from tests.architecture.creations import GOOD, Good
from tests.architecture.operations import CASES, NOBODYS_ID, body_of, id_for, the_operator
from tests.architecture.worlds import World, make_world
from tests.cloud_api.conftest import open_shared_platform
from tests.factories.farms import make_person
from tests.platform_under_test import Platform, app_to_read

POLICIES = policies(app_to_read())
PEOPLE = sorted(built_in_roles().keys() - {GATEWAY})
#: the caller's own, whoever they are; others' are not there
PERSONAL = {policy.name for policy in POLICIES if policy.path.startswith("/api/v1/mobile/")}
#: ... with a proof that is made for one person
PROVED = {"register_phone_key"}
#: machines' own operations: the permission is not enough, it has to be a gateway
MACHINES = {"receive_heartbeat"}
#: who is no gateway is asked for an Idempotency-Key
KEYED = {"take_in_readings"}
BY_RESOURCE: dict[str, list[Policy]] = defaultdict(list)
for policy in POLICIES:
    for group in policy.required:
        BY_RESOURCE[group[0].partition(":")[0]].append(policy)


def test_every_operation_that_needs_a_body_has_its_line() -> None:
    unknown = {
        policy.name
        for policy in POLICIES
        if policy.required and "{" not in policy.path and policy.method in {"POST", "PUT", "PATCH"}
    } - set(GOOD)
    assert unknown - {"take_in_readings", "rotate_signing_keys"} == set(), "add a line to GOOD in creations.py"


def test_every_permission_asked_for_is_one_of_the_table() -> None:
    asked = {permission for policy in POLICIES for group in policy.required for permission in group}
    assert asked <= set(permissions())


@pytest.fixture
async def world(shared_sqlite_url: str) -> AsyncIterator[World]:
    """One organisation; what is asked here is decided before any database is."""
    async with open_shared_platform(shared_sqlite_url) as platform:
        yield await make_world(platform, platform.tenant)


async def callers(platform: Platform, world: World) -> dict[str, httpx2.AsyncClient]:
    """Somebody of each role."""
    people = {role: await make_person(platform, world.tenant, role) for role in PEOPLE if role != SUPER_ADMIN}
    people[SUPER_ADMIN] = await the_operator(world)
    clients = {role: person.client for role, person in people.items()}
    return {**clients, GATEWAY: platform.client(world.store.gateway_token)}


async def good_call(world: World, policy: Policy) -> tuple[str, object, Good]:
    """(path, body, query) of a call that the administrator would succeed with."""
    if "{" not in policy.path:
        good = await GOOD[policy.name](world) if policy.name in GOOD else Good()
        return policy.path, good.body, good
    case = CASES[policy.name]
    identities = itertools.cycle((await id_for(case, world, policy.method)).split())
    path = re.sub(r"\{\w+\}", lambda _: next(identities), policy.path)
    return path, await body_of(case, world), Good()


async def ask(
    client: httpx2.AsyncClient, policy: Policy, path: str, body: object, good: Good | None = None
) -> httpx2.Response:
    query = dict(good.query) if good and good.query else None
    if isinstance(body, bytes):
        told = good.headers if good and good.headers else CASES[policy.name].headers
        return await client.request(policy.method, path, content=body, headers=dict(told or {}), params=query)
    sends = policy.method in {"POST", "PUT", "PATCH"}
    return await client.request(policy.method, path, json={} if body is None and sends else body, params=query)


#: of the roles that are granted something, in a short run
SOME = 2


def expected(policy: Policy, role: str) -> set[int]:
    """What the role may hear; 200 stands for any success."""
    if not policy.admits(role) or (policy.name in MACHINES and role != GATEWAY):
        return {403}
    if policy.name in KEYED and role != GATEWAY:
        return {400}
    own = policy.name in PERSONAL or role in OWN_REACH
    if policy.name in PROVED:
        return {200, 422}
    return {200, 404} if own else {200}


async def heard(world: World, policy: Policy, role: str, client: httpx2.AsyncClient) -> int:
    if expected(policy, role) == {403}:
        path = re.sub(r"\{\w+\}", NOBODYS_ID, policy.path)
        return (await ask(client, policy, path, {} if policy.method in {"POST", "PUT"} else None)).status_code
    path, body, good = await good_call(world, policy)
    answer = await ask(client, policy, path, body, good)
    return 200 if answer.is_success else answer.status_code


def tried(policy: Policy, roles: Iterable[str], *, all_granted: bool) -> list[str]:
    """Every role that is refused, and of those that are let through all or two, others for each operation."""
    refused = [role for role in roles if not policy.admits(role)]
    # what gateways may do has its own tests: they send the wire's bodies
    granted = [role for role in roles if policy.admits(role) and role != GATEWAY]
    if all_granted or len(granted) <= SOME:
        return refused + granted
    first = sum(policy.name.encode()) % len(granted)
    return refused + [granted[(first + number) % len(granted)] for number in range(SOME)]


@pytest.mark.parametrize("resource", sorted(BY_RESOURCE))
@pytest.mark.parametrize("all_granted", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_each_role_gets_through_to_what_it_is_granted_and_no_further(
    world: World, resource: str, *, all_granted: bool
) -> None:
    clients = await callers(world.platform, world)
    wrong = []
    for policy in BY_RESOURCE[resource]:
        for role in tried(policy, clients, all_granted=all_granted):
            status = await heard(world, policy, role, clients[role])
            if status not in expected(policy, role):
                wrong.append(f"{role} {policy.method} {policy.path}: {status}, not {expected(policy, role)}")
    assert not wrong, "\n".join(wrong)
