"""Decisions of one run: each asked once, recorded with who answered, and replayed from the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol

from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.llm.decision import Decided, InT, OutT, Prompt
from moothall.messages import Lang, detect_lang, text
from moothall.negotiation.demand.models import JsonObject


class Decider(Protocol):
    """Whoever decides: `Decisions`, or something in front of it."""

    async def decide(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Answer one prompt."""
        ...

    async def by_rules(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Answer one prompt without asking a model."""
        ...


def origin(decided: Decided[OutT]) -> JsonObject:
    """Who decided, as the log keeps it: ``source``, ``degraded``, and where known the ``error`` code and ``usage``."""
    kept: JsonObject = {"source": decided.source, "degraded": decided.degraded}
    if decided.error:
        kept["error"] = decided.error
    if decided.usage is not None:
        kept["usage"] = asdict(decided.usage)
    return kept


def marks_of(kept: JsonObject, lang: Lang) -> JsonObject:
    """The part of :func:`origin` that public events show; an error as ``{code, message}`` for people."""
    shown: JsonObject = {name: kept[name] for name in ("source", "degraded") if name in kept}
    if code := kept.get("error"):
        shown["error"] = {"code": code, "message": text(f"errors.{code}.message", lang)}
    return shown


def lang_of(run: Run) -> Lang:
    """The language in which a run speaks: that of its demand."""
    meta = run.record.meta
    known: Lang | None = meta.get("understanding", {}).get("lang")
    return known or detect_lang(meta.get("raw_input", ""))


@dataclass(frozen=True, slots=True)
class Recorded(Generic[OutT]):
    """A decision as it stands in the log; ``shown`` are the marks of its public events."""

    value: OutT
    source: str
    degraded: bool
    shown: JsonObject

    def marks(self) -> JsonObject:
        """The marks that public events carry."""
        return self.shown


class RunDecisions:
    """The decision port bound to a run: every decision is a keyed step."""

    def __init__(self, run: Run, decisions: Decider) -> None:
        self._run = run
        self._decisions = decisions

    async def decide(
        self,
        key: str,
        prompt: Prompt[InT, OutT],
        data: InT,
        also: Callable[[Recorded[OutT]], Sequence[Draft]] | None = None,
        *,
        by_rules: bool = False,
    ) -> Recorded[OutT]:
        """Decide once.

        Args:
            key: what the decision is called in the log.
            prompt: the kind of question.
            data: the question.
            also: gives the events that go into the log together with the decision.
            by_rules: ask no model.
        """

        async def ask() -> JsonObject:
            decide = self._decisions.by_rules if by_rules else self._decisions.decide
            decided = await decide(prompt, data)
            output = decided.value.model_dump(mode="json")
            return {"prompt": prompt.kind, "number": prompt.number, "output": output, **origin(decided)}

        fresh: list[Recorded[OutT]] = []

        def follow(value: Any) -> Sequence[Draft]:  # noqa: ANN401 - a JSON value
            fresh.append(self._read(prompt, value))
            return () if also is None else also(fresh[0])

        value = await self._run.step(key, ask, type="decision", also=follow)
        return fresh[0] if fresh else self._read(prompt, value)

    def _read(self, prompt: Prompt[InT, OutT], value: Any) -> Recorded[OutT]:  # noqa: ANN401 - a JSON value
        output = prompt.output.model_validate(value["output"])
        return Recorded(output, value["source"], value["degraded"], marks_of(value, lang_of(self._run)))
