"""Callers as they were read from the store, and what was decided about them, while nothing has changed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from math import inf
from typing import Final

from moothall.capability.entry import Entry
from moothall.identity.principal import Principal
from moothall.policy.decision import PermissionResult, Subject
from moothall.policy.judgement import Judged, Judgement

MOST_SUBJECTS: Final = 4096
MOST_DECISIONS: Final = 65_536
"""Decisions that are kept, of all subjects together."""
MOST_JUDGEMENTS: Final = 2048
"""Parsed slices that are kept ready for decisions that have to be made anew; a few kilobytes each."""


@dataclass(slots=True, eq=False)
class Kept:
    """What is kept with a subject, while it is kept itself: decisions for good, and those that begin or end."""

    settled: dict[Entry, PermissionResult] = field(default_factory=dict)
    timed: dict[Entry, Judged] = field(default_factory=dict)
    held: bool = False


class Subjects:
    """Callers by their principals, those that called last; with them what was decided about them."""

    def __init__(
        self, most: int = MOST_SUBJECTS, decisions: int = MOST_DECISIONS, judgements: int = MOST_JUDGEMENTS
    ) -> None:
        self._most, self._most_decisions, self._most_judgements = most, decisions, judgements
        self._known: OrderedDict[Principal, Subject] = OrderedDict()
        self._judgements: OrderedDict[tuple[Kept, Entry], Judgement] = OrderedDict()
        self._decisions = 0

    def get(self, principal: Principal) -> Subject | None:
        """A caller that is kept."""
        found = self._known.get(principal)
        if found is not None:
            self._known.move_to_end(principal)
        return found

    def put(self, subject: Subject) -> None:
        """Keep a caller, instead of what was kept of it."""
        self._forget(subject.principal)
        self._known[subject.principal] = subject
        kept: Kept = subject.made
        kept.held = True
        if len(self._known) > self._most:
            self._forget(next(iter(self._known)))

    def keep(self, kept: Kept, entry: Entry, judged: Judged) -> None:
        """Keep a decision, as long as its subject is kept; of one that is not there is nothing to count on."""
        if not kept.held:
            return
        if judged.until == inf and judged.since == -inf:
            self._decisions += entry not in kept.settled
            kept.settled[entry] = judged.result
        else:
            self._decisions += entry not in kept.timed
            kept.timed[entry] = judged
        while self._decisions > self._most_decisions and len(self._known) > 1:
            self._forget(next(iter(self._known)))
        if self._decisions > self._most_decisions:
            self.clear()

    def judgement(self, kept: Kept, entry: Entry) -> Judgement | None:
        """What was prepared for decisions of this subject about this capability."""
        key = (kept, entry)
        found = self._judgements.get(key)
        if found is not None:
            self._judgements.move_to_end(key)
        return found

    def prepare(self, kept: Kept, entry: Entry, judgement: Judgement) -> None:
        """Keep what was prepared."""
        if not kept.held:
            return
        self._judgements[(kept, entry)] = judgement
        if len(self._judgements) > self._most_judgements:
            self._judgements.popitem(last=False)

    def drop(self, ids: frozenset[str]) -> None:
        """Forget callers of whom a change speaks: themselves, or somebody whose right they use."""
        spoken = [
            principal
            for principal, subject in self._known.items()
            if principal.id in ids or not ids.isdisjoint(subject.parties)
        ]
        for principal in spoken:
            self._forget(principal)

    def clear(self) -> None:
        """Forget all."""
        for principal in tuple(self._known):
            self._forget(principal)
        self._judgements.clear()

    def _forget(self, principal: Principal) -> None:
        subject = self._known.pop(principal, None)
        if subject is not None:
            kept: Kept = subject.made
            self._decisions -= len(kept.settled) + len(kept.timed)
            kept.held = False
            kept.settled.clear()
            kept.timed.clear()
