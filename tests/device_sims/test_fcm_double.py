"""The double's own endpoints, spoken to in plain HTTP: what a client other than firebase-admin could do wrong."""

import json
import stat
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_sims.fcm import FcmDouble
from device_sims.fcm.answers import RefusedError
from device_sims.fcm.messages import read_send_request
from device_sims.fcm.oauth import GRANT_TYPE

Claims = dict[str, str | float]


class Hands:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now_s = time.time()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def double(hands: Hands, fcm_key: rsa.RSAPrivateKey) -> Iterator[FcmDouble]:
    with FcmDouble("site", key=fcm_key, now_s=lambda: hands.now_s) as running:
        yield running


@pytest.fixture
def http(double: FcmDouble) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=double.url) as client:
        yield client


def claims(double: FcmDouble, hands: Hands, **changes: str | float) -> Claims:
    return {
        "iss": double.service_account()["client_email"],
        "aud": "https://oauth2.googleapis.com/token",
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "iat": hands.now_s,
        "exp": hands.now_s + 3600,
        **changes,
    }


def exchange(http: httpx2.Client, content: Claims, key: str) -> httpx2.Response:
    assertion = jwt.encode(content, key, algorithm="RS256")
    return http.post("/token", data={"grant_type": GRANT_TYPE, "assertion": assertion})


def access(double: FcmDouble, http: httpx2.Client, hands: Hands) -> dict[str, str]:
    answer = exchange(http, claims(double, hands), double.service_account()["private_key"])
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def send(http: httpx2.Client, headers: dict[str, str], message: object) -> httpx2.Response:
    return http.post("/v1/projects/site/messages:send", headers=headers, json={"message": message})


