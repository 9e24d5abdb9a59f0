"""Rooms resist spoilers and interference: covered figures, a second tab of the teacher, and strangers."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from markupsafe import Markup

from app.lessons import shelf
from app.lessons.shown import ShownQuestion, question_of, reveal_answer, shown_steps
from app.rooms import codes
from app.settings import Settings
from tests.support.html import first_match
from tests.support.rooms import LAB, Server, Teacher, in_room

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
    """Before the reveal, students see every input of the part. Its text names each input that the answer adds."""

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
            # When the teacher reloads a page, the page posts the whole run in its address.
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
            """Delay the count until the next question has arrived."""
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


@pytest.mark.parametrize("link", ["?model=flip-flop#more=eJxLBAAAYgBi", "?" + "a&" * 100])
def test_a_view_is_a_plain_query_with_few_keys(link: str) -> None:
    """Each event stream of the teacher parses the students' views again, so a view must be cheap to parse."""

    async def test(server: Server) -> None:
        teacher = await server.open()
        await teacher.post_ok("mode", {"mode": "explore"})
        async with teacher.follower() as follower:
            view, headers = {"page": "", "link": link}, {"x-device": follower.device}
            look = await server.client.post(f"/api/rooms/{teacher.code}/looks", json={"view": view}, headers=headers)
            shown = await teacher.post("view", view)
            for refused in (look, shown):
                assert (refused.status_code, refused.json()["error"]["code"]) == (422, "request")

    in_room(test)


def test_only_connected_devices_vote_and_a_returning_student_keeps_place_and_vote() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        room = await server.app.state.rooms.keeper.find(codes.read_code(teacher.code))
        await teacher.post_ok("question", {"subject": "own", "text": "?", "options": ["a", "b"]})
        async with teacher.follower() as honest, teacher.watching() as watching:
            await honest.wait_for_state()
            made_up = codes.new_device(room.digest)
            body = {"question": honest.state["question"]["id"], "answer": 1}
            path = f"/api/rooms/{teacher.code}/answers"
            refused = await server.client.post(path, json=body, headers={"x-device": made_up})
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not-connected")
            # Many students join, vote and leave. Only a limited number of their votes counts.
            for _ in range(45):
                async with teacher.follower() as passing:
                    await passing.wait_for_state()
                    assert (await passing.answer(1)).status_code == 204
            assert (await honest.answer(0)).status_code == 204
            event = await watching.until(
                lambda event: event["followers"] == 1 and event["answers"]["class"][0]["counts"][0]
            )
            assert event["answers"]["class"][0]["counts"] == [1, 30]
        # The honest student disconnects, and returns while other students use all places of this address.
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(teacher.follower()) for _ in range(60 - 30)]
            assert len({follower.device for follower in crowd}) == 30
            full = await server.client.get(f"/api/rooms/{teacher.code}/events")
            assert full.status_code == 429
            async with teacher.follower(honest.device) as again:
                await again.wait_for_state()
                assert (await again.answer(0)).status_code == 204
                elsewhere = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
                async with httpx2.AsyncClient(transport=elsewhere, base_url=str(server.client.base_url)) as client:
                    remote = Teacher(Server(server.app, client), teacher.code, teacher.secret)
                    async with remote.follower() as follower:
                        await follower.wait_for_state()

    in_room(test, Settings(followers=60))


def test_one_address_cannot_open_all_rooms_and_empty_rooms_close_first() -> None:
    async def test(server: Server) -> None:
        rooms = server.app.state.rooms
        local = [await server.open() for _ in range(2)]
        refused = await server.client.post("/api/rooms", json={"view": LAB})
        assert refused.status_code == 429
        async with AsyncExitStack() as stack:
            for n in range(3, 6):
                transport = httpx2.AsyncHTTPTransport(local_address=f"127.0.0.{n}")
                client = httpx2.AsyncClient(transport=transport, base_url=str(server.client.base_url))
                remote = Server(server.app, await stack.enter_async_context(client))
                for _ in range(2):
                    await remote.open()
            assert await rooms.keeper.count() == 8
            transport = httpx2.AsyncHTTPTransport(local_address="127.0.0.9")
            client = await stack.enter_async_context(
                httpx2.AsyncClient(transport=transport, base_url=str(server.client.base_url))
            )
            full = await client.post("/api/rooms", json={"view": LAB})
            assert full.status_code == 429
            async with local[0].watching() as watching:
                await watching.next()
                now = rooms.keeper.clock() + 120
                rooms.keeper.clock = lambda: now
                assert (await client.post("/api/rooms", json={"view": LAB})).status_code == 201
                assert await rooms.keeper.find(codes.read_code(local[0].code)) is not None
                assert await rooms.keeper.find(codes.read_code(local[1].code)) is None

    in_room(test, Settings(rooms=8))


