"""Writing: after a prompt, a network reads its own outputs as its next inputs.

In a network with symbols, each next symbol is drawn from the output. A network that forecasts a series reads its
forecast.

writing = gru.write(gru.load("name-writer"), "irish", 12, 0.8, np.random.default_rng(3))
writing.text                              # the prompt and the written symbols
writing.trace.y[writing.given - 1]        # the probabilities of the first written symbol, at temperature 1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.cells.holds import Holds
from gru_core.encoders.symbols import Embedded, Symbols
from gru_core.encoders.tokens import SequenceError
from gru_core.encoders.vectors import Scaled
from gru_core.model import Model
from gru_core.runs.clamp import Clamp
from gru_core.runs.trace import Trace, part, trace

HOTTEST = 10.0
"""The highest temperature that is allowed."""


@dataclass(frozen=True)
class Written:
    """The inputs `x` `(T, I)` of a run over a prompt and the text that the network wrote after it.

    `tokens` are the timesteps as text. The first `given` of them are the prompt. The end label is a label that is not
    one of the network's inputs. If the network wrote the end label, the run skips the timestep `end` of this label and
    all later timesteps: `mask` `(T,)` is false there, and later tokens are "". Otherwise `end` is T. `mask` is None if
    the network skips no timestep.
    """

    tokens: list[str]
    x: Array
    mask: Mask | None
    given: int
    end: int

    @property
    def ended(self) -> bool:
        """Whether the network wrote the end label, which is then the token at `end`."""
        return self.end < len(self.tokens)


def heated(p: Array, temperature: float) -> Array:
    """Return probabilities proportional to p^(1 / temperature). At temperature 0 the largest has probability 1."""
    if temperature == 0:
        return np.asarray(np.arange(len(p)) == p.argmax(), float)
    logarithms = np.log(np.maximum(p, np.finfo(float).tiny))
    with np.errstate(over="ignore"):  # at a temperature near 0 every other probability becomes 0
        powers: Array = np.exp((logarithms - logarithms.max()) / temperature)
    powers /= powers.sum()
    return powers


def drawn(p: Array, number: float) -> int:
    """Return the index of an outcome drawn with probabilities `p`. `number` is a random number from 0 to 1."""
    return min(int(np.searchsorted(p.cumsum(), number, side="right")), len(p) - 1)


def check_writes(model: Model) -> None:
    """Raise ValueError unless the outputs of a model can be its next inputs."""
    encoder, readout = model.encoder, model.readout
    if model.is_bidirectional:
        raise ValueError("this model cannot write: it is bidirectional, so it needs the whole sequence first")
    if isinstance(encoder, Scaled) and readout.kind == "linear" and len(readout.labels) == 1:
        return
    if not isinstance(encoder, Symbols) or isinstance(encoder, Embedded) or readout.kind != "softmax":
        raise ValueError(
            "this model cannot write: its inputs and its outputs must be symbols, or one number on the same scale"
        )
    known = set(encoder.alphabet).intersection(readout.labels)
    if len(known) < len(readout.labels) - 1:
        missing = next(label for label in readout.labels if label not in known)
        raise ValueError(f"this model cannot write: its output {missing!r} is not one of its inputs")


def written(
    model: Model,
    tokens: list[str],
    steps: int,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
    h0: Sequence[Array] | None = None,
    holds: Sequence[Holds | None] | None = None,
) -> Written:
    """Return the inputs of a run over the given `tokens` and `steps` timesteps that the model writes after them.

    `rng` draws one number for each written symbol: two runs with the same seed differ only if the model's outputs
    differ. `rng` is not needed at temperature 0 or for forecasts. Each forecast has as many decimals as the encoder
    writes. `h0` and `holds` are the initial states and the clamped values of the whole run.

    Raises SequenceError if `tokens` is empty, or if a forecast is out of range. Raises ValueError if the model cannot
    write, if `steps` is below 0, if the temperature is not from 0 to HOTTEST, or if `rng` is missing.
    """
    check_writes(model)
    if steps < 0:
        raise ValueError(f"steps must be at least 0, not {steps}")
    if not 0 <= temperature <= HOTTEST:
        raise ValueError(f"the temperature must be from 0 to {HOTTEST:g}, not {temperature}")
    symbols = isinstance(model.encoder, Symbols)
    if symbols and temperature > 0 and rng is None:
        raise ValueError("above temperature 0, pass a generator: rng=np.random.default_rng(seed)")
    if not tokens:
        raise SequenceError("the prompt is empty: give at least one symbol" if symbols else "give at least one number")
    given, end = len(tokens), len(tokens) + steps
    tokens, x = list(tokens), np.zeros((end, model.encoder.inputs))
    x[:given] = model.encoder.encode(tokens)
    running = replace(model, layers=tuple(replace(cell) for cell in model.layers))  # cache prepared weights
    state, start = h0, 0
    for t in range(given, end):
        part = [layer and layer[start:t] for layer in holds or [None] * len(model.layers)]
        runs = running.forward(x[start:t], state, part)
        state, start = [run.last for run in runs], t
        token = _next(model, model.readout(runs[-1].h[-1]), temperature, rng)
        tokens.append(token)
        if symbols and token not in model.encoder.alphabet:
            end = t
            break
        if isinstance(model.encoder, Scaled):
            model.encoder.check(token, t + 1)
        x[t] = model.encoder.encode([token])[0]
    mask = model.mask(x)
    if end < len(x):
        mask = (np.ones(len(x), bool) if mask is None else mask) & (np.arange(len(x)) < end)
        tokens += [""] * (len(x) - len(tokens))
    return Written(tokens, x, mask, given, end)


def _next(model: Model, y: Array, temperature: float, rng: np.random.Generator | None) -> str:
    """Return the token that a model writes after its output `y` `(K,)`."""
    if isinstance(model.encoder, Scaled):
        return model.encoder.write(y[None])
    p = heated(y, temperature)
    return model.readout.labels[int(p.argmax()) if rng is None else drawn(p, rng.random())]


@dataclass(frozen=True)
class Writing:
    """A run over a prompt and the symbols that the network wrote after it.

    `trace` is the run over both parts. Its first `given` timesteps are the prompt. `text` has all symbols that the run
    reads, including the written ones. `ended` is true if the network wrote its end label, which is not one of its
    input symbols.
    """

    text: str
    given: int
    ended: bool
    trace: Trace = field(repr=False)

    @property
    def written(self) -> list[str]:
        """The written symbols."""
        return (self.trace.tokens or [])[self.given :]


def write(
    model: Model,
    prompt: str,
    steps: int,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
) -> Writing:
    """Return a run over `prompt` and at most `steps` symbols that the model writes after it.

    `rng` draws each symbol from the previous output at `temperature`: at 0 the model writes the likeliest symbol, at 1
    the output gives the probabilities, and above 1 rare symbols are likelier. `rng` is only needed above temperature 0.
    Writing ends early at the end label, which is not one of the model's inputs, such as the period of the name writer.
    A model may have only one such label. The same seed gives the same text here, on the page and on the command line.
    `h0` and `clamps` are as in `trace`. To write with changed weights, pass `model.edited(…)`.

    Raises SequenceError if the prompt cannot be read or is empty. Raises ValueError if the model cannot write, if
    `steps` is below 0, if the temperature is not from 0 to HOTTEST, if `rng` is missing, or if a clamp or an initial
    state does not fit.
    """
    if isinstance(model.encoder, Scaled):
        raise ValueError("this model cannot write symbols: it forecasts a series, so use gru.forecast")
    check_writes(model)
    sequence, run = run_written(model, prompt, steps, temperature, rng, h0, clamps)
    text = model.encoder.write(sequence.x[: sequence.end])
    return Writing(text, sequence.given, sequence.ended, part(run, slice(sequence.end)))


def run_written(
    model: Model,
    prompt: str,
    steps: int,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
) -> tuple[Written, Trace]:
    """Return the inputs, which are the prompt and the text that the model writes after it, and the run over them.

    The run has all timesteps, but skips the end label and every timestep after it. Raises the errors of `written` and
    `trace`.
    """
    tokens = model.encoder.tokens(prompt)
    length = (max(1, len(tokens)) + max(0, steps),)
    sequence = written(model, tokens, steps, temperature, rng, model.state(h0), model.holds(clamps, length))
    run = trace(model, sequence.x, h0, clamps, mask=sequence.mask)
    return sequence, replace(run, tokens=sequence.tokens)
