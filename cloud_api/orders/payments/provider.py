"""Razorpay through its own library: orders, captures, refunds, and what it signs.

`Razorpay` is the library with our timeout and, for a double, another address. Nothing of it runs inside a unit of work.
Each call can be made again: an order is found by its receipt, a capture that was made is seen, a refund carries an
idempotency key. Receipts and keys are the ids of our rows: one account serves all organisations.

Sources: Razorpay's references of Orders, Payments, Refunds ("Create a Normal Refund, Idempotent Request": the header
`X-Refund-Idempotency`), and "Validate and Test Webhooks" (raw body, `X-Razorpay-Signature`, `X-Razorpay-Event-Id`).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from razorpay import Client
from razorpay.errors import BadRequestError, GatewayError, ServerError, SignatureVerificationError

from cloud_api.kernel.settings import Settings

R = TypeVar("R")
#: the library's calls are synchronous; a customer waits for them
TIMEOUT_S = 10.0
#: our key is not (yet) the right one, it is at work on the same, it asks for patience
_FOR_NOW = frozenset({401, 409, 429})


class RazorpayAway(Exception):
    """Razorpay does not answer, or not now: another try may succeed."""


class RazorpayRefused(Exception):
    """Razorpay will not do it; carries its words."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A customer's attempt to pay, as Razorpay tells it."""

    payment_id: str
    order_id: str
    amount_minor: int
    currency: str
    #: created, authorized, captured, refunded or failed
    status: str
    #: card, upi, netbanking, wallet ...
    method: str
    failure: str

    @property
    def is_captured(self) -> bool:
        """Whether the money is ours, or was before it went back."""
        return self.status in {"captured", "refunded"}

    @property
    def our_method(self) -> str:
        """As payments have it."""
        return self.method if self.method in {"card", "upi"} else "online"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back, as Razorpay tells it."""

    refund_id: str
    payment_id: str
    amount_minor: int
    #: pending, processed or failed
    status: str
    #: the id of our row; empty: somebody made it elsewhere
    receipt: str


class _Session(requests.Session):
    """What the library sends by: with a timeout, and without its way to print what went wrong."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """As the library asks.

        Raises:
            RazorpayAway: when nothing, or nothing that can be read, comes back.
        """
        try:
            answer = super().request(*arguments, **{"timeout": self._timeout_s, **options})
            if answer.status_code in _FOR_NOW or answer.status_code >= 500:
                raise RazorpayAway(f"Razorpay answered {answer.status_code}")
            answer.json()
        except requests.RequestException as error:
            raise RazorpayAway(f"Razorpay: {type(error).__name__}") from None
        return answer


class Razorpay:
    """One account."""

    def __init__(
        self, key_id: str, key_secret: str, webhook_secret: str, *, url: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        """`url` replaces Razorpay's own, for a double that speaks the same protocol."""
        self.key_id = key_id
        self._webhook_secrets = [secret.strip() for secret in webhook_secret.split(",") if secret.strip()]
        self._session = _Session(timeout_s / 2)
        options = {"base_url": url} if url else {}
        self._client = Client(session=self._session, auth=(key_id, key_secret), **options)
        self._timeout_s = timeout_s

    async def open_order(
        self, *, receipt: str, amount_minor: int, currency: str, notes: Mapping[str, str], again: bool
    ) -> str:
        """An order for a customer to pay; Razorpay's name for it.

        Args:
            receipt: ours, at most 40 characters.
            again: it may have been made before: then it is looked for first.

        Raises:
            RazorpayAway, RazorpayRefused: as their names say.
        """
        if again:
            found = await self._call(self._client.order.all, {"receipt": receipt})
            for order in found["items"]:
                if order.get("receipt") == receipt and order["amount"] == amount_minor:
                    return str(order["id"])
        wanted = {"amount": amount_minor, "currency": currency, "receipt": receipt, "notes": dict(notes)}
        return str((await self._call(self._client.order.create, wanted))["id"])

    async def attempts(self, order_id: str) -> list[Attempt]:
        """What was tried to pay an order.

        Raises:
            RazorpayAway, RazorpayRefused: as their names say.
        """
        return [attempt_of(entity) for entity in (await self._call(self._client.order.payments, order_id))["items"]]

    async def collect(self, payment_id: str, *, order_id: str, amount_minor: int, currency: str) -> Attempt:
        """What became of an attempt; captured now if it waits for that, and is what we asked for.

        Raises:
            RazorpayAway, RazorpayRefused: as their names say.
        """
        attempt = attempt_of(await self._call(self._client.payment.fetch, payment_id))
        fits = (attempt.order_id, attempt.amount_minor, attempt.currency) == (order_id, amount_minor, currency)
        if attempt.status != "authorized" or not fits:
            return attempt
        try:
            captured = await self._call(self._client.payment.capture, payment_id, amount_minor, {"currency": currency})
        except RazorpayRefused:
            # somebody was quicker, or the customer's bank took it back: Razorpay knows
            return attempt_of(await self._call(self._client.payment.fetch, payment_id))
        return attempt_of(captured)

    async def refund(self, payment_id: str, *, receipt: str, amount_minor: int, notes: Mapping[str, str]) -> Refund:
        """Give money back; the same receipt twice is one refund.

        Raises:
            RazorpayAway, RazorpayRefused: as their names say.
        """
        wanted = {"amount": amount_minor, "speed": "normal", "receipt": receipt, "notes": dict(notes)}
        headers = {"X-Refund-Idempotency": receipt}
        return refund_of(await self._call(self._client.payment.refund, payment_id, wanted, headers=headers))

    def signed_payment(self, *, order_id: str, payment_id: str, signature: str) -> bool:
        """Whether Razorpay signed that this attempt paid that order."""
        return self._verified(
            self._client.utility.verify_payment_signature,
            {"razorpay_order_id": order_id, "razorpay_payment_id": payment_id, "razorpay_signature": signature},
        )

    def signed_webhook(self, body: bytes, signature: str) -> bool:
        """Whether Razorpay sent this body, as it came."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        verify = self._client.utility.verify_webhook_signature
        return signature.isascii() and any(
            self._verified(verify, text, signature, secret) for secret in self._webhook_secrets
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @staticmethod
    def _verified(verify: Callable[..., object], *arguments: object) -> bool:
        try:
            return bool(verify(*arguments))
        except SignatureVerificationError:
            return False

    async def _call(self, ask: Callable[..., Any], *arguments: object, **options: object) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.to_thread(ask, *arguments, **options)
        except BadRequestError as error:
            raise RazorpayRefused(str(error)) from None
        except (GatewayError, ServerError) as error:
            raise RazorpayAway(f"Razorpay: {error}") from None
        except TimeoutError:
            raise RazorpayAway(f"Razorpay took longer than {self._timeout_s:g} s") from None
        if not isinstance(answer, dict):
            raise RazorpayAway("Razorpay answered something else than an object")
        return answer


def attempt_of(entity: Mapping[str, Any]) -> Attempt:
    """A payment entity of an answer or a webhook.

    Raises:
        KeyError, TypeError, ValueError: when it is none.
    """
    return Attempt(
        payment_id=str(entity["id"]),
        order_id=str(entity.get("order_id") or ""),
        amount_minor=int(entity["amount"]),
        currency=str(entity["currency"]),
        status=str(entity["status"]),
        method=str(entity.get("method") or ""),
        failure=str(entity.get("error_description") or ""),
    )


def refund_of(entity: Mapping[str, Any]) -> Refund:
    """A refund entity of an answer or a webhook.

    Raises:
        KeyError, TypeError, ValueError: when it is none.
    """
    return Refund(
        refund_id=str(entity["id"]),
        payment_id=str(entity["payment_id"]),
        amount_minor=int(entity["amount"]),
        status=str(entity.get("status") or "processed"),
        receipt=str(entity.get("receipt") or ""),
    )


def open_razorpay(settings: Settings) -> Razorpay | None:
    """The account that the settings name; None when they name none.

    Raises:
        ValueError: when they name one in part.
    """
    given = {
        "COLDFLEET_RAZORPAY_KEY_ID": settings.razorpay_key_id,
        "COLDFLEET_RAZORPAY_KEY_SECRET": settings.razorpay_key_secret.get_secret_value(),
        "COLDFLEET_RAZORPAY_WEBHOOK_SECRET": settings.razorpay_webhook_secret.get_secret_value(),
    }
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ValueError(f"a Razorpay account needs {' and '.join(missing)} too")
    return Razorpay(*given.values(), url=settings.razorpay_url)
