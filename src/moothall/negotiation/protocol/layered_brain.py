"""A model's judgement that is asked only where comparing schemas does not decide: structured agreement goes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from moothall.negotiation.protocol.brain import Brain, Cases, Diagnosis, Situation
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus
from moothall.negotiation.protocol.structured import capabilities_in, explicit


class LayeredBrain:
    """Rules decide between schemas on both sides; whatever is told in words is for the model. Fills `brain.Brain`."""

    def __init__(self, rules: Brain, model: Brain) -> None:
        self._rules = rules
        self._model = model
        self._settled: set[str] = set()
        """Documents that the rules wrote or accepted: test cases for them need no model either."""

    @property
    def source(self) -> Literal["rules", "llm"]:
        """A model."""
        return "llm"

    async def propose(self, need: Need) -> str:
        """The document of a need that is told by schemas, else the model's; raises as both."""
        if not explicit(need):
            return await self._model.propose(need)
        proposal = await self._rules.propose(need)
        self._settled.add(proposal)
        return proposal

    async def evaluate(self, situation: Situation) -> NegotiationResult:
        """What the rules say, unless they would reject it, else what the model says; raises as the model."""
        requester = situation.role == "requester" and situation.need is not None and explicit(situation.need)
        if requester or (situation.role == "provider" and capabilities_in(situation.capability)):
            result = await self._rules.evaluate(situation)
            if result.status is not NegotiationStatus.REJECTED:
                self._settled.add(result.candidate_protocols)
                return result
        return await self._model.evaluate(situation)

    async def propose_cases(self, document: str, need: Need | None) -> tuple[JsonObject, ...]:
        """The examples that are there already, else the model's cases for a need in words; raises as the model."""
        found = await self._rules.propose_cases(document, need)
        if found or (need is not None and explicit(need)):
            return found
        return await self._model.propose_cases(document, need)

    async def judge_cases(self, document: str, cases: Sequence[JsonObject], capability: str) -> Cases:
        """The rules' for a document that they wrote or accepted, else the model's; raises as the model."""
        brain = self._rules if document in self._settled else self._model
        return await brain.judge_cases(document, cases, capability)

    async def diagnose(self, document: str, source: str, description: str) -> Diagnosis:
        """The model's; raises as the model."""
        return await self._model.diagnose(document, source, description)

    async def answer(self, document: str, message: str, capability: str) -> str:
        """The model's; raises as the model."""
        return await self._model.answer(document, message, capability)
