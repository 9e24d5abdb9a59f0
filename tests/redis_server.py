"""Gets a redis-server where the system's packages have one and it may be installed; says so where not."""

from __future__ import annotations

import os
import shutil
import subprocess


def installed() -> str | None:
    return shutil.which("redis-server")


def main() -> None:
    if not installed() and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"])
        # It is begun by the tests themselves, each on a port of its own.
        no_service = os.environ | {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"]
        subprocess.run(packages, env=no_service)
    print(f"Redis: {installed() or 'redis-server is not here: rooms in Redis are not tested'}")


if __name__ == "__main__":
    main()
