"""Files of torch.save: they give the results of PyTorch, and reading them runs no code from the files."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from gru_core import formats
from gru_core.formats import Unanswered, others, torch_file
from tests.support.files import FIXTURES, reference, refused, zipped

READ = {
    "pytorch-state.pt": {},
    "pytorch-lightning.ckpt": {},
    "pytorch-bfloat16.pth": {},
    "pytorch-views.bin": {},
    "pytorch-bigendian.pt": {},
    "pytorch-parametrized.pt": {},
    "pytorch-hooks.pt": {},
}


@pytest.mark.parametrize(("file", "answers"), READ.items())
def test_a_pytorch_file_gives_the_results_of_pytorch(file: str, answers: dict[str, str]) -> None:
    imported = formats.read_file(FIXTURES / file, answers)
    report = gru.check(imported, reference(file.partition(".")[0]))
    assert report.passed, report
    assert imported.model.card.title == file.partition(".")[0]


def test_the_report_names_parametrized_weights() -> None:
    report = " ".join(formats.read_file(FIXTURES / "pytorch-parametrized.pt").report)
    assert all(words in report for words in ("'weight_hh_l0'", "weight_norm", "'weight_ih_l0'", "spectral_norm"))
    assert "pruning" in " ".join(formats.read_file(FIXTURES / "pytorch-hooks.pt").report)


def test_only_the_state_dict_of_a_checkpoint_is_read() -> None:
    arrays = torch_file.arrays((FIXTURES / "pytorch-lightning.ckpt").read_bytes())
    assert {name.rpartition(".")[0] for name in arrays} == {
        f"model._orig_mod.{part}" for part in ("embed", "gru", "out")
    }


SAVE = r"torch\.save\(model\.state_dict\(\)"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("module.pt", rf"'__main__\.Net'(?s:.*){SAVE}"),
        ("layer.pt", rf"'torch\.nn\.modules\.rnn\.GRU'(?s:.*){SAVE}"),
        ("orthogonal.pt", r"'weight_hh_l0' is computed(?s:.*)remove_parametrizations"),
        ("old.pt", r"before version 1\.6(?s:.*)torch\.load(?s:.*)torch\.save"),
        ("script.pt", r"TorchScript(?s:.*)torch\.jit\.load(?s:.*)safetensors"),
        ("program.pt2", r"torch\.export(?s:.*)torch\.export\.load(?s:.*)safetensors"),
        ("list.pt", rf"no state dict(?s:.*){SAVE}"),
    ],
)
def test_a_file_without_a_state_dict_is_refused_with_code_that_saves_one(file: str, message: str) -> None:
    refused((FIXTURES / "refused" / file).read_bytes(), message, file)


def torch_zip(content: bytes, **storages: bytes) -> bytes:
    return zipped({"x/data.pkl": content} | {f"x/data/{key}": numbers for key, numbers in storages.items()})


def file_of_pickle(content: bytes) -> bytes:
    return torch_zip(b"\x80\x02" + content + b".")


class Calls:
    """An object that makes `pickle` call a function when the object is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, Any]:
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "wrap", [lambda evil: evil, lambda evil: {"state_dict": {}, "x": [evil]}, lambda evil: (evil,)]
)
def test_no_function_in_a_pickle_is_called(wrap: Any, protocol: int, tmp_path: Any) -> None:
    for function in (os.system, os.mkdir, eval, exec, getattr, __import__, io.open, print):
        content = pickle.dumps(wrap(Calls(function, str(tmp_path / "made"))), protocol)
        refused(torch_zip(content), rf"{function.__name__}', which is refused(?s:.*){SAVE}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"(i__main__\nX\n", b"(c__builtin__\nset\no", b"\x82\x01", b"P1\n", b"\x97"])
def test_opcodes_that_state_dicts_do_not_need_are_refused(content: bytes) -> None:
    refused(file_of_pickle(content), "the opcode .*, which no state dict has|is damaged")


def test_quantized_weights_are_refused_by_name() -> None:
    for name in (b"torch\nqint8", b"torch._utils\n_rebuild_qtensor", b"torch.ao.nn.quantized.modules.linear\nLinear"):
        refused(file_of_pickle(b"c" + name + b"\n"), rf"are quantized(?s:.*){SAVE}")


def put(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"}" + put(2**32 - 1), "no state dict"),  # with Python's unpickler, this memo would take 32 GB
        (b")" + b"\x85" * 50_000 + b"}" + b"h\0", "is damaged"),
        (b"}" + b")" + b"\x85" * 60_000 + b"Ns", "no state dict"),  # Python cannot hash such a deep tuple
        (b"]" * 90_000 + b"a" * 89_999, "no state dict"),
        (b"N0" * 150_000, "has more than 200,000 parts"),
        (b"\x8b" + struct.pack("<i", 2**31 - 1), "is damaged"),
        (b"\x8d" + struct.pack("<Q", 2**63), "is damaged"),
        (b"0", "is damaged"),
        (b"R", "is damaged"),
        (b"e", "is damaged"),
        (b"S'\\q'\n", "is damaged|no state dict"),
        (b"", "is damaged"),
    ],
)
def test_a_hostile_pickle_is_refused(content: bytes, message: str) -> None:
    refused(file_of_pickle(content), message)


def tensor(key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: str = "Float") -> Calls:
    """Return an object that `Pickler` writes as torch.save writes a tensor. The numbers are in the storage `key`."""
    return Calls(
        Named("torch._utils", "_rebuild_tensor_v2"), Stored(key, kind), offset, shape, strides, False, OrderedDict()
    )


class Named:
    """A reference to a function or class of a library. The library, for example torch, need not be installed."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        raise NotImplementedError


class Stored:
    def __init__(self, key: str, kind: str) -> None:
        self.key, self.kind = key, kind


class Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """A pickler that writes `Named` and `Stored` objects as torch.save does."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj: Any) -> Any:
        return ("storage", Named("torch", f"{obj.kind}Storage"), obj.key, "cpu", 0) if isinstance(obj, Stored) else None


def saved(content: Any, **storages: Any) -> bytes:
    file = io.BytesIO()
    Pickler(file, 2).dump(content)
    return torch_zip(file.getvalue(), **{key: np.asarray(numbers).tobytes() for key, numbers in storages.items()})


def layer(**changes: Any) -> dict[str, Any]:
    """Return a state dict of nn.GRU(2, 1) with `changes`. All its numbers are in the storage "n"."""
    state = {"weight_ih_l0": tensor("n", 0, (3, 2), (2, 1)), "weight_hh_l0": tensor("n", 0, (3, 1), (1, 1)),
             "bias_ih_l0": tensor("n", 3, (3,), (1,)), "bias_hh_l0": tensor("n", 3, (3,), (0,))}  # fmt: skip
    return state | changes


NUMBERS = np.linspace(-1, 1, 6, dtype="<f4")


def test_views_of_a_storage_are_read_by_their_strides() -> None:
    cell = formats.read(saved(layer(), n=NUMBERS), "x").model.layers[0]
    assert isinstance(cell, gru.GRU)
    assert cell.c_h is not None
    np.testing.assert_array_equal(cell.c_h, NUMBERS[3:4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_ih_l0": tensor("n", 1, (3, 2), (2, 1))}, "the numbers of 'weight_ih_l0' are not all in this"),
        ({"weight_ih_l0": tensor("n", 0, (3, 2), (2**39, 1))}, "the numbers of 'weight_ih_l0' are not all in this"),
        ({"weight_ih_l0": tensor("elsewhere", 0, (3, 2), (2, 1))}, "the numbers of 'weight_ih_l0' are not all in this"),
        ({"weight_ih_l0": tensor("../../x", 0, (3, 2), (2, 1))}, "the numbers of 'weight_ih_l0' are not all in this"),
        ({"weight_ih_l0": tensor("n", -1, (3, 2), (2, 1))}, "is damaged"),
        ({"weight_ih_l0": tensor("n", 5, (3, 2), (-2, -1))}, "is damaged"),
        ({"weight_ih_l0": tensor("n", 0, (3, 2), (2,))}, "is damaged"),
        ({"weight_ih_l0": tensor("n", 0, (1,) * 9, (1,) * 9)}, "is damaged"),
        ({"weight_ih_l0": tensor("n", 0, (2**39, 2**39), (0, 0))}, "far larger than the file"),
        ({f"x{k}": tensor("n", 0, (10**6, 20), (0, 0)) for k in range(50)}, "far larger than the file"),
        ({"weight_ih_l0": tensor("n", 0, (3, 2), (2, 1), "Int")}, "has the type int32; .*: save it as float32"),
        ({"weight_ih_l0": None}, "has no array 'weight_ih_l0'"),
    ],
)
def test_impossible_tensors_are_refused(changes: dict[str, Any], message: str) -> None:
    refused(saved(layer(**changes), n=NUMBERS), message)


def test_plain_values_beside_the_weights_are_ignored() -> None:
    import argparse
    import pathlib

    beside = {"epoch": 3, "args": argparse.Namespace(lr=1e-3, out=pathlib.PurePosixPath("x")), "seen": {1, 2},
              "best": np.float64(0.5), "history": [1.0, None], "counter": tensor("i", 0, (), (), "Long")}  # fmt: skip
    data = saved(beside | {"state_dict": layer(tracked=tensor("i", 0, (), (), "Long"))}, n=NUMBERS, i=np.int64(7))
    assert formats.read(data, "x").model.layers[0].units == 1


OPTIMIZER = {"state": {0: {"exp_avg": tensor("n", 0, (3, 2), (2, 1))}}, "param_groups": [{"lr": 0.1}]}


@pytest.mark.parametrize(
    "checkpoint",
    [
        (layer(), OPTIMIZER),
        [layer(), OPTIMIZER, 3],
        {"model": layer(), "class_weights": tensor("n", 0, (2, 3), (3, 1))},
        {"callbacks": {"confusion": tensor("n", 0, (2, 2), (2, 1))}, "state_dict": layer()},
    ],
    ids=["tuple", "list", "a matrix beside it", "a matrix in another dictionary"],
)
def test_a_state_dict_is_recognized_in_a_checkpoint(checkpoint: Any) -> None:
    assert formats.read(saved(checkpoint, n=NUMBERS), "x").model.layers[0].units == 1


def test_an_optimizer_alone_is_named() -> None:
    refused(saved(OPTIMIZER, n=NUMBERS), rf"the state of an optimizer, and no weights(?s:.*){SAVE}")


def test_numpy_arrays_that_torch_saved_are_named() -> None:
    array = Calls(np.zeros(3).__reduce__()[0], np.ndarray, (0,), b"b")
    refused(file_of_pickle(pickle.dumps({"weight_ih_l0": array}, 2)[2:-1]), r"NumPy's, and not tensors(?s:.*)np\.savez")


def test_a_checkpoint_with_two_state_dicts_needs_a_chosen_network() -> None:
    data = saved({"encoder": layer(), "decoder": layer()}, n=NUMBERS)
    with pytest.raises(Unanswered) as error:
        formats.read(data, "x")
    assert {option.value for option in error.value.question.options} >= {"encoder", "decoder"}


def test_the_error_for_an_incomplete_file_says_so() -> None:
    refused((FIXTURES / "pytorch-state.pt").read_bytes()[:-40], "its end is missing. Was it cut off", "x.pt")


def test_a_file_without_its_pickle_is_refused_as_damaged() -> None:
    refused(zipped({"x/data.pkl2": b""}), "has no data.pkl: it is damaged")


def test_a_zip_with_two_ends_that_differ_is_refused() -> None:
    data = bytearray((FIXTURES / "pytorch-state.pt").read_bytes())
    data[-98 + 32] += 1
    refused(bytes(data), "its two ends .* differ")


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "x.pt", "Git LFS(?s:.*)git lfs pull"),
        (b"<!DOCTYPE html>", "x.onnx", "web page(?s:.*)Download the file itself"),
        (b'{"format": "layers-model"}', "model.json", "JSON(?s:.*)tensorflowjs_converter"),
        (b"MATLAB 5.0 MAT-file", "x.mat", r"MATLAB(?s:.*)np\.savez"),
        (b"\x20\0\0\0ORTM", "x.ort", r"ONNX Runtime(?s:.*)Use the \.onnx file"),
        (bytes(80), "group1-shard1of1.bin", rf"not what torch\.save writes(?s:.*){SAVE}"),
        (bytes(80), "net.pdparams", r"PaddlePaddle(?s:.*)np\.savez"),
        (pickle.dumps({"gru": {"w_i": np.zeros(3)}}), "haiku.pkl", r"Haiku(?s:.*)np\.savez"),
        (b"\x1c\0\0\0TFL3" + bytes(50), "x", r"TFLite(?s:.*)model\.keras"),
        (b"\x08\x01\x12\x04\x0a\x02\x08\x01", "x", r"SavedModel(?s:.*)model\.keras"),
        (b"\x08\x04\x12\x00\xa2\x1f\x00", "x", r"Core ML(?s:.*)PyTorch or Keras"),
        (b"\x81\xa6params\x80", "x", r"Flax(?s:.*)np\.savez"),
        (b"\x93NUMPY\x01\x00", "x.eqx", r"Equinox(?s:.*)np\.savez"),
        (bytes(40) + others.TABLE, "model.ckpt.index", r"TensorFlow checkpoint(?s:.*)np\.savez"),
        (b"\x1f\x8b" + bytes(30), "x.gz", "gzip. Unpack it"),
        (bytes(257) + b"ustar" + bytes(300), "x.tar", "tar archive. Unpack it"),
        (b"\0\1\2", "x.ckpt", "torch.save"),
        (b"\0\1\2", "x.bin", "torch.save"),
        (zipped({"x/saved_model.pb": b""}), "x.zip", "SavedModel"),
        (zipped({"x/Data/com.apple.CoreML/model.mlmodel": b""}), "x.zip", "Core ML"),
    ],
)
def test_files_of_other_formats_are_refused_with_a_remedy(data: bytes, name: str, message: str) -> None:
    refused(data, message, name)


def test_names_in_the_zip_are_not_used_as_paths() -> None:
    with zipfile.ZipFile(io.BytesIO((FIXTURES / "pytorch-state.pt").read_bytes())) as archive:
        files = {f"../../{name}": archive.read(name) for name in archive.namelist()}
    assert formats.read(zipped(files), "x").model.layers[0].units == 5
