"""Protocol buffers, the encoding of ONNX files. https://protobuf.dev/programming-guides/encoding/

The usual library makes an object of every message in a file before anything can be checked: 20 MB of empty messages
take it seconds and gigabytes. Here a message stays bytes until its fields are needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from gru_core.formats.questions import FormatError

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
MAX_FIELDS = 20_000
"""The most fields that are read from one file, in all its messages together."""

DAMAGED = "this is not an ONNX file, or it is damaged"


class Reader:
    """The messages of one file, as fields. `left` is how many more fields may be read."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, message: bytes) -> Iterator[tuple[int, int | bytes]]:
        """Yield the fields of a message: the number, and the value, an int for a varint and bytes otherwise.

        Raises FormatError if the message is damaged, or if the file has too many fields.
        """
        at = 0
        while at < len(message):
            self.left -= 1
            if self.left < 0:
                raise FormatError(f"the file has more than {MAX_FIELDS:,} parts; a recurrent network needs fewer")
            key, at = varint(message, at)
            kind = key & 7
            if kind == VARINT:
                number, at = varint(message, at)
                yield key >> 3, number
                continue
            if kind == BYTES:
                size, at = varint(message, at)
            elif kind in (EIGHT_BYTES, FOUR_BYTES):
                size = 8 if kind == EIGHT_BYTES else 4
            else:
                raise FormatError(DAMAGED)
            if not 0 <= size <= len(message) - at:
                raise FormatError(DAMAGED)
            yield key >> 3, message[at : at + size]
            at += size

    def varints(self, values: list[int | bytes]) -> list[int]:
        """Return repeated whole numbers, each in a field of its own or packed into one field.

        Raises FormatError if the field is damaged, or if the file has too many fields.
        """
        found: list[int] = []
        for value in values:
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                self.left -= 1
                if self.left < 0:
                    raise FormatError(f"the file has more than {MAX_FIELDS:,} parts; a recurrent network needs fewer")
                number, at = varint(value, at)
                found.append(number)
        return found


def varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the signed 64-bit number at a place, and the place after it. Raises FormatError if it is damaged."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return (number + 2**63) % 2**64 - 2**63, at
    raise FormatError(DAMAGED)
