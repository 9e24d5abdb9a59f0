"""PyTorch's files, as `torch.save` writes them: a zip with a pickle, and the numbers of each storage beside it.

A pickle is a program for a small virtual machine. Python's own machine calls any function that a pickle names. The
machine in this module calls nothing. It knows the opcodes that a state dict needs and a list of allowed names, and
refuses every other name. It builds strings, numbers, lists, dictionaries and descriptions of tensors. A description
says which storage has the tensor's numbers, and where in the storage they are. The numbers are read afterwards, and
only if they are in the file.

https://docs.pytorch.org/docs/stable/notes/serialization.html, https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.formats.archive import members
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_AXES, room, widened

Order = Literal["<", ">"]

MAX_PICKLE = 16 * 2**20
MAX_OPCODES = 200_000
MAX_DEPTH = 4
"""The largest number of dictionaries around a state dict in a checkpoint."""

REMEDY = """a pickle can run any code when it creates objects, so only tensors are read.
Save the weights alone, in the program that has the model:
    model = torch.load("model.pt", weights_only=False)  # only if you trust the file
    torch.save(model.state_dict(), "weights.pt")  # of a checkpoint: torch.save(model["state_dict"], "weights.pt")"""

QUANTIZED = """its weights are quantized.
Save the weights of the network before it was quantized: torch.save(model.state_dict(), "weights.pt")"""

DAMAGED = "the pickle in this PyTorch file is damaged"

