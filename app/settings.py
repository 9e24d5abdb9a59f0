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
"""The limits that are larger than the defaults if only the person's own machine can reach the server."""


@dataclass(frozen=True)
class Settings:
    """Limits and policies. Each can be set in the environment: GRUSCOPE_MAX_STEPS=500 and so on.

    Models and lessons: `max_steps` timesteps of a sequence; `max_units` units of a layer; `max_inputs` inputs of a
    model that does not read symbols, and `max_alphabet` symbols of a model that does; `max_layers` layers of a model,
    and `max_outputs` outputs. `models` is a folder of `.safetensors` files, as `Model.save` writes them, and `lessons`
    a folder of `.md` files. They are served next to the built-in ones.

    Requests: `max_body` bytes of a request body; `body_seconds` for the head of a request to arrive, and again for its
    body; `max_cells` units × timesteps that are computed or sent at one time. `gruscope serve` accepts at most
    `max_connections` connections; one address gets at most as many of them as are still free, and the same holds for
    requests in progress. After `stalled_ms` it disconnects a client that reads nothing, and when it stops, open
    streams get `shutdown_seconds` to end. `hosts` are more names of the server, separated by commas. `frame_ancestors`
    are the sites that may embed a page, as a CSP source list.

    Uploads: `uploads` is the folder for uploaded models; "" accepts none. It holds at most `max_kept` models and
    `max_kept_bytes` bytes; beyond that the least recently used are deleted. A file has at most `max_upload` bytes. It
    has `upload_seconds` to arrive, and at most `body_seconds` may pass without a byte. With `read_only` the server
    refuses uploads and still serves the models that are stored.

    Trainings: `trainings` run at one time, each in a process of its own, and `waiting` more wait in the queue. With a
    `scheduler`, tls://HOST:PORT, they run on its Dask cluster; tcp:// to another machine needs `plain_scheduler`.

    Rooms: at most `rooms` rooms are open, with `followers` students from one address in each, and twice as many in all.
    A room ends after `room_hours`, or after `room_alone` minutes without a teacher. With `redis`, redis://HOST:PORT,
    the rooms are stored there, and all servers with this setting share them.
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
        """The largest model that pages show and that an upload may have."""
        return Limits(self.max_layers, self.max_units, self.max_inputs, self.max_alphabet, self.max_outputs)

    @property
    def no_uploads(self) -> str | None:
        """The reason why this server refuses uploads, None if it accepts them."""
        if self.read_only:
            return "this server accepts no uploads: it is read-only"
        if not self.uploads:
            return "this server accepts no uploads: it has no folder for them (GRUSCOPE_UPLOADS)"
        return None

    def security_headers(self, path: str, scheme: str) -> dict[str, str]:
        """Return the security headers of a response.

        Pages load nothing from other hosts, guess no content types, and send no referrer. Only /embed can be loaded by
        pages that isolate themselves. After a request over TLS, browsers use only TLS for a year.
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
        """Return the settings with the values of environment variables. Raises ValueError if a value is not valid.

        With `local` the other settings are those of a person's own machine, as `LOCAL` has them.
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
    """Return whether a host name or address belongs to the machine itself, so no other machine can reach it."""
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
    """Return the settings for a person's own machine: by default uploads are stored in the cache folder.

    If this folder cannot be created, the settings stay as they are.
    """
    if settings.uploads:
        return settings
    try:
        folder = cache_directory() / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return settings
    return replace(settings, uploads=str(folder))
