"""Network files from other libraries, the results that these libraries computed, and small test files."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_core import formats
from gru_core.formats import FormatError, Unanswered
from tests.support.timing import cpu_seconds

FIXTURES = Path(__file__).parent.parent / "fixtures"

# Each library rounds its float32 sums differently: errors are up to 2e-7, and 3e-7 for one backward run.
REAL = [
    ("pytorch-tagger.safetensors", "pytorch-tagger", {}),
    ("pytorch-tagger.onnx", "pytorch-tagger", {}),
    ("pytorch-bare.npz", "pytorch-bare", {}),
    ("pytorch-cell.safetensors", "pytorch-cell", {}),
    ("keras-tagger.keras", "keras-tagger", {}),
    ("keras-tagger.weights.h5", "keras-tagger", {"network": "stacked", "readout": "softmax"}),
    ("keras-before.keras", "keras-before", {}),
    ("keras-before.weights.h5", "keras-before", {}),
    ("keras-mixed.keras", "keras-mixed", {"direction": "forward"}),
    ("keras-branching.keras", "keras-branching", {"network": "layers/gru_1"}),
    ("flax-linen.npz", "flax-linen", {}),
    ("flax-nnx.npz", "flax-nnx", {}),
    ("equinox.npz", "equinox", {}),
    ("haiku.npz", "haiku", {}),
    ("keras2-compiled.h5", "keras2-compiled", {}),
    ("keras3-compiled.h5", "keras3-compiled", {}),
    ("keras2-masked.h5", "keras2-masked", {}),
    ("keras3-masked.h5", "keras3-masked", {}),
    ("keras3-masked.keras", "keras3-masked", {}),
    ("keras2-cudnngru.h5", "keras2-cudnngru", {}),
    ("keras2-cudnnlstm.h5", "keras2-cudnnlstm", {}),
    ("keras2-cudnngru-arrays.npz", "keras2-cudnngru", {}),
    ("keras2-cudnnlstm-arrays.npz", "keras2-cudnnlstm", {}),
    ("keras3-subclassed.keras", "keras3-subclassed", {}),
    *((f"{name}.safetensors", name, {}) for name in ("mlx", "mlx-lstm", "mlx-rnn")),
] + [
    (file, file.partition(".")[0], {"direction": direction})
    for file in (
        "flax-both.npz",
        "pytorch-both.safetensors",
        "pytorch-both.onnx",
        "keras-both.keras",
        "keras-both.weights.h5",
    )
    for direction in ("forward", "backward")
]


def reference(name: str) -> dict[str, Any]:
    """Return the arrays in the reference file of the network `name`."""
    with np.load(FIXTURES / f"{name}-reference.npz") as file:
        return dict(file)


def npz(**arrays: Any) -> bytes:
    """Return the content of an NPZ file with these arrays."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def question_of(error: Unanswered) -> tuple[str, list[str]]:
    """Return the key of an open question and the values of its options."""
    return error.question.key, [option.value for option in error.question.options]


def torch_layer(rng: Any, inputs: int, units: int, suffix: str = "_l0", prefix: str = "") -> dict[str, Any]:
    """Return random float32 arrays with the names and shapes of the parameters of an nn.GRU layer."""
    shapes = {
        "weight_ih": (3 * units, inputs),
        "weight_hh": (3 * units, units),
        "bias_ih": 3 * units,
        "bias_hh": 3 * units,
    }
    return {f"{prefix}{n}{suffix}": rng.normal(0, 0.5, shape).astype(np.float32) for n, shape in shapes.items()}


def refused(data: bytes, message: str, name: str = "x") -> None:
    """Assert that reading the file raises FormatError with `message`, within half a second and 100 MB of memory."""

    def read() -> None:
        with pytest.raises(FormatError, match=message):
            formats.read(data, name)

    assert cpu_seconds(read, 0.5) <= 0.5
    tracemalloc.start()  # after the timing, because tracing slows the code down
    with pytest.raises(FormatError) as error:
        formats.read(data, name)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100e6
    assert len(str(error.value)) < 1000
    assert all(c.isprintable() or c == "\n" for c in str(error.value))


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return the content of a ZIP archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()