TENSOR = {f"torch._utils.{name}" for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3")}
"""Functions that a pickle names to rebuild a tensor, with the arguments (storage, offset, shape, strides, …)."""

WRAPPED = {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"}
"""Functions that a pickle names to rebuild a parameter, with the arguments (tensor, …)."""

SUBCLASS = "torch._tensor._rebuild_from_type_v2"
"""The function that a pickle names to rebuild a Tensor subclass, with arguments (function, type, arguments, state)."""

DICTIONARIES = {f"collections.{name}" for name in ("OrderedDict", "defaultdict", "Counter")} | {
    f"{package}.AttributeDict"  # Lightning's hyperparameters
    for package in (
        "pytorch_lightning.utilities.parsing",
        "lightning.pytorch.utilities.parsing",
        "lightning.fabric.utilities.data",
        "lightning_fabric.utilities.data",
    )
}

STORAGES = {
    "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "FloatStorage": "float32", "DoubleStorage": "float64",
    "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16", "IntStorage": "int32",
    "LongStorage": "int64", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
"""The type of the numbers in each class of storage."""

NUMBERS = {"uint16", "uint32", "uint64", *STORAGES.values()}
"""The PyTorch names of the number types that can be read: NumPy's types, and bfloat16."""

TYPES = {"float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", *NUMBERS}

PLAIN = {
    *(f"{package}.{name}" for package in ("builtins", "__builtin__")
      for name in ("set", "frozenset", "bytearray", "complex", "slice", "int", "long", "float", "bool", "str",
                   "unicode", "bytes", "list", "tuple", "dict")),
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *(f"torch.{name}" for name in ("Size", "device", "Tensor", "strided", "contiguous_format", *TYPES)),
    *(f"torch.{name}" for name in STORAGES), "torch.storage.UntypedStorage",
    "torch._utils._rebuild_sparse_tensor", "torch.sparse_coo", "torch.serialization._get_layout",
    "torch.nn.parameter.Parameter", "numpy.ndarray", "numpy.dtype", "argparse.Namespace", "_codecs.encode",
    "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "datetime.datetime", "datetime.timedelta",
}  # fmt: skip
"""Harmless names that occur in checkpoints next to the weights. The machine does not call them."""


@dataclass(frozen=True)
class Name:
    """A function or a class that a pickle names, or an object of such a class. Nothing is imported or called."""

    name: str


NUMPY = [Name(f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")]
"""A NumPy array in a pickle becomes one of these names."""


@dataclass(frozen=True)
class Tensor:
    """A part of a storage: the key of the storage, the type of its numbers, and the place and strides of the tensor."""

    key: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=object))


@dataclass(frozen=True)
class Storage:
    """A storage that a pickle refers to."""

    key: str
    kind: str


def arrays(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the state dict in a PyTorch file by name.

    A checkpoint may have the state dict under any key. If it has several state dicts, their keys are prefixes of the
    names. Arrays of bfloat16 become float32, which is exact. Raises FormatError if the file is damaged or too large,
    has anything besides tensors and plain values, or has no state dict.
    """
    files = members(data)
    pickles = [name for name in files if name.rpartition("/")[2] == "data.pkl"]
    if not pickles:
        raise FormatError(
            "this PyTorch file has no data.pkl: it is damaged, or it is a zip with such a file inside. Unpack it, or "
            "save it again with torch.save"
        )
    base = pickles[0].removesuffix("data.pkl")
    order: Order = ">" if files.get(f"{base}byteorder", b"little").strip() == b"big" else "<"
    content = unpickled(files[f"{base}data.pkl"])
    states = dict(_states(content, "", MAX_DEPTH))
    if not states and isinstance(content, dict) and "param_groups" in content:
        raise FormatError(
            "this PyTorch file has the state of an optimizer, and no weights: upload the file of the model, which "
            'torch.save(model.state_dict(), "weights.pt") writes'
        )
    if not states and isinstance(content, dict) and any(value in NUMPY for value in content.values()):
        raise FormatError(
            "the arrays in this PyTorch file are NumPy's, and not tensors. Save them by name: "
            'np.savez("model.npz", **torch.load("model.pt", weights_only=False))'
        )
    if not states:
        has = ", ".join(shown(str(key)) for key in list(content)[:6]) if isinstance(content, dict) else "no dictionary"
        raise FormatError(
            f"there is no state dict in this PyTorch file, which has {has or 'nothing'}. A state dict has the tensors "
            'by their names: torch.save(model.state_dict(), "weights.pt")'
        )
    tensors = {
        f"{place}.{name}".lstrip(".") if len(states) > 1 else name: tensor
        for place, state in states.items()
        for name, tensor in state.items()
    }
    if sum(tensor.size for tensor in tensors.values()) * 4 > room(len(data)):
        raise FormatError("the tensors in this PyTorch file are far larger than the file: it is damaged")
    return {
        name: _array(name, tensor, files.get(f"{base}data/{tensor.key}"), order) for name, tensor in tensors.items()
    }


def _states(content: Any, place: str, depth: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield each state dict in the content of a file, with its path. A state dict has tensors by name.

    A dictionary without a matrix is not a state dict: it has metrics, for example. An optimizer's state has
    `param_groups` and is left out. A checkpoint may be a tuple or a list of dictionaries, and may also have tensors
    outside of them.
    """
    if isinstance(content, list | tuple):
        content = {str(i): item for i, item in enumerate(content) if isinstance(item, dict)}
    if not isinstance(content, dict) or "param_groups" in content:
        return
    state = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if any(len(tensor.shape) > 1 for tensor in state.values()):
        yield place, state
    if depth:
        for name, value in content.items():
            yield from _states(value, f"{place}.{name}".lstrip("."), depth - 1)


def _array(name: str, tensor: Tensor, storage: bytes | None, order: Order) -> npt.NDArray[Any]:
    """Return the numbers of a tensor. Raises FormatError if its storage does not have them."""
    if tensor.kind not in NUMBERS:  # NumPy has no type for float8, so only the shape is kept
        return np.broadcast_to(np.zeros((), "V1"), tensor.shape)
    dtype = np.dtype("u2" if tensor.kind == "bfloat16" else tensor.kind).newbyteorder(order)
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if storage is None or (tensor.size and last >= len(storage) // dtype.itemsize):
        raise FormatError(f"the numbers of {shown(name)} are not all in this PyTorch file: it is damaged")
    if not tensor.size:
        return np.zeros(tensor.shape, np.float32 if tensor.kind == "bfloat16" else dtype.newbyteorder("="))
    flat = np.frombuffer(storage[: len(storage) // dtype.itemsize * dtype.itemsize], dtype)[tensor.offset : last + 1]
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    array = np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False)
    return widened(array) if tensor.kind == "bfloat16" else array.astype(dtype.newbyteorder("="), copy=False)


def unpickled(data: bytes) -> Any:
    """Return the content of a pickle: strings, numbers, lists, tuples and dictionaries, `Tensor` and `Name`.

    Raises FormatError if the pickle is damaged or too large, or if it contains a name that is not allowed.
    """
    if len(data) > MAX_PICKLE:
        raise FormatError(f"the pickle in this file has {len(data):,} bytes; at most {MAX_PICKLE:,} are allowed")
    machine = Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count == MAX_OPCODES:
                raise FormatError(f"the pickle in this file has more than {MAX_OPCODES:,} parts. {REMEDY}")
            machine.run(opcode.name, argument)
        (content,) = machine.stack
    except FormatError:
        raise
    except Exception as error:  # pickletools and the machine raise many types of errors
        raise FormatError(DAMAGED) from error
    return content


IGNORED = {"PROTO", "FRAME", "STOP"}
NEW: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_SET": lambda: Name("set"),
}  # fmt: skip
LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}


@dataclass
class Machine:
    """A virtual machine that runs a pickle and calls nothing. `marked` has the part of the stack below each mark."""

    stack: list[Any] = field(default_factory=list)
    marked: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, opcode: str, argument: Any) -> None:
        """Run one opcode, by its name in `pickletools`.

        Raises FormatError for an opcode that state dicts do not need, or for a name that is not allowed. If the
        operands are missing or wrong, raises an error of any type.
        """
        if opcode in LITERALS:
            self.stack.append(argument)
        elif opcode in NEW:
            self.stack.append(NEW[opcode]())
        elif opcode in STEPS:
            STEPS[opcode](self, argument)
        elif opcode not in IGNORED:
            raise FormatError(f"the pickle in this file has the opcode {opcode}, which no state dict has: {REMEDY}")

    def _put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def _memoize(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _get(self, key: int) -> None:
        self.stack.append(self.memo[key])

    def _mark(self, _: None) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def _pop(self, _: None) -> None:
        self.stack.pop()

    def _pop_mark(self, _: None) -> None:
        self._above_mark()

    def _tuple(self, _: None) -> None:
        items = self._above_mark()
        self.stack.append(tuple(items))

    def _tuple_of(self, count: int) -> None:
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def _append(self, _: None) -> None:
        item, items = self.stack.pop(), self.stack[-1]
        if isinstance(items, list):
            items.append(item)

    def _appends(self, _: None) -> None:
        more, items = self._above_mark(), self.stack[-1]
        if isinstance(items, list):
            items += more

    def _set_item(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _update(self.stack[-1], [key, value])

    def _set_items(self, _: None) -> None:
        items = self._above_mark()
        _update(self.stack[-1], items)

    def _global(self, name: str) -> None:
        self.stack.append(_allowed(name.replace(" ", ".")))

    def _stack_global(self, _: None) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_allowed(f"{module}.{name}"))

    def _reduce(self, _: None) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(_made(function, arguments))

    def _persistent(self, _: None) -> None:
        self.stack.append(_storage(*self.stack.pop()))

    def _above_mark(self) -> list[Any]:
        """Return the items above the last mark, and remove them and the mark from the stack."""
        items, self.stack = self.stack, self.marked.pop()
        return items


STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "BINPUT": Machine._put, "LONG_BINPUT": Machine._put, "PUT": Machine._put, "MEMOIZE": Machine._memoize,
    "BINGET": Machine._get, "LONG_BINGET": Machine._get, "GET": Machine._get,
    "MARK": Machine._mark, "POP_MARK": Machine._pop_mark, "ADDITEMS": Machine._pop_mark,
    "POP": Machine._pop, "BUILD": Machine._pop,  # BUILD sets the attributes of an object; nothing here has attributes
    "TUPLE": Machine._tuple,
    "TUPLE1": lambda machine, _: machine._tuple_of(1),
    "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "APPEND": Machine._append, "APPENDS": Machine._appends,
    "SETITEM": Machine._set_item, "SETITEMS": Machine._set_items,
    "GLOBAL": Machine._global, "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce, "NEWOBJ": Machine._reduce, "BINPERSID": Machine._persistent,
}  # fmt: skip
"""The methods for the remaining opcodes. A match statement would be slower: it compares the names one by one."""


def _update(dictionary: Any, items: list[Any]) -> None:
    """Set items, given as alternating keys and values.

    Only strings and integers are used as keys, because Python can crash when it hashes a deep tuple.
    """
    if isinstance(dictionary, dict):
        pairs = zip(items[::2], items[1::2], strict=True)
        dictionary.update((key, value) for key, value in pairs if isinstance(key, str | int))


def _allowed(name: str) -> Name:
    """Return the name as a `Name`. Raises FormatError if the name is not allowed."""
    if name in TENSOR or name in WRAPPED or name == SUBCLASS or name in DICTIONARIES or name in PLAIN:
        return Name(name)
    quantized = (
        name == "torch.ScriptObject"
        or "quantized" in name
        or "qtensor" in name
        or name.startswith(("torch.qint", "torch.quint"))
    )
    raise FormatError(f"this PyTorch file needs {shown(name)}, which is refused: {QUANTIZED if quantized else REMEDY}")


def _made(function: Name, arguments: tuple[Any, ...]) -> Any:
    """Return the result of an allowed function or class: a tensor, a dictionary, or just its name."""
    if function.name in TENSOR:
        return _tensor(function.name, *arguments)
    if function.name in WRAPPED:
        return arguments[0]
    if function.name == SUBCLASS:
        return _made(arguments[0], arguments[2]) if arguments[0].name in TENSOR else Name(function.name)
    return {} if function.name in DICTIONARIES else Name(function.name)


def _storage(kind: str, storage: Name, key: str, *_: Any) -> Storage:
    """Return the storage of a persistent id: ("storage", class, key, place, count)."""
    if kind != "storage" or not isinstance(key, str):
        raise FormatError(DAMAGED)
    return Storage(key, STORAGES[storage.name.rpartition(".")[2]])


def _tensor(function: str, storage: Storage, offset: int, shape: Any, strides: Any, *others: Any) -> Tensor:
    """Build a tensor from the arguments of a function in `TENSOR`. Raises FormatError if a size is impossible."""
    sizes = (offset, *shape, *strides)
    if len(shape) != len(strides) or len(shape) > MAX_AXES or not all(type(n) is int and 0 <= n < 2**40 for n in sizes):
        raise FormatError(DAMAGED)
    kind = others[2].name.removeprefix("torch.") if function.endswith("v3") else storage.kind
    return Tensor(storage.key, kind, offset, tuple(shape), tuple(strides))
