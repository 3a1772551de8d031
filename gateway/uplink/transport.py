"""HTTP to one server: blocking exchanges in threads, deadlines kept by the event loop.

The standard library's client is what a gateway has in memory anyway; an asynchronous one costs 6 MB more. A thread
also packs the body, so that the event loop, and with it the sensors' acknowledgements, is not held up.

A connection is given back only after a whole answer: what comes on it next is the answer to what is asked next. One
that was idle for long may be dead without anybody having said so, and is not used again.
"""

import asyncio
import base64
import http.client
import logging
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.config import CloudSettings
from gateway.errors import ConfigError

_log = logging.getLogger(__name__)

#: couriers, the heartbeat, and what it brings
_THREADS = 6
#: home routers forget a silent connection after some minutes, the worst after half a minute
_LONGEST_IDLE_S = 25.0
_LARGEST_ANSWER_BYTES = 8_000_000
#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME and X509_V_ERR_CERT_NOT_YET_VALID
_NO_CHECK_TIME = 0x200000
_NOT_YET_VALID = 9


class Answer(NamedTuple):
    """What the server has said, whatever it is."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes
    #: of the request's body, as it travelled
    sent_bytes: int
    #: from sending the request until the answer was read; the connection was there
    took_s: float


class NoAnswer(Exception):
    """No whole answer has come. The server may have done what it was asked, or may do so later."""


class _Proxy(NamedTuple):
    host: str
    port: int
    headers: dict[str, str]


class _Call:
    """One exchange, in a thread; the event loop may give it up."""

    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: Callable[[], bytes] | None) -> None:
        self.method = method
        self.path = path
        self.headers = dict(headers)
        self.body = body
        self.connection: http.client.HTTPConnection | None = None
        self.is_given_up = False
        self.is_reusable = False

    def give_up(self) -> None:
        """Wake the thread, wherever it waits; it sends nothing more."""
        self.is_given_up = True
        connection = self.connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):  # it was closed in the meantime
                # Not the TLS socket's own method: that is for the thread that reads from it.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Its connection is not to be used any more."""
        if self.connection is not None:
            self.connection.close()


