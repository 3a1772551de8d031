"""A double of Twilio's Programmable Messaging on loopback: one account that takes messages and keeps them.

It speaks `POST` and `GET /2010-04-01/Accounts/{Sid}/Messages.json` (and one message by its SID), and refuses what the
real one refuses, with its codes. Sources: reference of the Message resource and "Twilio API responses"; the magic
numbers are those of "Test credentials". Numbers are judged by their form (E.164) only: no numbering plan is known here.
"""

import base64
import binascii
import json
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler

Json = dict[str, object]

API = "2010-04-01"
LARGEST_BODY_BYTES = 100_000
LONGEST_MESSAGE = 1600
LONGEST_WAIT_S = 36_000
#: with Twilio's test credentials the only number that may send
MAGIC_SENDER = "+15005550006"

_LIST = re.compile(rf"/{API}/Accounts/([^/]+)/Messages\.json")
_ONE = re.compile(rf"/{API}/Accounts/([^/]+)/Messages/([^/]+)\.json")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_EXTENDED = frozenset("^{}\\[~]|€")

_SENDERS: dict[str, tuple[int, int, str]] = {
    "+15005550001": (
        400,
        21212,
        "The 'From' number {} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    ),
    "+15005550007": (
        400,
        21606,
        "The From phone number {} is not a valid, SMS-capable inbound phone number or short code for your account.",
    ),
    "+15005550008": (429, 21611, "This 'From' number has exceeded the maximum number of queued messages"),
}
_RECEIVERS: dict[str, tuple[int, int, str]] = {
    "+15005550001": (400, 21211, "Invalid 'To' Phone Number: {}"),
    "+15005550002": (
        400,
        21612,
        "The 'To' phone number: {}, is not currently reachable using the 'From' phone number.",
    ),
    "+15005550003": (
        400,
        21408,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {}",
    ),
    "+15005550004": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (400, 21614, "'To' number is not a valid mobile number: {}"),
}
_FAILURES = {
    429: (20429, "Too Many Requests"),
    500: (20500, "An internal server error has occurred"),
    503: (20503, "Service is unavailable. Please try again."),
}


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: Json


class RefusedError(Exception):
    """The request is refused; carries the answer."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        more_info = f"https://www.twilio.com/docs/errors/{code}"
        self.answer = Answer(status, {"code": code, "message": message, "more_info": more_info, "status": status})


@dataclass(frozen=True)
class Message:
    """A message as the account keeps it."""

    sid: str
    to: str
    sender: str
    body: str
    segments: int
    #: how long it may wait in the queue
    validity_period_s: int
    created_at: datetime

    def as_json(self, account_sid: str) -> Json:
        """The Message resource as Twilio shows it just after it was made."""
        created = format_datetime(self.created_at)
        path = f"/{API}/Accounts/{account_sid}/Messages/{self.sid}"
        return {
            "account_sid": account_sid,
            "api_version": API,
            "body": self.body,
            "date_created": created,
            "date_sent": None,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(self.segments),
            "price": None,
            "price_unit": None,
            "sid": self.sid,
            "status": "queued",
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": self.to,
            "uri": f"{path}.json",
        }


class TwilioDouble(LoopbackDouble):
    """One Twilio account, on a thread of its own from `start` to `stop` (or in a `with` block).

    Args:
        port: 0 for any free one.
        account_sid: `AC` and 32 hexadecimal digits; drawn when empty.
        auth_token: the account's secret; drawn when empty.
        numbers: what the account may send from.
        verified: a trial account reaches these numbers only; None for an account that was upgraded.
        now: the instant that messages carry.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        account_sid: str = "",
        auth_token: str = "",
        numbers: frozenset[str] = frozenset({MAGIC_SENDER}),
        verified: frozenset[str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.account_sid = account_sid or f"AC{secrets.token_hex(16)}"
        self.auth_token = auth_token or secrets.token_hex(16)
        self._numbers = numbers
        self._verified = verified
        self._now = now
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        #: HTTP status of the next sends
        self._failures: deque[int] = deque()
        server = _Server((host, port), _Handler)
        server.double = self
        super().__init__(server, "twilio-double")

    def messages(self, to: str | None = None) -> list[Message]:
        """What was taken, oldest first: to everybody, or to one number."""
        with self._lock:
            return [message for message in self._messages if to in (None, message.to)]

    def fail_next(self, count: int, status: int) -> None:
        """Answer the next `count` sends with 429 (rate limit), 500 or 503.

        Raises:
            ValueError: another status, or a negative count.
        """
        if status not in _FAILURES or count < 0:
            raise ValueError("give a count of 0 or more, and status 429, 500 or 503")
        with self._lock:
            self._failures.extend([status] * count)

    def answer(self, method: str, target: str, authorization: str | None, content_type: str, body: bytes) -> Answer:
        """Answer one request; `target` is path and query."""
        url = urlsplit(target)
        try:
            self._authenticate(authorization)
            found = _LIST.fullmatch(url.path) or _ONE.fullmatch(url.path)
            if found is None or found[1] != self.account_sid:
                raise _not_found(url.path)
            if found.re is _ONE:
                return self._show(method, url.path, found[2])
            if method == "POST":
                return self._send(_form(content_type, body))
            if method == "GET":
                return Answer(200, self._list(url.path, dict(parse_qsl(url.query))))
            raise RefusedError(405, 20004, "Method not allowed")
        except RefusedError as refusal:
            return refusal.answer

    def _authenticate(self, authorization: str | None) -> None:
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            raise RefusedError(401, 20003, "Authentication Error - No credentials provided")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            given = b""
        if not secrets.compare_digest(given, f"{self.account_sid}:{self.auth_token}".encode()):
            raise RefusedError(401, 20003, "Authenticate")

    def _show(self, method: str, path: str, sid: str) -> Answer:
        if method != "GET":
            raise RefusedError(405, 20004, "Method not allowed")
        for message in self.messages():
            if message.sid == sid:
                return Answer(200, message.as_json(self.account_sid))
        raise _not_found(path)

    def _list(self, path: str, query: dict[str, str]) -> Json:
        """A page of messages, the newest first, in the envelope of Twilio's lists."""
        size, number = _whole(query.get("PageSize"), 50, 1, 1000), _whole(query.get("Page"), 0, 0, 10**6)
        chosen = [
            message
            for message in reversed(self.messages())
            if query.get("To") in (None, message.to) and query.get("From") in (None, message.sender)
        ]
        start, shown = number * size, chosen[number * size : (number + 1) * size]

        def uri(page: int) -> str:
            return f"{path}?{urlencode({**query, 'PageSize': size, 'Page': page})}"

        return {
            "messages": [message.as_json(self.account_sid) for message in shown],
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + max(len(shown) - 1, 0),
            "uri": uri(number),
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if start + size < len(chosen) else None,
            "previous_page_uri": uri(number - 1) if number else None,
        }

    def _send(self, form: dict[str, str]) -> Answer:
        with self._lock:
            failure = self._failures.popleft() if self._failures else 0
        if failure:
            raise RefusedError(failure, *_FAILURES[failure])
        to, sender, body = _number(form.get("To", "")), _number(form.get("From", "")), form.get("Body", "")
        _judge_presence(to, sender, body)
        self._judge_sender(sender)
        self._judge_receiver(to, sender)
        if self._verified is not None:
            body = f"Sent from your Twilio trial account - {body}"
        message = Message(
            sid=f"SM{secrets.token_hex(16)}",
            to=to,
            sender=sender,
            body=body,
            segments=_segments(body),
            validity_period_s=_whole(form.get("ValidityPeriod"), LONGEST_WAIT_S, 1, LONGEST_WAIT_S),
            created_at=self._now(),
        )
        with self._lock:
            self._messages.append(message)
        return Answer(201, message.as_json(self.account_sid))

    def _judge_sender(self, sender: str) -> None:
        if sender in _SENDERS:
            status, code, text = _SENDERS[sender]
            raise RefusedError(status, code, text.format(sender))
        if not _E164.fullmatch(sender):
            status, code, text = _SENDERS["+15005550001"]
            raise RefusedError(status, code, text.format(sender))
        if sender not in self._numbers:
            status, code, text = _SENDERS["+15005550007"]
            raise RefusedError(status, code, text.format(sender))

    def _judge_receiver(self, to: str, sender: str) -> None:
        """Twilio hides the end of a number that it names in a refusal."""
        hidden = f"{to[:-4]}XXXX"
        if to in _RECEIVERS or not _E164.fullmatch(to):
            status, code, text = _RECEIVERS.get(to, _RECEIVERS["+15005550001"])
            raise RefusedError(status, code, text.format(hidden))
        if to == sender:
            raise RefusedError(400, 21266, f"'To' and 'From' number cannot be the same: {hidden}")
        if self._verified is not None and to not in self._verified:
            raise RefusedError(
                400,
                21608,
                f"The number {hidden} is unverified. Trial accounts cannot send messages to unverified numbers; verify "
                f"{hidden} at twilio.com/user/account/phone-numbers/verified, or purchase a Twilio number to send "
                "messages to unverified numbers",
            )


def _not_found(path: str) -> RefusedError:
    return RefusedError(404, 20404, f"The requested resource {path} was not found")


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The form's fields; of anything else than a form Twilio sees no field at all."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _number(text: str) -> str:
    return re.sub(r"[\s().-]", "", text)


def _whole(text: str | None, default: int, least: int, most: int) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(max(int(text[:9]), least), most)


def _judge_presence(to: str, sender: str, body: str) -> None:
    if not to:
        raise RefusedError(400, 21604, "A 'To' phone number is required.")
    if not sender:
        raise RefusedError(400, 21603, "A 'From' phone number is required.")
    if not body.strip():
        raise RefusedError(400, 21602, "Message body is required.")
    if len(body) > LONGEST_MESSAGE:
        raise RefusedError(400, 21617, "The concatenated message body exceeds the 1600 character limit")


def _segments(body: str) -> int:
    """How many parts travel: 160 septets in one or 153 in each of several; beyond GSM 7-bit 70 and 67 of UCS-2."""
    if all(letter in _GSM_7 or letter in _GSM_7_EXTENDED for letter in body):
        length, alone, each = sum(2 if letter in _GSM_7_EXTENDED else 1 for letter in body), 160, 153
    else:
        length, alone, each = len(body.encode("utf-16-be", "replace")) // 2, 70, 67
    return 1 if length <= alone else -(-length // each)


class _Server(LoopbackServer):
    double: TwilioDouble


class _Handler(SilentHandler):
    server: _Server

    def serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._reply(RefusedError(413, 20413, "Request entity too large").answer)
            return
        body = self.rfile.read(int(length))
        authorization, content_type = self.headers.get("Authorization"), self.headers.get("Content-Type", "")
        self._reply(self.server.double.answer(self.command, self.path, authorization, content_type, body))

    def _reply(self, answer: Answer) -> None:
        payload = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Twilio-Request-Id", f"RQ{secrets.token_hex(16)}")
        if answer.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Twilio API"')
        self.end_headers()
        self.wfile.write(payload)
