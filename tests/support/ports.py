"""Free ports on this machine."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that is free on this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
