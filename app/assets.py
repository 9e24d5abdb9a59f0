"""The static files and Plotly's script, read and compressed once. Browsers cache each version permanently."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Thread, get_native_id

import brotli

from . import output
from .joined import joined, joined_sheet
from .plotly_bundle import plotly_content
from .settings import cache_directory
from .sitemap import PAGES, START

# In the repository the folders are next to the package; after installation they are inside it.
_APP = Path(__file__).parent
_ROOT = _APP if (_APP / "static").is_dir() else _APP.parent
STATIC, TEMPLATES = _ROOT / "static", _ROOT / "templates"
ROOTS = {page.name: page.root for page in PAGES.values()} | {
    "lessons": "lesson/course.js",
    "rooms": "rooms/door.js",
    "presenter": "rooms/presenter.js",
    START.name: START.root,
    "engine": "engine/main.js",
    "figure": "embed/main.js",
    "widget": "embed/widget.js",
    "scorm": "lesson/scorm.js",
}
"""The entry module of each JavaScript bundle, by the name of the bundle.

There is a bundle for each page, the engine in exported pages, figures in other pages, and SCORM packages. Each bundle
joins its entry module and all modules that it imports into one file.
"""


@dataclass(frozen=True)
class Asset:
    """A static file. `encoded` maps content codings, such as gzip, to the compressed content."""

    content: bytes
    media_type: str
    encoded: dict[str, bytes] = field(default_factory=dict)

    def encode(self, coding: str) -> bytes | None:
        """Return the content compressed with `coding`, or None if it is not available.

        gzip is always available: the first call compresses the content. br is available once `compress` has finished
        this file.
        """
        if coding == "gzip" and coding not in self.encoded:
            self.encoded[coding] = gzip.compress(self.content, 9, mtime=0)
        return self.encoded.get(coding)


@cache
def assets() -> dict[str, Asset]:
    """Return all static files in a dictionary. The keys are the paths below /static/<version>/."""
    files = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents["plotly.min.js"] = plotly_content()
    sources = {name: content.decode() for name, content in contents.items() if name.endswith(".js")}
    contents |= {f"{page}.js": joined(root, sources).encode() for page, root in ROOTS.items()}
    sheets = {name: content.decode() for name, content in contents.items() if name.endswith(".css")}
    contents |= {name: joined_sheet(name, sheets).encode() for name in sheets}
    return {name: _asset(name, content) for name, content in contents.items()}


def _asset(name: str, content: bytes) -> Asset:
    # A browser runs a module only if its media type is JavaScript, but this machine's MIME registry may say otherwise.
    media_type = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    return Asset(content, media_type or "application/octet-stream")


@cache
def compress() -> Thread:
    """Start a thread that compresses every file with brotli, and return the thread.

    Until the thread is done, the server sends gzip. The compression takes ten seconds of processor time, most of it for
    Plotly's script. The results are stored in the user's cache directory for the next start.
    """

    def work() -> None:
        if sys.platform == "linux":  # a low priority for this thread: requests come first
            os.setpriority(os.PRIO_PROCESS, get_native_id(), 19)
        folder = _brotli_folder()
        names = set()
        for asset in assets().values():
            path = folder / hashlib.sha256(asset.content).hexdigest()[:16] if folder else None
            asset.encoded["br"] = _read_brotli(path, asset.content) or _write_brotli(path, asset.content)
            names.add(path)
        with suppress(OSError):
            for path in set(folder.iterdir() if folder else ()) - names:  # files of other versions
                path.unlink()

    thread = Thread(target=work, name="brotli", daemon=True)
    thread.start()
    return thread


def _brotli_folder() -> Path | None:
    try:
        folder = cache_directory() / "brotli"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder


def _read_brotli(path: Path | None, content: bytes) -> bytes | None:
    """Return the bytes that an earlier process stored at `path`, or None if they do not decompress to `content`."""
    with suppress(OSError, brotli.error):
        if path and brotli.decompress(stored := path.read_bytes()) == content:
            return stored
    return None


def _write_brotli(path: Path | None, content: bytes) -> bytes:
    compressed: bytes = brotli.compress(content, quality=10, lgwin=24)
    if path:
        with suppress(OSError):
            output.write(path, compressed)
    return compressed


@cache
def version() -> str:
    """Return a hash of all files. The hash is part of the path of every file, also when one module imports another."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + asset.content)
    return digest.hexdigest()[:12]
