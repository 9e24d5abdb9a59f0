"""The settings of a server and their defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from gru_core.formats.limits import Limits
from gru_core.numerals import whole

LOCAL: Mapping[str, int] = {
    "max_units": 2_048,
    "max_upload": 500 * 2**20,
    "max_kept_bytes": 4 * 2**30,
    "max_cells": 16_000_000,
    "max_body": 8 * 2**20,
}
"""The limits that are higher than the defaults if only the user's own machine can reach the server."""


@dataclass(frozen=True)
class Settings:
    """The limits and policies of a server. Environment variables can set them, such as GRUSCOPE_MAX_STEPS=500.

    Models and lessons: a sequence has at most `max_steps` timesteps. A model has at most `max_layers` layers with
    `max_units` units each, `max_outputs` outputs, and `max_alphabet` symbols or, if it does not read symbols,
    `max_inputs` inputs. `models` is a folder of `.safetensors` files, as `Model.save` writes them, and `lessons` is a
    folder of `.md` files. The server offers them in addition to the built-in models and lessons.

    Requests: a request body has at most `max_body` bytes. The head of a request must arrive within `body_seconds`, and
    the body within the same time after it. At most `max_cells` units × timesteps are computed or sent at the same time.
    `gruscope serve` accepts at most `max_connections` connections. One address can have at most as many connections as
    are still free. The same rule applies to requests in progress. A client that reads nothing for `stalled_ms`
    milliseconds is disconnected. When the server stops, open streams get `shutdown_seconds` to end. `hosts` are more
    host names of the server, separated by commas. `frame_ancestors` are the sites that may embed a page, as a CSP
    source list.

    Uploads: `uploads` is the folder for uploaded models; "" turns uploads off. The folder holds at most `max_kept`
    models and `max_kept_bytes` bytes. Beyond these limits, the least recently used models are deleted. A file has at
    most `max_upload` bytes. It must arrive within `upload_seconds`, without a pause of more than `body_seconds`. With
    `read_only`, the server refuses uploads, but still serves the stored models.

    Trainings: at most `trainings` trainings run at the same time, each in its own process, and at most `waiting` more
    wait in the queue. With `scheduler`, tls://HOST:PORT, they run on a Dask cluster. A tcp:// address of another
    machine also needs `plain_scheduler`.

    Rooms: at most `rooms` rooms are open. A room has at most `followers` students from one address, and twice as many
    in all. It ends after `room_hours`, or after `room_alone` minutes without a teacher. With `redis`,
    redis://HOST:PORT, the rooms are stored in Redis, and all servers with this setting share them.
    """

    max_steps: int = 2_000
    max_units: int = 1_024
    max_inputs: int = 2_048
    max_layers: int = 8
    max_alphabet: int = 100_000
    max_outputs: int = 100_000
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
    def limits(self) -> Limits:
        """The size limits for models, both for the pages and for uploads."""
        return Limits(self.max_layers, self.max_units, self.max_inputs, self.max_alphabet, self.max_outputs)

    @property
    def no_uploads(self) -> str | None:
        """The reason why this server refuses uploads, or None if it accepts them."""
        if self.read_only:
            return "this server accepts no uploads: it is read-only"
        if not self.uploads:
            return "this server accepts no uploads: it has no folder for them (GRUSCOPE_UPLOADS)"
        return None

    def security_headers(self, path: str, scheme: str) -> dict[str, str]:
        """Return the security headers of a response.

        With these headers, browsers load nothing from other hosts for a page, do not guess content types, and send no
        referrer. Cross-origin isolated pages of other sites can load only paths below /embed. After a request over TLS,
        browsers use only TLS for a year.
        """
        return ({"Strict-Transport-Security": "max-age=31536000"} if scheme == "https" else {}) | {
            # Plotly needs style elements, and images with data: URLs for its canvases.
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
    def from_environment(environment: Mapping[str, str] = os.environ, local: bool = False) -> Settings:
        """Read the settings from environment variables. Raises ValueError if a value is not valid.

        With `local`, the limits in `LOCAL` replace the defaults of settings without a variable.
        """
        values: dict[str, Any] = dict(LOCAL) if local else {}
        for setting in fields(Settings):
            name = f"GRUSCOPE_{setting.name.upper()}"
            if name not in environment:
                continue
            text = environment[name]
            if isinstance(setting.default, str):
                values[setting.name] = text
            elif isinstance(setting.default, bool):
                if text not in ("0", "1"):
                    raise ValueError(f"{name} must be 0 or 1")
                values[setting.name] = text == "1"
            elif number := whole(text):
                values[setting.name] = number
            else:
                raise ValueError(f"{name} must be a whole number above 0")
        return Settings(**values)


def is_loopback(host: str) -> bool:
    """Return whether `host` is a loopback name or address, which no other machine can reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def cache_directory(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return this user's folder for cached files of GRU Scope. Raises RuntimeError if the user has no home folder."""
    if platform == "win32":
        folder = environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif platform == "darwin":
        folder = Path.home() / "Library" / "Caches"
    else:
        folder = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "gruscope"


def with_cache(settings: Settings) -> Settings:
    """Return the settings with uploads stored in the user's cache folder, unless `settings` already has a folder.

    If the cache folder cannot be created, return the settings unchanged.
    """
    if settings.uploads:
        return settings
    try:
        folder = cache_directory() / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return settings
    return replace(settings, uploads=str(folder))
