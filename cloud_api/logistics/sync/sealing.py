"""How a phone seals its commands, and how that is checked. Pure: bytes in, a verdict out.

A log belongs to one key. Its entries are numbered from 1, and each has a hash over its number, the hash before and the
very bytes of its command; the signature is over the hash. So an entry can be checked by itself, in whatever order they
arrive, and two entries that lie beside each other can be checked against each other:

    first    = SHA-256("coldfleet-phone-log-1\\n" + public key)
    hash n   = SHA-256("coldfleet-phone-entry-1\\n" + n + "\\n" + hash n-1 + "\\n" + command)
    signed n = Ed25519 or ECDSA/P-256/SHA-256 over the 32 bytes of hash n

Hashes are written in lower-case hexadecimal, numbers in decimal, keys as SubjectPublicKeyInfo in DER, what is binary
in base 64.
"""

import base64
import binascii
import hashlib
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

Algorithm = Literal["ed25519", "p256"]

_LOG = b"coldfleet-phone-log-1\n"
_ENTRY = b"coldfleet-phone-entry-1\n"
_KEY = b"coldfleet-phone-key-1\n"


class UnreadableKey(ValueError):
    """Not a key that we take."""


class PublicKey:
    """The public half of a phone's key.

    Args:
        text: SubjectPublicKeyInfo in DER, in base 64.

    Raises:
        UnreadableKey: when it is no Ed25519 key, and none on the curve P-256.
    """

    def __init__(self, text: str) -> None:
        try:
            self.der = base64.b64decode(text, validate=True)
            key = load_der_public_key(self.der)
        except (ValueError, UnsupportedAlgorithm):
            raise UnreadableKey("not a public key: send SubjectPublicKeyInfo in DER, in base 64") from None
        if isinstance(key, Ed25519PublicKey):
            self.algorithm: Algorithm = "ed25519"
        elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            self.algorithm = "p256"
        else:
            raise UnreadableKey("a phone's key is an Ed25519 key, or one on the curve P-256")
        self._key: Ed25519PublicKey | EllipticCurvePublicKey = key

    @property
    def sha256(self) -> str:
        """What the key is known by."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def first_hash(self) -> str:
        """What stands before entry 1."""
        return hashlib.sha256(_LOG + self.der).hexdigest()

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether the private half signed `message`; the signature in base 64."""
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self._key, Ed25519PublicKey):
                self._key.verify(raw, message)
            else:
                self._key.verify(raw, message, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def entry_hash(number: int, previous_hash: str, command: str) -> str:
    """The hash of an entry. Text that no encoding has (half a character) has a hash as well."""
    sealed = f"{number}\n{previous_hash}\n{command}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(_ENTRY + sealed).hexdigest()


def possession_statement(device_id: str, user_id: str, public_key: str) -> bytes:
    """What a phone signs to show that a key is its own, and for whom: nobody else can register it as theirs."""
    return _KEY + f"{device_id}\n{user_id}\n{public_key}".encode()
