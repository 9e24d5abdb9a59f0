"""Lessons: numbers that equal the core's, hidden answers, safe HTML, and errors that name the line."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app import cli
from app.lessons import shelf, shown
from app.lessons.markdown import Prose
from app.lessons.reading import Lesson, LessonError, LessonQuestion, Step, read
from app.settings import Settings
from tests.support.lessons import assert_number

NUMBER = re.compile(r'<data class="number" value="[^"]*" data-what="([^"]*)" data-of="([^"]*)">([^<]*)</data>')


def questions(name: str) -> list[str]:
    """Return the numbers of all questions of a lesson, as "step.question"."""
    lesson = shelf.get(name, Settings())
    return [f"{n}.{k}" for n, step in enumerate(lesson.steps, 1) for k in range(1, len(step.questions) + 1)]


def words_of(prose: Prose | None) -> str:
    """Return the text of `prose`, or "" if it is None."""
    return " ".join(token.content for token in prose.tokens if token.type == "inline") if prose else ""


def revealed(client: TestClient, name: str, question: str) -> dict[str, Any]:
    """Request the solution of a question and return it."""
    response = client.get(f"/api/lessons/{name}/reveal", params={"question": question})
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize("name", shelf.ORDER)
def test_every_number_in_a_lesson_equals_the_core(client: TestClient, name: str) -> None:
    page = client.get(f"/lessons/{name}")
    assert page.status_code == 200
    solutions = [revealed(client, name, question) for question in questions(name)]
    html = page.text + "".join(
        f"{solution['reveal']}{solution['why']}{''.join(solution['replies'])}" for solution in solutions
    )
    numbers = NUMBER.findall(html)
    assert len(numbers) >= 4
    for expression, link, text in numbers:
        assert_number(text, unescape(expression), unescape(link))


@pytest.mark.parametrize("name", shelf.ORDER)
def test_the_prose_of_a_lesson_computes_its_numbers(name: str) -> None:
    text = (shelf.SHIPPED / f"{name}.md").read_text("utf-8").split("---", 2)[2]
    text = re.sub(r"^:::.*$|^:\w+:.*$", "", text, flags=re.M)
    text = re.sub(r"\b\d+ minutes?\b", "", text)  # durations in the notes
    for worked_out in (r"\{\{.*?\}\}", r"`[^`]*`", r"\$\$?[^$]*\$\$?", r"\]\([^)]*\)"):
        text = re.sub(worked_out, "", text, flags=re.S)
    years = [r"\b(?:19|20)\d\d\b"]  # years of papers
    assert re.findall(r"\d+", re.sub("|".join(years), "", text)) == []


@pytest.mark.parametrize("name", shelf.ORDER)
def test_a_lesson_has_no_mistakes_and_starts_with_one_question_about_one_unit(name: str) -> None:
    """The lessons on real data are exceptions: they start with a whole network."""
    lesson, settings = shelf.get(name, Settings()), Settings()
    assert [*shown.mistakes(lesson, settings), *shelf.need_errors(lesson, settings)] == []
    assert 5 <= lesson.minutes <= 12
    first = lesson.steps[0]
    assert len(first.questions) == 1
    assert shown.Runs(settings).get(first.figure).trace.h.shape[1] == 1 or name in shelf.COURSE["Real data"]
    assert all(question.why for step in lesson.steps for question in step.questions)


def numbers_of(lesson: Lesson, id: str, truth: Any) -> list[float]:
    """Return the numbers in the answer `truth` that have many digits: the value of a slider, or of a curve."""
    shown_questions = [part for step in shown.shown_steps(lesson, Settings()) for part in step.parts]
    question = next(part for part in shown_questions if isinstance(part, shown.ShownQuestion) and part.id == id)
    values = {"number": [truth], "draw": truth[question.prompt.start :] if isinstance(truth, list) else []}
    return [value for value in values.get(question.prompt.kind, []) if len(repr(value)) > 6]


def shows_more(step: Step, question: LessonQuestion, link: str) -> bool:
    """Return whether a question's figure changes, or reveals more, once the answer is shown."""
    cursor = {"t": ""} if step.figure.page == "" else {}
    before, after = ({**figure.keys, **cursor} for figure in (step.figure, question.figure))
    if before != after or step.covered:
        return True
    tokens = parse_qs(link.removeprefix("?")).get("sequence", [""])[0].split()
    return step.upto is not None and step.upto < len(tokens)


