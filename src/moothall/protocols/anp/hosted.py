"""An agent of this node as its documents show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from moothall.identity.agent import AgentIdentity


@dataclass(frozen=True, slots=True)
class Owner:
    """Who runs an agent, as its description tells it."""

    name: str
    kind: str = "Organization"
    url: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HostedAgent:
    """An agent that this node serves.

    Attributes:
        name: its name in targets and paths.
        identity: its DID, document and key.
        description: what it is good for.
        created: when it came to be.
        owner: who runs it.
        listed: whether the discovery list names it; its own documents are served either way.
    """

    name: str
    identity: AgentIdentity
    description: str
    created: datetime
    owner: Owner
    listed: bool = True

    @property
    def did(self) -> str:
        """Its identifier."""
        return self.identity.did.text

    @property
    def document_path(self) -> str:
        """The path of its DID document, which its DID dictates."""
        return urlsplit(self.identity.did.document_url()).path


Hosted = Callable[[], Mapping[str, HostedAgent]]
"""The agents of this node by name, as they are now; an agent that changed is another object."""
