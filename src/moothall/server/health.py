"""Is the node alive, and can it work? See row NEG-API-25."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from moothall.errors import StorageError
from moothall.messages import Lang, text
from moothall.server.instance import instance_of
from moothall.server.parts import ServerParts
from moothall.server.replies import client_language
from moothall.storage import url

STORE_SECONDS = 2.0
"""How long the store may take to answer before the node counts as not ready."""


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    service: Literal["moothall"] = "moothall"
    instance: str


class Readiness(BaseModel):
    """Whether the store can be read and written and the worker takes runs."""

    status: Literal["ready", "unavailable"]
    store: bool
    worker: bool
    why: list[str] = Field(default=[], description="What is missing, in the client's language")


class Condition:
    """The condition of a node, found out anew each time."""

    def __init__(self, parts: ServerParts, lang: Lang) -> None:
        self._parts = parts
        self._lang = lang
        self._file = url.parse(parts.settings.database_url, parts.settings.data).path
        self._identity = _identity(self._file)

    async def readiness(self, request: Request) -> Readiness:
        """Whether the node can take and work demands."""
        lang = client_language(request.scope, self._lang)
        problem, worker = await self._store_problem(), self._parts.ready()
        why = [text(f"server.unready.{key}", lang) for key in (problem, "" if worker else "worker") if key]
        return Readiness(status="unavailable" if why else "ready", store=not problem, worker=worker, why=why)

    async def _store_problem(self) -> str:
        """What is wrong with the store; empty when it can be used and is the one that others find at its place."""
        if _identity(self._file) != self._identity:
            return "store_gone"
        step = "store_silent"
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._parts.log.runs(limit=1)
                step = "store_readonly"
                return "" if await self._parts.log.writable() else step
        except (TimeoutError, StorageError):
            return step


class HealthRoutes:
    """``/health`` and ``/health/ready``."""

    def __init__(self, parts: ServerParts, condition: Condition) -> None:
        self._instance = instance_of(parts.owner_token)
        self._condition = condition

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
        return Alive(instance=self._instance)

    async def ready(self, request: Request, response: Response) -> Readiness:
        """Answer 200 when the node can take and work demands, else 503 with what is missing."""
        found = await self._condition.readiness(request)
        if found.status != "ready":
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return found


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Device and inode of a file: SQLite goes on in a file that was deleted, where everything written is lost."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
