"""A view as one HTML file that needs no server: the page, its modules and what was recorded, all in it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from gru_core import Trace, presets
from gru_core.equations import steps as equations_of

from . import models
from .answers import events, sensitivity_of, shares_of, sums_of, to_json
from .assets import assets
from .errors import within
from .jobs.trainings import as_events, kept
from .link import Link, read_link, unit_in
from .routes import compare, train
from .routes.lab import example, inert, templates, view
from .routes.trace import prepare, within_text
from .routes.trainings import read_by_all
from .routes.unit import read_by
from .schemas import Scenario
from .settings import Settings

MOST_NUMBERS = 200_000
"""Numbers in the recorded answers of a page: up to 5 MB, no more than Plotly."""

MOST_EQUATIONS = 6_000
"""Steps of units whose equations are recorded: up to 1 MB. Of 20 steps that is all of 300 units."""

MOST_PRODUCTS = 2**25
"""H² t T of the sensitivities that are recorded: of the order of two seconds' work."""


@dataclass(frozen=True)
class Followed:
    """What a link led to: its run, with the untouched twin where anything is changed, and the run's `start`."""

    link: Link
    scenario: Scenario
    about: dict[str, Any]
    run: Trace

    @property
    def name(self) -> str:
        """For files made of it."""
        return "gruscope-" + re.sub(r"[^\w.-]+", "-", self.scenario.model, flags=re.ASCII)


def follow(keys: Mapping[str, str], settings: Settings) -> Followed:
    """Run what the keys of a link say. Raises Refused or SequenceError where they cannot be followed."""
    link = read_link(keys)
    base = example(link.model or "flip-flop", settings)
    scenario = base.model_copy(
        update={
            "sequence": link.sequence or base.sequence,
            "clamps": link.clamps,
            "weights": link.weights,
            "against": link.against,
        }
    )
    about, blocks = prepare(scenario, settings, None)
    if about["tokens"] is not None:
        scenario = scenario.model_copy(update={"sequence": " ".join(about["tokens"])})
    layers = about["layers"]
    layer = int(link.said.get("layer", len(layers)))
    within("t", int(link.said.get("t", 1)), 1, about["T"], "the steps of this sequence")
    within("layer", layer, 1, len(layers), "the layers of this model")
    within("unit", int(link.said.get("unit", 1)), 1, layers[layer - 1]["H"], "the units of this layer")
    return Followed(link, scenario, about, replace(next(blocks), tokens=about["tokens"]))


def page(of: Followed, settings: Settings, live: str = "", plotly: str = "", title: str = "") -> str:
    """The view as one HTML file.

    `live` is the address of the server that can answer more, `plotly` that of plotly.min.js where it is not to be in
    the file, `title` the page's own.
    """
    room = Room(MOST_NUMBERS, MOST_PRODUCTS)
    runs = [recorded(of, room, settings)]
    if of.about["twin"]:
        # The run left alone is there to go back to.
        alone = of.scenario.model_copy(update={"clamps": [], "weights": [], "against": None})
        about, blocks = prepare(alone, settings, None)
        runs.append(recorded(Followed(of.link, alone, about, next(blocks)), room, settings))
    filled = view(of.scenario, settings, of.about, of.run)
    record = {"link": of.link.address(of.scenario), "live": live, "runs": runs}
    return file("lab", filled | {"page_title": title}, record, plotly)


def compare_page(keys: Mapping[str, str], settings: Settings, live: str = "") -> str:
    """The compare page of a link as one HTML file; `live` as in `page`.

    Raises Refused or SequenceError where it cannot be followed, or is too large.
    """
    record = {"link": "?" + urlencode(keys), "live": live, "runs": compared_runs(keys, settings)}
    return file("compare", compare.filled(keys, settings), record, "")


