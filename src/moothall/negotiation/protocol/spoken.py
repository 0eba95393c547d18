"""Protocols that an agent of this node can speak with another one, and who speaks. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from moothall.codegen.kept import Routine
from moothall.negotiation.protocol.document import ProtocolDocument

Source = Literal["kept", "shared", "negotiated"]
"""Where a protocol comes from: agreed on before, got with its code from the other side's node, or agreed on now."""


class SpokenProtocol(BaseModel):
    """A protocol that an agent can speak with another one.

    Attributes:
        negotiation: the id of the negotiation, where there was one.
        peer: the DID of the provider.
        protocol: ``sha256:…`` of the document.
        capability: what is called at the provider.
        routine: the hash of this side's tested code.
        source: see `Source`.
    """

    model_config = ConfigDict(frozen=True)

    negotiation: str = ""
    peer: str
    protocol: str
    capability: str
    routine: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """An agent of this node that wants something; ``calls`` makes its calls."""

    name: str
    did: str
    calls: Callable[[str, Mapping[str, Any]], Awaitable[Any]] = field(repr=False)


def spoken_of(peer: str, document: ProtocolDocument, routine: Routine, source: Source) -> SpokenProtocol:
    """A protocol with this side's code."""
    return SpokenProtocol(
        peer=peer, protocol=document.digest, capability=document.name, routine=routine.hash, source=source
    )
