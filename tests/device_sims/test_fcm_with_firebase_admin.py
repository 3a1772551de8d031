"""The real firebase-admin library against the double: what the cloud's push sender will meet."""

from collections.abc import AsyncIterator, Iterator

import firebase_admin
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from firebase_admin import credentials, exceptions, messaging

from device_sims.fcm import FcmDouble


@pytest.fixture
def double(fcm_key: rsa.RSAPrivateKey) -> Iterator[FcmDouble]:
    with FcmDouble(key=fcm_key) as running:
        yield running


@pytest.fixture
def app(double: FcmDouble) -> Iterator[firebase_admin.App]:
    """An app of its own, whose messaging service speaks to the double."""
    key = credentials.Certificate(double.service_account())
    app = firebase_admin.initialize_app(key, {"httpTimeout": 5}, name=double.url)
    speak_to(double, app)
    yield app
    firebase_admin.delete_app(app)


def speak_to(double: FcmDouble, app: firebase_admin.App) -> None:
    """The library's address is a private attribute of the app's own messaging service."""
    messaging._get_messaging_service(app)._fcm_url = double.send_url_pattern.format(app.project_id)


@pytest.fixture
async def async_app(app: firebase_admin.App) -> AsyncIterator[firebase_admin.App]:
    """The library closes its asynchronous connections in a loop of its own, which is too late: close them in ours."""
    yield app
    await messaging._get_messaging_service(app)._async_client.aclose()


def alert(fid: str, **data: str) -> messaging.Message:
    return messaging.Message(
        fid=fid,
        notification=messaging.Notification("Cold room 1", "9.4 °C for 12 minutes"),
        data=data or {"excursion": "42"},
        android=messaging.AndroidConfig(priority="high", collapse_key="cold-room-1", ttl=3600),
    )


def test_a_message_reaches_the_phone_whole(double: FcmDouble, app: firebase_admin.App) -> None:
    phone, other = double.mint_phone(), double.mint_phone()
    name = messaging.send(alert(phone.fid), app=app)
    (delivery,) = double.deliveries(phone.fid)
    assert name == f"projects/{double.project_id}/messages/{delivery.message_id}"
    assert delivery.message["notification"] == {"title": "Cold room 1", "body": "9.4 °C for 12 minutes"}
    assert delivery.message["data"] == {"excursion": "42"}
    assert delivery.token == phone.token
    assert double.deliveries(other.fid) == []


def test_the_older_token_works_as_well(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    with pytest.warns(DeprecationWarning, match="fid"):
        message = messaging.Message(token=phone.token, data={"a": "b"})
    messaging.send(message, app=app)
    assert [delivery.token for delivery in double.deliveries()] == [phone.token]


def test_a_token_given_as_an_installation_id_is_refused(double: FcmDouble, app: firebase_admin.App) -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        messaging.send(alert(double.mint_phone().token), app=app)


def test_one_access_token_serves_many_sends(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    for _ in range(5):
        messaging.send(alert(phone.fid), app=app)
    assert double.requests["/token"] == 1


def test_an_expired_access_token_is_renewed_without_a_word(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    messaging.send(alert(phone.fid), app=app)
    double.expire_tokens()
    messaging.send(alert(phone.fid), app=app)
    assert double.requests["/token"] == 2
    assert len(double.deliveries(phone.fid)) == 2


def test_a_phone_without_the_app_is_unregistered(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    double.uninstall(phone.token)
    with pytest.raises(messaging.UnregisteredError) as refused:
        messaging.send(alert(phone.fid), app=app)
    assert refused.value.code == "NOT_FOUND"
    assert refused.value.http_response.status_code == 404
    assert double.deliveries() == []


def test_an_unknown_registration_is_an_invalid_argument(app: firebase_admin.App) -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        messaging.send(alert("nobody-knows-this-one"), app=app)


def test_another_projects_phone_is_a_sender_mismatch(double: FcmDouble, app: firebase_admin.App) -> None:
    with pytest.raises(messaging.SenderIdMismatchError):
        messaging.send(alert(double.mint_phone("other-project").fid), app=app)


def test_another_projects_address_is_forbidden(double: FcmDouble, app: firebase_admin.App) -> None:
    key = credentials.Certificate(double.service_account())
    stranger = firebase_admin.initialize_app(key, {"projectId": "other-project"}, name="stranger")
    speak_to(double, stranger)
    try:
        with pytest.raises(exceptions.PermissionDeniedError):
            messaging.send(alert(double.mint_phone().fid), app=stranger)
    finally:
        firebase_admin.delete_app(stranger)


def test_a_payload_of_4096_bytes_passes_and_one_more_does_not(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    messaging.send(messaging.Message(fid=phone.fid, data={"text": "x" * 4092}), app=app)
    with pytest.raises(exceptions.InvalidArgumentError, match="too big"):
        messaging.send(messaging.Message(fid=phone.fid, data={"text": "x" * 4093}), app=app)
    assert len(double.deliveries()) == 1


def test_a_reserved_key_is_refused(double: FcmDouble, app: firebase_admin.App) -> None:
    with pytest.raises(exceptions.InvalidArgumentError, match="from"):
        messaging.send(messaging.Message(fid=double.mint_phone().fid, data={"from": "me"}), app=app)


def test_a_dry_run_is_judged_and_not_delivered(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    assert messaging.send(alert(phone.fid), dry_run=True, app=app).endswith("/fake_message_id")
    with pytest.raises(exceptions.InvalidArgumentError):
        messaging.send(alert("nobody"), dry_run=True, app=app)
    assert double.deliveries() == []


def test_a_moment_of_unavailability_is_retried_by_the_library(double: FcmDouble, app: firebase_admin.App) -> None:
    phone = double.mint_phone()
    double.fail_next(1, 503)
    messaging.send(alert(phone.fid), app=app)
    assert len(double.deliveries(phone.fid)) == 1
    assert double.requests[f"/v1/projects/{double.project_id}/messages:send"] == 2


async def test_a_multicast_tells_each_phones_fate(double: FcmDouble, async_app: firebase_admin.App) -> None:
    here, gone = double.mint_phone(), double.mint_phone()
    double.uninstall(gone.fid)
    fids = [here.fid, gone.fid, "nobody"]
    multicast = messaging.MulticastMessage(fids=fids, data={"excursion": "42"})
    batch = await messaging.send_each_for_multicast_async(multicast, app=async_app)
    assert [item.success for item in batch.responses] == [True, False, False]
    assert isinstance(batch.responses[1].exception, messaging.UnregisteredError)
    assert isinstance(batch.responses[2].exception, exceptions.InvalidArgumentError)
    assert [delivery.fid for delivery in double.deliveries()] == [here.fid]


async def test_a_quota_is_told_with_the_time_to_wait(double: FcmDouble, async_app: firebase_admin.App) -> None:
    double.fail_next(1, 429, retry_after_s=30)
    batch = await messaging.send_each_async([alert(double.mint_phone().fid)], app=async_app)
    error = batch.responses[0].exception
    assert isinstance(error, messaging.QuotaExceededError)
    assert error.http_response.headers["Retry-After"] == "30"


def test_many_threads_at_once_lose_nothing(double: FcmDouble, app: firebase_admin.App) -> None:
    phones = [double.mint_phone() for _ in range(40)]
    batch = messaging.send_each([alert(phone.fid) for phone in phones], app=app)
    assert batch.success_count == 40
    assert {delivery.fid for delivery in double.deliveries()} == {phone.fid for phone in phones}
