"""What a send request must look like: the schema of projects.messages:send and the limits FCM documents.

Sources: reference of `projects.messages` (HTTP v1), and "Error codes" of FCM's documentation: payload at most 4096
bytes, keys `from`, `message_type`, `google...`, `gcm...` reserved in `data`, time to live at most four weeks.
"""

import json
import re
from dataclasses import dataclass
from typing import cast

from device_sims.fcm.answers import Json, google_error, invalid_argument, invalid_field

LARGEST_PAYLOAD_BYTES = 4096
LONGEST_TTL_S = 2_419_200

TARGETS = ("token", "fid", "topic", "condition")
_REQUEST_FIELDS = frozenset({"message", "validate_only", "validateOnly"})
_MESSAGE_FIELDS = frozenset({*TARGETS, "name", "data", "notification", "android", "webpush", "apns", "fcm_options"})
_NOTIFICATION_FIELDS = frozenset({"title", "body", "image"})
_ANDROID_FIELDS = frozenset(
    {
        "collapse_key",
        "priority",
        "ttl",
        "restricted_package_name",
        "data",
        "notification",
        "fcm_options",
        "direct_boot_ok",
        "bandwidth_constrained_ok",
        "restricted_satellite_ok",
    }
)
_ANDROID_NOTIFICATION_FIELDS = frozenset(
    {
        "title",
        "body",
        "icon",
        "color",
        "sound",
        "tag",
        "click_action",
        "body_loc_key",
        "body_loc_args",
        "title_loc_key",
        "title_loc_args",
        "channel_id",
        "ticker",
        "sticky",
        "event_time",
        "local_only",
        "notification_priority",
        "default_sound",
        "default_vibrate_timings",
        "default_light_settings",
        "vibrate_timings",
        "visibility",
        "notification_count",
        "light_settings",
        "image",
        "bypass_proxy_notification",
        "proxy",
    }
)
_APNS_FIELDS = frozenset({"headers", "payload", "fcm_options", "live_activity_token"})
#: of `_ANDROID_NOTIFICATION_FIELDS` those that we send: each a string
_ANDROID_NOTIFICATION_STRINGS = ("title", "body", "sound", "tag", "channel_id")
_DURATION = re.compile(r"(\d+)(\.\d{1,9})?s")


@dataclass(frozen=True)
class SendRequest:
    """A send request that FCM would accept, as far as its form goes."""

    message: Json
    #: `token`, `fid`, `topic` or `condition`
    target_kind: str
    target: str
    validate_only: bool


def read_send_request(body: bytes) -> SendRequest:
    """Parse and judge the body of `messages:send`.

    Raises:
        RefusedError: with the 400 that FCM would send.
    """
    document = _json_object(body)
    _refuse_unknown(document, _REQUEST_FIELDS, "")
    message = _object(document.get("message"), "message")
    _refuse_unknown(message, _MESSAGE_FIELDS, "message")
    validate_only = document.get("validate_only", document.get("validateOnly", False))
    if not isinstance(validate_only, bool):
        raise invalid_field(
            "validate_only", f"Invalid value at 'validate_only' (TYPE_BOOL), {json.dumps(validate_only)}"
        )
    data = _strings(message.get("data"), "message.data")
    notification = _strings(message.get("notification"), "message.notification")
    _refuse_unknown(cast(Json, notification), _NOTIFICATION_FIELDS, "message.notification")
    _judge_android(message.get("android"))
    _judge_apns(message.get("apns"))
    kind, target = _target(message)
    _judge_data_keys(data)
    _judge_size(data, notification)
    return SendRequest(message, kind, target, validate_only)


def _json_object(body: bytes) -> Json:
    try:
        document = json.loads(body)
    except ValueError:
        raise google_error(400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected token.") from None
    return _object(document, "request")


def _object(value: object, path: str) -> Json:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_field(path, f"Invalid value at '{path}' (type.googleapis.com), {json.dumps(value)}")
    return cast(Json, value)


def _refuse_unknown(content: Json, known: frozenset[str], path: str) -> None:
    for key in content:
        if key not in known:
            where = f" at '{path}'" if path else ""
            raise invalid_field(path, f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.')


def _strings(value: object, path: str) -> dict[str, str]:
    """A map of strings to strings; anything else in it is refused by its place."""
    content = _object(value, path)
    for index, (key, item) in enumerate(content.items()):
        if not isinstance(item, str):
            place = f"{path}[{index}].value" if path.endswith("data") else f"{path}.{key}"
            raise invalid_field(place, f"Invalid value at '{place}' (TYPE_STRING), {json.dumps(item)}")
    return cast(dict[str, str], content)


def _target(message: Json) -> tuple[str, str]:
    given = [kind for kind in TARGETS if message.get(kind) is not None]
    if not given:
        raise invalid_argument("Recipient of the message is not set.")
    if len(given) > 1:
        raise invalid_field(
            "message",
            f"Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '{given[1]}'",
        )
    target = message[given[0]]
    if not isinstance(target, str):
        raise invalid_field(
            f"message.{given[0]}", f"Invalid value at 'message.{given[0]}' (TYPE_STRING), {json.dumps(target)}"
        )
    if not target:
        raise invalid_argument("Recipient of the message is not set.")
    return given[0], target


def _judge_data_keys(data: dict[str, str]) -> None:
    for key in data:
        if key in ("from", "message_type") or key.lower().startswith(("google", "gcm")):
            raise invalid_argument(f"Invalid data payload key: {key}")


def _judge_size(data: dict[str, str], notification: dict[str, str]) -> None:
    size = sum(len(text.encode()) for part in (data, notification) for pair in part.items() for text in pair)
    if size > LARGEST_PAYLOAD_BYTES:
        raise invalid_argument(f"Message is too big: {size} bytes of payload, {LARGEST_PAYLOAD_BYTES} are allowed.")


def _judge_android(value: object) -> None:
    android = _object(value, "message.android")
    _refuse_unknown(android, _ANDROID_FIELDS, "message.android")
    _judge_string(android, "collapse_key", "message.android")
    notification = _object(android.get("notification"), "message.android.notification")
    _refuse_unknown(notification, _ANDROID_NOTIFICATION_FIELDS, "message.android.notification")
    for field in _ANDROID_NOTIFICATION_STRINGS:
        _judge_string(notification, field, "message.android.notification")
    priority = android.get("priority", "normal")
    if not isinstance(priority, str) or priority.lower() not in ("normal", "high"):
        raise invalid_field(
            "message.android.priority",
            "Invalid value at 'message.android.priority' "
            f"(type.googleapis.com/google.firebase.fcm.v1.AndroidMessagePriority), {json.dumps(priority)}",
        )
    _strings(android.get("data"), "message.android.data")
    ttl = android.get("ttl", "0s")
    match = _DURATION.fullmatch(ttl) if isinstance(ttl, str) else None
    if match is None or int(match[1]) > LONGEST_TTL_S:
        raise invalid_argument(f"Invalid value for time to live: {json.dumps(ttl)}")


def _judge_apns(value: object) -> None:
    apns = _object(value, "message.apns")
    _refuse_unknown(apns, _APNS_FIELDS, "message.apns")
    _strings(apns.get("headers"), "message.apns.headers")
    _object(apns.get("payload"), "message.apns.payload")


def _judge_string(content: Json, field: str, path: str) -> None:
    given = content.get(field)
    if given is not None and not isinstance(given, str):
        place = f"{path}.{field}"
        raise invalid_field(place, f"Invalid value at '{place}' (TYPE_STRING), {json.dumps(given)}")
