"""Answers in Google's shapes: the JSON error model of its APIs, and RFC 6749's for its token endpoint.

Source: "Errors" in Google's API design guide (google.rpc.Status over HTTP), and `FcmError` in the reference of
projects.messages:send.
"""

from dataclasses import dataclass, field

Json = dict[str, object]

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request is refused; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.body))
        self.answer = answer


def google_error(
    status: int,
    code: str,
    message: str,
    *,
    details: list[Json] | None = None,
    headers: dict[str, str] | None = None,
) -> RefusedError:
    """An error of a Google API: HTTP status, canonical code, message, typed details."""
    error: Json = {"code": status, "message": message, "status": code}
    if details:
        error["details"] = details
    return RefusedError(Answer(status, {"error": error}, headers or {}))


def fcm_error(
    status: int, code: str, fcm_code: str, message: str, *, headers: dict[str, str] | None = None
) -> RefusedError:
    """An error that FCM itself found, with its own code beside the canonical one."""
    details: list[Json] = [{"@type": FCM_ERROR, "errorCode": fcm_code}]
    return google_error(status, code, message, details=details, headers=headers)


def invalid_argument(message: str) -> RefusedError:
    """400: FCM read the message and refuses it."""
    return fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", message)


def invalid_field(field_path: str, description: str) -> RefusedError:
    """400: the JSON does not fit the message's schema; FCM itself never saw it."""
    violation: Json = {"field": field_path, "description": description}
    details: list[Json] = [{"@type": BAD_REQUEST, "fieldViolations": [violation]}]
    return google_error(400, "INVALID_ARGUMENT", description, details=details)


def unauthenticated(reason: str) -> RefusedError:
    """401: no access token, or one that is not valid (any more)."""
    details: list[Json] = [{"@type": ERROR_INFO, "reason": reason, "domain": "googleapis.com"}]
    return google_error(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token.",
        details=details,
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
    )


def oauth_error(error: str, description: str) -> RefusedError:
    """400 of the token endpoint."""
    return RefusedError(Answer(400, {"error": error, "error_description": description}))
