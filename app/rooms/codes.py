"""A room's code, for everybody, and its secret, for who leads it: the code follows from the secret.

So a room can be opened again, under the same code, on a server that has forgotten it, by its own teacher alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what is taken for something else when it is read aloud or off a wall: 0 and O, 1, I and L."""

LENGTH = 6


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def code_of(secret: str) -> str:
    """The code of a secret. It takes 40 ms, so that nobody finds another secret of the same code: codes are short."""
    digest = hashlib.scrypt(secret.encode(), salt=b"gruscope room", n=2**14, r=8, p=1, dklen=16)
    number, code = int.from_bytes(digest), ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        code += ALPHABET[place]
    return code


def read_code(text: str) -> str:
    """A code as it was typed: in any case, with or without what parts it."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def written(code: str) -> str:
    """K7M-3QX"""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def digest_of(secret: str) -> str:
    """What a room keeps of its secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, digest: str) -> bool:
    """Whether this is the secret, told in the same time whatever is wrong with it."""
    return hmac.compare_digest(digest_of(secret), digest)


def new_device(digest: str) -> str:
    """A name for a device that joins a room, which the room can tell from one that was made up."""
    name = secrets.token_urlsafe(9)
    return f"{name}.{_signed(name, digest)}"


def is_device(device: str, digest: str) -> bool:
    name, _, signature = device.partition(".")
    return hmac.compare_digest(signature.encode(), _signed(name, digest).encode())


def _signed(name: str, digest: str) -> str:
    return hmac.new(digest.encode(), name.encode(), hashlib.sha256).hexdigest()[:24]
