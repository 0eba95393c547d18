"""What a request says of itself beside what it asks: its tenant, and what a call needs to know. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Final

from moothall.calls.ports import CallFacts
from moothall.capability.spec import JsonObject
from moothall.identity.principal import Principal
from moothall.messages import Lang
from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.operations import Visit
from moothall.protocols.a2a.reading import LONGEST, fault
from moothall.protocols.approving import APPROVAL, PURPOSE, approval_of, purpose_of

DOOR: Final = "a2a"
KEY, TIMEOUT, HOPS = "moothall/idempotencyKey", "moothall/timeout", "moothall/hops"
"""Metadata of a request."""

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_MOST_HOPS: Final = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks an agent, before the request was read; attributes as `Visit` and `CallFacts`."""

    agent: str
    principal: Principal
    request_id: str
    address: str
    extensions: frozenset[str]
    lang: Lang

    def visit(self, request: JsonObject, tenant: str) -> Visit:
        """The visit that a request makes of it.

        Raises:
            InvalidParams: metadata that means something here does not have its form.
        """
        facts = CallFacts(door=DOOR, principal=self.principal, request_id=self.request_id, address=self.address)
        metadata = request.get("metadata")
        if metadata:
            facts.idempotency_key = _key(metadata)
            facts.timeout = _seconds(metadata)
            facts.hops = _hops(metadata)
            facts.approval = _said(metadata, APPROVAL, approval_of)
            facts.purpose = _said(metadata, PURPOSE, purpose_of)
        return Visit(agent=self.agent, facts=facts, tenant=tenant, extensions=self.extensions, lang=self.lang)


def tenant_of(request: object, path: str = "") -> str:
    """The tenant that a request names, in its path or in itself.

    Raises:
        InvalidParams: it is no text, or names two.
    """
    named = request.get("tenant") if isinstance(request, dict) else None
    if not path.isprintable():
        raise fault("tenant", "text")
    if named is None or named == "":
        return path
    if not isinstance(named, str) or len(named) > LONGEST or not named.isprintable():
        raise fault("tenant", "text")
    if path and named != path:
        raise fault("tenant", "twice")
    return named


def _key(metadata: JsonObject) -> str | None:
    key = metadata.get(KEY)
    if key is None:
        return None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _bad(KEY)
    return key


def _seconds(metadata: JsonObject) -> float | None:
    seconds = metadata.get(TIMEOUT)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds) or seconds <= 0:
        raise _bad(TIMEOUT)
    return float(seconds)


def _hops(metadata: JsonObject) -> int:
    hops = metadata.get(HOPS, 0)
    if isinstance(hops, float) and hops.is_integer():  # clients that know one kind of number only
        hops = int(hops)
    if isinstance(hops, bool) or not isinstance(hops, int) or not 0 <= hops <= _MOST_HOPS:
        raise _bad(HOPS)
    return hops


def _said(metadata: JsonObject, name: str, read: Callable[[object], str | None]) -> str:
    if name not in metadata:
        return ""
    known = read(metadata[name])
    if known is None:
        raise _bad(name)
    return known


def _bad(name: str) -> InvalidParams:
    return InvalidParams("wire.metadata", {"field": name})
