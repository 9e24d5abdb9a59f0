"""The views of students who explore: each student's newest view, and the views that students suggest, without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..errors import Refused
from ..link import read_address
from .connections import Connections
from .keeper import Keeper
from .room import Room
from .tables import ExploredView, looks_table, suggestions_table
from .teacher import Exploration
from .views import ShownView

MOST_SUGGESTIONS = 12
"""The maximum number of suggested views that the teacher sees, the newest first."""

MOST_MODELS = 12
"""The maximum number of models that the teacher sees. The model with the most students is first."""


class Explorations:
    """The explorations of all rooms."""

    def __init__(self, keeper: Keeper, connections: Connections) -> None:
        self.keeper, self.connections = keeper, connections

    async def look(self, room: Room, device: str, view: ShownView, suggested: bool) -> None:
        """Store the newest view of a device. If `suggested` is true, also suggest this view to the teacher.

        Raise Refused if the device has not joined, is not connected, or sends too many messages. If the class is not
        exploring, refuse a suggestion and ignore any other view, which may have been sent before the exploration ended.
        """
        self.connections.check(room, device)
        if room.public.mode != "explore":
            if suggested:
                raise Refused(409, "follows", "the class is not exploring at the moment", "mode")
            return
        name = await self.connections.connected_name(room, device)
        look = ExploredView(view, round(self.keeper.clock() - room.opened, 1))
        await self.keeper.put(room, looks_table(room.private.explorations), {name: look})
        if suggested:
            await self.keeper.put(room, suggestions_table(room.private.explorations), {name: look})

    async def summary(self, room: Room, view: ShownView) -> Exploration:
        """Summarize the views that the class looks at now. `view` is the teacher's view."""
        number = room.private.explorations
        looks = [*(await self.keeper.rows(room, looks_table(number))).values()]
        suggestions = [*(await self.keeper.rows(room, suggestions_table(number))).values()]
        return summarize(view, looks, suggestions)


def summarize(view: ShownView, looks: Sequence[ExploredView], suggestions: Sequence[ExploredView]) -> Exploration:
    """Count the students at each model and, for the model and sequence of the teacher's `view`, at each timestep."""
    models: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    shown = _scenario(view.page, read_address(view.link))
    for look in looks:
        page, keys = look.view.page, read_address(look.view.link)
        models[keys.get("model") or keys.get("task") or page or "lab"] += 1
        if _scenario(page, keys) == shown:
            steps[keys.get("t", "1")] += 1
    newest = sorted(suggestions, key=lambda look: -look.at)[:MOST_SUGGESTIONS]
    return Exploration(tuple(models.most_common(MOST_MODELS)), dict(steps), tuple(newest), len(looks))


def _scenario(page: str, keys: Mapping[str, str]) -> tuple[str, ...]:
    return (page, *(keys.get(key, "") for key in ("model", "task", "sequence")))
