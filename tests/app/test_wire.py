"""The types that Python sends to pages and the types that the JavaScript declares have the same fields."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.embed.height import MOST_ROWS
from app.exports.models import StoredModel, StoredReadout
from app.exports.recording import RecordedRun, RecordedTraining, Recording
from app.intake.child import DifferenceResult, OpenQuestion, ParityResult
from app.lessons.markdown import PARTS
from app.lessons.shown import Revealed
from app.link import DEFAULTS, FOCUS, LONGEST_LINK, VERSION
from app.models import ConfusionEntry
from app.pages.boot import Boot, CellEntry, SignalEntry, TrainingBoot
from app.pages.experiment_data import AttentionData, BottleneckData, RaceData, SequenceData, Times
from app.pages.lab import LabEntry
from app.pages.lesson import LessonData, QuestionData, StepData
from app.pages.page import MOST_LABELLED, MOST_WIDE
from app.questions.registry import KINDS, LESSON_KINDS
from app.rooms.composing import DRAFTS, QuestionBody, Subject
from app.rooms.question import Status
from app.rooms.state import ClassMode, PublicState
from app.routes.rooms import RoomData
from app.runs.answers import Differences, LayerStart, Outputs, Start
from app.runs.census import CensusAnswer, UnitRow
from app.runs.limits import LIKELIEST, MOST_OUTPUTS
from app.runs.moments import Moments
from app.runs.race import CellOutcome, RaceOutcome
from app.runs.tokens import FEW
from app.runs.unit import Shares, Sums
from app.schemas import MOST_SEEDS, MOST_WRITTEN, SIGNALS, GapBody, Scenario, ScenarioFields, WriteBody
from gru_core import numerals
from gru_core.card import Card, CardFields
from gru_core.cells.equations import DECIMALS, LARGE, EquationNumbers
from gru_core.cells.registry import CELLS
from gru_core.encoders import tokens
from gru_core.encoders.symbols import LISTED, MOST_ACCENTS, SPELLED
from gru_core.experiments.attention import Lookup
from gru_core.runs.edit import LARGEST
from gru_core.runs.figures import PANEL
from gru_core.runs.trace import LEAST
from gru_core.runs.writing import HOTTEST
from gru_core.training.checkpoints import Report
from gru_core.training.fit import Schedule
from gru_core.training.recipe import Recipe, RecipeFields, ScheduleFields
from gru_core.training.table import MOST_BYTES

STATIC = Path(__file__).parents[2] / "static"
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted(STATIC.rglob("*.js")))


def typedef(name: str) -> str:
    """Return the type that the JSDoc typedef `name` declares, without the asterisks of the comment."""
    end = re.search(rf"\}} {name}\b(?=[\s*])", SCRIPTS)
    assert end is not None, f"no module declares the type {name}"
    start = SCRIPTS.rindex("@typedef {", 0, end.start()) + len("@typedef {")
    return re.sub(r"\n\s*\*", "\n", SCRIPTS[start : end.start()])


def fields(type: str) -> dict[str, str]:
    """Return the type of each field of an object type by field name. An optional field's name ends with "?"."""
    inner, depth, parts = type.strip()[1:-1], 0, [""]
    for character in inner:
        depth += character in "{[(<"
        depth -= character in "}])>"
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return {
        name.strip().strip('"'): value_type.strip()
        for name, _, value_type in (part.partition(":") for part in parts)
        if value_type
    }


def declared(typed_dict: type) -> set[str]:
    """Return the field names of a TypedDict. An optional field's name ends with "?"."""
    hints = get_type_hints(typed_dict, include_extras=True)
    return {name + "?" * (get_origin(hint) is NotRequired) for name, hint in hints.items()}


@pytest.mark.parametrize(
    ("typed_dict", "name"),
    [(Boot, "Boot"), (CellEntry, "CellEntry"), (SignalEntry, "SignalEntry"), (LabEntry, "ModelEntry"), (Start, "Start"),
     (LayerStart, "LayerStart"), (Revealed, "Revealed"), (QuestionData, "QuestionData"), (OpenQuestion, "OpenQuestion"),
     (LessonData, "Lesson"), (StepData, "LessonStep"), (RoomData, "Room"), (SequenceData, "SequenceData"),
     (Times, "Times"), (BottleneckData, "BottleneckData"), (RaceData, "RaceData"), (RaceOutcome, "RaceOutcome"),
     (CellOutcome, "CellOutcome"), (AttentionData, "AttentionData"), (Lookup, "Lookup"), (Recording, "Recording"),
     (RecordedRun, "RecordedRun"), (StoredModel, "StoredModel"), (Report, "Report"), (UnitRow, "CensusUnit"),
     (CensusAnswer, "CensusAnswer"), (Moments, "Moments"), (EquationNumbers, "EquationStep"), (Differences, "Effect"),
     (ConfusionEntry, "Confusion")],
)  # fmt: skip
def test_a_typed_dict_has_the_fields_of_its_jsdoc_type(typed_dict: type, name: str) -> None:
    assert declared(typed_dict) == set(fields(typedef(name)))


