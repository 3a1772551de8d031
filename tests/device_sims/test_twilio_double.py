"""The double of Twilio, spoken to in plain HTTP and by Twilio's own library: it refuses what the real one refuses."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from device_sims.twilio import MAGIC_SENDER, TwilioDouble

PHONE = "+919812345678"
AT = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


@pytest.fixture
def double() -> Iterator[TwilioDouble]:
    with TwilioDouble(now=lambda: AT) as running:
        yield running


@pytest.fixture
def http(double: TwilioDouble) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=double.url, auth=(double.account_sid, double.auth_token)) as client:
        yield client


def messages(double: TwilioDouble) -> str:
    return f"/2010-04-01/Accounts/{double.account_sid}/Messages.json"


def send(double: TwilioDouble, http: httpx2.Client, **changes: str | None) -> httpx2.Response:
    form = {"To": PHONE, "From": MAGIC_SENDER, "Body": "9.4 °C in room 1", **changes}
    return http.post(messages(double), data={name: value for name, value in form.items() if value is not None})


def refusal(answer: httpx2.Response) -> tuple[int, int]:
    """HTTP status and Twilio's code of an answer that has the shape of Twilio's errors."""
    body = answer.json()
    assert body.keys() == {"code", "message", "more_info", "status"}
    assert body["status"] == answer.status_code
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{body['code']}"
    assert body["message"]
    return answer.status_code, body["code"]


def test_a_message_is_taken_and_shown_as_twilio_shows_it(double: TwilioDouble, http: httpx2.Client) -> None:
    answer = send(double, http)
    taken = answer.json()
    path = f"/2010-04-01/Accounts/{double.account_sid}/Messages/{taken['sid']}"
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    assert answer.headers["Twilio-Request-Id"].startswith("RQ")
    assert taken == {
        "account_sid": double.account_sid,
        "api_version": "2010-04-01",
        "body": "9.4 °C in room 1",
        "date_created": "Sat, 21 Nov 2026 06:30:00 +0000",
        "date_sent": None,
        "date_updated": "Sat, 21 Nov 2026 06:30:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": MAGIC_SENDER,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": taken["sid"],
        "status": "queued",
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": PHONE,
        "uri": f"{path}.json",
    }
    assert http.get(f"{path}.json").json() == taken
    assert refusal(http.get(path.replace("SM", "SMx") + ".json")) == (404, 20404)


@pytest.mark.parametrize("credentials", [None, ("AC0", "wrong"), ("", "")])
def test_without_the_accounts_secret_nothing_is_told(double: TwilioDouble, credentials: tuple[str, str] | None) -> None:
    for method in ("GET", "POST"):
        answer = httpx2.request(method, double.url + messages(double), auth=credentials)
        assert refusal(answer) == (401, 20003)
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'
    assert double.messages() == []


@pytest.mark.parametrize("header", ["Basic", "Basic ***", "Bearer abc", "Basic 4pyT"])
def test_a_broken_authorization_is_none(double: TwilioDouble, header: str) -> None:
    answer = httpx2.get(double.url + messages(double), headers={"Authorization": header})
    assert refusal(answer) == (401, 20003)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"To": None}, (400, 21604)),
        ({"To": ""}, (400, 21604)),
        ({"From": None}, (400, 21603)),
        ({"Body": None}, (400, 21602)),
        ({"Body": " "}, (400, 21602)),
        ({"Body": "x" * 1601}, (400, 21617)),
        ({"To": "call me"}, (400, 21211)),
        ({"To": "+0123456789"}, (400, 21211)),
        ({"To": "+15005550001"}, (400, 21211)),
        ({"To": "+15005550002"}, (400, 21612)),
        ({"To": "+15005550003"}, (400, 21408)),
        ({"To": "+15005550004"}, (400, 21610)),
        ({"To": "+15005550009"}, (400, 21614)),
        ({"To": MAGIC_SENDER}, (400, 21266)),
        ({"From": "+15005550001"}, (400, 21212)),
        ({"From": "12"}, (400, 21212)),
        ({"From": "+15005550007"}, (400, 21606)),
        ({"From": "+15017122661"}, (400, 21606)),
        ({"From": "+15005550008"}, (429, 21611)),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(
    double: TwilioDouble, http: httpx2.Client, changes: dict[str, str | None], expected: tuple[int, int]
) -> None:
    answer = send(double, http, **changes)
    assert refusal(answer) == expected
    assert double.messages() == []


def test_a_refused_number_is_named_without_its_end(double: TwilioDouble, http: httpx2.Client) -> None:
    assert send(double, http, To="+0123456789").json()["message"] == "Invalid 'To' Phone Number: +012345XXXX"


def test_of_json_twilio_sees_no_field(double: TwilioDouble, http: httpx2.Client) -> None:
    answer = http.post(messages(double), json={"To": PHONE, "From": MAGIC_SENDER, "Body": "x"})
    assert refusal(answer) == (400, 21604)


def test_anothers_account_and_other_resources_are_not_found(double: TwilioDouble, http: httpx2.Client) -> None:
    for path in ("/2010-04-01/Accounts/AC0/Messages.json", "/2010-04-01/Accounts.json", "/"):
        assert refusal(http.get(path)) == (404, 20404)
    assert refusal(http.delete(messages(double))) == (405, 20004)


def test_a_trial_account_reaches_verified_numbers_only_and_says_what_it_is() -> None:
    with (
        TwilioDouble(verified=frozenset({PHONE})) as double,
        httpx2.Client(base_url=double.url, auth=(double.account_sid, double.auth_token)) as http,
    ):
        assert send(double, http).json()["body"].startswith("Sent from your Twilio trial account - ")
        assert refusal(send(double, http, To="+919812345679")) == (400, 21608)


@pytest.mark.parametrize(
    ("body", "segments"),
    [("x" * 160, 1), ("x" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("ठ" * 70, 1), ("ठ" * 71, 2), ("x" * 307, 3)],
)
def test_a_long_message_travels_in_parts(double: TwilioDouble, http: httpx2.Client, body: str, segments: int) -> None:
    assert send(double, http, Body=body).json()["num_segments"] == str(segments)


def test_a_number_may_be_written_as_people_write_it(double: TwilioDouble, http: httpx2.Client) -> None:
    assert send(double, http, To="+91 (98123) 456-78").json()["to"] == PHONE


def test_a_request_too_large_is_refused_unread(double: TwilioDouble) -> None:
    where = urlsplit(double.url)
    connection = HTTPConnection(where.hostname or "", where.port or 0)
    connection.putrequest("POST", messages(double))
    connection.putheader("Content-Length", "999999999")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, 20413)
    connection.close()


def test_it_fails_as_often_as_it_is_told(double: TwilioDouble, http: httpx2.Client) -> None:
    double.fail_next(1, 429)
    double.fail_next(1, 503)
    assert [refusal(send(double, http)) for _ in range(2)] == [(429, 20429), (503, 20503)]
    assert send(double, http).status_code == 201
    for count, status in ((-1, 429), (1, 418)):
        with pytest.raises(ValueError, match="status 429, 500 or 503"):
            double.fail_next(count, status)


class Rerouted(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """The library's own HTTP client, at the double's address."""

    def __init__(self, double: TwilioDouble) -> None:
        super().__init__(timeout=5)
        self._url = double.url

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._url), *arguments, **options)


@pytest.fixture
def client(double: TwilioDouble) -> Iterator[Client]:
    http = Rerouted(double)
    yield Client(double.account_sid, double.auth_token, http_client=http)
    http.session.close()


def test_twilios_library_sends_fetches_and_lists(double: TwilioDouble, client: Client) -> None:
    sids = [client.messages.create(to=PHONE, from_=MAGIC_SENDER, body=f"{number}").sid for number in range(5)]
    client.messages.create(to="+919812345679", from_=MAGIC_SENDER, body="another's", validity_period=60)
    assert [message.sid for message in client.messages.list(to=PHONE, page_size=2)] == sids[::-1]
    fetched = client.messages(sids[0]).fetch()
    assert (fetched.body, fetched.status, fetched.direction) == ("0", "queued", "outbound-api")
    assert fetched.date_created == AT
    assert [message.validity_period_s for message in double.messages("+919812345679")] == [60]
    assert len(double.messages()) == 6


def test_twilios_library_understands_the_refusals(double: TwilioDouble, client: Client) -> None:
    with pytest.raises(TwilioRestException, match="unsubscribed") as refused:
        client.messages.create(to="+15005550004", from_=MAGIC_SENDER, body="x")
    assert (refused.value.status, refused.value.code) == (400, 21610)
    double.fail_next(1, 429)
    with pytest.raises(TwilioRestException, match="Too Many Requests"):
        client.messages.create(to=PHONE, from_=MAGIC_SENDER, body="x")
