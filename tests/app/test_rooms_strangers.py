"""Rooms resist interference: strangers who vote or open rooms, and requests that are not valid."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack

import httpx2
import pytest

from app.rooms import codes
from app.settings import Settings
from tests.support.rooms import LAB, Server, Teacher, in_room


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
