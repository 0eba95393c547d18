"""The HTTP door of capabilities as this server opens it: its terms, and no address that the API has already."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Match

from moothall.errors import Conflict, Told
from moothall.messages import Lang
from moothall.protocols.http.routes import Routes
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
        heartbeat=parts.heartbeat,
    )
    door = HttpDoor(parts.gateway, terms)
    _leave_ours(door.routes, api)
    return door


def _leave_ours(routes: Routes, api: FastAPI) -> None:
    for path, verbs in routes.paths.items():
        for verb in verbs:
            scope = {"type": "http", "path": path, "method": verb, "headers": [], "path_params": {}, "root_path": ""}
            if any(route.matches(scope)[0] is not Match.NONE for route in api.routes):
                raise Conflict(
                    f"a capability wants {path}, which the node has itself",
                    told=Told("protocols.path_ours", {"path": path}),
                    hint="give it another path in @api_service",
                )
