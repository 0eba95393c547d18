"""The HTTP door of capabilities as this server opens it: its terms, and no address that the API has already."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Match

from moothall.messages import Lang
from moothall.protocols.http.server import HttpDoor
from moothall.protocols.http.terms import Terms
from moothall.server.cors import Cors
from moothall.server.language import accepted
from moothall.server.parts import ServerParts


def open_http(parts: ServerParts, api: FastAPI, cors: Cors, lang: Lang) -> HttpDoor:
    """The door.

    Raises:
        Conflict: a capability wants an address of the API.
    """
    terms = Terms(
        clock=parts.clock,
        max_body=parts.settings.max_call_body,
        lang=lang,
        accepted=accepted,
        origins=cors.origins,
        welcome=parts.verifier.welcome,
        challenge=parts.challenger.of,
        taken=lambda path: _has(api, path) or any(door.claims(path) for door in parts.doors),
        heartbeat=parts.heartbeat,
    )
    return HttpDoor(parts.gateway, terms)


def _has(api: FastAPI, path: str) -> bool:
    """Whether the API answers at a path, whatever the verb."""
    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "path_params": {}, "root_path": ""}
    return any(route.matches(scope)[0] is not Match.NONE for route in api.routes)
