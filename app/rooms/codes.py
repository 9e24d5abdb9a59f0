"""The code of a room, the secret of its teacher, and the names of devices.

Everyone may know the code, but only the teacher has the secret. The code is computed from the secret. If a server
loses a room, only the teacher can therefore open the room again with the same code.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""The characters of a code. 0, O, 1, I and L are left out, because people mistake them for one another."""

LENGTH = 6


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def code_of(secret: str) -> str:
    """Return the room code that belongs to a secret.

    Codes are short, so an attacker could try secrets until one gives the code of a room. This function is slow on
    purpose: each try takes 40 ms.
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
    """Format a code for people to read, such as K7M-3QX."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def digest_of(secret: str) -> str:
    """Return the digest of a secret. A room stores it instead of the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, digest: str) -> bool:
    """Return whether a secret has this digest. The comparison takes the same time for every secret."""
    return hmac.compare_digest(digest_of(secret), digest)


def new_device(digest: str) -> str:
    """Return a random device name with its signature. A room checks the signature, so nobody can invent a device."""
    name = secrets.token_urlsafe(9)
    return f"{name}.{_signature(name, digest)}"


def is_device(device: str, digest: str) -> bool:
    """Return whether a device has a valid signature for the room with this digest."""
    name, _, signature = device.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(name, digest).encode())


def device_name(device: str) -> str:
    """Return the name of a device, without its signature."""
    return device.partition(".")[0]


def address_digest(address: str) -> str:
    """Return the digest of a network address. Rooms store only the digest, never the address."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _signature(name: str, digest: str) -> str:
    return hmac.new(digest.encode(), name.encode(), hashlib.sha256).hexdigest()[:24]
