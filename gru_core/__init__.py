"""GRU Scope's core: gated recurrent units in NumPy. A run keeps every intermediate value.

    import gru_core as gru
    model = gru.load("flip-flop")
    trace = gru.trace(model, "A m m B m")
    trace.z                               # the update gate, (T, H)

T is the number of timesteps, and H the number of hidden units.
"""

from importlib.metadata import version

from gru_core import formats, presets
from gru_core.card import Card
from gru_core.cells.gru import GRU, Forward, Gradients, backward, forward
from gru_core.cells.lstm import LSTM
from gru_core.cells.mingru import MinGRU
from gru_core.cells.rnn import RNN
from gru_core.cells.update_gate import half_life
from gru_core.encoders.numbers import Numbers, Operator
from gru_core.encoders.symbols import Symbols
from gru_core.encoders.tokens import SequenceError
from gru_core.encoders.vectors import Vectors
from gru_core.loading import from_keras, from_torch, load
from gru_core.model import Model, Readout
from gru_core.notebook import show
from gru_core.parity.report import Parity, check
from gru_core.runs.batch import TraceBatch, trace_batch
from gru_core.runs.census import Census, census
from gru_core.runs.clamp import Clamp
from gru_core.runs.edit import Edit
from gru_core.runs.free_run import FreeRun, forecast
from gru_core.runs.sensitivity import Sensitivity
from gru_core.runs.trace import Gap, Trace, stream, trace, twin
from gru_core.runs.writing import Writing, write

__version__ = version("gruscope")

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Card",
    "Census",
    "Clamp",
    "Edit",
    "Forward",
    "FreeRun",
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
    "TraceBatch",
    "Vectors",
    "Writing",
    "__version__",
    "backward",
    "census",
    "check",
    "forecast",
    "formats",
    "forward",
    "from_keras",
    "from_torch",
    "half_life",
    "load",
    "presets",
    "show",
    "stream",
    "trace",
    "trace_batch",
    "twin",
    "write",
]
