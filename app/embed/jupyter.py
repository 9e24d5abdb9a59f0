"""GRU Scope in a Jupyter server. jupyter-server-proxy finds this module by the entry point in pyproject.toml.

JupyterLab and JupyterHub then start a GRU Scope server for each user, and show it at /gruscope/.
"""

from __future__ import annotations

import sys
from typing import Any

from ..assets import STATIC

NAME = "gruscope"
"""The name of the entry point, which is also the path below the address of the Jupyter server."""


def server() -> dict[str, Any]:
    """Return the config with which jupyter-server-proxy starts a server and forwards requests to it.

    Jupyter has already checked the user and the host name. The headers Host and Origin of each forwarded request are
    therefore replaced with the values that the server itself accepts.
    """
    package = __name__.partition(".")[0]
    return {
        "command": [
            *(sys.executable, "-m", package, "serve", "--no-browser"),
            *("--port", "{port}", "--root-path", f"{{base_url}}{NAME}"),
        ],
        "timeout": 60,
        "request_headers_override": {"Host": "localhost", "Origin": "http://localhost"},
        "launcher_entry": {"title": "GRU Scope", "icon_path": str(STATIC / "icon.svg")},
    }
