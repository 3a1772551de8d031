"""The API against its own document: whatever is sent, what comes back was announced there.

`schemathesis` draws what is sent from the document, good and bad; the ids are real, so that it gets beyond "no such
thing". Then each field of a call that succeeds is spoilt, one at a time. Whoever locks themselves out on the way goes
on as somebody of another organisation.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, load_all_checks, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.architecture.operations import the_operator
from tests.architecture.test_owners import OPERATIONS, Operation
from tests.architecture.worlds import World, make_world
from tests.attacks.calls import FORM, OWN, Call, by, content, good_call
from tests.attacks.leaks import leak_in
from tests.attacks.poisons import TEXTS, spoilt
from tests.cloud_api.conftest import open_shared_platform
from tests.platform_under_test import Platform, app_to_read

#: changed to see other examples
SEED = 1
#: operations that never succeed here, and who sees them succeed
ELSEWHERE = {
    "begin_oauth_sign_in": "needs a provider that answers: tests/cloud_api/identity/test_oidc.py",
    "finish_oauth_sign_in": "needs a provider that answers: tests/cloud_api/identity/test_oidc.py",
    "sign_in_by_directory": "needs a directory: tests/cloud_api/identity/test_ldap.py",
}
#: what only the platform's own people get through to
_PLATFORM = {"get_metrics", "get_outbox", "get_migrations", "list_feature_flags", "create_feature_flag"} | {
    "get_request_performance",
    "get_request_errors",
    "get_system_figures",
    "switch_maintenance",
    "create_organization",
    "rotate_signing_keys",
    "reindex",
}
ANSWER_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
load_all_checks()
schemathesis.serializer.alias(
    ["application/zip", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    "application/octet-stream",
)
Documented: TypeAlias = APIOperation[Any, Any, Any, Any]
Drawn: TypeAlias = Case[Any]


def _by_tag() -> dict[str, list[Operation]]:
    found = defaultdict(list)
    for operation in OPERATIONS:
        found[min(operation.tags)].append(operation)
    return found


BY_TAG = _by_tag()


@cache
def documented() -> dict[str, Documented]:
    """What the document says about each operation, by its name."""
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    document = app_to_read().openapi()
    schema = schemathesis.openapi.from_dict(document, config=config)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in operations}


def drawn(operation: Documented, ids: dict[str, str], count: int) -> list[Drawn]:
    """Requests that the document allows and such as it does not, always the same for one `SEED`."""
    found: list[Drawn] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        derandomize=False,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        found.append(data.draw(operation.as_strategy(generation_mode=mode, path_parameters=ids or None)))

    draw()
    return found


class Attacker:
    """Sends what is to be sent, and notes what should not have come back."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.client = platform.client()
        self.wrong: list[str] = []
        self.silent: set[str] = set()

    async def world(self, world: World | None) -> World:
        """One whose administrator is not locked out."""
        if world is None or not (await world.tenant.client.get("/api/v1/auth/me")).is_success:
            if world is not None:
                await self.platform.found()
                self.platform.tenants.insert(0, self.platform.tenants.pop())
            world = await make_world(self.platform, self.platform.tenant)
        return world

    async def succeed(self, world: World, operation: Operation) -> Call:
        """Make the call that succeeds."""
        call = await good_call(world, operation, by_operator=operation.name in _PLATFORM)
        body = content(call.body, call.media_type)
        answer = await self.client.request(
            operation.method, call.path(operation), params=call.query, headers=call.headers, **body
        )
        if not answer.is_success:
            self.silent.add(f"{operation.name}: {answer.status_code} {answer.text:.200}")
        case = documented()[operation.name].Case(path_parameters=dict(call.ids))
        self.judge(case, answer, f"{operation.name}, a good call", ANSWER_CHECKS)
        return call

    async def send(self, operation: Operation, headers_shown: Mapping[str, str], case: Drawn) -> None:
        """Send what was drawn, as whoever these headers show."""
        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://coldfleet.test")).prepare()
        body = prepared.body if isinstance(prepared.body, bytes | str) else b""
        headers = {name: str(value) for name, value in prepared.headers.items() if name.lower() != "content-length"}
        shown = {name: value for name, value in headers_shown.items() if name == "Authorization"}
        answer = await self.client.request(
            operation.method, str(prepared.url), content=body, headers={**headers, **shown}
        )
        self.judge(case, answer, f"{operation.name}, drawn {case.body!r:.200} {case.query}", [*ANSWER_CHECKS, *STRICT])

    async def spoil(self, world: World, operation: Operation, call: Call, every: int) -> None:
        """Spoil each part of a call that succeeds; every n-th time only."""
        for where, path, body in spoilt_calls(operation, call, every):
            headers = dict(call.headers) if body is None else {"Content-Type": "application/json", **call.headers}
            answer = await self.client.request(operation.method, path, content=body, headers=headers)
            case = documented()[operation.name].Case(path_parameters=dict(call.ids))
            self.judge(case, answer, f"{operation.name}, spoilt {where}", ANSWER_CHECKS)
        if operation.name == "switch_maintenance":
            operator = await the_operator(world)
            await operator.put("/api/v1/admin/maintenance", {"enabled": False})

    def judge(self, case: Drawn, answer: httpx2.Response, what: str, by: list[CheckFunction]) -> None:
        """Compare with the document; and nothing of our insides is shown, whatever the status."""
        if leak := leak_in(answer.text):
            self.wrong.append(f"{what}: {answer.status_code} shows {leak!r}")
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            by = [check for check in by if check is not not_a_server_error]  # announced as such
        try:
            case.validate_response(answer, checks=by)
        except FailureGroup as failures:
            said = "; ".join(f"{failure.title}: {failure.message[:200]!r}" for failure in failures.exceptions)
            self.wrong.append(f"{what}: {answer.status_code} {said:.400}")


