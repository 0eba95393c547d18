"""An agent of this node as its documents show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from moothall.identity.keys import Signer


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
        did, document: its identifier, and the bytes of its DID document.
        document_path: the path of that document, which its DID dictates.
        description: what it is good for.
        created: when it came to be.
        signer: the key that vouches for it.
        owner: who runs it.
        listed: whether the discovery list names it; its own documents are served either way.
    """

    name: str
    did: str
    document: bytes
    document_path: str
    description: str
    created: datetime
    signer: Signer
    owner: Owner
    listed: bool = True


Hosted = Callable[[], Mapping[str, HostedAgent]]
"""The agents of this node by name, as they are now; an agent that changed is another object."""
