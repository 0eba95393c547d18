"""Finds how a value of one schema becomes one of another. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from moothall.codegen.schemas.candidates import ALIAS, MOST, RANKS, Place, places, rank
from moothall.codegen.schemas.conversion import converted
from moothall.codegen.schemas.naming import STATUS, Words, is_wrapper, words
from moothall.codegen.schemas.plan import Constant, Copy, Items, Member, Members, Nullable, Take, Way
from moothall.codegen.schemas.proving import Prover
from moothall.codegen.schemas.shapes import Root, Shape, kinds, shape
from moothall.codegen.schemas.validation import Schema

JsonValue = Any
_DEEPEST: Final = 8
_MOST_PAIRS: Final = 2_000
_CONVERTED: Final = 10
"""What a pair that has to be tried by samples counts for."""
_MOST_NAMES: Final = 100_000
"""Comparisons of names."""
_PLAIN: Final = frozenset(
    "type properties required additionalProperties title description default examples $defs definitions $schema $id "
    "$comment format".split()
)


@dataclass(slots=True)
class Finder:
    """Looks for ways between two documents; says what is missing."""

    source: Root
    target: Root
    missing: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    _pairs: int = _MOST_PAIRS
    _names: int = _MOST_NAMES

    def way(  # noqa: PLR0911 - one for each pair of kinds
        self,
        given: object,
        wanted: object,
        at: str = "",
        depth: int = 0,
        constants: Mapping[str, JsonValue] | None = None,
    ) -> Way | None:
        """The way from a schema of the source to one of the target, if there is one."""
        self._pairs -= 1
        if self._pairs < 0 or self._names <= 0 or depth > _DEEPEST:
            return None
        one, other = shape(given, self.source), shape(wanted, self.target)
        if kinds(one) == {"string"} and len({one.get("format"), other.get("format")} - {None}) > 1:
            return None  # a date is no address, although both are texts
        named = bool(other.get("properties"))
        closer = named and "object" in kinds(other) and not set(one.get("properties", {})) <= set(other["properties"])
        if not (constants or closer) and Prover(self.source, self.target, formats=True).proves(given, wanted):
            return Way(Copy(), total=True)
        found, sought = kinds(one), kinds(other)
        if "null" in found and "null" in sought and found != {"null"}:
            return self._nullable(one, other, at, depth)
        if found == {"object"} and sought == {"object"} and named:
            return self._object(one, other, at, depth, constants or {})
        if found == {"array"} and sought == {"array"}:
            return self._list(one, other, at, depth)
        if found == {"object"} and not sought & {"object"}:
            return self._taken(one, wanted, at, depth)
        if "object" not in found and sought == {"object"} and named:
            return self._wrapped(given, other, at, depth, constants or {})
        self._pairs -= _CONVERTED
        return converted(given, self.source, wanted, self.target)

    def _nullable(self, one: Shape, other: Shape, at: str, depth: int) -> Way | None:
        inner = self.way(_not_null(one, self.source), _not_null(other, self.target), at, depth + 1)
        return Way(Nullable(inner.node), inner.total) if inner else None

    def _list(self, one: Shape, other: Shape, at: str, depth: int) -> Way | None:
        if "prefixItems" in one or "prefixItems" in other:
            return None
        inner = self.way(one.get("items", True), other.get("items", True), f"{at}[]", depth + 1)
        counts = other.keys() & {"minItems", "maxItems", "uniqueItems", "contains"}
        return Way(Items(inner.node), total=inner.total and not counts) if inner else None

    def _taken(self, one: Shape, wanted: object, at: str, depth: int) -> Way | None:
        """A value that an object holds, where the target is no object."""
        held = [place for place in self.places(one, 1) if not (len(place.path) == 1 and place.path[0] in STATUS)]
        own = [place for place in held if len(place.path) == 1]
        likely = [place for place in held if is_wrapper(place.path[-1])] or (own if len(own) == 1 else [])
        ways = [(place, found) for place in likely if (found := self.way(place.schema, wanted, at, depth + 1))]
        if len(ways) != 1:
            return None
        place, found = ways[0]
        return Way(Take(place.path, found.node), total=found.total and not place.may_lack)

    def _wrapped(
        self, given: object, other: Shape, at: str, depth: int, constants: Mapping[str, JsonValue]
    ) -> Way | None:
        """An object around a value."""
        named = {name: part for name, part in other["properties"].items() if name not in constants}
        open_ = [name for name in other.get("required", ()) if name in named and _constant(named[name]) is None]
        likely = open_ or [name for name in named if is_wrapper(name)]
        if len(likely) != 1:
            return None
        found = self.way(given, named[likely[0]], _joined(at, likely[0]), depth + 1)
        if found is None:
            return None
        rest = {name: value for name, value in constants.items() if name in other["properties"]}
        made = [Member(name, (), Constant(value)) for name, value in rest.items()]
        made += [
            Member(name, (), fixed) for name in other.get("required", ()) if (fixed := _fixed(named, name, likely))
        ]
        sound = all(_fits_own(member, other, self.target) for member in made)
        total = found.total and sound and other.keys() <= _PLAIN
        return Way(Members((*made, Member(likely[0], (), found.node))), total=total)

    def places(self, one: Shape, names: int) -> list[Place]:
        """The places of an object, for so many names to be compared with; none where that has become too much."""
        if self._names <= 0:
            return []
        found = list(islice(places(one, self.source), MOST))
        self._names -= names * len(found)
        return found if self._names > 0 else []

    def _object(self, one: Shape, other: Shape, at: str, depth: int, constants: Mapping[str, JsonValue]) -> Way | None:
        return _Assignment(self, one, other, at, depth).way(constants, ((),))

    def nested(self, one: Shape, other: Shape, at: str, depth: int, name: str) -> Way | None:
        """A way to an object whose members the source holds beside each other: ``user: {id}`` of ``user_id``."""
        self._pairs -= 1
        if self._pairs < 0 or self._names <= 0:
            return None
        prefixes: tuple[Words, ...] = (words(name), ()) if is_wrapper(name) else (words(name),)
        return _Assignment(self, one, other, at, depth).way({}, prefixes)


@dataclass(slots=True)
class _Assignment:
    """Which member of an object comes from where."""

    finder: Finder
    one: Shape
    other: Shape
    at: str
    depth: int
    made: dict[str, tuple[Member, bool]] = field(default_factory=dict)
    barred: dict[str, str] = field(default_factory=dict)

    def way(self, constants: Mapping[str, JsonValue], prefixes: tuple[Words, ...]) -> Way | None:
        properties: dict[str, object] = self.other["properties"]
        for name in (name for name in properties if name in constants):
            self.made[name] = (Member(name, (), Constant(constants[name])), True)
        self._by_name(properties, prefixes)
        for name, schema in properties.items():
            if name not in self.made and name not in self.barred:
                self._otherwise(name, schema)
        if lacking := [name for name in self.other.get("required", ()) if name not in self.made]:
            self._note(lacking)
            return None
        if () not in prefixes or len(prefixes) > 1:
            moved = any(not isinstance(member.node, Constant) for member, _total in self.made.values())
            if not moved:
                return None
        self.finder.absent += [_joined(self.at, name) for name in properties if name not in self.made]
        members = tuple(self.made[name][0] for name in properties if name in self.made)
        total = all(total for _member, total in self.made.values()) and self.other.keys() <= _PLAIN
        sound = all(_fits_own(member, self.other, self.finder.target) for member in members)
        return Way(Members(members), total=total and sound)

    def _by_name(self, properties: Mapping[str, object], prefixes: tuple[Words, ...]) -> None:
        found = self.finder.places(self.one, len(properties))
        ranked = {
            name: {
                place: order
                for place in range(len(found))
                if (order := rank(found[place], name, part, prefixes)) is not None
            }
            for name, part in properties.items()
        }
        used: set[int] = set()
        for order in RANKS:
            for name, part in properties.items():
                if name in self.made or name in self.barred:
                    continue
                fitting = [place for place, its in ranked[name].items() if its == order and place not in used]
                if len(fitting) > 1 or (order == ALIAS and fitting and _shared(name, ranked)):
                    self.barred[name] = "several members of the source could be meant"
                elif fitting and self._from(name, part, found[fitting[0]]):
                    used.add(fitting[0])

    def _from(self, name: str, schema: object, place: Place) -> bool:
        needed = name in self.other.get("required", ())
        given = shape(place.schema, self.finder.source)
        nullable = "null" in kinds(given) and "null" not in kinds(shape(schema, self.finder.target))
        inner = shape(schema, self.finder.target)
        has_default = "default" in inner
        if (place.may_lack or nullable) and needed and not has_default:
            self.barred[name] = "what it would be made of may be absent"
            return False
        source = _not_null(given, self.finder.source) if nullable else place.schema
        found = self.finder.way(source, schema, _joined(self.at, name), self.depth + 1)
        if found is None:
            self.barred[name] = "what has its name is of another kind"
            return False
        member = Member(
            name, place.path, found.node, needed, inner.get("default"), has_default and needed, drops_null=nullable
        )
        self.made[name] = (member, found.total)
        return True

    def _otherwise(self, name: str, schema: object) -> None:
        """Made of several members of the source, or of none."""
        inner = shape(schema, self.finder.target)
        if kinds(inner) == {"object"} and inner.get("properties") and self.depth < _DEEPEST:
            kept = (len(self.finder.missing), len(self.finder.reasons), len(self.finder.absent))
            found = self.finder.nested(self.one, inner, _joined(self.at, name), self.depth + 1, name)
            if found is not None:
                self.made[name] = (Member(name, (), found.node), found.total)
                return
            if name not in self.other.get("required", ()):
                del self.finder.missing[kept[0] :], self.finder.reasons[kept[1] :], self.finder.absent[kept[2] :]
        fixed = _constant(schema)
        if fixed is not None and name in self.other.get("required", ()):
            self.made[name] = (Member(name, (), fixed), True)

    def _note(self, lacking: list[str]) -> None:
        for name in lacking:
            path = _joined(self.at, name)
            self.finder.missing.append(path)
            self.finder.reasons.append(f"{path}: {self.barred.get(name, 'nothing of the source is called so')}")


def _shared(name: str, ranked: Mapping[str, Mapping[int, int]]) -> bool:
    """Whether what describes a member describes others as well, on either side; taken ones among them count."""
    alike = [place for place, order in ranked[name].items() if order == ALIAS]
    return len(alike) > 1 or any(its.get(alike[0]) == ALIAS for other, its in ranked.items() if other != name)


def _fits_own(member: Member, other: Shape, root: Root) -> bool:
    """Whether the value that a member has of itself, if it has one, fits."""
    if not member.has_default and not isinstance(member.node, Constant):
        return True
    value = member.node.value if isinstance(member.node, Constant) else member.default
    return Schema(root, "", other["properties"][member.name]).accepts(value)


def _constant(schema: object) -> Constant | None:
    """The one value of a member that has one, or its default."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return Constant(schema["const"])
    if len(schema.get("enum", ())) == 1:
        return Constant(schema["enum"][0])
    return Constant(schema["default"]) if "default" in schema else None


def _fixed(named: Mapping[str, object], name: str, likely: list[str]) -> Constant | None:
    return _constant(named[name]) if name in named and name not in likely else None


def _not_null(given: Shape, root: Root) -> dict[str, Any]:
    """A shape without null among its values."""
    made = dict(given)
    if isinstance(made.get("type"), list):
        rest = [name for name in made["type"] if name != "null"]
        made["type"] = rest[0] if len(rest) == 1 else rest
    if "enum" in made:
        made["enum"] = [value for value in made["enum"] if value is not None]
    for key in ("anyOf", "oneOf"):
        if key in made:
            rest = [choice for choice in made[key] if kinds(shape(choice, root)) != {"null"}]
            made.pop(key)
            made |= {"allOf": rest} if len(rest) == 1 else {key: rest}
    return made


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)
