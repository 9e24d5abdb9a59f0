"""Find a Chromium browser for the browser tests. As a program, install one if there is none.

The program tries an installed browser, then the system's package manager, then Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# The headless shell is the same engine without a user interface, and needs a third less processor time.
NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser",
    "google-chrome", "google-chrome-stable", "microsoft-edge",
)  # fmt: skip
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
INSTALLERS = {
    "apt-get": (["apt-get", "update"], ["apt-get", "install", "-y"], ["chromium-headless-shell", "chromium"]),
    "dnf": ([], ["dnf", "install", "-y"], ["chromium"]),
    "pacman": ([], ["pacman", "-Sy", "--noconfirm"], ["chromium"]),
    "apk": ([], ["apk", "add"], ["chromium"]),
}


def installed() -> str | None:
    """Return the path of a browser on this machine, or None if Playwright has to find its own."""
    return next(filter(None, map(shutil.which, NAMES)), MAC if os.path.exists(MAC) else None)


def _by_package_manager() -> bool:
    """Install Chromium with the system's package manager and return whether that worked."""
    manager = next(filter(shutil.which, INSTALLERS), None)
    if manager is None:
        return False
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and not shutil.which("sudo"):
        return False
    update, install, packages = INSTALLERS[manager]
    if update:
        subprocess.run([*rights, *update])
    return any(subprocess.run([*rights, *install, package]).returncode == 0 for package in packages)


def main() -> int:
    """Find or install a browser and return the exit code."""
    if installed() or (sys.platform == "linux" and _by_package_manager() and installed()):
        print(f"browser: {installed()}")
        return 0
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode


if __name__ == "__main__":
    sys.exit(main())
