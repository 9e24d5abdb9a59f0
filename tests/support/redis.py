"""A Redis server of a test's own."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.support.redis_server import installed


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Redis:
    """One that keeps what it had in a file."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        keep = ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder), "--save", ""]
        self.command = [installed() or "", "--port", str(self.port), "--bind", "127.0.0.1", *keep]
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return self.process
        raise RuntimeError("redis-server did not begin")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
