"""The contract of a room's events: which keys a student's device and the teacher receive, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.rooms import LAB, Server, Teacher, in_room

STATE = {"view", "mode", "question", "ended"}
VIEW = {"page", "link", "step", "upto", "by", "shape", "covered", "behind"}
QUESTION = {
    "id", "kind", "ask", "options", "low", "high", "grain", "form", "start", "steps", "signal", "round", "rounds",
    "status",
}  # fmt: skip
ANSWERED = {"revealed", "class", "picked"}
SOLUTION = {"truth", "text", "replies", "reveal", "why"}
TALLY = {"labels", "counts", "right", "middle", "quartiles", "answers"}
TEACHER = STATE | {"followers"}

QUESTIONS: dict[str, dict[str, Any]] = {
    "output": {"subject": "output", "view": LAB},
    "signal": {"subject": "signal", "signal": "z", "view": LAB},
    "wrote": {"subject": "wrote", "view": LAB},
    "gate": {"subject": "gate"},
    "choice": {"subject": "own", "text": "Which?", "options": ["a", "b"], "right": 1},
    "number": {"subject": "own", "text": "How much?", "low": 0, "high": 1, "right": 0.25},
    "step": {"subject": "own", "text": "Where?", "right": 2, "view": LAB},
    "lesson": {"subject": "lesson", "lesson": "reset", "question": "2.1"},
    "curve": {"subject": "lesson", "lesson": "gates", "question": "1.1"},
}


class Observer:
    """A client that requests the newest state of a room, as a student's device and as the teacher's page."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher, self.device = teacher, ""

    async def student(self) -> dict[str, Any]:
        """Request and return the state that a student receives."""
        path, headers = f"/api/rooms/{self.teacher.code}/events?once=true", {"x-device": self.device}
        first, second = _events((await self.teacher.server.client.get(path, headers=headers)).text)
        assert (first[0], set(first[1])) == ("you", {"device"})
        self.device = first[1]["device"]
        assert second[0] == "room"
        return second[1]

    async def lead(self) -> dict[str, Any]:
        """Request and return the state that the teacher receives."""
        path = f"/api/rooms/{self.teacher.code}/class?once=true"
        ((name, state),) = _events((await self.teacher.server.client.get(path, headers=self.teacher.headers)).text)
        assert name == "class"
        return state


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


@pytest.mark.parametrize("kind", QUESTIONS)
def test_events_of_a_question_have_the_documented_keys_before_and_after_the_reveal(kind: str) -> None:
    async def test(server: Server) -> None:
        observer = Observer(teacher := await server.open())
        for state in (await observer.student(), await observer.lead()):
            assert state["question"] is None
            assert set(state["view"]) == VIEW
        await teacher.post_ok("question", QUESTIONS[kind])
        student, lead = await observer.student(), await observer.lead()
        assert set(student) == STATE
        assert set(student["view"]) == VIEW
        assert set(student["question"]) == QUESTION
        assert student["question"]["status"] == "open"
        assert set(lead) == TEACHER | {"answers"}
        assert {key: lead[key] for key in STATE} == student
        assert set(lead["answers"]) == {"count", "class"}
        assert [set(tally) for tally in lead["answers"]["class"]] == [TALLY]
        await teacher.post_ok("turn", {"turn": "reveal"})
        student, lead = await observer.student(), await observer.lead()
        assert set(student["question"]) == QUESTION | ANSWERED
        assert set(student["question"]["revealed"]) == SOLUTION
        assert [set(tally) for tally in student["question"]["class"]] == [TALLY]
        assert {key: lead[key] for key in STATE} == student
        assert set(lead) == TEACHER | {"answers"}

    in_room(test)


def test_only_the_teacher_receives_the_number_of_students_and_their_views() -> None:
    async def test(server: Server) -> None:
        observer = Observer(teacher := await server.open())
        assert set(await observer.student()) == STATE
        assert set(await observer.lead()) == TEACHER
        await teacher.post_ok("mode", {"mode": "explore"})
        headers = {"x-device": observer.device}
        look = {"view": LAB, "offered": True}
        looked = await server.client.post(f"/api/rooms/{teacher.code}/looks", json=look, headers=headers)
        assert looked.status_code == 204
        assert set(await observer.student()) == STATE
        lead = await observer.lead()
        assert set(lead) == TEACHER | {"looks"}
        assert set(lead["looks"]) == {"models", "steps", "offers", "count"}
        assert [set(offer) for offer in lead["looks"]["offers"]] == [VIEW | {"at"}]

    in_room(test)
