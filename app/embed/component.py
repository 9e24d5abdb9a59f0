"""The script gruscope.js, which defines the element <gru-scope>: static/embed/figure.js describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..assets import assets

SCRIPT = "gruscope.js"
"""The name of the script's file."""


def script() -> str:
    """Return the script. It works as a module and as a classic script, which pages opened from disk need.

    The function around the code keeps its names out of the page.
    """
    return f"(() => {{\n{assets()['figure.js'].content.decode()}}})();\n"


def widget() -> str:
    """Return the module that shows a figure in a notebook, in the form that anywidget expects."""
    return f"{assets()['widget.js'].content.decode()}\nexport default {{ render }};\n"


def widget_of(state: Mapping[str, Any]) -> str:
    """Return the module of one figure, for the directive `anywidget` of MyST: see `app.embed.state`."""
    return f"{assets()['widget.js'].content.decode()}\nexport default {{ render: renderWith({json.dumps(state)}) }};\n"
