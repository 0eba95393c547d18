"""JSON Schemas of strangers, compiled to checks whose work is bounded. Pure.

The dialect is JSON Schema 2020-12 with local references only, and without what names schemas or speaks of what other
keywords have looked at (``$anchor``, ``$dynamicRef``, ``unevaluatedProperties``…); ``format`` only annotates.
The checks are our own: a library's work on a hostile schema (a reference that doubles at each of forty levels, an error
that quotes a whole value a thousand times) has no bound. Tests compare them with ``jsonschema``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from threading import Lock
from typing import Final

from moothall.codegen.schemas import applicators, scalars
from moothall.codegen.schemas.admission import JsonObject, admitted, extent
from moothall.codegen.schemas.pattern_syntax import parsed, weight
from moothall.codegen.schemas.references import target
from moothall.codegen.schemas.refusing import refused
from moothall.codegen.schemas.running import WORK, Check, JsonValue, Look, Path, Stopped

MOST_SUBSCHEMAS: Final = 5_000
MOST_PATTERNS: Final = 64
HEAVIEST_PATTERNS: Final = 20_000
"""What the patterns of a schema weigh together, as `pattern_syntax.weight` has it."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ROOT: Final = frozenset({"$schema", "$id", "$vocabulary"})
_REFUSED: Final = frozenset(
    "$anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor unevaluatedProperties unevaluatedItems "
    "additionalItems dependencies id extends disallow divisibleBy".split()
)
_WORDS: Final = frozenset("title description $comment format contentEncoding contentMediaType".split())
_FLAGS: Final = frozenset("deprecated readOnly writeOnly".split())
_BOUNDS: Final = frozenset("minimum maximum exclusiveMinimum exclusiveMaximum".split())
_SIZES: Final = frozenset("minLength maxLength minItems maxItems minProperties maxProperties".split())


class Schema:
    """A schema that was taken. Equal documents share one."""

    __slots__ = ("_check", "digest", "document", "weight")

    def __init__(self, document: JsonObject | bool, digest: str, part: object = None) -> None:  # noqa: FBT001 - as such
        """Compile a document that was admitted, or one schema of it; raises InvalidInput as `compiled`."""
        self.document: Final = document
        self.digest: Final = digest
        compiler = _Compiler(document)
        self._check = compiler.whole(document if part is None else part)
        self.weight: Final = compiler.weight

    def problems(self, value: JsonValue, most: int = 20, work: int = WORK) -> list[str]:
        """What is wrong with a value, as ``/place: what``, without repeating the value; empty where it fits.

        A value that takes more than ``work`` steps has one problem more, `running.TOO_MUCH`, and does not fit.
        """
        reason = extent(value)
        if reason:
            return ["/: it is no JSON" if reason == "json" else "/: it is too large"]
        look = Look(most, work)
        try:
            self._check(value, look, None)
        except Stopped:
            return look.found
        return look.found

    def accepts(self, value: JsonValue, work: int = WORK) -> bool:
        """Whether a value fits, as far as so many steps show."""
        return not self.problems(value, 1, work)


AnySchema = JsonObject | bool | Schema
"""What functions of this package take for a schema."""


