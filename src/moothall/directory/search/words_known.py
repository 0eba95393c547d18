"""The vocabulary that search reads with: that of demands, and what programs do besides.

A demand for an event does not want `weather` because it fears rain, so what only programs do stands in a file of its
own and never reaches the reading of demands.
"""

from __future__ import annotations

from functools import lru_cache

from moothall.directory.concepts import Vocabulary, load_vocabulary, read_concepts


@lru_cache(maxsize=1)
def load_search_vocabulary() -> Vocabulary:
    """The vocabulary that travels with the package (`data/concepts.json` and `data/concepts_tools.json`)."""
    return Vocabulary((*load_vocabulary().all(), *read_concepts("concepts_tools.json")))
