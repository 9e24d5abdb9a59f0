"""Install Firefox and WebKitGTK from system packages if possible, and report which ones are missing."""

from __future__ import annotations

import os
import shutil
import subprocess

FIREFOX = ("firefox-esr", "firefox")
WEBKIT = ("WebKitWebDriver",)
PACKAGES = {"Firefox": (FIREFOX, ["firefox-esr"]), "WebKitGTK": (WEBKIT, ["webkit2gtk-driver", "xvfb"])}


def installed(names: tuple[str, ...]) -> str | None:
    """Return the path of the first of these programs that is installed."""
    return next(filter(None, map(shutil.which, names)), None)


def main() -> None:
    """Install the missing browsers, and print which browsers are available."""
    missing = [package for names, packages in PACKAGES.values() if not installed(names) for package in packages]
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"])
        for package in missing:
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package])
    for browser, (names, packages) in PACKAGES.items():
        program = installed(names)
        print(
            f"{browser}: {program}" if program else f"{browser} is not here: not tested. Install {' '.join(packages)}."
        )


if __name__ == "__main__":
    main()
