"""What a server may be told, each with its default."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from gru_core.numerals import whole


@dataclass(frozen=True)
class Settings:
    """Limits and policies. Each can be set by the environment: GRUSCOPE_MAX_STEPS=500 and so on.

    `max_steps` T of a sequence; `max_units`, `max_inputs`, `max_layers`, `max_alphabet` of a model;
    `max_body` bytes of a request; `body_seconds` for its head, and again for its body, to arrive;
    `max_connections` at once, as `gruscope serve` holds to: an address gets at most as many of them, and of requests
    that are being answered, as are free for everybody else; `max_cells`, units × steps, being computed or sent at once;
    `shutdown_seconds` that open streams get to end; `stalled_ms` after which a visitor who reads nothing is let go;
    `frame_ancestors` the pages that may embed this one, as a CSP source list; `hosts` the names, with
    commas between, that the server goes by besides this machine's and its addresses; `models` a directory
    whose `.safetensors` files, as `Model.save` writes them, are served beside the presets; `lessons` a directory
    whose `.md` files are shown beside the lessons that ship.

    `trainings` are computed at once, each in a process of its own, and as many as `waiting` wait for one to end.

    With `scheduler` they are computed by the Dask cluster at that address, tls://HOST:PORT; beyond this machine tcp://
    is refused but with `plain_scheduler`.

    At most so many `rooms` at once, and `followers` in each; a room ends after `room_hours`, or after `room_alone`
    minutes without its teacher. With `redis`, redis://HOST:PORT, rooms are kept there, for all servers that do so.

    `uploads` is a directory in which models that visitors bring are kept, none when "": at most
    `max_kept` of them and `max_kept_bytes` together, the least recently used let go. `max_upload`
    bytes of a file; `upload_seconds` for it to arrive, of which `body_seconds` may pass without a
    byte. With `read_only` nothing can be brought, and what is kept is still shown.
    """

    max_steps: int = 2_000
    max_units: int = 256
    max_inputs: int = 256
    max_layers: int = 4
    max_alphabet: int = 1_024
    max_body: int = 256 * 1024
    body_seconds: int = 10
    max_connections: int = 2_000
    max_cells: int = 4_000_000
    shutdown_seconds: int = 3
    stalled_ms: int = 15_000
    frame_ancestors: str = "'self'"
    hosts: str = ""
    models: str = ""
    lessons: str = ""
    uploads: str = ""
    max_upload: int = 20 * 1024 * 1024
    upload_seconds: int = 300
    max_kept: int = 1_000
    max_kept_bytes: int = 512 * 1024 * 1024
    read_only: bool = False
    trainings: int = 2
    waiting: int = 8
    scheduler: str = ""
    plain_scheduler: bool = False
    rooms: int = 200
    followers: int = 500
    room_hours: int = 8
    room_alone: int = 60
    redis: str = ""

    @property
    def no_uploads(self) -> str | None:
        """The reason why this server refuses uploads, None if it accepts them."""
        if self.read_only:
            return "this server accepts no uploads: it is read-only"
        if not self.uploads:
            return "this server accepts no uploads: it has no folder for them (GRUSCOPE_UPLOADS)"
        return None

    def security_headers(self, path: str, scheme: str) -> dict[str, str]:
        """For every answer: nothing is loaded from elsewhere, guessed at, or told to other hosts.

        Only /embed may stand in pages that isolate themselves; once seen over TLS, it is TLS for a year.
        """
        return ({"Strict-Transport-Security": "max-age=31536000"} if scheme == "https" else {}) | {
            # Plotly writes style elements and turns its canvases into data: images.
            "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
            "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
            f"frame-ancestors {self.frame_ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "cross-origin" if path.startswith("/embed") else "same-origin",
            "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """The defaults, changed by what the environment says. Raises ValueError on what is no setting."""
        told: dict[str, Any] = {}
        for setting in fields(Settings):
            name = f"GRUSCOPE_{setting.name.upper()}"
            if name not in environment:
                continue
            text = environment[name]
            if isinstance(setting.default, str):
                told[setting.name] = text
            elif isinstance(setting.default, bool):
                if text not in ("0", "1"):
                    raise ValueError(f"{name} must be 0 or 1")
                told[setting.name] = text == "1"
            elif number := whole(text):
                told[setting.name] = number
            else:
                raise ValueError(f"{name} must be a whole number above 0")
        return Settings(**told)


def cache_directory(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where this user's programs keep what they can do without. Raises RuntimeError when the user has no home."""
    if platform == "win32":
        place = environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif platform == "darwin":
        place = Path.home() / "Library" / "Caches"
    else:
        place = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(place) / "gruscope"


def with_cache(settings: Settings) -> Settings:
    """The settings of a person's own machine: unless told where, what is brought is kept in the cache directory.

    The same settings where that cannot be had.
    """
    if settings.uploads:
        return settings
    try:
        folder = cache_directory() / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return settings
    return replace(settings, uploads=str(folder))
