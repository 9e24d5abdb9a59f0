"""A room's code, which everyone may know, its secret, which only the teacher has, and the names of devices.

The code is computed from the secret. So the teacher, and nobody else, can open a room again with the same code on a
server that has lost the room.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Characters of a code. 0 and O, 1, I and L are left out, because people mistake them for one another."""

LENGTH = 6


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def code_of(secret: str) -> str:
    """Return the code of a secret.

    Codes are short, so an attacker could try secrets until one has the code of a room. Each try takes 40 ms.
    """
    digest = hashlib.scrypt(secret.encode(), salt=b"gruscope room", n=2**14, r=8, p=1, dklen=16)
    number, code = int.from_bytes(digest), ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        code += ALPHABET[place]
    return code


def read_code(text: str) -> str:
    """Parse a code that a person typed, in upper or lower case, with or without separators."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def written(code: str) -> str:
    """Return a code as people read it: K7M-3QX."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def digest_of(secret: str) -> str:
    """Return the digest of a secret. A room stores it instead of the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, digest: str) -> bool:
    """Return whether a secret has this digest. The time that this takes does not depend on the secret."""
    return hmac.compare_digest(digest_of(secret), digest)


def new_device(digest: str) -> str:
    """Return a new device with its signature. A room recognizes the signature, so nobody can invent a device."""
    name = secrets.token_urlsafe(9)
    return f"{name}.{_signature(name, digest)}"


def is_device(device: str, digest: str) -> bool:
    """Return whether a device has the signature of the room with this digest."""
    name, _, signature = device.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(name, digest).encode())


def device_name(device: str) -> str:
    """Return the name of a device, without its signature."""
    return device.partition(".")[0]


def address_digest(address: str) -> str:
    """Return the digest of a network address. Rooms store no address itself."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _signature(name: str, digest: str) -> str:
    return hmac.new(digest.encode(), name.encode(), hashlib.sha256).hexdigest()[:24]
