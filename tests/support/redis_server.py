"""Find redis-server for the tests. As a program, install redis-server."""

from __future__ import annotations

from tests.support import system_packages


def installed() -> str | None:
    """Return the path of redis-server, or None if it is not installed."""
    return system_packages.find("redis-server")


if __name__ == "__main__":
    system_packages.get("redis-server", "rooms in Redis")
