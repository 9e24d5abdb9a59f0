"""The static files, Plotly's script among them: read and compressed once, cached for good by version."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import plotly

# In the project the folders stand beside the package; installed, inside it.
_APP = Path(__file__).parent
_ROOT = _APP if (_APP / "static").is_dir() else _APP.parent
STATIC, TEMPLATES = _ROOT / "static", _ROOT / "templates"
_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


@dataclass(frozen=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its path below /static/<version>/."""
    files = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
    files["plotly.min.js"] = _PLOTLY
    return {name: _asset(path) for name, path in files.items()}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    # The registry of this machine may say anything; a module must come as JavaScript.
    media_type = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
    return Asset(content, gzip.compress(content, 9, mtime=0), media_type or "application/octet-stream")


@cache
def version() -> str:
    """A name for what the files hold: it is a segment of their path, so that imports carry it too."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + asset.content)
    return digest.hexdigest()[:12]
