"""A double of Razorpay on loopback: one account that customers pay into.

It speaks the REST API of orders, payments and refunds, refuses what the real one refuses, in its words, and signs what
it tells by itself. What customers do on its page is done by `authorize` and `decline`; the webhooks that follow wait in
`webhooks()` until somebody takes them, or are sent by `deliver`: in any order, more than once.

Sources: references of Orders, Payments and Refunds, "Error codes", "Webhook events and payloads", "Validate and Test
Webhooks". An order is captured by its merchant, or with `captures_by_itself` as the account's settings may say.
"""

import base64
import binascii
import json
import random
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler
from device_sims.razorpay_words import (
    KEY,
    LARGEST_BODY_BYTES,
    LONGEST_RECEIPT,
    MOST_NOTES,
    Answer,
    CameBack,
    Json,
    RefusedError,
    Webhook,
    check_amount,
    collection,
    drawn,
    fail,
    post,
    read_object,
    signed,
    unknown,
    whole,
)


@dataclass
class _Order:
    entity: Json
    payment_ids: list[str] = field(default_factory=list)


@dataclass
class _Account:
    orders: dict[str, _Order] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    #: idempotency key -> (the request, its refund)
    keys: dict[str, tuple[Json, str]] = field(default_factory=dict)


class RazorpayDouble(LoopbackDouble):
    """One account, on a thread of its own from `start` to `stop` (or in a `with` block).

    Args:
        port: 0 for any free one.
        key_id: `rzp_test_...`; drawn when empty. So are `key_secret` and `webhook_secret`.
        captures_by_itself: what is authorized is captured at once.
        slow_refunds: refunds stay pending until `process_refunds`.
        now: the instant that entities carry.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key_id: str = "",
        key_secret: str = "",
        webhook_secret: str = "",
        captures_by_itself: bool = False,
        slow_refunds: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.key_id = key_id or f"rzp_test_{drawn()}"
        self.key_secret = key_secret or drawn(24)
        self.webhook_secret = webhook_secret or drawn(24)
        self.captures_by_itself = captures_by_itself
        self.slow_refunds = slow_refunds
        self._now = now
        self._lock = threading.RLock()
        self._account = _Account()
        self._webhooks: list[Webhook] = []
        #: HTTP status of the next answers
        self._failures: deque[int] = deque()
        #: the next answers do what is asked, and are lost on their way
        self._lost = 0
        server = _Server((host, port), _Handler)
        server.double = self
        super().__init__(server, "razorpay-double")

    # what customers do on the page

    def authorize(self, order_id: str, *, method: str = "card") -> CameBack:
        """A customer pays an order; what the page gives to their browser.

        Raises:
            ValueError: when there is no such order, or it is paid.
        """
        with self._lock:
            order = self._open_order(order_id)
            payment = self._new_payment(order, method=method, status="authorized")
            self._tell("payment.authorized", payment=payment)
            if self.captures_by_itself:
                self._capture(payment)
        return self.came_back(order_id, str(payment["id"]))

    def decline(self, order_id: str, *, method: str = "card") -> str:
        """A customer's bank refuses; Razorpay's name for the attempt."""
        with self._lock:
            payment = self._new_payment(self._open_order(order_id), method=method, status="failed")
            payment |= {
                "error_code": "BAD_REQUEST_ERROR",
                "error_description": "Payment was declined by the bank",
                "error_reason": "payment_declined",
            }
            self._tell("payment.failed", payment=payment)
        return str(payment["id"])

    def came_back(self, order_id: str, payment_id: str) -> CameBack:
        """What the page signs for a browser."""
        signature = signed(f"{order_id}|{payment_id}".encode(), self.key_secret)
        return CameBack(order_id, payment_id, signature)

    # what the account's owner does in the console

    def refund(self, payment_id: str, amount: int) -> str:
        """Give money back by hand; Razorpay's name for the refund."""
        with self._lock:
            return str(self._refund(payment_id, {"amount": amount})["id"])

    def process_refunds(self, *, succeed: bool = True) -> int:
        """The banks answer about all refunds that are pending. Returns how many those were."""
        with self._lock:
            pending = [refund for refund in self._account.refunds.values() if refund["status"] == "pending"]
            for refund in pending:
                self._end_refund(refund, "processed" if succeed else "failed")
        return len(pending)

    # what is there

    def orders(self) -> list[Json]:
        """All orders, oldest first."""
        with self._lock:
            return [dict(order.entity) for order in self._account.orders.values()]

    def payments(self) -> list[Json]:
        """All attempts, oldest first."""
        with self._lock:
            return [dict(payment) for payment in self._account.payments.values()]

    def refunds(self) -> list[Json]:
        """All refunds, oldest first."""
        with self._lock:
            return [dict(refund) for refund in self._account.refunds.values()]

    def webhooks(self) -> list[Webhook]:
        """What waits to be told, oldest first; it is taken by that."""
        with self._lock:
            waiting, self._webhooks = self._webhooks, []
        return waiting

    def webhook(self, event: str, **entities: Json) -> Webhook:
        """An event about whatever is given, signed; it is told by nobody."""
        told: Json = {
            "entity": "event",
            "account_id": "acc_Coldfleet00001",
            "event": event,
            "contains": [*entities],
            "payload": {name: {"entity": entity} for name, entity in entities.items()},
            "created_at": self._seconds(),
        }
        body = json.dumps(told, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Razorpay-Event-Id": drawn(),
            "X-Razorpay-Signature": signed(body, self.webhook_secret),
        }
        return Webhook(event, body, headers)

    def deliver(self, url: str, *, rng: random.Random | None = None, twice: bool = False) -> list[int]:
        """Send what waits to a webhook's address; what is not answered 2xx waits again.

        Args:
            rng: in an order that it draws; None: as it happened.
            twice: each of them two times.

        Returns:
            The statuses; 0 where nobody answered.
        """
        waiting = self.webhooks() * (2 if twice else 1)
        if rng is not None:
            rng.shuffle(waiting)
        statuses = [post(url, webhook) for webhook in waiting]
        again = [webhook for webhook, status in zip(waiting, statuses, strict=True) if not 200 <= status < 300]
        with self._lock:
            self._webhooks = again + self._webhooks
        return statuses

    # what goes wrong

    def fail_next(self, count: int, status: int) -> None:
        """Answer the next `count` requests with 429, 500, 502 or 503, and do nothing.

        Raises:
            ValueError: another status, or a negative count.
        """
        if status not in {429, 500, 502, 503} or count < 0:
            raise ValueError("give a count of 0 or more, and status 429, 500, 502 or 503")
        with self._lock:
            self._failures.extend([status] * count)

    def lose_next(self, count: int) -> None:
        """Do what the next `count` requests ask, and answer 502."""
        with self._lock:
            self._lost = count

    # the API

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request; `target` is path and query, names of headers are in lower case."""
        try:
            with self._lock:
                self._authenticate(headers.get("authorization"))
                if self._failures:
                    fail(self._failures.popleft())
                done = self._route(method, target, headers, body)
                if self._lost:
                    self._lost -= 1
                    fail(502)
                return done
        except RefusedError as refusal:
            return refusal.answer

    def _authenticate(self, authorization: str | None) -> None:
        _, _, encoded = (authorization or "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            given = b""
        if not secrets.compare_digest(given, f"{self.key_id}:{self.key_secret}".encode()):
            raise RefusedError("Authentication failed", status=401)

    def _route(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        url = urlsplit(target)
        parts = url.path.strip("/").split("/")
        asked = (method, *(part if number % 2 else "*" for number, part in enumerate(parts[1:], start=1)))
        names = parts[2::2]
        match asked:
            case ("POST", "orders"):
                return Answer(200, self._create_order(read_object(body)))
            case ("GET", "orders"):
                return Answer(200, self._list_orders(dict(parse_qsl(url.query))))
            case ("GET", "orders", "*"):
                return Answer(200, self._order(names[0]).entity)
            case ("GET", "orders", "*", "payments"):
                its = self._order(names[0]).payment_ids
                return Answer(200, collection([self._account.payments[payment_id] for payment_id in its]))
            case ("GET", "payments", "*"):
                return Answer(200, self._payment(names[0]))
            case ("POST", "payments", "*", "capture"):
                return Answer(200, self._captured(names[0], read_object(body)))
            case ("POST", "payments", "*", "refund"):
                return Answer(200, self._refunded(names[0], read_object(body), headers.get("x-refund-idempotency")))
            case ("GET", "payments", "*", "refunds"):
                its_refunds = [one for one in self._account.refunds.values() if one["payment_id"] == names[0]]
                return Answer(200, collection(its_refunds))
            case ("GET", "refunds", "*"):
                return Answer(200, self._account.refunds.get(names[0]) or unknown())
            case _:
                raise RefusedError("The requested URL was not found on the server.", status=404)

    def _create_order(self, wanted: Json) -> Json:
        amount, receipt, notes = wanted.get("amount"), wanted.get("receipt"), wanted.get("notes") or {}
        check_amount(amount, what="Order amount less than minimum amount allowed")
        if not isinstance(wanted.get("currency"), str) or not re.fullmatch(r"[A-Z]{3}", str(wanted["currency"])):
            raise RefusedError("Currency is not supported", field="currency")
        if receipt is not None and len(str(receipt)) > LONGEST_RECEIPT:
            raise RefusedError("The receipt may not be greater than 40 characters.", field="receipt")
        if not isinstance(notes, dict) or len(notes) > MOST_NOTES:
            raise RefusedError("Number of fields in notes should be less than or equal to 15", field="notes")
        entity: Json = {
            "id": f"order_{drawn()}",
            "entity": "order",
            "amount": amount,
            "amount_paid": 0,
            "amount_due": amount,
            "currency": wanted["currency"],
            "receipt": receipt,
            "offer_id": None,
            "status": "created",
            "attempts": 0,
            "notes": notes,
            "created_at": self._seconds(),
        }
        self._account.orders[str(entity["id"])] = _Order(entity)
        return entity

    def _list_orders(self, query: dict[str, str]) -> Json:
        """The newest first; by receipt, when one is given."""
        found = [
            order.entity
            for order in reversed(self._account.orders.values())
            if query.get("receipt") in (None, order.entity["receipt"])
        ]
        skip, count = int(query.get("skip", "0")), int(query.get("count", "10"))
        return collection(found[skip : skip + count])

    def _captured(self, payment_id: str, wanted: Json) -> Json:
        payment = self._payment(payment_id)
        if payment["status"] in {"captured", "refunded"}:
            raise RefusedError("This payment has already been captured")
        if payment["status"] != "authorized":
            raise RefusedError("Only payments which have been authorized and not yet captured can be captured")
        check_amount(wanted.get("amount"), what="The amount must be atleast INR 1.00")
        if wanted.get("currency", payment["currency"]) != payment["currency"]:
            raise RefusedError("The currency should be the same as that of the payment", field="currency")
        if wanted["amount"] != payment["amount"]:
            raise RefusedError("Capture amount must be equal to the amount authorized", field="amount")
        self._capture(payment)
        return payment

    def _refunded(self, payment_id: str, wanted: Json, key: str | None) -> Json:
        if key is None:
            return self._refund(payment_id, wanted)
        if not KEY.fullmatch(key):
            raise RefusedError("The idempotency key must be at least 10 characters of letters, digits, - and _")
        request = {"payment": payment_id, **wanted}
        if key not in self._account.keys:
            self._account.keys[key] = (request, str(self._refund(payment_id, wanted)["id"]))
        first, refund_id = self._account.keys[key]
        if first != request:
            raise RefusedError("Different request body sent with the same idempotency key")
        return self._account.refunds[refund_id]

    def _refund(self, payment_id: str, wanted: Json) -> Json:
        payment = self._payment(payment_id)
        if payment["status"] == "refunded":
            raise RefusedError("The payment has been fully refunded already")
        if payment["status"] != "captured":
            raise RefusedError("The payment status should be captured for action to be taken")
        left = whole(payment["amount"]) - whole(payment["amount_refunded"])
        amount = wanted.get("amount", left)
        check_amount(amount, what="The amount must be atleast INR 1.00", least=1)
        if whole(amount) > left:
            raise RefusedError("The total refund amount is greater than the refund payment amount", field="amount")
        refund: Json = {
            "id": f"rfnd_{drawn()}",
            "entity": "refund",
            "amount": amount,
            "currency": payment["currency"],
            "payment_id": payment_id,
            "notes": wanted.get("notes") or {},
            "receipt": wanted.get("receipt"),
            "acquirer_data": {"arn": None},
            "created_at": self._seconds(),
            "batch_id": None,
            "status": "pending",
            "speed_requested": wanted.get("speed", "normal"),
            "speed_processed": "normal",
        }
        self._account.refunds[str(refund["id"])] = refund
        gone = whole(payment["amount_refunded"]) + whole(amount)
        payment["amount_refunded"] = gone
        all_of_it = gone == payment["amount"]
        payment["refund_status"] = "full" if all_of_it else "partial"
        payment["status"] = "refunded" if all_of_it else "captured"
        self._tell("refund.created", refund=refund, payment=payment)
        if not self.slow_refunds:
            self._end_refund(refund, "processed")
        return refund

    def _end_refund(self, refund: Json, status: str) -> None:
        payment = self._payment(str(refund["payment_id"]))
        refund["status"] = status
        if status == "failed":
            payment["amount_refunded"] = whole(payment["amount_refunded"]) - whole(refund["amount"])
            payment["status"] = "captured"
            payment["refund_status"] = "partial" if payment["amount_refunded"] else None
        self._tell(f"refund.{status}", refund=refund, payment=payment)

    def _capture(self, payment: Json) -> None:
        payment |= {"status": "captured", "captured": True}
        order = self._order(str(payment["order_id"]))
        order.entity |= {"status": "paid", "amount_paid": payment["amount"], "amount_due": 0}
        self._tell("payment.captured", payment=payment)
        self._tell("order.paid", payment=payment, order=order.entity)

    def _open_order(self, order_id: str) -> _Order:
        order = self._account.orders.get(order_id)
        if order is None or order.entity["status"] == "paid":
            raise ValueError(f"no open order {order_id}")
        return order

    def _new_payment(self, order: _Order, *, method: str, status: str) -> Json:
        entity = order.entity
        entity |= {"status": "attempted", "attempts": whole(entity["attempts"]) + 1}
        payment: Json = {
            "id": f"pay_{drawn()}",
            "entity": "payment",
            "amount": entity["amount"],
            "currency": entity["currency"],
            "status": status,
            "order_id": entity["id"],
            "invoice_id": None,
            "international": False,
            "method": method,
            "amount_refunded": 0,
            "refund_status": None,
            "captured": False,
            "description": None,
            "card_id": f"card_{drawn()}" if method == "card" else None,
            "bank": None,
            "wallet": None,
            "vpa": "guest@okbank" if method == "upi" else None,
            "email": "guest@example.com",
            "contact": "+919900000000",
            "notes": [],
            "fee": None,
            "tax": None,
            "error_code": None,
            "error_description": None,
            "error_source": None,
            "error_step": None,
            "error_reason": None,
            "acquirer_data": {},
            "created_at": self._seconds(),
        }
        self._account.payments[str(payment["id"])] = payment
        order.payment_ids.append(str(payment["id"]))
        return payment

    def _tell(self, event: str, **entities: Json) -> None:
        """A snapshot, as it is now."""
        self._webhooks.append(self.webhook(event, **entities))

    def _order(self, order_id: str) -> _Order:
        return self._account.orders.get(order_id) or unknown()

    def _payment(self, payment_id: str) -> Json:
        return self._account.payments.get(payment_id) or unknown()

    def _seconds(self) -> int:
        return int(self._now().timestamp())


class _Server(LoopbackServer):
    double: RazorpayDouble


class _Handler(SilentHandler):
    server: _Server

    def serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._reply(RefusedError("Request entity too large", status=413).answer)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._reply(self.server.double.answer(self.command, self.path, headers, body))

    def _reply(self, answer: Answer) -> None:
        payload = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