@pytest.mark.parametrize("name", shelf.ORDER)
def test_the_page_does_not_contain_the_solutions(client: TestClient, name: str) -> None:
    lesson = shelf.get(name, Settings())
    for n, step in enumerate(lesson.steps, 1):
        page = client.get(f"/lessons/{name}", params={"step": n}).text
        for k in range(1, len(step.questions) + 1):
            solution = revealed(client, name, f"{n}.{k}")
            for part in (solution["reveal"], solution["why"], *filter(None, solution["replies"])):
                assert part not in page
            others = rf'<section class="step" data-step="(?!{n}").*?</section>'
            # The page of an experiment always contains the whole stored result.
            if step.figure.page.startswith("compare/"):
                others += r'|<script type="application/json" id="boot">.*?</script>'
            for value in numbers_of(lesson, f"{n}.{k}", solution["truth"]):
                assert repr(abs(value))[:8] not in re.sub(others, "", page, flags=re.S), f"{n}.{k}"
            assert shows_more(step, step.questions[k - 1], solution["link"]), f"the answer to {n}.{k} changes nothing"
        lesson_boot = re.search(r'id="lesson-boot">(.*?)</script>', page)
        assert lesson_boot is not None
        for data in json.loads(lesson_boot[1])["questions"].values():
            assert {*data} == {"kind", "low", "high", "form", "start", "steps", "signal"}
        upto = shown.shown_steps(lesson, Settings())[n - 1].upto
        assert (upto is not None) == (bool(step.questions) and step.figure.page == "")
        if upto is not None:
            events = re.search(r'<script type="text/plain" id="first-run">(.*?)</script>', page, re.S)
            assert events is not None
            assert len(re.findall(r"^event: step$", events[1], re.M)) == upto
            start = json.loads(re.findall(r"^data: (.*)$", unescape(events[1]), re.M)[0])
            assert start["T"] >= upto
            assert start["right"] is None


@pytest.mark.parametrize("name", shelf.ORDER)
def test_a_shipped_lesson_helps_its_teacher(name: str) -> None:
    """Each part with a question has notes with its minutes, and each wrong option has a reply."""
    lesson = shelf.get(name, Settings())
    minutes = 0
    for step in lesson.steps:
        spent = [int(n) for n in re.findall(r"\b(\d+) minutes?\b", words_of(step.notes))]
        assert len(spent) == bool(step.questions), step.title
        minutes += sum(spent)
        for question in step.questions:
            assert all(option.right or option.reply for option in question.options), step.title
    assert minutes == lesson.minutes
    assert not lesson.steps[-1].questions


def test_the_course_lists_every_built_in_lesson_once_and_leads_from_each_to_the_next(client: TestClient) -> None:
    assert sorted(shelf.ORDER) == sorted(path.stem for path in shelf.SHIPPED.glob("*.md"))
    course = client.get("/lessons").text
    places = [course.index(f">{title}</h2>") for title, names in shelf.COURSE.items() if {*names} & {*shelf.ORDER}]
    assert places == sorted(places)
    assert tuple(re.findall(r'data-name="([^"]*)"', course)) == shelf.ORDER
    for name, after in zip(shelf.ORDER, (*shelf.ORDER[1:], None), strict=True):
        last = len(shelf.get(name, Settings()).steps)
        section = client.get(f"/lessons/{name}?step={last}").text.partition(f'data-step="{last}"')[2]
        links = re.findall(r'<a class="button[^"]*" href="([^"?]*)"', section)
        assert links == ([f"/lessons/{after}"] if after else ["/compare", "/lessons"])


def test_weights_of_the_opposite_direction_are_the_negated_weights_of_the_update_gate() -> None:
    """A link in the lesson on the update gate reverses the flip-flop's z with negated weights."""
    questions = [question for step in shelf.get("update", Settings()).steps for question in step.questions]
    (figure,) = (question.figure for question in questions if "weights" in question.figure.keys)
    edited = dict(part.split("=") for part in figure.keys["weights"].split(","))
    cell = gru.load("flip-flop").layers[0]
    assert isinstance(cell, gru.GRU)
    W, U, b = (array[1] for array in (cell.W, cell.U, cell.b))
    expected = {f"z.1.W{i}": -w for i, w in enumerate(W, 1)} | {"z.1.U1": -U[0], "z.1.b": -b}
    assert {name: float(value) for name, value in edited.items()} == pytest.approx(expected, abs=0.0006)


def test_the_page_contains_text_and_numbers_before_any_script_runs(client: TestClient) -> None:
    for step, shown_z in ((1, ["0.91", "0.02", "0.02", "", ""]), (2, ["0.91", "0.02", "0.02", "0.89", ""])):
        page = client.get(f"/lessons/gates?step={step}").text
        assert "the two letters after it" in page
        values = re.search(r'data-signal="z".*?<div class="cells values"[^>]*>(.*?)</div>', page, re.S)
        assert values is not None
        assert re.findall(r"<span>([^<]*)</span>", values[1]) == shown_z


