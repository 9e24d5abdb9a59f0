"""Rooms show no answer too early: covered figures, the steps of a lesson, and the teacher's second tab."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from markupsafe import Markup

from app.lessons import shelf
from app.lessons.shown import ShownQuestion, question_of, reveal_answer, shown_steps
from app.settings import Settings
from tests.support.html import first_match
from tests.support.rooms import Server, in_room

SEQUENCE = "A m B m p A m"
SHOWN = {"page": "", "link": "?model=flip-flop&sequence=A+m+B+m+p+A+m&t=4"}


def keys(view: dict[str, Any]) -> dict[str, str]:
    """Return the keys and values of a view's link."""
    return {key: values[0] for key, values in parse_qs(view["link"].lstrip("?")).items()}


def first_run(page: str) -> tuple[dict[str, Any], list[int]]:
    """Return the start event of the run that a page contains, and the timesteps that have values."""
    text = first_match(r'id="first-run">(.*?)</script>', page)
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    return events[0], [event["t"] for event in events if "t" in event]


@pytest.mark.parametrize("kind", ["output", "signal"])
def test_followers_receive_inputs_but_no_values_after_the_cursor_until_the_reveal(kind: str) -> None:
    async def test(server: Server) -> None:
        link = SHOWN["link"] + "&clamps=z@2-6=0,r@5=1,z@3-=0.5&against=B+m+B+m+p+B+m"
        teacher = await server.open({"page": "", "link": link})
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": kind, "view": {"page": "", "link": link}})
            state = await follower.wait_for_state(lambda state: state["question"])
            link_keys = keys(state["view"])
            assert (link_keys["sequence"], state["view"]["upto"]) == (SEQUENCE, 4)
            assert link_keys["clamps"].split(",") == ["z@2-6=0", "r@5=1", "z@3-=0.5"]
            page = (await server.client.get(f"/rooms/{teacher.code}")).text
            start, steps = first_run(page)
            assert (start["tokens"], start["right"]) == (SEQUENCE.split(), None)
            assert steps == [1, 2, 3, 4]
            outputs = first_match(r'id="outputs"[^>]*>(.*?)</ol>', page)
            assert len(re.findall("<li", outputs)) == 4
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert (keys(state["view"])["sequence"], state["view"]["upto"]) == (SEQUENCE, None)

    in_room(test)


@pytest.mark.parametrize("turn", ["reveal", "dismiss"])
def test_a_covered_view_that_arrives_after_its_question_covers_nothing_again(turn: str) -> None:
    async def test(server: Server) -> None:
        teacher = await server.open(SHOWN)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "output", "view": SHOWN})
            asked = await follower.wait_for_state(lambda state: state["question"])
            covered, question = asked["view"], asked["question"]["id"]
            await teacher.post_ok("turn", {"turn": turn})
            shown = await follower.wait_for_state(lambda state: state["view"]["upto"] is None)
            late = {"page": "", "link": covered["link"].replace("t=4", "t=1"), "upto": covered["upto"], "by": "late"}
            late["question"] = question
            assert late["link"] != covered["link"]
            await teacher.post_ok("view", late)
            await teacher.post_ok("mode", {"mode": "pause"})
            state = await follower.wait_for_state(lambda state: state["mode"] == "pause")
            assert state["view"] == shown["view"]
            await teacher.post_ok("view", {**late, "upto": None})
            state = await follower.wait_for_state(lambda state: state["view"] != shown["view"])
            assert keys(state["view"])["t"] == "1"
            # A page that no longer sees the question can cover the figure on purpose, as “Answer again” does.
            await teacher.post_ok("view", {**late, "question": None})
            await follower.wait_for_state(lambda state: state["view"]["upto"] == covered["upto"])

    in_room(test)


