"""Find an nginx for the tests; run as a program, install one."""

from __future__ import annotations

from tests.support import system_packages


def installed() -> str | None:
    """Return the path of nginx, or None."""
    return system_packages.find("nginx")


if __name__ == "__main__":
    system_packages.get("nginx", "limits behind a proxy")