class _Compiler:
    """Makes the checks of one document; each part of it is compiled once."""

    def __init__(self, root: JsonObject | bool) -> None:  # noqa: FBT001 - a schema may be a boolean
        self._root = root
        self._made: dict[int, Check] = {}
        self._patterns = 0
        self._pattern_weight = 0
        self._referred: list[JsonObject | bool] = []

    @property
    def weight(self) -> int:
        """How much was made: some kilobytes for each."""
        return len(self._made) + self._pattern_weight

    def whole(self, schema: object) -> Check:
        """The check of a schema; what is referred to comes later, since a chain of references may be long."""
        check = self.schema(schema)
        while self._referred:
            self.schema(self._referred.pop())
        return check

    def schema(self, given: object) -> Check:
        """The check of a schema of the document."""
        if isinstance(given, bool):
            return _always if given else _never
        if not isinstance(given, dict):
            raise refused("json")
        if id(given) not in self._made:
            if len(self._made) >= MOST_SUBSCHEMAS:
                raise refused("large")
            self._made[id(given)] = self._deferred(given)  # what refers back to it finds this
            self._made[id(given)] = _joined(self._keywords(given))
        return self._made[id(given)]

    def _deferred(self, given: JsonObject) -> Check:
        def check(value: JsonValue, look: Look, path: Path) -> bool:
            return self._made[id(given)](value, look, path)

        return check

    def _keywords(self, given: JsonObject) -> list[Check]:
        checks = [made for keyword in given if (made := self._keyword(keyword, given))]
        if given.keys() & {"properties", "patternProperties", "additionalProperties"}:
            self._count_patterns(given.get("patternProperties", ()))
            checks.append(applicators.properties(given, self.schema))
        if given.keys() & {"prefixItems", "items"}:
            checks.append(applicators.items(given, self.schema))
        if "contains" in given:
            checks.append(applicators.contains(given, self.schema))
        if "if" in given:
            checks.append(applicators.conditional(given, self.schema))
        return checks

    def _keyword(self, keyword: str, given: JsonObject) -> Check | None:
        """The check of a keyword that stands by itself; None where it has none or belongs to others."""
        value = given[keyword]
        if keyword in _REFUSED or (keyword in _ROOT and given is not self._root):
            raise refused("unsupported", keyword)
        if keyword in _BOUNDS:
            return scalars.bounds(keyword, value)
        if keyword in _SIZES:
            return scalars.sizes(keyword, value)
        if keyword == "pattern":
            self._count_patterns([value])
        if keyword in _SIMPLE:
            return _SIMPLE[keyword](value)
        if keyword in _COMPOSED:
            return _COMPOSED[keyword](value, self.schema)
        if keyword == "$ref":
            return self._reference(value)
        self._annotation(keyword, value)
        return None

    def _reference(self, ref: object) -> Check:
        found = target(ref, self._root)
        self._referred.append(found)
        return self._deferred(found) if isinstance(found, dict) else self.schema(found)

    def _annotation(self, keyword: str, value: JsonValue) -> None:
        if keyword == "$schema" and (not isinstance(value, str) or value.rstrip("#") != _DIALECT):
            raise refused("dialect")
        if keyword in {"$defs", "definitions"}:
            if not isinstance(value, dict):
                raise refused("keyword", keyword)
            for each in value.values():
                self.schema(each)
        wanted = str if keyword in _WORDS else bool if keyword in _FLAGS else list if keyword == "examples" else object
        if not isinstance(value, wanted):
            raise refused("keyword", keyword)

    def _count_patterns(self, texts: Collection[object]) -> None:
        self._patterns += len(texts)
        if self._patterns > MOST_PATTERNS:
            raise refused("large")
        self._pattern_weight += sum(weight(parsed(text)) for text in texts if isinstance(text, str))
        if self._pattern_weight > HEAVIEST_PATTERNS:
            raise refused("pattern")


_SIMPLE: Final = {
    "type": scalars.types,
    "enum": scalars.enumeration,
    "const": scalars.constant,
    "multipleOf": scalars.multiple,
    "pattern": scalars.matching,
    "required": applicators.required,
    "dependentRequired": applicators.dependent_required,
    "uniqueItems": applicators.unique,
}
_COMPOSED: Final = {
    "allOf": applicators.all_of,
    "anyOf": applicators.any_of,
    "oneOf": applicators.one_of,
    "not": applicators.negated,
    "propertyNames": applicators.property_names,
    "dependentSchemas": applicators.dependent_schemas,
}


def _always(_value: JsonValue, look: Look, _path: Path) -> bool:
    look.spend()
    return True


def _never(_value: JsonValue, look: Look, path: Path) -> bool:
    look.spend()
    return look.wrong(path, "nothing is allowed here")


def _joined(checks: list[Check]) -> Check:
    def check(value: JsonValue, look: Look, path: Path) -> bool:
        look.enter()
        fits = True
        for each in checks:
            fits = each(value, look, path) and fits
        look.leave()
        return fits

    return check


_MOST_KEPT: Final = 256
_HEAVIEST_KEPT: Final = 100_000
"""What all that are kept weigh together: some hundred megabytes at worst."""

_kept: Final[OrderedDict[str, Schema]] = OrderedDict()
_lock: Final = Lock()


def compiled(schema: object) -> Schema:
    """The schema, ready for use; made once for equal documents.

    Raises:
        InvalidInput: it is no JSON Schema of our dialect, too large or deep, refers to something else than itself, or
            holds a pattern that cannot be matched within bounds.
    """
    if isinstance(schema, Schema):
        return schema
    document, digest = admitted(schema)
    with _lock:
        if found := _kept.get(digest):
            _kept.move_to_end(digest)
            return found
    made = Schema(document, digest)
    with _lock:
        _kept[digest] = made
        while len(_kept) > _MOST_KEPT or (len(_kept) > 1 and _total() > _HEAVIEST_KEPT):
            _kept.popitem(last=False)
    return made


def _total() -> int:
    return sum(each.weight for each in _kept.values())
