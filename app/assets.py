"""The static files, Plotly's script among them: read and compressed once, cached for good by version."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread, get_native_id

import brotli
import plotly

from .joined import joined

# In the project the folders stand beside the package; installed, inside it.
_APP = Path(__file__).parent
_ROOT = _APP if (_APP / "static").is_dir() else _APP.parent
STATIC, TEMPLATES = _ROOT / "static", _ROOT / "templates"
LABS = ("gap", "sequence", "bottleneck", "race")
ROOTS = {
    "lab": "main.js",
    "compare": "compare/main.js",
    "train": "train/main.js",
    "lessons": "lesson/course.js",
    "rooms": "rooms/door.js",
    "presenter": "rooms/presenter.js",
    **{name: f"labs/{name}.js" for name in LABS},
}
"""The pages, and the first module of each; all of its modules are joined into one file of the page's name."""

_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


@dataclass(frozen=True)
class Asset:
    content: bytes
    media_type: str
    encoded: dict[str, bytes]
    """The content compressed, by the encoding's name in HTTP: gzip at once, br when `compress` has come to it."""


@cache
def assets() -> dict[str, Asset]:
    """Every file by its path below /static/<version>/."""
    files = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
    files["plotly.min.js"] = _PLOTLY
    contents = {name: path.read_bytes() for name, path in files.items()}
    sources = {name: content.decode() for name, content in contents.items() if name.endswith(".js")}
    contents |= {f"{page}.js": joined(root, sources).encode() for page, root in ROOTS.items()}
    return {name: _asset(name, content) for name, content in contents.items()}


def _asset(name: str, content: bytes) -> Asset:
    # The registry of this machine may say anything; a module must come as JavaScript.
    media_type = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    return Asset(content, media_type or "application/octet-stream", {"gzip": gzip.compress(content, 9, mtime=0)})


@cache
def compress() -> Thread:
    """Make the brotli of every file while the server already serves gzip: Plotly's takes seconds."""

    def work() -> None:
        if sys.platform == "linux":  # where threads have a priority of their own: visitors come first
            os.setpriority(os.PRIO_PROCESS, get_native_id(), 19)
        for asset in assets().values():
            asset.encoded["br"] = brotli.compress(asset.content, quality=10, lgwin=24)

    thread = Thread(target=work, name="brotli", daemon=True)
    thread.start()
    return thread


@cache
def version() -> str:
    """A name for what the files hold: it is a segment of their path, so that imports carry it too."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + asset.content)
    return digest.hexdigest()[:12]
