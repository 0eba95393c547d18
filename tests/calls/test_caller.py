"""Calling by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Protocol

import pytest
from pydantic import BaseModel

from moothall.calls.caller import UnifiedCaller
from moothall.calls.named_callers import LocalMethodCaller, RemoteAgentCaller
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    Conflict,
    PermissionDeniedError,
    ServiceNotFoundError,
    UpstreamInvalid,
    UsageError,
    ValidationError,
)
from tests.calls.hall import ALICE, Hall, Remote

DID = "did:wba:weather.example:agents:w:e1_x"


class Forecast(BaseModel):
    city: str
    celsius: float


class Weather:
    @capability(access="authenticated")
    async def forecast(self, city: str, days: int = 1) -> dict[str, Any]:
        return {"city": city, "celsius": days * 1.5}

    @capability
    async def hours(self, city: str) -> AsyncIterator[Forecast]:
        for hour in (1, 2):
            yield Forecast(city=city, celsius=hour)


@capability
async def odd(target: str, method: str = "", timeout: int = 0, returns: str = "") -> dict[str, Any]:  # noqa: ASYNC109
    return {"target": target, "method": method, "timeout": timeout, "returns": returns}


@pytest.fixture
def remote() -> Remote:
    async def answer(outgoing: Any) -> Any:
        return {"operation": outgoing.target.operation, "params": outgoing.params}

    return Remote(answer)


@pytest.fixture
def hall(remote: Remote) -> Hall:
    return Hall(odd, agents={"weather": Weather()}, remote=remote)


@pytest.mark.requirement("CAL-07")
async def test_the_operation_stands_in_the_target_or_in_method(hall: Hall, remote: Remote) -> None:
    call = hall.caller.call
    expected = {"operation": "get_forecast", "params": {"city": "X"}}
    assert await call(DID, method="get_forecast", city="X") == expected
    assert await call(f"{DID}#get_forecast", city="X") == expected
    assert await call(DID, "get_forecast", city="X") == expected
    assert await call("local:weather", method="forecast", city="X") == await call("local:weather.forecast", city="X")
    with pytest.raises(ValidationError):
        await call(f"{DID}#other", method="get_forecast")
    assert len(remote.seen) == 3


async def test_values_from_elsewhere_come_one_by_one_and_nothing_after_them() -> None:
    house = Hall(odd, remote=Remote(1, None, 3))
    assert [value async for value in house.caller.stream(f"{DID}#f")] == [1, None, 3]


@pytest.mark.requirement("CAL-07")
async def test_parameters_may_be_named_like_those_of_the_caller_itself(hall: Hall) -> None:
    given = {"target": "a", "method": "b", "timeout": 3, "returns": "c"}
    assert await hall.caller.call("local:odd", given) == given
    assert (await hall.caller.try_call("local:odd", given)).data == given


@pytest.mark.requirement("CAL-08")
async def test_a_mapping_and_keywords_give_the_same_and_an_argument_is_given_once(hall: Hall) -> None:
    call = hall.caller.call
    expected = {"city": "Bern", "celsius": 3.0}
    assert await call("local:weather.forecast", city="Bern", days=2) == expected
    assert await call("local:weather.forecast", {"city": "Bern", "days": 2}) == expected
    assert await call("local:weather.forecast", {"city": "Bern"}, days=2) == expected
    request = {"target": "local:weather", "method": "forecast", "parameters": {"city": "Bern", "days": 2}}
    assert await call(request) == expected
    assert await call({**request, "parameters": {"city": "Bern"}}, days=2) == expected
    for twice in (
        call("local:weather.forecast", {"city": "Bern"}, city="Bern"),
        call(request, city="Bern"),
        call(request, {"days": 3}),
    ):
        with pytest.raises(ValidationError) as caught:
            await twice
        assert caught.value.told is not None
        assert caught.value.told.why == "calls.parameters_twice"


@pytest.mark.requirement("CAL-08")
@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"target": 3},
        {"target": "local:odd", "x": 1},
        {"target": "local:odd", "parameters": [1]},
        {"target": "local:odd", "method": 1},
    ],
)
async def test_a_request_that_is_none_is_refused(hall: Hall, request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        await hall.caller.call(request_)
    reply = await hall.caller.try_call(request_)
    assert (isinstance(reply.error, ValidationError), bool(reply.request_id)) == (True, True)


async def test_the_value_comes_as_the_type_that_is_asked_for(hall: Hall) -> None:
    call = hall.caller.call
    assert await call("local:weather.forecast", city="Bern", returns=Forecast) == Forecast(city="Bern", celsius=1.5)
    assert (await hall.caller.try_call("local:weather.forecast", city="Bern", returns=Forecast)).data == Forecast(
        city="Bern", celsius=1.5
    )
    with pytest.raises(UpstreamInvalid):
        await call("local:weather.forecast", city="Bern", returns=datetime)
    reply = await hall.caller.try_call("local:weather.forecast", city="Bern", returns=int)
    assert (reply.data, isinstance(reply.error, UpstreamInvalid)) == (None, True)
    assert "Bern" not in str(reply.error)


async def test_an_error_is_raised_or_stands_in_the_reply(hall: Hall) -> None:
    with pytest.raises(ServiceNotFoundError):
        await hall.caller.call("local:nothing")
    reply = await hall.caller.try_call("local:nothing")
    assert isinstance(reply.error, ServiceNotFoundError)


async def test_values_of_a_stream_come_one_by_one_and_a_single_one_alone(hall: Hall) -> None:
    stream = hall.caller.stream
    assert [value async for value in stream("local:weather.hours", city="B", returns=dict)] == [
        {"city": "B", "celsius": 1.0},
        {"city": "B", "celsius": 2.0},
    ]
    assert [value.celsius async for value in stream("local:weather.hours", city="B")] == [1, 2]
    assert [value async for value in stream("local:weather.forecast", city="B")] == [{"city": "B", "celsius": 1.5}]
    with pytest.raises(ValidationError):
        _ = [value async for value in stream("local:weather.hours")]


class WeatherClient(Protocol):
    async def forecast(self, city: str, days: int = 1) -> Forecast: ...

    def hours(self, city: str) -> AsyncIterator[Forecast]: ...


async def test_a_protocol_class_makes_a_typed_client(hall: Hall) -> None:
    client = hall.caller.proxy(WeatherClient, "local:weather")
    assert await client.forecast("Bern", days=2) == Forecast(city="Bern", celsius=3.0)
    assert [value.celsius async for value in client.hours("Bern")] == [1, 2]
    with pytest.raises(TypeError):
        await client.forecast()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        _ = client.other  # type: ignore[attr-defined]


def test_a_protocol_class_whose_methods_do_not_wait_makes_none(hall: Hall) -> None:
    class Impatient(Protocol):
        def forecast(self, city: str) -> Forecast: ...

    with pytest.raises(UsageError):
        hall.caller.proxy(Impatient, "local:weather")


async def test_a_caller_calls_as_its_principal_and_a_capability_as_its_caller_or_its_agent(hall: Hall) -> None:
    @capability(access="authenticated")
    async def relay(ctx: CallContext, as_agent: bool) -> Any:
        return await ctx.call("local:inner", as_agent=as_agent)

    @capability
    async def inner(ctx: CallContext) -> str:
        return ctx.principal.id

    house = Hall(relay, inner)
    alice = UnifiedCaller(house.path, ALICE)
    with pytest.raises(PermissionDeniedError):
        await alice.call("local:inner")
    with pytest.raises(PermissionDeniedError):
        await alice.call("local:relay", as_agent=False)
    assert await alice.call("local:relay", as_agent=True) == "agent:node"


async def test_a_bare_did_is_described(hall: Hall) -> None:
    assert await hall.caller.call(DID) == {"about": DID, "agent": "node"}
    assert await UnifiedCaller(hall.path, agent="weather").call(DID) == {"about": DID, "agent": "weather"}


async def test_arguments_of_a_call_elsewhere_become_json(hall: Hall, remote: Remote) -> None:
    await hall.caller.call(f"{DID}#f", when=datetime(2026, 1, 2), big=2**60, who={"a"})
    assert remote.seen[0].params == {"when": "2026-01-02T00:00:00", "big": str(2**60), "who": ["a"]}
    for bad in (object(), float("nan")):
        with pytest.raises(ValidationError):
            await hall.caller.call(f"{DID}#f", x=bad)
    assert len(remote.seen) == 1


async def test_a_target_elsewhere_is_repeated_only_while_nothing_was_sent() -> None:
    from moothall.errors import UpstreamError

    error = UpstreamError("refused")
    error.sent = False
    remote = Remote(error, error, 7)
    assert await Hall(odd, remote=remote).caller.call(f"{DID}#f") == 7
    remote = Remote(UpstreamError("failed"), 7)
    with pytest.raises(UpstreamError):
        await Hall(odd, remote=remote).caller.call(f"{DID}#f")
    assert len(remote.seen) == 1


async def test_the_names_of_the_specification_call_as_well(hall: Hall) -> None:
    assert await LocalMethodCaller(hall.path).call("weather.forecast", city="B") == {"city": "B", "celsius": 1.5}
    remote = RemoteAgentCaller(hall.path, agent="weather")
    assert await remote.call(DID, "f", {"a": 1}, b=2) == {"operation": "f", "params": {"a": 1, "b": 2}}
    for bad in ("local:odd", "https://x.example"):
        with pytest.raises(ValidationError):
            await remote.call(bad, "f")


async def test_errors_of_other_errors_keep_their_class(hall: Hall) -> None:
    @capability
    async def taken() -> None:
        raise Conflict("taken")

    with pytest.raises(Conflict):
        await Hall(taken).caller.call("local:taken")


@pytest.mark.parametrize(
    ("text", "method", "shown"),
    [
        ("local:add", "", "local:add"),
        ("local:agent.add@1.0.0", "", "local:agent.add@1.0.0"),
        ("local:天气.查询", "", "local:天气.查询"),
        ("local:weather", "today", "local:weather.today"),
        ("did:wba:weather.com%3A8420:api#today", "", "did:wba:weather.com%3A8420:api#today"),
        ("did:wba:weather.com:api", "today", "did:wba:weather.com:api#today"),
        ("mcp:server.tool.with.dots", "", "mcp:server.tool.with.dots"),
        ("a2a:http://api.service.com#skill", "", "a2a:http://api.service.com#skill"),
        ("https://x.example/a?b=c:d", "", "https://x.example/a?b=c:d"),
        ("auto:获取北京天气", "", "auto:获取北京天气"),
    ],
)
def test_a_target_is_split_at_the_first_colon_and_written_as_it_was_read(text: str, method: str, shown: str) -> None:
    target = Target.parse(text, method)
    assert str(target) == shown
    assert Target.parse(shown) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "local",
        "local:",
        ":x",
        "local:a b",
        "local:.a",
        "local:a.",
        "Local:a",
        "local:a@",
        "x" * 3000,
        "did:wba:x\n#f",
        "local:a/b",
    ],
)
def test_what_is_no_target_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Target.parse(text)
    assert len(text) < 5 or text not in str(caught.value)


async def test_a_method_that_contradicts_the_request_is_refused_and_one_that_repeats_it_is_not() -> None:
    @capability(name="weather.today")
    async def today() -> str:
        return "rain"

    hall = Hall(today)
    request = {"target": "local:weather", "method": "today"}
    for method in ("", "today"):
        assert await hall.caller.call(request, method=method) == "rain"
    with pytest.raises(ValidationError):
        await hall.caller.call(request, method="tomorrow")
