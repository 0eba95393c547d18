"""Proof of code that others made: it is what its hash says, and an agent vouches for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.codegen.kept import document_digest
from moothall.codegen.module import Kind, Module
from moothall.codegen.sharing import GET, Digest, Shared
from moothall.codegen.signing import verify
from moothall.errors import IntegrityError, InvalidInput, Told, UpstreamInvalid
from moothall.grants.ports import Documents
from moothall.identity.keystore import DEFAULT_AGENT

LONGEST: Final = 60.0
"""Seconds: another node is asked for the code, and one for the document of the agent that vouches."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Code that is what its hash says; ``by``: the DID of the agent that vouches for it."""

    module: Module
    shared: Shared
    by: str


class Proof(BaseModel):
    """What was found out about code.

    Attributes:
        hash, protocol, kind: of the code.
        by: the DID of the agent that vouches for it.
    """

    model_config = ConfigDict(frozen=True)

    hash: str
    protocol: str
    kind: Kind
    by: str


async def proved(said: object, digest: str, documents: Documents) -> Proved:
    """What another node gave out as the code of a hash, once that is proved.

    Raises:
        IntegrityError: it is not what its hash says, nobody vouches for it, or its document is another one.
        UpstreamInvalid: it has another form.
        MoothallError: the document of the agent that vouches cannot be had (`signing.verify`).
    """
    try:
        shared = Shared.model_validate(said)
        module = Module.of(shared.module)
        found = module.hash
    except (ValueError, RecursionError, InvalidInput) as error:  # ValueError: pydantic's, and of what is too deep
        raise UpstreamInvalid("the other side gave something else", told=Told("codegen.routine.other")) from error
    if found != digest or document_digest(shared.document) != module.manifest.protocol:
        raise IntegrityError("not what its hash says", told=Told("codegen.routine.other"))
    return Proved(module, shared, await verify(shared.token, digest, documents))


class RoutineProofs:
    """The capability ``routines.verify`` of a node; ``documents`` finds the documents of DIDs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @capability(name="routines.verify", timeout=LONGEST, open_world=True, read_only=True, idempotent=True)
    async def verify(
        self,
        ctx: CallContext,
        digest: Digest,
        peer: Annotated[str, Field(max_length=1_024, pattern="^(did:.+)?$")] = "",
    ) -> Proof:
        """Prove code: its hash, the hash of its document, and the signature of the agent that vouches for it.

        Nothing is kept, and nothing of the code runs.

        Args:
            ctx: who calls.
            digest: the hash of the code.
            peer: the DID of an agent at whose node it is; empty: this node.

        Raises:
            ServiceNotFoundError: there is none, or others may not have it.
            MoothallError: as `proved`, and as the call of the other node.
        """
        target = f"{peer}#{GET}" if peer else f"local:{DEFAULT_AGENT}.{GET}"
        found = await proved(await ctx.call(target, {"digest": digest}), digest, self._documents)
        manifest = found.module.manifest
        return Proof(hash=digest, protocol=manifest.protocol, kind=manifest.kind, by=found.by)