@pytest.mark.parametrize(("model", "sequence"), [("name-writer", "Silva"), ("sunspots", "20 40 60 80 100")])
def test_inputs_that_the_network_must_predict_are_hidden_until_the_reveal(model: str, sequence: str) -> None:
    async def test(server: Server) -> None:
        view = {"page": "", "link": f"?model={model}&sequence={sequence.replace(' ', '+')}&t=2"}
        teacher = await server.open(view)
        tokens = sequence.split() if " " in sequence else [*sequence]
        async with teacher.follower() as follower:
            for kind, inputs in (("signal", 5), ("output", 3)):  # only the output is a prediction of the later inputs
                await teacher.post_ok("question", {"subject": kind, "view": view})
                state = await follower.wait_for_state(lambda state: state["question"])
                assert keys(state["view"])["sequence"].lower().split() == [token.lower() for token in tokens[:inputs]]
                assert state["view"]["upto"] == 2
                await teacher.post_ok("turn", {"turn": "dismiss"})
                await follower.wait_for_state(lambda state: state["question"] is None)

    in_room(test)


OTHER_EXAMPLES = {"belief 4.1"}
"""Questions about all held-out sequences. The answer shows one of these sequences as an example."""


def words(text: str) -> set[str]:
    """Return the inputs that `text` may name: its words, and its numbers with their signs."""
    return {
        *re.findall(r"[=+−-]?[\w.]*\w", text.replace("−", "-")),
        *text.split(),
        *("0" for _ in re.findall("zeros", text)),
    }


@pytest.mark.parametrize("lesson", shelf.names(Settings()))
def test_a_lessons_question_shows_the_inputs_that_it_asks_about(lesson: str) -> None:
    """Students see every input of a part before the reveal. The part's text names each input that the answer adds."""

    async def test(server: Server) -> None:
        file = shelf.get(lesson, Settings())
        teacher = await server.open({"page": f"lessons/{lesson}", "link": "", "step": 1})
        for n, step in enumerate(shown_steps(file, Settings()), 1):
            for shown in (part for part in step.parts if isinstance(part, ShownQuestion)):
                await teacher.post_ok("question", {"subject": "lesson", "lesson": lesson, "question": shown.id})
                path = f"/api/rooms/{teacher.code}/class?once=true"
                events = (await server.client.get(path, headers=teacher.headers)).text
                view = json.loads(events.split("data: ", 1)[1].splitlines()[0])["view"]
                assert (view["step"], view["upto"], view["covered"]) == (n, step.upto, step.covered)
                if step.upto is None:
                    continue
                inputs = keys(view)["sequence"].split()
                assert inputs == keys({"link": step.link})["sequence"].split()
                question = question_of(file, shown.id)
                assert question is not None
                after = keys({**reveal_answer(question, Settings())})["sequence"].split()
                texts = (Markup(part if isinstance(part, str) else part.prompt.ask).striptags() for part in step.parts)
                named = words(" ".join(texts))
                if f"{lesson} {shown.id}" not in OTHER_EXAMPLES:
                    assert not set(after) - set(inputs) - named, f"{shown.id} asks about inputs that nobody sees"

    in_room(test)


def test_an_experiment_is_covered_in_a_room_until_its_answer_is_shown() -> None:
    async def test(server: Server) -> None:
        def is_covered(page: str) -> bool:
            return "covered" in first_match(r'<body class="(.*?)"', page)

        view = {"page": "lessons/neither-wins", "link": "", "step": 2}
        teacher = await server.open(view)
        async with teacher.follower() as follower:
            for body in (view, {**view, "by": "me"}):
                assert (await follower.wait_for_state())["view"]["covered"]
                assert is_covered((await server.client.get(f"/rooms/{teacher.code}")).text)
                await teacher.post_ok("view", body)
            await teacher.post_ok("question", {"subject": "lesson", "lesson": "neither-wins", "question": "2.1"})
            assert (await follower.wait_for_state(lambda state: state["question"]))["view"]["covered"]
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert not state["view"]["covered"]
            await teacher.post_ok("view", {**view, "by": "me"})
            await follower.wait_for_state(lambda state: state["view"]["by"] == "me")
            assert not follower.state["view"]["covered"]
            assert not is_covered((await server.client.get(f"/rooms/{teacher.code}")).text)
            await teacher.post_ok("view", {**view, "step": 3})
            assert (await follower.wait_for_state(lambda state: state["view"]["step"] == 3))["view"]["covered"]

    in_room(test)


