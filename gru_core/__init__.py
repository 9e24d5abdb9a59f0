"""GRU Scope's core: gated recurrent units in NumPy, run with every intermediate value kept.

import gru_core as gru
model = gru.load("flip-flop")
trace = gru.trace(model, "A x x B x")
trace.z                                   # the update gate, (T, H)
"""

from collections.abc import Sequence
from pathlib import Path

from gru_core import presets
from gru_core.card import Card
from gru_core.clamp import Clamp
from gru_core.edit import Edit
from gru_core.encoder import Numbers, Operator, SequenceError, Symbols, Vectors
from gru_core.formats import FormatError, Unanswered, read_file
from gru_core.formats.live import from_keras, from_torch
from gru_core.gru import GRU, Forward, Gradients, backward, forward, half_life
from gru_core.model import Model, Readout, load_file
from gru_core.parity import Parity, check
from gru_core.sensitivity import Sensitivity
from gru_core.trace import Gap, Trace, stream, trace, twin

__all__ = [
    "GRU",
    "Card",
    "Clamp",
    "Edit",
    "Forward",
    "Gap",
    "Gradients",
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
    """The preset of that name, or the model in the file at that path.

    A file may be any that `formats.read_file` takes. `alphabet`, `labels` and the `answers` to what it does not tell,
    such as `reset="after"`, are as there.

    Raises FileNotFoundError when it is neither; FormatError, a ValueError, when the file holds no such model, and of
    a question that must be answered first, with the call that answers it.
    """
    if name in presets.NAMES:
        return load_file(presets.path(str(name)))
    if not Path(name).is_file():
        raise FileNotFoundError(f"{name} is neither a file nor a preset: {', '.join(presets.NAMES)}")
    try:
        return read_file(name, answers, alphabet, labels).model
    except Unanswered as unanswered:
        key, first = unanswered.question.key, unanswered.question.options[0].value
        given = "".join(f", {said}={value!r}" for said, value in {**answers, key: first}.items())
        raise FormatError(f"{unanswered}. For the first: gru.load({str(name)!r}{given})") from unanswered
