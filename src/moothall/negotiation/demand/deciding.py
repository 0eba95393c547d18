"""Decisions of one run: each asked once, recorded with who answered, and replayed from the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.llm.decision import Decisions, InT, OutT, Prompt


@dataclass(frozen=True, slots=True)
class Recorded(Generic[OutT]):
    """A decision as it stands in the log."""

    value: OutT
    source: str
    degraded: bool

    def marks(self) -> dict[str, object]:
        """The marks that public events carry."""
        return {"source": self.source, "degraded": self.degraded}


class RunDecisions:
    """The decision port bound to a run: every decision is a keyed step."""

    def __init__(self, run: Run, decisions: Decisions) -> None:
        self._run = run
        self._decisions = decisions

    async def decide(
        self,
        key: str,
        prompt: Prompt[InT, OutT],
        data: InT,
        also: Callable[[Recorded[OutT]], Sequence[Draft]] | None = None,
    ) -> Recorded[OutT]:
        """Decide once; ``also`` gives the events that go into the log together with the decision."""

        async def ask() -> dict[str, Any]:
            decided = await self._decisions.decide(prompt, data)
            return {
                "prompt": prompt.kind,
                "number": prompt.number,
                "output": decided.value.model_dump(mode="json"),
                "source": decided.source,
                "degraded": decided.degraded,
            }

        fresh: list[Recorded[OutT]] = []

        def follow(value: Any) -> Sequence[Draft]:  # noqa: ANN401 - a JSON value
            fresh.append(_read(prompt, value))
            return () if also is None else also(fresh[0])

        value = await self._run.step(key, ask, type="decision", also=follow)
        return fresh[0] if fresh else _read(prompt, value)


def _read(prompt: Prompt[InT, OutT], value: Any) -> Recorded[OutT]:  # noqa: ANN401 - a JSON value
    return Recorded(prompt.output.model_validate(value["output"]), value["source"], value["degraded"])
