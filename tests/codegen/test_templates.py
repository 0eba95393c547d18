"""Code that only maps: written without a language model, run in the sandbox, and passing the whole gate."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from moothall.codegen import subset
from moothall.codegen.cases import run_cases
from moothall.codegen.gate import Gate
from moothall.codegen.generator import Generator, manifest_of
from moothall.codegen.module import Case, Function, Kind
from moothall.codegen.report import STAGES, Report
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import Image
from moothall.codegen.schemas.mapping import Mapping as FieldMapping
from moothall.codegen.schemas.mapping import map_fields
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import CALLBACK, Callee, CodingTask
from moothall.codegen.template_writer import TemplateWriter
from moothall.errors import SandboxFault

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def having(required: list[str] | None = None, **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members) if required is None else required}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


DAY = {"type": "string", "format": "date"}
REQUEST = having(["city"], city={**TEXT, "minLength": 1, "title": "City"}, days={**WHOLE, "minimum": 1, "maximum": 10})
RESPONSE = having(["code", "forecast"], code=WHOLE, forecast=listed(having(["day"], day=DAY, maxTemp=NUMBER)))
FAILED = having(["code"], code={**WHOLE, "minimum": 400}, error=TEXT)
NEED_IN = having(
    ["cityName"], cityName={**TEXT, "minLength": 1, "title": "City"}, days={**WHOLE, "minimum": 1, "maximum": 5}
)
NEED_OUT = having(forecast=listed(having(["day"], day=TEXT, max_temp=NUMBER)))


def requester(
    arguments: Any = NEED_IN, request: Any = REQUEST, response: Any = RESPONSE, result: Any = NEED_OUT
) -> CodingTask:
    build = Function(name="build", parameters=having(arguments=arguments), returns=request)
    parse = Function(name="parse", parameters=having(response=response), returns=result)
    return CodingTask(kind="requester", name="weather", functions=(build, parse), instruction="map")


def calling(
    callee: Callee, kind: Kind = "provider", name: str = "handle", given: Any = REQUEST, returns: Any = RESPONSE
) -> CodingTask:
    function = Function(name=name, parameters=having(request=given), returns=returns)
    return CodingTask(kind=kind, name="weather", functions=(function,), instruction="map", callees=(callee,))


PASSED_ON = Callee(CALLBACK, having(request=REQUEST), RESPONSE)
FORECAST = Callee(
    "local:weather.forecast",
    having(["city"], city=TEXT, days=WHOLE),
    listed(having(["day"], day=DAY, max_temp=NUMBER)),
)


@pytest.fixture
async def sandbox() -> AsyncIterator[MontySandbox]:
    made = MontySandbox(workers=1)
    await made.start()
    yield made
    await made.aclose()


async def loaded(sandbox: MontySandbox, task: CodingTask) -> Image:
    draft = await TemplateWriter().write(task)
    assert draft is not None
    assert draft.provenance.writer == "template"
    assert subset.problems(draft.source, manifest_of(task, draft.provenance)) == []
    results = await run_cases(sandbox, await sandbox.load(draft.source), draft.cases)
    assert draft.cases
    assert [(each.case.name, each.why) for each in results if not each.passed] == []
    return await sandbox.load(draft.source)


@pytest.mark.requirement("META-GEN-05")
@pytest.mark.parametrize(
    "task",
    [requester(), calling(PASSED_ON), calling(FORECAST, returns={"anyOf": [RESPONSE, FAILED]})],
    ids=["requester", "provider", "provider of a capability"],
)
async def test_code_of_a_template_passes_every_stage_of_the_gate_the_first_time(
    sandbox: MontySandbox, task: CodingTask
) -> None:
    generated = await Generator(Gate(sandbox, mutants=24), [TemplateWriter()], 0).generate(task)
    assert generated.attempts == 1
    assert [stage.stage for stage in generated.report.stages] == list(STAGES)
    assert generated.report.passed
    assert generated.module.manifest.provenance.writer == "template"


@pytest.mark.requirement("META-GEN-05")
async def test_both_halves_carry_a_call_from_the_need_to_the_capability_and_back(sandbox: MontySandbox) -> None:
    half, other = await loaded(sandbox, requester()), await loaded(sandbox, calling(FORECAST))

    async def capability(target: str, parameters: Mapping[str, Any]) -> Any:
        assert (target, parameters) == ("local:weather.forecast", {"city": "Oslo", "days": 2})
        return [{"day": "2026-11-22", "max_temp": 1.5}, {"day": "2026-11-23"}]

    request = await sandbox.run(half, "build", {"arguments": {"cityName": "Oslo", "days": 2}})
    assert request.value == {"city": "Oslo", "days": 2}
    response = await sandbox.run(other, "handle", {"request": request.value}, call=capability)
    assert response.value == {"code": 200, "forecast": [{"day": "2026-11-22", "maxTemp": 1.5}, {"day": "2026-11-23"}]}
    result = await sandbox.run(half, "parse", {"response": response.value})
    assert result.value == {"forecast": [{"day": "2026-11-22", "max_temp": 1.5}, {"day": "2026-11-23"}]}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("build", {"arguments": {"days": 2}}),
        ("build", {"arguments": {"cityName": "", "days": 2}}),
        ("build", {"arguments": {"cityName": "Oslo", "days": True}}),
        ("build", {"arguments": {"cityName": "Oslo", "days": 6}}),
        ("build", {"arguments": None}),
        ("parse", {"response": {"code": 404, "forecast": []}}),
        ("parse", {"response": {"code": 200}}),
        ("parse", {"response": {"code": 200, "forecast": [{"day": 3}]}}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
async def test_what_does_not_fit_or_is_not_good_raises_value_error(
    sandbox: MontySandbox, function: str, arguments: dict[str, Any]
) -> None:
    image = await loaded(sandbox, requester())
    with pytest.raises(SandboxFault) as fault:
        await sandbox.run(image, function, arguments)
    assert fault.value.details["raised"] == "ValueError"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (having(n=NUMBER), having(n={**TEXT, "format": "decimal"})),
        (having(n={**TEXT, "pattern": "^-?[0-9]+$"}), having(n=WHOLE)),
        (having(a={"type": ["string", "null"]}, b=TEXT), having(["b"], a=TEXT, b=TEXT)),
        (having(["b"], days=WHOLE, b=TEXT), having(days={**WHOLE, "default": 3}, b=TEXT)),
        (having(userId=TEXT, user_name=TEXT), having(user=having(id=TEXT, name=TEXT))),
        (having(rows=listed(listed(having(rowId=WHOLE)))), having(rows=listed(listed(having(row_id=NUMBER))))),
        (
            having(a={"anyOf": [having(fooBar=TEXT), {"type": "null"}]}),
            having(a={"anyOf": [having(foo_bar=TEXT), {"type": "null"}]}),
        ),
        (having(a={"enum": ["x", 1, True, None]}), having(a={"enum": [None, True, 1, "x", "y"]})),
        (having(a=TEXT), having(a={**TEXT, "maxLength": 5, "pattern": "^[A-Za-z]*$"})),
        (having(a={"oneOf": [TEXT, {"allOf": [WHOLE, {"multipleOf": 3}]}]}), having(a={"type": ["string", "integer"]})),
        ({**having(a=TEXT), "additionalProperties": False}, {**having(a=TEXT), "minProperties": 1}),
        (having(a={**having(), "additionalProperties": WHOLE}), having(a={**having(), "additionalProperties": NUMBER})),
        (
            having(**{"it's": TEXT, '"quoted"\n': TEXT, "城市": TEXT}),
            having(**{"it's": TEXT, '"quoted"\n': TEXT, "城市": TEXT, "c": {"const": "\\'\"\n{{x}}"}}),
        ),
    ],
    ids=range(13),
)
async def test_the_code_does_what_the_mapping_says(sandbox: MontySandbox, source: Any, target: Any) -> None:
    mapping = map_fields(source, target)
    assert isinstance(mapping, FieldMapping)
    build = Function(name="build", parameters=having(arguments=source), returns=target)
    task = CodingTask(kind="requester", name="n", functions=(build,), instruction="map")
    image = await loaded(sandbox, task)
    for value in samples(source, 10, seed=5):
        try:
            expected = mapping.apply(value)
        except ValueError:
            continue
        if compiled(target).accepts(expected):
            assert (await sandbox.run(image, "build", {"arguments": value})).value == expected


@pytest.mark.parametrize(
    ("kind", "name"), [("provider", "callback"), ("service", "forecast")], ids=["callback", "service"]
)
async def test_callbacks_and_services_may_map_to_what_they_call(sandbox: MontySandbox, kind: Kind, name: str) -> None:
    await loaded(sandbox, calling(FORECAST, kind, name))


async def test_a_function_of_several_parameters_calls_with_all_of_them(sandbox: MontySandbox) -> None:
    parameters = having(city_name=TEXT, days=WHOLE)
    callee = Callee("local:weather.forecast", having(cityName=TEXT, days=WHOLE), having(t=NUMBER))
    function = Function(name="ask", parameters=parameters, returns=having(t=NUMBER))
    await loaded(
        sandbox, CodingTask(kind="service", name="n", functions=(function,), instruction="map", callees=(callee,))
    )


UNUSUAL = having(a={**TEXT, "pattern": "^\\p{L}+$"})


@pytest.mark.parametrize(
    "task",
    [
        requester(request=having(town_code=WHOLE)),
        requester(result=having(wind=NUMBER)),
        calling(Callee("local:other", having(order=WHOLE), RESPONSE)),
        calling(Callee("local:other", having([], city=TEXT), having(wind=NUMBER))),
        calling(PASSED_ON, returns=having([], wind=NUMBER)),
        CodingTask(kind="provider", name="n", functions=calling(PASSED_ON).functions, instruction="no callee"),
        requester(arguments=UNUSUAL, request=UNUSUAL),
        requester(arguments={"type": "object", "patternProperties": {"^a": TEXT}}, request={"type": "object"}),
        requester(arguments={"$ref": "https://example.org/x"}),
        requester(arguments=having(**{f"a{n}": {"enum": [f"v{n}"]} for n in range(200)})),
        CodingTask(
            kind="requester",
            name="n",
            functions=(Function(name="build", parameters=having(**{"class": TEXT}), returns=TEXT),),
            instruction="a keyword for a parameter",
        ),
        CodingTask(
            kind="requester",
            name="n",
            functions=(Function(name="build", parameters=having([], city=TEXT), returns=TEXT),),
            instruction="a parameter that may be missing",
        ),
    ],
    ids=range(12),
)
async def test_what_mapping_alone_does_not_do_is_left_to_others(task: CodingTask) -> None:
    assert await TemplateWriter().write(task) is None


async def test_after_a_failed_attempt_it_does_not_write_the_same_again() -> None:
    task = requester()
    draft = await TemplateWriter().write(task)
    assert draft is not None
    assert await TemplateWriter().write(task, draft.source, Report()) is None
    assert await TemplateWriter().write(task) == draft


async def test_the_tests_of_a_task_leave_room_for_them_and_others() -> None:
    given = tuple(Case(name=f"n{n}", function="build", arguments={"arguments": {}}) for n in range(60))
    task = requester()
    draft = await TemplateWriter().write(
        CodingTask(kind=task.kind, name=task.name, functions=task.functions, instruction="map", cases=given)
    )
    assert draft is not None
    assert 0 < len(draft.cases) <= 30
    assert {case.function for case in draft.cases} == {"build", "parse"}


HOSTILE = "'];import os;os.system('x')#\"\"\"\n{{ cycler.__init__ }}{% raw %}"


async def test_texts_of_a_schema_are_only_ever_literals(sandbox: MontySandbox) -> None:
    evil = having(
        ["a"],
        a={"enum": [HOSTILE], "title": HOSTILE, "description": HOSTILE},
        **{HOSTILE: {"const": HOSTILE}},
    )
    task = requester(evil, {**evil, "title": HOSTILE}, having(["code"], code=WHOLE, data=evil), having(data=evil))
    draft = await TemplateWriter().write(requester(evil, evil))
    assert draft is None or "cycler" in draft.source
    build = CodingTask(kind="requester", name="n", functions=task.functions[:1], instruction="map")
    image = await loaded(sandbox, build)
    value = {"a": HOSTILE, HOSTILE: HOSTILE}
    assert (await sandbox.run(image, "build", {"arguments": value})).value == value
