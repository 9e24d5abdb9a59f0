"""Import of networks from PyTorch and Keras that are in memory. Keras is imported only if `from_keras` is called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gru_core.formats import choices, read_arrays, read_file
from gru_core.formats.names import plain
from gru_core.formats.questions import FormatError
from gru_core.model import Model


def from_torch(
    module: Any,
    answers: Mapping[str, str] | None = None,
    alphabet: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Model:
    """Return the model in a `torch.nn.GRU`, `LSTM` or `RNN`, a cell such as `GRUCell`, or a module with one of these.

    The module may also have an Embedding and a Linear. A bidirectional layer needs `answers={"direction": "forward"}`
    or "backward". Other arguments and errors are as for `formats.read`. Raises FormatError if `module` is not a torch
    module, or if it has a plain RNN with relu.
    """
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
    return read_arrays(arrays, type(module).__name__, inferred | dict(answers or {}), alphabet, labels).model


def _weights(module: Any) -> dict[str, Any]:
    """Return the tensors of a module by name. Parametrized weights have the values that the module uses.

    The parametrizations are in evaluation mode meanwhile, because some of them change themselves in training mode.
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
    """Return a tensor as a NumPy array. NumPy has no bfloat16, so it becomes float32, which is exact."""
    if getattr(tensor, "is_meta", False):
        raise FormatError("this module has no numbers yet: it is on the device meta. Load its weights first")
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def from_keras(
    layer: Any,
    answers: Mapping[str, str] | None = None,
    alphabet: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Model:
    """Return the model in a Keras layer `GRU`, `LSTM`, `SimpleRNN`, `Bidirectional` or `RNN`, or in a model with one.

    Keras writes the layer to a `.keras` file in a temporary folder, and this function reads the file. Arguments are as
    for `from_torch`, and errors as for `formats.read`. Raises FormatError if the layer has no weights yet.
    """
    import keras

    if not isinstance(layer, keras.Model):
        if not getattr(layer, "weights", None):
            raise FormatError("this layer has no weights yet: call it once, or build it")
        layer = keras.Sequential([keras.Input((None, layer.weights[0].shape[0])), layer])
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{layer.name}.keras"
        layer.save(path)
        return read_file(path, answers, alphabet, labels).model
