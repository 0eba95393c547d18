"""A generated module as it is kept and shared: its source, what it offers and may do, its tests, its origin. Pure.

Code cannot say its own permissions or exposure: all of that is in the manifest, which the host writes.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from moothall.canonical import canonical, sha256

JsonObject = dict[str, Any]
Kind = Literal["requester", "provider", "service"]
"""The half of a protocol that a module is, or a service of its own."""

_FROZEN: Final = ConfigDict(frozen=True, extra="forbid")

LONGEST_SOURCE: Final = 64 * 1024
"""Characters of a module."""

MOST_LINES: Final = 400


class Function(BaseModel):
    """A function that the host calls, with arguments by name.

    Attributes:
        name: of the function.
        parameters: JSON Schema (2020-12) of the arguments: an object.
        returns: JSON Schema of the value.
    """

    model_config = _FROZEN

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    parameters: JsonObject
    returns: JsonObject = Field(default_factory=dict)


class Provenance(BaseModel):
    """Where a module comes from (row DEC-13): who wrote it, by which prompt (its hash), with which model."""

    model_config = _FROZEN

    writer: Literal["template", "llm", "person"]
    prompt_hash: str = ""
    model: str = ""


class ScriptedCall(BaseModel):
    """What a host call is answered in a test: the target and the arguments that are expected, and the reply.

    With ``error`` the call fails with that text.
    """

    model_config = _FROZEN

    target: str
    parameters: JsonObject = Field(default_factory=dict)
    reply: Any = None
    error: str = ""


class Case(BaseModel):
    """A test: this function, called with these arguments, gives this value, or raises.

    Attributes:
        name: unique within the module.
        function: of the manifest.
        arguments: by name.
        expected: the value, compared as JSON (1 equals 1.0).
        raises: the name of the exception that is expected in place of a value.
        calls: the host calls that it may make, in order.
    """

    model_config = _FROZEN

    name: Annotated[str, Field(min_length=1, max_length=200)]
    function: str
    arguments: JsonObject
    expected: Any = None
    raises: str = ""
    calls: tuple[ScriptedCall, ...] = ()


class Manifest(BaseModel):
    """What a module is and may do.

    Attributes:
        kind: which half of a protocol, or a service.
        name: what it is called where it is kept.
        functions: what the host calls.
        may_call: the targets that ``call`` reaches, exactly as they are written; nothing else.
        runtime: that it was made for.
        protocol: ``sha256:…`` of the protocol's document; empty for services.
        provenance: where it comes from.
        version: semantic version, of services.
    """

    model_config = _FROZEN

    kind: Kind
    name: Annotated[str, Field(min_length=1, max_length=200)]
    functions: Annotated[tuple[Function, ...], Field(min_length=1)]
    may_call: tuple[str, ...] = ()
    runtime: Literal["monty"] = "monty"
    protocol: str = ""
    provenance: Provenance
    version: str = ""

    def function(self, name: str) -> Function | None:
        """The function of that name."""
        return next((each for each in self.functions if each.name == name), None)


class Module(BaseModel):
    """A module; its hash is its name between agents and nodes.

    ``policy`` is the revision of the gate that it passed: a change of the gate's rules makes another module of it.
    """

    model_config = _FROZEN

    manifest: Manifest
    source: Annotated[str, Field(max_length=LONGEST_SOURCE)]
    cases: tuple[Case, ...] = ()
    policy: str = ""

    @property
    def hash(self) -> str:
        """``sha256:…`` over the canonical form of all of it; computed anew each time, so keep it."""
        return sha256(canonical(self.model_dump(mode="json")))

    @classmethod
    def of(cls, body: object) -> Self:
        """Read one from JSON; raises pydantic's ValidationError."""
        return cls.model_validate(body)
