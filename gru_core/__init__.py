"""GRU Scope's core: gated recurrent units in NumPy. A run keeps every intermediate value.

    import gru_core as gru
    model = gru.load("flip-flop")
    trace = gru.trace(model, "A m m B m")
    trace.z                               # the update gate, (T, H)

T is the number of timesteps, and H the number of hidden units.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from gru_core import formats, presets
from gru_core.card import Card
from gru_core.cells.gru import GRU, Forward, Gradients, backward, forward, half_life
from gru_core.cells.lstm import LSTM
from gru_core.cells.mingru import MinGRU
from gru_core.cells.rnn import RNN
from gru_core.encoder import Numbers, Operator, SequenceError, Symbols, Vectors
from gru_core.formats.live import from_keras, from_torch
from gru_core.model import Model, Readout, is_saved, load_file
from gru_core.numerals import whole
from gru_core.parity.report import Parity, check
from gru_core.presets.compared import before_training
from gru_core.runs.clamp import Clamp
from gru_core.runs.edit import Edit
from gru_core.runs.sensitivity import Sensitivity
from gru_core.runs.trace import Gap, Trace, stream, trace, twin
from gru_core.training import checkpoints

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Card",
    "Clamp",
    "Edit",
    "Forward",
    "Gap",
    "Gradients",
    "MinGRU",
    "Model",
    "Numbers",
    "Operator",
    "Parity",
    "Readout",
    "Sensitivity",
    "SequenceError",
    "Symbols",
    "Trace",
    "Vectors",
    "backward",
    "check",
    "forward",
    "from_keras",
    "from_torch",
    "half_life",
    "load",
    "stream",
    "trace",
    "twin",
]


def load(
    name: str | Path, *, alphabet: Sequence[str] | None = None, labels: Sequence[str] | None = None, **answers: str
) -> Model:
    """Return the preset with this name, or the model in the file at this path.

    `NAME@0` is the model before its training. For a name in `presets.NAMES`, `NAME@STEP` is a checkpoint of the
    training: `load("flip-flop@0")`, `load("flip-flop@74")`. A file may have any format that `formats.read_file`
    reads. `answers`, `alphabet` and `labels` add what is missing in the file: `load("net.npz", reset="after")`.

    Raises FileNotFoundError if there is no such preset or file. Raises ValueError if the training has no checkpoint
    at STEP, or if the name of a preset (without @) comes with answers, an alphabet or labels. Raises FormatError,
    a ValueError, if the file has no model that can be shown. Raises Unanswered, a FormatError, if the file leaves a
    question open. Its message shows the call that answers the question.
    """
    has_names = alphabet is not None or labels is not None
    if name in presets.SHIPPED:
        if answers or has_names:
            raise ValueError("a preset needs no answers, alphabet or labels: leave them out")
        return load_file(presets.path(str(name)))
    preset, _, step = str(name).rpartition("@")
    if step == "0" and preset in presets.SHIPPED:
        return before_training(preset)
    if (number := whole(step)) is not None and preset in presets.NAMES:
        return checkpoints.shipped(preset).model(number)
    if not Path(name).is_file():
        raise FileNotFoundError(f"{name} is neither a file nor a preset: choose one of {', '.join(presets.NAMES)}")
    if not answers and not has_names and is_saved(name):
        return load_file(name)
    try:
        return formats.read_file(name, answers, alphabet, labels).model
    except formats.Unanswered as error:
        question = error.question
        keywords = [f"{key}={json.dumps(value)}" for key, value in answers.items()]
        keywords += [f"{key}={key}" for key, value in (("alphabet", alphabet), ("labels", labels)) if value is not None]
        keywords += [f"{question.key}={json.dumps(question.options[0].value, ensure_ascii=False)}"]
        call = f"gru.load({', '.join((json.dumps(str(name), ensure_ascii=False), *keywords))})"
        raise formats.Unanswered(question, call) from None