def test_the_teachers_other_pages_cannot_remove_the_cover() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open(SHOWN)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "signal", "signal": "z", "view": SHOWN})
            state = await follower.wait_for_state(lambda state: state["question"])
            cover = state["view"]
            # After a reload, the teacher's page posts the whole run that its address contains.
            other = {**SHOWN, "link": SHOWN["link"].replace("p+A", "p+B"), "upto": 4}
            for view in (SHOWN, {**SHOWN, "upto": 7}, other, {"page": "compare", "link": ""}):
                response = await teacher.post("view", view)
                assert (response.status_code, response.json()["error"]["code"]) == (409, "covered")
            # A post from the covered page itself can change only the cursor.
            link = cover["link"].replace("t=4", "t=2") + "&views=tape,memory"
            await teacher.post_ok("view", {"page": "", "link": link, "upto": 4, "by": "me"})
            state = await follower.wait_for_state(lambda state: keys(state["view"])["t"] == "2")
            assert (state["view"]["upto"], keys(state["view"])["sequence"]) == (4, SEQUENCE)
            assert "views" not in keys(state["view"])
            await teacher.post_ok("turn", {"turn": "dismiss"})
            state = await follower.wait_for_state(lambda state: not state["question"])
            assert (state["view"]["link"], state["view"]["upto"]) == (SHOWN["link"], None)
            await teacher.post_ok("view", {"page": "compare", "link": ""})

    in_room(test)


def test_a_reveal_that_overlaps_with_the_next_question_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(server: Server) -> None:
        keeper, counting, next_question = server.app.state.rooms.keeper, asyncio.Event(), asyncio.Event()
        rows = keeper.rows

        async def slow(*arguments: Any) -> Any:
            """Call `rows`, which counts the answers, but first wait until the next question has arrived."""
            if asyncio.current_task() in revealing:
                counting.set()
                await asyncio.wait_for(next_question.wait(), 20)
            return await rows(*arguments)

        teacher = await server.open(SHOWN)
        await teacher.post_ok("question", {"subject": "output", "view": SHOWN})
        revealing = set[asyncio.Task[Any] | None]()
        reveal = server.app.state.rooms.questions.reveal

        async def marked(room: Any) -> None:
            revealing.add(asyncio.current_task())
            await reveal(room)

        monkeypatch.setattr(server.app.state.rooms.questions, "reveal", marked)
        monkeypatch.setattr(keeper, "rows", slow)
        response = asyncio.create_task(teacher.post("turn", {"turn": "reveal"}))
        await asyncio.wait_for(counting.wait(), 20)
        await teacher.post_ok("question", {"subject": "own", "text": "Why?", "options": ["a", "b"]})
        next_question.set()
        assert (await response).status_code == 409
        async with teacher.follower() as follower:
            state = await follower.wait_for_state(lambda state: state["question"])
            assert state["question"]["status"] == "open"
            assert not {"result", "revealed"} & state["question"].keys()

    in_room(test)


def test_a_new_question_removes_the_cover_of_the_last_one() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open(SHOWN)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "signal", "signal": "z", "view": SHOWN})
            assert (await follower.wait_for_state(lambda state: state["question"]))["view"]["upto"] == 4
            await teacher.post_ok("question", {"subject": "own", "text": "Why?", "options": ["a", "b"]})
            state = await follower.wait_for_state(lambda state: "Why" in state["question"]["ask"])
            assert (state["view"]["link"], state["view"]["upto"]) == (SHOWN["link"], None)
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert (state["view"]["link"], state["view"]["upto"]) == (SHOWN["link"], None)

    in_room(test)


def test_a_dismissed_question_restores_the_view_before_it() -> None:
    async def test(server: Server) -> None:
        later = {"page": "", "link": "?model=flip-flop&sequence=B+p+A+m&t=2"}
        teacher = await server.open(SHOWN)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "own", "text": "Why?", "options": ["a", "b"]})
            await teacher.post_ok("view", later)
            await teacher.post_ok("question", {"subject": "output", "view": later})
            assert (await follower.wait_for_state(lambda state: state["view"]["upto"]))["view"]["upto"] == 2
            await teacher.post_ok("turn", {"turn": "dismiss"})
            state = await follower.wait_for_state(lambda state: not state["question"])
            assert (state["view"]["link"], state["view"]["upto"]) == (later["link"], None)

    in_room(test)