@pytest.mark.parametrize(("typed_dict", "name"), [(Sums, "Sums"), (Shares, "Ledger")])
def test_an_answer_about_a_unit_has_the_fields_of_its_jsdoc_type(typed_dict: type, name: str) -> None:
    stretch, _, own = typedef(name).partition(" & ")
    assert (stretch, declared(typed_dict)) == ("Stretch", set(fields(own)))


@pytest.mark.parametrize(("typed_dict", "name"), [(ParityResult, "Parity"), (DifferenceResult, "Difference")])
def test_the_page_reads_only_fields_that_a_parity_check_has(typed_dict: type, name: str) -> None:
    assert set(fields(typedef(name))) <= declared(typed_dict)


def test_students_receive_the_fields_of_the_public_state() -> None:
    names = {field.name for field in dataclasses.fields(PublicState)}
    assert names == set(fields(typedef("RoomState"))) < set(fields(typedef("ClassState")))


def test_a_recipe_has_the_same_fields_in_the_core_in_json_and_in_jsdoc() -> None:
    assert declared(RecipeFields) == {field.name for field in dataclasses.fields(Recipe)}
    assert declared(ScheduleFields) == {field.name for field in dataclasses.fields(Schedule)}
    page = fields(typedef("Recipe"))  # the page declares the fields that it reads
    assert {name.rstrip("?") for name in page} <= declared(RecipeFields)
    assert set(fields(page["schedule"])) <= declared(ScheduleFields)


def test_a_card_has_the_same_fields_in_the_core_in_json_and_in_jsdoc() -> None:
    assert declared(CardFields) == {field.name for field in dataclasses.fields(Card)}
    assert set(fields(fields(typedef("ModelEntry"))["card"])) <= declared(CardFields)


def test_a_scenario_has_the_same_fields_in_requests_and_in_pages() -> None:
    assert {name.rstrip("?") for name in declared(ScenarioFields)} == set(Scenario.model_fields)


def test_nested_types_have_the_same_fields() -> None:
    assert declared(StoredReadout) == set(fields(fields(typedef("StoredModel"))["readout"]))
    assert declared(RecordedTraining) == set(
        fields(re.sub("^Record<string, (.*)>$", r"\1", fields(typedef("Recording"))["trainings?"]))
    )
    assert declared(TrainingBoot) == set(fields(fields(typedef("Boot"))["training?"]))
    assert declared(Outputs) == set(fields(fields(typedef("Start"))["y"]))


def test_the_page_and_the_lessons_have_the_kinds_of_questions_that_the_server_has() -> None:
    listed = re.search(r"const ALL = \{(.*?)\}", (STATIC / "questions/kinds.js").read_text("utf-8"))
    assert listed is not None
    assert {name.strip() for name in listed[1].split(",")} == set(KINDS)
    assert set(re.findall(r'"(\w+)"', fields(typedef("QuestionData"))["kind"])) == set(KINDS)
    forms = Path(__file__).parents[2] / "templates/questions"
    assert {path.stem for path in forms.iterdir()} == set(LESSON_KINDS)


def test_the_page_names_the_kinds_with_sketches_that_the_server_has() -> None:
    files = (STATIC / "questions").glob("*.js")
    assert {path.stem for path in files if re.search(r"^  hasSketches: true,$", path.read_text("utf-8"), re.M)} == {
        name for name, kind in KINDS.items() if kind.has_sketches
    }


def test_the_page_asks_a_class_about_the_subjects_that_the_server_knows() -> None:
    asked = re.findall(r'\bsubject: "(\w+)"', (STATIC / "rooms/ask.js").read_text("utf-8"))
    assert set(asked) == set(DRAFTS) == set(get_args(Subject))


def matches(value: dict[str, Any], typed_dict: type) -> bool:
    """Return whether a JSON object has all required fields of a type, and no unknown ones."""
    names = declared(typed_dict)
    needed = {name for name in names if not name.endswith("?")}
    return needed <= set(value) <= {name.rstrip("?") for name in names}


def data_in(html: str, id: str) -> Any:
    """Return the JSON data in the script element `id` of a page."""
    match = re.search(rf'<script[^>]*id="{id}"[^>]*>(.*?)</script>', html, re.S)
    assert match is not None
    return json.loads(match[1])