def test_the_numbers_route_computes_expressions_for_any_link(client: TestClient) -> None:
    body = {
        "link": "?model=flip-flop&sequence=A+m+m+B+m&t=4",
        "what": ["z", "y", "share@5 from 4", "flow@5 from 1", "nonsense", "h@1 / z@1 | clamps=z@1=0"],
    }
    *numbers, unknown, divided = client.post("/api/numbers", json=body).json()
    assert (unknown, divided) == (None, None)
    for expression, text in zip(body["what"], numbers, strict=False):
        assert_number(text, expression, "/" + str(body["link"]))
    for link in ("/nowhere?x=1", "?model=nope"):
        response = client.post("/api/numbers", json={"link": link, "what": ["z"]})
        assert response.status_code == 422 or response.json() == [None]
    assert client.get("/api/lessons/gates/reveal?question=9.9").status_code == 404


def test_a_lesson_links_to_its_oembed_description_and_can_be_embedded(embeddable_client: TestClient) -> None:
    page = embeddable_client.get("/lessons/gates?step=3").text
    link = re.search(r'type="application/json\+oembed"[^>]*href="([^"]*)"', page)
    assert link is not None
    response = embeddable_client.get(unescape(link[1])).json()
    assert response["title"] == "A gate is a fraction, not a switch · GRU Scope"
    frame = re.search(r'src="([^"]*)"', response["html"])
    assert frame is not None
    embedded = embeddable_client.get(unescape(frame[1]))
    assert embedded.status_code == 200
    assert 'class="embedded guided"' in embedded.text
    assert embedded.headers["cross-origin-resource-policy"] == "cross-origin"
    assert embeddable_client.head("/lessons/gates").status_code == 200


@pytest.mark.parametrize("name", ["gates", "half-life", "vanishing"])
def test_the_printed_lesson_has_its_answers_at_the_end(client: TestClient, name: str) -> None:
    page = client.get(f"/lessons/{name}/print").text
    first_part, _, answers = page.partition('<section class="answers">')
    for question in questions(name):
        solution = revealed(client, name, question)
        assert f'<p class="id">{question}</p>' in first_part
        assert f'<p class="id">{question}</p>' in answers
        assert solution["why"] in answers
        assert solution["why"] not in first_part
    if name == "gates":
        row = re.search(r"<i>z</i></th>(.*?)</tr>", first_part)
        assert row is not None
        assert re.findall(r"<td>(.*?)</td>", row[1]) == ["0.91", "0.02", "0.02", "", ""]
    if name == "half-life":
        assert first_part.count("<i>z</i>") == 3  # one tape for each short sequence


def test_an_exported_lesson_is_one_file_without_readable_answers(client: TestClient) -> None:
    for name in ("sequences", "gates"):
        file = client.get("/api/export/lesson.html", params={"name": name})
        assert file.headers["content-disposition"] == f'attachment; filename="gruscope-{name}.html"'
        assert len(file.content) < 8_000_000
        for question in questions(name):
            assert revealed(client, name, question)["why"].strip()[3:40] not in file.text
    assert client.get("/api/export/lesson.html?name=nothing").status_code == 404


def test_the_export_command_writes_a_lesson(tmp_path: Path) -> None:
    file = tmp_path / "gates.html"
    assert cli.main(["export", "http://localhost:8000/lessons/gates?step=2", "--html", str(file)]) == 0
    assert "A gate is a fraction, not a switch" in file.read_text("utf-8")


def test_the_example_lesson_in_the_docs_is_valid(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "lessons.md").read_text("utf-8")
    file = tmp_path / "docs.md"
    file.write_text(text.partition("```markdown\n")[2].partition("```")[0], "utf-8")
    assert len(file.read_text("utf-8").splitlines()) <= 24
    assert cli.main(["lesson", "check", str(file)]) == 0
    table = re.findall(r"^\| `(.*?)` \|", text, re.M)
    for row in table:
        for expression in re.split(r"`, `", row):
            if not expression.startswith(":"):
                front = "---\ntitle: T\nmodel: store-and-recall\nminutes: 1\n---\n"
                file.write_text(f"{front}## [A](?sequence=A+b+c+d+?+B+d+?)\n{{{{ {expression} }}}}\n", "utf-8")
                assert cli.main(["lesson", "check", str(file)]) == 0, expression


def test_notes_are_in_the_teachers_outline_only(client: TestClient) -> None:
    outline = client.get("/api/lessons/gates/outline").json()
    notes = [step["notes"] for step in outline]
    assert "Let them draw before anybody speaks." in notes[0]
    assert '<data class="number"' in notes[3]
    assert list(outline[0]["questions"]) == ["1.1"]
    for path in (
        "/lessons/gates",
        "/embed/lessons/gates",
        "/lessons/gates/print",
        "/api/export/lesson.html?name=gates",
    ):
        assert "before anybody speaks" not in client.get(path).text, path


def test_a_second_block_of_notes_in_a_step_is_refused() -> None:
    text = (
        "---\ntitle: T\nmodel: flip-flop\nminutes: 1\n---\n\n## [S](?sequence=A+m)\nWords.\n\n"
        + ":::{notes}\nN\n:::\n" * 2
    )
    with pytest.raises(LessonError, match="once in a part"):
        read("l", text)
