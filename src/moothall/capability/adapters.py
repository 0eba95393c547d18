"""The four steps between a door and a function that can be replaced: conversion, validation, documents, errors.

Each is asked once, when a capability is registered, for the code that runs at every call (row DEC-48). Give others to
an `Agent` or a `Registry`::

    Agent("shop", price, adapters=AdapterLayer(converter=MoneyConverter()))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moothall.capability import documents, schema
from moothall.capability.entry import Arguments, Entry
from moothall.capability.shape import Shape
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, MoothallError


class TypeConverter:
    """Between Python values and JSON."""

    def arguments(self, shape: Shape) -> Callable[[Arguments], JsonObject]:
        """Code that writes validated arguments as JSON."""
        return schema.wire(shape)

    def result(self, shape: Shape) -> Callable[[Any], Any]:
        """Code that writes a checked result as JSON."""
        return schema.to_json(shape.returns)

    def received(self, shape: Shape) -> Callable[[Any], Any]:
        """Code that prepares a result that came as JSON for the check of its type; nothing to do by default."""
        del shape
        return _unchanged


class ValidationLayer:
    """Whether values fit their annotations."""

    def arguments(self, shape: Shape) -> Callable[[Mapping[str, Any] | Sequence[Any]], Arguments]:
        """Code that validates arguments; it raises ValidationError."""
        return schema.bind(shape)

    def result(self, shape: Shape) -> Callable[[Any], Any]:
        """Code that checks what the function returned; it raises `schema.Misfit`."""
        return schema.check(shape.returns)

    def received(self, shape: Shape) -> Callable[[Any], Any]:
        """Code that checks a result that came as JSON; it raises `schema.Misfit`."""
        return schema.restore(shape.returns)


class DocumentGenerator:
    """What is written about a capability."""

    def page(self, entry: Entry) -> str:
        """One page of Markdown."""
        return documents.page(entry)


class ErrorHandler:
    """What a caller reads when a function raises.

    This one leaves that to the call path, which knows what may be repeated; only others are asked.
    """

    def handle(self, capability: str, error: Exception) -> MoothallError:
        """The error that is told to the caller, ``capability`` being ``AGENT.NAME``.

        Our own errors are told as they are; of any other nothing is told, since its text was not written for strangers.
        """
        if isinstance(error, MoothallError):
            return error
        return InternalError(f"the capability {capability} failed")


@dataclass(frozen=True, slots=True)
class AdapterLayer:
    """The four of them; those that are not given are the ordinary ones."""

    converter: TypeConverter = field(default_factory=TypeConverter)
    validation: ValidationLayer = field(default_factory=ValidationLayer)
    documents: DocumentGenerator = field(default_factory=DocumentGenerator)
    errors: ErrorHandler = field(default_factory=ErrorHandler)


def _unchanged(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    return value
