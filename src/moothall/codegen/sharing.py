"""Tested code that others may ask for, the same through every door.

Whoever gets some verifies its hash and its signature, and tests it again (`moothall.codegen.fetching`).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.codegen.kept import Routine
from moothall.codegen.module import JsonObject, Kind
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CALLBACK
from moothall.errors import ServiceNotFoundError, Told

FIND: Final = "routines.find"
GET: Final = "routines.get"

MOST_OFFERS: Final = 100
"""Offers of one answer."""

_MOST_PROTOCOLS: Final = 10
"""That are looked through for one need: all code that is found is proved by its hash, which costs time."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Half = Literal["requester", "provider"]


class Offer(BaseModel):
    """Code that can be had: its hash, the digest of its protocol, and which half of it."""

    model_config = ConfigDict(frozen=True)

    hash: Digest
    protocol: Digest
    kind: Half


class Shared(BaseModel):
    """Code as it travels.

    Attributes:
        module: the whole of it; its hash is that of its canonical form.
        token: by which an agent vouches for it.
        document: of its protocol, byte for byte.
    """

    model_config = ConfigDict(frozen=True)

    module: JsonObject
    token: str
    document: Annotated[str, Field(max_length=1024 * 1024)]


def is_shared(routine: Routine) -> bool:
    """Whether others may have it.

    It was tested here, is half of a protocol, and names nothing that this node has: what else a half calls is what its
    agent does behind the protocol.
    """
    manifest = routine.module.manifest
    half: frozenset[Kind] = frozenset({"requester", "provider"})
    open_to_see = manifest.kind in half and manifest.protocol != "" and set(manifest.may_call) <= {CALLBACK}
    return open_to_see and routine.tested_at is not None


class RoutineCapabilities:
    """The capabilities ``routines.*`` of a node."""

    def __init__(self, routines: RoutineStore) -> None:
        self._routines = routines

    @capability(name=FIND, access="authenticated", idempotent=True, read_only=True)
    async def find(
        self, ctx: CallContext, protocol: Digest | None = None, need: Digest | None = None, kind: Half = "requester"
    ) -> list[Offer]:
        """List tested code for a protocol, or for the latest protocols that answer a need here; the best first.

        Args:
            ctx: who calls.
            protocol: the digest of its document.
            need: the digest of the need.
            kind: which half.
        """
        del ctx
        digests = [protocol] if protocol else []
        if need:
            digests += [agreed.protocol for agreed in await self._routines.agreements(need=need)]
        offers: list[Offer] = []
        for digest in list(dict.fromkeys(digests))[:_MOST_PROTOCOLS]:
            shared = [each for each in await self._routines.find(digest, kind) if is_shared(each)]
            offers += [Offer(hash=each.hash, protocol=digest, kind=kind) for each in shared]
        return offers[:MOST_OFFERS]

    @capability(name=GET, access="authenticated", idempotent=True, read_only=True)
    async def get(self, ctx: CallContext, digest: Digest) -> Shared:
        """Hand out tested code by its hash, with the document of its protocol.

        Raises:
            ServiceNotFoundError: there is none, or others may not have it.
        """
        del ctx
        routine = await self._routines.get(digest)
        if routine is None or not is_shared(routine):
            raise _none()
        protocol = await self._routines.protocol(routine.module.manifest.protocol)
        if protocol is None:
            raise _none()
        body = routine.module.model_dump(mode="json")
        return Shared(module=body, token=routine.token, document=protocol.document)


def _none() -> ServiceNotFoundError:
    return ServiceNotFoundError("there is no such code", told=Told("codegen.routine.none"))
