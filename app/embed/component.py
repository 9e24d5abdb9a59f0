"""The script gruscope.js, which defines the element <gru-scope>. static/embed/figure.js describes the element."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..assets import assets

SCRIPT = "gruscope.js"
"""The file name of the script."""


def script() -> str:
    """Return the source of gruscope.js, which works as a module and as a classic script.

    Pages opened from disk need a classic script. A function around the code keeps its variables out of the global
    scope.
    """
    return f"(() => {{\n{assets()['figure.js'].content.decode()}}})();\n"


def widget() -> str:
    """Return the source of the JavaScript module with which anywidget shows a figure in a notebook."""
    return f"{assets()['widget.js'].content.decode()}\nexport default {{ render }};\n"


def widget_of(state: Mapping[str, Any]) -> str:
    """Return the source of a JavaScript module that shows one figure, for the `anywidget` directive of MyST.

    `state` is the state of the figure: see `app.embed.state`.
    """
    return f"{assets()['widget.js'].content.decode()}\nexport default {{ render: renderWith({json.dumps(state)}) }};\n"
