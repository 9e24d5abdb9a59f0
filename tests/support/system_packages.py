"""Gets a server that tests start, where the system's packages have it and it may be installed; says so where not."""

from __future__ import annotations

import os
import shutil
import subprocess


def find(program: str) -> str | None:
    """The path of a program; servers may be where only root looks for them."""
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin")


def get(program: str, untested: str) -> None:
    """Install the package of this name; `untested` is what no test looks at without it."""
    if not find(program) and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"])
        # It is begun by the tests themselves, each on a port of its own.
        no_service = os.environ | {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", program], env=no_service)
    print(f"{program}: {find(program) or f'is not here: {untested} are not tested'}")
