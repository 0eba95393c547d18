"""Which capability a message means, and with which arguments. Pure but for the gateway that is asked what there is.

::

    data {"skill": NAME, "arguments": {…}}          the form that says everything
    metadata {"skill": NAME} and data {…}           of the message or the request; the data are the arguments
    data {…}                                        where the agent has one skill for this caller
    text                                            where that has one required parameter, and it is a string
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from moothall.calls.ports import Gateway
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.failures import ContentTypeNotSupported, InvalidParams
from moothall.protocols.a2a.operations import Visit
from moothall.protocols.a2a.telling import JSON

_ENVELOPE: Final = frozenset({"skill", "arguments"})
_TEXT: Final = "text/plain"
_ANY: Final = frozenset({"*/*", "*"})
_AS_JSON: Final = frozenset({JSON, "application/*", "json", "data", *_ANY})
_AS_TEXT: Final = frozenset({_TEXT, "text/*", "text"})


class Wanted(NamedTuple):
    """The skill that a message means, and its arguments."""

    skill: str
    arguments: JsonObject


async def wanted(gateway: Gateway, visit: Visit, request: JsonObject) -> Wanted:
    """Read a message.

    Raises:
        InvalidParams: it names no skill, or has no arguments for it.
        ContentTypeNotSupported: a part is neither text nor data.
    """
    message = request["message"]
    data, words = _content(message["parts"])
    named = _named(message) or _named(request)
    skill = data.get("skill") if isinstance(data, dict) and data.keys() <= _ENVELOPE else None
    if isinstance(skill, str) and named in ("", skill):
        return Wanted(skill, _object(data.get("arguments", {})))
    if named and data is not None:
        return Wanted(named, _object(data))
    entry = await _the_one(gateway, visit, named)
    if data is not None:
        return Wanted(entry.spec.name, _object(data))
    return Wanted(entry.spec.name, _from_text(entry, words))


def target(visit: Visit, skill: str) -> Target:
    """The capability of that name at the agent."""
    return Target("local", f"{visit.agent}.{skill}")


def as_text(configuration: JsonObject) -> bool:
    """Whether the result is to be given as text, since the client takes no JSON.

    Raises:
        ContentTypeNotSupported: it takes neither.
    """
    modes = {str(mode).partition(";")[0].strip().lower() for mode in configuration.get("acceptedOutputModes", ())}
    if not modes or modes & _AS_JSON:
        return False
    if modes & _AS_TEXT:
        return True
    raise ContentTypeNotSupported("output_refused")


def _content(parts: Sequence[JsonObject]) -> tuple[Any, str]:
    """The data of the message, if it has any, and its text."""
    data, words = None, list[str]()
    for part in parts:
        if "data" in part:
            if data is not None:
                raise InvalidParams("field", {"field": "message.parts"})
            data = part["data"]
        elif "text" in part:
            words.append(part["text"])
        else:
            raise ContentTypeNotSupported("type_refused")
    return data, "\n".join(words)


def _named(holder: JsonObject) -> str:
    skill = holder.get("metadata", {}).get("skill", "")
    return skill if isinstance(skill, str) else ""


def _object(arguments: object) -> JsonObject:
    if not isinstance(arguments, dict):
        raise InvalidParams("no_arguments")
    return arguments


async def _the_one(gateway: Gateway, visit: Visit, named: str) -> Entry:
    """The skill of that name, or the only one that this caller has."""
    visible = await gateway.visible(visit.facts.principal, visit.facts.door)
    found = [entry for entry in visible if entry.agent == visit.agent and named in ("", entry.spec.name)]
    if len(found) != 1:
        raise InvalidParams("unknown_skill")
    return found[0]


def _from_text(entry: Entry, words: str) -> JsonObject:
    """Words as the one argument that a skill must have; none for one that needs none."""
    required = entry.input_schema.get("required", [])
    if not required and not words.strip():
        return {}
    if len(required) != 1 or entry.input_schema["properties"][required[0]].get("type") != "string":
        raise InvalidParams("no_arguments")
    return {required[0]: words}
