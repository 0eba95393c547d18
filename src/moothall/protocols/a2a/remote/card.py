"""What the card of another agent says, read once. Pure.

A stranger wrote it: what does not have the expected form is passed over or refused, never trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from moothall.capability.spec import JsonObject
from moothall.errors import Told, UpstreamInvalid
from moothall.identity.destination import Origin
from moothall.protocols.a2a.remote.places import origin_of

CAPABILITIES: Final = "urn:moothall:a2a:capabilities:v1"
"""The extension in which an agent tells the schemas of its skills."""

Verdict = Literal["none", "signed", "unknown", "invalid"]
"""``unknown``: by a key that nobody known vouches for."""

_SPOKEN: Final = (("1", "JSONRPC"), ("1", "HTTP+JSON"), ("0.3", "JSONRPC"))
"""Versions and bindings, the preferred first."""

_MOST: Final = 50
_MOST_SKILLS: Final = 2000
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Interface:
    """Where and how an agent is spoken to."""

    url: str
    binding: str
    version: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signatures of a card are worth, and the DID that vouches for it."""

    verdict: Verdict = "none"
    did: str = ""


@dataclass(frozen=True, slots=True)
class RemoteCard:
    """The card of an agent that can be called.

    Attributes:
        interface: the best of those it names.
        streaming: whether it answers with streams.
        skills: by their ids.
        structured: whether it knows our form of a call, by its extension.
    """

    name: str
    description: str
    version: str
    url: str
    interface: Interface
    streaming: bool
    skills: Mapping[str, JsonObject] = field(repr=False)
    structured: bool
    signature: Signature

    def described(self) -> JsonObject:
        """The agent for whoever wants to call it."""
        return {
            "profile": "a2a",
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "card": self.url.partition("?")[0].partition("#")[0],  # a query may hold a key
            "protocol": f"A2A {self.interface.version} {self.interface.binding}",
            "signature": self.signature.verdict,
            "signed_by": self.signature.did,
            "skills": list(self.skills.values()),
        }


def is_card(value: object) -> bool:
    """Whether JSON looks like a card, of this version of the protocol or the one before."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return False
    new = isinstance(value.get("supportedInterfaces"), list)
    return new or (isinstance(value.get("url"), str) and isinstance(value.get("skills"), list))


def read(value: JsonObject, url: str, origins: frozenset[Origin], signature: Signature) -> RemoteCard:
    """Read a card that was found at `url`; requests go to `origins` only.

    Raises:
        UpstreamInvalid: its signature does not hold, or it names no interface that can be used.
    """
    if signature.verdict == "invalid":
        raise UpstreamInvalid("the signature does not hold", told=Told("a2a.remote.signature"))
    capabilities = _object(value.get("capabilities"))
    schemas = _schemas(capabilities)
    return RemoteCard(
        name=_text(value.get("name")),
        description=_text(value.get("description")),
        version=_text(value.get("version")),
        url=url,
        interface=_best(list(interfaces(value)), origins),
        streaming=capabilities.get("streaming") is True,
        skills=_skills(value.get("skills"), schemas or {}),
        structured=schemas is not None,
        signature=signature,
    )


def interfaces(value: JsonObject) -> Iterator[Interface]:
    """What a card says of where its agent is; of the version before, too, which knew one main address and others."""
    listed = value.get("supportedInterfaces")
    for each in listed[:_MOST] if isinstance(listed, list) else []:
        row = _object(each)
        version = _text(row.get("protocolVersion"))
        yield Interface(_text(row.get("url")), _text(row.get("protocolBinding")), version, _text(row.get("tenant")))
    if isinstance(value.get("url"), str):
        version = _text(value.get("protocolVersion")) or "0.3"
        yield Interface(value["url"], _text(value.get("preferredTransport")) or "JSONRPC", version)
        more = value.get("additionalInterfaces")
        for each in more[:_MOST] if isinstance(more, list) else []:
            row = _object(each)
            yield Interface(_text(row.get("url")), _text(row.get("transport")), version)


def _best(found: list[Interface], origins: frozenset[Origin]) -> Interface:
    elsewhere = False
    for family, binding in _SPOKEN:
        for each in found:
            if each.binding != binding or not (each.version == family or each.version.startswith(f"{family}.")):
                continue
            if origin_of(each.url) in origins:
                return each
            elsewhere = True
    why = "a2a.remote.card_elsewhere" if elsewhere else "a2a.remote.no_interface"
    raise UpstreamInvalid("no interface that can be used", told=Told(why))


def _schemas(capabilities: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schemas of skills in our extension; None where the card does not have it."""
    listed = capabilities.get("extensions")
    for each in listed[:_MOST] if isinstance(listed, list) else []:
        row = _object(each)
        if row.get("uri") == CAPABILITIES:
            return _object(_object(row.get("params")).get("skills"))
    return None


def _skills(listed: object, schemas: Mapping[str, Any]) -> dict[str, JsonObject]:
    found: dict[str, JsonObject] = {}
    for each in listed[:_MOST_SKILLS] if isinstance(listed, list) else []:
        row = _object(each)
        name = _text(row.get("id"))
        if not name:
            continue
        schema = _object(schemas.get(name))
        found[name] = {
            "id": name,
            "name": _text(row.get("name")),
            "description": _text(row.get("description")),
            "tags": [tag for tag in row.get("tags") or [] if isinstance(tag, str)] if _is_list(row, "tags") else [],
            "input_schema": _object(schema.get("input_schema")),
            "output_schema": _object(schema.get("output_schema")),
            **({"annotations": hints} if (hints := _object(schema.get("annotations"))) else {}),
        }
    return found


def _is_list(row: Mapping[str, Any], key: str) -> bool:
    return isinstance(row.get(key), list)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
