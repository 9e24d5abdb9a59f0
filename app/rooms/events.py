"""The server-sent events of a room, as JSON.

Students receive only the public fields that this module names, and all fields of a `Prompt`.
"""

from __future__ import annotations

from dataclasses import asdict

import orjson
from fastapi.sse import format_sse_event

from .question import RoomQuestion
from .state import PublicState
from .teacher import TeacherState
from .views import ShownView

PING = format_sse_event(comment="still here")
"""A comment that keeps a stream open: proxies end streams that send nothing for 29 s or more."""


def device_event(device: str) -> bytes:
    """Return the event that tells a device its name."""
    return _event("you", {"device": device})


def public_event(state: PublicState, id: str) -> bytes:
    """Return the event that every device in the room receives. `id` is the id of the state."""
    return _event("room", _public(state), id)


def teacher_event(state: TeacherState | None, away: str | None = None) -> bytes:
    """Return the event for the teacher: the newest state, if any, and `away`, the error if the store is unavailable."""
    fields: dict[str, object] = {}
    if state is not None:
        fields = _public(state.public) | {"followers": state.followers}
        if state.rounds:
            fields["answers"] = {"count": state.rounds[-1].answers, "class": state.rounds}
        if state.exploration is not None:
            exploration = state.exploration
            fields["looks"] = {
                "models": exploration.models,
                "steps": exploration.steps,
                "offers": [_view(look.view) | {"at": look.at} for look in exploration.suggestions],
                "count": exploration.students,
            }
    if away is not None:
        fields["away"] = away
    return _event("class", fields)


def _public(state: PublicState) -> dict[str, object]:
    question = None if state.question is None else _question(state.question)
    return {"view": _view(state.view), "mode": state.mode, "question": question, "ended": state.ended}


def _view(view: ShownView) -> dict[str, object]:
    return {
        "page": view.page,
        "link": view.link,
        "step": view.step,
        "upto": view.upto,
        "by": view.by,
        "shape": view.shape,
        "covered": view.covered,
        "behind": view.behind,
    }


def _question(question: RoomQuestion) -> dict[str, object]:
    prompt, result = question.prompt, question.result
    fields: dict[str, object] = {
        **asdict(prompt),
        "rounds": question.rounds,
        "id": question.id,
        "round": question.round,
        "status": question.status,
    }
    if result is not None:
        solution = result.solution
        fields["revealed"] = {
            "truth": solution.truth,
            "text": solution.text,
            "replies": solution.replies,
            "reveal": solution.reveal,
            "why": solution.why,
        }
        fields["class"] = result.rounds
        fields["picked"] = result.picked
    return fields


def _event(name: str, data: dict[str, object], id: str | None = None) -> bytes:
    return format_sse_event(event=name, data_str=orjson.dumps(data).decode(), id=id)