def compared_runs(keys: Mapping[str, str], settings: Settings) -> list[dict[str, Any]]:
    """What the compare page of a link asks for: its contenders, the GRU with what is held, and all before training.

    Raises Refused or SequenceError where the link cannot be followed, or is too large.
    """
    task, by = keys.get("task", presets.TASKS[0]), keys.get("by", presets.MATCHED[0])
    clamps = read_link(keys).clamps
    room = Room(MOST_NUMBERS, MOST_PRODUCTS)
    alone = compare.contenders(task, by, keys.get("sequence") or None, [], settings)
    for one in alone:
        within_text(one.about, "one HTML file")
    held = compare.contenders(task, by, str(alone[-1].scenario.sequence), clamps, settings)[-1:] if clamps else []
    untrained = compare.before_training(alone, settings)
    shown = [compared(one, room, _equations(one.run)) for one in (*alone, *held)]
    return [*shown, *(compared(one, room, {}) for one in untrained)]


def train_page(keys: Mapping[str, str], settings: Settings, live: str = "") -> str:
    """The page of a link's training as one HTML file that goes through all of its checkpoints; `live` as in `page`.

    Raises Refused where it cannot be followed or has not been trained here, SequenceError for its sequence.
    """
    filled = train.view(keys, settings)
    trainings = trainings_of(keys, filled, settings)
    record = {"link": "?" + urlencode(keys), "live": live, "runs": [], "trainings": trainings}
    return file("train", filled, record, "")


