"""JSON Schema from signatures and docstrings."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import jsonschema
import pytest
from pydantic import BaseModel, Field

from moothall.canonical import dumps
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.documents import write_pages
from moothall.capability.options import OptionError
from tests.capability.shop import entry_of, run


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    x: int
    y: float = 0.0
    near: list[Point] = []


class Named(BaseModel):
    title: str = Field(description="what it says")
    at: Point | None = None


@capability
def everything(
    count: Annotated[int, Field(ge=0)],
    colour: Colour,
    when: datetime,
    point: Named,
    limit: int = 10,
    note: Optional[str] = None,  # noqa: UP045 - as users write it
    *,
    mode: Literal["a", "b"] = "a",
    anything=None,  # noqa: ANN001
) -> list[Named]:
    """Do it all.

    Args:
        count: how many,
            at least none
        point: where
        limit: at most

    Returns:
        what was found
    """
    return [point]


@pytest.mark.requirement("DEC-37", "SOA-01")
def test_the_input_schema_says_what_the_signature_and_the_docstring_say() -> None:
    schema = entry_of(everything).input_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    properties = schema["properties"]
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["count", "colour", "when", "point"]
    assert (properties["count"]["type"], properties["count"]["minimum"]) == ("integer", 0)
    assert properties["count"]["description"] == "how many, at least none"
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert properties["when"] == {"type": "string", "format": "date-time"}
    assert properties["limit"]["default"] == 10
    assert properties["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert properties["mode"] == {"enum": ["a", "b"], "default": "a", "type": "string"}
    assert "type" not in properties["anything"]
    assert schema["$defs"]["Named"]["properties"]["title"] == {"type": "string", "description": "what it says"}
    valid = {
        "count": 0,
        "colour": "red",
        "when": "2026-01-01T00:00:00Z",
        "point": {"title": "t", "at": {"x": 1, "near": [{"x": 2}]}},
    }
    jsonschema.validate(valid, schema, cls=jsonschema.Draft202012Validator)
    for wrong in ({**valid, "count": -1}, {**valid, "colour": "green"}, {**valid, "other": 1}, {"count": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.requirement("DEC-37")
def test_the_output_schema_is_that_of_the_return_annotation() -> None:
    schema = entry_of(everything).output_schema
    assert schema is not None
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "array"
    assert schema["items"] == {"$ref": "#/$defs/Named"}
    assert schema["description"] == "what was found"


def test_without_annotation_nothing_is_promised() -> None:
    def free(a):  # noqa: ANN001, ANN202
        return a

    def nothing() -> None:
        return None

    assert entry_of(capability(free)).output_schema is None
    assert entry_of(capability(free)).input_schema["properties"] == {"a": {}}
    assert entry_of(capability(nothing)).output_schema == {"type": "null"}


@pytest.mark.requirement("SOA-01")
async def test_the_contract_of_the_specification_holds() -> None:
    @capability()
    def calculate_tax(income: float, tax_rate: float = 0.2) -> dict:  # type: ignore[type-arg]
        """
        计算税费服务

        Args:
            income: 收入金额
            tax_rate: 税率（默认20%）

        Returns:
            包含税费计算结果的字典
        """
        return {"tax": income * tax_rate, "net_income": income * (1 - tax_rate)}

    entry = entry_of(calculate_tax)
    assert await run(entry, [100]) == {"tax": 20.0, "net_income": 80.0}
    assert calculate_tax(100) == {"tax": 20.0, "net_income": 80.0}
    properties = entry.input_schema["properties"]
    assert properties["income"] == {"type": "number", "description": "收入金额"}
    assert properties["tax_rate"] == {"type": "number", "default": 0.2, "description": "税率（默认20%）"}
    assert entry.spec.description == "计算税费服务"
    assert entry.output_schema is not None
    assert entry.output_schema["description"] == "包含税费计算结果的字典"


@pytest.mark.requirement("TPL-38")
@pytest.mark.parametrize("place", ["first", "last", "keyword", "position", "maybe"])
async def test_the_context_is_injected_by_its_type_and_nobody_can_supply_it(place: str) -> None:
    async def first(ctx: CallContext, a: int) -> str:
        return f"{ctx.capability} {a}"

    async def last(a: int, who: CallContext) -> str:
        return f"{who.capability} {a}"

    async def keyword(a: int, *, ctx: CallContext) -> str:
        return f"{ctx.capability} {a}"

    async def position(b: CallContext, a: int, /) -> str:
        return f"{b.capability} {a}"

    async def maybe(a: int, ctx: CallContext | None = None) -> str:
        return f"{ctx.capability if ctx else ''} {a}"

    entry = entry_of(capability({f.__name__: f for f in (first, last, keyword, position, maybe)}[place]))
    assert list(entry.input_schema["properties"]) == ["a"]
    assert (entry.contextual, entry_of(everything).contextual) == (True, False)
    assert await run(entry, {"a": 1}) == f"{place} 1"
    assert await run(entry, [1]) == f"{place} 1"
    for name in ("ctx", "who", "b"):
        with pytest.raises(ValueError, match=name):
            entry.bind({"a": 1, name: {"principal": "owner"}})


@pytest.mark.requirement("DEC-53")
def test_a_stream_is_described_by_one_of_its_values() -> None:
    async def counted(to: int) -> AsyncIterator[str]:
        yield str(to)

    entry = entry_of(capability(counted))
    assert entry.streams
    assert entry.output_schema == {"type": "string"}


def test_integers_that_other_readers_would_round_are_marked() -> None:
    def numbers(big: int, small: Annotated[int, Field(ge=0, le=100)]) -> int:
        return big + small

    entry = entry_of(capability(numbers))
    assert entry.input_schema["properties"]["big"] == {"type": "integer", "x-moothall-int": "decimal-string"}
    assert entry.input_schema["properties"]["small"] == {"type": "integer", "minimum": 0, "maximum": 100}
    assert entry.output_schema == {
        "type": ["integer", "string"], "pattern": r"^-?\d+$", "x-moothall-int": "decimal-string",
    }  # fmt: skip
    assert entry_of(capability(lambda_ranged())).output_schema == {"type": "integer", "minimum": 0, "maximum": 9}


def lambda_ranged() -> Any:
    def digit() -> Annotated[int, Field(ge=0, le=9)]:
        return 1

    return digit


def test_what_a_schema_cannot_say_is_left_out_and_the_rest_is_json_for_every_reader() -> None:
    def wide(
        a: Annotated[int, Field(ge=0, le=2**60)] = 2**60, b: float = math.inf, c: Any = math.nan, d: Point | None = None
    ) -> Annotated[int, Field(le=2**60)]:
        return a

    entry = entry_of(capability(wide))
    properties = entry.input_schema["properties"]
    assert properties["a"] == {
        "type": "integer",
        "minimum": 0,
        "default": str(2**60),
        "x-moothall-int": "decimal-string",
    }
    assert (properties["b"], properties["c"]) == ({"type": "number"}, {})
    assert entry.output_schema is not None
    assert "maximum" not in entry.output_schema
    dumps(entry.input_schema)
    assert entry.bind({}).named["b"] == math.inf, "a default is the author's affair"


def test_types_of_a_function_or_class_around_it_are_found() -> None:
    class Local(BaseModel):
        n: int

    class Holder:
        class Inner(BaseModel):
            m: int

        @capability
        def method(self, a: Local, b: Inner) -> Local:
            return a

    entry = entry_of(Holder())
    assert set(entry.input_schema["$defs"]) == {"Local", "Inner"}


def test_types_that_are_defined_later_are_found_when_the_function_is_included() -> None:
    space: dict[str, Any] = {"capability": capability, "BaseModel": BaseModel, "__name__": "made"}
    exec(  # noqa: S102
        "from __future__ import annotations\n@capability\ndef use(a: Late) -> int:\n    return a.n\n"
        "class Late(BaseModel):\n    n: int\n",
        space,
    )
    assert "Late" in entry_of(space["use"]).input_schema["$defs"]


def test_a_type_that_is_not_there_or_has_no_json_form_is_refused_by_name() -> None:
    @capability
    def absent(a: Missing) -> int:  # type: ignore[name-defined] # noqa: F821
        return 1

    class Opaque:
        pass

    @capability
    def opaque(a: Opaque) -> int:
        return 1

    with pytest.raises(OptionError, match="Missing"):
        entry_of(absent)
    with pytest.raises(OptionError, match="no JSON form"):
        entry_of(opaque)


@pytest.mark.requirement("DEC-37")
def test_every_capability_has_a_page(tmp_path: Path) -> None:
    entry = entry_of(everything)
    (file,) = write_pages([entry], tmp_path / "pages")
    assert file.name == "shop.everything.md"
    page = file.read_text(encoding="utf-8")
    for part in (
        "# shop.everything",
        "Do it all.",
        "`count` | integer | yes",
        "how many, at least none",
        "`limit` | integer | no | 10",
        "list of Named. what was found",
    ):
        assert part in page


def test_a_page_tells_the_terms_too() -> None:
    @capability(expose_to="net", auth=False, rate_limit="2/minute", tags=["t"])
    async def watch(kind: Literal["a", "b"] = "a", names: list[str] = []) -> AsyncIterator[Named]:  # noqa: B006
        yield Named(title=kind)

    def silent():  # noqa: ANN202
        return None

    entry = entry_of(watch)
    page = entry.document(replace(entry, state="deprecated"))
    choice, stream = '`"a"` or `"b"`', "one after another, each: Named"
    for part in ("(deprecated)", choice, "list of string", stream, "over the network only", "anybody"):
        assert part in page
    assert "2 calls in 60 s" in page
    assert "tags: t" in page
    guarded = entry_of(capability(permissions=["p"])(silent))
    assert "hold: p" in guarded.document(guarded)
    bare = entry_of(capability(silent))
    assert "Not declared." in bare.document(bare)
    assert "None." in bare.document(bare)
