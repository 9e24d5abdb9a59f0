"""The game “Be the gate” in a room: every student plays it, and the teacher shows the network's gates."""

from __future__ import annotations

import csv
import io
import json
import re
from statistics import quantiles
from typing import Any

import gru_core as gru
from tests.support.html import first_match
from tests.support.rooms import LAB, Server, in_room

GATE = {"subject": "gate"}
SEQUENCE = "A m p B s m"
OPEN, CLOSED = [1.0, 0, 0, 1, 0, 0], [0.0] * 6
"""z at each letter for a student who opens the gate at the capitals, and for one who never opens the gate."""


def network_z() -> list[float]:
    """Return the network's z at each letter of SEQUENCE."""
    z: list[float] = gru.trace(gru.load("flip-flop"), SEQUENCE).z[:, 0].tolist()
    return z


def test_a_class_plays_and_sees_its_band_with_the_network_after_the_reveal() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as a, teacher.follower() as b, teacher.watching() as watching:
            await teacher.post_ok("question", GATE)
            state = await a.wait_for_state(lambda state: state["question"])
            assert (state["view"]["page"], state["question"]["steps"]) == ("start", SEQUENCE.split())
            await b.wait_for_state(lambda state: state["question"])
            half = [0.5] * 6
            assert (await a.answer(CLOSED + half)).status_code == 204
            assert (await a.answer(OPEN + CLOSED)).status_code == 204  # a student may play again: the last game counts
            assert (await b.answer(CLOSED + half)).status_code == 204
            async with teacher.follower() as late:
                await late.wait_for_state(lambda state: state["question"])
                assert (await late.answer(half + CLOSED)).status_code == 204
                event = await watching.until(lambda event: event.get("answers", {}).get("count") == 3)
                await teacher.post_ok("turn", {"turn": "reveal"})
                state = await late.wait_for_state(lambda state: state["question"]["status"] == "revealed")
        (tally,) = state["question"]["class"]
        assert tally["middle"] == event["answers"]["class"][0]["middle"]
        for values, median, (low, high) in zip(
            zip(OPEN, CLOSED, half, strict=True), tally["middle"], tally["quartiles"], strict=True
        ):
            assert [low, median, high] == quantiles(values, n=4, method="inclusive")
        assert state["question"]["revealed"]["truth"] == network_z()
        # A memory that never moves gives one answer at all letters. It is correct for one of the two capitals.
        assert tally["counts"] in ([3, 3, 3, 2, 2, 2], [2, 2, 2, 3, 3, 3])
        assert all(tally["right"])
        record = await server.client.get(f"/api/rooms/{teacher.code}/record.csv", headers=teacher.headers)
        rows = list(csv.DictReader(io.StringIO(record.text)))
        assert [row["kind"] for row in rows] == ["gate"] * 6
        assert [int(row["count"]) for row in rows] == tally["counts"]
        assert [float(row["median"]) for row in rows] == [round(value, 2) for value in tally["middle"]]
        assert {row["truth"] for row in rows} == {", ".join(f"{z:.2f}" for z in network_z())}
        page = await server.client.get(f"/api/rooms/{teacher.code}/record.html", headers=teacher.headers)
        assert f"median <i>z</i> {tally['middle'][0]:.2f}" in page.text

    in_room(test)


def test_an_answer_has_z_and_r_of_every_letter_from_0_to_1() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as follower:
            await teacher.post_ok("question", GATE)
            await follower.wait_for_state(lambda state: state["question"])
            bad: list[Any] = [
                0.5,
                [],
                OPEN,
                [*OPEN, *CLOSED, 0],
                [*OPEN, *CLOSED[:5], 1.01],
                [-0.1, *OPEN[1:], *CLOSED],
            ]
            for answer in (*bad, [True, *OPEN[1:], *CLOSED], [*OPEN, *CLOSED[:5], "1"]):
                assert (await follower.answer(answer)).status_code == 422, answer
            assert (await follower.answer([*OPEN, *CLOSED])).status_code == 204
            response = await server.client.get(f"/api/rooms/{teacher.code}/sketches", headers=teacher.headers)
            assert response.status_code == 409

    in_room(test)


def test_students_receive_the_gates_of_the_network_only_after_the_reveal() -> None:
    hidden = [str(z)[:8] for z in network_z()]

    async def test(server: Server) -> None:
        teacher = await server.open({"page": "start", "link": ""})
        await teacher.post_ok("question", GATE)
        async with teacher.follower() as follower:
            state = await follower.wait_for_state(lambda state: state["question"])
            page = await server.client.get(f"/rooms/{teacher.code}")
            clamps = [{"gate": "z", "from": t, "to": t, "value": z} for t, z in enumerate(OPEN, 1)]
            scenario = {"model": "flip-flop", "sequence": SEQUENCE, "clamps": clamps}
            # The page compares the run with the same letters, so the response contains no run without clamps.
            played = await server.client.post("/api/trace", json=scenario | {"against": SEQUENCE})
            for text in (json.dumps(state), page.text):
                assert not [z for z in hidden if z in text]
            (layer,) = played.json()["layers"]
            assert layer["z"] == layer["twin.z"] == [[z] for z in OPEN]
            alone = await server.client.post("/api/trace", json=scenario)
            assert alone.json()["layers"][0]["twin.z"] == [[z] for z in network_z()]
            await teacher.post_ok("turn", {"turn": "reveal"})
            state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
            assert all(z in json.dumps(state) for z in hidden)

    in_room(test)


def test_after_the_game_the_class_returns_to_the_view_before_it() -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        async with teacher.follower() as follower:
            await teacher.post_ok("question", GATE | {"view": LAB})
            await follower.wait_for_state(lambda state: state["view"]["page"] == "start")
            assert (await teacher.post("view", LAB)).status_code == 409
            await teacher.post_ok("turn", {"turn": "dismiss"})
            state = await follower.wait_for_state(lambda state: not state["question"])
            assert state["view"]["link"] == LAB["link"]

    in_room(test)


def test_the_page_opens_a_room_and_follows_it() -> None:
    async def test(server: Server) -> None:
        assert 'id="room-open"' in (await server.client.get("/start")).text
        assert 'id="room-open"' not in (await server.client.get("/embed/start")).text
        teacher = await server.open({"page": "start", "link": ""})
        page = (await server.client.get(f"/rooms/{teacher.code}")).text
        assert 'class="room following"' in page
        assert 'id="room-open"' not in page
        assert json.loads(first_match(r'id="room-boot">(.*?)</script>', page))["shape"] == "start|"
        letters = re.findall(r"<th scope=\"col\"[^>]*>(\w)</th>", page)
        assert letters == SEQUENCE.split()

    in_room(test)