def trainings_of(keys: Mapping[str, str], filled: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """What the training page of a link, filled so, asks for. Raises Refused where a training is not kept."""
    trainings = {}
    for recipe in train.recipes_of(keys, settings):
        name = train.name_of(recipe)
        training = kept(settings).get(name)
        tapes = read_by_all(name, training, filled["scenario"]["sequence"], 0, settings)
        sequence = " ".join(filled["tokens"])
        trainings[name] = {"events": as_events(name, training).decode(), "sequence": sequence, "tapes": tapes}
    return trainings


def compared(one: compare.Contender, room: Room, equations: dict[str, Any]) -> dict[str, Any]:
    """A run as it is streamed, the `equations` of its units, and the gradients of its first unit at every step that
    there is room for."""
    T, H = one.about["T"], one.cell.units
    n = min(T, room.numbers // max(1, 8 * T), room.products // (H**2 * T))
    room.numbers -= 8 * T * n
    room.products -= n * H**2 * T
    found = [sensitivity_of(one.run.sensitivity(t, None, 0), 0, 0) | {"t": t + 1} for t in range(n)]
    answers = {
        "equations": equations,
        "sums": {},
        "ledger": {},
        "sensitivity": {"1.1": {"from": 1, "to": n, "at": found}},
    }
    trace = b"".join(events(one.about, [one.run])).decode()
    return {"scenario": one.scenario.model_dump(by_alias=True), "trace": trace, "answers": answers}


def file(page: str, filled: dict[str, Any], record: dict[str, Any], plotly: str | None) -> str:
    """A page with everything in it that it would fetch.

    Plotly is fetched from the address `plotly`, stands in the file where that is "", and in the page around where None.
    """
    own = {"lab": (), "compare": ("compare",), "train": ("compare", "train")}
    sheets = ["page", "tape", "inspector", *own.get(page, ("compare", "train", "labs"))]
    if "lesson" in filled:
        sheets.append("lesson")
    files = {
        "page_template": f"{page}.html" if page in own else f"labs/{page}.html",
        "icon": _data_url("image/svg+xml", assets()["icon.svg"].content),
        "sheets": [Markup(assets()[f"css/{name}.css"].content.decode()) for name in sheets],
        "policy": policy([*scripts(page), plotly_source()], loads=bool(plotly)),
        "first_script": scripts(page)[0],
        "script": scripts(page)[1],
        "plotly": plotly or "",
        "plotly_itself": plotly_itself() if plotly == "" else "",
        "record": inert(to_json(record)),
    }
    return templates.get_template("export.html").render(filled | files | {"live": record["live"]})


def scripts(page: str) -> tuple[Markup, Markup]:
    """Return the two scripts of a page, as they stand in a file: the first, and the module that has all the others."""
    module = assets()[f"{page}.js"].content.decode().replace("</", "<\\/")
    return Markup(assets()["first.js"].content.decode()), Markup(module)


def policy(allowed: Iterable[str], loads: bool = False) -> str:
    """Return the Content-Security-Policy of a page that is a file: these scripts run alone, and nothing is fetched.

    With `loads` they may load others, as pages do that share one Plotly.
    """
    sources = [f"'sha256-{_digest(str(script))}'" for script in allowed] + ["'strict-dynamic'"] * loads
    return (
        f"default-src 'none'; script-src {' '.join(sources)}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@dataclass
class Room:
    """What may still be recorded, and worked out for it."""

    numbers: int
    products: int


def recorded(of: Followed, room: Room, settings: Settings) -> dict[str, Any]:
    """A run as it is streamed, and what can be asked of its units: by kind, and by layer and unit, "1.2"."""
    return {
        "scenario": of.scenario.model_dump(by_alias=True),
        "trace": b"".join(events(of.about, [of.run])).decode(),
        "answers": _answers(of, room, settings),
    }


def _answers(of: Followed, room: Room, settings: Settings) -> dict[str, dict[str, Any]]:
    """What there is room for: the cursor's unit comes first and the steps around the cursor, then its layer's other
    units, then the other layers."""
    run, said, T = of.run, of.link.said, of.about["T"]
    place = unit_in(said, units_of(run))
    cursor = place.layer - 1
    equations = _equations(run, cursor, place.unit - 1)
    answers: dict[str, dict[str, Any]] = {"equations": equations, "sums": {}, "ledger": {}, "sensitivity": {}}
    for layer in sorted(range(len(run.layers)), key=lambda layer: layer != cursor):
        here = run.layers[layer]
        H, I = here.cell.units, here.cell.inputs
        a_step = 3 * (H + I) + (T + 4) * (1 if run.twin is None else 2) + 4 * T
        n = min(T, room.numbers // a_step, room.products // (H**2 * T))
        if n == 0:
            continue
        first = max(0, min(int(said.get("t", 1)) - 1 - n // 2, T - n))
        steps = slice(first, first + n)
        room.products -= n * H**2 * T
        trained = models.get(of.scenario.model, settings).layers[layer] if of.scenario.weights else None
        inputs = read_by(of.about, layer)
        found = [run.sensitivity(t, None, layer) for t in range(first, first + n)]
        stretch = {"from": first + 1, "to": first + n}
        mine = place.unit - 1 if layer == cursor else 0
        for unit in sorted(range(H), key=lambda unit: unit != mine)[: room.numbers // (a_step * n)]:
            room.numbers -= a_step * n
            key = f"{layer + 1}.{unit + 1}"
            answers["sums"][key] = stretch | sums_of(here[steps], trained, inputs, unit)
            if here.mixture is not None:
                answers["ledger"][key] = stretch | shares_of(run, layer, unit, steps)
            listening = [sensitivity_of(one, layer, unit) | {"t": first + 1 + i} for i, one in enumerate(found)]
            answers["sensitivity"][key] = stretch | {"at": listening}
    return answers


def units_of(run: Trace) -> list[int]:
    """How many units each layer of a run has."""
    return [layer.cell.units for layer in run.layers]


def _equations(run: Trace, layer: int = 0, unit: int = 0) -> dict[str, Any]:
    """The equations of as many units as there is room for, at every step: the cursor's first, then its layer's."""
    T = len(run.y)
    places = [(i, j) for i, size in enumerate(units_of(run)) for j in range(size)]
    places.sort(key=lambda place: (place != (layer, unit), place[0] != layer))
    whole = {"from": 1, "to": T}
    return {
        f"{i + 1}.{j + 1}": whole | {"steps": equations_of(run.layers[i], j)}
        for i, j in places[: max(1, MOST_EQUATIONS // T)]
    }


@cache
def plotly_itself() -> Markup:
    """Plotly as a JSON string: there until it is wanted, and only then read."""
    return inert(to_json(plotly_source()))


@cache
def plotly_source() -> str:
    return assets()["plotly.min.js"].content.decode()


def _data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};charset=utf-8;base64,{base64.b64encode(content).decode()}"
