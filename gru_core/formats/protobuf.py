"""Protocol buffers, the encoding of ONNX files. https://protobuf.dev/programming-guides/encoding/

The official library creates an object for every message in a file before we can check anything. For 20 MB of empty
messages it needs seconds and gigabytes. This module keeps a message as bytes until its fields are needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from gru_core.formats.questions import FormatError

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
MAX_FIELDS = 20_000
"""The largest number of fields that are read from one file, in all of its messages together."""

TOO_MANY = (
    f"the file has more than {MAX_FIELDS:,} parts; a recurrent network needs fewer. If the graph repeats a layer for "
    "each timestep, export it with a shorter sequence"
)
DAMAGED = "this is not an ONNX file, or it is damaged"


class Reader:
    """A reader of the messages in one file. `left` is the number of fields that it may still read."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, message: bytes) -> Iterator[tuple[int, int | bytes]]:
        """Yield each field of a message: its number and its value, which is an int for a varint and bytes otherwise.

        Raises FormatError if the message is damaged, or if the file has too many fields.
        """
        position = 0
        while position < len(message):
            self.left -= 1
            if self.left < 0:
                raise FormatError(TOO_MANY)
            key, position = varint(message, position)
            kind = key & 7
            if kind == VARINT:
                number, position = varint(message, position)
                yield key >> 3, number
                continue
            if kind == BYTES:
                size, position = varint(message, position)
            elif kind in (EIGHT_BYTES, FOUR_BYTES):
                size = 8 if kind == EIGHT_BYTES else 4
            else:
                raise FormatError(DAMAGED)
            if not 0 <= size <= len(message) - position:
                raise FormatError(DAMAGED)
            yield key >> 3, message[position : position + size]
            position += size

    def varints(self, values: list[int | bytes]) -> list[int]:
        """Return the numbers of a repeated integer field. `values` may have single numbers and packed numbers.

        Raises FormatError if the field is damaged, or if the file has too many fields.
        """
        numbers: list[int] = []
        for value in values:
            if isinstance(value, int):
                numbers.append(value)
                continue
            position = 0
            while position < len(value):
                self.left -= 1
                if self.left < 0:
                    raise FormatError(TOO_MANY)
                number, position = varint(value, position)
                numbers.append(number)
        return numbers


def varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the signed 64-bit number at a position, and the position after it. Raises FormatError if it is damaged."""
    if position < len(message) and message[position] < 128:  # most numbers have one byte
        return message[position], position + 1
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return (number + 2**63) % 2**64 - 2**63, position
    raise FormatError(DAMAGED)
