"""Find a redis-server for the tests; run as a program, install one."""

from __future__ import annotations

from tests.support import system_packages


def installed() -> str | None:
    """Return the path of redis-server, or None."""
    return system_packages.find("redis-server")


if __name__ == "__main__":
    system_packages.get("redis-server", "rooms in Redis")
