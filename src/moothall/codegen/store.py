"""What a node keeps of what it agreed on: protocols, tested code, agreements; checked at every read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar, get_args

from moothall.canonical import dumps
from moothall.clock import Clock
from moothall.codegen import rows
from moothall.codegen.kept import (
    Agreement,
    KeptProtocol,
    Role,
    Routine,
    bundle,
    document_digest,
    protocol_of,
    routine_of,
    tampered,
)
from moothall.codegen.module import Kind, Module
from moothall.codegen.signing import take_apart
from moothall.errors import IntegrityError, InvalidInput, ServiceNotFoundError, Told
from moothall.storage.store import Store
from moothall.telemetry import logger

T = TypeVar("T")

_ROLES: Final = frozenset(get_args(Role))
_log = logger("codegen")


class RoutineStore:
    """The protocols, routines and agreements of a node; several processes may work on one store.

    Every method raises StorageError where the database fails; those that read one thing raise IntegrityError where it
    is not what its hash says, whoever changed it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, module: Module, token: str, *, origin: str = "", tested: bool = False) -> Routine:
        """Keep a module; the same one again changes nothing, but that ``tested`` stays once it was.

        Args:
            module: what is kept.
            token: by which an agent vouches for it; whoever calls has verified it, or made it.
            origin: the DID of whoever it came from; empty: it was made here.
            tested: whether it passed the gate here.

        Raises:
            IntegrityError: the token is for another module.
            InvalidInput: the module has something that no JSON can hold, or a name that no database can.
        """
        _check(module.manifest.name)
        now, key = self._clock.now(), module.hash
        if take_apart(token).hash != key:
            raise tampered()
        manifest = module.manifest
        values: dict[str, Any] = {
            "hash": key,
            "protocol": manifest.protocol,
            "kind": manifest.kind,
            "name": manifest.name,
            "bundle": bundle(module),
            "token": token,
            "origin": origin,
            "tested_at": now if tested else None,
            "created_at": now,
        }
        return routine_of(await self._store.write(partial(rows.put_routine, values=values)))

    async def get(self, key: str) -> Routine | None:
        """The routine of this hash."""
        row = await self._store.glance(partial(rows.routine_row, key=key))
        return None if row is None else routine_of(row)

    async def find(self, protocol: str, kind: Kind | None = None) -> list[Routine]:
        """The halves of a protocol: those that were tested here first, the newest of them first; 100 at most.

        What is not what its hash says is left out, and the log says so: one changed row takes no other code away.
        """
        found = await self._store.read(partial(rows.routines_of, digest=protocol, kind=kind))
        return [each for row in found if (each := _whole(routine_of, row)) is not None]

    async def mark_tested(self, key: str) -> None:
        """Note that a routine passed the gate here.

        Raises:
            ServiceNotFoundError: there is none of this hash.
        """
        if not await self._store.write(partial(rows.mark_tested, key=key, at=self._clock.now())):
            raise ServiceNotFoundError("there is no code of this hash", told=Told("codegen.routine.none"))

    async def put_protocol(self, document: str, artifact: Mapping[str, Any]) -> str:
        """Keep a document and what was derived from it; its digest.

        Raises:
            InvalidInput: it is a text that no database can hold.
        """
        _check(document)
        digest, now = document_digest(document), self._clock.now()
        derived = dumps(dict(artifact)).decode()
        values = {"digest": digest, "document": document, "artifact": derived, "created_at": now}
        await self._store.write(partial(rows.put_protocol, values=values))
        return digest

    async def protocol(self, digest: str) -> KeptProtocol | None:
        """The document of this digest."""
        row = await self._store.glance(partial(rows.protocol_row, digest=digest))
        return None if row is None else protocol_of(row)

    async def put_agreement(self, agreed: Agreement) -> None:
        """Write down which protocol answers a need with a peer from now on."""
        values = {
            **_key(agreed.need, agreed.peer, agreed.role, agreed.agent),
            "protocol": agreed.protocol,
            "transcript": agreed.transcript,
            "created_at": self._clock.now(),
        }
        await self._store.write(partial(rows.put_agreement, values=values))

    async def agreement(self, need: str, peer: str, role: Role, agent: str) -> Agreement | None:
        """Which protocol answers a need with a peer."""
        row = await self._store.glance(partial(rows.agreement_row, key=_key(need, peer, role, agent)))
        return None if row is None else _agreement(row)

    async def agreements(self, *, role: Role | None = None, need: str = "", protocol: str = "") -> list[Agreement]:
        """All agreements of which this is so, the newest first; rows that make no sense are left out, as by `find`."""
        said = {"role": role or "", "need": need, "protocol": protocol}
        wanted = {name: value for name, value in said.items() if value}
        found: list[Agreement] = []
        after: tuple[str, ...] | None = None
        while page := await self._store.read(partial(rows.agreement_page, wanted=wanted, after=after)):
            found += [each for row in page if (each := _whole(_agreement, row)) is not None]
            if len(page) < rows.PAGE:
                break
            after = (page[-1].need, page[-1].peer, page[-1].role, page[-1].agent)
        return sorted(found, key=_newest)

    async def forget_agreement(self, need: str, peer: str, role: Role, agent: str) -> bool:
        """Forget an agreement, so that the next need is negotiated anew; False: there was none."""
        return await self._store.write(partial(rows.drop_agreement, key=_key(need, peer, role, agent)))


def _key(need: str, peer: str, role: Role, agent: str) -> dict[str, str]:
    return {"need": need, "peer": peer, "role": role, "agent": agent}


def _check(text: str) -> None:
    """Refuse a text with a NUL, which PostgreSQL cannot hold, or with half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a text that cannot be kept") from None
    if "\0" in text:
        raise InvalidInput("a text that cannot be kept")


def _whole(read: Callable[[Any], T], row: Any) -> T | None:  # noqa: ANN401 - a row of the database
    """What a row is, or None where somebody changed it."""
    try:
        return read(row)
    except IntegrityError as error:
        _log.error("a row of the store is left out: %s", error.message)
        return None


def _newest(agreed: Agreement) -> float:
    """Sorts the newest first."""
    return 0.0 if agreed.created_at is None else -agreed.created_at.timestamp()


def _agreement(row: Any) -> Agreement:  # noqa: ANN401 - a row of the database
    if row.role not in _ROLES:
        raise tampered()
    return Agreement(row.need, row.peer, row.role, row.agent, row.protocol, row.transcript, row.created_at)
