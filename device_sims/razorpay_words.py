"""What Razorpay's double says: entities, refusals, signatures."""

import hashlib
import hmac
import json
import re
import secrets
import string
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

Json = dict[str, object]

LARGEST_BODY_BYTES = 100_000
LEAST_AMOUNT = 100
LONGEST_RECEIPT = 40
MOST_NOTES = 15
#: idempotency keys of refunds
KEY = re.compile(r"[A-Za-z0-9_-]{10,}")
_LETTERS = string.ascii_letters + string.digits
_SEND_S = 10.0


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: Json


class RefusedError(Exception):
    """The request is refused; carries the answer."""

    def __init__(
        self, description: str, *, status: int = 400, code: str = "BAD_REQUEST_ERROR", field: str = ""
    ) -> None:
        super().__init__(description)
        error: Json = {"code": code, "description": description, "source": "business", "step": "payment_initiation"}
        error |= {"reason": "input_validation_failed", "metadata": {}, **({"field": field} if field else {})}
        self.answer = Answer(status, {"error": error})


@dataclass(frozen=True)
class Webhook:
    """What is told, signed: the body as it travels, and its headers."""

    event: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class CameBack:
    """What the page gives to the browser of a customer who has paid."""

    razorpay_order_id: str
    razorpay_payment_id: str
    razorpay_signature: str

    def as_json(self) -> dict[str, str]:
        """As the page's handler gets it."""
        return {
            "razorpay_order_id": self.razorpay_order_id,
            "razorpay_payment_id": self.razorpay_payment_id,
            "razorpay_signature": self.razorpay_signature,
        }


def drawn(length: int = 14) -> str:
    """Letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def signed(body: bytes, secret: str) -> str:
    """HMAC-SHA256, hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def collection(entities: Sequence[Json]) -> Json:
    """The envelope of lists."""
    return {"entity": "collection", "count": len(entities), "items": list(entities)}


def unknown() -> NoReturn:
    """Nothing has this id.

    Raises:
        RefusedError: always.
    """
    raise RefusedError("The id provided does not exist")


def fail(status: int) -> NoReturn:
    """Something is wrong on their side.

    Raises:
        RefusedError: always.
    """
    code = "BAD_REQUEST_ERROR" if status == 429 else "GATEWAY_ERROR" if status == 502 else "SERVER_ERROR"
    raise RefusedError("We are facing some trouble completing your request at the moment.", status=status, code=code)


def read_object(body: bytes) -> Json:
    """A request's body.

    Raises:
        RefusedError: when it is no object.
    """
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RefusedError("The request body is not a JSON object")
    return read


def whole(value: object) -> int:
    """A number of an entity; 0 where there is none."""
    return value if isinstance(value, int) else 0


def check_amount(amount: object, *, what: str, least: int = LEAST_AMOUNT) -> None:
    """Refuse an amount that is no whole number, or too small.

    Raises:
        RefusedError: likewise, with `what` when it is too small.
    """
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise RefusedError("The amount must be an integer.", field="amount")
    if amount < least:
        raise RefusedError(what, field="amount")


def post(url: str, webhook: Webhook) -> int:
    """Send a webhook; the status of the answer, 0 where nobody answered."""
    request = urllib.request.Request(url, webhook.body, webhook.headers, method="POST")  # noqa: S310 - a test's own
    try:
        with urllib.request.urlopen(request, timeout=_SEND_S) as answer:  # noqa: S310 - likewise
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0
