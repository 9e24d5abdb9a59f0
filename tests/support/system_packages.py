"""Find servers that tests need, and install them with the system's package manager."""

from __future__ import annotations

import os
import shutil
import subprocess


def find(program: str) -> str | None:
    """Return the path of a program, or None. Also search the sbin directories, which may not be on a user's PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin")


def get(program: str, untested: str) -> None:
    """Install a program with apt-get if it is missing, and print its path.

    If the installation is not possible, print what then remains `untested`.
    """
    if not find(program) and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"])
        # Do not start a service: each test starts the program on its own port.
        no_service = os.environ | {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", program], env=no_service)
    print(f"{program}: {find(program) or f'is not here: {untested} are not tested'}")
