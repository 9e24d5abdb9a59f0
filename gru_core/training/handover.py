"""An encoder and a decoder in one GRU layer: the first half of the units reads, the second half writes.

A timestep reads an input for the encoder, the sign at which the encoder hands over its state, or an input for the
decoder. Weights of ±FAR hold gates open or closed; σ(±FAR) is 1 or 0 up to 1e-26.

    timestep            encoder          decoder
    encoder's input     as trained       z = 0
    sign                z = 0, r = 1     z = 1
    decoder's input     z = 0, r = 0     as trained

The encoder's state therefore stays as it is after the encoder's last input, and the decoder's state is 0 before the
sign. At the sign the decoder's state becomes tanh(W x + U h + b), with the encoder's state h, as in Cho et al. 2014
(arXiv:1406.1078). No other weight connects the two halves. The layer computes the same as two separate GRUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gru_core.arrays import Array
from gru_core.cells.gru import GRU
from gru_core.model import Model

FAR = 60.0
"""The absolute value of a weight that holds a gate open or closed."""

R, Z, H_TILDE = range(3)
ENCODER, DECODER = range(2)


@dataclass(frozen=True)
class Handover:
    """The indices of the inputs for an encoder and for a decoder in one layer.

    The encoder reads the inputs `read`, and the decoder reads the inputs `written`. The input `sign` is the symbol
    between the two texts, at which the encoder hands its state to the decoder.
    """

    read: slice
    sign: slice
    written: slice

    def connect(self, model: Model) -> Model:
        """Return the model with its only layer split into an encoder and a decoder. The readout reads the decoder only.

        Raises ValueError unless the model has exactly one layer: a GRU layer with an even number of units, and with the
        reset gate before the product.
        """
        if len(model.layers) != 1 or not isinstance(model.layers[0], GRU) or model.layers[0].reset != "before":
            raise ValueError("an encoder and a decoder need one GRU layer, with the reset gate before the product")
        if model.layers[0].units % 2:
            raise ValueError("an encoder and a decoder need an even number of units, half of them for each")
        trained = self.trained(model)
        free = {name: array * trained[name] for name, array in model.parameters.items()}
        W = free["layers.0.W"] = free["layers.0.W"].copy()
        blocks = _halves(W)
        blocks[Z, ENCODER, :, self.sign] = blocks[Z, ENCODER, :, self.written] = -FAR
        blocks[R, ENCODER, :, self.sign], blocks[R, ENCODER, :, self.written] = FAR, -FAR
        blocks[Z, DECODER, :, self.read], blocks[Z, DECODER, :, self.sign] = -FAR, FAR
        return model.with_parameters(free)

    def trained(self, model: Model) -> Mapping[str, Array]:
        """Return a mask for each parameter of a model: 1 for weights that training changes, 0 for all others."""
        masks = {name: np.zeros_like(array) for name, array in model.parameters.items()}
        W, U = _halves(masks["layers.0.W"]), _halves(masks["layers.0.U"])
        W[:, ENCODER, :, self.read] = W[:, DECODER, :, self.written] = W[H_TILDE, DECODER, :, self.sign] = 1
        half = U.shape[-1] // 2
        U[:, ENCODER, :, :half] = U[:, DECODER, :, half:] = U[H_TILDE, DECODER, :, :half] = 1
        masks["readout.V"][:, half:] = 1
        return masks | {name: np.ones_like(masks[name]) for name in ("layers.0.b", "readout.c")}


def _halves(array: Array) -> Array:
    """Return a view `(3, 2, H / 2, ·)` of W or U. Axis 0 is r, z and h̃. Axis 1 is the encoder and the decoder."""
    return array.reshape(3, 2, -1, array.shape[-1])
