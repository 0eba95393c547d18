"""What can be found and called: one description for capabilities here, elsewhere, and for whole agents. Pure.

Everything in it that another party wrote is data: it is shown, compared and searched, never obeyed, and says nothing
about trust or rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["capability", "agent", "resource"]
Way = Literal["local", "http", "mcp", "a2a", "anp"]
"""How it is called."""

Standing = Literal["listed", "changed", "refused", "expired"]
"""``changed``: its description is another than the one that was looked at, and has to be looked at again;
``refused``: something is wrong with it; ``expired``: its place does not list it any more. Only the first is called."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a description comes from.

    Attributes:
        source: the URL that it was read at; empty: this node.
        seen_at: when it was read last.
        digest: ``sha256:…`` of it.
        pinned: the digest of the one that may be used; empty: none was looked at.
        expires_at: after which it counts for nothing.
    """

    source: str = ""
    seen_at: datetime | None = None
    digest: str = ""
    pinned: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Something that can be found.

    Attributes:
        target: what calls it (`calls.target`), unique; for an agent, what describes it.
        kind, way: what it is, and how it is called.
        name: short; of a capability ``AGENT.NAME``.
        description: in whatever language its author writes.
        tags: words of its author's, and concept ids.
        agent: the agent's name here, or its DID.
        owner: whose it is: a DID or a user; empty: nobody says.
        place: a city, as its author writes it.
        offers_from: moments (dates as ``YYYY-MM-DD``) from and until which it is there; empty: always.
        languages: that it speaks, as BCP 47 has them.
        version: of a capability.
        input_schema, output_schema: JSON Schema; empty: unknown.
        read_only, idempotent, destructive: what it says of its effects.
        streams: whether it yields values one by one.
        public: whether callers need no right to know of it.
        trust: 0 to 10, given by this node, never by the other side.
        standing, why: whether it may be used, and the code of the error that says why not.
        provenance: where this comes from.
    """

    target: str
    kind: Kind = "capability"
    way: Way = "local"
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    agent: str = ""
    owner: str = ""
    place: str = ""
    offers_from: str = ""
    offers_until: str = ""
    languages: tuple[str, ...] = ()
    version: str = ""
    input_schema: Mapping[str, Any] = field(default_factory=dict)
    output_schema: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False
    idempotent: bool = False
    destructive: bool = False
    streams: bool = False
    public: bool = False
    trust: int = 0
    standing: Standing = "listed"
    why: str = ""
    provenance: Provenance = Provenance()

    @property
    def local(self) -> bool:
        """Whether it is of this node."""
        return not self.provenance.source
