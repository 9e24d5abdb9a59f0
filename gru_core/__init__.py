"""GRU Scope's core: gated recurrent units in NumPy, run with every intermediate value kept.

import gru_core as gru
model = gru.load("flip-flop")
trace = gru.trace(model, "A x x B x")
trace.z                                   # the update gate, (T, H)
"""

from pathlib import Path

from gru_core import presets
from gru_core.card import Card
from gru_core.clamp import Clamp
from gru_core.edit import Edit
from gru_core.encoder import Numbers, Operator, SequenceError, Symbols, Vectors
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


def load(name: str | Path) -> Model:
    """The preset of that name, or the model in the `.safetensors` file at that path.

    Raises FileNotFoundError when it is neither, ValueError when the file holds no such model.
    """
    if name in presets.NAMES:
        return load_file(presets.path(str(name)))
    if not Path(name).is_file():
        raise FileNotFoundError(f"{name} is neither a file nor a preset: {', '.join(presets.NAMES)}")
    return load_file(name)
