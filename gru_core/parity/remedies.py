"""Advice for each cause of a difference: the change to make, and the library in which to make it."""

from __future__ import annotations

from gru_core.formats.weights import Reset, Update

# https://pytorch.org/docs/stable/generated/torch.nn.GRU.html, https://keras.io/api/layers/recurrent_layers/gru/,
# https://onnx.ai/onnx/operators/onnx__GRU.html, https://github.com/microsoft/onnxscript/issues/2852


def reset(other: Reset) -> str:
    """Return the remedy if the other implementation's reset gate acts at `other`, "before" or "after" the product."""
    keras, onnx = ("True", "1") if other == "before" else ("False", "0")
    here = "after" if other == "before" else "before"
    exporter = (
        " torch.onnx.export with dynamo=True can drop this attribute (onnxscript issue 2852): set it in the node, or "
        "export with dynamo=False."
        if other == "before"
        else ""
    )
    return (
        f"To make the other implementation apply it {here} the product: in Keras use reset_after={keras}; in ONNX set "
        f"linear_before_reset={onnx}.{exporter} PyTorch and Flax always apply it after the product, Haiku before. "
        f"If the file was read wrongly, answer reset={other}."
    )


def update(other: Update) -> str:
    """Return the remedy if the other implementation's z has the meaning `other`, "keep" or "take"."""
    return (
        "In PyTorch, Keras, ONNX and Flax z near 1 keeps the old state; in Haiku it takes the candidate. Change the "
        "sign of W, U and the biases of z in one of the two, or swap z and 1 − z in the last equation. "
        f"If the file was read wrongly, answer z={other}."
    )


def order(other: str) -> str:
    """Return the remedy if the other implementation has the blocks of the gates in the order `other`."""
    known = (
        "PyTorch, Flax and cuDNN have r, z, h; Keras, ONNX and Haiku have z, r, h."
        if len(other) == 3
        else "PyTorch and Keras have i, f, c, o; ONNX has i, o, f, c; Haiku has i, c, f, o."
    )
    return (
        f"{known} Reorder the blocks of W, U and the biases in the conversion. "
        f"If the file was read wrongly, answer order={','.join(other)}."
    )


NO_RESET = "In the other implementation, multiply with r before tanh, as the equation of h̃ says."
TIME = (
    "Check go_backwards in Keras, direction in ONNX and reverse in Flax, and whether the reference has its first "
    "timestep first. Keras returns the states of a layer with go_backwards=True with the last timestep first."
)
DIRECTIONS = "Put the forward half of the states first, as PyTorch, Keras and ONNX do."
AXES = "Swap the first two axes: PyTorch with batch_first=True, ONNX with layout=1, Keras and Flax put B first."
LATE = "Return the new state of each timestep, not the old one: in jax.lax.scan return (h_new, h_new)."
PADDING = (
    "pad_packed_sequence in PyTorch writes zeros after the end of a sequence, and a mask in Keras repeats the "
    "state. Add lengths (B,) or mask (T, B) to the reference: then only real timesteps are compared."
)
MASK = (
    "The file has a mask, but the other implementation reads padding like every other timestep. Mask it there: "
    "mask_zero or Masking in Keras, pack_padded_sequence in PyTorch, sequence_lens in ONNX, seq_lengths in Flax."
)
INITIAL = (
    "Each later timestep follows from the one before, so only the initial state differs. Add h0 (B, H) to the "
    "reference, or start from zero: hx in PyTorch, initial_state or stateful in Keras, initial_h in ONNX, the carry"
    " in Flax."
)
SYMBOLS = "Start the indices of the symbols at the same number in both: is index 0 the padding in one of them?"
KERNELS = (
    "PyTorch and ONNX store (3H, I) and (3H, H), Keras, Flax and Haiku (I, 3H) and (H, 3H): transpose each kernel "
    "once, as a whole. An LSTM has 4H in place of 3H, a plain RNN has H."
)
SWAPPED = "Swap the two matrices: in Keras kernel comes before recurrent_kernel, in ONNX W before R."
RESHAPED = (
    "To turn (I, 3H) into (3H, I) use a transpose (kernel.T), not a reshape. A reshape moves the numbers to other "
    "gates."
)
INTERLEAVED = (
    "Split the rows into one block of H rows for each gate. In a few libraries the gates of a unit stand together."
)
BIASES = (
    "PyTorch has bias_ih and bias_hh; Keras with reset_after=True has bias (2, 3H) and ONNX B (6H): input biases "
    "first, then recurrent biases. cuDNN's arrays have both as well. Copy both, with their gates in the order of "
    "the kernels."
)
ONE_BIAS = (
    "With the reset gate after the product, the recurrent bias of h̃ is multiplied with r. Do not add it to the "
    "input bias: keep bias_hh in PyTorch, the second row of bias in Keras (reset_after=True), the second half of B "
    "in ONNX."
)
FORGET = (
    "One implementation adds 1 to the bias of the forget gate at run time (forget_bias in TensorFlow 1, Haiku). Add"
    " it to the stored bias once. Keras's unit_forget_bias only sets the initial bias."
)
ACTIVATION = (
    "Use tanh and sigmoid in the other implementation: activation and recurrent_activation in Keras (older versions"
    " have hard_sigmoid), activations in ONNX, nonlinearity in nn.RNN. A network that was trained with another "
    "function cannot be shown here."
)
LAYERS = (
    "Compare the number and the order of the layers: num_layers in PyTorch, and return_sequences=True below the top"
    " in Keras."
)
READOUT = (
    "Compare what follows the last layer. The loss often contains the softmax: CrossEntropyLoss in PyTorch, "
    "from_logits in Keras. If the file was read wrongly, answer readout=softmax or readout=linear."
)
BEFORE_READOUT = (
    "The readout shown here reads the state itself, y = V h + c. Compare h, or take y without the function between."
)
POOLING = "The readout shown here reads the state of each timestep. Compare y of the unpooled states, or only h."
PRECISION = (
    "The other implementation computes with fewer bits. Compute the reference in float32, or store it in the lower "
    "precision (float16): the check then allows for this precision."
)
QUANTIZED = "The other implementation has quantized weights. Compare with the network before quantization."
TF32 = (
    "Compute the reference in full precision: torch.backends.cuda.matmul.allow_tf32 = False in PyTorch, "
    "jax_default_matmul_precision='highest' in JAX, enable_tensor_float_32_execution(False) in TensorFlow."
)
SCALED = (
    "Store x in the reference as the network reads it, after the scaling of your data, or scale x in the same way here."
)
DROPOUT = (
    "The other implementation dropped numbers at random, as in a training. Call model.eval() in PyTorch, or "
    "training=False in Keras, before you compute the reference."
)
