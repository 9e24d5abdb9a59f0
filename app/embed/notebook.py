"""The widget for figures in notebooks, which `gru.show` and `Trace.show` return."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gru_core import Model, Trace

from ..errors import Refused
from ..exports import page as export
from ..models import served
from ..pages.page import PARTS
from ..runs.linked import LinkedRun, run_link
from ..settings import Settings
from . import component
from .keys import keys_of
from .state import HIDDEN, NUMBERS, TEXTS, state_of

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise ImportError("gru.show needs anywidget: pip install 'gruscope[notebook]'") from error


class Figure(anywidget.AnyWidget):
    """A live figure of a run in a notebook.

    Each key of a link is an attribute. `figure.t = 3` moves the cursor, and after the reader moves the cursor,
    `figure.t` is the new timestep. Timesteps, units and layers count from 1. `figure.observe` registers a function to
    call after each change. The network runs in the browser, so the figure also works without a kernel.
    """

    _esm = component.widget()
    page = traitlets.Unicode().tag(sync=True)
    defaults = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    theme = traitlets.Enum(["", "light", "dark"], "").tag(sync=True)

    def __init__(self, run: LinkedRun, page: str, **options: Any) -> None:
        """Create the figure of a run from the HTML of an exported `page`. `options` replace values of the state."""
        self.add_traits(
            **{key: traitlets.Int().tag(sync=True) for key in NUMBERS},
            **{key: traitlets.Unicode().tag(sync=True) for key in TEXTS},
        )
        super().__init__(**state_of(run, page) | options)
        self._table = run.trace._repr_html_()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the widget and, for programs that cannot show widgets, the run as an HTML table."""
        bundle = super()._repr_mimebundle_()
        return bundle and (bundle[0] | {"text/html": self._table}, bundle[1])


def show(
    model: Model,
    sequence: str | None = None,
    hide: Sequence[str] = HIDDEN,
    height: int = 0,
    theme: str = "",
    **view: Any,
) -> Figure:
    """Return the figure of a model's run over a sequence. See `gru_core.notebook.show` for the arguments."""
    unknown = [key for key in view if key not in (*NUMBERS, *TEXTS)]
    if unknown:
        raise ValueError(f"there is no key {unknown[0]!r} of a view: choose from {', '.join((*NUMBERS, *TEXTS[1:]))}")
    if set(hide) - set(PARTS):
        raise ValueError(f"hide has a part that no page has: choose from {', '.join(PARTS)}")
    title = re.sub(r"[^\w-]+", "-", model.card.title, flags=re.ASCII).strip("-").lower() or "model"
    name = f"notebook-{title}"  # The prefix avoids the names of presets.
    keys = {key: str(value) for key, value in view.items()}
    settings = Settings.from_environment({}, local=True)
    with served(name, model):
        try:
            run = run_link({"model": name, "sequence": sequence or model.examples[0]} | keys, settings)
            page = export.page(run, settings, hide=hide)
        except Refused as error:
            raise ValueError(str(error)) from error
    return Figure(run, page, theme=theme, **({"height": height} if height else {}))


def show_trace(trace: Trace, **view: Any) -> Figure:
    """Return the figure of the run `trace`. See `Trace.show` for the arguments."""
    return show(trace.model, **keys_of(trace) | view)
