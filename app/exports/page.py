"""Pages as HTML files that need no server: each file has the page, its scripts and the recorded data.

The pages in a folder can share Plotly and the scripts of the Lab, which are then separate files in this folder.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from gru_core import Trace
from gru_core.cells.equations import steps as equation_steps

from .. import models
from ..assets import assets
from ..jobs.cache import name_of, training_cache
from ..jobs.trainings import as_events
from ..link import compared_cells, comparison_in, read_link
from ..pages import compare, start, train
from ..pages.boot import escape_for_script
from ..pages.lab import run_context
from ..pages.page import Context, templates
from ..runs.answers import Start, to_json
from ..runs.checkpoints import run_at_checkpoints
from ..runs.events import events
from ..runs.gate import MODEL
from ..runs.linked import LinkedRun
from ..runs.run import input_names, is_large, run_whole, within_text
from ..runs.unit import sensitivity_of, shares_of, sums_of
from ..schemas import Content
from ..settings import Settings
from ..sitemap import IN_ROOMS, START
from .large import answers_of_large
from .models import goes_along, stored_models
from .packing import packed_answer
from .recording import Answers, RecordedRun, RecordedTraining, Recording

PLOTLY, SHARED = "plotly.min.js", ("engine.js", "lab.js")
"""The files that the pages in a folder share: Plotly, and the scripts in the order in which they run."""

MOST_NUMBERS = 200_000
"""The most numbers in the recorded answers of a page. They take up to 5 MB."""

MOST_EQUATIONS = 6_000
"""The most timesteps with recorded equations, summed over units: 300 units × 20 timesteps, up to 1 MB."""

MOST_PRODUCTS = 2**25
"""The largest H² t T of all recorded sensitivities, which take about two seconds to compute."""


def page(
    run: LinkedRun,
    settings: Settings,
    live: str = "",
    shared: bool = False,
    title: str = "",
    content: Content = "all",
    hide: Sequence[str] | None = None,
) -> str:
    """Return the Lab with a run as one HTML file.

    `live` is the address of a server, for the link “Open in GRU Scope”. If `shared` is true, the page needs the files
    from `shared_files` in its folder. `title` replaces the title of the page. If `content` is "signals", the file has
    only this run, without the answers about units and without the original run. If `hide` is not None, the page is for
    a frame in another page and does not show the parts in `hide`.
    """
    allowance = Allowance(MOST_NUMBERS, MOST_PRODUCTS)
    runs = [record_run(run, allowance, settings, content)]
    if run.start["twin"] and content == "all":
        # The page shows the original run after the visitor clears all changes.
        original = run.scenario.model_copy(update={"clamps": [], "weights": [], "against": None})
        runs.append(record_run(LinkedRun(run.link, original, *run_whole(original, settings)), allowance, settings))
    context = run_context(run.scenario, settings, run.start, run.trace)
    models = stored_models([run.scenario.model], settings) if content == "all" else {}
    record: Recording = {"link": run.link.address(run.scenario), "live": live, "runs": runs, "models": models}
    framed = {} if hide is None else {"embed": True, "hide": hide}
    return file("lab", context | framed | {"page_title": title}, record, shared=shared)


def size(run: LinkedRun, trace: int, settings: Settings, content: Content) -> int:
    """Estimate the number of bytes in the page of a run. `trace` is the number of bytes in the run's events."""
    scenario, start, _ = run.scenario, run.start, run.trace
    answers = _answers_of(run, Allowance(MOST_NUMBERS, MOST_PRODUCTS), settings) if content == "all" else {}
    stored = stored_models([scenario.model], settings) if content == "all" else {}
    recorded: RecordedRun = {"scenario": scenario.fields(), "trace": "", "answers": answers}
    record: Recording = {"link": "", "live": "", "runs": [recorded], "models": stored}
    frame = file("lab", run_context(scenario, settings, start, run.trace) | {"page_title": ""}, record)
    runs = 2 if start["twin"] and content == "all" else 1
    return len(frame.encode()) + runs * trace


def compare_page(keys: Mapping[str, str], settings: Settings, live: str = "") -> str:
    """Return the Compare page of a link as one HTML file. `live` is the same as in `page`.

    Raises Refused or SequenceError if the link is not valid or its runs are too large.
    """
    runs = record_comparison(keys, settings)
    models = stored_models((run["scenario"]["model"] for run in runs), settings)
    record: Recording = {"link": "?" + urlencode(keys), "live": live, "runs": runs, "models": models}
    return file("compare", compare.page_context(keys, settings), record)


def record_comparison(keys: Mapping[str, str], settings: Settings) -> list[RecordedRun]:
    """Return the recorded runs of a Compare page: all models, the GRU with clamps, and all models before training.

    Raises Refused or SequenceError if the link is not valid or its runs are too large.
    """
    task, by = comparison_in(keys)
    clamps = read_link(keys).clamps
    allowance = Allowance(MOST_NUMBERS, MOST_PRODUCTS)
    originals = compare.run_contenders(task, by, keys.get("sequence") or None, [], settings, compared_cells(keys))
    for contender in originals:
        within_text(contender.start, "one HTML file")
    sequence = str(originals[0].scenario.sequence)
    clamped = compare.run_contenders(task, by, sequence, clamps, settings, ["gru"]) if clamps else []
    untrained = compare.before_training(originals, settings)
    return [record_contender(each, allowance) for each in (*originals, *clamped, *untrained)]


