"""The documents of the agents as bytes, made once for each state of the registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final, TypeVar
from urllib.parse import urlsplit

from moothall.canonical import dumps
from moothall.capability.registry import Snapshot
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.identity.description_proof import sign_description
from moothall.protocols.anp.description import authorized_by_people, description
from moothall.protocols.anp.discovery import pages
from moothall.protocols.anp.hosted import Hosted, HostedAgent
from moothall.protocols.anp.methods import Methods, methods_by_agent, methods_of
from moothall.protocols.anp.negotiating import NEGOTIATES
from moothall.protocols.anp.openrpc import interface

_TAG: Final = 32
"""Hexadecimal digits of an ETag."""

_KEPT: Final = 1024
"""Documents that are kept ready."""

K = TypeVar("K")
V = TypeVar("V")

_CHALLENGE: Final = 16
"""Bytes of what tells one signing from another."""


@dataclass(frozen=True, slots=True)
class Document:
    """JSON ready to send, with its entity tag in quotes."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, value: JsonObject) -> Document:
        """A JSON object as a document."""
        # Not the strict form: the bounds in a schema may lie beyond 2^53.
        return cls.ready(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())

    @classmethod
    def ready(cls, body: bytes) -> Document:
        """A document that is made of bytes already."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:_TAG]}"')


@dataclass(frozen=True, slots=True)
class _State:
    """What holds as long as the registry and the agents stay as they are; documents are made when first asked for."""

    version: int
    hosted: Mapping[str, HostedAgent]
    methods: Mapping[str, Methods]
    public: Mapping[str, frozenset[str]]
    paths: Mapping[str, HostedAgent]
    dids: Mapping[str, HostedAgent]
    negotiates: bool = False
    made: dict[tuple[str, ...], Document] = field(default_factory=dict)


def no_frames(_agent: str) -> str:
    """No address: frames are not spoken here."""
    return ""


class Published:
    """The documents that an ANP door serves.

    Args:
        snapshot: the capabilities as they are now.
        hosted: the agents as they are now.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
        clock: dates the proofs.
        openapi: the path of the OpenAPI document of the plain HTTP door; empty where there is none.
        frames: the address at which an agent negotiates in frames, by its name; empty where it does not.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        hosted: Hosted,
        base: str,
        clock: Clock,
        *,
        openapi: str = "",
        frames: Callable[[str], str] = no_frames,
    ) -> None:
        self._snapshot = snapshot
        self._hosted = hosted
        self._base = base
        self._clock = clock
        self._openapi = openapi
        self._frames = frames
        self._state = _State(-1, {}, {}, {}, {}, {})
        self._unsigned: dict[tuple[str, str], tuple[HostedAgent, Document]] = {}

    def agent(self, name: str) -> HostedAgent | None:
        """An agent of this node."""
        return self._now().hosted.get(name)

    def agent_of(self, did: str) -> HostedAgent | None:
        """The agent of this node that has this DID."""
        return self._now().dids.get(did)

    def open_methods(self, agent: str) -> frozenset[str]:
        """The names of the methods that anybody may call without saying who they are."""
        return self._now().public.get(agent, frozenset())

    def description(self, agent: HostedAgent, seen: Container[str]) -> Document:
        """Its `ad.json`, signed, for a reader who may know of the capabilities with the ids ``seen``."""
        state = self._now()
        methods = _among(methods_of(agent.name, state.methods), seen)
        key = ("ad", agent.name, self._frames(agent.name), *methods)
        if key not in state.made:
            _keep(state.made, key, self._signed(agent, methods))
        return state.made[key]

    def interface(self, agent: HostedAgent, seen: Container[str], *, waiting: bool | None = None) -> Document:
        """Its `interface.json` for such a reader.

        ``waiting`` leaves those methods that do, or do not, wait for a person's approval.
        """
        state = self._now()
        methods = _among(methods_of(agent.name, state.methods), seen)
        if waiting is not None:
            methods = authorized_by_people(methods, wanted=waiting)
        key = ("interface", agent.name, *methods)
        if key not in state.made:
            _keep(state.made, key, Document.of(interface(agent, methods, self._base)))
        return state.made[key]

    def page(self, number: int) -> Document | None:
        """A page of the list of agents, counted from 1; agents that offer the network nothing are not on it."""
        state = self._now()
        if ("page", "1") not in state.made:
            listed = sorted(name for name, agent in state.hosted.items() if agent.listed and name in state.methods)
            for index, page in enumerate(pages(listed, self._base), 1):
                state.made["page", str(index)] = Document.of(page)
        return state.made.get(("page", str(number)))

    def identity(self, path: str) -> Document | None:
        """The DID document whose DID names this path."""
        state = self._now()
        key = ("did", path)
        if key not in state.made:
            agent = state.paths.get(path)
            if agent is None:
                return None
            state.made[key] = Document.ready(agent.identity.body)
        return state.made[key]

    def _now(self) -> _State:
        snapshot, hosted = self._snapshot(), self._hosted()
        state = self._state
        if state.version != snapshot.version or state.hosted != hosted:
            methods = methods_by_agent(snapshot)
            public = {
                agent: frozenset(name for name, entry in among.items() if entry.spec.public)
                for agent, among in methods.items()
            }
            paths = {agent.document_path: agent for agent in hosted.values()}
            dids = {agent.did: agent for agent in hosted.values()}
            negotiates = snapshot.find(NEGOTIATES) is not None
            self._state = state = _State(snapshot.version, dict(hosted), methods, public, paths, dids, negotiates)
            self._unsigned = {key: kept for key, kept in self._unsigned.items() if hosted.get(key[0]) is kept[0]}
        return state

    def _signed(self, agent: HostedAgent, methods: Methods) -> Document:
        """The signed description; one made before is kept where nothing in it has changed, so that its ETag holds."""
        plain = description(
            agent,
            methods,
            self._base,
            openapi=self._openapi,
            negotiates=self._state.negotiates,
            frames=self._frames(agent.name),
        )
        content = dumps(plain)
        key = (agent.name, hashlib.sha256(content).hexdigest())
        if (before := self._unsigned.get(key)) is not None:
            return before[1]
        signed = sign_description(
            plain,
            agent.identity.signer,
            domain=urlsplit(self._base).netloc,
            challenge=token_hex(_CHALLENGE),
            created=self._clock.now(),
        )
        document = Document.of(signed)
        _keep(self._unsigned, key, (agent, document))
        return document


def _among(methods: Methods, seen: Container[str]) -> Methods:
    """Those of the methods that a reader may know of."""
    return {name: entry for name, entry in methods.items() if entry.id in seen}


def _keep(made: dict[K, V], key: K, value: V) -> None:
    """Keep what was made, and forget the oldest where there is too much: readers may see different things."""
    while len(made) >= _KEPT:
        del made[next(iter(made))]
    made[key] = value
