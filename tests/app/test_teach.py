"""The pages for teachers: plans that fit the lessons, and a lab sheet with the core's numbers."""

from __future__ import annotations

import math
import re
from html import unescape
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.lessons import shelf
from app.pages.teach import PLANS
from app.settings import Settings


@pytest.mark.parametrize("minutes", PLANS)
def test_a_plan_opens_parts_with_questions_and_leaves_time_to_try(client: TestClient, minutes: int) -> None:
    page = client.get("/teach").text.partition(f'id="plan-{minutes}"')[2].partition("</section>")[0]
    times = [(int(start), int(end)) for start, end in re.findall(r'<th scope="row">(\d+)–(\d+)</th>', page)]
    assert times[0][0] == 0
    assert times[-1][1] == minutes
    assert all(end == start for (_, end), (start, _) in pairwise(times))
    assert 2 <= times[-1][1] - times[-1][0] <= 5
    links = [unescape(link) for link in re.findall(r'<a href="([^"]*)"', page)]
    assert len(links) == len(times)
    for link in links:
        assert client.get(link).status_code == 200
    for item in PLANS[minutes]:
        assert shelf.get(item.lesson, Settings()).steps[item.part - 1].questions, item


@pytest.mark.parametrize(("address", "shown"), [("localhost", 2), ("127.0.0.1", 2), ("testserver", 0)])
def test_the_page_says_first_that_students_cannot_reach_a_local_address(
    client: TestClient, address: str, shown: int
) -> None:
    page = client.get("/teach", headers={"host": address}).text
    commands = [match.start() for match in re.finditer("gruscope serve --host 0.0.0.0", page)]
    assert len(commands) == shown
    assert all(place < page.index("Press <b>Ask…</b>") for place in commands)


def test_the_lab_sheet_has_the_answers_of_the_core_on_its_last_page_only(client: TestClient) -> None:
    page = client.get("/teach/lab-sheet").text.replace("−", "-").replace("&nbsp;", " ")
    tasks, _, answers = page.partition('<section class="answers">')
    model = gru.load("flip-flop")
    run = gru.trace(model, "A m m B m")
    clamped = gru.trace(model, "A m m B m", clamps=[gru.Clamp("z", 0.0, steps=slice(3, 4))])
    for value in (run.h[2, 0], run.h_tilde[3, 0], run.z[3, 0]):
        assert f"{value:.2f}" in tasks
    assert ", ".join(f"{z:.2f}" for z in run.z[:, 0]) in answers
    assert f"{run.h[3, 0]:.2f}" in answers
    assert f"{run.h[3, 0]:.2f}" not in tasks
    labels = model.readout.labels
    first, second = (labels[k] for k in clamped.y.argmax(1)[3:])
    assert f"The outputs are {first} and {second};" in answers
    assert second != labels[run.y[4].argmax()]  # the last task asks for such a clamp
    half_life = math.log(0.5) / math.log(1 - run.z[1, 0])
    assert f"about {half_life:.0f} timesteps" in answers
    keep = round(1 - run.z[1, 0], 2)
    assert f"keeps {100 * keep:.0f}%" in tasks
    assert f"students get about {math.log(0.5) / math.log(keep):.0f}" in answers
    H, inputs = 1, len(model.encoder.alphabet)  # type: ignore[union-attr]
    assert f"<i>I</i> = {inputs} and <i>H</i> = {H}" in tasks
    assert f"= {3 * (H * inputs + H * H + H)}." in answers


def test_the_pages_for_teachers_are_linked_and_stay_out_of_the_navigation(client: TestClient) -> None:
    assert 'href="/teach"' in client.get("/lessons").text
    assert 'href="/teach/lab-sheet"' in client.get("/teach").text
    assert 'href="/teach"' not in client.get("/").text
    assert client.head("/teach").status_code == client.head("/teach/lab-sheet").status_code == 200
