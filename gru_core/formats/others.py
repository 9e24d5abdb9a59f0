"""File formats that cannot be read: the bytes and names that identify each format, and advice for the user."""

from __future__ import annotations

from gru_core.formats.archive import MAX_DIRECTORY
from gru_core.formats.protobuf import Reader
from gru_core.formats.questions import FormatError

KERAS = """Save the model in Keras's own format, in the program that has it:
    model.save("model.keras")
or only its weights: model.save_weights("model.weights.h5")"""

FLAX = """Save the arrays by their names:
    params = flax.traverse_util.flatten_dict(params, sep="/")
    np.savez("model.npz", **params)"""

TORCH = """Save the weights alone:
    {load}
    torch.save(dict({state}), "weights.pt")
or, as safetensors: save_file({{n: a.contiguous() for n, a in {state}.items()}}, "weights.safetensors")"""

NUMPY = """Save the arrays by their names, for example from Equinox:
    leaves, _ = jax.tree_util.tree_flatten_with_path(eqx.filter(model, eqx.is_array))
    np.savez("model.npz", **{jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves})"""

PICKLE = """this is a pickle, which can run anybody's code when it is opened.
Save the weights alone, in the program that has the model. For PyTorch:
    torch.save(model.state_dict(), "weights.pt")
For other libraries, save the arrays by name. For Haiku's parameters, for example:
    np.savez("model.npz", **{f"{m}/{n}": a for m, arrays in params.items() for n, a in arrays.items()})"""

OLD_TORCH = """this file has the format that PyTorch wrote before version 1.6. Write it again with a newer PyTorch:
    state = torch.load("model.pt", map_location="cpu", weights_only=True)
    torch.save(state, "weights.pt")"""

UNPACK = "Unpack it, and use the file of the weights that is inside"

CHECKPOINT = """Open it in TensorFlow and save the arrays by their names:
    reader = tf.train.load_checkpoint("model.ckpt")
    np.savez("model.npz", **{n: reader.get_tensor(n) for n in reader.get_variable_to_shape_map()})
or, if it is of a Keras model, load the weights into the model and save it: model.save("model.keras")"""

SAVED_MODEL = f"this is a TensorFlow SavedModel, a program beside its weights. {KERAS}"
CORE_ML = f"""this is a Core ML model, made for running a model and not for reading it.
Use the file from which it was converted, of PyTorch or Keras. {KERAS}"""
EXPORTED = "this is a program of torch.export (.pt2), and not only weights. " + TORCH.format(
    load='model = torch.export.load("model.pt2")', state="model.state_dict"
)
TFLITE = f"this is a TFLite (LiteRT) file, made for running a model and not for reading it. {KERAS}"
MSGPACK = f"this is a msgpack file, as Flax writes it. {FLAX}"
UNNAMED = f"this file has arrays without names: an .npy file, or an .eqx file of Equinox. {NUMPY}"

DOWNLOAD = "Download the file itself"
JSON = """this is a JSON file, which describes a model and has no weights. Use the file of the weights.
If it is the model.json of TensorFlow.js, convert it to Keras's format first:
    tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json model.h5"""
MATLAB = """this is a MATLAB file. Save its arrays by their names, in Python (with h5py for version 7.3):
    arrays = {n: a for n, a in scipy.io.loadmat("model.mat").items() if not n.startswith("_")}
    np.savez("model.npz", **arrays)"""
NOT_TORCH = """this file is not what torch.save writes, and not a pickle.
It may be damaged, or of another program, such as a part of a TensorFlow.js model.
For PyTorch, save the weights alone, in the program that has the model:
    torch.save(model.state_dict(), "weights.pt")"""

