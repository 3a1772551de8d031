"""The promises are whole: whoever reads them finds every operation, every type and every failure."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import BaseModel

from cloud_api import api
from cloud_api.kernel import wire as machines
from tests.contracts.contracts import Document, event_types, is_frozen, openapi, wire_types

#: operations for those who have no credential yet, and for whoever watches the process
#: what programs send that are no gateway
DIRECT = {"DirectAnswer", "DirectReading", "DirectReadings", "DirectRefusal"}
PUBLIC = {
    "accept_invitation",
    "answer_challenge",
    "begin_oauth_sign_in",
    "browse_catalogue",
    "follow_order",
    "take_razorpay_webhook",
    "tell_maintenance",
    "finish_oauth_sign_in",
    "forgot_password",
    "get_branding",
    "get_evidence_key",
    "get_health",
    "get_liveness",
    "get_logo",
    "get_public_settings",
    "get_readiness",
    "get_sign_in_providers",
    "get_signed_media",
    "issue_client_token",
    "login",
    "mobile_login",
    "provision_gateway",
    "refresh",
    "register",
    "resend_verification",
    "reset_password",
    "send_sms_code",
    "sign_in_by_directory",
    "verify_email",
}
#: without a body everything in it is as usual
BODY_OPTIONAL = {
    "fulfill_order",
    "pack_order",
    "release_reservation",
    "rotate_api_key",
    "rotate_oauth_client",
    "ship_order",
    "start_route",
}
METHODS = {"get", "post", "put", "patch", "delete"}

DOCUMENT = openapi()


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of everything that can be called."""
    for path, methods in document["paths"].items():
        assert set(methods) <= METHODS, path
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations(DOCUMENT))
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    for path, method, operation in operations(DOCUMENT):
        assert operation.get("description") or operation["operationId"].split("_")[0] in {
            "list",
            "create",
            "get",
            "update",
            "archive",
        }, (method, path)
        assert operation["tags"], (method, path)


def test_every_reference_leads_somewhere_and_every_type_is_used() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    referred = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert referred == set(schemas)


def test_every_parameter_of_a_path_is_declared() -> None:
    for path, method, operation in operations(DOCUMENT):
        declared = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), (method, path)


def test_every_operation_says_how_it_succeeds_and_how_it_fails() -> None:
    for path, method, operation in operations(DOCUMENT):
        codes = set(operation["responses"])
        assert len(codes & {"200", "201", "202", "204"}) == 1, (method, path)
        failed = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert failed == {"$ref": "#/components/schemas/ErrorEnvelope"}, (method, path)
        if method in {"post", "put", "patch"} and "requestBody" in operation:
            optional = operation["operationId"] in BODY_OPTIONAL
            assert operation["requestBody"].get("required", False) is not optional, (method, path)


def test_whoever_needs_no_credential_is_named_here() -> None:
    public = {operation["operationId"] for _, _, operation in operations(DOCUMENT) if not operation.get("security")}
    assert public == PUBLIC


def test_what_machines_send_stands_beside_what_people_send() -> None:
    sent = set(machines.schemas())
    assert sent <= set(DOCUMENT["components"]["schemas"])
    assert sent - DIRECT <= {kind.__name__ for kind in wire_types()}
    assert {"Batch", "BatchAnswer", "Heartbeat", "ProvisionRequest", "GatewayConfig"} <= sent


def test_no_type_of_the_wire_has_the_name_of_one_of_ours() -> None:
    """One would silently replace the other in the document."""
    people = {model.__name__ for model in _models()}
    assert people & {kind.__name__ for kind in wire_types()} <= {"Envelope"}


def _models() -> list[type]:
    found: list[type] = []
    known: list[type[BaseModel]] = [BaseModel]
    while known:
        children = known.pop().__subclasses__()
        found += [child for child in children if child.__module__.startswith("cloud_api.")]
        known += children
    return found


def test_websockets_stand_in_the_document_that_has_no_word_for_them() -> None:
    assert DOCUMENT["x-websockets"] == api.WEBSOCKETS


def test_an_event_is_frozen_and_has_a_name_that_no_other_room_uses() -> None:
    kinds = [kind for kinds in event_types().values() for kind in kinds]
    assert [kind.__name__ for kind in kinds if not is_frozen(kind)] == []
    names = Counter(kind.__name__ for kind in kinds)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_event_can_be_kept_as_json() -> None:
    for kinds in event_types().values():
        for kind in kinds:
            assert msgspec.json.schema(kind)["$ref"] == f"#/$defs/{kind.__name__}"
