"""The double's HTTP side: Google's endpoints, and its own under `/double/` for tests and demonstrations."""

import json
import os
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from device_sims.fcm.answers import Answer, Json, RefusedError, fcm_error, google_error
from device_sims.fcm.messages import read_send_request
from device_sims.fcm.oauth import Authority
from device_sims.fcm.phones import Delivery, Phone, Phonebook, foreign_project
from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler

LARGEST_BODY_BYTES = 1_000_000

#: how often the server looks whether it shall stop

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_PHONE = re.compile(r"/double/phones/([^/]+)")


class FcmDouble(LoopbackDouble):
    """Firebase Cloud Messaging for one project, on a thread of its own from `start` to `stop` (or in a `with` block).

    Point firebase-admin at it with `service_account()` and `send_url_pattern`.

    Args:
        port: 0 for any free one.
        key: of the service account; None draws one, which takes a moment.
        token_lifetime_s: of access tokens; Google's are an hour.
        now_s: seconds since 1970; judges assertions and tokens.
    """

    def __init__(
        self,
        project_id: str = "coldfleet-demo",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: rsa.RSAPrivateKey | None = None,
        token_lifetime_s: int = 3599,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.project_id = project_id
        #: requests received, by path
        self.requests: Counter[str] = Counter()
        self._authority = Authority(project_id, key=key, token_lifetime_s=token_lifetime_s, now_s=now_s)
        self._phonebook = Phonebook(project_id, now_s=now_s)
        self._lock = threading.Lock()
        #: (HTTP status, Retry-After in seconds) of the next send requests
        self._failures: deque[tuple[int, int]] = deque()
        self._unavailable = False
        server = _Server((host, port), _Handler)
        server.double = self
        super().__init__(server, "fcm-double")

    @property
    def send_url_pattern(self) -> str:
        """For firebase-admin's `messaging._MessagingService.FCM_URL`; `{0}` stands for the project."""
        return self.url + "/v1/projects/{0}/messages:send"

    @property
    def token_uri(self) -> str:
        """The token endpoint."""
        return f"{self.url}/token"

    def service_account(self) -> dict[str, str]:
        """The service account's key, as the JSON file of a real one."""
        return self._authority.service_account(self.token_uri)

    def write_service_account(self, path: Path) -> None:
        """Write the key file, readable by its owner only."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(self.service_account(), file, indent=1)

    def mint_phone(self, project_id: str | None = None) -> Phone:
        """A phone installs the app and registers (of another project: sending to it is a sender mismatch)."""
        return self._phonebook.mint(project_id)

    def uninstall(self, registration: str) -> bool:
        """The app leaves the phone named by token or FID; False when there is none."""
        return self._phonebook.uninstall(registration)

    def deliveries(self, registration: str | None = None) -> list[Delivery]:
        """What reached the phones, oldest first."""
        return self._phonebook.deliveries(registration)

    def fail_next(self, count: int, status: int, *, retry_after_s: int = 1) -> None:
        """Answer the next `count` send requests with 503 (unavailable) or 429 (quota).

        Raises:
            ValueError: another status, or a negative count.
        """
        if status not in (429, 503) or count < 0:
            raise ValueError("give a count of 0 or more, and status 429 or 503")
        with self._lock:
            self._failures.extend([(status, retry_after_s)] * count)

    def set_unavailable(self, unavailable: bool) -> None:
        """Answer every send request with 503 until switched back."""
        self._unavailable = unavailable

    def expire_tokens(self) -> None:
        """Let every access token handed out so far expire now."""
        self._authority.expire_tokens()

    def answer(self, method: str, target: str, authorization: str | None, body: bytes) -> Answer:
        """Answer one request; `target` is path and query."""
        url = urlsplit(target)
        with self._lock:
            self.requests[url.path] += 1
        try:
            if url.path.startswith("/double/"):
                return self._control(method, url.path, parse_qs(url.query), body)
            if method == "POST" and url.path == "/token":
                return self._authority.exchange(body, self.token_uri)
            send = _SEND.fullmatch(url.path)
            if method == "POST" and send:
                return self._send(unquote(send[1]), authorization, body)
        except RefusedError as error:
            return error.answer
        return google_error(404, "NOT_FOUND", f"{method} {url.path} is not an endpoint of this double.").answer

    def _send(self, project_id: str, authorization: str | None, body: bytes) -> Answer:
        self._authority.check(authorization)
        if project_id != self.project_id:
            raise foreign_project(project_id)
        self._fail_as_told()
        return Answer(200, {"name": self._phonebook.deliver(read_send_request(body))})

    def _fail_as_told(self) -> None:
        with self._lock:
            status, retry_after_s = self._failures.popleft() if self._failures else (0, 0)
        if status == 429:
            raise fcm_error(
                429,
                "RESOURCE_EXHAUSTED",
                "QUOTA_EXCEEDED",
                "Quota exceeded for quota metric 'Messages sent' of service 'fcm.googleapis.com'.",
                headers={"Retry-After": str(retry_after_s)},
            )
        if status == 503 or self._unavailable:
            raise fcm_error(503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable.")

    def _control(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Answer:
        phone = _PHONE.fullmatch(path)
        if (method, path) == ("POST", "/double/phones"):
            project = _json_body(body).get("project_id")
            return Answer(201, self.mint_phone(project if isinstance(project, str) else None).as_json())
        if method == "DELETE" and phone:
            gone = self.uninstall(unquote(phone[1]))
            return Answer(200, {}) if gone else google_error(404, "NOT_FOUND", "No phone has that token.").answer
        if (method, path) == ("GET", "/double/messages"):
            registration = query.get("token", [None])[0]
            return Answer(200, {"messages": [item.as_json() for item in self.deliveries(registration)]})
        if (method, path) == ("POST", "/double/failures"):
            return self._plan_failures(_json_body(body))
        return google_error(404, "NOT_FOUND", f"{method} {path} is not a control of this double.").answer

    def _plan_failures(self, wish: Json) -> Answer:
        unavailable = wish.get("unavailable", self._unavailable)
        count, status, retry_after_s = wish.get("next", 0), wish.get("status", 503), wish.get("retry_after_s", 1)
        if not (
            isinstance(unavailable, bool)
            and isinstance(count, int)
            and isinstance(status, int)
            and isinstance(retry_after_s, int)
            and count >= 0
            and status in (429, 503)
        ):
            raise google_error(
                400, "INVALID_ARGUMENT", 'Send {"next": n, "status": 429 or 503}, or {"unavailable": true or false}.'
            )
        self.set_unavailable(unavailable)
        self.fail_next(count, status, retry_after_s=retry_after_s)
        return Answer(200, {})


def _json_body(body: bytes) -> Json:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise google_error(400, "INVALID_ARGUMENT", "The body is not a JSON object.")
    return document


class _Server(LoopbackServer):
    #: a multicast opens many connections at once
    request_queue_size = 128
    double: FcmDouble


class _Handler(SilentHandler):
    server: _Server

    def serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._reply(google_error(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit.").answer)
            return
        body = self.rfile.read(int(length))
        self._reply(self.server.double.answer(self.command, self.path, self.headers.get("Authorization"), body))

    def _reply(self, answer: Answer) -> None:
        payload = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
