"""The double of Razorpay, in plain HTTP and by Razorpay's own library: it refuses what the real one refuses."""

import json
import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest
from razorpay import Client
from razorpay.errors import BadRequestError, GatewayError, SignatureVerificationError

from device_sims.razorpay import RazorpayDouble

WANTED = {"amount": 17_000, "currency": "INR", "receipt": "receipt-1", "notes": {"order": "ORD-1"}}


@pytest.fixture
def double() -> Iterator[RazorpayDouble]:
    with RazorpayDouble() as running:
        yield running


@pytest.fixture
def http(double: RazorpayDouble) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=double.url, auth=(double.key_id, double.key_secret)) as client:
        yield client


@pytest.fixture
def client(double: RazorpayDouble) -> Iterator[Client]:
    made = Client(auth=(double.key_id, double.key_secret), base_url=double.url)
    yield made
    made.session.close()


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """HTTP status and Razorpay's words of an answer that has the shape of its errors."""
    error = answer.json()["error"]
    assert error.keys() >= {"code", "description", "source", "step", "reason", "metadata"}
    return answer.status_code, error["description"]


def paid(double: RazorpayDouble, http: httpx2.Client) -> str:
    """An order that a customer has paid, not captured; the attempt."""
    order = http.post("/v1/orders", json=WANTED).json()
    return double.authorize(order["id"]).razorpay_payment_id


def test_the_library_orders_captures_and_refunds(double: RazorpayDouble, client: Client) -> None:
    order = client.order.create(WANTED)
    assert (order["status"], order["amount_due"], order["receipt"]) == ("created", 17_000, "receipt-1")
    assert client.order.all({"receipt": "receipt-1"})["items"] == [order]
    assert client.order.all({"receipt": "receipt-2"})["count"] == 0
    back = double.authorize(order["id"], method="upi")
    assert client.utility.verify_payment_signature(back.as_json())
    with pytest.raises(SignatureVerificationError):
        client.utility.verify_payment_signature({**back.as_json(), "razorpay_payment_id": "pay_another"})
    assert [one["status"] for one in client.order.payments(order["id"])["items"]] == ["authorized"]
    captured = client.payment.capture(back.razorpay_payment_id, 17_000, {"currency": "INR"})
    assert (captured["status"], captured["method"]) == ("captured", "upi")
    assert client.order.fetch(order["id"])["status"] == "paid"
    part = client.payment.refund(back.razorpay_payment_id, {"amount": 7_000})
    assert client.refund.fetch(part["id"]) == part
    rest = client.payment.refund(back.razorpay_payment_id, {})
    assert (rest["amount"], client.payment.fetch(back.razorpay_payment_id)["status"]) == (10_000, "refunded")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": 99}, "Order amount less than minimum amount allowed"),
        ({"amount": 170.5}, "The amount must be an integer."),
        ({"amount": True}, "The amount must be an integer."),
        ({"currency": "rupees"}, "Currency is not supported"),
        ({"receipt": "r" * 41}, "The receipt may not be greater than 40 characters."),
        ({"notes": {str(number): "x" for number in range(16)}}, "Number of fields in notes should be less than"),
    ],
)
def test_an_order_that_cannot_be_is_refused(http: httpx2.Client, changed: dict[str, Any], words: str) -> None:
    status, said = refusal(http.post("/v1/orders", json={**WANTED, **changed}))
    assert (status, said.startswith(words)) == (400, True)


def test_nobody_is_let_in_with_another_key(double: RazorpayDouble) -> None:
    for auth in ((double.key_id, "wrong"), ("wrong", double.key_secret), None):
        answer = httpx2.get(f"{double.url}/v1/orders", auth=auth)
        assert refusal(answer) == (401, "Authentication failed")


def test_what_is_not_there_or_no_json_is_refused(http: httpx2.Client) -> None:
    for path in ("/v1/orders/order_1", "/v1/payments/pay_1", "/v1/refunds/rfnd_1", "/v1/orders/order_1/payments"):
        assert refusal(http.get(path)) == (400, "The id provided does not exist")
    assert refusal(http.get("/v1/settlements"))[0] == 404
    assert refusal(http.post("/v1/orders", content=b"[]"))[1] == "The request body is not a JSON object"


