"""The arrays of Haiku's hk.GRU.

    z = σ(W_z x + U_z h + b_z)              w_i (I, 3H), w_h (H, 3H), b (3H,): z, r, a
    r = σ(W_r x + U_r h + b_r)
    a = tanh(W_a x + U_a (r ⊙ h) + b_a)     reset "before"
    h = (1 − z) ⊙ h + z ⊙ a                 z takes the candidate, as in the core

https://dm-haiku.readthedocs.io/en/latest/api.html#gru
"""

from __future__ import annotations

from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.weights import Stack, cell


def find(arrays: Arrays) -> list[Stack]:
    """Return the GRUs with the array names of Haiku. Raises FormatError if a GRU is incomplete or does not fit."""
    stacks: list[Stack] = []
    for where, group in groups(arrays, "w_i|w_h|b").items():
        if "w_i" in group or "w_h" in group:
            W, U = (part(arrays, group, where, name).T for name in ("w_i", "w_h"))
            layer = cell(where, W, U, part(arrays, group, where, "b") if "b" in group else None)
            names = frozenset(group.values())
            stacks.append(Stack("Haiku's GRU", where, ({"forward": layer},), names, "zrh", "before", "take"))
    return stacks
