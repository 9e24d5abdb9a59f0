"""Loaders of models: by name, from a file, or from a PyTorch or Keras network in memory.

`load`, `from_torch` and `from_keras` have the same keywords. The models that they return have a `report`: sentences
that explain how the network was read.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gru_core import formats, presets
from gru_core.formats import Imported, Unanswered, live
from gru_core.model import Model, is_saved, load_file
from gru_core.numerals import whole
from gru_core.presets.compared import before_training
from gru_core.training import checkpoints

Names = Sequence[str]


def load(
    source: str | Path | Mapping[str, Any],
    *,
    alphabet: Names | None = None,
    labels: Names | None = None,
    **answers: str,
) -> Model:
    """Return the preset with this name, the model in the file at this path, or the model in a state dict.

        gru.load("flip-flop")                            # a preset
        gru.load("flip-flop@74")                         # a preset at training step 74; @0 is before the training
        gru.load("net.npz", reset="after")               # a file, with the answer to a question that it leaves open
        gru.load(torch.load("net.pt", weights_only=True), direction="forward")   # arrays or tensors by name

    `NAME@STEP` is a checkpoint of the training, for a name in `presets.NAMES`. A file may have any format that
    `formats.read_file` reads. `answers`, `alphabet` and `labels` supply facts that the file does not have. If the model
    comes from a file or a state dict, its `report` explains how the file was read.

    Raises FileNotFoundError if there is no such preset or file. Raises ValueError if the training has no checkpoint
    at STEP, or if the name of a preset (without @) comes with answers, an alphabet or labels. Raises FormatError,
    a ValueError, if the file has no model that can be shown. Raises Unanswered, a FormatError, if the file leaves a
    question open. Its message shows the call that answers the question. Raises TypeError if `source` is a module.
    """
    if isinstance(source, Mapping):
        arrays = source
        return _read(
            "gru.load(state_dict", lambda: live.torch_network(arrays, answers, alphabet, labels), answers, alphabet,
            labels,
        )  # fmt: skip
    _check_path(source)
    has_names = alphabet is not None or labels is not None
    if source in presets.SHIPPED:
        if answers or has_names:
            raise ValueError("a preset needs no answers, alphabet or labels: leave them out")
        return load_file(presets.path(str(source)))
    preset, _, step = str(source).rpartition("@")
    if step == "0" and preset in presets.SHIPPED:
        return before_training(preset)
    if (number := whole(step)) is not None and preset in presets.NAMES:
        return checkpoints.shipped(preset).model(number)
    if not Path(source).is_file():
        raise FileNotFoundError(_missing(str(source)))
    if not answers and not has_names and is_saved(source):
        return load_file(source)
    return _read(
        f"gru.load({_quoted(str(source))}", lambda: formats.read_file(source, answers, alphabet, labels), answers,
        alphabet, labels,
    )  # fmt: skip


def from_torch(
    module: Any,
    given: Mapping[str, str] | None = None,
    /,
    *,
    alphabet: Names | None = None,
    labels: Names | None = None,
    **answers: str,
) -> Model:
    """Return the model in a `torch.nn.GRU`, `LSTM` or `RNN`, a cell such as `GRUCell`, or a module with one of these.

        gru.from_torch(module)
        gru.from_torch(module.state_dict(), direction="forward")     # one direction of a bidirectional layer

    `module` can also be a state dict: tensors or arrays by name. The module may also have an Embedding and a Linear.
    `answers`, `alphabet` and `labels` have the same meaning as for `load`. `given` can pass the answers as a
    dictionary, as for `formats.read_file`. Raises the errors of `load`, and FormatError if `module` is neither a torch
    module nor a state dict, or if it has a plain RNN with relu.
    """
    answers = {**(given or {}), **answers}
    return _read(
        "gru.from_torch(module", lambda: live.torch_network(module, answers, alphabet, labels), answers, alphabet,
        labels,
    )  # fmt: skip


def from_keras(
    layer: Any,
    given: Mapping[str, str] | None = None,
    /,
    *,
    alphabet: Names | None = None,
    labels: Names | None = None,
    **answers: str,
) -> Model:
    """Return the model in a Keras layer `GRU`, `LSTM`, `SimpleRNN`, `Bidirectional` or `RNN`, or in a model with one.

    Keras writes the layer to a `.keras` file in a temporary folder, and this function reads the file. Arguments and
    errors are as for `from_torch`. Raises FormatError if the layer has no weights yet.
    """
    answers = {**(given or {}), **answers}
    return _read(
        "gru.from_keras(layer", lambda: live.keras_network(layer, answers, alphabet, labels), answers, alphabet, labels
    )


def _read(
    call: str, read: Callable[[], Imported], answers: Mapping[str, str], alphabet: Names | None, labels: Names | None
) -> Model:
    """Return the model that `read` reads, with its report.

    If `read` raises Unanswered, raise it again with a message that shows the `call` that answers the question.
    """
    try:
        imported = read()
    except Unanswered as error:
        question = error.question
        keywords = [f"{key}={json.dumps(value)}" for key, value in answers.items()]
        keywords += [f"{key}={key}" for key, value in (("alphabet", alphabet), ("labels", labels)) if value is not None]
        keywords += [f"{question.key}={_quoted(question.options[0].value)}"]
        raise Unanswered(question, f"{', '.join((call, *keywords))})") from None
    return replace(imported.model, report=imported.report)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _check_path(source: Any) -> None:
    """Raise TypeError, with advice, if `source` is not a name or a path."""
    if isinstance(source, str | os.PathLike):
        return
    kind = type(source).__name__
    if callable(getattr(source, "state_dict", None)):
        raise TypeError(f"{kind} is a torch module in memory: use gru.from_torch(module)")
    if callable(getattr(source, "get_weights", None)):
        raise TypeError(f"{kind} is a Keras layer in memory: use gru.from_keras(layer)")
    raise TypeError(f"{kind} is neither the name of a preset, nor a path, nor a state dict")


def _missing(name: str) -> str:
    """Return the error message for a name that is neither a preset nor a file.

    A name with a dot or a slash is taken for a path, and any other name for a misspelled preset.
    """
    if re.search(r"[./\\]", name):
        return (
            f"there is no file {name} here ({os.getcwd()})" if not os.path.isabs(name) else f"there is no file {name}"
        )
    near = difflib.get_close_matches(name, presets.SHIPPED, 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{name} is neither a file nor a preset{meant}: choose one of {', '.join(presets.NAMES)}"
