"""Seeded schemas and values, to hold what we do against an independent implementation and against itself."""

import random
from collections.abc import Callable
from typing import Any

REFERRED = {
    "type": ["object", "array", "string"],
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "items": {"type": "integer"},
}


class Dice:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        made: list[Callable[[], Any]] = [
            lambda: None,
            lambda: True,
            lambda: False,
            lambda: self.rng.choice([0, 1, 2, 1.0, 1.5, -3, 10]),
            lambda: self.rng.choice(["", "a", "ab", "5", "foo"]),
            lambda: [self.value(depth + 1) for _ in range(self.rng.randrange(4))],
            lambda: {self.rng.choice("abc"): self.value(depth + 1) for _ in range(self.rng.randrange(4))},
        ]
        return made[self.rng.randrange(len(made) if depth < 3 else 5)]()

    def document(self) -> dict[str, Any]:
        made = self.schema()
        return {**(made if isinstance(made, dict) else {"not": {}}), "$defs": {"x": REFERRED}}

    def schema(self, depth: int = 0) -> Any:
        if depth > 3 or self.rng.random() < 0.07:
            return self.rng.choice([True, False, {}])
        keywords = self.keywords(depth + 1)
        made: dict[str, Any] = {}
        for _ in range(self.rng.randrange(1, 4)):
            keyword = self.rng.choice(list(keywords))
            made[keyword] = keywords[keyword]()
            if keyword == "if":
                made |= {"then": self.schema(depth + 1), "else": self.schema(depth + 1)}
            if keyword == "contains" and self.rng.random() < 0.5:
                made |= {"minContains": self.rng.randrange(3)}
        return made

    def keywords(self, depth: int) -> dict[str, Callable[[], Any]]:
        def number() -> int:
            return self.rng.randrange(4)

        def one() -> Any:
            return self.schema(depth)

        types = ["string", "integer", "number", "object", "array", "null", "boolean", ["string", "null"]]
        return {
            "type": lambda: self.rng.choice(types),
            "enum": lambda: [self.value() for _ in range(3)],
            "const": self.value,
            "pattern": lambda: self.rng.choice(["^a", "[0-9]", "b$", "^(foo|a)+$"]),
            "multipleOf": lambda: self.rng.choice([2, 0.5, 1]),
            "required": lambda: [self.rng.choice("ab")],
            "dependentRequired": lambda: {"a": ["b"]},
            "uniqueItems": lambda: True,
            "$ref": lambda: "#/$defs/x",
            "properties": lambda: {name: one() for name in "ab"},
            "patternProperties": lambda: {"^a": one()},
            "dependentSchemas": lambda: {"a": one()},
            "prefixItems": lambda: [one()],
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), number),
            **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "maxProperties"), number),
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), lambda: [one(), one()]),
            **dict.fromkeys(("items", "additionalProperties", "not", "contains", "propertyNames", "if"), one),
        }
