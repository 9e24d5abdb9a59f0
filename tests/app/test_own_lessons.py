"""Lessons that a teacher writes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import cli
from app.lessons import shelf
from app.lessons.markdown import mathml
from app.lessons.reading import LessonError, read
from app.main import create_app
from app.settings import Settings


def test_a_teachers_lesson_is_listed_and_does_not_replace_a_shipped_one(tmp_path: Path) -> None:
    mine = (shelf.SHIPPED / "gates.md").read_text("utf-8").replace("A gate is a fraction, not a switch", "Mine")
    (tmp_path / "mine.md").write_text(mine, "utf-8")
    (tmp_path / "gates.md").write_text(mine, "utf-8")
    (tmp_path / "broken.md").write_text("no front matter", "utf-8")
    with TestClient(create_app(Settings(lessons=str(tmp_path)))) as client:
        course = client.get("/lessons").text
        assert course.count(">Mine</a>") == 1
        assert "The lesson “broken” cannot be shown: line 1" in course
        assert "A gate is a fraction, not a switch" in client.get("/lessons/gates").text
        assert '<h1 class="lesson-title">Mine</h1>' in client.get("/embed/lessons/mine").text
        refused = client.get("/lessons/broken")
        assert refused.status_code == 422
        assert "broken" in refused.json()["error"]["message"]
        assert client.get("/lessons/nothing").status_code == 404
        # The server reads the file again after a change.
        (tmp_path / "mine.md").write_text(mine.replace("Mine", "Yours, now"), "utf-8")
        assert "Yours, now" in client.get("/lessons/mine").text


HOSTILE = """---
title: <script>alert(1)</script>
model: flip-flop
minutes: 5
---
## [One <img src=x onerror=alert(1)>](?sequence=A+m)
<script>alert(1)</script> <b onclick="alert(1)">bold</b> ![x](https://elsewhere.example/x.png)
[here](javascript:alert(1)) [there](https://elsewhere.example/) {{ z }}

:::{predict}
- (x) <iframe src="https://elsewhere.example"></iframe>
- ( ) no
  > <script>alert(2)</script>

Which?
:::
:::{why}
<style>* { display: none }</style>
:::
"""


def test_scripts_and_images_in_a_lesson_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "hostile.md").write_text(HOSTILE, "utf-8")
    with TestClient(create_app(Settings(lessons=str(tmp_path)))) as client:
        page = client.get("/lessons/hostile").text
        aside = re.search(r"<aside.*?</aside>", page, re.S)
        assert aside is not None
        solution = client.get("/api/lessons/hostile/reveal", params={"question": "1.1"}).json()
        for text in (aside[0], solution["why"], *solution["replies"]):
            assert not re.search(r"<(script|img|iframe|style|b)\b", text)
            assert "javascript:" not in re.sub(r">[^<]*<", "><", text)
        assert '<a href="https://elsewhere.example/" target="_blank" rel="noopener noreferrer">' in aside[0]


@pytest.mark.parametrize(
    "formula",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\href{https://elsewhere.example}{x}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
        r"\style{background: url(https://elsewhere.example)}{x}",
        r"\class{masthead}{x}",
        r"\mathrm{<script>}",
        r"\operatorname{<script>alert(1)</script>}",
    ],
)
def test_a_formula_cannot_contain_scripts_links_or_images(formula: str) -> None:
    """An HTML parser reads the formula as a browser does. All elements and attributes belong to MathML."""
    names: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            names.extend([tag, *(name for name, _ in attributes)])

    Parser().feed(str(mathml(formula)))
    assert names[:3] == ["math", "xmlns", "display"]
    assert not {"script", "img", "a", "href", "style", "class", "id", "src", "onerror"} & set(names)


def test_a_formula_becomes_mathml() -> None:
    html = mathml(r"\tilde{h}_t = \frac{a < b}{\color{red}{\sum_i \alpha_i}} \begin{matrix}a&b\end{matrix}")
    for part in ("<mover>", "<mfrac>", "&lt;", 'mathcolor="red"', "∑", "α", "<mtable>", 'stretchy="false"'):
        assert part in html


def test_a_broken_lesson_does_not_break_the_others(tmp_path: Path) -> None:
    lesson = "---\ntitle: {0}\nmodel: flip-flop\nminutes: 5\n{1}---\n\n## [Step](?sequence=A+m)\nWords.\n"
    texts = {"aa": lesson.format("A", "needs: bb, cc\n"), "bb": "no lesson", "cc": lesson.format("C", "")}
    for name, text in texts.items():
        (tmp_path / f"{name}.md").write_text(text, "utf-8")
    with TestClient(create_app(Settings(lessons=str(tmp_path)))) as client:
        page = client.get("/lessons/aa")
        assert page.status_code == 200
        # The links to the next lesson and to the required lessons skip the broken lesson.
        assert "/lessons/cc" in page.text
        assert "/lessons/bb" not in page.text
        assert client.get("/lessons/bb").status_code == 422
        assert client.get("/api/export/lesson.html", params={"name": "aa"}).status_code == 200
        assert client.get("/lessons/what-came-next").status_code == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 10_000_000, "larger than"),
        (">" * 20_000 + " deep", "no part"),
        ("[" * 20_000, "no part"),
        ("", "no part"),
    ],
    ids=["10 MB", "deep quotes", "deep brackets", "nothing"],
)
def test_text_that_is_not_a_lesson_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(LessonError) as refused:
        read("x", text)
    assert any(message in reason for _, reason in refused.value.mistakes)


WRONG = """---
title: Wrong
model: flip-flop
minutes: many
color: red
---
Loose words.

## [One](?sequence=A+m&t=1)
$\\foo$ and [here](#nowhere).

:::{predict}
No answer?
:::
:::{reveal} /compare
x
:::
:::{reveal}
y
:::

## [Two](/elsewhere)
:::{predict}
Which?
- ( ) a
- ( ) b
:::
"""


def test_check_reports_every_mistake_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.md"
    file.write_text(WRONG, "utf-8")
    assert cli.main(["lesson", "check", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    by_line = {int(line.removeprefix(f"{file}:").split(":")[0]): line for line in lines}
    for line, words in {
        1: "minutes must be a whole number",
        5: "title:, model:, minutes: or needs:",
        7: "before the first part",
        10: "is not a part of the page",
        12: "a question needs an answer",
        15: "only the page of its part",
        18: "once",
        22: "not a page that a lesson can show",
        23: "marked (x)",
    }.items():
        assert words in by_line[line], lines
    assert any("\\foo" in line for line in lines)


RUNS_WRONG = """---
title: Wrong
model: flip-flop
minutes: 5
needs: other, missing
---
## [One](?model=nope&sequence=A)
{{ z }}

## [Two](?sequence=A+m&t=1)
{{ zz }} and {{ z@9 }}

:::{predict}
:number: z@2, 0.5 to 1
How much?
:::
:::{predict}
:draw: q
How?
:::
"""


def test_check_runs_the_model_of_every_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.md").write_text(RUNS_WRONG.replace("other, missing", "wrong"), "utf-8")
    file = tmp_path / "wrong.md"
    file.write_text(RUNS_WRONG, "utf-8")
    assert cli.main(["lesson", "check", str(file)]) == 1
    output = capsys.readouterr().out
    for words in (
        ":7: there is no such model",
        ":11: “zz” cannot be computed",
        ":11: t must be from 1 to 2",
        ":13: the answer, 0.016",
        ":17: “q” is not a signal of this model",
        "in a circle: wrong → other → wrong",
        "needs “missing”, which does not exist",
    ):
        assert words in output


def test_lesson_new_writes_a_short_valid_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "first.md"
    assert cli.main(["lesson", "new", str(file)]) == 0
    assert len(file.read_text("utf-8").splitlines()) <= 20
    assert cli.main(["lesson", "check", str(file)]) == 0
    assert "1 part, 1 question" in capsys.readouterr().out
    assert cli.main(["lesson", "new", str(file)]) == 1
    assert "File exists" in capsys.readouterr().err
