"""The matching part of calling by intent: rules rate what was found, a model may put it in another order (CRW-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from moothall.directory.intent.asking import FAILED, IntentModel, Ranking
from moothall.directory.intent.choosing import Group, grouped, named_in, near, rated, standing_out
from moothall.directory.intent.evidence import Evidence
from moothall.directory.searching import Hit
from moothall.telemetry import logger

By = Literal["rules", "llm", "fallback"]
"""Who decided: the rules, a model, the rules in place of a model that failed."""

_SHOWN: Final = 8
"""Candidates that a model is shown."""

_log = logger("intent")


@dataclass(frozen=True, slots=True)
class Matched:
    """What a request may mean.

    Attributes:
        groups: best first.
        clear: the one that it means; None where there is none, or more than one.
        rivals: where it is not clear, those that it may mean.
        by: who decided.
    """

    groups: tuple[Group, ...]
    clear: Group | None
    rivals: tuple[Group, ...]
    by: By


class Matches(Protocol):
    """Finds out what is meant; `IntelligentMatcher` fills it in, and whoever wants may use another."""

    async def match(self, evidence: Evidence, hits: Sequence[Hit]) -> Matched:
        """Judge what was found for a request."""
        ...


class IntelligentMatcher:
    """Rules first; a model, where there is one, may put their best in another order, and nothing beside it.

    Where a request names a target nobody has to be asked.

    Args:
        model: the model; None: the rules decide.
    """

    def __init__(self, model: IntentModel | None = None) -> None:
        self._model = model

    async def match(self, evidence: Evidence, hits: Sequence[Hit]) -> Matched:
        """Judge what was found for a request; a model that fails leaves it to the rules."""
        groups = grouped(rated(evidence.rest or evidence.text, hits))
        by: By = "rules"
        if (
            self._model is not None
            and len(groups) > 1
            and not any(named_in(evidence.text, each.leader) for each in groups)
        ):
            try:
                ranking = await self._model.rank(evidence.text, [group.leader for group in groups[:_SHOWN]])
                return _reordered(groups, ranking)
            except FAILED as error:
                _log.warning("a request is matched by rules, the model fails: %s", error.code)
                by = "fallback"
        clear = standing_out(groups)
        return Matched(tuple(groups), clear, () if clear else tuple(near(groups)), by)


def _reordered(groups: Sequence[Group], ranking: Ranking) -> Matched:
    places = {target: place for place, target in enumerate(ranking.targets)}
    last = len(places)
    ordered = tuple(sorted(groups, key=lambda group: places.get(group.leader.target, last)))
    chosen = ordered[: len(places)]
    clear = chosen[0] if ranking.certain and chosen else None
    return Matched(ordered, clear, () if clear else chosen, "llm")
