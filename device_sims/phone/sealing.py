"""How a phone seals its commands: numbered, chained by hash, signed with a key that never leaves it.

Written from the description in docs/delivery.md, and from nothing else: what the platform checks is another program's.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)


class SealingKey:
    """A phone's key pair."""

    def __init__(self, private: Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
        self._private = private
        self._der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def make(cls, *, p256: bool = False) -> "SealingKey":
        """A new one: Ed25519, or on P-256 for phones whose safe knows no other curve."""
        return cls(generate_private_key(SECP256R1()) if p256 else Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, der: bytes) -> "SealingKey":
        """One that was kept by `private_der`."""
        private = load_der_private_key(der, password=None)
        if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey):
            raise TypeError("a phone's key is an Ed25519 key, or one on the curve P-256")
        return cls(private)

    @property
    def private_der(self) -> bytes:
        """To be kept where nobody else reads."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_key(self) -> str:
        """SubjectPublicKeyInfo in DER, in base 64."""
        return base64.b64encode(self._der).decode()

    @property
    def first_hash(self) -> str:
        """What stands before entry 1."""
        return hashlib.sha256(b"coldfleet-phone-log-1\n" + self._der).hexdigest()

    def sign(self, message: bytes) -> str:
        """A signature in base 64."""
        if isinstance(self._private, Ed25519PrivateKey):
            raw = self._private.sign(message)
        else:
            raw = self._private.sign(message, ECDSA(SHA256()))
        return base64.b64encode(raw).decode()

    def possession(self, device_id: str, user_id: str) -> str:
        """The proof that the key is this phone's, for this person."""
        return self.sign(f"coldfleet-phone-key-1\n{device_id}\n{user_id}\n{self.public_key}".encode())

    def seal(self, number: int, previous_hash: str, command: str) -> tuple[str, str]:
        """(hash, signature) of an entry."""
        sealed = f"coldfleet-phone-entry-1\n{number}\n{previous_hash}\n{command}".encode()
        digest = hashlib.sha256(sealed)
        return digest.hexdigest(), self.sign(digest.digest())
