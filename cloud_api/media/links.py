"""Addresses that show one file to whoever has them, for a time: signed, and bound to organisation and file."""

import base64
import binascii
import hmac
import struct
import uuid
from dataclasses import dataclass
from datetime import datetime

from cloud_api.kernel import clock, signing
from cloud_api.kernel.errors import Forbidden

#: what stands in a token before its signature: organisation, file, seconds since 1970 at which it ends
_CLAIMS = struct.Struct(">16s16sQ")
_SIGNATURE_BYTES = 32


class LinkInvalid(Forbidden):
    """No address of ours, or one whose time is over."""

    code = "LINK_INVALID"


@dataclass(frozen=True)
class Link:
    """What a signed address is good for."""

    organization_id: uuid.UUID
    media_id: uuid.UUID
    expires_at: datetime


def token_of(link: Link, *, secret_key: str) -> str:
    """The last part of the address."""
    ends_at_s = int(link.expires_at.timestamp())
    claims = _CLAIMS.pack(link.organization_id.bytes, link.media_id.bytes, ends_at_s)
    return base64.urlsafe_b64encode(claims + _signature(claims, secret_key)).decode()


def read_token(token: str, *, secret_key: str) -> Link:
    """What an address is good for.

    Raises:
        LinkInvalid: when we did not sign it, or its time is over.
    """
    try:
        sealed = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    claims, signature = sealed[: _CLAIMS.size], sealed[_CLAIMS.size :]
    if len(signature) != _SIGNATURE_BYTES or not hmac.compare_digest(signature, _signature(claims, secret_key)):
        raise LinkInvalid("this address is not one of ours: ask for another one")
    organization, media, ends_at_s = _CLAIMS.unpack(claims)
    if ends_at_s <= clock.now().timestamp():
        raise LinkInvalid("the time of this address is over: ask for another one")
    return Link(uuid.UUID(bytes=organization), uuid.UUID(bytes=media), clock.from_ms(ends_at_s * 1000))


def _signature(claims: bytes, secret_key: str) -> bytes:
    """Of another kind of message than any other that this key signs."""
    signed = signing.signature_of(
        method="GET", target="/media/signed", body=claims, timestamp="", nonce="", secret=f"media links:{secret_key}"
    )
    return bytes.fromhex(signed)
