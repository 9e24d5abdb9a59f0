"""The Plotly script of the pages: the cartesian bundle if it was fetched, otherwise the full script.

The cartesian bundle has heatmaps, lines and bars, which is all that the pages need, and a third of the full script's
size. No Python package has the bundle, so `python -m app.plotly_bundle` fetches it with npm. The wheel and the
container contain it.
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
"""A first line that makes Chromium compile every function in another thread, while the script loads.

Without this line, Chromium compiles each function at its first call, in the main thread of the page. On a busy machine,
starting the bundle then took 685 ms of the main thread's time instead of 389 ms.
"""


def plotly_script() -> Path:
    """Return the file that the pages load as plotly.min.js."""
    return BUNDLE if BUNDLE.is_file() else full_script()


def plotly_content() -> bytes:
    """Return the content of plotly.min.js. The full script gets no hint: a page uses few of its functions."""
    hint = COMPILE_HINT if plotly_script() == BUNDLE else b""
    return hint + plotly_script().read_bytes()


def full_script() -> Path:
    """Return the path of the full script in the Python package plotly.

    The import is inside this function because the container fetches the bundle before it installs the package.
    """
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def fetch() -> None:
    """Download the bundle and its license with npm, and store them in the folder `bundle` next to this module.

    Raises OSError if npm is missing, subprocess.CalledProcessError if npm cannot get the package, and ValueError if
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
