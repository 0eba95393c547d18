"""Is the node alive, and can it work? See row NEG-API-25."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from moothall.errors import StorageError
from moothall.server.instance import instance_of
from moothall.server.parts import ServerParts
from moothall.storage import url

STORE_SECONDS = 2.0
"""How long the store may take to answer before the node counts as not ready."""


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    service: Literal["moothall"] = "moothall"
    instance: str


class Readiness(BaseModel):
    """Whether the store answers and the worker takes runs."""

    status: Literal["ready", "unavailable"]
    store: bool
    worker: bool


class HealthRoutes:
    """``/health`` and ``/health/ready``."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._file = url.parse(parts.settings.database_url, parts.settings.data).path
        self._identity = _identity(self._file)

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(tags=["health"])
        router.add_api_route("/health", self.alive, methods=["GET"], summary="Liveness")
        router.add_api_route(
            "/health/ready",
            self.ready,
            methods=["GET"],
            summary="Readiness",
            responses={503: {"model": Readiness, "description": "Not ready"}},
        )
        return router

    async def alive(self) -> Alive:
        """Answer at all."""
        return Alive(instance=instance_of(self._parts.owner_token))

    async def ready(self, response: Response) -> Readiness:
        """Answer 200 when the node can take and work demands, else 503."""
        store, worker = await self._store_answers(), self._parts.ready()
        if not (store and worker):
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return Readiness(status="unavailable", store=store, worker=worker)
        return Readiness(status="ready", store=True, worker=True)

    async def _store_answers(self) -> bool:
        """Whether the store can be read, and is still the one that others will find at its place."""
        if _identity(self._file) != self._identity:
            return False
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._parts.log.runs(limit=1)
        except (TimeoutError, StorageError):
            return False
        return True


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Device and inode of a file: SQLite goes on in a file that was deleted, where everything written is lost."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
