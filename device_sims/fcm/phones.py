"""Phones that registered, phones that left, and what each of them was told."""

import itertools
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from device_sims.fcm.answers import Json, fcm_error, google_error, invalid_argument
from device_sims.fcm.messages import SendRequest


@dataclass
class Phone:
    """One installation of the app on one phone."""

    #: what a client's `getToken()` returns; goes into a message's `token`
    token: str
    #: the Firebase installation ID; goes into a message's `fid`
    fid: str
    #: the project that the app was built for
    project_id: str
    installed: bool = True

    def as_json(self) -> Json:
        """The control endpoint's form."""
        return {"token": self.token, "fid": self.fid, "project_id": self.project_id}


@dataclass(frozen=True)
class Delivery:
    """A message that reached a phone, as FCM received it."""

    token: str
    fid: str
    message_id: str
    received_at_ms: int
    message: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        """The control endpoint's form."""
        return {
            "token": self.token,
            "fid": self.fid,
            "message_id": self.message_id,
            "received_at_ms": self.received_at_ms,
            "message": self.message,
        }


class Phonebook:
    """All phones of the double. Safe to use from many threads."""

    def __init__(self, project_id: str, *, now_s: Callable[[], float]) -> None:
        self._project_id = project_id
        self._now_s = now_s
        self._lock = threading.Lock()
        self._phones: list[Phone] = []
        self._deliveries: list[Delivery] = []
        self._numbers = itertools.count(1)

    def mint(self, project_id: str | None = None) -> Phone:
        """A phone installs the app and registers; another project's phone is refused as a foreign sender's."""
        fid = secrets.token_urlsafe(16)
        token = f"{fid}:APA91b{secrets.token_urlsafe(100)}"
        phone = Phone(token, fid, project_id or self._project_id)
        with self._lock:
            self._phones.append(phone)
        return phone

    def uninstall(self, registration: str) -> bool:
        """The app leaves the phone; True when there was such a phone."""
        with self._lock:
            for phone in self._phones:
                if registration in (phone.token, phone.fid):
                    phone.installed = False
                    return True
        return False

    def deliveries(self, registration: str | None = None) -> list[Delivery]:
        """What was delivered, oldest first: to all phones, or to one named by its token or FID."""
        with self._lock:
            return [item for item in self._deliveries if registration in (None, item.token, item.fid)]

    def deliver(self, request: SendRequest) -> str:
        """Hand a message to its phone.

        Returns:
            The message's name, `projects/<project>/messages/<id>`.

        Raises:
            RefusedError: no such registration, a foreign one, or one whose app is gone.
        """
        with self._lock:
            phone = self._phone(request)
            if request.validate_only:
                return f"projects/{self._project_id}/messages/fake_message_id"
            now_s = self._now_s()
            message_id = f"0:{round(now_s * 1e6)}%{next(self._numbers):016x}"
            if phone is not None:
                at_ms = round(now_s * 1000)
                self._deliveries.append(Delivery(phone.token, phone.fid, message_id, at_ms, request.message))
            return f"projects/{self._project_id}/messages/{message_id}"

    def _phone(self, request: SendRequest) -> Phone | None:
        """The addressee; None for a topic or a condition, to which no phone of the double has subscribed."""
        if request.target_kind not in ("token", "fid"):
            return None
        for phone in self._phones:
            if (phone.token if request.target_kind == "token" else phone.fid) != request.target:
                continue
            if phone.project_id != self._project_id:
                raise fcm_error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch")
            if not phone.installed:
                raise fcm_error(404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found.")
            return phone
        if request.target_kind == "token":
            raise invalid_argument("The registration token is not a valid FCM registration token")
        raise invalid_argument("The Firebase installation ID is not a valid FCM registration")


def foreign_project(project_id: str) -> Exception:
    """403: this service account has no business in that project."""
    return google_error(
        403,
        "PERMISSION_DENIED",
        "Permission 'cloudmessaging.messages.create' denied on resource "
        f"'//cloudresourcemanager.googleapis.com/projects/{project_id}' (or it may not exist).",
    )