def train_page(keys: Mapping[str, str], settings: Settings, live: str = "") -> str:
    """Return the Train page of a link, with all checkpoints, as one HTML file. `live` is the same as in `page`.

    Raises Refused if the link is not valid or this server does not have the training run. Raises SequenceError if the
    sequence is not valid.
    """
    context = train.training_context(keys, settings)
    trainings = record_trainings(keys, context, settings)
    record: Recording = {"link": "?" + urlencode(keys), "live": live, "runs": [], "trainings": trainings}
    return file("train", context, record)


def start_page(settings: Settings, live: str = "", title: str = "") -> str:
    """Return the “Be the gate” page as one HTML file. The page runs the network itself.

    `live` and `title` are the same as in `page`.
    """
    record: Recording = {"link": "", "live": live, "runs": [], "models": stored_models([MODEL], settings)}
    return file(START.name, start.page_context(settings) | {"page_title": title}, record, with_plotly=False)


def record_trainings(keys: Mapping[str, str], context: Context, settings: Settings) -> dict[str, RecordedTraining]:
    """Return the recorded training runs of a Train page. Raises Refused if a training run is not in memory."""
    trainings: dict[str, RecordedTraining] = {}
    for recipe in train.recipes_of(keys, settings):
        name = name_of(recipe)
        training = training_cache(settings).get(name)
        tapes = run_at_checkpoints(name, training, context["scenario"]["sequence"], 0, settings)
        sequence = " ".join(context["tokens"])
        trainings[name] = {"events": as_events(name, training).decode(), "sequence": sequence, "tapes": tapes}
    return trainings


