"""Install a server that tests need from the system's packages if possible, and report if it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess


def find(program: str) -> str | None:
    """Return the path of a program; a server may be in a directory that only root searches."""
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin")


def get(program: str, untested: str) -> None:
    """Install a package; `untested` is the behavior without tests if it is missing."""
    if not find(program) and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"])
        # The tests start it themselves, each on a port of its own.
        no_service = os.environ | {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", program], env=no_service)
    print(f"{program}: {find(program) or f'is not here: {untested} are not tested'}")
