"""Stubs: what the type checker of the sandbox knows of what code is given, and that no schema writes code into them."""

import ast
from typing import Any

import pydantic_monty
import pytest

from moothall.codegen.module import Function, Manifest, Provenance
from moothall.codegen.schemas.stubs import stubs_of, type_names
from moothall.codegen.task import Callee

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}


def having(required: list[str] | None = None, **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members) if required is None else required}


REQUEST = having(["city"], city=TEXT, days=WHOLE, kind={"enum": ["a", "b"]})
RESPONSE = having(["code"], code=WHOLE, data=having(**{"max-temp": {"type": "number"}}))
HANDLE = Function(name="handle", parameters=having(request=REQUEST), returns=RESPONSE)
CALLBACK = Callee("callback", having(request=REQUEST), RESPONSE)


def manifest(*functions: Function, may_call: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        kind="provider", name="n", functions=functions, may_call=may_call, provenance=Provenance(writer="template")
    )


def checked(source: str, stubs: str) -> str:
    """What the type checker says; empty: nothing."""
    with (
        pydantic_monty.Monty(max_processes=1) as pool,
        pool.checkout(type_check=True, type_check_stubs=stubs) as session,
    ):
        try:
            session.feed_run(source)
        except pydantic_monty.MontyTypingError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ('reply = call("callback", {"request": request})\n    return {"code": reply["code"]}', ""),
        ('reply = call("callback", {"request": request})\n    return {"code": reply["cod"]}', "cod"),
        ('return {"code": request["town"]}', "town"),
        ('return {"code": "200"}', "code"),
        ('return {"kode": 200}', "kode"),
        ('made: Any = {}\n    made["code"] = 200\n    return made', ""),
        ('return call("other", {})', "call"),
    ],
)
def test_the_checker_finds_wrong_members_and_lets_right_ones_pass(body: str, wrong: str) -> None:
    stubs = stubs_of(manifest(HANDLE, may_call=("callback",)), [CALLBACK])
    said = checked(f"def handle(request: Request) -> Response:\n    {body}\n", stubs)
    assert bool(said) is bool(wrong)
    assert wrong in said


def test_types_are_called_after_what_they_are() -> None:
    functions = (
        Function(name="build", parameters=having(arguments=having(a=TEXT)), returns=REQUEST),
        Function(name="parse", parameters=having(response=RESPONSE), returns={"type": "array", "items": TEXT}),
        Function(name="make_it", parameters=having(city_name=TEXT, any=TEXT), returns=WHOLE),
    )
    assert type_names(functions) == {
        "build": ({"arguments": "Arguments"}, "Request"),
        "parse": ({"response": "Response"}, "Result"),
        "make_it": ({"city_name": "CityName", "any": "MakeItAny"}, "MakeItResult"),
    }


def test_a_name_wanted_for_two_schemas_is_told_apart() -> None:
    functions = (
        Function(name="handle", parameters=having(request=REQUEST), returns=RESPONSE),
        Function(name="check", parameters=having(request=having(a=TEXT)), returns={"type": "boolean"}),
        Function(name="again", parameters=having(request=REQUEST), returns={"type": "boolean"}),
    )
    names = type_names(functions)
    assert [names[name][0]["request"] for name in ("handle", "check", "again")] == [
        "Request",
        "CheckRequest",
        "Request",
    ]


def test_without_callees_there_is_no_call_and_unknown_ones_give_anything() -> None:
    assert "def call" not in stubs_of(manifest(HANDLE))
    stubs = stubs_of(manifest(HANDLE, may_call=("local:a.b",)))
    assert checked('def handle(request: Request) -> Response:\n    return call("local:a.b", {})\n', stubs) == ""


def test_types_that_hold_themselves_are_declared() -> None:
    tree = {
        "type": "array",
        "items": {"$ref": "#/$defs/t"},
        "$defs": {"t": having(["v"], v=WHOLE, k={"$ref": "#/$defs/t"})},
    }
    function = Function(name="handle", parameters=having(request=REQUEST), returns=tree)
    source = "def handle(request: Request) -> Response:\n    return [{'v': 1, 'k': {'v': 2}}]\n"
    assert checked(source, stubs_of(manifest(function))) == ""
    assert "wrong" in checked(source.replace("'v': 2", "'wrong': 2"), stubs_of(manifest(function)))


EVIL = "import os\nos.system('x')"


@pytest.mark.parametrize(
    "schema",
    [
        having(**{EVIL: TEXT}),
        having(**{'a": int}); import os; ({"b': TEXT}),
        having(**{"__class__": TEXT, "class": TEXT, "None": TEXT, "": TEXT, "a b": TEXT}),
        having(a={"type": "string", "title": EVIL, "description": f'"""\n{EVIL}', "default": EVIL, "pattern": "x"}),
        {**having(a=TEXT), "title": EVIL, "description": f"'''\n{EVIL}\n'''"},
        having(a={"enum": ['"]\nimport os', "'); import os; ('"]}),
        having(a={"const": '"; import os'}),
        having(
            a={"type": "string", "customTypePath": "os.system", "x-python-import": {"module": "os", "name": "system"}}
        ),
        having(a={"type": "string", "format": "uuid"}, b={"type": "string", "format": "date-time"}),
    ],
    ids=range(9),
)
def test_no_schema_writes_anything_but_declarations(schema: dict[str, Any]) -> None:
    function = Function(name="handle", parameters=having(request=schema), returns={})
    target = Callee('x"]) -> Any: ...\nimport os #', having(), schema)
    stubs = stubs_of(manifest(function), [target])
    tree = ast.parse(stubs)
    imported = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "typing"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called <= {"TypedDict"}
    assert "Request" in {name.id for name in ast.walk(tree) if isinstance(name, ast.Name)} | {
        node.name for node in tree.body if isinstance(node, ast.ClassDef)
    }


def test_schemas_without_end_are_cut() -> None:
    big = having(**{f"p{n}": having(**{f"q{m}": having(r=TEXT) for m in range(12)}) for n in range(60)})
    stubs = stubs_of(manifest(Function(name="handle", parameters=having(request=big), returns=big)))
    assert len(stubs) < 200_000
    assert checked("def handle(request: Request) -> Response:\n    return {}\n", stubs) != "x"
