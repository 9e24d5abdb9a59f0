"""The questions of all rooms: a teacher asks, students answer, and the teacher reveals the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from ..errors import Refused
from ..questions.kind import Answer, Tally, Truth
from ..questions.registry import KINDS
from .composing import NewQuestion
from .connections import Connections
from .keeper import Keeper
from .question import Result, RoomQuestion, Status
from .record import Entry
from .room import Room
from .seats import Seats
from .sketches import Sketches, anonymous_sketches
from .state import Changes
from .tables import answers_table
from .views import ShownView

MOST_RECORDED = 200
"""The maximum number of questions in a room's record."""

WHILE: dict[Status, str] = {
    "open": "while the question is open",
    "locked": "while the question is closed",
    "revealed": "after the answer is shown",
}
"""The status of a question in words, as on the teacher's page."""


class Questions:
    """The questions of all rooms. Each room has at most one question at a time."""

    def __init__(self, keeper: Keeper, seats: Seats, connections: Connections) -> None:
        self.keeper, self.seats, self.connections = keeper, seats, connections

    async def ask(self, room: Room, new: NewQuestion) -> None:
        """Ask a question, which replaces the previous one. Raise Refused if the room's record is full."""
        record = await self.record(room)
        number = 1 + len(record)
        if number > MOST_RECORDED:
            raise Refused(429, "busy", f"{MOST_RECORDED} questions were asked in this room, the limit: open a new room")
        now = self.keeper.clock()
        entry = Entry(number, new.prompt.kind, new.text, new.link, now - room.opened)
        changes: Changes = {
            "question": RoomQuestion(new.prompt, int(1000 * now), new.rounds),
            "record": (*record, entry),
            "solution": new.solution,
            "view_after": new.view_after,
            "covered": new.cover is not None,
        }
        uncovered = self._uncovered(room)
        changes["view_before"] = uncovered
        if new.cover is not None:
            changes["view"] = new.cover
        elif uncovered != room.public.view:
            changes["view"] = replace(uncovered, by="")
        await self.keeper.change(room, changes)

    async def close(self, room: Room) -> None:
        """Take no more answers. Raise Refused if the question is not open."""
        await self._set_status(room, "locked", "open")

    async def again(self, room: Room) -> None:
        """Take answers again, in the next round if there is one. Raise Refused if the question is not closed."""
        await self._set_status(room, "open", "locked", next_round=True)

    async def reveal(self, room: Room) -> None:
        """Show everyone the solution and the answers of the class. Record both."""
        question, solution = self._question(room), room.private.solution
        assert solution is not None
        rounds = await self.tallies(room, question, solution.truth)
        if self._question(room).id != question.id:
            raise Refused(409, "over", "this question is over", "question")
        *earlier, last = room.private.record
        last = replace(last, truth=solution.truth, text=solution.text, rounds=rounds)
        changes: Changes = {
            "question": replace(question, status="revealed", result=Result(solution, rounds)),
            "view": room.private.view_after or room.public.view,
            "record": (*earlier, last),
        }
        await self.keeper.change(room, changes)

    async def dismiss(self, room: Room) -> None:
        """Remove the question. If the question covers the figure, show the view that the room had before."""
        self._question(room)
        changes: Changes = {"question": None, "solution": None, "record": await self.record(room)}
        uncovered = self._uncovered(room)
        if uncovered != room.public.view:
            changes["view"] = replace(uncovered, by="")
        await self.keeper.change(room, changes)

    async def pick(self, room: Room, ids: list[str]) -> None:
        """Show the sketches with these ids above the others."""
        question = self._question(room)
        if question.result is None or not KINDS[question.prompt.kind].has_sketches:
            message = "sketches can be shown only after the answer to a drawing question is shown"
            raise Refused(409, "question", message, "question")
        result = replace(question.result, picked=tuple(ids))
        await self.keeper.change(room, {"question": replace(question, result=result)})

    async def sketches(self, room: Room, for_teacher: bool) -> Sketches:
        """Return the sketches of the class, without names. Raise Refused if a student asks before the reveal."""
        question = self._question(room)
        if not KINDS[question.prompt.kind].has_sketches or not (for_teacher or question.status == "revealed"):
            raise Refused(409, "question", "this question has no sketches, or its answer is not shown yet", "question")
        answers = await self._answers(room, question.id, question.round)
        # In a worker thread, because a large class has 200,000 values.
        curves = await asyncio.to_thread(anonymous_sketches, f"{question.id}{room.digest}", answers)
        return Sketches(question.id, curves)

    async def answer(self, room: Room, device: str, question_id: int, value: object) -> None:
        """Store a device's answer, which replaces its earlier one. Raise Refused if the answer cannot be counted."""
        self.connections.check(room, device)
        question = room.public.question
        if question is None or question.id != question_id:
            raise Refused(409, "over", "this question is over", "question")
        if question.status != "open":
            raise Refused(409, "closed", "this question takes no more answers", "question")
        kind = KINDS[question.prompt.kind]
        answer = kind.parse(question.prompt, value)
        if answer is None:
            raise Refused(422, "answer", f"the answer must be {kind.allowed(question.prompt)}", "answer")
        name = await self.connections.connected_name(room, device)
        await self.keeper.put(room, answers_table(question.id, question.round), {name: answer})

    async def tallies(self, room: Room, question: RoomQuestion, truth: Truth = None) -> tuple[Tally, ...]:
        """Return a tally of the answers for each round so far. If there is a `truth`, correct answers are marked."""
        rounds = [await self._answers(room, question.id, n) for n in range(1, question.round + 1)]
        kind = KINDS[question.prompt.kind]
        return tuple(kind.tally(question.prompt, list(answers.values()), truth) for answers in rounds)

    async def record(self, room: Room) -> tuple[Entry, ...]:
        """Return the record of a room. It includes the answers so far to a question that is not revealed."""
        question = room.public.question
        if question is None or question.status == "revealed":
            return room.private.record
        rounds = await self.tallies(room, question)
        *earlier, last = room.private.record
        return (*earlier, replace(last, rounds=rounds))

    def _uncovered(self, room: Room) -> ShownView:
        """Return the view that a room would show without its question."""
        question, private = room.public.question, room.private
        covers = question is not None and question.status != "revealed" and private.covered
        return private.view_before if covers and private.view_before is not None else room.public.view

    def _question(self, room: Room) -> RoomQuestion:
        """Return the question of a room. Raise Refused if there is none."""
        if room.public.question is None:
            raise Refused(409, "nothing", "there is no question at the moment", "question")
        return room.public.question

    async def _set_status(self, room: Room, status: Status, allowed: Status, next_round: bool = False) -> None:
        """Set the status of the question to `status`. Raise Refused if the current status is not `allowed`."""
        question = self._question(room)
        if question.status != allowed:
            raise Refused(409, "question", f"this is not possible {WHILE[question.status]}", "question")
        round = min(question.round + 1, question.rounds) if next_round else question.round
        await self.keeper.change(room, {"question": replace(question, status=status, round=round)})

    async def _answers(self, room: Room, question_id: int, round: int) -> Mapping[str, Answer]:
        """Return the answers in a round, by device. Only devices with a place count."""
        seats = await self.seats.valid(room)
        answers = await self.keeper.rows(room, answers_table(question_id, round))
        return {name: answer for name, answer in answers.items() if name in seats}
