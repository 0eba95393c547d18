"""What servers and users call things, and how the one becomes the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Json = dict[str, Any]
Type = Literal["text", "whole", "flag", "texts"]
Turn = Literal["same", "times", "not"]

SCHEMAS: dict[Type, Json] = {
    "text": {"type": "string"},
    "whole": {"type": "integer", "minimum": 0},
    "flag": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form that users of a task fill in, or read; ``words`` are what users call it in a sentence."""

    name: str
    type: Type
    words: tuple[str, ...]
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of task: what users say they want, what they have and what they get."""

    name: str
    about: str
    wants: tuple[str, ...]
    given: tuple[Field, ...]
    wanted: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Private:
    """How one server has a field: under its own name, in a unit of its own, or the other way round.

    ``times``: a value of the server is ``factor`` of the form's units if it is read, and the other way round if it is
    given: the coarser unit is always the one that counts. ``not``: a flag that says the opposite.
    """

    field: Field
    name: str
    turn: Turn = "same"
    factor: int = 1

    def schema(self) -> Json:
        unit = f" (one stands for {self.factor})" if self.turn == "times" else ""
        opposite = " (the opposite)" if self.turn == "not" else ""
        return {
            **SCHEMAS[self.field.type],
            "description": f"{self.name.partition('_')[2] or self.name}{unit}{opposite}",
        }

    def multiplied(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """A value of the form that is given, as the server takes it; one of the server, as the form has it."""
        if self.turn == "times":
            return value * self.factor
        return not value if self.turn == "not" else value

    def divided(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """The other way round."""
        if self.turn == "times":
            return value // self.factor
        return not value if self.turn == "not" else value


@dataclass(frozen=True)
class Pair:
    """A server and a kind of task, with the server's own schemas; ``wrapped``: in what it puts its answers."""

    server: str
    task: Task
    takes: tuple[Private, ...]
    gives: tuple[Private, ...]
    wrapped: str = ""

    @property
    def name(self) -> str:
        """Of the server's tool."""
        return self.task.name

    @property
    def target(self) -> str:
        """How the server's code calls it."""
        return f"local:{self.server}.{self.task.name}"

    @cached_property
    def input(self) -> Json:
        return _object({each.name: each.schema() for each in self.takes})

    @cached_property
    def output(self) -> Json:
        inner = _object({each.name: each.schema() for each in self.gives})
        return _object({self.wrapped: inner}) if self.wrapped else inner

    def asked(self, form: Json) -> Json:
        """What the server takes, of what a user has."""
        return {each.name: each.multiplied(form[each.field.name]) for each in self.takes}

    def told(self, value: Json) -> Json:
        """What a user gets, of what the server gives."""
        inner = value[self.wrapped] if self.wrapped else value
        return {each.field.name: each.multiplied(inner[each.name]) for each in self.gives}


def form(fields: tuple[Field, ...]) -> Json:
    """The JSON Schema of what users have, or get."""
    return _object({each.name: dict(SCHEMAS[each.type]) for each in fields})


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties]}
