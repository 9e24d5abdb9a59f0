"""ONNX's GRU, LSTM and RNN operators.

    z = σ(W_z x + b_z + R_z h + c_z)                W (D, 3H, I), R (D, 3H, H): z, r, h
    r = σ(W_r x + b_r + R_r h + c_r)                B (D, 6H): input biases, then recurrent biases
    h̃ = tanh(W_h x + b_h + r ⊙ (R_h h + c_h))       linear_before_reset = 1: reset "after"
    h̃ = tanh(W_h x + b_h + R_h (r ⊙ h) + c_h)       linear_before_reset = 0, the default: "before"
    h = (1 − z) ⊙ h̃ + z ⊙ h                         z keeps

The blocks of an LSTM are i, o, f and c̃, and an RNN has one block. Their two biases are added.

D is 2 for a bidirectional layer, else 1. The names of tensors are arbitrary, so a tensor is identified by its position
among the inputs of the node. https://onnx.ai/onnx/operators/onnx__GRU.html, onnx__LSTM.html, onnx__RNN.html
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.onnx_file import LOOPS, File, Node, graph
from gru_core.formats.onnx_graph import PASSING, SELECTING, Graph, Signal, recurrent
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import (
    Dense,
    Direction,
    Embedding,
    FileLayer,
    Reset,
    Stack,
    cell,
    numbers,
    stacked,
)

MAX_GRUS = 16

OPERATORS = {
    "GRU": ("zrh", ("sigmoid", "tanh")),
    "LSTM": ("iofc", ("sigmoid", "tanh", "tanh")),
    "RNN": ("h", ("tanh",)),
}
"""For each recurrent operator the order of its blocks, and the activations that can be shown."""

SIDES: dict[str, tuple[Direction, ...]] = {
    "forward": ("forward",),
    "reverse": ("backward",),
    "bidirectional": ("forward", "backward"),
}
CHOOSING = {"ArgMax", "TopK"}
"""Operators that return the indices of the largest numbers."""

ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "log softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}

PYTORCH = """in PyTorch, save the weights themselves and upload that file:
    from safetensors.torch import save_file
    save_file({name: array.contiguous() for name, array in model.state_dict().items()}, "model.safetensors")"""

KERAS = """in Keras, save the model itself and upload that file:
    model.save("model.keras")"""


def read(data: bytes) -> list[Stack]:
    """Return the recurrent networks in an ONNX file, each with the embedding before it and the readout after it.

    Raises FormatError if the file is damaged, if its numbers are in another file, or if it has no network that can be
    shown.
    """
    file = graph(data)
    networks = Networks(file, Graph(file))
    for node in file.nodes:
        if recurrent(node):
            networks.add(node)
    if not networks.layers:
        raise FormatError(_missing(file))
    return networks.stacks()


def _remedy(file: File) -> str:
    """Return code with which the user can save the network in another format. `file.producer` selects the code."""
    if file.producer == "tf2onnx":
        return KERAS
    return PYTORCH if file.producer == "pytorch" else f"{PYTORCH}\n{KERAS}"


def _missing(file: File) -> str:
    """Return the reason why a file has no recurrent operator, with advice."""
    inside = frozenset[str]().union(*(node.inside() for node in file.nodes if node.op_type in LOOPS))
    kinds = {node.op_type for node in file.nodes}
    start = "there is no GRU, LSTM or plain RNN in this file"
    others = [kind for kind in sorted(kinds) if any(name in kind for name in OPERATORS)]
    loops = f"a {' or a '.join(sorted(LOOPS & kinds))}"
    if looped := sorted(OPERATORS.keys() & inside):
        return f"{start}, except inside {loops}: {', '.join(looped)}. Such a graph cannot be read: {_remedy(file)}"
    if hidden := sorted(OPERATORS.keys() & file.functions):
        return (
            f"{start}, except in a function of its own: {', '.join(hidden)}. Write the function out, and upload the "
            "result:\n    model = onnx.inliner.inline_local_functions(onnx.load(path))\n    onnx.save(model, path)"
        )
    if others:
        quantized = any("Quant" in kind for kind in others)
        what = "a quantized network, which computes with rounded numbers" if quantized else "which cannot be shown"
        advice = "upload the file from before it was quantized, or " if quantized else ""
        return f"{start} but {shown(others[0])}, {what}: {advice}{_remedy(file)}"
    sums, functions = {"MatMul", "Gemm"}, {"Sigmoid", "Tanh"}
    for operators, where in ((inside, loops), (kinds, "the graph")):
        if operators & sums and operators & functions:
            parts = ", ".join(sorted(operators & (sums | functions)))
            return (
                f"{start}. If it was exported from one, the exporter took it apart into single operators ({parts} in "
                f"{where}): {_remedy(file)}"
            )
    return start


@dataclass(eq=False)
class Layer:
    """A recurrent layer. `chains` has a list for each use of the layer: the nodes that call it, in order of time."""

    stack: Stack
    chains: list[list[Node]]

    @property
    def first(self) -> Node:
        return self.chains[0][0]


@dataclass
class Networks:
    """The recurrent layers of a graph, and how they are connected."""

    file: File
    graph: Graph
    layers: list[Layer] = field(default_factory=list)
    layer_of: dict[Node, Layer] = field(default_factory=dict)

    def add(self, node: Node) -> None:
        """Add a recurrent node, as another call of a known layer or as a new layer.

        A node with the same weights as a known layer is another call of the layer if the node starts from the state of
        the last call. Otherwise the node is another use of the layer, unless it reads the outputs of the layer.
        """
        stack = self._recurrent(node)
        same = [layer for layer in self.layers if _same(layer.stack, stack)]
        before = self.graph.signal(node.inputs[5]) if len(node.inputs) > 5 else None
        lower = self._layer(self.graph.signal(node.inputs[0]))
        for layer in same:
            for chain in layer.chains:
                if before is not None and before.node is chain[-1]:
                    chain.append(node)
                    self.layer_of[node], self.graph.chains[node] = layer, chain
                    return
        chain = [node]
        unconnected = next((layer for layer in same if lower not in same), None)
        if unconnected is not None:
            unconnected.chains.append(chain)
        elif len(self.layers) == MAX_GRUS:
            raise FormatError(f"the graph has more than {MAX_GRUS} recurrent layers")
        else:
            self.layers.append(Layer(stack, [chain]))
        self.layer_of[node], self.graph.chains[node] = unconnected or self.layers[-1], chain

    def _layer(self, signal: Signal | None) -> Layer | None:
        return self.layer_of.get(signal.node) if signal is not None else None

    def _below(self, layer: Layer) -> Layer | None:
        """Return the layer below `layer`, or None. The layer below must pass all its states to `layer`, in order."""
        signal = self.graph.signal(layer.first.inputs[0])
        lower = self._layer(signal)
        if signal is None or lower is None:
            return None
        chain = self.graph.chains[signal.node]
        together = len(chain) > 1 and signal.node is chain[0] and len(chain) == len(layer.chains[0])
        axes = signal.axes or "TBH"
        batch_first = bool(layer.first.whole("layout"))
        in_order = "T" not in axes or "B" not in axes or (axes.index("B") < axes.index("T")) == batch_first
        whole = (signal.steps == "all" or together) and not signal.backward
        return lower if whole and signal.half is None and axes.endswith("H") and in_order else None

    def stacks(self) -> list[Stack]:
        """Return the recurrent networks. Layers that read one another's outputs are one network."""
        networks: list[tuple[Layer, Stack]] = []
        for layer in self.layers:
            stack, below = self._with_notes(layer), self._below(layer)
            pairs = enumerate(networks)
            index = next((i for i, (top, lower) in pairs if top is below and lower.feeds(stack)), None)
            if index is None:
                networks.append((layer, self._with_embedding(stack, layer)))
            else:
                networks[index] = layer, stacked([networks[index][1], stack])
        return [self._with_dense(stack, layer) for layer, stack in networks]

    def _recurrent(self, node: Node) -> Stack:
        """Return the layer of a recurrent node. Raises FormatError if the layer cannot be shown."""
        title, (order, usual) = node.op_type, OPERATORS[node.op_type]
        where = node.where
        used = [activation.lower() for activation in node.texts("activations")]
        if any(activation != usual[i % len(usual)] for i, activation in enumerate(used)):
            names = " and ".join(dict.fromkeys(usual))
            raise FormatError(
                f"the {title} {shown(where)} uses {shown(', '.join(used))}; only {names} can be shown. To see this "
                "network, train it with them"
            )
        peepholes = node.inputs[7] if len(node.inputs) > 7 else ""
        if peepholes and not self.graph.is_zero(peepholes):
            raise FormatError(f"the LSTM {shown(where)} has peepholes, which cannot be shown: train it without")
        if node.whole("input_forget"):
            raise FormatError(
                f"the LSTM {shown(where)} couples its input and forget gates, which cannot be shown: train it without"
            )
        if node.number("clip", 0):
            raise FormatError(f"the {title} {shown(where)} clips its sums, which cannot be shown: train it without")
        side = node.text("direction", "forward")
        if side not in SIDES:
            raise FormatError(
                f"the {title} {shown(where)} has the direction {shown(side)}; it must be one of {', '.join(SIDES)}"
            )
        W, R, B = (self._weights(node, place) for place in (1, 2, 3))
        if W is None or R is None:
            raise FormatError(f"the {title} {shown(where)} has no weights: its inputs W and R are missing")
        D = len(SIDES[side])
        for name, array, axes in (("W", W, 3), ("R", R, 3), ("B", B, 2)):
            if array is not None and (array.ndim != axes or len(array) != D):
                raise FormatError(f"the {title} {shown(where)} has {name} of shape {array.shape}; expected {D} × …")
        layer: dict[Direction, FileLayer] = {}
        for d, direction in enumerate(SIDES[side]):
            if B is None:
                layer[direction] = cell(where, W[d], R[d], others=True)
            elif B.shape[1] != 2 * R.shape[1]:
                raise FormatError(
                    f"the {title} {shown(where)} has B of shape {B.shape}; expected {(D, 2 * R.shape[1])}"
                )
            else:
                layer[direction] = cell(where, W[d], R[d], *np.split(B[d], 2), others=True)
        for direction_cell in layer.values():
            if (shape := direction_cell.title) != title:
                article = "a" if shape == "GRU" else "an"
                raise FormatError(f"the {title} {shown(where)} has weights with the shape of {article} {shape}")
        stack = Stack(
            f"ONNX's {title}", where, (layer,), frozenset(), order, None, None, wired=True,
        )  # fmt: skip
        if title != "GRU":
            return stack
        reset: Reset = "after" if node.whole("linear_before_reset") else "before"
        source = f"ONNX, with linear_before_reset={int(reset == 'after')}"
        return replace(stack, source=source, reset=reset, z="keep")

    def _weights(self, node: Node, place: int) -> Array | None:
        """Return the weights at the input `place` of a node, or None if the node does not have this input.

        Raises FormatError if the input is not a constant, or if its numbers cannot be weights.
        """
        name = node.inputs[place] if place < len(node.inputs) else ""
        if not name:
            return None
        value = self.graph.constants.get(name)
        if value is not None:
            return numbers(name, value)
        what = f"the {node.op_type} {shown(node.where)}"
        obstacle = self.graph.constants.obstacle(name)
        if obstacle is None:
            raise FormatError(
                f"{what} has no weights of its own: {shown(name)} is given with the inputs of the graph. Export the "
                f"network with its weights inside (export_params=True), or {_remedy(self.file)}"
            )
        raise FormatError(
            f"{what} has weights that are computed: {shown(name)} comes from the operator {shown(obstacle.op_type)}, "
            f"which cannot be evaluated here. Export the network with constant folding, or {_remedy(self.file)}"
        )

    def _with_notes(self, layer: Layer) -> Stack:
        """Return the layer with notes about how the layer in the file differs from the layer that is shown."""
        stack, node, chain = layer.stack, layer.first, layer.chains[0]
        notes = [self._initial_state(node)]
        if stack.reset == "before" and self.file.producer == "pytorch":
            notes.append(
                "PyTorch wrote this file with linear_before_reset=0, but in PyTorch's nn.GRU the reset gate acts after "
                "the product. Some versions of its exporter left the attribute out (onnxscript issue 2852), and then "
                "every runtime computes other numbers than PyTorch. Export the network again with a newer version, or "
                "answer reset=after."
            )
        lengths = node.inputs[4] if len(node.inputs) > 4 else ""
        if lengths and (self.graph.constants.get(lengths) is not None or self.graph.reads_inputs(lengths)):
            notes.append(
                f"In the file each sequence has a length ({shown(lengths)}), and its states are zero from there on. "
                "Enter a sequence without its padding."
            )
        if len(chain) > 1:
            notes.append(f"The graph calls this layer timestep by timestep: {len(chain)} nodes with the same weights.")
            stack, note = self._in_order(stack, chain)
            notes.append(note)
        if len(layer.chains) > 1:
            notes.append(
                f"The graph uses this layer {len(layer.chains)} times, for several inputs. Its weights are the same."
            )
        return replace(stack, notes=(*stack.notes, *filter(None, notes)))

    def _initial_state(self, node: Node) -> str:
        """Return a note about the initial state of a layer in the file, or "" if it is zero."""
        for name in node.inputs[5:7]:
            if name and not self.graph.is_zero(name):
                layer = self._layer(self.graph.signal(name))
                if layer is not None:
                    state = f"the last state of {shown(layer.stack.where)}"
                elif self.graph.constants.get(name) is not None:
                    state = "a stored state"
                else:
                    while (source := self.graph.made_by.get(name)) and source.op_type in PASSING | SELECTING:
                        name = source.inputs[0] if source.inputs else ""
                    given = name in self.file.inputs
                    state = f"a state that is {'an input' if given else 'computed in the graph'} ({shown(name)})"
                return f"In the file the network starts from {state}; here it begins from zero."
        return ""

    def _in_order(self, stack: Stack, chain: list[Node]) -> tuple[Stack, str]:
        """Return a layer that is called timestep by timestep, and a note about the order of the calls, or "".

        The layer gets the direction in which the calls read the sequence.
        """
        if self._layer(self.graph.signal(chain[0].inputs[0])) is not None or "forward" not in stack.layers[0]:
            return stack, ""
        taken = [self.graph.picked(node.inputs[0]) for node in chain]
        steps = [step for step in taken if step is not None]
        if len(steps) == len(taken) and all(step < after for step, after in pairwise(steps)):
            return stack, ""
        if len(steps) == len(taken) and all(step > after for step, after in pairwise(steps)):
            as_read = any(signal.steps == "all" for signal in self._signals(self.layer_of[chain[0]]))
            return replace(stack, layers=({"backward": stack.layers[0]["forward"]},), as_read=as_read), ""
        return stack, "The graph computes the input of a call, or takes the timesteps in an order that is not shown."

    def _with_embedding(self, stack: Stack, layer: Layer) -> Stack:
        """Return the network with its embedding, if the embedding is directly before the network.

        If another operator is directly before the network, add a note about this operator.
        """
        axes = "BT" if layer.first.whole("layout") else "TB"
        below, backward = self.graph.source(layer.first.inputs[0], f"{axes}I")
        for _ in layer.chains[0][1:2]:  # each call takes its own timestep of the embedded sequence
            if below is not None and below.op_type in (*SELECTING, "Split") and self._table(below) is None:
                below = self.graph.before(below.inputs[0])
        if below is not None and self._table(below) is not None and len(below.inputs) > 1:
            backward ^= self.graph.source(below.inputs[1], axes)[1]
        if backward and "forward" in stack.layers[0] and len(stack.layers[0]) == 1:
            as_read = not any(signal.backward for signal in self._signals(layer))
            stack = replace(stack, layers=({"backward": stack.layers[0]["forward"]},), as_read=as_read)
        if below is None:
            return stack
        table = self._table(below)
        if table is not None and table.shape[1] == stack.inputs:
            return replace(stack, embedding=Embedding(below.inputs[0], numbers(below.inputs[0], table)))
        note = f"Before this network comes a node {shown(below.op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _signals(self, layer: Layer) -> list[Signal]:
        """Return the values in the graph that are rearranged states of a layer."""
        nodes = [node for node in self.file.nodes if node.outputs and node.inputs and not recurrent(node)]
        signals = [self.graph.signal(node.outputs[0]) for node in nodes]
        return [signal for signal in signals if signal is not None and self._layer(signal) is layer]

    def _table(self, node: Node) -> Array | None:
        """Return the table of a Gather that is an embedding, or None."""
        table = self.graph.constant(node, 0) if node.op_type == "Gather" and not node.whole("axis") else None
        return table if table is not None and table.ndim == 2 else None

    def _with_dense(self, stack: Stack, layer: Layer) -> Stack:
        """Return the network with its readout as `dense`. If it has several readouts, only `heads` lists them."""
        readouts: dict[Node, Dense] = {}
        steps = set()
        for node in self.file.nodes:
            if node.op_type in ("MatMul", "Gemm") and node.inputs:
                signal = self.graph.signal(node.inputs[0])
                if signal is None or self._layer(signal) is not layer or not (signal.axes or "H").endswith("H"):
                    continue
                dense = self._dense(node, signal)
                if dense is not None and signal.half is None:
                    readouts[node] = dense
                    steps.add(signal.steps)
        heads: list[Dense] = []
        for dense in readouts.values():
            if not any(np.array_equal(dense.V, head.V) and np.array_equal(dense.c, head.c) for head in heads):
                heads.append(dense)
        if heads and "other" in steps and len(readouts) < len(layer.chains[0]):
            heads = []
        if heads:
            some = "all" not in steps and len(readouts) < max(2, len(layer.chains[0]))
            which = "the last timestep" if steps == {"last"} else "some timesteps"
            note = f"In the file the readout reads only {which}. Here y is shown at each timestep."
            notes = (*stack.notes, note) if some else stack.notes
            return replace(stack, dense=heads[0] if len(heads) == 1 else None, heads=tuple(heads), notes=notes)
        follows = self._follows(layer)
        if follows is None:
            return stack
        note = f"After this network comes a node {shown(follows.op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _follows(self, layer: Layer) -> Node | None:
        """Return the first node that computes new values from the states of a layer, or None."""
        names = [name for node in layer.chains[0] for name in node.outputs[:2] if name]
        for name in names:
            for node in self.graph.used_by.get(name, []):
                if node not in self.layer_of and node.outputs:
                    if self.graph.signal(node.outputs[0]) is None:
                        return node
                    if node.outputs[0] not in names:
                        names.append(node.outputs[0])
        return None

    def _is_last(self, node: Node) -> bool:
        """Return whether only operators in `CHOOSING`, or none, read a node's outputs.

        The outputs are followed through operators that only rearrange or select numbers.
        """
        for name in node.outputs:
            for follows in self.graph.used_by.get(name, []):
                skipped = follows.op_type in (*PASSING, *SELECTING, "Concat")
                if follows.op_type not in CHOOSING and not (skipped and self._is_last(follows)):
                    return False
        return True

    def _over_outputs(self, softmax: Node, signal: Signal, last: str) -> bool:
        """Return whether a Softmax runs over the outputs, and not over the timesteps or the batch.

        `last` names the outputs of the linear layer, which reads `signal`. Nodes between this layer and the Softmax may
        move axes. Before opset 13, the default axis is 1.
        """
        moves: list[Node] = []
        name = softmax.inputs[0]
        while name != last:
            moves.append(self.graph.made_by[name])
            name = moves[-1].inputs[0]
        outputs: Signal | None = signal  # the outputs have the axes of the states, with K in place of H
        for move in reversed(moves):
            outputs = outputs and self.graph.moved(outputs, move)
        axes = outputs and outputs.axes
        axis = softmax.whole("axis", -1 if self.file.opset >= 13 else 1)
        return axes[axis] == "H" if axes and -len(axes) <= axis < len(axes) else axis == -1

    def _dense(self, node: Node, signal: Signal) -> Dense | None:
        """Return the linear layer of a MatMul or a Gemm with its activation, or None if `node` is not a readout.

        `signal` is the input of the node.
        """
        V, c = self._constant(node, 1), None
        if V is None or V.ndim != 2:
            return None
        if node.op_type == "Gemm":
            c = self._constant(node, 2)
            scaled = node.number("alpha", 1) != 1 or node.number("beta", 1) != 1
            if scaled or node.whole("transA") or (c is None and len(node.inputs) > 2):
                return None
            V = V if node.whole("transB") else V.T
        else:
            V = V.T
            add = self.graph.after(node.outputs[0]) if node.outputs else None
            if add is not None and add.op_type == "Add":
                c = next((c for place in (0, 1) if (c := self._constant(add, place)) is not None), None)
                node = add if c is not None else node
        if c is not None and (c.size not in (1, len(V)) or c.size != (c.shape or (1,))[-1]):
            return None
        c = np.zeros(len(V), V.dtype) if c is None else np.broadcast_to(c.ravel(), (len(V),))
        follows = self.graph.after(node.outputs[0]) if node.outputs else None
        activation = ACTIVATIONS.get(follows.op_type) if follows is not None else None
        if activation in ("softmax", "log softmax") and not (
            follows and self._over_outputs(follows, signal, node.outputs[0])
        ):
            return None
        if not self._is_last(follows if follows is not None and activation else node):
            return None
        return Dense(node.where, V, c, activation or "linear")

    def _constant(self, node: Node, place: int) -> Array | None:
        value = self.graph.constant(node, place)
        return None if value is None else numbers(node.inputs[place], value)


def _same(stack: Stack, other: Stack) -> bool:
    """Return whether two layers have the same weights and the same equations."""
    (layer,), (second,) = stack.layers, other.layers
    return (stack.source, tuple(layer)) == (other.source, tuple(second)) and all(
        np.array_equal(a, b)
        for side in layer
        for a, b in zip(vars(layer[side]).values(), vars(second[side]).values(), strict=True)
    )
