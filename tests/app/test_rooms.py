"""Rooms through their public face: a real server, its streams, and whoever means harm."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.rooms import codes
from app.rooms.answers import parse_answer, tally
from app.rooms.bucket import Buckets
from app.rooms.question import Kind, Prompt
from app.rooms.streams import follower_events
from app.settings import Settings
from tests.support.rooms import LAB, Follower, Server, in_room, serving


def test_followers_see_what_is_shown_and_the_newest_alone() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as first, teacher.follower() as second:
            for follower in (first, second):
                state = await follower.hear()
                assert state["view"]["link"] == LAB["link"]
                assert state["mode"] == "follow"
                assert not [name for name in state if name.startswith("_")]
            for t in (3, 4):
                await teacher.must("view", {"page": "", "link": f"?model=flip-flop&sequence=A+x+B+x&t={t}"})
            for follower in (first, second):
                await follower.hear(lambda state: state["view"]["link"].endswith("t=4"))
            last = first.id
            # Whoever has the newest is sent nothing; whoever has it of another server, or older, is sent it all.
            async with teacher.follower(first.device, last) as third:
                assert third.device == first.device
                await teacher.must("mode", {"mode": "pause"})
                assert (await third.hear())["mode"] == "pause"
            async with teacher.follower(first.device, "gone-7") as third:
                assert (await third.hear())["mode"] == "pause"

    in_room(test)


def test_a_follower_who_does_not_read_is_sent_the_newest_state_and_no_backlog() -> None:
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


def test_only_who_opened_a_room_leads_it() -> None:
    async def test(server: Server) -> None:
        teacher, other = await server.open(), await server.open()
        view, code = {"page": "compare", "link": ""}, teacher.code
        for headers in ({}, {"authorization": f"Bearer {other.secret}"}, {"authorization": teacher.secret}):
            for part, body in (
                ("view", view), ("mode", {"mode": "explore"}), ("turn", {"turn": "reveal"}),
                ("question", {"of": "own", "text": "?", "options": ["a", "b"]}),
            ):  # fmt: skip
                answer = await server.client.post(f"/api/rooms/{code}/{part}", json=body, headers=headers)
                assert answer.status_code == 403, (part, headers)
                assert answer.json()["error"]["message"] == "only the teacher of this room can do this"
            assert (await server.client.delete(f"/api/rooms/{code}", headers=headers)).status_code == 403
            for part in ("class", "record.csv"):
                assert (await server.client.get(f"/api/rooms/{code}/{part}", headers=headers)).status_code == 403
        async with teacher.follower() as follower:
            assert (await follower.hear())["view"]["page"] == ""
            for text in (follower.device, (await server.client.get(f"/rooms/{code}")).text):
                assert teacher.secret not in text

    in_room(test)


def test_a_code_is_read_as_it_is_typed_and_a_wrong_one_says_so() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        typed = teacher.code.replace("-", " ").lower()
        page = await server.client.get(f"/rooms/{typed}")
        assert page.status_code == 200
        assert 'class="room following"' in page.text
        wrong = await server.client.get("/rooms/AAAAAA")
        assert wrong.status_code == 404
        assert "There is no room with this code" in wrong.text
        # Whoever tries one after the other is let wait, and says nothing about rooms meanwhile.
        answers = [(await server.client.get(f"/api/rooms/AAAA{i:02}/events")).status_code for i in range(70)]
        assert answers[:50] == [404] * 50
        assert answers[-1] == 429
        async with teacher.follower() as follower:
            await follower.hear()

    in_room(test)


def test_a_secret_opens_its_own_room_again_and_no_other() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        again = await server.client.post("/api/rooms", json={"view": LAB, "secret": teacher.secret})
        assert again.json()["code"] == teacher.code
        other = await server.client.post("/api/rooms", json={"view": LAB, "secret": "x" * 32})
        assert other.json()["code"] != teacher.code
        kept = teacher.code, teacher.secret

        async def later(after: Server) -> None:
            assert (await after.client.get(f"/api/rooms/{kept[0]}/qr.svg")).status_code == 404
            opened = await after.client.post("/api/rooms", json={"view": LAB, "secret": kept[1]})
            assert opened.json()["code"] == kept[0]

        async with serving(Settings()) as after:
            await later(after)

    in_room(test)


def test_what_cannot_be_shown_is_refused_in_words() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        for view, words in (
            ({"page": "nowhere", "link": ""}, "a room can show a lesson or one of"),
            ({"page": "", "link": "?model=nobody"}, "there is no such model"),
            ({"page": "lessons/none", "link": ""}, "there is no lesson with this name"),
            ({"page": "lessons/reset", "link": "", "step": 90}, "step must be from 1 to"),
            ({"page": "", "link": "?" + "x" * 9000}, "at most 8000"),
        ):
            answer = await teacher.say("view", view)
            assert answer.status_code in (404, 422), view
            assert words in answer.json()["error"]["message"]

    in_room(test)


def test_every_page_of_the_house_can_be_followed() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        shapes = set()
        for page, link in (
            ("", LAB["link"]), ("", "?model=flip-flop-lstm"), ("compare", "?task=flip-flop"),
            ("train", "?task=flip-flop"), ("compare/gap", ""), ("compare/race", ""),
            ("lessons/reset", "?model=pocket-calculator"),
        ):  # fmt: skip
            await teacher.must("view", {"page": page, "link": link, "step": 1 if page.startswith("lessons") else None})
            answer = await server.client.get(f"/rooms/{teacher.code}")
            assert answer.status_code == 200
            boot = json.loads(re.search(r'id="room-boot">(.*?)</script>', answer.text)[1])  # type: ignore[index]
            assert boot["code"] == teacher.code
            assert boot["link"] == link
            shapes.add(boot["shape"])
        assert len(shapes) == 7

    in_room(test)


def test_questions_from_the_cursor_have_the_core_s_own_answers() -> None:
    async def test(server: Server) -> None:
        sequence = gru.load("store-and-recall").examples[0]
        link = f"?model=store-and-recall&sequence={sequence.replace(' ', '+')}&t=4&unit=3"
        trace = gru.trace(gru.load("store-and-recall"), sequence)
        teacher = await server.open({"page": "", "link": link})
        async with teacher.follower() as follower:
            await teacher.must("question", {"of": "signal", "signal": "z", "view": {"page": "", "link": link}})
            state = await follower.hear(lambda state: state["question"])
            assert "revealed" not in state["question"]
            assert state["view"]["upto"] == 4
            await teacher.must("turn", {"turn": "reveal"})
            state = await follower.hear(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["revealed"]["truth"] == pytest.approx(trace.z[4, 2])
            assert state["view"]["upto"] is None
            assert "t=5" in state["view"]["link"]

            await teacher.must("question", {"of": "wrote", "view": {"page": "", "link": link}})
            await follower.hear(lambda state: state["question"]["kind"] == "click")
            await teacher.must("turn", {"turn": "reveal"})
            state = await follower.hear(lambda state: state["question"]["status"] == "revealed")
            shares = trace.ledger(2)[3, 1:5]
            assert state["question"]["revealed"]["truth"] == [1 + int(np.argmax(shares))]
            assert "memory" in state["view"]["link"]

            await teacher.must("question", {"of": "output", "view": {"page": "", "link": link}})
            state = await follower.hear(lambda state: state["question"]["kind"] == "choose")
            labels = gru.load("store-and-recall").readout.labels
            await teacher.must("turn", {"turn": "reveal"})
            state = await follower.hear(lambda state: state["question"]["status"] == "revealed")
            right = state["question"]["options"][state["question"]["revealed"]["truth"][0]]
            assert right == labels[int(trace.y[4].argmax())]

    in_room(test)


def test_a_number_that_rises_is_asked_which_way_it_goes() -> None:
    async def test(server: Server) -> None:
        link = "?model=running-total&sequence=0.5+0.4+-0.8&t=1"
        trace = gru.trace(gru.load("running-total"), "0.5 0.4 -0.8")
        teacher = await server.open({"page": "", "link": link})
        async with teacher.follower() as follower:
            for t, way in ((1, 0), (2, 1)):
                assert np.sign(trace.y[t, 0] - trace.y[t - 1, 0]) == (1, -1)[way]
                await teacher.must(
                    "question", {"of": "output", "view": {"page": "", "link": link.replace("t=1", f"t={t}")}}
                )
                await teacher.must("turn", {"turn": "reveal"})
                state = await follower.hear(
                    lambda state: state["question"] and state["question"]["status"] == "revealed"
                )
                assert state["question"]["revealed"]["truth"] == [way]
        answer = await teacher.say(
            "question", {"of": "output", "view": {"page": "", "link": link.replace("t=1", "t=3")}}
        )
        assert "the cursor is at the last step" in answer.json()["error"]["message"]

    in_room(test)


def test_answers_count_once_a_device_and_stay_hidden_until_revealed() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        ask = {"of": "own", "text": "Which?", "options": ["one", "two", "three"], "right": 1, "rounds": 2}
        async with teacher.follower() as a, teacher.follower() as b, teacher.watching() as watching:
            await teacher.must("question", ask)
            for follower in (a, b):
                await follower.hear(lambda state: state["question"])
            for answer in (0, 0, 2):
                assert (await a.answer(answer)).status_code == 204
            assert (await b.answer(1)).status_code == 204
            told = await watching.until(lambda told: told.get("answers", {}).get("count") == 2)
            assert told["answers"]["class"][0]["counts"] == [0, 1, 1]
            await teacher.must("turn", {"turn": "close"})
            refused = await a.answer(1)
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "closed"
            state = await b.hear(lambda state: state["question"]["status"] == "locked")
            assert not {"class", "revealed", "answers"} & (set(state) | set(state["question"]))
            await teacher.must("turn", {"turn": "again"})
            await a.hear(lambda state: state["question"]["round"] == 2)
            await a.answer(1)
            await teacher.must("turn", {"turn": "reveal"})
            state = await b.hear(lambda state: state["question"]["status"] == "revealed")
            assert [one["counts"] for one in state["question"]["class"]] == [[0, 1, 1], [0, 1, 0]]
            assert state["question"]["class"][0]["right"] == [False, True, False]
        record = await server.client.get(f"/api/rooms/{teacher.code}/record.csv", headers=teacher.headers)
        rows = list(csv.DictReader(io.StringIO(record.text)))
        assert [(row["round"], row["answer"], row["count"], row["right"]) for row in rows] == [
            ("1", "one", "0", "no"), ("1", "two", "1", "yes"), ("1", "three", "1", "no"),
            ("2", "one", "0", "no"), ("2", "two", "1", "yes"), ("2", "three", "0", "no"),
        ]  # fmt: skip
        assert a.device.partition(".")[0] not in record.text

    in_room(test)


def test_a_lesson_s_question_covers_the_figure_until_it_is_revealed() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open({"page": "lessons/reset", "link": "", "step": 1})
        shown = await server.client.get("/api/lessons/reset/reveal?question=2.1")
        async with teacher.follower() as follower:
            await teacher.must("question", {"of": "lesson", "lesson": "reset", "question": "2.1"})
            state = await follower.hear(lambda state: state["question"])
            assert state["view"]["step"] == 2
            assert str(shown.json()["text"]) not in json.dumps(state["question"])
            await follower.answer(0.25)
            await teacher.must("turn", {"turn": "reveal"})
            state = await follower.hear(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["revealed"]["truth"] == shown.json()["truth"]
            assert state["view"]["link"] == shown.json()["link"]
            assert sum(state["question"]["class"][0]["counts"]) == 1

    in_room(test)


def test_a_question_from_the_cursor_of_a_lesson_stays_in_the_lesson() -> None:
    async def test(server: Server) -> None:
        (step,) = (await server.client.get("/api/lessons/gates/outline")).json()[1:2]
        view = {"page": "lessons/gates", "link": step["link"].replace("t=4", "t=2"), "step": 2}
        teacher = await server.open(view)
        async with teacher.follower() as follower:
            await teacher.must("question", {"of": "signal", "signal": "z", "view": view})
            state = await follower.hear(lambda state: state["question"])
            assert (state["view"]["page"], state["view"]["step"], state["view"]["upto"]) == ("lessons/gates", 2, 2)
            await teacher.must("turn", {"turn": "dismiss"})
            state = await follower.hear(lambda state: not state["question"])
            assert state["view"]["upto"] is None
            await teacher.must("question", {"of": "signal", "signal": "z", "view": view})
            await teacher.must("turn", {"turn": "reveal"})
            state = await follower.hear(lambda state: state["question"] and state["question"]["status"] == "revealed")
            assert (state["view"]["page"], state["view"]["step"], state["view"]["upto"]) == ("lessons/gates", 2, None)
            assert "t=3" in state["view"]["link"]

    in_room(test)


def test_who_explores_is_seen_without_a_name_and_can_offer_a_view() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as a, teacher.follower() as b, teacher.watching() as watching:
            look = {"view": {"page": "", "link": LAB["link"].replace("t=2", "t=4")}}

            async def say(follower: Follower, body: dict[str, Any]) -> httpx2.Response:
                path = f"/api/rooms/{teacher.code}/looks"
                return await server.client.post(path, json=body, headers={"x-device": follower.device})

            assert (await say(a, look)).status_code == 204  # nobody explores yet: it is not noted
            assert (await say(a, look | {"offered": True})).status_code == 409
            await teacher.must("mode", {"mode": "explore"})
            assert (await say(a, look)).status_code == 204
            offer = {"view": {"page": "", "link": "?model=running-total&sequence=0.5"}, "offered": True}
            assert (await say(b, offer)).status_code == 204
            told = await watching.until(lambda told: told.get("looks", {}).get("count") == 2)
            assert told["looks"]["steps"] == {"4": 1}
            assert sorted(map(tuple, told["looks"]["models"])) == [("flip-flop", 1), ("running-total", 1)]
            assert [offer["link"] for offer in told["looks"]["offers"]] == ["?model=running-total&sequence=0.5"]
            for device in (a.device, b.device):
                assert device.partition(".")[0] not in json.dumps(told)

    in_room(test)


def test_the_end_is_heard_once_and_then_there_is_no_room() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as follower:
            await follower.hear()
            await teacher.end()
            assert (await follower.hear())["ended"]
            with pytest.raises(EOFError):
                await follower.next()
        assert (await server.client.get(f"/api/rooms/{teacher.code}/events")).status_code == 410

    in_room(test)


def test_rooms_end_by_themselves() -> None:
    async def test(server: Server) -> None:
        rooms = server.app.state.rooms
        now = rooms.keeper.clock()
        rooms.keeper.clock = lambda: now
        lonely, led, old = [await server.open() for _ in range(3)]
        now += 59 * 60
        await rooms.sweep()
        assert await rooms.keeper.count() == 3
        async with led.watching() as watching:
            await watching.next()
            now += 2 * 60
            await rooms.sweep()
            assert await rooms.keeper.find(codes.read_code(lonely.code)) is None
            assert await rooms.keeper.find(codes.read_code(old.code)) is None
            now += 7 * 3600 + 1
            await rooms.sweep()
            assert await rooms.keeper.count() == 0
            await watching.until(lambda told: told["ended"])

    in_room(test)


def test_a_full_server_and_a_full_room_say_so() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        full = await server.client.post("/api/rooms", json={"view": LAB})
        assert full.status_code == 429
        assert full.json()["error"]["code"] == "busy"
        async with teacher.follower() as a, teacher.follower():
            await a.hear()
            refused = await server.client.get(f"/api/rooms/{teacher.code}/events")
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "full"
            assert refused.headers["retry-after"] == "10"
            # Who has joined keeps a place, with a second page too.
            async with teacher.follower(a.device) as again:
                await again.hear()

    in_room(test, Settings(rooms=1, followers=2))


def test_whoever_means_harm_is_refused_in_words_and_the_class_goes_on() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as honest, teacher.follower() as hostile:
            mark = "<img src=x onerror=alert(1)>"
            await teacher.must("question", {"of": "own", "text": mark, "options": [mark, "b"]})
            for one in (honest, hostile):
                await one.hear(lambda state: state["question"])
            assert "<img" not in honest.state["question"]["ask"] + honest.state["question"]["options"][0]
            path = f"/api/rooms/{teacher.code}/answers"
            body = {"question": honest.state["question"]["id"], "answer": 0}
            for device in ("", "made.up", hostile.device[:-1] + "x", "x" * 60):
                answer = await server.client.post(path, json=body, headers={"x-device": device})
                assert answer.status_code == 403, device
            for given in (-1, 2, 0.5, [0], 10**30, [0] * 2001):
                assert (await hostile.answer(given)).status_code in (422, 429), given
            with suppress(httpx2.ReadError, httpx2.WriteError):  # it is cut off before it is all sent
                large = await server.client.post(path, content=b"x" * 10_000_000, headers={"x-device": hostile.device})
                assert large.status_code == 413
            many = [(await hostile.answer(1)).status_code for _ in range(60)]
            assert 429 in many
            assert (await honest.answer(0)).status_code == 204
            await teacher.must("turn", {"turn": "reveal"})
            state = await honest.hear(lambda state: state["question"]["status"] == "revealed")
            assert state["question"]["class"][0]["counts"] == [1, 1]
        # Who was here comes in all the same.
        async with teacher.follower(honest.device) as again:
            await again.hear()

    in_room(test, Settings(followers=4))


def test_codes_have_no_letter_that_is_taken_for_another() -> None:
    secrets = [codes.new_secret() for _ in range(8)]
    made = [codes.code_of(secret) for secret in secrets]
    assert len(set(made)) == 8
    assert set("".join(made)) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    assert codes.code_of(secrets[0]) == made[0]
    assert codes.read_code(codes.written(made[0]).lower()) == made[0]


def test_a_bucket_lets_through_what_it_says() -> None:
    now = 0.0
    buckets = Buckets(5, 0.5, lambda: now)
    through = 0
    for step in range(200):
        now = step / 10
        try:
            buckets.take("somebody", "much")
        except Exception:
            continue
        through += 1
    assert through == 5 + int(0.5 * 19.9)


@pytest.mark.parametrize("kind", ["choose", "number", "click"])
def test_tallies_count_every_answer(kind: Kind) -> None:
    rng = np.random.default_rng(3)
    prompt = Prompt(kind, "?", options=("a", "b", "c"), low=-1.0, high=1.0, steps=tuple("wxyz"))
    given: list[Any] = {
        "choose": [int(i) for i in rng.integers(3, size=50)],
        "number": [float(v) for v in rng.uniform(-1, 1, 50)],
        "click": [sorted({int(t) for t in rng.integers(1, 5, size=2)}) for _ in range(50)],
    }[kind]
    counted = tally(prompt, [parse_answer(prompt, one) for one in given])
    assert counted.answers == 50
    assert sum(counted.counts) == sum(len(one) if isinstance(one, list) else 1 for one in given)


def test_a_room_s_page_is_nothing_new_to_who_has_no_room(client: TestClient) -> None:
    page = client.get("/")
    assert 'class="room following"' not in page.text
    assert 'id="room-open"' in page.text
    assert 'id="room-open"' not in client.get("/embed").text
    assert client.get("/rooms").status_code == 200
