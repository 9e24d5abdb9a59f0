"""A reader of untrusted zip files, such as .npz, .keras and PyTorch files."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter

from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_TENSORS, room

END = b"PK\x05\x06"
"""The first bytes of the record at the end of a zip file. Without a comment, the record has 22 bytes."""

MAX_FILES = 4 * MAX_TENSORS
"""The largest number of files in a zip. A file is an array, and an optimizer's checkpoint has four per weight."""

MAX_DIRECTORY = 512 * 1024
"""The largest size of a zip file's directory, in bytes: enough if all files have names of 80 characters."""


def members(data: bytes) -> dict[str, bytes]:
    """Return the unpacked files of a zip file by name. No name is used as a path.

    Raises FormatError if the zip file is damaged, is encrypted, has a comment, or is too large after unpacking. Also
    raises FormatError if a name occurs twice, if files overlap, or if a declared size is wrong.
    """
    end = data[-22:]
    if len(end) < 22 or not end.startswith(END) or end[20:] != b"\0\0":
        raise FormatError(
            "this zip file cannot be read: its end is missing. Was it cut off, or does it have a comment?"
        )
    # Check this before zipfile reads the directory, because it may list hundreds of thousands of files.
    count, size = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if size > MAX_DIRECTORY or count > MAX_FILES:
        raise FormatError(
            f"the zip has too many files; at most {MAX_FILES:,} are allowed, "
            f"with {MAX_DIRECTORY // 1024} KiB for the list of their names. Save the weights alone"
        )
    # PyTorch also writes the end record for large files (zip64), and zipfile uses this record instead.
    large = data[-98:-42]
    numbers = [int.from_bytes(large[at : at + 8], "little") for at in (24, 32, 40)]
    numbers.append(int.from_bytes(data[-34:-26], "little"))
    same = large.startswith(b"PK\x06\x06") and numbers == [count, count, size, len(data) - 98]
    if data[-42:-38] == b"PK\x06\x07" and not same:
        raise FormatError("the zip is damaged: its two ends (zip and zip64) differ")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check(infos, room(len(data)))
            # zipfile unpacks at most the declared size, and then compares the checksum.
            return {info.filename: archive.read(info) for info in infos}
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise FormatError("the zip is damaged: " + shown(str(error))) from error


def _check(infos: list[zipfile.ZipInfo], most: int) -> None:
    """Raise FormatError if the directory lists too many or too large files, or files that cannot be trusted."""
    names = [info.filename for info in infos]
    if len(names) > MAX_FILES:
        raise FormatError(f"the zip has {len(names):,} files; at most {MAX_FILES:,} are allowed")
    for name, count in Counter(names).items():
        if count > 1:
            raise FormatError(f"the zip has {shown(name)} in it twice")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > most:
        raise FormatError(f"the zip unpacks to {unpacked:,} bytes; at most {most:,} are allowed")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.flag_bits & 1:
            raise FormatError(f"{shown(info.filename)} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FormatError(f"{shown(info.filename)} has an unusual compression; save the file with NumPy or Keras")
        if info.header_offset < end:
            raise FormatError(f"{shown(info.filename)} overlaps another file in the zip")
        end = info.header_offset + 30 + info.compress_size
