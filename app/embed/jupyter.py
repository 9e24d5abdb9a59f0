"""GRU Scope in a Jupyter server: jupyter-server-proxy finds this module by the entry point in pyproject.toml.

JupyterLab and JupyterHub then start a server of GRU Scope for the user, and show it at /gruscope/.
"""

from __future__ import annotations

import sys
from typing import Any

from ..assets import STATIC

NAME = "gruscope"
"""The path below the address of the Jupyter server, which is the name of the entry point."""


def server() -> dict[str, Any]:
    """Return how jupyter-server-proxy starts a server and passes requests to it.

    Jupyter has checked the user and the host name, so each request names the host and the origin of the server itself.
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
