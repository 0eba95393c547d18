"""How values of one schema become values of another: by names, titles and types, never by a guess."""

from typing import Any

import pytest

from moothall.codegen.schemas.mapping import Mapping, Unmapped, map_fields
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.validation import compiled

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
DECIMAL = {"type": "string", "format": "decimal"}


def having(required: list[str] | None = None, **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members) if required is None else required}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


@pytest.mark.parametrize(
    ("source", "target", "value", "made"),
    [
        (
            having(userId=TEXT, n=WHOLE),
            having(user_id=TEXT, n=NUMBER),
            {"userId": "a", "n": 1},
            {"user_id": "a", "n": 1},
        ),
        (having(**{"max-temp": NUMBER}), having(maxTemp=NUMBER), {"max-temp": 1.5}, {"maxTemp": 1.5}),
        (having(cities=listed(TEXT)), having(city=listed(TEXT)), {"cities": ["a"]}, {"city": ["a"]}),
        (having(x={**TEXT, "title": "User ID"}), having(user_id=TEXT), {"x": "a"}, {"user_id": "a"}),
        (having(x=TEXT), having(y={**TEXT, "title": "X"}), {"x": "a"}, {"y": "a"}),
        (having(a={**TEXT, "description": "城市"}), having(b={**TEXT, "description": "城市"}), {"a": "x"}, {"b": "x"}),
        (having(user=having(id=TEXT)), having(user_id=TEXT), {"user": {"id": "a"}}, {"user_id": "a"}),
        (having(user_id=TEXT), having(user=having(id=TEXT)), {"user_id": "a"}, {"user": {"id": "a"}}),
        (having(code=WHOLE, data=having(t=NUMBER)), having(t=NUMBER), {"code": 200, "data": {"t": 1}}, {"t": 1}),
        (having(request=having(city=TEXT)), having(city=TEXT), {"request": {"city": "a"}}, {"city": "a"}),
        (having(code=WHOLE, result=listed(TEXT)), listed(TEXT), {"code": 200, "result": ["a"]}, ["a"]),
        (
            having(items=listed(having(itemId=TEXT))),
            having(items=listed(having(item_id=TEXT))),
            {"items": [{"itemId": "a"}, {"itemId": "b"}]},
            {"items": [{"item_id": "a"}, {"item_id": "b"}]},
        ),
        (having(price=NUMBER), having(price=DECIMAL), {"price": 2.5}, {"price": "2.5"}),
        (having(price=DECIMAL), having(price=NUMBER), {"price": "2.5"}, {"price": 2.5}),
        (having(n={**TEXT, "pattern": "^-?\\d+$"}), having(n=WHOLE), {"n": "-12"}, {"n": -12}),
        (having([], days=WHOLE), having(days={**WHOLE, "default": 3}), {}, {"days": 3}),
        (having(city=TEXT), having(city=TEXT, kind={"const": "x"}), {"city": "a"}, {"city": "a", "kind": "x"}),
        (having(a={"type": ["string", "null"]}), having([], a=TEXT), {"a": None}, {}),
        (having(a=TEXT, secret=TEXT), having(a=TEXT), {"a": "x", "secret": "s"}, {"a": "x"}),
        (
            having(a={"anyOf": [having(fooBar=TEXT), {"type": "null"}]}),
            having(a={"anyOf": [having(foo_bar=TEXT), {"type": "null"}]}),
            {"a": None},
            {"a": None},
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_called_the_same_is_mapped(source: Any, target: Any, value: Any, made: Any) -> None:
    found = map_fields(source, target)
    assert isinstance(found, Mapping)
    assert found.apply(value) == made


@pytest.mark.parametrize(
    ("source", "target", "missing"),
    [
        (having(a=TEXT), having(b=TEXT), ("b",)),
        (having([], a=TEXT), having(a=TEXT), ("a",)),
        (having(a={"type": ["string", "null"]}), having(a=TEXT), ("a",)),
        (having(a=TEXT), having(a=WHOLE), ("a",)),
        (having(a=NUMBER), having(a=WHOLE), ("a",)),
        (having(a=WHOLE), having(a=TEXT), ("a",)),
        (having(a=having(id=TEXT), b=having(id=TEXT)), having(id=TEXT), ("id",)),
        (having(userId=TEXT, user_ID=TEXT), having(user_id=TEXT), ("user_id",)),
        (having(a={**TEXT, "format": "date"}), having(a={**TEXT, "format": "email"}), ("a",)),
        (having(a={"enum": ["x"]}), having(a={"enum": ["y"]}), ("a",)),
        (having(user=having(id=TEXT)), having(user=having(id=TEXT, name=TEXT)), ("user.name",)),
        (having(days=WHOLE, city=TEXT), WHOLE, ()),
        ({}, TEXT, ()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_told_for_sure_is_missing_with_a_reason(source: Any, target: Any, missing: Any) -> None:
    found = map_fields(source, target)
    assert isinstance(found, Unmapped)
    assert set(missing) <= set(found.missing)
    assert found.reasons


def test_a_mapping_says_what_goes_where_and_what_goes_nowhere() -> None:
    found = map_fields(
        having(cityName=TEXT, price=NUMBER, spare=TEXT), having(["city_name"], city_name=TEXT, price=DECIMAL, unit=TEXT)
    )
    assert isinstance(found, Mapping)
    assert [(move.source, move.target, move.conversion) for move in found.moves] == [
        ("cityName", "city_name", "copy"),
        ("price", "price", "number_to_text"),
    ]
    assert found.unused == ("spare",)
    assert found.absent == ("unit",)
    assert not found.identity


def test_equal_schemas_map_by_identity() -> None:
    schema = having(["a"], a=TEXT, b=listed(WHOLE))
    found = map_fields(schema, dict(schema))
    assert isinstance(found, Mapping)
    assert found.identity
    assert found.total


def test_known_constants_fill_members_of_the_target() -> None:
    found = map_fields(having(t=NUMBER), having(["code"], code=WHOLE, data=having(t=NUMBER)), constants={"code": 200})
    assert isinstance(found, Mapping)
    assert found.apply({"t": 1.5}) == {"code": 200, "data": {"t": 1.5}}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (having(["a"], a={**TEXT, "maxLength": 5}, b=WHOLE), having(["a"], a=TEXT, b=NUMBER, c=TEXT)),
        (having(rows=listed(having(rowId=WHOLE))), having(rows=listed(having(row_id=NUMBER)))),
        (having([], days=WHOLE), having(days={**WHOLE, "default": 3})),
        (listed(TEXT), having(data=listed(TEXT), code={"const": 200})),
    ],
    ids=["narrower", "rows", "default", "wrapped"],
)
def test_a_total_mapping_makes_valid_targets_of_all_valid_sources(source: Any, target: Any) -> None:
    found = map_fields(source, target)
    assert isinstance(found, Mapping)
    assert found.total
    assert all(compiled(target).accepts(found.apply(value)) for value in samples(source, 30))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (having(a=TEXT), having(a={**TEXT, "maxLength": 3})),
        (having(a=NUMBER), having(a=DECIMAL)),
        (having([], days=WHOLE), having(days={**WHOLE, "default": "three"})),
        (having(a=listed(TEXT)), having(a={**listed(having(b=TEXT)), "items": TEXT, "minItems": 1})),
    ],
    ids=["longer", "text", "wrong default", "too few"],
)
def test_a_mapping_that_may_give_what_is_not_valid_is_not_called_total(source: Any, target: Any) -> None:
    found = map_fields(source, target)
    assert isinstance(found, Mapping)
    assert not found.total


@pytest.mark.parametrize("text", ["", "1_0", "0x1", "1e5", "nan", "1" * 16, "١٢", " 1", "1.2.3"])
def test_a_text_that_is_no_plain_decimal_number_becomes_none(text: str) -> None:
    found = map_fields(having(n=DECIMAL), having(n=NUMBER))
    assert isinstance(found, Mapping)
    with pytest.raises(ValueError):
        found.apply({"n": text})


def test_what_is_made_shares_nothing_with_its_source() -> None:
    value = {"a": ["x"], "b": "y"}
    found = map_fields(having(a=listed(TEXT), b=TEXT), having(a=listed(TEXT)))
    assert isinstance(found, Mapping)
    found.apply(value)["a"].append("z")
    assert value == {"a": ["x"], "b": "y"}


def test_schemas_of_thousands_of_members_are_given_up_in_bounded_work() -> None:
    source = having(**{f"a{n}": TEXT for n in range(1500)})
    target = having(**{f"b{n}": TEXT for n in range(1500)})
    assert isinstance(map_fields(source, target), Unmapped)


def test_what_describes_several_members_names_none_of_them() -> None:
    day = {"type": "string", "description": "A day"}

    def holding(*names: str) -> dict[str, Any]:
        return {"type": "object", "properties": dict.fromkeys(names, day), "required": list(names)}

    assert isinstance(map_fields(holding("from"), holding("departure")), Mapping)
    for source, target in ((("from", "to"), ("from", "departure")), (("day",), ("start", "end"))):
        found = map_fields(holding(*source), holding(*target))
        assert isinstance(found, Unmapped)
        assert found.missing[-1] == target[-1]