def test_a_students_page_has_no_values_after_the_cursor_of_a_lesson_step() -> None:
    async def test(server: Server) -> None:
        outline = (await server.client.get("/api/lessons/gates/outline")).json()
        n = next(i for i, step in enumerate(outline, 1) if step["upto"])
        covered, upto = outline[n - 1], outline[n - 1]["upto"]
        view = {"page": "lessons/gates", "link": covered["link"], "step": n, "upto": upto}
        teacher = await server.open(view)
        page = (await server.client.get(f"/rooms/{teacher.code}")).text
        whole = parse_qs(covered["link"][1:])["sequence"][0].split()
        boot = json.loads(first_match(r'id="lesson-boot">(.*?)</script>', page))
        assert parse_qs(boot["steps"][n - 1]["link"][1:])["sequence"][0].split() == whole
        assert first_run(page)[1] == [*range(1, upto + 1)]
        assert [step["link"] for i, step in enumerate(boot["steps"], 1) if i != n] == [""] * (len(outline) - 1)
        assert f'data-step="{n}"' in page
        assert f'data-step="{n + 1}"' not in page

    in_room(test)


def test_only_the_teacher_gets_a_lessons_answers_while_a_class_follows_it() -> None:
    async def test(server: Server) -> None:
        reveal, outline = "/api/lessons/reset/reveal?question=2.1", "/api/lessons/reset/outline"
        solution, paper = json.loads((await server.client.get(reveal)).content)["reveal"], "/lessons/reset/print"
        teacher = await server.open({"page": "lessons/reset", "link": "", "step": 2})
        for path in (reveal, outline):
            assert (await server.client.get(path)).status_code == 200  # no class follows the lesson
        async with teacher.follower() as follower:
            await follower.wait_for_state()
            for path in (reveal, outline):
                refused = await server.client.get(path)
                assert (refused.status_code, refused.json()["error"]["code"]) == (403, "in-class")
                assert (await server.client.get(path, headers=teacher.headers)).status_code == 200
            assert (await server.client.get("/api/export/lesson.html?name=reset")).status_code == 403
            printed = await server.client.get(paper)
            assert printed.status_code == 200
            assert solution not in printed.text
            assert (await server.client.get("/api/lessons/gates/outline")).status_code == 200
            # A visitor at another address is not in this class.
            elsewhere = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
            async with httpx2.AsyncClient(transport=elsewhere, base_url=str(server.client.base_url)) as client:
                assert (await client.get(reveal)).status_code == 200
            await teacher.post_ok("mode", {"mode": "explore"})
            assert (await server.client.get(reveal)).status_code == 200
            assert solution in (await server.client.get(paper)).text
            await teacher.post_ok("question", {"subject": "lesson", "lesson": "reset", "question": "2.1"})
            for path in (reveal, outline):
                assert (await server.client.get(path)).status_code == 403
            await teacher.post_ok("turn", {"turn": "reveal"})
            assert (await server.client.get(reveal)).status_code == 200

    in_room(test)


def test_a_question_about_timesteps_does_not_name_what_the_network_writes_later() -> None:
    async def test(server: Server) -> None:
        link = "?model=name-writer&sequence=irish+o&write=10&temperature=0&t=3"
        teacher = await server.open({"page": "", "link": link, "upto": 3})
        async with teacher.follower() as follower:
            body = {"subject": "own", "text": "?", "view": {"page": "", "link": link, "upto": 3}}
            await teacher.post_ok("question", body)
            state = await follower.wait_for_state(lambda state: state["question"])
            assert len(state["question"]["steps"]) == 3
            await teacher.post_ok("turn", {"turn": "dismiss"})
            body["view"]["upto"] = None
            await teacher.post_ok("question", body)
            state = await follower.wait_for_state(lambda state: state["question"])
            assert len(state["question"]["steps"]) == 12

    in_room(test)
