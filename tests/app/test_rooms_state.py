"""The state of a room: its public and private fields, and how it is stored."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import redis as redis_client

from app.questions.kind import Prompt, Tally
from app.rooms import codes
from app.rooms.events import public_event
from app.rooms.question import Result, RoomQuestion, Solution
from app.rooms.record import Entry
from app.rooms.redis import PREFIX, STREAM, InRedis
from app.rooms.room import Room
from app.rooms.sqlite import FILE, InFile
from app.rooms.state import Changes, PrivateState, PublicState, State, changes_from_json, changes_to_json
from app.rooms.tables import SEATS, Seat, answers_table
from app.rooms.views import ShownView
from tests.support.events import run
from tests.support.redis import Redis
from tests.support.redis_server import installed
from tests.support.rooms import LAB, in_room

SECRET = "only for the teacher"

VIEW = ShownView("", "?model=flip-flop&sequence=A+m", None, 2, "window", "|gru")
SOLUTION = Solution((1,), "0.5", ("", "no"), "<p>reveal</p>", "<p>why</p>")
TALLY = Tally(("a", "b"), (0, 3), (False, True), (), 3)
PROMPT = Prompt("choose", "<p>Which?</p>", ("a", "b"))
ENTRY = Entry(1, "choose", "Which?", "?t=2", 12.5, (1,), "0.5", (TALLY,))
STATE = State(
    PublicState(VIEW, "explore", RoomQuestion(PROMPT, 17, 2, 2, "revealed", Result(SOLUTION, (TALLY,), ("ab12",)))),
    PrivateState("digest", (ENTRY,), 3, SOLUTION, VIEW, dataclasses.replace(VIEW, upto=None), True),
)


def secret(value: Any) -> Any:
    """Return a copy of `value` with every string replaced by SECRET."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: secret(getattr(value, field.name)) for field in dataclasses.fields(value)})
    if isinstance(value, tuple):
        return tuple(map(secret, value))
    return SECRET if isinstance(value, str) else value


def test_every_field_is_public_or_private_and_students_receive_no_private_one() -> None:
    public, private = ({field.name for field in dataclasses.fields(part)} for part in (PublicState, PrivateState))
    assert public == {"view", "mode", "question", "ended"}
    assert not public & private
    assert set(get_type_hints(Changes)) == (public | private) - {"opened_by"}
    hidden = State(dataclasses.replace(STATE.public, question=None), secret(STATE.private))
    assert SECRET in json.dumps({name: text.decode() for name, text in hidden.to_json().items()})
    assert SECRET not in public_event(hidden.public, "1").decode()


def test_a_stored_state_is_read_back_unchanged() -> None:
    assert State.from_json(STATE.to_json()) == STATE
    first = State(PublicState(VIEW), PrivateState("digest"))
    assert State.from_json(first.to_json()) == first
    changes: Changes = {"mode": "pause", "question": STATE.public.question, "record": (ENTRY, ENTRY), "solution": None}
    assert changes_from_json(changes_to_json(changes)) == changes
    changed = first.changed(changes)
    assert (changed.public.mode, changed.private.record) == ("pause", (ENTRY, ENTRY))
    assert changed.public.view == VIEW
    with pytest.raises(ValueError, match="opened_by"):
        State.from_json({name: text for name, text in STATE.to_json().items() if name != "opened_by"})
    with pytest.raises(ValueError, match="_record"):
        changes_from_json({"_record": b"[]"})
    # Integers stay integers and floats stay floats, so the events are the same after a restart.
    for truth in (1, 1.0, (1, 2), (0.5, 1.0), None):
        solution = changes_from_json(changes_to_json({"solution": Solution(truth)}))["solution"]
        assert repr(solution) == repr(Solution(truth))


def test_a_file_stores_rooms_and_tables_and_drops_rooms_of_another_version(tmp_path: Path) -> None:
    async def store() -> None:
        keeper = InFile(tmp_path)
        for code in ("AAAAAA", "BBBBBB", "CCCCCC"):
            room = Room(code, "digest", 5.0, STATE)
            await keeper.open(room)
            await keeper.put(room, SEATS, {"device": Seat(9.0, 1.0, "address", True)})
            await keeper.put(room, answers_table(17, 2), {"device": (1, 2)})
            await keeper.change(room, {"mode": "pause"})
        await keeper.close()

    run(store())
    file = sqlite3.connect(tmp_path / FILE)
    with file:
        # An older version put an underscore before the names of private fields, and used other table names.
        file.execute("DELETE FROM fields WHERE code = 'BBBBBB' AND name = 'opened_by'")
        file.execute("INSERT INTO fields VALUES ('BBBBBB', '_by', '\"digest\"')")
        file.execute("UPDATE entries SET name = 'offers.1' WHERE code = 'CCCCCC' AND name = 'seats'")
    file.close()

    async def load() -> None:
        keeper = InFile(tmp_path)
        (room,) = keeper.rooms()
        assert (room.code, room.id.partition("-")[2], room.public.mode) == ("AAAAAA", "1", "pause")
        assert room.private == STATE.private
        assert await keeper.rows(room, SEATS) == {"device": Seat(9.0, 1.0, "address", True)}
        assert await keeper.rows(room, answers_table(17, 2)) == {"device": (1, 2)}
        await keeper.open(Room("BBBBBB", "digest", 6.0, STATE))
        await keeper.close()
        assert {room.code for room in InFile(tmp_path).rooms()} == {"AAAAAA", "BBBBBB"}

    run(load())


@pytest.mark.skipif(installed() is None, reason="there is no redis-server here")
def test_only_rooms_that_another_version_stored_or_changed_are_dropped_from_redis(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        redis = Redis(tmp_path)
        keeper, client = InRedis(f"redis://127.0.0.1:{redis.port}", 1), redis_client.Redis(port=redis.port)
        try:
            assert await keeper.count() == 0
            for code in ("AAAAAA", "BBBBBB", "CCCCCC"):
                await keeper.open(Room(code, "digest", keeper.clock(), STATE))
            client.hset(f"{PREFIX}:room:BBBBBB", "f:view", json.dumps({"page": ""}))
            assert await keeper.find("BBBBBB") is None
            first, changed = await keeper.find("AAAAAA"), await keeper.find("CCCCCC")
            assert first is not None
            assert changed is not None
            assert first.state == STATE
            await keeper.put(first, answers_table(17, 2), {"device": (1, 2)})
            assert await keeper.rows(first, answers_table(17, 2)) == {"device": (1, 2)}
            client.xadd(STREAM, {"code": "CCCCCC", "n": 9, "f:_record": "[]"})
            await keeper.change(first, {"mode": "pause"})
            while first.public.mode != "pause":
                await asyncio.sleep(0.01)
            assert changed.closed
            assert not first.closed
            assert [room.code for room in await keeper.all()] == ["AAAAAA", "CCCCCC"]
        finally:
            client.close()
            await keeper.close()
            redis.end()

    run(test())


def test_a_question_about_a_link_that_grows_when_encoded_is_accepted() -> None:
    link = f"{LAB['link']}&note={'é' * 7000}"  # Each é becomes six characters in the link of the covered figure.

    async def test(server: Any) -> None:
        teacher = await server.open()
        await teacher.post_ok("question", {"subject": "signal", "view": {"page": "", "link": link}})
        room = await server.app.state.rooms.keeper.find(codes.read_code(teacher.code))
        assert len(room.public.view.link) > 40_000

    in_room(test)
