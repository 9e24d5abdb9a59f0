"""Find nginx for the tests. As a program, install nginx."""

from __future__ import annotations

from tests.support import system_packages


def installed() -> str | None:
    """Return the path of nginx, or None if it is not installed."""
    return system_packages.find("nginx")


if __name__ == "__main__":
    system_packages.get("nginx", "limits behind a proxy")