STRICT: list[CheckFunction] = [checks.negative_data_rejection]


def spoilt_calls(operation: Operation, call: Call, every: int) -> Iterator[tuple[str, str, bytes | None]]:
    """(what is spoilt, path with query, body)."""
    number = sum(operation.name.encode())
    path = call.path(operation)
    if call.body is not None and not isinstance(call.body, bytes) and call.media_type != FORM:
        query = f"?{httpx2.QueryParams(call.query)}" if call.query else ""
        for where, body in spoilt(call.body):
            number += 1
            if number % every == 0:
                yield where, path + query, json.dumps(body).encode()
    for name in [parameter.name for parameter in documented()[operation.name].query]:
        for text in TEXTS:
            number += 1
            if number % every == 0:
                query = str(httpx2.QueryParams({**dict(call.query or {}), name: text}))
                yield f"?{name}={text!r:.40}", f"{path}?{query}", None


async def attack(platform: Platform, tag: str, *, examples: int, every: int) -> None:
    """All operations of a tag."""
    attacker, world = Attacker(platform), None
    for operation in BY_TAG[tag]:
        if operation.name in ELSEWHERE:
            continue
        world = await attacker.world(world)
        call = await attacker.succeed(world, operation)
        both = (call.headers, by((await the_operator(world)).client))
        for number, case in enumerate(drawn(documented()[operation.name], dict(call.ids), examples)):
            await attacker.send(operation, both[number % 2], case)
        world = await attacker.world(world)
        await attacker.spoil(world, operation, call, every)
    await attacker.client.aclose()
    assert not attacker.silent | set(attacker.wrong), f"seed {SEED}\n" + "\n".join([*attacker.silent, *attacker.wrong])


@pytest.mark.parametrize("tag", sorted(BY_TAG))
async def test_what_comes_back_was_announced_and_each_operation_succeeds_once(shared_sqlite_url: str, tag: str) -> None:
    async with open_shared_platform(shared_sqlite_url) as platform:
        await attack(platform, tag, examples=2, every=29)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tag", sorted(BY_TAG))
async def test_whatever_is_sent_what_comes_back_was_announced(shared_database_url: str, tag: str) -> None:
    async with open_shared_platform(shared_database_url) as platform:
        await attack(platform, tag, examples=25, every=2)


def test_the_operations_that_succeed_elsewhere_are_operations_and_have_no_call_here() -> None:
    assert set(ELSEWHERE) <= {operation.name for operation in OPERATIONS} - set(OWN)
