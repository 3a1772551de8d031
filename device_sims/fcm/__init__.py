"""A double of Firebase Cloud Messaging: OAuth 2.0 and HTTP v1 on loopback, refusing what the real one refuses."""

from device_sims.fcm.phones import Delivery, Phone
from device_sims.fcm.server import FcmDouble

__all__ = ["Delivery", "FcmDouble", "Phone"]
