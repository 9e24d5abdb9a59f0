"""A proxy that can drop data and connections."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Wire:
    """A TCP proxy to the server. A test can make it drop data silently, or close and refuse connections."""

    def __init__(self, base_url: str) -> None:
        self.to = ("127.0.0.1", int(base_url.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.whole, self.ends, self.deaf = True, list[socket.socket](), set[socket.socket]()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Accept connections and forward their data in both directions."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if not self.whole:
                    client.close()
                    continue
                server = socket.create_connection(self.to)
                self.ends += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        """Forward data from `source` to `target` until one of them closes the connection."""
        with suppress(OSError):
            while data := source.recv(65536):
                if source not in self.deaf:
                    target.sendall(data)
        if source in self.deaf:
            return
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """Drop all data on the open connections without closing them. New connections work."""
        self.deaf |= set(self.ends)

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self.whole = False
        ends, self.ends = self.ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def end(self) -> None:
        self.cut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