def test_a_page_that_polls_instead_of_streaming_counts_as_a_student() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        path = f"/api/rooms/{teacher.code}/events?once=true"
        async with teacher.watching() as watching:
            first = await server.client.get(path)
            assert [line for line in first.text.splitlines() if line.startswith("event")] == [
                "event: you",
                "event: room",
            ]
            device = json.loads(first.text.split("data: ")[1].split("\n")[0])["device"]
            (id,) = re.findall("id: (.*)", first.text)
            await watching.until(lambda event: event["followers"] == 1)
            again = await server.client.get(path, headers={"x-device": device, "last-event-id": id})
            assert "event: room" not in again.text
            await teacher.post_ok("question", {"subject": "own", "text": "?", "options": ["a", "b"]})
            event = await watching.until(lambda event: event["question"])
            body = {"question": event["question"]["id"], "answer": 1}
            headers = {"x-device": device}
            response = await server.client.post(f"/api/rooms/{teacher.code}/answers", json=body, headers=headers)
            assert response.status_code == 204
            event = await watching.until(lambda event: event["answers"]["count"] == 1)
            assert event["followers"] == 1
        response = await server.client.get(f"/api/rooms/{teacher.code}/class?once=true", headers=teacher.headers)
        assert response.text.count("event: class") == 1

    in_room(test)


def test_sketches_of_a_class_are_public_without_names_after_the_reveal() -> None:
    async def test(server: Server) -> None:
        lessons = [(name, i) for name in ("update", "gates", "half-life", "reset", "candidate") for i in range(1, 8)]
        teacher = await server.open({"page": "lessons/gates", "link": "", "step": 1})
        prompt = None
        for name, step in lessons:
            question = {"subject": "lesson", "lesson": name, "question": f"{step}.1"}
            if (await teacher.post("question", question)).status_code != 204:
                continue
            room = await server.app.state.rooms.keeper.find(codes.read_code(teacher.code))
            if room.public.question.prompt.kind == "draw":
                prompt = room.public.question.prompt
                break
        assert prompt, "no lesson asks for a curve"
        path = f"/api/rooms/{teacher.code}/sketches"
        length = len(prompt.steps) - prompt.start
        drawn = [[prompt.low] * length, [prompt.high] * length]
        async with teacher.follower() as a, teacher.follower() as b:
            for follower, answer in zip((a, b), drawn, strict=True):
                await follower.wait_for_state(lambda state: state["question"])
                assert (await follower.answer(answer)).status_code == 204
            assert (await server.client.get(path)).status_code == 409
            assert (await server.client.get(path, headers=teacher.headers)).status_code == 200
            assert (await teacher.post("sketches", {"sketches": []})).status_code == 409
            await teacher.post_ok("turn", {"turn": "reveal"})
            sketches = (await server.client.get(path)).json()["sketches"]
            assert sorted(sketch["values"] for sketch in sketches) == drawn
            for device in (a.device, b.device):
                assert device.partition(".")[0] not in json.dumps(sketches)
            await teacher.post_ok("sketches", {"sketches": [sketches[1]["id"]]})
            state = await a.wait_for_state(lambda state: state["question"].get("picked"))
            assert state["question"]["picked"] == [sketches[1]["id"]]

    in_room(test)


def test_a_question_with_a_range_too_small_or_too_large_is_refused() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        for low, high in ((0, 5e-324), (1, 1 + 1e-15), (0, 1e300), (-1e308, 1e308)):
            response = await teacher.post("question", {"subject": "own", "text": "?", "low": low, "high": high})
            assert response.status_code == 422
        for text in (
            '{"subject":"own","text":"?","options":["a","b"],"right":1e999}',
            '{"subject":"own","text":"?","low":NaN}',
        ):
            path = f"/api/rooms/{teacher.code}/question"
            headers = teacher.headers | {"content-type": "application/json"}
            assert (await server.client.post(path, content=text, headers=headers)).status_code in (400, 422)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "own", "text": "?", "low": 0, "high": 1})
            await follower.wait_for_state(lambda state: state["question"])
            assert (await follower.answer(10**400)).status_code == 422
            assert (await follower.answer(0.5)).status_code == 204
            record = await server.client.get(f"/api/rooms/{teacher.code}/record.csv", headers=teacher.headers)
            assert record.headers["cache-control"] == "no-store"

    in_room(test)


def test_a_record_opened_as_a_file_runs_no_scripts() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        text = "<script>alert(1)</script>"
        await teacher.post_ok("question", {"subject": "own", "text": text, "options": ["a", "b"]})
        record = await server.client.get(f"/api/rooms/{teacher.code}/record.html", headers=teacher.headers)
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', record.text)
        assert "default-src 'none'" in policy.split("; ")
        assert text not in record.text

    in_room(test)


def test_a_look_posted_while_the_room_ends_causes_no_server_error() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        await teacher.post_ok("mode", {"mode": "explore"})
        async with teacher.follower() as follower:
            await follower.wait_for_state()
            look = {"view": LAB}
            headers = {"x-device": follower.device}
            posts = [
                server.client.post(f"/api/rooms/{teacher.code}/looks", json=look, headers=headers) for _ in range(8)
            ]
            responses = await asyncio.gather(*posts[:4], teacher.end(), *posts[4:])
            assert {response.status_code for response in responses if response is not None} <= {204, 409, 429}

    in_room(test)
