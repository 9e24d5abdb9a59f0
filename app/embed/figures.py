"""Figures in docs: the HTML element of a figure, and the files that the element loads."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup

from gru_core import SequenceError

from .. import output
from ..assets import version
from ..errors import Refused
from ..exports import page as export
from ..link import CHANGES, FOCUS
from ..models import served_file
from ..pages.page import PARTS
from ..runs.linked import LinkedRun, run_link
from ..settings import Settings
from . import component
from .component import SCRIPT
from .height import height_of
from .state import HIDDEN

KEYS = ("sequence", *CHANGES, *FOCUS)
"""The options of a figure that are keys of its link."""

OPTIONS = (*KEYS, "hide", "height", "label", "live")
"""All options of a figure."""

SCRIPT_LINK = Markup(
    'If no figure is shown here, its script gruscope.js did not load. <a href="{}">Open the figure</a>.'
)
SCRIPT_FILE = Markup(
    "If no figure is shown here, its script gruscope.js did not load. The figure is the page {} in the folder of this "
    "script."
)
"""The content of an element until its script has loaded, with a link to the figure or with the figure's file name."""


@dataclass(frozen=True)
class Figure:
    """A figure in docs: the run that a link describes, and the options with which a page shows the run.

    `live` is the address of a server that shows the figure. If `live` is "", the figure is an exported page.
    """

    run: LinkedRun
    keys: Mapping[str, str]
    hide: tuple[str, ...]
    height: int
    label: str
    live: str

    @cached_property
    def file(self) -> str:
        """The file name of the exported page, with a hash of the options, the weights and the version of GRU Scope."""
        weights = hashlib.sha256(self.run.trace.model.to_bytes()).hexdigest()
        identity = json.dumps([version(), sorted(self.keys.items()), self.hide, weights])
        model = re.sub(r"[^\w-]+", "-", self.keys["model"], flags=re.ASCII)
        return f"{model}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.html"

    def element(self, folder: str = "") -> Markup:
        """Return the HTML element of the figure. For readers without scripts, the element has the run as a table.

        `folder` is the address of the folder with the exported pages, or "" if this address is not known. Until its
        script has loaded, the element shows a text that says where the figure is.
        """
        if self.live:
            query = urlencode({**self.keys, "hide": ",".join(self.hide)}, safe=",@=")
            address = f"{self.live.rstrip('/')}/embed?{query}"
            place = Markup('src="{}"').format(address)
        else:
            address = f"{folder.rstrip('/')}/{self.file}" if folder else ""
            place = Markup('file="{}"').format(self.file)
        where = SCRIPT_LINK.format(address) if address else SCRIPT_FILE.format(self.file)
        room = Markup('height="{}" style="display: block; min-height: {}px"').format(self.height, self.height)
        tag = Markup('<gru-scope {} label="{}" {}>{}<noscript>{}</noscript></gru-scope>')
        return tag.format(place, self.label, room, where, Markup(self.run.trace._repr_html_()))

    def write(self, folder: Path) -> None:
        """Write the exported page of the figure into `folder`, unless the file exists or a server shows the figure."""
        page = folder / self.file
        if self.live or page.exists():
            return
        write_shared(folder)
        output.write(
            page, export.page(self.run, Settings.from_environment(local=True), shared=True, hide=self.hide).encode()
        )


@contextmanager
def opened(model: str, options: Mapping[str, str], folder: Path) -> Iterator[Figure]:
    """Open a context with the figure of a model and these options. `model` is a name, or a model file in `folder`.

    A model from a file is available only while the context is open. Raises FileNotFoundError if the file does not
    exist, and ValueError if the file or an option is not valid.
    """
    settings = Settings.from_environment(local=True)
    with served_file(model, settings, folder) as name:
        if name != model and options.get("live"):
            raise ValueError("live needs a model of the server, and not a file")
        yield _read(name, options, settings)


def _read(model: str, options: Mapping[str, str], settings: Settings) -> Figure:
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise ValueError(f"there is no option {unknown[0]!r}: choose from {', '.join(OPTIONS)}")
    hide = tuple(part for part in options.get("hide", ",".join(HIDDEN)).split(",") if part)
    if set(hide) - set(PARTS):
        raise ValueError(f"hide must be some of {','.join(PARTS)}")
    height = options.get("height", "")
    if height and not re.fullmatch("[1-9][0-9]{1,4}", height):
        raise ValueError("height must be a number of pixels, such as 640")
    live = options.get("live", "")
    if live and urlsplit(live).scheme not in ("http", "https"):
        raise ValueError("live must be the address of a server, such as https://scope.example.org")
    keys = {"model": model} | {key: options[key] for key in KEYS if key in options}
    try:
        run = run_link(keys, settings)
    except (Refused, SequenceError) as error:
        raise ValueError(str(error)) from error
    return Figure(run, keys, hide, int(height or height_of(run)), options.get("label", run.title), live)


def write_shared(folder: Path) -> None:
    """Write the files that all figures of a site share: gruscope.js, the scripts of the exported pages, and Plotly."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {SCRIPT: component.script().encode()} | export.shared_files()
    for name, content in contents.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != content:
            output.write(folder / name, content)
