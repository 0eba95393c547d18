"""The JSON Schema of parameters, as far as arguments are looked for and judged by it. Pure.

Schemas are written by others, too: nothing is fetched, and their patterns are not run. What is called judges the
arguments itself; here they are kept from going where they plainly do not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_DEPTH: Final = 8
_MOST: Final = 8
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list, tuple),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter.

    Attributes:
        name: its name.
        schema: its schema, without references and without ``null``.
        required: whether a call cannot be made without it.
    """

    name: str
    schema: Mapping[str, Any]
    required: bool

    @property
    def kind(self) -> str:
        """Its JSON type; empty where there are several, or none is said."""
        found = self.schema.get("type")
        return found if isinstance(found, str) else ""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that it may have, where they are counted up."""
        if "const" in self.schema:
            return (self.schema["const"],)
        found = self.schema.get("enum")
        return tuple(found) if isinstance(found, list) else ()

    @property
    def format(self) -> str:
        """``date``, ``email``, …; empty where none is said."""
        return str(self.schema.get("format", ""))

    @property
    def words(self) -> str:
        """Everything that says what is meant by it."""
        return " ".join(str(self.schema.get(key, "")) for key in ("title", "description"))


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The parameters, those that are needed first."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return ()
    needed = _names(schema.get("required"))
    found = [Field(str(name), _plain(schema, each), name in needed) for name, each in properties.items()]
    return tuple(sorted(found, key=lambda field: not field.required))


def takes(schema: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether arguments of these names may be given; a schema that lists no parameters takes whatever comes."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return schema.get("additionalProperties") is not False or not names
    return all(name in properties for name in names)


def missing(schema: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """The parameters that are needed and not there."""
    return [field.name for field in fields_of(schema) if field.required and field.name not in names]


def misfits(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with arguments, each as ``where: what``; the values are not repeated."""
    return [problem for problem, _ in zip(_wrong(schema, schema, arguments, "", 0), range(_MOST), strict=False)]


def shape(schema: Mapping[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    """What two capabilities have in common that can be called with the same arguments."""
    return tuple(sorted((field.name, field.kind, field.required) for field in fields_of(schema)))


def _wrong(root: Mapping[str, Any], schema: Mapping[str, Any], value: object, where: str, depth: int) -> Iterator[str]:
    schema = _plain(root, schema)
    if depth > _DEPTH:
        return
    place = where or "arguments"
    if not _typed(schema.get("type"), value):
        yield f"{place}: type"
        return
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        yield f"{place}: choice"
    yield from _measured(schema, value, place)
    if isinstance(value, Mapping):
        yield from _members(root, schema, value, where, depth)
    elif isinstance(value, list | tuple) and isinstance(items := schema.get("items"), Mapping):
        for number, item in enumerate(value):
            yield from _wrong(root, items, item, f"{where}[{number}]", depth + 1)


def _members(
    root: Mapping[str, Any], schema: Mapping[str, Any], value: Mapping[str, Any], where: str, depth: int
) -> Iterator[str]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    for name in sorted(_names(schema.get("required"))):
        if name not in value:
            yield f"{_at(where, name)}: missing"
    for name, member in value.items():
        if isinstance(inner := known.get(name), Mapping):
            if member is None and _nullable(inner):
                continue
            yield from _wrong(root, inner, member, _at(where, name), depth + 1)
        elif schema.get("additionalProperties") is False:
            yield f"{_at(where, name)}: unknown"


def _measured(schema: Mapping[str, Any], value: object, place: str) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if (isinstance(low, int | float) and value < low) or (isinstance(high, int | float) and value > high):
            yield f"{place}: range"
    if isinstance(value, str):
        shortest, longest = schema.get("minLength"), schema.get("maxLength")
        if (isinstance(shortest, int) and len(value) < shortest) or (isinstance(longest, int) and len(value) > longest):
            yield f"{place}: length"


def _typed(wanted: object, value: object) -> bool:
    kinds = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    if not kinds:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return True
    if isinstance(value, str) and "integer" in kinds and value.lstrip("-").isdigit():  # beyond 2^53, as it travels
        return True
    return any(isinstance(value, _TYPES.get(str(kind), ())) for kind in kinds)


def _plain(root: Mapping[str, Any], schema: object) -> Mapping[str, Any]:
    """A schema with what it refers to in the same document, in the one form that it has beside ``null``."""
    for _ in range(_DEPTH):
        if not isinstance(schema, Mapping):
            return {}
        if isinstance(reference := schema.get("$ref"), str):
            schema = {**_referred(root, reference), **{key: value for key, value in schema.items() if key != "$ref"}}
            continue
        forms = schema.get("anyOf")
        if isinstance(forms, list):
            real = [form for form in forms if isinstance(form, Mapping) and form.get("type") != "null"]
            if len(real) == 1:
                schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **real[0]}
                continue
        kinds = schema.get("type")
        if isinstance(kinds, list) and len(left := [kind for kind in kinds if kind != "null"]) == 1:
            return {**schema, "type": left[0]}
        return schema
    return {}


def _referred(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    if not reference.startswith("#/"):
        return {}
    found: object = root
    for part in reference[2:].split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _nullable(schema: Mapping[str, Any]) -> bool:
    forms, kinds = schema.get("anyOf"), schema.get("type")
    in_forms = isinstance(forms, list) and any(
        isinstance(form, Mapping) and form.get("type") == "null" for form in forms
    )
    return (
        in_forms or (isinstance(kinds, list) and "null" in kinds) or ("default" in schema and schema["default"] is None)
    )


def _names(required: object) -> frozenset[str]:
    return frozenset(name for name in required if isinstance(name, str)) if isinstance(required, list) else frozenset()


def _at(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)