BEGINNINGS = (
    (0, b"version https://git-lfs", f"this is a pointer of Git LFS, and not the file. {DOWNLOAD}: git lfs pull"),
    (0, b"<", f"this is a web page or an XML file, and not a model. {DOWNLOAD}"),
    (0, b"{", JSON),
    (0, b"MATLAB ", MATLAB),
    *((0, start, PICKLE) for start in (b"(dp", b"(lp", b"ccollections\n")),
    (4, b"ORTM", "this is a model of ONNX Runtime (.ort). Use the .onnx file from which it was converted"),
    (0, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", OLD_TORCH),
    (4, b"TFL3", TFLITE),
    (0, b"\x93NUMPY", UNNAMED),
    (1, b"\xa6params", MSGPACK),
    (0, b"GGUF", "this is a GGUF file, which has no recurrent layers. Use the file from which it was converted"),
    (0, b"\x1f\x8b", f"this file is compressed with gzip. {UNPACK}"),
    (0, b"BZh", f"this file is compressed with bzip2. {UNPACK}"),
    (0, b"\xfd7zXZ", f"this file is compressed with xz. {UNPACK}"),
    (0, b"\x28\xb5\x2f\xfd", f"this file is compressed with zstandard. {UNPACK}"),
    (257, b"ustar", f"this is a tar archive. {UNPACK}"),
)
"""Formats by their first bytes: an offset in the file, the bytes at this offset, and the message."""

MEMBERS = {
    b"constants.pkl": "this is a TorchScript archive, a program beside its weights. "
    + TORCH.format(load='model = torch.jit.load("model.pt")', state="model.state_dict()"),
    b"archive_format": EXPORTED,
    b"serialized_exported_program.json": EXPORTED,
    b"com.apple.CoreML": CORE_ML,
    b"saved_model.pb": SAVED_MODEL,
}
"""Formats by a file inside a zip file: the name of this file, and the message."""

ENDINGS = {
    (".pkl", ".pickle", ".joblib"): PICKLE,
    (".pt", ".pth", ".bin", ".ckpt"): NOT_TORCH,
    (".mat",): MATLAB,
    (".params", ".pdparams"): "this file is of MXNet or PaddlePaddle. Save its arrays by their names: "
    'np.savez("model.npz", **{name: array.numpy() for name, array in model.state_dict().items()})',
    (".msgpack",): MSGPACK,
    (".eqx", ".npy"): UNNAMED,
    (".tflite",): TFLITE,
    (".mlmodel", ".mlpackage"): CORE_ML,
    (".pb",): SAVED_MODEL,
    (".index", ".meta", ".data-00000-of-00001"): f"this is a part of a TensorFlow checkpoint. {CHECKPOINT}",
}
"""Formats by the ending of the file name, for files that cannot be identified by their bytes."""

TABLE = bytes.fromhex("57fb808b247547db")
"""The last bytes of the table in a TensorFlow checkpoint."""


def remedy(data: bytes) -> str | None:
    """Return a message that names a file's format and gives advice, or None if the file may be readable."""
    for place, beginning, message in BEGINNINGS:
        if data[place : place + len(beginning)] == beginning:
            return message
    if data[:2] == b"PK":
        return next((message for member, message in MEMBERS.items() if member in data[-MAX_DIRECTORY:]), None)
    if data[:1] == b"\x80" and data[1:2] in (b"\2", b"\3", b"\4", b"\5"):  # the versions of pickles
        return PICKLE
    if data.endswith(TABLE):
        return f"this is a part of a TensorFlow checkpoint. {CHECKPOINT}"
    return _protobuf(data) if data[:1] == b"\x08" else None


def by_ending(name: str) -> str | None:
    """Return a message for a file by the ending of its name, as `remedy` does, or None if the ending is unknown."""
    return next((message for endings, message in ENDINGS.items() if name.lower().endswith(endings)), None)


def _protobuf(data: bytes) -> str | None:
    """Return the message for a Core ML model or a SavedModel, or None. Like ONNX files, both start with a version."""
    try:
        fields = list(Reader().fields(data))
    except FormatError:
        return None
    if any(number >= 200 for number, _ in fields):
        return CORE_ML
    graphs = [value for number, value in fields if number == 2 and isinstance(value, bytes)]
    saved = {number for number, _ in fields} == {1, 2} and all(graph[:1] == b"\x0a" for graph in graphs)
    return SAVED_MODEL if saved else None
