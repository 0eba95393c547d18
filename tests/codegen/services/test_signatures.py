"""What a service takes and gives is read from its source, and what the host says is not for the source to say."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.codegen.services.signatures import signature_of
from moothall.errors import CodeRefused

TREND = '''
def _mean(values: list) -> float:
    return sum(values) / len(values)


def trend(symbol: str, days: int = 30, weights: list[float] | None = None) -> dict[str, float]:
    """Rate the trend of a stock.

    Args:
        symbol: of the exchange
        days: to look back
    """
    quotes = call("local:market.quotes", {"symbol": symbol, "days": days})
    return {"mean": _mean(quotes)}
'''


def problems(source: str, name: str = "") -> list[tuple[str, str]]:
    with pytest.raises(CodeRefused) as refused:
        signature_of(source, name)
    stages = refused.value.details["report"]["stages"]
    return [(problem["stage"], problem["code"]) for stage in stages for problem in stage["problems"]]


@pytest.mark.requirement("GEN-05")
def test_metadata_comes_from_the_signature_and_the_docstring() -> None:
    signature = signature_of(TREND)
    assert (signature.name, signature.summary) == ("trend", "Rate the trend of a stock.")
    assert signature.targets == ("local:market.quotes",)
    assert signature.function.parameters == {
        "type": "object",
        "properties": {
            "symbol": {"type": "string", "description": "of the exchange"},
            "days": {"type": "integer", "description": "to look back", "default": 30},
            "weights": {
                "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}],
                "default": None,
            },
        },
        "additionalProperties": False,
        "required": ["symbol"],
        "description": "Rate the trend of a stock.",
    }
    assert signature.function.returns == {"type": "object", "additionalProperties": {"type": "number"}}


@pytest.mark.requirement("GEN-05")
@pytest.mark.parametrize(
    "source",
    [
        pytest.param("permissions = ['all']\ndef f(a: int) -> int:\n    return a", id="permissions"),
        pytest.param("expose_to: str = 'net'\ndef f(a: int) -> int:\n    return a", id="exposure"),
        pytest.param("x, (may_call, y) = 1, (2, 3)\ndef f(a: int) -> int:\n    return a", id="hidden-in-a-tuple"),
        pytest.param("def publish() -> None:\n    pass\ndef f(a: int) -> int:\n    return a", id="function"),
        pytest.param("from moothall import capability\ndef f(a: int) -> int:\n    return a", id="import-of-a-name"),
        pytest.param("import moothall.node as n\ndef f(a: int) -> int:\n    return a", id="import"),
        pytest.param("def f(a: int) -> int:\n    f.__capability__ = 1\n    return a", id="attribute"),
    ],
)
def test_code_that_says_who_may_call_it_is_refused(source: str) -> None:
    assert ("signature", "exposure") in problems(source, "f")


@pytest.mark.requirement("GEN-05")
def test_code_that_decorates_itself_is_refused() -> None:
    assert problems("@capability(expose_to='net')\ndef f(a: int) -> int:\n    return a") == [("signature", "decorator")]


@pytest.mark.requirement("GEN-05", "GEN-09")
@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def f(a) -> int:\n    return a", id="no-type-of-a-parameter"),
        pytest.param("def f(a: int):\n    return a", id="no-type-of-the-value"),
        pytest.param("def f(a: Path) -> int:\n    return 1", id="other-type"),
        pytest.param("def f(a: int, *rest: int) -> int:\n    return a", id="many"),
        pytest.param("def f(a: int, **rest: int) -> int:\n    return a", id="many-by-name"),
        pytest.param("def f(a: int, /) -> int:\n    return a", id="by-position"),
        pytest.param("def f(ctx: int) -> int:\n    return ctx", id="what-the-host-fills"),
        pytest.param("def f(a: int = print(1)) -> int:\n    return a", id="default-that-runs"),
        pytest.param("def f(a: int = open('x')) -> int:\n    return a", id="default-that-opens"),
        pytest.param("def f(a: float = 1e999) -> float:\n    return a", id="infinite"),
        pytest.param("def f(a: Literal[open('x')]) -> int:\n    return 1", id="literal-that-runs"),
        pytest.param("def f(a: __import__('os').system('x')) -> int:\n    return 1", id="type-that-runs"),
        pytest.param("def F(a: int) -> int:\n    return a", id="name"),
    ],
)
def test_what_has_no_plain_type_is_refused_and_nothing_of_it_is_evaluated(source: str) -> None:
    assert problems(source) == [("signature", "types")]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        pytest.param("def f(a: int -> int", "syntax", id="syntax"),
        pytest.param("f = 1", "function", id="no-function"),
        pytest.param("def f() -> int:\n    return 1\ndef g() -> int:\n    return 1", "function", id="two"),
        pytest.param("def _f() -> int:\n    return 1", "function", id="hidden"),
        pytest.param("x = " + "(" * 9000, "syntax", id="deep"),
        pytest.param("#" * 70_000, "size", id="long"),
        pytest.param("x = '\0'", "syntax", id="nul"),
    ],
)
def test_a_module_that_is_no_service_is_refused(source: str, code: str) -> None:
    assert [each for _, each in problems(source)] == [code]


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("str", {"type": "string"}),
        ("Any", {}),
        ("list", {"type": "array"}),
        (
            "list[dict[str, int]]",
            {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}},
        ),
        ("Optional[bool]", {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        ("Union[int, str]", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("int | str | None", {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}),
        ("Literal['up', 'down', 3]", {"enum": ["up", "down", 3]}),
        ("None", {"type": "null"}),
    ],
)
def test_types_are_read_as_schemas(written: str, schema: dict[str, Any]) -> None:
    assert signature_of(f"def f() -> {written}:\n    return None").function.returns == schema


def test_a_type_without_end_is_refused() -> None:
    assert problems(f"def f() -> {'list[' * 50}int{']' * 50}:\n    return []") == [("signature", "types")]
    union = " | ".join(["int"] * 2_000)
    assert len(signature_of(f"def f() -> {union}:\n    return 1").function.returns["anyOf"]) == 2_000


def test_one_of_several_functions_can_be_named() -> None:
    source = "def f() -> int:\n    return 1\ndef g() -> str:\n    return ''"
    assert signature_of(source, "g").function.returns == {"type": "string"}
