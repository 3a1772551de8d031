"""SMS through Twilio's own library: one-time codes, and what people are told.

`TwilioSms` is the library with our timeout and, for a double, another address; `send_sms_code` is the outbox effect.
It may happen twice: the phone then gets the same code twice. Of a refusal we keep Twilio's code, never its words: they
repeat the number.

Tried again, while the code still works: what concerns the moment (20429, 21611, 5xx, no connection). Final: what
concerns the number (21211, 21610, 21614, ...), and a refused account (20003), which takes longer to mend than a code
lives.
"""

import asyncio
import logging
import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from cloud_api.identity.events import SmsCodeDue
from cloud_api.kernel import clock, vault
from cloud_api.kernel.db import Database
from cloud_api.kernel.settings import Settings

log = structlog.get_logger(__name__)

SMS_CODES = Counter("coldfleet_sms_codes_total", "One-time codes by SMS, by what became of them", ["outcome"])

#: a round of the outbox waits for its effects
TIMEOUT_S = 10.0
#: rate limit; queue of the sender full
_FOR_NOW = frozenset({20429, 21611})
#: what Twilio accepts as the time a message may wait in its queue
_LONGEST_WAIT_S = 36_000
#: a number's newest messages
_LOOKED_THROUGH = 50
_CLOCKS_APART = timedelta(minutes=2)

# the library tells of every request at INFO, in six lines
_library_log = logging.getLogger("twilio")
_library_log.setLevel(logging.WARNING)


class SmsUnavailable(Exception):
    """Twilio did not take the message for now: it is tried again."""


class SmsRefused(Exception):
    """Twilio will not take the message."""


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """The library's HTTP client; for another address it wants a client of one's own."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, logger=_library_log)
        self._address = urlsplit(url) if url else None

    def request(self, method: str, url: str, *arguments: object, **options: object) -> object:
        """As the library asks, at our address when there is one."""
        if self._address is not None:
            url = urlsplit(url)._replace(scheme=self._address.scheme, netloc=self._address.netloc).geturl()
        return super().request(method, url, *arguments, **options)


class TwilioSms:
    """One account, one number that messages come from."""

    def __init__(
        self, account_sid: str, auth_token: str, sender: str, *, url: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        """`url` replaces Twilio's own, for a double that speaks the same protocol."""
        # the library counts connecting and reading apart
        self._http = _HttpClient(url, timeout_s=timeout_s / 2)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._sender = sender
        self._timeout_s = timeout_s

    async def send(self, to: str, body: str, *, wait_s: int) -> str:
        """Hand a message to Twilio, which may keep it `wait_s` in its queue. Returns what Twilio calls it.

        Raises:
            SmsUnavailable: when another try may succeed.
            SmsRefused: when none will.
        """
        wait_s = max(1, min(wait_s, _LONGEST_WAIT_S))
        try:
            async with asyncio.timeout(self._timeout_s):
                # in a thread: the library's asynchronous client leans on what aiohttp is about to remove
                message = await asyncio.to_thread(
                    self._client.messages.create, to=to, from_=self._sender, body=body, validity_period=wait_s
                )
        except TwilioRestException as error:
            for_now = error.code in _FOR_NOW or error.status == 429 or error.status >= 500
            raise (SmsUnavailable if for_now else SmsRefused)(f"Twilio {error.status} {error.code}") from None
        except TimeoutError:
            raise SmsUnavailable(f"Twilio took longer than {self._timeout_s:g} s") from None
        except OSError as error:  # whatever `requests` raises is one
            raise SmsUnavailable(f"Twilio: {type(error).__name__}") from None
        return str(message.sid)

    async def find(self, to: str, body: str, *, since: datetime) -> list[str]:
        """What Twilio calls the messages of these words that it took for a number since then, the newest first.

        Raises:
            SmsUnavailable: when Twilio does not answer.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                taken = await asyncio.to_thread(self._client.messages.list, to=to, limit=_LOOKED_THROUGH)
        except (TwilioRestException, TimeoutError, OSError) as error:
            raise SmsUnavailable(f"Twilio did not say what it took: {type(error).__name__}") from None
        # its clock is not ours, and tells whole seconds
        return [str(one.sid) for one in taken if one.body == body and one.date_created >= since - _CLOCKS_APART]

    def close(self) -> None:
        """Close the connections."""
        self._http.session.close()


def open_sms(settings: Settings) -> TwilioSms | None:
    """The account that the settings name; None when they name none.

    Raises:
        ValueError: when they name one in part.
    """
    given = {
        "COLDFLEET_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "COLDFLEET_TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
        "COLDFLEET_TWILIO_FROM": settings.twilio_from,
    }
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ValueError(f"a Twilio account needs {' and '.join(missing)} too")
    return TwilioSms(*given.values(), url=settings.twilio_url)


async def send_sms_code(
    sms: TwilioSms | None, _database: Database, _organization_id: uuid.UUID, event: SmsCodeDue
) -> None:
    """Send a code to the phone of somebody who signs in, unless it works no more.

    Raises:
        SmsUnavailable: when it has to be tried again.
        WrongKey: when no known key opens the code.
    """
    left_s = int((event.expires_at - clock.now()).total_seconds())
    if left_s <= 0:
        SMS_CODES.labels("expired").inc()
        log.warning("sms_code_expired", expires_at=event.expires_at.isoformat())
        return
    if sms is None:
        SMS_CODES.labels("unconfigured").inc()
        log.warning("sms_code_not_sent", reason="no Twilio account: set COLDFLEET_TWILIO_ACCOUNT_SID and its others")
        return
    try:
        message = await sms.send(event.to, _body(vault.current().open(event.sealed_code), left_s), wait_s=left_s)
    except SmsRefused as refusal:
        SMS_CODES.labels("refused").inc()
        log.error("sms_code_refused", reason=str(refusal))
        return
    SMS_CODES.labels("sent").inc()
    log.info("sms_code_sent", message=message)


def _body(code: str, left_s: int) -> str:
    """One segment of plain GSM letters; the code stands first, where a phone's preview shows it."""
    minutes = max(1, left_s // 60)
    return f"{code} is your Coldfleet code. It works for {minutes} min. Give it to nobody: we never ask for it."
