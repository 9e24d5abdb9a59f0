"""Import of PyTorch and Keras networks from memory. Keras is imported only when it is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from gru_core.formats import choices, read_arrays, read_file
from gru_core.formats.imported import Imported
from gru_core.formats.names import plain
from gru_core.formats.questions import FormatError, shown


def torch_network(
    module: Any,
    answers: Mapping[str, str],
    alphabet: Sequence[str] | None,
    labels: Sequence[str] | None,
) -> Imported:
    """Return the network in a torch module, or in a state dict. See `gru_core.from_torch`."""
    if isinstance(module, Mapping):
        inner = [shown(str(name)) for name, tensor in module.items() if isinstance(tensor, Mapping)]
        if inner:
            raise FormatError(
                f"{', '.join(inner[:4])}: a dictionary in a dictionary. Pass only the one with the weights"
            )
        arrays = {str(name): _array(tensor) for name, tensor in module.items()}
        return read_arrays(arrays, "state dict", answers, alphabet, labels)
    if not callable(getattr(module, "state_dict", None)):
        raise FormatError(f"{type(module).__name__} is not a torch module: it has no state_dict()")
    arrays = {name: _array(tensor) for name, tensor in _weights(module).items()}
    inputs = {array.shape[1] for name, array in arrays.items() if "weight_ih" in name and array.ndim == 2}
    kinds = {name: type(part).__name__ for name, part in module.named_modules()}
    if any(getattr(part, "nonlinearity", "tanh") != "tanh" for _, part in module.named_modules()):
        raise FormatError("this module has a plain RNN with relu; only tanh can be shown")
    tables = [
        name for name, kind in kinds.items() if kind == "Embedding" and arrays[f"{name}.weight"].shape[1] in inputs
    ]
    inferred = {}
    if len(tables) == 1:
        place = tables[0].replace(".", "/")
        others = {n: a for n, a in plain(arrays).items() if not re.search(r"(weight|bias)_(ih|hh)", n)}
        others = {n: a for n, a in others.items() if not n.startswith(f"{place}/")}
        if not choices.between(others, arrays[f"{tables[0]}.weight"].shape[1]):
            inferred = {"embedding": place}
    return read_arrays(arrays, type(module).__name__, inferred | dict(answers), alphabet, labels)


def _weights(module: Any) -> dict[str, Any]:
    """Return the tensors of a module by name, with the values that parametrizations compute.

    Each parametrization is switched to evaluation mode for the computation, because some of them change their own
    state in training mode.
    """
    tensors = dict(module.state_dict())
    for place, part in module.named_modules():
        for weight, parametrization in getattr(part, "parametrizations", {}).items():
            parts = {child: child.training for child in parametrization.modules()}
            parametrization.eval()
            prefix = f"{place}." if place else ""
            computed = {f"{prefix}{weight}": getattr(part, weight)}
            for child, training in parts.items():
                child.training = training
            sources = f"{prefix}parametrizations.{weight}."
            tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(sources)} | computed
    return tensors


def _array(tensor: Any) -> Any:
    """Convert a tensor to a NumPy array. NumPy has no bfloat16, so bfloat16 becomes float32, which is exact."""
    if getattr(tensor, "is_meta", False):
        raise FormatError("this module has no numbers yet: it is on the device meta. Load its weights first")
    if not hasattr(tensor, "detach"):
        return np.asarray(tensor)
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def keras_network(
    layer: Any,
    answers: Mapping[str, str],
    alphabet: Sequence[str] | None,
    labels: Sequence[str] | None,
) -> Imported:
    """Return the network in a Keras layer or model. See `gru_core.from_keras`."""
    if callable(getattr(layer, "state_dict", None)):
        raise FormatError(f"{type(layer).__name__} is a torch module: use gru.from_torch(module)")
    import keras

    if not isinstance(layer, keras.Model):
        if not getattr(layer, "weights", None):
            raise FormatError("this layer has no weights yet: call it once, or build it")
        layer = keras.Sequential([keras.Input((None, layer.weights[0].shape[0])), layer])
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{layer.name}.keras"
        layer.save(path)
        return read_file(path, answers, alphabet, labels)
