"""Array files that are damaged, too large, or hostile: each raises FormatError quickly."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from gru_core import Vectors, formats
from gru_core.formats import FormatError
from gru_core.formats.weights import MAX_BYTES
from tests.support.files import npz as npz_of
from tests.support.files import refused, torch_layer, zipped

ARRAYS = torch_layer(np.random.default_rng(0), 3, 4)
PICKLE = r"is a pickle, which can run anybody's code(?s:.*)torch\.save\(model\.state_dict\(\)(?s:.*)np\.savez"


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode()
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + body


def shaped(shape: str, dtype: str = "<f4", body: bytes = b"") -> bytes:
    return zipped({"a.npy": npy(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n", body)})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (
            b"\0" * 100,
            "this type of file cannot be read: use one of .safetensors, .pt, .pth, .bin, .*, .keras or .h5",
        ),
        (b"hello", "this type of file cannot be read"),
        (bytes(MAX_BYTES + 1), "too large: at most 500 MiB"),
        (pickle.dumps({"a": 1}), PICKLE),
        (pickle.dumps({"a": 1}, protocol=2), PICKLE),
        (b"\x80", "this type of file cannot be read"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_file_without_weights_is_refused(data: bytes, message: str) -> None:
    refused(data, message)


def test_an_old_pickle_is_refused_with_code_that_saves_another_format() -> None:
    refused(b"(dp0\n.", PICKLE, "model.pt")


def bomb() -> bytes:
    body = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (20000000,), }\n", bytes(80_000_000))
    return zipped({"a.npy": body}, zipfile.ZIP_DEFLATED)


def lying_about_size() -> bytes:
    """Return a zip with a member that is larger than both of its declared sizes."""
    data = bytearray(zipped({"a.npy": npy("x" * 2000) + bytes(10_000_000)}, zipfile.ZIP_DEFLATED))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = data[22:26] = struct.pack("<I", 100)
    return bytes(data)


def many_members() -> bytes:
    return zipped({f"{i}.npy": b"" for i in range(20_000)})


def many_members_and_a_lie() -> bytes:
    """Return a zip with 20,000 members that declares only one."""
    data = bytearray(many_members())
    data[-14:-10] = struct.pack("<HH", 1, 1)
    return bytes(data)


def twice() -> bytes:
    """Return a zip with two members of the same name. The second is written as b.npy and then renamed."""
    return zipped({"a.npy": b"", "b.npy": b""}).replace(b"b.npy", b"a.npy")


def overlapping() -> bytes:
    """Return a zip in which the second member starts inside the first."""
    data = bytearray(zipped({"a.npy": bytes(500), "b.npy": bytes(500)}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 10)
    return bytes(data)


def bad_crc() -> bytes:
    data = bytearray(npz_of(**ARRAYS))
    data[200] ^= 1
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(npz_of(**ARRAYS))
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (bomb, "the zip unpacks to 80,000,.* bytes; at most 67,108,864 are allowed"),
        (lying_about_size, "the zip is damaged: 'Bad CRC"),
        (many_members, "too many files; at most 4,096 are allowed"),
        (many_members_and_a_lie, "too many files; at most 4,096 are allowed"),
        (twice, "the zip has 'a.npy' in it twice"),
        (overlapping, "'b.npy' overlaps another file"),
        (bad_crc, "the zip is damaged: 'Bad CRC"),
        (encrypted, "'weight_ih_l0.npy' is encrypted"),
        (lambda: npz_of(**ARRAYS)[:-30], "its end is missing. Was it cut off"),
        (lambda: npz_of(**ARRAYS)[:300], "its end is missing. Was it cut off"),
        (lambda: npz_of(**ARRAYS) + b"x", "its end is missing. Was it cut off"),
        (lambda: zipped({}), "the .npz is empty"),
        (lambda: zipped({"a.txt": b"x"}), "'a.txt' in the .npz is not an .npy array"),
        (lambda: zipped({"../../etc/passwd": b"x"}), "'../../etc/passwd' in the .npz is not an .npy array"),
        (lambda: zipped({"a.npy": b""}), "'a' is not an .npy array"),
        (lambda: zipped({"a.npy": b"\x93NUMPY\x01\x00"}), "'a' is not an array as NumPy writes it"),
        (lambda: zipped({"a.npy": b"\x93NUMPY\x01\x00\xff\xff"}), "'a' is not an array as NumPy writes it"),
        (lambda: zipped({"a.npy": npy("(" * 60_000)}), "'a' is not an array as NumPy writes it"),
        (lambda: zipped({"a.npy": npy("{" * 10**6, version=b"\x02\x00")}), "'a' is not an array as NumPy writes it"),
        (lambda: npz_of(a=np.array([{}], object)), "among the arrays 'a'"),
        (lambda: npz_of(a=np.zeros(3, [("x", "f4")])), "among the arrays 'a'"),
        (lambda: npz_of(a=np.zeros(3, complex)), "among the arrays 'a'"),
        (lambda: npz_of(a=np.array(["x", "yz"])), "among the arrays 'a'"),
        (lambda: shaped("(1,)", "<U100000000"), "among the arrays 'a'"),
        (lambda: shaped("(1,)", "<U10000"), r"'a' has shape \(1,\), but 0 bytes"),
        (lambda: shaped("(1,)", "<U1000000000000000"), "among the arrays 'a'"),
        (lambda: shaped("(3,)"), r"'a' has shape \(3,\), but 0 bytes"),
        (lambda: shaped("(3,)", body=bytes(16)), r"'a' has shape \(3,\), but 16 bytes"),
        (lambda: shaped("(-1, 4)"), "'a' is not an array as NumPy writes it"),
        (lambda: shaped("(1099511627776, 1099511627776)"), "'a' has an impossible shape"),
        (lambda: shaped("(999999999999, 999999999999)"), "'a' has shape .*, which is too large to be read"),
        (lambda: shaped("(999999999999, 0)"), r"no GRU, LSTM or plain RNN was found among the arrays 'a'"),
        (lambda: shaped("(9999999999999999999999,)"), "'a' has an impossible shape"),
        (lambda: shaped("(" + ", ".join("1" * 20) + ")", body=bytes(4)), "'a' has shape .*, which is too large"),
        (lambda: npz_of(**{"\u202e" + "x" * 5000: np.zeros(3)}), "the name .* has 5,001 characters; at most 500"),
        (lambda: npz_of(a=np.zeros((2, 2)), **{"a/": np.zeros(3)}), "'a/' is in the file twice"),
    ],
)  # fmt: skip
def test_a_bad_npz_is_refused(make: Callable[[], bytes], message: str) -> None:
    refused(make(), message)


def safe(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(shape: Any, begin: int, end: int, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (safe({}, length=2**63), "announces a header of 9,223,372,036,854,775,808 bytes"),
        (safe({"a": entry([1], 0, 4)}, bytes(4), 10_000), "announces a header of 10,000 bytes"),
        (safe(b"{" + b" " * (5 * 2**20)), "at most 4,194,304 are allowed"),
        (safe(b"{" + b" " * 1_000_000), "the header is not JSON"),
        (safe(b" " * 1_000_000), "this type of file cannot be read"),
        (safe({f"{i}": entry([0], 0, 0) for i in range(15_000)}), "has 15,000 tensors; at most 1024 are allowed"),
        (safe({f"{i}": entry([0], 0, 0) for i in range(300_000)}), "at most 4,194,304 are allowed"),
        (safe({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)), "the tensors overlap, or there are unused"),
        (safe({"a": entry([2], 0, 8), "b": entry([1], 12, 16)}, bytes(16)), "the tensors overlap, or there are unused"),
        (safe({"a": entry([1], 0, 4)}, bytes(8)), "the tensors overlap, or there are unused"),
        (safe({"a": entry([2**60, 0], 0, 0)}), "'a' has no valid shape or place in the header"),
        (safe({"a": entry([2**39, 2**39], 0, 4)}, bytes(4)), "'a': the shape .* does not fit"),
        (safe({"a": entry([1] * 65, 0, 4)}, bytes(4)), "'a' has no valid shape or place in the header"),
        (safe({"a": entry([-1], 0, 4)}, bytes(4)), "'a' has no valid shape or place in the header"),
        (safe({"a": entry([1.0], 0, 4)}, bytes(4)), "'a' has no valid shape or place in the header"),
        (safe({"a": entry([True], 0, 4)}, bytes(4)), "'a' has no valid shape or place in the header"),
        (safe({"a": entry([1], 4, 0)}, bytes(4)), "does not fit"),
        (safe({"a": entry([1], 0, 400)}, bytes(4)), "does not fit"),
        (safe({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}, bytes(4)), "no beginning or no end in the"),
        (safe({"a": entry([1], 0, 8, "I64")}, bytes(8)), "among the arrays 'a'"),
        (safe({"a": entry([1], 0, 8, [])}, bytes(8)), r"'a' has the type '\[\]'; weights are .*: F16, BF16"),
        (safe({"a": entry([1], 0, 8, "F12")}, bytes(8)), "'a' has the type 'F12'; weights are .*: F16, BF16"),
        (safe({"a": 3}), "'a' has no valid shape or place in the header"),
        (safe({"__metadata__": {"a": 3}}), "the metadata in the header must be text"),
        (safe({"__metadata__": 3}), "the metadata in the header must be text"),
        (safe({}), "no GRU, LSTM or plain RNN was found"),
        (safe(b'{"a": NaN}'), "'a' has no valid shape or place in the header"),
        (safe(b'{"a": ' + b"9" * 5000 + b"}"), "the header is not JSON"),
        (safe(b'{"a": ' + b"[" * 200_000), "the header is not JSON"),
        (safe(b'{"a": "\xff"}'), "the header is not JSON"),
        (safe(b'{"a": 1, "a": 1}'), "a name is in the header twice"),
        (save(ARRAYS)[:-4], "does not fit"),
        (save(ARRAYS)[:50], "Was the file cut off"),
        (save(ARRAYS)[:8], "type of file cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_safetensors_file_is_refused(data: bytes, message: str) -> None:
    refused(data, message)


@pytest.mark.parametrize("write", [save, lambda arrays: npz_of(**arrays)])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_hh_l0": None}, "the layer at '' has no array 'weight_hh_l0'; it has"),
        ({"bias_hh_l0": None}, "the layer at '' has no array 'bias_hh_l0'"),
        ({"weight_ih_l0": np.zeros((3, 12))}, r"its input weights have shape \(3, 12\), but 4 units need \(12, 12\)"),
        ({"weight_hh_l0": np.zeros((4, 12))}, r"its recurrent weights have shape \(4, 12\)"),
        ({"weight_hh_l0": np.zeros((24, 12))}, r"have shape \(24, 12\), but 12 units need \(36, 12\)"),
        ({"weight_ih_l0": np.zeros((16, 3)), "weight_hh_l0": np.zeros((16, 4))}, "LSTM: its input biases have shape"),
        ({"weight_ih_l0": np.zeros((4, 3)), "weight_hh_l0": np.zeros((4, 4))}, "the RNN: its input biases have shape"),
        ({"bias_ih_l0": np.zeros(11)}, r"its input biases have shape \(11,\), but 4 units need \(12,\)"),
        ({"weight_ih_l0": np.zeros(12)}, "has weights of 1 and 2 axes; both must be matrices"),
        ({"weight_ih_l0": np.zeros((12, 0))}, "has no inputs"),
        ({"weight_ih_l0": np.zeros((12, 100_001))}, "has 100,001 inputs; at most 100,000 are allowed: .* settings"),
        ({"weight_hh_l0": np.zeros((12, 4), int)}, "'weight_hh_l0' has the type int64; .* save it as float32"),
        ({"weight_hh_l0": np.zeros((12, 4), bool)}, "'weight_hh_l0' has the type bool; .* save it as float32"),
        ({n: np.zeros([0, 3] if n == "weight_ih_l0" else [0] * a.ndim) for n, a in ARRAYS.items()}, "has no units"),
        ({"weight_ih_l0": np.full((12, 3), np.nan)}, "has a number that is not finite"),
        ({"weight_ih_l0": np.full((12, 3), -np.inf)}, "has a number that is not finite"),
        ({"weight_ih_l0": np.full((12, 3), 1e38)}, "has a number that is not between -1,000,000 and 1,000,000"),
        (torch_layer(np.random.default_rng(0), 4, 4, "_l2"), r"has layers \[0, 2\]: they must count from 0"),
        (torch_layer(np.random.default_rng(0), 5, 4, "_l1"), "layer 2 takes 5 inputs, but layer 1 gives 4"),
        ({n: a for k in range(1, 65) for n, a in torch_layer(np.random.default_rng(0), 4, 4, f"_l{k}").items()},
         "has 65 layers; at most 64 are allowed: .* settings set this limit"),
        ({f"{n}{k}": np.zeros(1) for n in "ab" for k in range(560)}, "has 1,124 (tensors|arrays); at most"),
    ],
)  # fmt: skip
def test_bad_weights_are_refused(changes: dict[str, Any], message: str, write: Callable[[Any], bytes]) -> None:
    refused(write({name: array for name, array in (ARRAYS | changes).items() if array is not None}), message)


def test_denormal_weights_are_read_as_small_numbers() -> None:
    arrays = {name: np.full_like(array, 1e-42) for name, array in ARRAYS.items()}
    model = formats.read(save(arrays), "small").model
    assert np.abs(model.forward(np.ones((5, 3)))[0].h).max() < 1e-40


def test_an_embedding_with_too_many_symbols_is_refused() -> None:
    data = save(ARRAYS | {"embed.weight": np.zeros((100_001, 3), np.float32)})
    small = formats.Limits(symbols=100_000)
    message = "has 100,001 symbols; at most 100,000 are allowed: .*answer “none” to the question embedding"
    with pytest.raises(FormatError, match=message):
        formats.read(data, "large", limits=small)
    assert len(formats.read(data, "large").model.encoder.alphabet) == 100_001
    assert formats.read(data, "large", {"embedding": "none"}, limits=small).model.encoder == Vectors(3)


def test_a_readout_with_too_many_outputs_is_refused() -> None:
    data = save(ARRAYS | {"out.weight": np.zeros((5, 4), np.float32), "out.bias": np.zeros(5, np.float32)})
    small = formats.Limits(units=4, outputs=4)
    with pytest.raises(
        FormatError, match=r"has 5 outputs; at most 4 are allowed: .*answer “none” to the question dense"
    ):
        formats.read(data, "x", limits=small)
    assert len(formats.read(data, "x", {"dense": "none"}, limits=small).model.readout.labels) == 4
