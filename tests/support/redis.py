"""A Redis server for a test."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.ports import free_port
from tests.support.redis_server import installed


class Redis:
    """A redis-server that stores its data in a file. The data survive a restart of the server."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        keep = ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder), "--save", ""]
        self.command = [installed() or "", "--port", str(self.port), "--bind", "127.0.0.1", *keep]
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """Start the server, and wait until it accepts connections. Raises RuntimeError if the server ends instead."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return self.process
        raise RuntimeError("redis-server did not start")

    def end(self) -> None:
        """Kill the server."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
