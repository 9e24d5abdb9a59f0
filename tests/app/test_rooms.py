"""Rooms on a real server, through their public routes and streams, including hostile clients."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.questions.kind import Prompt
from app.questions.registry import KINDS
from app.rooms import codes
from app.rooms.bucket import Buckets
from app.rooms.streams import follower_events
from app.settings import Settings
from tests.support.html import first_match
from tests.support.rooms import LAB, Follower, Server, in_room, serving


def test_followers_receive_the_newest_state_and_skip_older_ones() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as first, teacher.follower() as second:
            for follower in (first, second):
                state = await follower.wait_for_state()
                assert state["view"]["link"] == LAB["link"]
                assert state["mode"] == "follow"
                assert not [name for name in state if name.startswith("_")]
            for t in (3, 4):
                await teacher.post_ok("view", {"page": "", "link": f"?model=flip-flop&sequence=A+m+B+m&t={t}"})
            for follower in (first, second):
                await follower.wait_for_state(lambda state: state["view"]["link"].endswith("t=4"))
            last = first.id
            # A client that already has the newest state receives nothing. Any other client receives the whole state.
            async with teacher.follower(first.device, last) as third:
                assert third.device == first.device
                await teacher.post_ok("mode", {"mode": "pause"})
                assert (await third.wait_for_state())["mode"] == "pause"
            async with teacher.follower(first.device, "gone-7") as third:
                assert (await third.wait_for_state())["mode"] == "pause"

    in_room(test)


def test_a_slow_follower_gets_the_newest_state_without_a_backlog() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        room = await server.app.state.rooms.keeper.find(codes.read_code(teacher.code))
        slow = follower_events(room, "somebody", "")
        await anext(slow)
        await anext(slow)
        for t in range(1, 400):
            room.change({"view": replace(room.public.view, link=f"?t={t}")})
        assert b"?t=399" in await anext(slow)
        waiting = asyncio.create_task(anext(slow))
        await asyncio.sleep(0)
        assert not waiting.done()
        room.change({"view": replace(room.public.view, link="?t=400")})
        assert b"?t=400" in await waiting
        await slow.aclose()

    in_room(test)


def test_only_the_secret_of_the_room_gives_control() -> None:
    async def test(server: Server) -> None:
        teacher, other_room = await server.open(), await server.open()
        view, code = {"page": "compare", "link": ""}, teacher.code
        for headers in ({}, {"authorization": f"Bearer {other_room.secret}"}, {"authorization": teacher.secret}):
            for part, body in (
                ("view", view), ("mode", {"mode": "explore"}), ("turn", {"turn": "reveal"}),
                ("question", {"subject": "own", "text": "?", "options": ["a", "b"]}),
            ):  # fmt: skip
                response = await server.client.post(f"/api/rooms/{code}/{part}", json=body, headers=headers)
                assert response.status_code == 403, (part, headers)
                assert response.json()["error"]["message"] == "only the teacher of this room can do this"
            assert (await server.client.delete(f"/api/rooms/{code}", headers=headers)).status_code == 403
            for part in ("class", "record.csv"):
                assert (await server.client.get(f"/api/rooms/{code}/{part}", headers=headers)).status_code == 403
        async with teacher.follower() as follower:
            assert (await follower.wait_for_state())["view"]["page"] == ""
            for text in (follower.device, (await server.client.get(f"/rooms/{code}")).text):
                assert teacher.secret not in text

    in_room(test)


def test_a_code_may_be_typed_in_lower_case_and_wrong_codes_get_an_error() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        typed = teacher.code.replace("-", " ").lower()
        page = await server.client.get(f"/rooms/{typed}")
        assert page.status_code == 200
        assert 'class="room following"' in page.text
        wrong = await server.client.get("/rooms/AAAAAA")
        assert wrong.status_code == 404
        assert "There is no room with this code" in wrong.text
        # After many guesses an address gets 429 for a while.
        statuses = [(await server.client.get(f"/api/rooms/AAAA{i:02}/events")).status_code for i in range(70)]
        assert statuses[:50] == [404] * 50
        assert statuses[-1] == 429
        async with teacher.follower() as follower:
            await follower.wait_for_state()

    in_room(test)


def test_a_secret_reopens_its_own_room_even_after_a_restart() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        again = await server.client.post("/api/rooms", json={"view": LAB, "secret": teacher.secret})
        assert again.json()["code"] == teacher.code
        other_room = await server.client.post("/api/rooms", json={"view": LAB, "secret": "x" * 32})
        assert other_room.json()["code"] != teacher.code
        credentials = teacher.code, teacher.secret

        async def later(after: Server) -> None:
            assert (await after.client.get(f"/api/rooms/{credentials[0]}/qr.svg")).status_code == 404
            opened = await after.client.post("/api/rooms", json={"view": LAB, "secret": credentials[1]})
            assert opened.json()["code"] == credentials[0]

        async with serving(Settings()) as after:
            await later(after)

    in_room(test)


def test_a_view_that_cannot_be_shown_is_refused_with_a_message() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        for view, message in (
            ({"page": "nowhere", "link": ""}, "a room can show a lesson or one of"),
            ({"page": "", "link": "?model=nobody"}, "there is no such model"),
            ({"page": "lessons/none", "link": ""}, "there is no lesson with this name"),
            ({"page": "lessons/reset", "link": "", "step": 90}, "step must be from 1 to"),
            ({"page": "", "link": "?" + "x" * 9000}, "at most 8000"),
        ):
            response = await teacher.post("view", view)
            assert response.status_code in (404, 422), view
            assert message in response.json()["error"]["message"]

    in_room(test)


def test_every_page_can_be_shown_in_a_room() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        shapes = set()
        for page, link in (
            ("", LAB["link"]), ("", "?model=flip-flop-lstm"), ("compare", "?task=flip-flop"),
            ("train", "?task=flip-flop"), ("compare/gap", ""), ("compare/race", ""),
            ("lessons/reset", "?model=pocket-calculator"),
        ):  # fmt: skip
            await teacher.post_ok(
                "view", {"page": page, "link": link, "step": 1 if page.startswith("lessons") else None}
            )
            response = await server.client.get(f"/rooms/{teacher.code}")
            assert response.status_code == 200
            boot = json.loads(first_match(r'id="room-boot">(.*?)</script>', response.text))
            assert boot["code"] == teacher.code
            assert boot["link"] == link
            shapes.add(boot["shape"])
        assert len(shapes) == 7

    in_room(test)


def test_solutions_of_questions_about_the_cursor_come_from_the_core() -> None:
    async def test(server: Server) -> None:
        sequence = gru.load("store-and-recall").examples[0]
        link = f"?model=store-and-recall&sequence={sequence.replace(' ', '+')}&t=4&unit=3"
        trace = gru.trace(gru.load("store-and-recall"), sequence)
        teacher = await server.open({"page": "", "link": link})
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "signal", "signal": "z", "view": {"page": "", "link": link}})
            state = await follower.wait_for_state(lambda state: state["question"])
            assert "revealed" not in state["question"]
            assert state["view"]["upto"] == 4
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["revealed"]["truth"] == pytest.approx(trace.z[4, 2])
            assert state["view"]["upto"] is None
            assert "t=5" in state["view"]["link"]

            await teacher.post_ok("question", {"subject": "wrote", "view": {"page": "", "link": link}})
            await follower.wait_for_state(lambda state: state["question"]["kind"] == "click")
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            shares = trace.ledger(2)[3, 1:5]
            assert state["question"]["revealed"]["truth"] == [1 + int(np.argmax(shares))]
            assert "memory" in state["view"]["link"]

            await teacher.post_ok("question", {"subject": "output", "view": {"page": "", "link": link}})
            state = await follower.wait_for_state(lambda state: state["question"]["kind"] == "choose")
            labels = gru.load("store-and-recall").readout.labels
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            right = state["question"]["options"][state["question"]["revealed"]["truth"][0]]
            assert right == labels[int(trace.y[4].argmax())]

    in_room(test)


def test_a_question_about_a_numeric_output_asks_for_its_direction() -> None:
    async def test(server: Server) -> None:
        link = "?model=running-total&sequence=0.5+0.4+-0.8&t=1"
        trace = gru.trace(gru.load("running-total"), "0.5 0.4 -0.8")
        teacher = await server.open({"page": "", "link": link})
        async with teacher.follower() as follower:
            for t, direction in ((1, 0), (2, 1)):
                assert np.sign(trace.y[t, 0] - trace.y[t - 1, 0]) == (1, -1)[direction]
                await teacher.post_ok(
                    "question", {"subject": "output", "view": {"page": "", "link": link.replace("t=1", f"t={t}")}}
                )
                await teacher.post_ok("turn", {"turn": "reveal"})
                state = await follower.wait_for_state(
                    lambda state: state["question"] and state["question"]["status"] == "revealed"
                )
                assert state["question"]["revealed"]["truth"] == [direction]
        response = await teacher.post(
            "question", {"subject": "output", "view": {"page": "", "link": link.replace("t=1", "t=3")}}
        )
        assert "the cursor is at the last timestep" in response.json()["error"]["message"]

    in_room(test)


def test_each_device_has_one_vote_and_counts_stay_hidden_until_the_reveal() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        question = {"subject": "own", "text": "Which?", "options": ["one", "two", "three"], "right": 1, "rounds": 2}
        async with teacher.follower() as a, teacher.follower() as b, teacher.watching() as watching:
            await teacher.post_ok("question", question)
            for follower in (a, b):
                await follower.wait_for_state(lambda state: state["question"])
            for answer in (0, 0, 2):
                assert (await a.answer(answer)).status_code == 204
            assert (await b.answer(1)).status_code == 204
            event = await watching.until(lambda event: event.get("answers", {}).get("count") == 2)
            assert event["answers"]["class"][0]["counts"] == [0, 1, 1]
            await teacher.post_ok("turn", {"turn": "close"})
            refused = await a.answer(1)
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "closed"
            state = await b.wait_for_state(lambda state: state["question"]["status"] == "locked")
            assert not {"class", "revealed", "answers"} & (set(state) | set(state["question"]))
            await teacher.post_ok("turn", {"turn": "again"})
            await a.wait_for_state(lambda state: state["question"]["round"] == 2)
            await a.answer(1)
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await b.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert [tally["counts"] for tally in state["question"]["class"]] == [[0, 1, 1], [0, 1, 0]]
            assert state["question"]["class"][0]["right"] == [False, True, False]
        record = await server.client.get(f"/api/rooms/{teacher.code}/record.csv", headers=teacher.headers)
        rows = list(csv.DictReader(io.StringIO(record.text)))
        assert [(row["round"], row["answer"], row["count"], row["right"]) for row in rows] == [
            ("1", "one", "0", "no"), ("1", "two", "1", "yes"), ("1", "three", "1", "no"),
            ("2", "one", "0", "no"), ("2", "two", "1", "yes"), ("2", "three", "0", "no"),
        ]  # fmt: skip
        assert a.device.partition(".")[0] not in record.text

    in_room(test)


def test_a_question_of_a_lesson_covers_the_figure_until_the_reveal() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open({"page": "lessons/reset", "link": "", "step": 1})
        solution = await server.client.get("/api/lessons/reset/reveal?question=2.1")
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "lesson", "lesson": "reset", "question": "2.1"})
            state = await follower.wait_for_state(lambda state: state["question"])
            assert state["view"]["step"] == 2
            assert str(solution.json()["text"]) not in json.dumps(state["question"])
            await follower.answer(0.25)
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["revealed"]["truth"] == solution.json()["truth"]
            assert state["view"]["link"] == solution.json()["link"]
            assert sum(state["question"]["class"][0]["counts"]) == 1

    in_room(test)


def test_a_question_about_the_cursor_of_a_lesson_stays_in_the_lesson() -> None:
    async def test(server: Server) -> None:
        (step,) = (await server.client.get("/api/lessons/gates/outline")).json()[1:2]
        view = {"page": "lessons/gates", "link": step["link"].replace("t=4", "t=2"), "step": 2}
        teacher = await server.open(view)
        async with teacher.follower() as follower:
            await teacher.post_ok("question", {"subject": "signal", "signal": "z", "view": view})
            state = await follower.wait_for_state(lambda state: state["question"])
            assert (state["view"]["page"], state["view"]["step"], state["view"]["upto"]) == ("lessons/gates", 2, 2)
            await teacher.post_ok("turn", {"turn": "dismiss"})
            state = await follower.wait_for_state(lambda state: not state["question"])
            assert state["view"]["upto"] is None
            await teacher.post_ok("question", {"subject": "signal", "signal": "z", "view": view})
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(
                lambda state: state["question"] and state["question"]["status"] == "revealed"
            )
            assert (state["view"]["page"], state["view"]["step"], state["view"]["upto"]) == ("lessons/gates", 2, None)
            assert "t=3" in state["view"]["link"]

    in_room(test)


def test_the_teacher_sees_views_of_exploring_students_without_names() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as a, teacher.follower() as b, teacher.watching() as watching:
            look = {"view": {"page": "", "link": LAB["link"].replace("t=2", "t=4")}}

            async def post_look(follower: Follower, body: dict[str, Any]) -> httpx2.Response:
                path = f"/api/rooms/{teacher.code}/looks"
                return await server.client.post(path, json=body, headers={"x-device": follower.device})

            assert (await post_look(a, look)).status_code == 204  # ignored: the class does not explore yet
            assert (await post_look(a, look | {"offered": True})).status_code == 409
            await teacher.post_ok("mode", {"mode": "explore"})
            assert (await post_look(a, look)).status_code == 204
            offer = {"view": {"page": "", "link": "?model=running-total&sequence=0.5"}, "offered": True}
            assert (await post_look(b, offer)).status_code == 204
            event = await watching.until(lambda event: event.get("looks", {}).get("count") == 2)
            assert event["looks"]["steps"] == {"4": 1}
            assert sorted(map(tuple, event["looks"]["models"])) == [("flip-flop", 1), ("running-total", 1)]
            assert [offer["link"] for offer in event["looks"]["offers"]] == ["?model=running-total&sequence=0.5"]
            for device in (a.device, b.device):
                assert device.partition(".")[0] not in json.dumps(event)

    in_room(test)


def test_followers_are_informed_of_the_end_and_the_room_then_is_gone() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as follower:
            await follower.wait_for_state()
            await teacher.end()
            assert (await follower.wait_for_state())["ended"]
            with pytest.raises(EOFError):
                await follower.next()
        assert (await server.client.get(f"/api/rooms/{teacher.code}/events")).status_code == 410

    in_room(test)


def test_rooms_end_after_an_hour_without_visitors_and_after_eight_hours() -> None:
    async def test(server: Server) -> None:
        rooms = server.app.state.rooms
        now = rooms.keeper.clock()
        rooms.keeper.clock = lambda: now
        unused, watched, old = [await server.open() for _ in range(3)]
        now += 59 * 60
        await rooms.sweep()
        assert await rooms.keeper.count() == 3
        async with watched.watching() as watching:
            await watching.next()
            now += 2 * 60
            await rooms.sweep()
            assert await rooms.keeper.find(codes.read_code(unused.code)) is None
            assert await rooms.keeper.find(codes.read_code(old.code)) is None
            now += 7 * 3600 + 1
            await rooms.sweep()
            assert await rooms.keeper.count() == 0
            await watching.until(lambda event: event["ended"])

    in_room(test)


def test_a_full_server_and_a_full_room_answer_with_429() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        full = await server.client.post("/api/rooms", json={"view": LAB})
        assert full.status_code == 429
        assert full.json()["error"]["code"] == "busy"
        async with teacher.follower() as a, teacher.follower():
            await a.wait_for_state()
            refused = await server.client.get(f"/api/rooms/{teacher.code}/events")
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "full"
            assert refused.headers["retry-after"] == "10"
            # A student who has joined may open a second page even in a full room.
            async with teacher.follower(a.device) as again:
                await again.wait_for_state()

    in_room(test, Settings(rooms=1, followers=2))


def test_a_hostile_client_is_refused_and_the_class_continues() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as honest, teacher.follower() as hostile:
            mark = "<img src=x onerror=alert(1)>"
            await teacher.post_ok("question", {"subject": "own", "text": mark, "options": [mark, "b"]})
            for follower in (honest, hostile):
                await follower.wait_for_state(lambda state: state["question"])
            assert "<img" not in honest.state["question"]["ask"] + honest.state["question"]["options"][0]
            path = f"/api/rooms/{teacher.code}/answers"
            body = {"question": honest.state["question"]["id"], "answer": 0}
            for device in ("", "made.up", hostile.device[:-1] + "x", "x" * 60):
                response = await server.client.post(path, json=body, headers={"x-device": device})
                assert response.status_code == 403, device
            for answer in (-1, 2, 0.5, [0], 10**30, [0] * 2001):
                assert (await hostile.answer(answer)).status_code in (422, 429), answer
            with suppress(httpx2.ReadError, httpx2.WriteError):  # the server disconnects before the end
                large = await server.client.post(path, content=b"x" * 10_000_000, headers={"x-device": hostile.device})
                assert large.status_code == 413
            many = [(await hostile.answer(1)).status_code for _ in range(60)]
            assert 429 in many
            assert (await honest.answer(0)).status_code == 204
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await honest.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["class"][0]["counts"] == [1, 1]
        # A student who was in the room before may return.
        async with teacher.follower(honest.device) as again:
            await again.wait_for_state()

    in_room(test, Settings(followers=4))


def test_codes_have_no_letters_that_look_alike() -> None:
    secrets = [codes.new_secret() for _ in range(8)]
    room_codes = [codes.code_of(secret) for secret in secrets]
    assert len(set(room_codes)) == 8
    assert set("".join(room_codes)) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    assert codes.code_of(secrets[0]) == room_codes[0]
    assert codes.read_code(codes.written(room_codes[0]).lower()) == room_codes[0]


def test_a_bucket_allows_its_burst_and_its_rate() -> None:
    now = 0.0
    buckets = Buckets(5, 0.5, lambda: now)
    allowed = 0
    for step in range(200):
        now = step / 10
        try:
            buckets.take("somebody", "much")
        except Exception:
            continue
        allowed += 1
    assert allowed == 5 + int(0.5 * 19.9)


@pytest.mark.parametrize("kind", ["choose", "number", "click"])
def test_a_tally_counts_every_answer(kind: str) -> None:
    rng = np.random.default_rng(3)
    prompt = Prompt(kind, "?", options=("a", "b", "c"), low=-1.0, high=1.0, steps=tuple("wxyz"))
    answers: list[Any] = {
        "choose": [int(i) for i in rng.integers(3, size=50)],
        "number": [float(v) for v in rng.uniform(-1, 1, 50)],
        "click": [sorted({int(t) for t in rng.integers(1, 5, size=2)}) for _ in range(50)],
    }[kind]
    parsed = [answer for value in answers if (answer := KINDS[kind].parse(prompt, value)) is not None]
    counted = KINDS[kind].tally(prompt, parsed, None)
    assert counted.answers == 50
    assert sum(counted.counts) == sum(len(answer) if isinstance(answer, list) else 1 for answer in answers)


def test_pages_without_a_room_can_open_one_but_embeds_cannot(client: TestClient) -> None:
    page = client.get("/")
    assert 'class="room following"' not in page.text
    assert 'id="room-open"' in page.text
    assert 'id="room-open"' not in client.get("/embed").text
    assert client.get("/rooms").status_code == 200