def refusal(answer: httpx2.Response) -> tuple[int, str, str | None]:
    """HTTP status, canonical code, FCM's own code."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    codes = [cast(str, detail["errorCode"]) for detail in error.get("details", []) if "errorCode" in detail]
    return answer.status_code, error["status"], codes[0] if codes else None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://example.org/token"}, "invalid_grant"),
        ({"iss": "somebody@else.iam.gserviceaccount.com"}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/userinfo.email"}, "invalid_scope"),
        ({"exp": 0.0}, "invalid_grant"),
        ({"exp": 1e11}, "invalid_grant"),
        ({"iat": 1e11, "exp": 1e11}, "invalid_grant"),
    ],
)
def test_a_wrong_assertion_gets_no_token(
    double: FcmDouble, http: httpx2.Client, hands: Hands, changes: Claims, error: str
) -> None:
    answer = exchange(http, claims(double, hands, **changes), double.service_account()["private_key"])
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_foreign_key_gets_no_token(double: FcmDouble, http: httpx2.Client, hands: Hands) -> None:
    with FcmDouble("site") as other:
        answer = exchange(http, claims(double, hands), other.service_account()["private_key"])
    assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


@pytest.mark.parametrize("form", [b"", b"grant_type=password", b"\xff\xfe=1"])
def test_another_grant_gets_no_token(http: httpx2.Client, form: bytes) -> None:
    answer = http.post("/token", content=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_something_that_is_no_assertion_gets_no_token(http: httpx2.Client) -> None:
    answer = http.post("/token", data={"grant_type": GRANT_TYPE, "assertion": "abc"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_an_access_token_lives_an_hour(double: FcmDouble, http: httpx2.Client, hands: Hands) -> None:
    headers, message = access(double, http, hands), {"fid": double.mint_phone().fid}
    hands.now_s += 3598
    assert send(http, headers, message).status_code == 200
    hands.now_s += 2
    answer = send(http, headers, message)
    assert refusal(answer) == (401, "UNAUTHENTICATED", None)
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}])
def test_without_a_token_nothing_is_sent(double: FcmDouble, http: httpx2.Client, headers: dict[str, str]) -> None:
    answer = send(http, headers, {"fid": double.mint_phone().fid})
    assert refusal(answer) == (401, "UNAUTHENTICATED", None)
    assert double.deliveries() == []


@pytest.mark.parametrize(
    "extra",
    [
        {"data": {"count": 42}},
        {"data": {"nested": {"a": "b"}}},
        {"data": ["a"]},
        {"notification": {"title": 5}},
        {"notification": {"colour": "red"}},
        {"priority": "high"},
        {"topic": "both"},
        {"android": {"priority": "urgent"}},
        {"android": {"ttl": "1 hour"}},
        {"android": {"ttl": "2419201s"}},
        {"android": {"collapseKey": "camel", "colour": "red"}},
        {"android": {"collapse_key": 7}},
        {"android": {"notification": {"tag": 7}}},
        {"android": {"notification": {"colour": "red"}}},
        {"apns": {"headers": {"apns-priority": 10}}},
        {"apns": {"badge": 1}},
        {"apns": {"payload": "loud"}},
        {"data": {"google.key": "x"}},
        {"data": {"text": "ü" * 2048}},
    ],
)
def test_a_message_that_breaks_the_schema_is_refused(
    double: FcmDouble, http: httpx2.Client, hands: Hands, extra: dict[str, object]
) -> None:
    answer = send(http, access(double, http, hands), {"fid": double.mint_phone().fid, **extra})
    assert refusal(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert double.deliveries() == []


@pytest.mark.parametrize("message", [{}, {"data": {"a": "b"}}, {"fid": ""}, {"token": None}])
def test_a_message_to_nobody_is_refused(
    double: FcmDouble, http: httpx2.Client, hands: Hands, message: dict[str, object]
) -> None:
    answer = send(http, access(double, http, hands), message)
    assert refusal(answer) == (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")


def test_failures_come_as_often_as_ordered(double: FcmDouble, http: httpx2.Client, hands: Hands) -> None:
    headers, message = access(double, http, hands), {"fid": double.mint_phone().fid}
    assert http.post("/double/failures", json={"next": 2, "status": 503}).status_code == 200
    assert http.post("/double/failures", json={"next": 1, "status": 429, "retry_after_s": 7}).status_code == 200
    answers = [send(http, headers, message) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 429, 200]
    assert refusal(answers[0]) == (503, "UNAVAILABLE", "UNAVAILABLE")
    assert refusal(answers[2]) == (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
    assert answers[2].headers["Retry-After"] == "7"
    assert len(double.deliveries()) == 1


def test_the_service_can_be_switched_off_and_on(double: FcmDouble, http: httpx2.Client, hands: Hands) -> None:
    headers, message = access(double, http, hands), {"fid": double.mint_phone().fid}
    http.post("/double/failures", json={"unavailable": True})
    assert [send(http, headers, message).status_code for _ in range(3)] == [503] * 3
    http.post("/double/failures", json={"unavailable": False})
    assert send(http, headers, message).status_code == 200


@pytest.mark.parametrize("wish", [b"[]", b"{", b'{"next": -1}', b'{"next": 1, "status": 500}', b'{"unavailable": 3}'])
def test_a_muddled_control_is_refused(http: httpx2.Client, wish: bytes) -> None:
    assert http.post("/double/failures", content=wish).status_code == 400


def test_a_phones_life_by_the_control_endpoints(double: FcmDouble, http: httpx2.Client, hands: Hands) -> None:
    headers = access(double, http, hands)
    minted = http.post("/double/phones")
    assert minted.status_code == 201
    phone, other = minted.json(), http.post("/double/phones").json()
    send(http, headers, {"token": phone["token"], "data": {"a": "1"}})
    send(http, headers, {"fid": other["fid"], "data": {"a": "2"}})
    everything = http.get("/double/messages").json()["messages"]
    assert [item["message"]["data"] for item in everything] == [{"a": "1"}, {"a": "2"}]
    assert http.get("/double/messages", params={"token": phone["token"]}).json()["messages"] == everything[:1]
    assert http.delete(f"/double/phones/{phone['token']}").status_code == 200
    assert refusal(send(http, headers, {"fid": phone["fid"]})) == (404, "NOT_FOUND", "UNREGISTERED")
    assert http.delete("/double/phones/unknown").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/token"), ("PUT", "/v1/projects/site/messages:send"), ("POST", "/double/else")],
)
def test_other_paths_are_not_there(http: httpx2.Client, method: str, path: str) -> None:
    assert http.request(method, path).status_code in (404, 501)


def test_a_monstrous_request_is_refused_unread(double: FcmDouble) -> None:
    connection = HTTPConnection(urlsplit(double.url).netloc, timeout=20)
    connection.putrequest("POST", "/token")
    connection.putheader("Content-Length", "9" * 12)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_key_file_is_for_its_owner_only(double: FcmDouble, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    double.write_service_account(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == double.service_account()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
message_keys = st.sampled_from(["data", "notification", "android", "token", "fid", "topic", "validate_only", "x"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(message_keys, json_values, max_size=4) | json_values, st.booleans())
def test_whatever_is_sent_is_read_or_refused_and_never_breaks_the_reader(message: object, validate_only: bool) -> None:
    body = json.dumps({"message": message, "validate_only": validate_only}).encode()
    try:
        answer_status = 200 if read_send_request(body).target else 0
    except RefusedError as refused:
        answer_status = refused.answer.status
    assert answer_status in (200, 400)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_json_are_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        read_send_request(body)
    assert refused.value.answer.status == 400
