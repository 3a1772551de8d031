"""Phones, and the push service that knows them."""

from dataclasses import dataclass
from pathlib import Path

from cloud_api.notifications.push import FcmPush
from device_sims.fcm import FcmDouble


@dataclass(frozen=True)
class Phones:
    """The double of the push service, the account it trusts, and the platform's side of it."""

    double: FcmDouble
    service_account: Path
    push: FcmPush
