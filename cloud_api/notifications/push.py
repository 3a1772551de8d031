"""Pushes through Firebase Cloud Messaging, by Google's own library.

`FcmPush` is the library with our timeouts; `push_notification` is the outbox effect that uses it: it reads in one
unit of work, sends outside any, and writes down in another what became of each phone. A message carries its
notification's id, by which the app recognises a repeat; and its matter's key, by which a phone shows of one matter the
newest only. FCM itself keeps at most four such keys for a phone that is off.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import firebase_admin
import structlog
from firebase_admin import credentials, exceptions, messaging
from google.auth.transport import requests
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.notifications.events import NotificationWritten
from cloud_api.notifications.models import Notification, Phone, PushDelivery

log = structlog.get_logger(__name__)

#: the library tries five times: together they must end before the outbox's lease of a minute does
_TIMEOUT_S = 5
#: a phone that is off for longer learns it from its list; what is urgent is told again until somebody answers
_TTL = timedelta(days=1)
#: of the 4,096 that FCM takes for text and data together
_LONGEST_TEXT_BYTES = 2_500


class PushUnavailable(Exception):
    """The push service did not take some message for now: it is tried again."""


@dataclass(frozen=True)
class PushOutcome:
    """What FCM said to one phone's message."""

    sent: bool
    detail: str
    #: the app is no longer on this phone
    gone: bool = False
    #: another try may succeed
    transient: bool = False


class FcmPush:
    """A connection to FCM for one service account."""

    def __init__(self, service_account: Path, *, url: str = "") -> None:
        """`url` replaces Google's own, for a double that speaks the same protocol."""
        certificate = credentials.Certificate(str(service_account))
        self._access = certificate.get_credential()
        self._signing_in = asyncio.Lock()
        self._app = firebase_admin.initialize_app(certificate, {"httpTimeout": _TIMEOUT_S}, name=uuid.uuid4().hex)
        # the library lets nobody set its address or close its connections in public: this is why its version is pinned
        self._service = messaging._get_messaging_service(self._app)
        if url:
            self._service._fcm_url = f"{url}/v1/projects/{self._app.project_id}/messages:send"

    async def send(self, notification: Notification, registrations: Sequence[str]) -> list[PushOutcome]:
        """Send one notification to each registration; the outcomes stand in their order."""
        messages = [_message(notification, registration) for registration in registrations]
        await self._sign_in()
        batch = await messaging.send_each_async(messages, app=self._app)
        return [_outcome(response) for response in batch.responses]

    async def close(self) -> None:
        """Forget the service account."""
        await self._service._async_client.aclose()
        # in a thread: the library closes the same connections once more, in an event loop of its own
        await asyncio.to_thread(firebase_admin.delete_app, self._app)

    async def _sign_in(self) -> None:
        """Have an access token: the library would fetch it with a request that stops the event loop."""
        async with self._signing_in:
            if not self._access.valid:
                await asyncio.to_thread(self._access.refresh, requests.Request())


def _message(notification: Notification, registration: str) -> messaging.Message:
    """High priority wakes a phone from its sleep, which Google takes away from who does it for every trifle."""
    matter = notification.collapse_key or str(notification.id)
    title, body = notification.title, _cut(notification.message)
    loud = None if notification.silent else "default"
    expires = round((clock.machine_now() + _TTL).timestamp())
    headers = {
        "apns-priority": "10" if notification.urgent else "5",
        "apns-collapse-id": matter,
        "apns-expiration": str(expires),
    }
    return messaging.Message(
        fid=registration,
        notification=messaging.Notification(title, body),
        data={
            **{key: str(value) for key, value in notification.data.items()},
            "notification_id": str(notification.id),
            "subject": notification.subject,
            "severity": notification.severity,
        },
        android=messaging.AndroidConfig(
            priority="high" if notification.urgent else "normal",
            collapse_key=matter,
            ttl=_TTL,
            notification=messaging.AndroidNotification(
                tag=matter,
                sound=loud,
                channel_id="urgent" if notification.urgent else "silent" if notification.silent else "usual",
            ),
        ),
        apns=messaging.APNSConfig(headers, messaging.APNSPayload(messaging.Aps(sound=loud, thread_id=matter))),
    )


def _cut(text: str) -> str:
    """As much as FCM takes; the whole stands in the list."""
    if len(text.encode()) <= _LONGEST_TEXT_BYTES:
        return text
    return text.encode()[:_LONGEST_TEXT_BYTES].decode(errors="ignore") + "…"


def _outcome(response: messaging.SendResponse) -> PushOutcome:
    if response.success:
        return PushOutcome(sent=True, detail=str(response.message_id))
    error = response.exception
    gone = isinstance(error, messaging.UnregisteredError)
    lasting = gone or isinstance(
        error,
        exceptions.InvalidArgumentError
        | exceptions.PermissionDeniedError
        | messaging.SenderIdMismatchError
        | messaging.ThirdPartyAuthError,
    )
    return PushOutcome(sent=False, detail=f"{type(error).__name__}: {error}", gone=gone, transient=not lasting)


async def push_notification(
    push: FcmPush | None, database: Database, organization_id: uuid.UUID, event: NotificationWritten
) -> None:
    """Send a notification to those of its person's phones that have not had it yet.

    One that is gone, or that something newer about the same matter has replaced, is not sent any more.

    Raises:
        PushUnavailable: when some phone has to be tried again.
    """
    scope = OrganizationScope(organization_id)
    async with database.unit_of_work(scope, read_only=True) as db:
        notification = await db.get(Notification, event.notification_id)
        if notification is None or notification.is_superseded:
            return
        settled = select(PushDelivery.phone_id).where(PushDelivery.notification_id == notification.id)
        theirs = select(Phone).where(Phone.user_id == notification.user_id, Phone.is_active, Phone.id.not_in(settled))
        if event.phone_id is not None:
            theirs = theirs.where(Phone.id == event.phone_id)
        phones = (await db.scalars(theirs)).all()
    if not phones:
        return
    if push is None:
        raise PushUnavailable("no push service: set COLDFLEET_FCM_SERVICE_ACCOUNT to the service account's JSON file")
    outcomes = await push.send(notification, [phone.registration for phone in phones])
    async with database.unit_of_work(scope) as db:
        for phone, outcome in zip(phones, outcomes, strict=True):
            if outcome.gone:
                (await db.get_one(Phone, phone.id)).is_active = False
            if not outcome.transient:
                db.add(
                    PushDelivery(
                        notification_id=notification.id,
                        phone_id=phone.id,
                        status="sent" if outcome.sent else "refused",
                        detail=outcome.detail[:500],
                        settled_at=clock.now(),
                    )
                )
    waiting = [outcome.detail for outcome in outcomes if outcome.transient]
    if waiting:
        raise PushUnavailable(waiting[0])
