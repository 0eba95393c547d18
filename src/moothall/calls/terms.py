"""What a node decides about its calls: limits, sizes, and what it leaves to chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from moothall.identity.principal import Principal


def agent_of_this_node(name: str) -> Principal:
    """The principal of an agent without an identity of its own: it acts for the owner, in this process."""
    return Principal(id=f"agent:{name}", kind="owner", binding="request", owner=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of the call path; times in seconds.

    Attributes:
        default_agent: the agent whose capabilities are meant where a target names none.
        agents: the principal of an agent, by its name, for calls that it makes itself.
        caller_limit: calls of one caller in a minute; 0: no limit. Those in this process are not counted.
        address_limit: calls in a minute from one address without proof of identity; 0: no limit.
        conceal: whether who may not call something hears that it does not exist, also where it proved who it is.
        max_hops: capabilities and nodes that one call may pass through.
        cache_entries, cache_bytes: results that are kept, all together, and their size as JSON.
        remote_timeout: how long a call of a target elsewhere may take when its caller does not say.
        remote_retry: repetitions of such a call, where nothing of it was sent.
        breaker_threshold, breaker_recovery: failures in a row after which a remote is left alone, and for how long.
        chance: a number from 0 to 1, for the pauses between attempts.
    """

    default_agent: str = "node"
    agents: Callable[[str], Principal] = agent_of_this_node
    caller_limit: int = 6000
    address_limit: int = 6000
    conceal: bool = False
    max_hops: int = 8
    cache_entries: int = 10_000
    cache_bytes: int = 64 * 1024 * 1024
    remote_timeout: float = 30.0
    remote_retry: int = 2
    breaker_threshold: int = 5
    breaker_recovery: float = 30.0
    chance: Callable[[], float] = random.random
