"""The Lab page, and the first run that the page contains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
import orjson
from markupsafe import Markup

from gru_core import SequenceError, Trace, presets
from gru_core.arrays import Array
from gru_core.cells.registry import CELLS
from gru_core.encoders.vectors import Scaled
from gru_core.formats import KINDS
from gru_core.formats.imported import ENDINGS
from gru_core.runs.figures import by_theme, confusion_heatmap, forecast_lines, heatmaps, tape_pictures

from .. import models
from ..assets import compress, version
from ..errors import Refused
from ..link import unit_in
from ..models import ModelEntry
from ..runs.answers import Start, to_json
from ..runs.events import event, events
from ..runs.limits import MOST_SHARES
from ..runs.run import example, is_large, opening
from ..runs.tokens import name_of
from ..schemas import Scenario, UnitPlace
from ..settings import Settings
from .boot import Boot, boot, columns, escape_for_script
from .examples import EXAMPLES, Example
from .page import MOST_PRINTED, MOST_SENT, Context, link_error_notice, outputs, version_notices


@cache
def _figures(cell: str) -> orjson.Fragment:
    return orjson.Fragment(to_json({cell: by_theme(partial(heatmaps, CELLS[cell].signals))}))


@cache
def _pictures(cell: str) -> orjson.Fragment:
    return orjson.Fragment(to_json({cell: by_theme(partial(tape_pictures, CELLS[cell].signals))}))


@cache
def _forecast() -> orjson.Fragment:
    return orjson.Fragment(to_json(by_theme(forecast_lines)))


@cache
def _confusion() -> orjson.Fragment:
    return orjson.Fragment(to_json(by_theme(confusion_heatmap)))


def warm_up(settings: Settings) -> None:
    """Compress the static files, build the figures and load the models before the first request.

    Raises ValueError if the limits in the settings leave no model to show.
    """
    version()
    compress()
    for cell in CELLS:
        _figures(cell)
        _pictures(cell)
    if not models.names(settings):
        raise ValueError("the limits in the settings exclude every model: raise them")


def page_context(
    keys: Mapping[str, str], settings: Settings, upto: int | None = None, uploads: bool = False
) -> Context:
    """Return the page context for the keys of a link, or for an example if the link is not valid.

    With `upto`, the run ends after this timestep, but the page still shows the whole sequence.
    """
    names = models.names(settings)
    notices = version_notices(keys)
    model, sequence = keys.get("model"), keys.get("sequence")
    scenario = Scenario(model=model or names[0], sequence=sequence or "")
    try:
        if not sequence:
            scenario = example(scenario.model, settings)
        beginning, run = opening(scenario, settings)
    except (Refused, SequenceError) as error:
        notices.append(link_error_notice(error))
        scenario = example(model if model is not None and _can_be_shown(model, settings) else names[0], settings)
        beginning, run = opening(scenario, settings)
    if upto is not None:
        run = replace(run, layers=tuple(layer[:upto] for layer in run.layers))
        beginning = {**beginning, "right": None}
    return run_context(scenario, settings, beginning, run, uploads) | {
        "max_upload": settings.max_upload // 2**20,
        "endings": ENDINGS,
        "kinds": KINDS,
        "notice": " ".join(notices),
        "large": is_large(beginning),
        "first": _first(beginning, run, unit_in(keys, [layer.cell.units for layer in run.layers])),
    }


def _first(beginning: Start, run: Trace, place: UnitPlace) -> Markup | str:
    """Return the events of the run that the page contains, as the text of a script element.

    The page contains all events of a short run, and only the event `start` of a large run. For any other run the
    result is "": the page then requests the whole run before it shows anything.
    """
    if is_large(beginning):
        return escape_for_script(event("start", beginning | {"exact": place.model_dump()}))
    if sum(layer.h.size for layer in run.layers) > MOST_SENT:
        return ""
    return escape_for_script(b"".join(events(beginning, [run], place)))


def run_context(scenario: Scenario, settings: Settings, beginning: Start, run: Trace, uploads: bool = False) -> Context:
    """Return the context of a page with the run of a scenario. With `uploads`, the page offers to upload models."""
    # Models that are matched by parameters belong to the Compare page. The Lab lists one only if the link names it.
    names = [name for name in models.names(settings) if not name.endswith("-parameters")]
    listed = names if scenario.model in names else [*names, scenario.model]
    entries = [_entry(name, settings) for name in listed]
    entry = next(entry for entry in entries if entry["id"] == scenario.model)
    cell = run.layers[-1].cell
    script: Boot = {
        **boot(entries, scenario.fields()),
        "shares": MOST_SHARES,
        "uploads": uploads,
        "figures": _figures(cell.name),
        "pictures": _pictures(cell.name),
        "forecast": _forecast(),
        "confusion": _confusion(),
    }
    return {
        "page": "lab",
        "title": entry["card"]["title"],
        "scenario": scenario,
        "uploads": uploads,
        "groups": _groups(entries),
        "entry": entry,
        "columns": columns(beginning["T"]),
        "tokens": [name_of(token) for token in beginning["tokens"] or ()],
        "outputs": outputs(run.model, run),
        "unit": run.model.encoder.unit if isinstance(run.model.encoder, Scaled) else "",
        "signed": run.model.readout.kind == "linear",
        "values": {signal: _pad(beginning["T"], getattr(run, signal)).T for signal in cell.signals},
        "printed": beginning["T"] * cell.units <= MOST_PRINTED,
        "cell": cell,
        "signals": cell.signals,
        "boot": escape_for_script(to_json(script)),
    }


class LabEntry(ModelEntry):
    """A model in the Lab's model list, with its examples."""

    questions: Sequence[Example]


def _entry(name: str, settings: Settings) -> LabEntry:
    return {**models.entry(name, settings), "questions": EXAMPLES.get(name, ())}


def _pad(T: int, values: Array) -> Array:
    """Return `values` padded to `(T, H)`, with nan at the timesteps that the run leaves out."""
    return np.pad(values, ((0, T - len(values)), (0, 0)), constant_values=np.nan)


def _can_be_shown(model: str, settings: Settings) -> bool:
    try:
        models.get(model, settings)
    except Refused:
        return False
    return True


def _groups(entries: list[LabEntry]) -> dict[str, list[LabEntry]]:
    """Return the models, grouped by the headings of the Lab's model list."""
    groups: dict[str, list[LabEntry]] = {}
    for entry in entries:
        if entry["report"]:
            group = "Uploaded models"
        elif entry["id"] in presets.COMPARED:
            group = f"The same tasks, {CELLS[entry['layers'][0]['cell']].title}"
        elif entry["id"] in presets.EXTRA:
            group = "Models for one idea each"
        elif entry["id"] not in presets.NAMES:
            group = "From this server"
        else:
            group = "GRU, trained without penalties" if entry["id"].endswith("-plain") else "GRU, gates easy to read"
        groups.setdefault(group, []).append(entry)
    return groups
