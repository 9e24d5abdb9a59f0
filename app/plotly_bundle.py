"""The Plotly script of the pages: the cartesian bundle if it was fetched, otherwise the full script.

The cartesian bundle has heatmaps, lines and bars, which is all that the pages need, in a third of the size. No Python
package has it, so `python -m app.plotly_bundle` fetches it with npm. The wheel and the container contain it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

NAME, VERSION = "plotly.js-cartesian-dist-min", "4.1.1"

SHA512 = (
    "a3c1ab15ebac9dcc012316c1ca7449a58e29920541e9c68cf892e9c2b2d86dbb"
    "0eedd67c149f9254dd85afe2fb9221bf67ac383f93b426eb3f42be4479f1d57a"
)
"""The hash of the package. A package with another hash is refused."""

BUNDLE = Path(__file__).parent / "bundle" / "plotly-cartesian.min.js"


COMPILE_HINT = b"//# allFunctionsCalledOnLoad\n"
"""With this first line Chromium compiles every function while the script loads, in another thread.

Without it Chromium compiles each function at its first call, in the page's own thread: the start of the bundle took
685 instead of 389 ms of this thread's time on a busy machine.
"""


def plotly_script() -> Path:
    """Return the file that the pages load as plotly.min.js."""
    return BUNDLE if BUNDLE.is_file() else full_script()


def plotly_content() -> bytes:
    """Return the content of plotly.min.js. The full script has no hint: a page uses a small part of its functions."""
    hint = COMPILE_HINT if plotly_script() == BUNDLE else b""
    return hint + plotly_script().read_bytes()


def full_script() -> Path:
    """Return the script of the package plotly. The container fetches the bundle before the package is installed."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def fetch() -> None:
    """Store the bundle and its license next to this module.

    Raises OSError if npm is not there, subprocess.CalledProcessError if npm cannot get the package, and ValueError if
    the package is not the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        pack = ["npm", "pack", "--silent", "--pack-destination", folder, f"{NAME}@{VERSION}"]
        subprocess.run(pack, check=True, capture_output=True, timeout=60)
        (package,) = Path(folder).glob("*.tgz")
        if hashlib.sha512(package.read_bytes()).hexdigest() != SHA512:
            raise ValueError(f"{NAME} {VERSION} from npm does not have the expected hash: it was not used")
        with tarfile.open(package) as archive:
            contents = {name: archive.extractfile(f"package/{name}") for name in ("LICENSE", BUNDLE.name)}
            BUNDLE.parent.mkdir(exist_ok=True)
            for name, file in contents.items():
                assert file is not None
                (BUNDLE.parent / f"{name}.part").write_bytes(file.read())
                (BUNDLE.parent / f"{name}.part").replace(BUNDLE.parent / name)


if __name__ == "__main__":
    try:
        fetch()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        sys.exit(f"Plotly's smaller script was not fetched ({error}). The pages use the full script.")
