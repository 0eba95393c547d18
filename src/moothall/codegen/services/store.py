"""The tables of generated services: versions are only ever added; which of them answers is one row that is replaced."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError as Taken

from moothall.clock import Clock
from moothall.codegen.services.records import ServiceRecord, VersionRecord, granted, state_of
from moothall.errors import Conflict, IntegrityError, ServiceNotFoundError, Told
from moothall.storage.agreed import service, service_version
from moothall.storage.prepared import Prepared
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("codegen.services")
_s: Final = service.c
_v: Final = service_version.c
_ONE: Final = Prepared(lambda _: sa.select(service).where(_s.name == sa.bindparam("name")))


class ServiceStore:
    """What a node keeps of its generated services. Every method raises StorageError where the database fails."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, name: str) -> ServiceRecord | None:
        """Where a service stands."""
        row = await self._store.glance(partial(_row, name=name))
        return None if row is None else _record(row)

    async def get(self, name: str) -> ServiceRecord:
        """The same.

        Raises:
            ServiceNotFoundError: there is none of that name.
        """
        record = await self.find(name)
        if record is None:
            raise ServiceNotFoundError("there is no such service", told=Told("codegen.service.none"))
        return record

    async def all(self) -> list[ServiceRecord]:
        """All of them, by name; a row that makes no sense is left out, and the log says so."""
        rows = await self._store.read(lambda connection: connection.execute(sa.select(service).order_by(_s.name)).all())
        found: list[ServiceRecord] = []
        for row in rows:
            try:
                found.append(_record(row))
            except IntegrityError as error:
                _log.error("the service %s is left out: %s", row.name, error.message)
        return found

    async def versions(self, name: str) -> list[VersionRecord]:
        """The versions of a service, the oldest first."""
        chosen = sa.select(service_version).where(_v.service == name).order_by(_v.created_at, _v.version)
        return [_version(row) for row in await self._store.read(lambda connection: connection.execute(chosen).all())]

    async def version(self, name: str, version: str) -> VersionRecord:
        """One version.

        Raises:
            ServiceNotFoundError: there is none.
        """
        found = next((each for each in await self.versions(name) if each.version == version), None)
        if found is None:
            raise ServiceNotFoundError("there is no such version", told=Told("codegen.service.no_version"))
        return found

    async def add(self, made: VersionRecord) -> ServiceRecord:
        """Keep a version; the first one begins the service, and a service that nobody else sees answers with it.

        Raises:
            Conflict: there is another one of that number: what is kept is never replaced.
        """
        return _record(await self._store.write(partial(_add, made=made, now=self._clock.now())))

    async def change(self, before: ServiceRecord, **values: Any) -> ServiceRecord:  # noqa: ANN401 - columns
        """Change where a service stands.

        Raises:
            Conflict: it stands elsewhere by now than ``before`` says.
        """
        after = replace(before, **values, revision=before.revision + 1)
        changed = {key: value for key, value in asdict(after).items() if key != "name"}
        this = (
            sa.update(service)
            .where(_s.name == before.name, _s.revision == before.revision)
            .values(**changed, updated_at=self._clock.now())
        )
        if not await self._store.write(lambda connection: connection.execute(this).rowcount):
            raise Conflict("the service has changed meanwhile", told=Told("codegen.service.changed"))
        return after

    async def asked(self, name: str, version: str, approval: str) -> None:
        """Note which approval a version waits for; one that was given stays."""
        await self._store.write(partial(_approval, name=name, version=version, approval=approval))

    async def approved(self, name: str, version: str) -> None:
        """Note that a person agreed."""
        known = await self.version(name, version)
        await self._store.write(partial(_approval, name=name, version=version, approval=granted(known.approval)))


def _row(connection: Connection, name: str) -> Any:  # noqa: ANN401 - a row
    return next(iter(_ONE.rows(connection, name=name)), None)


def _add(connection: Connection, made: VersionRecord, now: Any) -> Any:  # noqa: ANN401 - a time, a row
    row = connection.execute(
        sa.select(service_version).where(_v.service == made.service, _v.version == made.version)
    ).first()
    if row is not None and row.hash != made.hash:
        raise _taken()
    if row is None:
        values = {**asdict(made), "created_at": now}
        try:
            connection.execute(sa.insert(service_version).values(values))
        except Taken as error:
            raise _taken() from error
    known = _row(connection, made.service)
    if known is None:
        begun = {"name": made.service, "live": made.version, "state": "waiting", "updated_at": now}
        try:
            connection.execute(sa.insert(service).values(begun))
        except Taken as error:  # another process began it just now
            raise _taken() from error
    elif not known.published and row is None:
        this = sa.update(service).where(_s.name == made.service)
        changed = {"live": made.version, "state": "waiting", "reason": "", "revision": known.revision + 1}
        connection.execute(this.values(**changed, updated_at=now))
    return connection.execute(sa.select(service).where(_s.name == made.service)).one()


def _approval(connection: Connection, name: str, version: str, approval: str) -> None:
    this = sa.update(service_version).where(_v.service == name, _v.version == version)
    if approval.startswith(granted("")):
        connection.execute(this.values(approval=approval))
    else:
        connection.execute(this.where(sa.not_(_v.approval.startswith(granted("")))).values(approval=approval))


def _taken() -> Conflict:
    return Conflict("there is another version of this number", told=Told("codegen.service.version_taken"))


def _record(row: Any) -> ServiceRecord:  # noqa: ANN401 - a row
    return ServiceRecord(
        name=row.name,
        live=row.live,
        canary=row.canary,
        share=row.share,
        state=state_of(row.state),
        reason=row.reason,
        published=bool(row.published),
        revision=row.revision,
    )


def _version(row: Any) -> VersionRecord:  # noqa: ANN401 - a row
    return VersionRecord(
        service=row.service,
        version=row.version,
        hash=row.hash,
        requirement=row.requirement,
        approval=row.approval,
        created_at=row.created_at,
    )
