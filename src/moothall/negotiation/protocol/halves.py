"""What each half of an agreed protocol has to do, as a task for whoever writes code, with the agreed cases. Pure.

The requester's half makes a request of what its user has, and a result of the response; the provider's half answers a
request, and reaches the business code behind it by ``call("callback", {"request": …})``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from moothall.codegen.module import Case, Function, Kind, ScriptedCall
from moothall.codegen.schemas.mapping import Mapping, map_fields
from moothall.codegen.task import CALLBACK, Callee, CodingTask
from moothall.errors import InvalidInput
from moothall.negotiation.protocol.bases import GOOD
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.structured import need_schemas

_REQUESTER: Final = (
    "Write the requester's half of the agreed protocol. `build` makes a request of the arguments; `parse` makes the "
    "result of a response, and raises ValueError where its code is not 200. Neither calls anything."
)
_PROVIDER: Final = (
    "Write the provider's half of the agreed protocol. `handle` answers a request: it hands the request to the "
    "business code by call('callback', {'request': request}), whose value is the response, and returns that."
)


def half_task(
    role: Role, document: ProtocolDocument, need: Need | None = None, cases: Sequence[JsonObject] = ()
) -> CodingTask:
    """The task for one half.

    Args:
        role: whose half.
        document: the agreed protocol.
        need: the requester's; what its user gives and gets where that differs from the protocol's.
        cases: the agreed test cases.
    """
    callback = Callee(CALLBACK, _object("request", document.request), document.returns, "the business code")
    functions = provider_functions(document) if role == "provider" else requester_functions(document, need)
    return CodingTask(
        kind=role,
        name=f"{document.name}.{role}",
        functions=functions,
        instruction=_PROVIDER if role == "provider" else _REQUESTER,
        material=document.text,
        callees=(callback,) if role == "provider" else (),
        cases=half_cases(role, functions, cases),
        protocol=document.digest,
    )


def opposite_task(document: ProtocolDocument, kind: Kind) -> CodingTask | None:
    """The task for the half that a module of this kind talks to; None for what is no half."""
    opposites: dict[Kind, Role] = {"requester": "provider", "provider": "requester"}
    role = opposites.get(kind)
    return None if role is None else half_task(role, document)


def requester_functions(document: ProtocolDocument, need: Need | None = None) -> tuple[Function, ...]:
    """``build(arguments) -> request`` and ``parse(response) -> result``."""
    given, wanted = need_schemas(need) if need else (None, None)
    return (
        Function(name="build", parameters=_object("arguments", given or document.request), returns=document.request),
        Function(name="parse", parameters=_object("response", document.response), returns=wanted or document.good),
    )


def provider_functions(document: ProtocolDocument) -> tuple[Function, ...]:
    """``handle(request) -> response``."""
    return (Function(name="handle", parameters=_object("request", document.request), returns=document.returns),)


def half_cases(role: Role, functions: Sequence[Function], cases: Sequence[JsonObject]) -> tuple[Case, ...]:
    """What the agreed cases ask of one half; of the requester's what can be told without its code."""
    made: list[Case] = []
    for case in cases:
        made += _of_provider(case) if role == "provider" else _of_requester(functions, case)
    return tuple(made)


def _of_provider(case: JsonObject) -> list[Case]:
    request, expected = case["request"], case["expected"]
    called = ScriptedCall(target=CALLBACK, parameters={"request": request}, reply=expected)
    name = str(case["name"])[:190]
    return [Case(name=name, function="handle", arguments={"request": request}, expected=expected, calls=(called,))]


def _of_requester(functions: Sequence[Function], case: JsonObject) -> list[Case]:
    build, parse = functions
    name, made = str(case["name"])[:180], []
    arguments = _argument_schema(build, "arguments")
    if _identical(arguments, build.returns):
        request = case["request"]
        made.append(Case(name=f"{name}: build", function="build", arguments={"arguments": request}, expected=request))
    if case["expected"].get("code") != GOOD:
        return made
    applied = _mapped(_argument_schema(parse, "response"), parse.returns, case["expected"])
    if applied is not None:
        made.append(
            Case(
                name=f"{name}: parse",
                function="parse",
                arguments={"response": case["expected"]},
                expected=applied,
            )
        )
    return made


def _identical(source: Any, target: Any) -> bool:  # noqa: ANN401 - JSON Schemas
    try:
        found = map_fields(source, target)
    except InvalidInput:
        return False
    return isinstance(found, Mapping) and found.identity


def _mapped(source: Any, target: Any, value: JsonObject) -> Any:  # noqa: ANN401 - JSON Schemas, and JSON
    """The value as the mapping between the schemas gives it, computed apart from any generated code."""
    try:
        found = map_fields(source, target)
        return found.apply(value) if isinstance(found, Mapping) else None
    except (InvalidInput, ValueError):
        return None


def _argument_schema(function: Function, name: str) -> Any:  # noqa: ANN401 - a JSON Schema
    return function.parameters["properties"][name]


def _object(name: str, schema: JsonObject) -> JsonObject:
    return {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}
