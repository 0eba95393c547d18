"""The rows of one call for answers: what was answered, whose answer cannot be known, how it closed.

Whatever decides whether an agent is asked again is here, in the log: after a crash, and after a rest of days, nobody
is asked twice what was settled.
"""

from __future__ import annotations

from collections.abc import Iterable

from moothall.events.model import Draft, Event
from moothall.events.run import Run


class Phase:
    """One call for answers of a run; ``name`` begins the keys of its rows (``offers``, ``feedback.r2``)."""

    def __init__(self, run: Run, name: str) -> None:
        self.name = name
        self._run = run

    def answer(self, agent_id: str) -> Event | None:
        """The answer of an agent that counts."""
        return self._run.recorded(f"{self.name}.{agent_id}")

    def closed(self) -> Event | None:
        """The row with which the call closed."""
        return self._run.recorded(f"{self.name}.closed")

    def answered(self, agents: Iterable[str]) -> frozenset[str]:
        """Those of ``agents`` whose answer counts."""
        return frozenset(name for name in agents if self.answer(name))

    def unknown(self, agents: Iterable[str]) -> dict[str, str]:
        """The codes of what went wrong, by agent, where it cannot be known what the agent would answer.

        An answer that came after all, through the inbox, counts.
        """
        notes = {name: self._run.recorded(f"{self.name}.{name}.unknown") for name in sorted(agents)}
        return {name: note.payload["code"] for name, note in notes.items() if note and self.answer(name) is None}

    async def mark_unknown(self, agent_id: str, code: str) -> None:
        """Keep that an agent's answer cannot be known."""
        await self._run.emit(Draft(f"{self.name}.{agent_id}.unknown", "unknown", {"from": agent_id, "code": code}))

    def to_ask(self, agents: Iterable[str]) -> list[str]:
        """Those of ``agents`` of whom the log knows nothing yet, in their order; nobody once the call closed."""
        if self.closed():
            return []
        named = list(agents)
        unknown = self.unknown(named)
        return [name for name in named if name not in unknown and self.answer(name) is None]
