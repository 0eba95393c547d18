"""Keywords of JSON Schema that apply schemas to a value or to what it holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moothall.codegen.schemas.patterns import Pattern, pattern
from moothall.codegen.schemas.refusing import refused
from moothall.codegen.schemas.running import Check, JsonValue, Look, Path
from moothall.codegen.schemas.scalars import count, frozen_items

Compile = Callable[[object], Check]
"""How the compiler makes a check of a subschema."""

Schema = Mapping[str, Any]


def _listed(keyword: str, given: object, compile_: Compile) -> list[Check]:
    if not isinstance(given, list) or not given:
        raise refused("keyword", keyword)
    return [compile_(each) for each in given]


def _named(keyword: str, given: object, compile_: Compile) -> dict[str, Check]:
    if not isinstance(given, dict):
        raise refused("keyword", keyword)
    return {name: compile_(each) for name, each in given.items()}


def _every(fits: Iterable[bool]) -> bool:
    """Whether all are true; all are looked at, so that all that is wrong is told."""
    return False not in list(fits)


def names(keyword: str, given: object) -> list[str]:
    """A list of distinct names."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given) or len(set(given)) < len(given):
        raise refused("keyword", keyword)
    return given


def all_of(given: object, compile_: Compile) -> Check:
    """``allOf``."""
    parts = _listed("allOf", given, compile_)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return _every(part(value, look, path) for part in parts)

    return check


def any_of(given: object, compile_: Compile) -> Check:
    """``anyOf``."""
    parts = _listed("anyOf", given, compile_)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return any(look.tries(part, value, path) for part in parts) or look.wrong(path, "it fits none of the choices")

    return check


def one_of(given: object, compile_: Compile) -> Check:
    """``oneOf``."""
    parts = _listed("oneOf", given, compile_)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        fitting = sum(look.tries(part, value, path) for part in parts)
        return fitting == 1 or look.wrong(path, f"it fits {'several' if fitting else 'none'} of the choices, not one")

    return check


def negated(given: object, compile_: Compile) -> Check:
    """``not``."""
    part = compile_(given)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return not look.tries(part, value, path) or look.wrong(path, "it fits what is excluded")

    return check


def conditional(schema: Schema, compile_: Compile) -> Check:
    """``if``, ``then`` and ``else``."""
    condition = compile_(schema["if"])
    then, otherwise = compile_(schema.get("then", True)), compile_(schema.get("else", True))

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return (then if look.tries(condition, value, path) else otherwise)(value, look, path)

    return check


def required(given: object) -> Check:
    """``required``."""
    wanted = names("required", given)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, dict):
            return True
        look.spend(len(wanted))
        return _every(name in value or look.wrong((path, name), "it is missing") for name in wanted)

    return check


def properties(schema: Schema, compile_: Compile) -> Check:
    """``properties``, ``patternProperties`` and ``additionalProperties``, which belong together."""
    named = _named("properties", schema.get("properties", {}), compile_)
    by_pattern = [
        (pattern(text), part)
        for text, part in _named("patternProperties", schema.get("patternProperties", {}), compile_).items()
    ]
    closed = schema.get("additionalProperties") is False
    others = compile_(schema.get("additionalProperties", True))

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, dict):
            return True
        look.spend(len(value))
        fits = True
        for name, inner in value.items():
            look.spend(sum(regex.steps(name) for regex, _part in by_pattern))
            parts = _applied(name, named, by_pattern)
            place = (path, name)
            if not parts and closed:
                fits = look.wrong(place, "it is not a member that is allowed")
                continue
            for part in parts or [others]:
                fits = part(inner, look, place) and fits
        return fits

    return check


def _applied(name: str, named: Mapping[str, Check], by_pattern: list[tuple[Pattern, Check]]) -> list[Check]:
    found = [named[name]] if name in named else []
    return found + [part for regex, part in by_pattern if regex.matches(name)] if by_pattern else found


def property_names(given: object, compile_: Compile) -> Check:
    """``propertyNames``."""
    part = compile_(given)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, dict):
            return True
        return _every(part(name, look, (path, name)) for name in value)

    return check


def dependent_required(given: object) -> Check:
    """``dependentRequired``."""
    if not isinstance(given, dict):
        raise refused("keyword", "dependentRequired")
    wanted = {name: required(needed) for name, needed in given.items()}

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, dict):
            return True
        look.spend(len(wanted))
        return _every(part(value, look, path) for name, part in wanted.items() if name in value)

    return check


def dependent_schemas(given: object, compile_: Compile) -> Check:
    """``dependentSchemas``."""
    wanted = _named("dependentSchemas", given, compile_)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, dict):
            return True
        look.spend(len(wanted))
        return _every(part(value, look, path) for name, part in wanted.items() if name in value)

    return check


def items(schema: Schema, compile_: Compile) -> Check:
    """``prefixItems`` and ``items``."""
    first = _listed("prefixItems", schema["prefixItems"], compile_) if "prefixItems" in schema else []
    rest = compile_(schema.get("items", True))

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, list):
            return True
        look.spend(len(value))
        fits = True
        for place, inner in enumerate(value):
            part = first[place] if place < len(first) else rest
            fits = part(inner, look, (path, place)) and fits
        return fits

    return check


def contains(schema: Schema, compile_: Compile) -> Check:
    """``contains``, ``minContains`` and ``maxContains``."""
    part = compile_(schema["contains"])
    least = count("minContains", schema.get("minContains", 1))
    most = count("maxContains", schema["maxContains"]) if "maxContains" in schema else None

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, list):
            return True
        found = sum(look.tries(part, inner, (path, place)) for place, inner in enumerate(value))
        enough = found >= least and (most is None or found <= most)
        return enough or look.wrong(path, f"{found} of its items are what it has to contain")

    return check


def unique(given: object) -> Check | None:
    """``uniqueItems``."""
    if not isinstance(given, bool):
        raise refused("keyword", "uniqueItems")

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, list):
            return True
        seen = frozen_items(value, look)
        return len(set(seen)) == len(seen) or look.wrong(path, "an item is there twice")

    return check if given else None