class Transport:
    """Exchanges with the server of `cloud.url`."""

    def __init__(self, settings: CloudSettings, environment: Mapping[str, str] = os.environ) -> None:
        """Raises ConfigError when the address, a certificate or a proxy cannot be used."""
        self._url = _parse(settings.url)
        self._timeout_s = settings.timeout_s
        self._tls = _tls(settings) if self._url.scheme == "https" else None
        self._settings = settings
        self._proxy = _proxy(self._url, environment)
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._calls: set[_Call] = set()
        self._threads = ThreadPoolExecutor(_THREADS, "cloud")
        #: whether anybody on the way can read what is said
        self.is_public = self._tls is None and not _is_loopback(self._url)
        if self.is_public:
            _log.warning("cloud.url is plain http: readings and the secret can be read on the way; use https")

    @property
    def address(self) -> str:
        """The server, for messages."""
        return f"{self._url.scheme}://{self._url.netloc}"

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: Callable[[], bytes] | None = None
    ) -> Answer:
        """Ask, and wait for the whole answer, at most `cloud.timeout_s`.

        Args:
            body: makes the request's body, in a thread.

        Raises:
            NoAnswer: says why.
        """
        call = _Call(method, path, headers, body)
        call.connection = self._take_idle()
        self._calls.add(call)
        job = self._threads.submit(self._run, call)
        is_answered = False
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.wrap_future(job)
            is_answered = True
        except TimeoutError:
            raise NoAnswer(f"nothing within {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(_explain(error)) from None
        finally:
            self._calls.discard(call)
            if not is_answered:
                call.give_up()
                job.add_done_callback(lambda _: call.close())
        if call.is_reusable and call.connection is not None:
            self._idle.append((time.monotonic(), call.connection))
        return answer

    def close(self) -> None:
        """Give up what is under way, and close the connections."""
        for call in self._calls:
            call.give_up()
        for _, connection in self._idle:
            connection.close()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take_idle(self) -> http.client.HTTPConnection | None:
        """The connection that was used last: it is the least likely to be dead."""
        now_s = time.monotonic()
        while self._idle and now_s - self._idle[0][0] > _LONGEST_IDLE_S:
            self._idle.pop(0)[1].close()
        return self._idle.pop()[1] if self._idle else None

    # in a thread

    def _run(self, call: _Call) -> Answer:
        try:
            body = call.body() if call.body is not None else None
            kept = call.connection
            if kept is not None and _is_open(kept):
                try:
                    return self._ask(call, kept, body)
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    # The server has closed it before it saw the request, as a rule; whatever we ask, we may ask twice.
                    if call.is_given_up:
                        raise
            if kept is not None:
                kept.close()
            call.connection = fresh = self._connect(call, self._tls)
            if call.is_given_up:
                raise ConnectionAbortedError("given up")
            return self._ask(call, fresh, body)
        finally:
            if not call.is_reusable:
                call.close()

    def _ask(self, call: _Call, connection: http.client.HTTPConnection, body: bytes | None) -> Answer:
        started_s = time.monotonic()
        connection.request(call.method, self._target(call.path), body=body, headers=self._headers(call.headers))
        response = connection.getresponse()
        content = response.read(_LARGEST_ANSWER_BYTES + 1)
        if len(content) > _LARGEST_ANSWER_BYTES:
            raise http.client.HTTPException(f"an answer of more than {_LARGEST_ANSWER_BYTES} bytes")
        if response.length:
            raise http.client.IncompleteRead(content, response.length)
        took_s = time.monotonic() - started_s
        call.is_reusable = not response.will_close and not call.is_given_up
        return Answer(response.status, response.reason, response.headers, content, len(body or b""), took_s)

    def _connect(self, call: _Call, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        proxy = self._proxy
        server = (host, port) if proxy is None else (proxy.host, proxy.port)
        connection: http.client.HTTPConnection
        if tls is None:
            connection = http.client.HTTPConnection(*server, timeout=self._timeout_s)
        else:
            connection = http.client.HTTPSConnection(*server, timeout=self._timeout_s, context=tls)
            if proxy is not None:
                connection.set_tunnel(host, port or 443, proxy.headers)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            if error.verify_code != _NOT_YET_VALID or tls is not self._tls or call.is_given_up:
                raise
            # The box woke up in the past, and only the cloud can tell it the time. A certificate that begins later
            # than our now has not ended by then either.
            tolerant = _tls(self._settings)
            tolerant.verify_flags |= _NO_CHECK_TIME
            return self._connect(call, tolerant)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        return connection

    def _target(self, path: str) -> str:
        """A proxy is asked for the whole address."""
        return self.address + path if self._proxy is not None and self._tls is None else path

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        is_plain_proxy = self._proxy is not None and self._tls is None
        return {**headers, **self._proxy.headers} if self._proxy is not None and is_plain_proxy else dict(headers)


def _parse(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.rstrip("/"))
        if not parts.hostname or parts.port == 0:
            raise ValueError("no host")
    except ValueError as error:
        raise ConfigError(f"cloud.url {url!r} is no address ({error}): correct it.") from None
    return parts


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _tls(settings: CloudSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise ConfigError(f"cloud.ca_file {settings.ca_file!r} cannot be used ({error}): correct it.") from None
    if settings.certificate_file:
        try:
            context.load_cert_chain(settings.certificate_file, settings.key_file or None)
        except OSError as error:
            raise ConfigError(
                f"cloud.certificate_file {settings.certificate_file!r} cannot be used with cloud.key_file "
                f"{settings.key_file!r} ({error}): correct them."
            ) from None
    return context


def _proxy(url: SplitResult, environment: Mapping[str, str]) -> _Proxy | None:
    """What `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say; small letters win."""
    told = {
        name.lower().removesuffix("_proxy"): value
        for name, value in sorted(environment.items())
        if name.lower().endswith("_proxy")
    }
    address = told.get(url.scheme) or told.get("all")
    if not address or _is_loopback(url) or _is_excepted(url.hostname or "", told.get("no", "")):
        return None
    try:
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        if proxy.scheme != "http" or not proxy.hostname:
            raise ValueError("only http://host:port is understood")
        port = proxy.port or 80
    except ValueError as error:
        raise ConfigError(f"the environment's {url.scheme}_proxy cannot be used ({error}): correct it.") from None
    headers = {}
    if proxy.username is not None:
        words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(words.encode()).decode()
    return _Proxy(proxy.hostname, port, headers)


def _is_excepted(host: str, no_proxy: str) -> bool:
    """Names and what ends in them, separated by commas; `*` is all."""
    names = [name.strip().lstrip(".").lower() for name in no_proxy.split(",")]
    return "*" in names or any(name and (host == name or host.endswith(f".{name}")) for name in names)


def _is_open(connection: http.client.HTTPConnection) -> bool:
    """Whether a kept connection still seems usable: nothing has come on it, not even its end."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def _explain(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not believed ({error.verify_message}): set cloud.ca_file to the authority that has "
            "signed it, and see that the clock is right"
        )
    return f"{type(error).__name__} {error}".strip()