@pytest.mark.parametrize("path", ["/", "/start", "/compare", "/train", "/compare/gap", "/compare/race"])
def test_the_boot_data_of_a_page_has_the_declared_fields(client: TestClient, path: str) -> None:
    boot = data_in(client.get(path).text, "boot")
    assert matches(boot, Boot)
    assert all(matches(cell, CellEntry) for cell in boot["cells"].values())
    assert all(matches(signal, SignalEntry) for cell in boot["cells"].values() for signal in cell["signals"])


@pytest.mark.parametrize(
    ("name", "typed_dict"),
    [("sequence", SequenceData), ("bottleneck", BottleneckData), ("race", RaceData), ("attention", AttentionData)],
)
def test_the_data_of_an_experiment_has_the_declared_fields(client: TestClient, name: str, typed_dict: type) -> None:
    assert matches(data_in(client.get(f"/compare/{name}").text, "boot")["experiment"], typed_dict)


def test_the_data_of_a_lesson_and_of_a_room_has_the_declared_fields(client: TestClient) -> None:
    view = {"page": "lessons/gates", "step": 1, "link": "?model=flip-flop"}
    room = client.post("/api/rooms", json={"view": view}).json()
    followed = client.get(f"/rooms/{room['code']}").text
    assert matches(data_in(followed, "room-boot"), RoomData)
    for html in (followed, client.get("/lessons/gates").text):
        lesson = data_in(html, "lesson-boot")
        assert matches(lesson, LessonData)
        assert all(matches(step, StepData) for step in lesson["steps"])
        assert all(matches(question, QuestionData) for question in lesson["questions"].values())


def test_the_start_event_of_a_run_has_the_declared_fields(client: TestClient) -> None:
    scenario = {"model": "flip-flop", "sequence": "A m m B", "clamps": [], "weights": []}
    stream = client.post("/api/trace", json=scenario, headers={"accept": "text/event-stream"}).text
    start = json.loads(stream.partition("data: ")[2].partition("\n")[0])
    assert matches(start, Start)
    assert all(matches(layer, LayerStart) for layer in start["layers"])


def test_server_and_page_have_the_same_limits_of_what_a_network_writes() -> None:
    match = re.search(r"export const WRITING = \{ steps: (\d+), temperature: (\d+), seed: 2 \*\* (\d+) - 1 \}", SCRIPTS)
    assert match is not None
    steps, temperature, bits = map(int, match.groups())
    assert (steps, temperature, 2**bits) == (MOST_WRITTEN, HOTTEST, MOST_SEEDS)
    form = (STATIC.parent / "templates/lab.html").read_text("utf-8")
    most = re.findall(r'name="(?:steps|temperature|seed)" type="number".*? max="(\d+)"', form)
    assert list(map(int, most)) == [MOST_WRITTEN, HOTTEST, MOST_SEEDS - 1]
    assert declared_fields(WriteBody) == set(fields(typedef("Writing")))


def test_engine_and_core_have_the_same_least_difference_of_outputs_and_the_same_limits_of_outputs() -> None:
    least = re.search(r"export const LEAST_DIFFERENCE = ([\d.]+);", SCRIPTS)
    assert least is not None
    assert float(least[1]) == LEAST
    outputs = re.search(r"const \[MOST_OUTPUTS, LIKELIEST\] = \[(\d+), (\d+)\];", SCRIPTS)
    assert outputs is not None
    assert tuple(map(int, outputs.groups())) == (MOST_OUTPUTS, LIKELIEST)


@pytest.mark.parametrize(
    ("file", "name", "value"),
    [("state.js", "MOST_ROWS", MOST_ROWS), ("tokens.js", "FEW", FEW), ("files.js", "PANEL", PANEL),
     ("engine/checks.js", "LARGEST", LARGEST), ("engine/encoders.js", "LARGEST", tokens.LARGEST),
     ("engine/encoders.js", "LONGEST", numerals.LONGEST), ("engine/encoders.js", "LISTED", LISTED),
     ("engine/encoders.js", "MOST_ACCENTS", MOST_ACCENTS), ("link.js", "LONGEST", LONGEST_LINK),
     ("thresholds.js", "LARGE", LARGE), ("thresholds.js", "MOST_WIDE", MOST_WIDE),
     ("thresholds.js", "MOST_LABELLED", MOST_LABELLED), ("train/own.js", "MOST_BYTES", MOST_BYTES)],
)  # fmt: skip
def test_a_number_that_python_and_the_page_use_is_the_same_in_both(file: str, name: str, value: float) -> None:
    match = re.search(rf"const {name} = ([\d.e]+);", (STATIC / file).read_text("utf-8"))
    assert match is not None
    assert float(match[1]) == value


