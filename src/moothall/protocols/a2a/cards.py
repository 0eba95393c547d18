"""The cards of this node's agents as documents, signed, made once for what they show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from moothall.calls.ports import Gateway
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.protocols.a2a.addresses import keys_path
from moothall.protocols.a2a.card import CardAgent, card_of, with_old_members
from moothall.protocols.a2a.card_signing import key_set, signatures

Hosted = Callable[[], Mapping[str, CardAgent]]
"""The agents of this node by name, as they are now; an agent that changed is another object."""

_DOOR: Final = "a2a"
_KEPT: Final = 256
"""Cards that are remembered, of all agents and callers."""

_TAG: Final = 32


@dataclass(frozen=True, slots=True)
class Document:
    """JSON ready to send; its value, its entity tag in quotes, and when it became what it is."""

    value: JsonObject
    body: bytes
    etag: str
    modified: datetime

    @classmethod
    def of(cls, value: JsonObject, modified: datetime) -> Document:
        """A JSON object as a document."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        return cls(value, body, f'"{hashlib.sha256(body).hexdigest()[:_TAG]}"', modified)

    @property
    def last_modified(self) -> str:
        """As the header has it (RFC 9110 §8.8.2)."""
        return format_datetime(self.modified, usegmt=True)


class Cards:
    """The cards.

    Args:
        gateway: tells what a caller may call.
        hosted: the agents as they are now.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
        clock: dates the documents.
        default: the name of the agent that answers for the node.
    """

    def __init__(self, gateway: Gateway, hosted: Hosted, base: str, clock: Clock, *, default: str) -> None:
        self._gateway = gateway
        self._hosted = hosted
        self._base = base
        self._clock = clock
        self._default = default
        self._made: dict[tuple[CardAgent, tuple[Entry, ...]], Document] = {}
        self._last: dict[str, tuple[CardAgent, JsonObject, Document]] = {}
        self._keys: dict[str, tuple[CardAgent, Document]] = {}
        self._open: tuple[int, frozenset[str]] = (-1, frozenset())

    def agent(self, name: str) -> CardAgent | None:
        """An agent of this node; an empty name is the one that answers for the node."""
        return self._hosted().get(name or self._default)

    def answers_anybody(self, name: str) -> bool:
        """Whether an agent has anything for callers who prove nothing."""
        snapshot = self._gateway.snapshot
        if self._open[0] != snapshot.version:
            named = (entry.agent for entry in snapshot.newest if entry.spec.public and "net" in entry.spec.exposure)
            self._open = (snapshot.version, frozenset(named))
        return name in self._open[1]

    async def public(self, agent: CardAgent) -> Document:
        """What it shows everybody: the capabilities that anybody may call."""
        shown = await self._shown(agent, ANONYMOUS)
        found = self._made.get((agent, shown))
        return found if found is not None else self._keep(agent, shown, last=True)

    async def extended(self, agent: CardAgent, principal: Principal) -> Document:
        """What it shows one caller: all that this one may call."""
        shown = await self._shown(agent, principal)
        found = self._made.get((agent, shown))
        return found if found is not None else self._keep(agent, shown, last=False)

    def keys(self, agent: CardAgent) -> Document:
        """The key that signs its cards, as a JSON Web Key Set."""
        made = self._keys.get(agent.name)
        if made is not None and made[0] is agent:
            return made[1]
        document = Document.of(key_set(agent.identity.signer), self._clock.now())
        if made is not None and made[1].body == document.body:
            document = made[1]
        self._keys[agent.name] = (agent, document)
        return document

    async def _shown(self, agent: CardAgent, principal: Principal) -> tuple[Entry, ...]:
        visible = await self._gateway.visible(principal, _DOOR)
        return tuple(entry for entry in visible if entry.agent == agent.name and entry.spec.kind == "tool")

    def _keep(self, agent: CardAgent, shown: tuple[Entry, ...], *, last: bool) -> Document:
        """Make a card; the one before stays where nothing in it has changed, so that its ETag holds."""
        card = card_of(agent, shown, self._base)
        before = self._last.get(agent.name)
        same = before is not None and before[:2] == (agent, card)
        document = before[2] if before is not None and same else self._signed(agent, card)
        if last:
            self._last[agent.name] = (agent, card, document)
        while len(self._made) >= _KEPT:
            del self._made[next(iter(self._made))]
        self._made[agent, shown] = document
        return document

    def _signed(self, agent: CardAgent, card: JsonObject) -> Document:
        both = with_old_members(card)
        keys_url = f"{self._base}{keys_path(agent.name)}"
        signed = {**both, "signatures": signatures((card, both), agent.identity.signer, keys_url)}
        return Document.of(signed, self._clock.now())
