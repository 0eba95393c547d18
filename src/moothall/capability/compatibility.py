"""Whether callers of one version of a capability can call the next one unchanged (row SOA-01). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moothall.capability.entry import Entry

_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "multipleOf", "const")
_TYPES: Final = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ANY: Final[Mapping[str, Any]] = {}
_DEEPEST: Final = 20

Schema = Mapping[str, Any]


def breaking(old: Entry, new: Entry) -> tuple[str, ...]:
    """What a caller of ``old`` would stumble over in ``new``; empty where it can stay as it is."""
    given = _Direction(old.input_schema, new.input_schema, accepts=True)
    got = _Direction(old.output_schema or _ANY, new.output_schema or _ANY, accepts=False)
    found = [*given.compare("argument"), *got.compare("result")]
    if old.streams != new.streams:
        found.append("result: it " + ("comes in one piece no more" if new.streams else "does not stream any more"))
    found += [f"exposure: {door} is gone" for door in sorted(old.spec.exposure - new.spec.exposure)]
    return tuple(found)


class _Direction:
    """The comparison of what is accepted (arguments) or of what is promised (results).

    Arguments may only be accepted more widely, results only be promised more narrowly.
    """

    def __init__(self, old: Schema, new: Schema, *, accepts: bool) -> None:
        self._old = old
        self._new = new
        self._accepts = accepts

    def compare(self, place: str) -> Iterator[str]:
        return self._schemas(self._old, self._new, place, 0)

    def _schemas(self, old: Schema, new: Schema, place: str, depth: int) -> Iterator[str]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if depth > _DEEPEST or old == new:
            return
        wide, narrow = (new, old) if self._accepts else (old, new)
        before, after = _kinds(narrow, self._new, self._old), _kinds(wide, self._new, self._old)
        if after and (not before or before - after):
            kinds = " or ".join(sorted(before - after)) or "any other type"
            yield f"{place}: {kinds} {'is refused now' if self._accepts else 'can come now'}"
            return
        yield from self._limits(wide, narrow, place)
        yield from self._properties(old, new, place, depth)
        if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
            yield from self._schemas(old["items"], new["items"], f"{place}[]", depth + 1)

    def _limits(self, wide: Schema, narrow: Schema, place: str) -> Iterator[str]:
        for key in _FLOORS:
            if key in wide and wide[key] > narrow.get(key, float("-inf")):
                yield f"{place}: {key} differs"
        for key in _CEILINGS:
            if key in wide and wide[key] < narrow.get(key, float("inf")):
                yield f"{place}: {key} differs"
        for key in _EXACT:
            if key in wide and wide[key] != narrow.get(key):
                yield f"{place}: {key} differs"
        if "enum" in wide and (gone := [item for item in narrow.get("enum", ()) if item not in wide["enum"]]):
            yield f"{place}: {len(gone)} of its values {'are refused now' if self._accepts else 'are new'}"
        elif "enum" in wide and "enum" not in narrow and "const" not in narrow:
            yield f"{place}: it is a choice {'now' if self._accepts else 'no more'}"

    def _properties(self, old: Schema, new: Schema, place: str, depth: int) -> Iterator[str]:
        before: Mapping[str, Schema] = old.get("properties", {})
        after: Mapping[str, Schema] = new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        closed = new.get("additionalProperties") is False
        for name in before:
            if name in after:
                yield from self._schemas(before[name], after[name], f"{place}.{name}", depth + 1)
            elif closed or not self._accepts:
                yield f"{place}.{name}: it is gone"
        if self._accepts:
            yield from (f"{place}.{name}: it is needed now" for name in sorted(needed - needed_before))
        else:
            gone = (needed_before - needed) & set(after)
            yield from (f"{place}.{name}: it may be missing now" for name in sorted(gone))


def _resolved(schema: Schema, root: Schema) -> Schema:
    for _ in range(_DEEPEST):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if not name:
            return schema
        schema = root.get("$defs", {}).get(name, _ANY)
    return schema


def _kinds(schema: Schema, *roots: Schema) -> set[str]:
    """The JSON types that fit; empty for any."""
    for root in roots:
        schema = _resolved(schema, root) if "$ref" in schema else schema
    branches = [branch for key in ("anyOf", "oneOf") for branch in schema.get(key, ())]
    if branches:
        kinds = [_kinds(branch, *roots) for branch in branches]
        return set().union(*kinds) if all(kinds) else set()
    values = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values and "type" not in schema:
        return {_TYPES[type(value)] for value in values}
    kind = schema.get("type", [])
    found = {kind} if isinstance(kind, str) else set(kind)
    return found | {"integer"} if "number" in found else found
