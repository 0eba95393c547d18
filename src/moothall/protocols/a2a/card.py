"""The card of an agent (A2A 1.0 §4.4, §8), with the members by which clients of 0.3 read it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Protocol

from moothall.canonical import dumps
from moothall.capability.effects import effects
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.identity.agent import AgentIdentity
from moothall.messages import text
from moothall.protocols.a2a.addresses import call_path
from moothall.protocols.a2a.versions import CAPABILITIES

JSON_MODE: Final = "application/json"
TEXT_MODE: Final = "text/plain"

_VERSION: Final = "1.0.0"
_REVISION: Final = 12
"""Hexadecimal digits that tell one state of a card from another, in its version."""

_SAFE: Final = 2**53 - 1
_DID, _BEARER = "didwba", "bearer"


class CardOwner(Protocol):
    """Who runs an agent."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    @property
    def url(self) -> str:
        """An address, or nothing."""
        ...


class CardAgent(Protocol):
    """An agent of this node, as far as its card shows it."""

    @property
    def name(self) -> str:
        """Its name in paths."""
        ...

    @property
    def description(self) -> str:
        """What it is good for."""
        ...

    @property
    def identity(self) -> AgentIdentity:
        """Its DID and key."""
        ...

    @property
    def owner(self) -> CardOwner:
        """Who runs it."""
        ...


def card_of(agent: CardAgent, entries: Sequence[Entry], base: str) -> JsonObject:
    """The card in the form of 1.0, without signatures.

    Args:
        agent: whose card it is.
        entries: the capabilities that it shows.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
    """
    guarded = not any(entry.spec.public for entry in entries)
    card: JsonObject = {
        "name": agent.name,
        "description": agent.description or f"The agent {agent.name}",
        "supportedInterfaces": _interfaces(f"{base}{call_path(agent.name)}"),
        "provider": {"organization": agent.owner.name, "url": agent.owner.url or base},
        "capabilities": {
            "streaming": True,
            "pushNotifications": True,
            "extendedAgentCard": True,
            "extensions": [_extension(entries)],
        },
        "securitySchemes": {
            name: {"httpAuthSecurityScheme": {"scheme": scheme, "description": text(f"a2a.wire.{name}", "en")}}
            for name, scheme in ((_DID, "DIDWba"), (_BEARER, "Bearer"))
        },
        "defaultInputModes": [JSON_MODE, TEXT_MODE],
        "defaultOutputModes": [JSON_MODE],
        "skills": [_skill(entry, guarded=not guarded and not entry.spec.public) for entry in entries],
    }
    if guarded:
        card["securityRequirements"] = _requirements()
    revision = hashlib.sha256(dumps(card)).hexdigest()[:_REVISION]
    return {**card, "version": f"{_VERSION}+{revision}"}


def with_old_members(card: JsonObject) -> JsonObject:
    """The same with the members that 0.3 had; whoever reads 1.0 leaves them alone."""
    schemes = {
        name: {**scheme, "type": "http", **scheme["httpAuthSecurityScheme"]}
        for name, scheme in card["securitySchemes"].items()
    }
    skills = [_old_security(skill) for skill in card["skills"]]
    return _old_security(
        {
            **card,
            "securitySchemes": schemes,
            "skills": skills,
            "protocolVersion": "0.3.0",
            "url": card["supportedInterfaces"][0]["url"],
            "preferredTransport": "JSONRPC",
            "supportsAuthenticatedExtendedCard": True,
        }
    )


def _interfaces(url: str) -> list[JsonObject]:
    return [
        {"url": url, "protocolBinding": binding, "protocolVersion": version}
        for binding, version in (("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3"))
    ]


def _extension(entries: Sequence[Entry]) -> JsonObject:
    """The extension with the schemas of all skills."""
    extension: JsonObject = {"uri": CAPABILITIES, "description": text("a2a.wire.schemas", "en")}
    if entries:
        extension["params"] = {"skills": {entry.spec.name: _schemas(entry) for entry in entries}}
    return extension


def _schemas(entry: Entry) -> JsonObject:
    schemas: JsonObject = {"input_schema": _signable(entry.input_schema)}
    if entry.output_schema is not None:
        output = _signable(entry.output_schema)
        schemas["output_schema"] = _list_of(output) if entry.streams else output
    if hints := effects(entry):
        schemas["annotations"] = hints
    return schemas


def _list_of(schema: JsonObject) -> JsonObject:
    """The schema of a list; references point at definitions in its root, so these move there."""
    shared = {key: value for key, value in schema.items() if key == "$defs"}
    return {"type": "array", "items": {key: value for key, value in schema.items() if key != "$defs"}, **shared}


def _skill(entry: Entry, *, guarded: bool) -> JsonObject:
    spec = entry.spec
    skill: JsonObject = {
        "id": spec.name,
        "name": spec.name,
        "description": spec.description or f"{spec.name} of {entry.agent}",
        "tags": list(spec.tags) or [entry.agent],
    }
    return {**skill, "securityRequirements": _requirements()} if guarded else skill


def _requirements() -> list[JsonObject]:
    """Either of the ways in which a caller can prove itself."""
    return [{"schemes": {name: {}}} for name in (_DID, _BEARER)]


def _old_security(shown: JsonObject) -> JsonObject:
    requirements = shown.get("securityRequirements")
    if requirements is None:
        return shown
    return {**shown, "security": [{name: [] for name in each["schemes"]} for each in requirements]}


def _signable(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A schema without integers that have no canonical form, such as the bounds of a 64-bit number."""
    if isinstance(schema, dict):
        return {key: _signable(value) for key, value in schema.items() if not _huge(value)}
    if isinstance(schema, list):
        return [_signable(value) for value in schema if not _huge(value)]
    return schema


def _huge(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > _SAFE
