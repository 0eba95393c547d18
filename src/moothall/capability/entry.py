"""A capability that is registered: its description with the code that was compiled for it, once, at registration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from moothall.capability.context import CallContext
from moothall.capability.spec import CapabilitySpec, JsonObject

State = Literal["enabled", "disabled", "deprecated"]


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


@dataclass(frozen=True, slots=True)
class Arguments:
    """Validated arguments, ready for the function; the context is not among them."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to do the work of a capability; the first that works is taken (stacked decorators).

    ``local`` runs the function; any other source is called through its `Connector` with the options ``remote``.
    """

    source: str
    remote: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Entry:
    """A registered capability.

    Attributes:
        spec: its options.
        agent: the name of its agent.
        state: ``deprecated`` can be called still.
        streams: whether it yields values one after another.
        blocks: whether its values are something to be shown (`content.Block`), not data.
        contextual: whether the function takes a context; where it does not, none needs to be made.
        input_schema, output_schema: JSON Schema 2020-12; the output's is None where nothing is declared.
        providers: in the order in which they are tried.
        bind: validates arguments by name or by position; raises ValidationError without repeating a value.
        invoke: runs the function; a synchronous one in the bounded pool of threads.
        iterate: the same for one that streams.
        wire: the arguments as JSON, defaults included, integers beyond 2^53 as decimal strings: what is hashed,
            compared and sent elsewhere.
        check: a result as its annotation has it, still a Python value (callers in this process get this one); raises
            InternalError where it does not fit.
        encode: a result as JSON, checked like that first.
        decode: a result from JSON as the annotated type; raises UpstreamInvalid where it does not fit.
        locate: finds the arguments in the JSON object that a network caller sent (rows DEC-03, DEC-10); a door calls it
            before `bind`.
        document: writes the page about it.
    """

    spec: CapabilitySpec
    agent: str
    state: State = "enabled"
    streams: bool = False
    blocks: bool = False
    contextual: bool = True
    input_schema: JsonObject
    output_schema: JsonObject | None = None
    providers: tuple[Provider, ...] = (Provider("local"),)
    bind: Callable[[Mapping[str, Any] | Sequence[Any]], Arguments]
    invoke: Callable[[Arguments, CallContext], Awaitable[Any]]
    iterate: Callable[[Arguments, CallContext], AsyncIterator[Any]]
    wire: Callable[[Arguments], JsonObject]
    check: Callable[[Any], Any] = _same
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    locate: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _same
    document: Callable[[Entry], str] = field(default=lambda entry: f"# {entry.id}\n")

    @property
    def id(self) -> str:
        """``AGENT.NAME``: what it is called in targets, documents and logs."""
        return f"{self.agent}.{self.spec.name}"

    @property
    def key(self) -> str:
        """``AGENT.NAME@VERSION``: what tells its versions apart."""
        return f"{self.agent}.{self.spec.name}@{self.spec.version}"
