"""HTTP+JSON (A2A 1.0 §11): what a path and a verb ask, and the request made of path, query and body. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError
from moothall.messages import Lang
from moothall.protocols.a2a.failures import InvalidParams, MethodNotFound
from moothall.protocols.a2a.faults import described
from moothall.protocols.a2a.reading import fault
from moothall.protocols.a2a.writing import written

_ROUTES: Final[tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]] = tuple(
    (re.compile(f"{tenant}{path}"), operations)
    for tenant in ("", "/(?P<tenant>[^/]+)")
    for path, operations in (
        (r"/message:send", {"POST": "send_message"}),
        (r"/message:stream", {"POST": "stream_message"}),
        (r"/tasks", {"GET": "list_tasks"}),
        (r"/tasks/(?P<id>[^/]+):cancel", {"POST": "cancel_task"}),
        (r"/tasks/(?P<id>[^/]+):subscribe", {"GET": "subscribe", "POST": "subscribe"}),
        (r"/tasks/(?P<id>[^/]+)", {"GET": "get_task"}),
        (r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs", {"GET": "list_push", "POST": "create_push"}),
        (
            r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs/(?P<id>[^/]+)",
            {"GET": "get_push", "DELETE": "delete_push"},
        ),
        (r"/extendedAgentCard", {"GET": "extended_card"}),
    )
)
"""The first that fits counts: what an address means without a tenant, no tenant's name takes away."""

_QUERY: Final[Mapping[str, tuple[str, ...]]] = {
    "get_task": ("historyLength",),
    "list_tasks": (
        "contextId",
        "status",
        "pageSize",
        "pageToken",
        "historyLength",
        "statusTimestampAfter",
        "includeArtifacts",
    ),
    "list_push": ("pageSize", "pageToken"),
}
"""The parameters that an operation takes from the query."""

_EVERYWHERE: Final = frozenset({"a2a-version", "tenant"})
_NUMBERS: Final = frozenset({"historyLength", "pageSize"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Route:
    """What stands at an address below that of an agent.

    Attributes:
        operations: by verb.
        named: what the path names: the task, the configuration.
        tenant: the tenant in the path.
    """

    operations: Mapping[str, str]
    named: Mapping[str, str]
    tenant: str


def route_at(rest: str) -> Route:
    """Find what a path names.

    Raises:
        MethodNotFound: nothing has this address.
    """
    for pattern, operations in _ROUTES:
        match = pattern.fullmatch(rest)
        if match is not None:
            named = match.groupdict()
            tenant = named.pop("tenant", "")
            return Route(operations, named, tenant)
    raise MethodNotFound("wire.no_address")


def request_of(operation: str, route: Route, query: bytes, body: object) -> JsonObject:
    """The request, not checked yet; what the path names stands there, whatever the body says of it.

    Raises:
        InvalidParams: the body is no object, or contradicts the path, or a parameter cannot be read.
    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise fault("body", "object")
    for name, value in route.named.items():
        said = body.get(name)
        if said is not None and said not in ("", value):
            raise fault(name, "twice")
    return {**body, **_parameters(operation, query), **route.named}


def failure(
    error: MoothallError, request_id: str, lang: Lang, challenge: Mapping[str, object] | None = None
) -> tuple[int, bytes]:
    """Status and body of an error (``google.rpc.Status``), as `faults.described`."""
    form, message, details = described(error, request_id, lang, challenge)
    body = {"code": form.http, "status": form.status, "message": message, "details": details}
    return form.http, written({"error": body})


def _parameters(operation: str, query: bytes) -> JsonObject:
    if not query:
        return {}
    known, found = _QUERY.get(operation, ()), JsonObject()
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise InvalidParams("wire.unknown", {"field": "query"}) from error
    for name, text in pairs:
        if name not in known:
            if name.lower() in _EVERYWHERE:
                continue
            raise fault(name, "unknown")
        value = _value(name, text)
        if found.get(name, value) != value:
            raise fault(name, "twice")
        found[name] = value
    return found


def _value(name: str, text: str) -> object:
    if name in _NUMBERS:
        if not _NUMBER.fullmatch(text):
            raise fault(name, "integer")
        return int(text)
    if name == "includeArtifacts":
        return _FLAGS.get(text, text)
    return text
