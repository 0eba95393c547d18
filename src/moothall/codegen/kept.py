"""What is kept of agreed protocols: documents, tested code, who agreed on what; each is what its hash says. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pydantic

from moothall.canonical import canonical, loads, sha256
from moothall.codegen.module import JsonObject, Module
from moothall.codegen.signing import take_apart
from moothall.errors import IntegrityError, Told

Role = Literal["requester", "provider"]


@dataclass(frozen=True, slots=True)
class Routine:
    """A module as it is kept.

    Attributes:
        hash: its name between agents and nodes.
        module: what it is.
        token: by which an agent vouches for it.
        origin: the DID of whoever it was fetched from; empty: it was made here.
        tested_at: when it passed the gate here; None: it did not yet, and must not be used.
        created_at: since when it is here.
    """

    hash: str
    module: Module = field(repr=False)
    token: str = field(repr=False)
    origin: str
    tested_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeptProtocol:
    """An agreed document, by ``sha256:…`` of its text, and what was derived from it."""

    digest: str
    document: str = field(repr=False)
    artifact: JsonObject = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which protocol answers a need with a peer.

    Attributes:
        need: the digest of the need.
        peer: its DID.
        role: which side this node is.
        agent: the DID of its agent.
        protocol: the digest of the document.
        transcript: of the negotiation; empty where none was needed.
        created_at: when it was written down; `RoutineStore` fills it.
    """

    need: str
    peer: str
    role: Role
    agent: str
    protocol: str
    transcript: str = field(default="", repr=False)
    created_at: datetime | None = None


def bundle(module: Module) -> str:
    """A module as text; the hash of that text is the module's.

    Raises:
        InvalidInput: it has something that no JSON can hold.
    """
    return canonical(module.model_dump(mode="json")).decode()


def document_digest(document: str) -> str:
    """``sha256:…`` of a document, byte for byte; the same as its protocol hash on the wire."""
    return sha256(document.encode("utf-8", "surrogatepass"))


def routine_of(row: Any) -> Routine:  # noqa: ANN401 - a row of the database
    """Read a row.

    Raises:
        IntegrityError: its text is not what its hash says, its other columns do not agree with it, or its token is for
            another module.
    """
    if sha256(row.bundle.encode("utf-8", "surrogatepass")) != row.hash or take_apart(row.token).hash != row.hash:
        raise tampered()
    try:
        module = Module.of(loads(row.bundle))
    except (ValueError, pydantic.ValidationError) as error:
        raise tampered() from error
    said = (module.manifest.protocol, module.manifest.kind, module.manifest.name)
    if said != (row.protocol, row.kind, row.name):
        raise tampered()
    return Routine(row.hash, module, row.token, row.origin, row.tested_at, row.created_at)


def protocol_of(row: Any) -> KeptProtocol:  # noqa: ANN401 - a row of the database
    """Read a row.

    Raises:
        IntegrityError: the document is not what its digest says, or what was derived from it is no JSON object.
    """
    if document_digest(row.document) != row.digest:
        raise tampered()
    try:
        artifact = loads(row.artifact)
    except ValueError as error:
        raise tampered() from error
    if not isinstance(artifact, dict):
        raise tampered()
    return KeptProtocol(row.digest, row.document, artifact, row.created_at)


def tampered() -> IntegrityError:
    """The error of something that is kept under a hash that is not its own."""
    return IntegrityError("what is kept under this hash is something else", told=Told("codegen.routine.tampered"))
