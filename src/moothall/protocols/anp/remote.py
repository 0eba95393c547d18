"""What another agent's description and interfaces say, read once. Pure.

All of it was written by a stranger: what does not have the expected form is passed over or refused, never trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin

from moothall.capability.spec import JsonObject
from moothall.errors import Told, UpstreamInvalid
from moothall.identity.description_proof import Verdict
from moothall.identity.destination import Origin

_MOST_METHODS: Final = 2000
_MOST_INTERFACES: Final = 20
_DEEPEST: Final = 100
"""Levels of a schema, references followed."""

_SHARED: Final = "#/components/schemas/"
_LOCAL: Final = "#/$defs/"


@dataclass(slots=True)
class Room:
    """Values that a description may still have: schemas that refer to each other can be made to grow without end."""

    left: int = 100_000

    def take(self) -> bool:
        """Take one; False when there is none left."""
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class InterfaceLink:
    """An OpenRPC interface of a description: where it is, or itself; and whether a person must agree to its calls."""

    url: str
    content: JsonObject | None
    human: bool


@dataclass(frozen=True, slots=True)
class RemoteMethod:
    """A method of another agent.

    Attributes:
        name: what it is called there.
        url: where calls of it go.
        parameters: their descriptors, in their order.
        by_position: whether arguments can only be sent as a list.
        human: whether a person must agree to each call.
        raw: the method as its interface has it.
        schemas: what its schemas refer to, by name.
    """

    name: str
    url: str
    parameters: tuple[Mapping[str, Any], ...]
    by_position: bool
    human: bool
    raw: Mapping[str, Any] = field(repr=False)
    schemas: Mapping[str, Any] = field(repr=False)

    def arguments(self, params: Mapping[str, Any]) -> JsonObject | list[Any]:
        """Arguments as the method takes them: by name, or by position where only that is told."""
        names = [parameter.get("name") for parameter in self.parameters]
        if not self.by_position and all(isinstance(name, str) and name for name in names):
            return dict(params)
        if set(params) <= set(names):
            given = [params.get(str(name)) for name in names]
            last = max((index for index, name in enumerate(names) if name in params), default=-1)
            return given[: last + 1]
        return list(params.values())

    def described(self, room: Room) -> JsonObject:
        """The method for whoever wants to call it, its schemas as far as there is room for them."""
        named = [parameter for parameter in self.parameters if isinstance(parameter.get("name"), str)]
        inputs: JsonObject = {
            "type": "object",
            "properties": {parameter["name"]: parameter.get("schema", {}) for parameter in named},
            "required": [parameter["name"] for parameter in named if parameter.get("required") is True],
        }
        result = self.raw.get("result")
        outputs = result.get("schema", {}) if isinstance(result, dict) else {}
        return {
            "name": self.name,
            "description": text(self.raw.get("description")) or text(self.raw.get("summary")),
            "human_authorization": self.human,
            "deprecated": self.raw.get("deprecated") is True,
            "input_schema": _whole(inputs, self.schemas, room),
            "output_schema": _whole(outputs, self.schemas, room),
        }


@dataclass(frozen=True, slots=True)
class RemoteAgent:
    """Another agent: who it says it is, what its proof is worth, and what it can do.

    Attributes:
        did: its identifier; empty where a description names none.
        url: where its description is.
        proof: whether its description is signed.
        confirmed: whether its DID document says that its description is there.
        methods: by their names.
        negotiates_at: where it negotiates; empty where it does not say so.
        answers_at: the origins that the agent answers for; signed requests go nowhere else.
    """

    did: str
    url: str
    name: str
    description: str
    proof: Verdict
    confirmed: bool
    methods: Mapping[str, RemoteMethod] = field(repr=False)
    negotiates_at: str = ""
    answers_at: frozenset[Origin] = frozenset()

    def described(self) -> JsonObject:
        """What a call of its DID without an operation answers (row CAL-04)."""
        room = Room()
        return {
            "did": self.did,
            "name": self.name,
            "description": self.description,
            "url": self.url,
            "proof": self.proof,
            "operations": [method.described(room) for method in self.methods.values()],
        }


def links(description: JsonObject, url: str) -> list[InterfaceLink]:
    """The OpenRPC interfaces of a description that was found at `url`.

    Raises:
        UpstreamInvalid: it is no description.
    """
    interfaces = description.get("interfaces", [])
    if description.get("type") != "AgentDescription" or not isinstance(interfaces, list):
        raise UpstreamInvalid("no agent description", told=Told("anp.remote_description"))
    found = []
    for each in interfaces[:_MOST_INTERFACES]:
        if not isinstance(each, dict) or str(each.get("protocol", "")).lower() != "openrpc":
            continue
        content, where = each.get("content"), each.get("url")
        if isinstance(content, dict):
            found.append(InterfaceLink(url, content, _human(each)))
        elif isinstance(where, str) and where and (there := _joined(url, where)):
            found.append(InterfaceLink(there, None, _human(each)))
    return found


def methods(interface: JsonObject, url: str, *, human: bool) -> dict[str, RemoteMethod]:
    """The methods of an OpenRPC document that was found at `url`; ``human`` holds for all of them.

    Raises:
        UpstreamInvalid: it is no OpenRPC document.
    """
    listed, components = interface.get("methods"), interface.get("components", {})
    if not isinstance(interface.get("openrpc"), str) or not isinstance(listed, list):
        raise UpstreamInvalid("no OpenRPC document", told=Told("anp.remote_interface"))
    components = components if isinstance(components, dict) else {}
    schemas = components.get("schemas", {})
    descriptors = components.get("contentDescriptors", {})
    found: dict[str, RemoteMethod] = {}
    for raw in listed[:_MOST_METHODS]:
        name = raw.get("name") if isinstance(raw, dict) else None
        server = _server(raw, url) or _server(interface, url) if isinstance(raw, dict) else ""
        if not isinstance(name, str) or not name or not server:
            continue
        found[name] = RemoteMethod(
            name,
            server,
            tuple(_parameters(raw.get("params", []), descriptors)),
            raw.get("paramStructure") == "by-position",
            human or _human(raw) or raw.get("x-human-authorization") is True,
            raw,
            schemas if isinstance(schemas, dict) else {},
        )
    return found


def _server(holder: Mapping[str, Any], url: str) -> str:
    servers = holder.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    where = first.get("url") if isinstance(first, dict) else None
    return _joined(url, where) if isinstance(where, str) and where else ""


def _joined(url: str, where: str) -> str:
    """Where a stranger's link leads; empty: nowhere, it is none."""
    try:
        return urljoin(url, where)
    except ValueError:
        return ""