def schema_of(body: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the JSON schema of a field of a request's body."""
    return dict(body.model_json_schema()["properties"][name])


@pytest.mark.parametrize(
    ("template", "field", "limits"),
    [("experiments/gap.html", 'name="gap"', schema_of(GapBody, "gap")),
     ("experiments/gap.html", 'name="units"', schema_of(GapBody, "units")),
     ("lab.html", 'aria-label="Weight, number"', {"minimum": -LARGEST, "maximum": LARGEST}),
     ("ask.html", 'name="text"', schema_of(QuestionBody, "text"))],
)  # fmt: skip
def test_a_field_of_a_form_has_the_limits_of_the_request(template: str, field: str, limits: dict[str, Any]) -> None:
    text = (STATIC.parent / "templates" / template).read_text("utf-8")
    (tag,) = re.findall(rf"<[^<>]* {field}[^<>]*>", text)
    attributes = {key: float(value) for key, value in re.findall(r' (min|max|maxlength)="([-\d]+)"', tag)}
    names = {"min": "minimum", "max": "maximum", "maxlength": "maxLength"}
    assert attributes == {key: limits[name] for key, name in names.items() if name in limits}
    assert attributes


def test_server_and_page_have_the_same_numbers_of_decimals_of_an_equation() -> None:
    match = re.search(r"const DECIMALS = \[([\d, ]+)\];", SCRIPTS)
    assert match is not None
    assert tuple(map(int, match[1].split(","))) == DECIMALS


def declared_fields(body: type[BaseModel]) -> set[str]:
    """Return the field names of a request body."""
    return set(body.model_fields)


def listed(name: str) -> list[str]:
    """Return the strings in the list constant `name` of a JavaScript module."""
    match = re.search(rf"export const {name} = [^\[]*\[(.*?)\]", SCRIPTS, re.S)
    assert match is not None, f"no module exports the list {name}"
    return re.findall(r'"([^"]+)"', match[1])


@pytest.mark.parametrize(
    ("key", "name"),
    [("zoom", "ZOOMS"), ("convention", "CONVENTIONS"), ("rows", "ROWS"), ("scale", "SCALES"), ("views", "VIEWS")],
)
def test_server_and_page_accept_the_same_values_in_a_link(key: str, name: str) -> None:
    pattern, _ = FOCUS[key]
    words = listed(name)
    assert [word for word in words if re.fullmatch(pattern, word)] == words
    assert set(re.findall(r"[a-z]+", pattern.partition("|mean")[0])) == set(words)


def test_a_link_can_sort_the_rows_by_the_mean_of_every_signal() -> None:
    pattern, _ = FOCUS["rows"]
    assert all(re.fullmatch(pattern, f"mean.{signal}") for signal in SIGNALS)


@pytest.mark.parametrize(("name", "values"), [("ClassMode", ClassMode), ("Status", Status)])
def test_server_and_page_have_the_same_modes_of_a_class_and_the_same_statuses_of_a_question(
    name: str, values: Any
) -> None:
    assert re.findall(r'"(\w+)"', typedef(name)) == list(get_args(values))


def test_the_page_highlights_the_parts_that_lessons_can_name() -> None:
    match = re.search(r"const PARTS = \{(.*?)\};", (STATIC / "lesson/points.js").read_text("utf-8"), re.S)
    assert match is not None
    assert tuple(re.findall(r"^  (\w+): ", match[1], re.M)) == PARTS


def test_engine_and_core_spell_the_same_letters() -> None:
    match = re.search(r"const SPELLED = \{(.*?)\};", (STATIC / "engine/encoders.js").read_text("utf-8"))
    assert match is not None
    letters = {name: letters for name, letters in SPELLED.items() if letters}
    assert dict(re.findall(r'(\w): "(\w+)"', match[1])) == letters


def test_server_and_page_have_the_same_defaults_for_a_link() -> None:
    match = re.search(r"export const FOCUS = \{(.*?)\};", (STATIC / "state.js").read_text("utf-8"), re.S)
    assert match is not None
    texts = {key: text for key, text in re.findall(r'^  (\w+): "(\w+)",$', match[1], re.M) if key in DEFAULTS}
    (views,) = re.findall(r"^  views: \[(.*)\],$", match[1], re.M)
    assert texts | {"views": ",".join(re.findall(r"\w+", views))} == DEFAULTS


def test_the_page_has_code_of_its_own_for_every_cell() -> None:
    match = re.search(r"const CELLS = \{(.*?)\};", (STATIC / "own.js").read_text("utf-8"))
    assert match is not None
    assert match[1].replace(" ", "").split(",") == list(CELLS)


def test_server_and_page_have_the_same_version_of_links() -> None:
    assert f'export const VERSION = "{VERSION}";' in (STATIC / "link.js").read_text("utf-8")


def test_server_and_page_have_the_same_keys_of_a_link() -> None:
    match = re.search(r"const KEYS = [^\[]*\[string.*?\]\)\;", SCRIPTS, re.S)
    assert match is not None
    assert re.findall(r'\["(\w+)", "', match[0]) == list(FOCUS)
