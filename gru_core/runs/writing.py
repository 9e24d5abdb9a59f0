"""Writing: a network draws its next input from its own output, timestep by timestep.

writing = gru.write(gru.load("name-writer"), "irish", 12, 0.8, np.random.default_rng(3))
writing.text                              # the prompt and the written symbols
writing.trace.y[writing.given - 1]        # the probabilities of the first written symbol, at temperature 1
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gru_core.arrays import Array
from gru_core.encoder import Embedded, SequenceError, Symbols
from gru_core.model import Model
from gru_core.runs.trace import Trace, trace

HOTTEST = 10.0
"""The highest temperature."""


@dataclass(frozen=True)
class Writing:
    """A run over a prompt and the symbols that the network wrote after it.

    `trace` is the run over both. Its first `given` timesteps are the prompt. `text` is what the run reads. `ended` is
    true if the network wrote its end: a label that is no symbol of its inputs.
    """

    text: str
    given: int
    ended: bool
    trace: Trace = field(repr=False)

    @property
    def written(self) -> list[str]:
        """The written symbols."""
        return (self.trace.tokens or [])[self.given :]


def heated(p: Array, temperature: float) -> Array:
    """Return probabilities proportional to p^(1 / temperature). At temperature 0 the largest has probability 1."""
    if temperature == 0:
        return np.asarray(np.arange(len(p)) == p.argmax(), float)
    logarithms = np.log(np.maximum(p, np.finfo(float).tiny)) / temperature
    powers: Array = np.exp(logarithms - logarithms.max())
    powers /= powers.sum()
    return powers


def check_writes(model: Model) -> Symbols:
    """Return the encoder of a model that can write. Raises ValueError if its outputs cannot be its next inputs."""
    encoder, labels = model.encoder, model.readout.labels
    known = set(encoder.alphabet).intersection(labels) if isinstance(encoder, Symbols) else set()
    if not isinstance(encoder, Symbols) or isinstance(encoder, Embedded) or model.readout.kind != "softmax":
        raise ValueError("this model cannot write: its inputs and its outputs must be symbols")
    if len(known) < len(labels) - 1:
        missing = next(label for label in labels if label not in known)
        raise ValueError(f"this model cannot write: its output {missing!r} is not one of its inputs")
    return encoder


def write(
    model: Model, prompt: str, steps: int, temperature: float = 1.0, rng: np.random.Generator | None = None
) -> Writing:
    """Return the run over `prompt` and at most `steps` symbols that the model writes after it.

    Each symbol is drawn by `rng` from the output before it at `temperature`: at 0 it is the likeliest symbol, at 1 the
    probabilities are those of the output, and above 1 rare symbols are likelier. Writing ends early at a label that the
    model cannot read, such as the period of the name writer. Only one label may be of this kind. The same seed gives
    the same text. `rng` is only needed above temperature 0.

    Raises SequenceError if the prompt cannot be read or is empty, and ValueError if the model cannot write, if `steps`
    is below 0, if the temperature is not from 0 to HOTTEST, or if `rng` is missing.
    """
    encoder = check_writes(model)
    if steps < 0:
        raise ValueError(f"steps must be at least 0, not {steps}")
    if not 0 <= temperature <= HOTTEST:
        raise ValueError(f"the temperature must be from 0 to {HOTTEST:g}, not {temperature}")
    if temperature > 0 and rng is None:
        raise ValueError("above temperature 0, pass a generator: rng=np.random.default_rng(seed)")
    tokens = encoder.tokens(prompt)
    if not tokens:
        raise SequenceError("the prompt is empty: give at least one symbol")
    given, ended = len(tokens), False
    run = trace(model, encoder.encode(tokens))
    while len(tokens) < given + steps:
        p = heated(run.y[-1], temperature)
        drawn = (
            int(p.argmax())
            if rng is None
            else min(int(np.searchsorted(p.cumsum(), rng.random(), side="right")), len(p) - 1)
        )
        label = model.readout.labels[drawn]
        ended = label not in encoder.alphabet
        if ended:
            break
        tokens.append(label)
        run = trace(model, encoder.encode([label]), after=run)
    text = encoder.write(encoder.encode(tokens))
    return Writing(text, given, ended, trace(model, text))