def _parameters(listed: object, descriptors: object) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for each in listed if isinstance(listed, list) else []:
        reference = each.get("$ref") if isinstance(each, dict) else None
        if isinstance(reference, str) and isinstance(descriptors, dict):
            each = descriptors.get(reference.rpartition("/")[2])  # noqa: PLW2901 - what it refers to stands in its place
        found.append(each if isinstance(each, dict) else {})
    return found


def _human(holder: Mapping[str, Any]) -> bool:
    """Whether a person must agree: the parts of ANP have three names for it."""
    flags = (holder.get("humanAuthorization"), holder.get("requiresHumanAuthorization"))
    return True in flags or "human" in text(holder.get("authorizationLevel")).lower()


def _whole(schema: object, schemas: Mapping[str, Any], room: Room) -> JsonObject:
    """A schema that stands alone: what it refers to in the components becomes its own definitions."""
    if not isinstance(schema, dict):
        return {}
    names: dict[str, Any] = {}

    def turned(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON of any shape
        if depth > _DEEPEST or not room.take():
            return {}
        if isinstance(value, dict):
            return {key: turned(each, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [turned(each, depth + 1) for each in value]
        if isinstance(value, str) and value.startswith(_SHARED):
            name = value[len(_SHARED) :]
            if name in schemas and name not in names:
                names[name] = {}  # it may refer to itself
                names[name] = turned(schemas[name], depth + 1)
            return f"{_LOCAL}{name}"
        return value

    root: JsonObject = turned(schema, 0)
    return root | ({"$defs": names} if names else {})


def text(value: object) -> str:
    """A member that should be a text; empty where it is none."""
    return value if isinstance(value, str) else ""