def record_contender(contender: compare.Contender, allowance: Allowance) -> RecordedRun:
    """Return the recorded run of a model on the Compare page.

    The run has the sensitivities of the first unit, at as many timesteps as `allowance` permits. The page computes all
    other answers itself, because its models are small enough to be included.
    """
    T, H = contender.start["T"], contender.cell.units
    n = min(T, allowance.numbers // max(1, 8 * T), allowance.products // (H**2 * T))
    allowance.numbers -= 8 * T * n
    allowance.products -= n * H**2 * T
    sensitivities = [
        packed_answer(sensitivity_of(contender.run.sensitivity(t, None, 0), 0, 0)) | {"t": t + 1} for t in range(n)
    ]
    answers: Answers = {"sensitivity": {"1.1": {"from": 1, "to": n, "at": sensitivities}}}
    trace = b"".join(events(contender.start, [contender.run])).decode()
    return {"scenario": contender.scenario.fields(), "trace": trace, "answers": answers}


def file(page: str, context: Context, record: Recording, with_plotly: bool = True, shared: bool = False) -> str:
    """Return a page as one HTML file that contains everything it would load.

    If `with_plotly` is false, the file does not contain Plotly, because the page around this page contains it or this
    page does not need it. If `shared` is true, the page loads its scripts and Plotly from the files in `shared_files`.
    """
    shown = next(known for known in IN_ROOMS.values() if known.name == page)
    sheets = ["page", *([] if shown is START else ["tape", "inspector"]), *shown.sheets]
    if "lesson" in context:
        sheets.append("lesson")
    first, *modules = scripts(page)
    loader = Markup(assets()["shared.js"].content.decode())
    files = {
        "page_template": shown.template,
        "icon": _data_url("image/svg+xml", assets()["icon.svg"].content),
        "sheets": [Markup(assets()[f"css/{name}.css"].content.decode()) for name in sheets],
        "policy": policy([first, loader] if shared else [first, *modules, plotly_source()], loads=shared),
        "first_script": first,
        "loader": loader if shared else "",
        "shared": " ".join(map(_address, SHARED)),
        "module_scripts": [] if shared else modules,
        "plotly": PLOTLY if shared else "",
        "plotly_itself": plotly_packed() if with_plotly and not shared else "",
        "record": escape_for_script(to_json(record)),
    }
    return templates.get_template("export.html").render(context | files | {"live": record["live"]})


def scripts(page: str) -> tuple[Markup, ...]:
    """Return the scripts of an exported page: the first script, the module of the engine, and the page's module."""
    modules = (assets()[f"{name}.js"].content.decode().replace("</", "<\\/") for name in ("engine", page))
    return Markup(assets()["first.js"].content.decode()), *map(Markup, modules)


def shared_files() -> dict[str, bytes]:
    """Return by name the files that the pages in a folder share: Plotly, and the scripts of the Lab."""
    return {PLOTLY: assets()[PLOTLY].content} | {name: _deferred(name) for name in SHARED}


@cache
def _deferred(name: str) -> bytes:
    """Wrap a script to run like a module: in strict mode, in its own scope, and after the page is parsed."""
    code = assets()[name].content.decode()
    start = 'document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();'
    return f'(() => {{\nconst start = async () => {{\n"use strict";\n{code}\n}};\n{start}\n}})();\n'.encode()


def _address(name: str) -> str:
    """Return the address of a shared script, with a hash that changes when the script changes."""
    return f"{name}?v={hashlib.sha256(_deferred(name)).hexdigest()[:8]}"


def policy(allowed: Iterable[str], loads: bool = False) -> str:
    """Return the Content-Security-Policy of an exported page: only the `allowed` scripts run, and nothing is loaded.

    If `loads` is true, the scripts may load the other scripts that the pages in a folder share.
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
class Allowance:
    """The remaining budget of a file: numbers that may be recorded, and products that may be computed."""

    numbers: int
    products: int


def record_run(run: LinkedRun, allowance: Allowance, settings: Settings, content: Content = "all") -> RecordedRun:
    """Return the recorded run of a link. It has answers about units unless `content` is "signals"."""
    return {
        "scenario": run.scenario.fields(),
        "trace": b"".join(events(start_of(run), [run.trace])).decode(),
        "answers": _answers_of(run, allowance, settings) if content == "all" else {},
    }


def start_of(run: LinkedRun) -> Start:
    """Return the `Start` of a recorded run. Of a large run, only the unit at the cursor is recorded exactly."""
    if not is_large(run.start):
        return run.start
    return {**run.start, "exact": {"layer": run.layer, "unit": run.unit}}


def _answers_of(run: LinkedRun, allowance: Allowance, settings: Settings) -> Answers:
    return answers_of_large(run, settings) if is_large(run.start) else _answers(run, allowance, settings)


def _answers(linked: LinkedRun, allowance: Allowance, settings: Settings) -> Answers:
    """Return as many answers about units as `allowance` permits.

    If the page can run the model, the answers are only sensitivities. The unit and the timesteps at the cursor come
    first, then the other units in the cursor's layer, and then the other layers.
    """
    trace, T = linked.trace, linked.start["T"]
    cursor = linked.layer - 1
    computes = goes_along(linked.scenario.model, settings) and linked.scenario.write is None
    answers: Answers = {"sensitivity": {}}
    if not computes:
        answers |= {"equations": _equations(trace, cursor, linked.unit - 1), "sums": {}, "ledger": {}}
    for layer in sorted(range(len(trace.layers)), key=lambda layer: layer != cursor):
        layer_run = trace.layers[layer]
        H, I = layer_run.cell.units, layer_run.cell.inputs
        numbers_per_step = 4 * T
        if not computes:
            numbers_per_step += 3 * (H + I) + (T + 4) * (1 if trace.twin is None else 2)
        n = min(T, allowance.numbers // numbers_per_step, allowance.products // (H**2 * T))
        if n == 0:
            continue
        first = max(0, min(linked.t - 1 - n // 2, T - n))
        steps = slice(first, first + n)
        allowance.products -= n * H**2 * T
        trained = models.get(linked.scenario.model, settings).layers[layer] if linked.scenario.weights else None
        inputs = input_names(linked.start, layer)
        sensitivities = [trace.sensitivity(t, None, layer) for t in range(first, first + n)]
        span = {"from": first + 1, "to": first + n}
        cursor_unit = linked.unit - 1 if layer == cursor else 0
        for unit in sorted(range(H), key=lambda unit: unit != cursor_unit)[
            : allowance.numbers // (numbers_per_step * n)
        ]:
            allowance.numbers -= numbers_per_step * n
            place = f"{layer + 1}.{unit + 1}"
            if not computes:
                answers["sums"][place] = {**span, **sums_of(layer_run[steps], trained, inputs, unit)}
                if layer_run.mixture is not None:
                    answers["ledger"][place] = span | shares_of(trace, layer, unit, steps)
            entries = [
                packed_answer(sensitivity_of(sensitivity, layer, unit)) | {"t": first + 1 + i}
                for i, sensitivity in enumerate(sensitivities)
            ]
            answers["sensitivity"][place] = span | {"at": entries}
    return answers


def _equations(trace: Trace, layer: int, unit: int) -> dict[str, dict[str, Any]]:
    """Return the equations at every timestep, for as many units as `MOST_EQUATIONS` permits.

    The unit `unit` comes first, then the other units in `layer`, and then the other layers.
    """
    T = len(trace.y)
    places = [(i, j) for i, run in enumerate(trace.layers) for j in range(run.cell.units)]
    places.sort(key=lambda place: (place != (layer, unit), place[0] != layer))
    span = {"from": 1, "to": T}
    return {
        f"{i + 1}.{j + 1}": span | {"steps": equation_steps(trace.layers[i], j)}
        for i, j in places[: max(1, MOST_EQUATIONS // T)]
    }


@cache
def plotly_packed() -> str:
    """Return Plotly's script, compressed with gzip and in base64. A page unpacks the script when it needs Plotly."""
    return base64.b64encode(gzip.compress(plotly_source().encode(), mtime=0)).decode()


@cache
def plotly_source() -> str:
    return assets()[PLOTLY].content.decode()


def _data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};charset=utf-8;base64,{base64.b64encode(content).decode()}"