def test_only_what_was_authorized_is_captured_once_and_whole(double: RazorpayDouble, http: httpx2.Client) -> None:
    payment_id = paid(double, http)
    path = f"/v1/payments/{payment_id}/capture"
    other = refusal(http.post(path, json={"amount": 16_999, "currency": "INR"}))
    assert other == (400, "Capture amount must be equal to the amount authorized")
    assert refusal(http.post(path, json={"amount": 17_000, "currency": "USD"}))[0] == 400
    assert refusal(http.post(f"/v1/payments/{payment_id}/refund", json={}))[1].startswith(
        "The payment status should be"
    )
    assert http.post(path, json={"amount": 17_000, "currency": "INR"}).json()["captured"] is True
    again = refusal(http.post(path, json={"amount": 17_000, "currency": "INR"}))
    assert again == (400, "This payment has already been captured")
    order = http.post("/v1/orders", json=WANTED).json()
    declined = double.decline(order["id"])
    assert refusal(http.post(f"/v1/payments/{declined}/capture", json={"amount": 17_000}))[0] == 400


def test_no_more_goes_back_than_was_captured_and_a_key_is_one_refund(
    double: RazorpayDouble, http: httpx2.Client
) -> None:
    double.captures_by_itself = True
    path, key = f"/v1/payments/{paid(double, http)}/refund", {"X-Refund-Idempotency": "refund-0001"}
    first = http.post(path, json={"amount": 7_000}, headers=key).json()
    assert http.post(path, json={"amount": 7_000}, headers=key).json() == first
    assert refusal(http.post(path, json={"amount": 6_000}, headers=key))[1].startswith("Different request body")
    assert refusal(http.post(path, json={}, headers={"X-Refund-Idempotency": "short"}))[0] == 400
    assert refusal(http.post(path, json={"amount": 10_001}))[1].startswith("The total refund amount is greater")
    assert http.post(path, json={}).json()["amount"] == 10_000
    assert refusal(http.post(path, json={})) == (400, "The payment has been fully refunded already")
    assert len(double.refunds()) == 2


def test_what_fails_does_nothing_and_what_is_lost_is_done(double: RazorpayDouble, client: Client) -> None:
    double.fail_next(1, 502)
    with pytest.raises(GatewayError):
        client.order.create(WANTED)
    assert double.orders() == []
    double.lose_next(1)
    with pytest.raises(GatewayError):
        client.order.create(WANTED)
    assert len(double.orders()) == 1
    with pytest.raises(ValueError, match="give a count"):
        double.fail_next(1, 404)
    with pytest.raises(BadRequestError, match="receipt"):
        client.order.create({**WANTED, "receipt": "r" * 41})


def test_what_is_told_is_signed_and_a_snapshot(double: RazorpayDouble, http: httpx2.Client, client: Client) -> None:
    payment_id = paid(double, http)
    http.post(f"/v1/payments/{payment_id}/capture", json={"amount": 17_000})
    webhooks = double.webhooks()
    told = [json.loads(webhook.body) for webhook in webhooks]
    assert [(one["event"], one["payload"]["payment"]["entity"]["status"]) for one in told] == [
        ("payment.authorized", "authorized"),
        ("payment.captured", "captured"),
        ("order.paid", "captured"),
    ]
    for webhook in webhooks:
        signature = webhook.headers["X-Razorpay-Signature"]
        assert client.utility.verify_webhook_signature(webhook.body.decode(), signature, double.webhook_secret)
    assert len({webhook.headers["X-Razorpay-Event-Id"] for webhook in webhooks}) == 3
    assert double.webhooks() == []


def test_webhooks_come_in_any_order_twice_and_again_when_they_are_not_taken(
    double: RazorpayDouble, http: httpx2.Client
) -> None:
    heard: list[bytes] = []
    answers = [503]

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop() if answers else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        double.captures_by_itself = True
        paid(double, http)
        statuses = double.deliver(url, rng=random.Random(3), twice=True)
        assert sorted(statuses) == [200, 200, 200, 200, 200, 503]
        assert double.deliver(url) == [200]
        assert double.deliver(url) == []
        server.shutdown()
        thread.join()
    assert len(set(heard)) == 3
    paid(double, http)
    assert double.deliver(url) == [0, 0, 0]
