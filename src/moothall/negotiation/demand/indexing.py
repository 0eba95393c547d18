"""The index that belongs to a question about many agents: the registry's own, else one that is made once.

Indexing and ranking ten thousand profiles takes half a second of pure computing, so both are done in a thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from moothall.directory.index import RegistrySnapshot

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.negotiation.demand.questions import FilterInput
    from moothall.negotiation.demand.rules.phrasing import Lexica

WORTH_A_THREAD = 300
"""From this many profiles on the work is worth a thread, and an index worth keeping."""


class Indexes:
    """Finds or makes the index of a question; may be used from several threads.

    An index of few profiles is not kept: it is made in no time, and would take the place of one that is not.
    """

    def __init__(self, lexica: Lexica) -> None:
        self._lexica = lexica
        self._kept: tuple[tuple[AgentProfile, ...], RegistrySnapshot] | None = None
        self._making = threading.Lock()

    def of(self, data: FilterInput) -> RegistrySnapshot:
        """The index of all profiles of the question."""
        profiles, registry = data.all_agent_profiles, data.registry
        if registry is not None and registry.profiles == profiles:
            return registry
        if len(profiles) < WORTH_A_THREAD:
            return self._made(profiles)
        with self._making:
            if self._kept is None or self._kept[0] != profiles:
                self._kept = (profiles, self._made(profiles))
            return self._kept[1]

    def _made(self, profiles: tuple[AgentProfile, ...]) -> RegistrySnapshot:
        return RegistrySnapshot(profiles, self._lexica.vocabulary, self._lexica.gazetteer)
