"""Whether the cloud has signed a configuration (Ed25519), asked of a process that lives for a moment.

The library for it would cost the gateway 8.5 MB of memory for good, for what happens once in weeks; the process of its
own takes 17 MB for 30 ms. It is started as a file and sees nothing of the gateway. Its input: the key, the signature
(each a line of hexadecimal digits), and the signed bytes.
"""

import asyncio
import base64
import binascii
import sys

#: the exit codes of the process
_SIGNED, _NOT_SIGNED = 0, 3
_LONGEST_S = 60.0


class SignatureUnchecked(Exception):
    """Nobody could look at it: the library is not there, or the box has no memory left."""


async def is_signed(body: bytes, signature: str, key: str) -> bool:
    """Whether `signature` (base64) is that of `body` by the owner of `key` (hexadecimal digits).

    Raises:
        SignatureUnchecked: try again later.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            __file__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise SignatureUnchecked(str(error)) from None
    try:
        async with asyncio.timeout(_LONGEST_S):
            _, complaint = await process.communicate(f"{key}\n{raw.hex()}\n".encode() + body)
    except TimeoutError:
        raise SignatureUnchecked(f"no answer within {_LONGEST_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode not in (_SIGNED, _NOT_SIGNED):
        raise SignatureUnchecked(complaint.decode(errors="replace").strip().rpartition("\n")[2])
    return process.returncode == _SIGNED


def main() -> int:
    """The process: reads its standard input; the exit code is the answer."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key, signature, body = sys.stdin.buffer.read().split(b"\n", 2)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.decode())).verify(bytes.fromhex(signature.decode()), body)
    except (InvalidSignature, ValueError):
        return _NOT_SIGNED
    return _SIGNED


if __name__ == "__main__":
    sys.exit(main())
