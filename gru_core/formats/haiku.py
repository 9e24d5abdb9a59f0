"""The arrays of Haiku's hk.GRU and hk.LSTM.

    z = σ(W_z x + U_z h + b_z)              w_i (I, 3H), w_h (H, 3H), b (3H,): z, r, a
    r = σ(W_r x + U_r h + b_r)
    a = tanh(W_a x + U_a (r ⊙ h) + b_a)     reset "before"
    h = (1 − z) ⊙ h + z ⊙ a                 z takes the candidate, as in the core

An LSTM has one linear layer of x and h: lstm/linear/w (I + H, 4H) and b (4H,), with the blocks i, g (the candidate),
f and o. The cell adds 1 to the bias of f. A VanillaRNN has relu and not tanh, so it cannot be shown.

https://dm-haiku.readthedocs.io/en/latest/api.html#gru
"""

from __future__ import annotations

import re

import numpy as np

from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import Stack, cell


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have Haiku's array names.

    Raises FormatError if a network is incomplete or cannot be shown, or if its arrays do not fit together.
    """
    stacks: list[Stack] = []
    for where, group in groups(arrays, "w_i|w_h|b").items():
        if "w_i" in group or "w_h" in group:
            W, U = (part(arrays, group, where, name).T for name in ("w_i", "w_h"))
            layer = cell(where, W, U, part(arrays, group, where, "b") if "b" in group else None)
            names = frozenset(group.values())
            stacks.append(Stack("Haiku's GRU", where, ({"forward": layer},), names, "zrh", "before", "take"))
    for name in arrays:
        if re.search(r"(?:^|/)vanilla_rnn(?:_\d+)?/linear/w$", name):
            raise FormatError(
                f"{shown(name)} belongs to Haiku's VanillaRNN, which has relu; only tanh can be shown. To see such a "
                "network, train it with hk.GRU or hk.LSTM"
            )
    lstms = {name.rpartition("/")[0] for name in arrays if re.search(r"(?:^|/)lstm(?:_\d+)?/linear/w$", name)}
    return stacks + [_lstm(arrays, path) for path in sorted(lstms)]


def _lstm(arrays: Arrays, path: str) -> Stack:
    group = {name: f"{path}/{name}" for name in "wb" if f"{path}/{name}" in arrays}
    place = path.removesuffix("/linear")
    w, b = (part(arrays, group, place, name) for name in "wb")
    H = w.shape[1] // 4 if w.ndim == 2 else 0
    if not H or w.shape[1] != 4 * H or len(w) <= H or b.shape != (4 * H,):
        raise FormatError(
            f"the LSTM at {shown(place)} has w of shape {w.shape} and b of shape {b.shape}; they must be (I + H, 4H) "
            "and (4H,)"
        )
    I = len(w) - H
    b = b + np.repeat(np.array([0, 0, 1, 0], b.dtype), H)
    layer = cell(place, w[:I].T, w[I:].T, b, others=True)
    note = "Haiku's LSTM adds 1 to the bias of its forget gate, so b includes it here."
    return Stack(
        "Haiku's LSTM", place, ({"forward": layer},), frozenset(group.values()), "icfo", None, None, notes=(note,)
    )
