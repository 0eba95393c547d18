"""What the options of a capability mean on the routes: in this process, and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller
from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability import plugins
from moothall.capability.adapters import AdapterLayer, ErrorHandler
from moothall.capability.agents import Agent, register_local_methods_to_agent
from moothall.capability.anp_user import AutonomousAgent
from moothall.capability.decorators import anp_service, api_service, capability, local_method
from moothall.capability.plugins import register_source, register_template
from moothall.capability.service_template import ServiceTemplate
from moothall.errors import (
    Conflict,
    Gone,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    UpstreamError,
    ValidationError,
)
from tests.protocols.http.hall import ANNA, BEN, Hall, hall, of

OWNER = of("owner")


def serves(*functions: Callable[..., Any], **options: Any) -> Any:
    return hall(*functions, **options)


def local(where: Hall) -> UnifiedCaller:
    return UnifiedCaller(where.path)


def scoped(decorate: Callable[..., Any], option: str, scope: object) -> Callable[..., Any]:
    def service(a: int = 1) -> int:
        return a

    decorated: Callable[..., Any] = decorate(**{option: scope})(service)
    return decorated


LOCAL_ONLY, NET_ONLY, BOTH, NEITHER = (True, False), (False, True), (True, True), (False, False)


@pytest.mark.requirement("DEC-05", "DEC-06", "DEC-16", "DEC-17")
@pytest.mark.parametrize(("decorate", "option"), [(anp_service, "scope"), (capability, "expose_to")])
@pytest.mark.parametrize(
    ("scope", "doors"),
    [
        ("local", LOCAL_ONLY), ("anp", NET_ONLY), ("net", NET_ONLY), ("network", NET_ONLY), ("both", BOTH),
        (["local", "net"], BOTH), ("llm", NEITHER), (["both", "llm"], BOTH),
    ],
)  # fmt: skip
async def test_each_scope_opens_exactly_its_routes(
    decorate: Any, option: str, scope: object, doors: tuple[bool, bool]
) -> None:
    async with serves(scoped(decorate, option, scope)) as where:
        over_http = await where.post("service", {"a": 1}, headers=OWNER)
        assert over_http.status_code == (200 if doors[1] else 404)
        if doors[0]:
            assert await local(where).call("local:service", a=1) == 1
        else:
            with pytest.raises(ServiceNotFoundError):
                await local(where).call("local:service", a=1)


@pytest.mark.requirement("DEC-04", "DEC-05", "DEC-08", "DEC-09", "DEC-25")
async def test_the_full_decorator_asks_for_identity_and_every_permission() -> None:
    @anp_service(scope="both", template="api", auth_required=True, permissions=["read", "write"])
    def guarded() -> str:
        return "in"

    @anp_service(auth_required=False)
    def free() -> str:
        return "in"

    @capability
    def private_by_default() -> str:
        return "in"

    async with serves(guarded, free, private_by_default) as where:

        async def status(name: str, headers: dict[str, str] | None = None) -> int:
            return int((await where.post(name, {}, headers=headers or {})).status_code)

        assert await status("guarded") == 401
        assert await status("guarded", of(ANNA)) == 403
        assert await status("guarded", of(ANNA, "read")) == 403
        assert await status("guarded", of(ANNA, "read", "write")) == 200
        assert await status("free") == 200
        assert [await status("private_by_default", who) for who in (None, of(ANNA), OWNER)] == [401, 403, 200]
        stranger = UnifiedCaller(where.path, await where.path.authenticate(_asking(ANNA)))
        with pytest.raises(PermissionDeniedError):
            await stranger.call("local:guarded")


def _asking(who: str) -> Any:
    from moothall.identity.request import HttpRequest

    return HttpRequest("POST", "/", [(b"authorization", f"Test {who}".encode())])


@pytest.mark.requirement("DEC-02")
@pytest.mark.parametrize("kind", ["module", "dict"])
async def test_a_registered_local_method_answers_in_this_process(kind: str) -> None:
    import types

    @local_method()
    def add(a: int, b: int) -> int:
        return a + b

    module = types.ModuleType(__name__)
    module.add = add  # type: ignore[attr-defined]
    agent = Agent("tools")
    register_local_methods_to_agent(agent, module if kind == "module" else {"add": add})
    async with serves() as where:
        agent.join(where.registry)
        assert await local(where).call("local:tools.add", {"a": 1, "b": 2}) == 3
        assert (await where.post("tools.add", {"a": 1, "b": 2}, headers=OWNER)).status_code == 404


@pytest.mark.requirement("DEC-03", "DEC-10", "TPL-40")
@pytest.mark.parametrize("tolerant", [True, False])
async def test_arguments_lie_where_models_put_them_and_are_validated_alike(tolerant: bool) -> None:
    @capability(access="public", ai_optimized=tolerant)
    def function(a: int) -> int:
        return a

    class Desk:
        @capability(access="public", ai_optimized=tolerant)
        async def method(self, a: int) -> int:
            return a

    async with serves(function) as where:
        Agent("desk", Desk()).join(where.registry)
        for name in ("function", "desk.method"):
            assert (await where.post(name, {"a": "1"})).json()["data"] == 1
            for wrapped in ({"params": {"a": 1}}, {"body": {"a": 1}}):
                answer = await where.post(name, wrapped)
                assert answer.status_code == (200 if tolerant else 400)
                assert (answer.json().get("data") == 1) is tolerant
            refused = [await where.post(name, body) for body in ({"a": "x"}, {}, {"a": 1, "b": 2}, {"params": {}})]
            assert {answer.json()["error"]["code"] for answer in refused} == {"VALIDATION_ERROR"}
            assert refused[2].json()["error"]["details"]["errors"][0]["loc"] == ["b"]


@pytest.mark.requirement("DEC-07", "DEC-15", "DEC-49", "DEC-50")
async def test_a_registered_source_does_the_work_without_a_change_of_the_core() -> None:
    class Echo:
        schemes = ("echo",)

        async def call(self, outgoing: Outgoing) -> Any:
            return {"remote": dict(outgoing.remote), "params": outgoing.params}

        async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
            yield outgoing.params

        async def describe(self, target: Target, agent: str) -> dict[str, Any]:
            return {}

    register_source("echo")
    register_template("echo")
    try:

        @capability(source="echo", endpoint="here", access="public")
        async def through(text: str, times: int = 2) -> dict[str, Any]:
            """Said elsewhere."""

        @capability(template="echo", access="public")
        def templated() -> str:
            return "here"

    finally:
        plugins.SOURCES.remove("echo")
        plugins.TEMPLATES.remove("echo")
    async with serves(through, templated, connectors=[Echo()]) as where:
        await where.registry.start(where.path.direct)
        expected = {"remote": {"endpoint": "here"}, "params": {"text": "hi", "times": 2}}
        assert await local(where).call("local:through", text="hi") == expected
        assert (await where.post("through", {"text": "hi"})).json()["data"] == expected
        assert await through("hi") == expected
        assert (await where.post("templated", {})).json()["data"] == "here"


class Failing:
    """A source that is down."""

    schemes = ("did", "http")

    def __init__(self) -> None:
        self.calls = 0

    async def call(self, outgoing: Outgoing) -> Any:
        self.calls += 1
        raise UpstreamError("down")

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        raise UpstreamError("down")
        yield

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        return {}


@pytest.mark.requirement("DEC-50")
@pytest.mark.parametrize("how", ["stacked", "option"])
async def test_a_fallback_runs_only_when_the_lines_above_it_failed(how: str) -> None:
    ran: list[str] = []

    def body(text: str) -> str:
        ran.append(text)
        return f"maybe {text}"

    options = {"source": "did", "did": "did:wba:far.example", "access": "public"}
    guess = (
        capability(**options)(capability(source="local")(body))
        if how == "stacked"
        else capability(**options, fallback=True)(body)
    )

    def empty(text: str) -> str: ...  # type: ignore[empty-body]

    nothing = capability(**options, name="nothing")(empty)
    source = Failing()
    async with serves(guess, nothing, connectors=[source]) as where:
        assert (await where.post("body", {"text": "x"})).json()["data"] == "maybe x"
        assert (ran, source.calls) == (["x"], 1)
        assert (await where.post("nothing", {"text": "x"})).status_code == 502


@pytest.mark.requirement("SOA-03")
async def test_one_template_over_two_sources_behaves_alike() -> None:
    careful = ServiceTemplate(access="public", retry=2, idempotent=True, cache_ttl=60, timeout=20)
    source, here = Failing(), []

    @careful
    async def near(a: int) -> int:
        here.append(a)
        raise UpstreamError("down")

    @careful.using(source="did", did="did:wba:far.example")
    async def far(a: int) -> int: ...  # type: ignore[empty-body]

    async with serves(near, far, connectors=[source]) as where:
        answers = [await where.post(name, {"a": 1}) for name in ("near", "far")]
        assert [answer.json()["error"]["code"] for answer in answers] == ["UPSTREAM_ERROR"] * 2
        assert (len(here), source.calls) == (3, 3)
        wrong = [await where.post(name, {"a": "x"}) for name in ("near", "far")]
        assert [answer.json()["error"]["code"] for answer in wrong] == ["VALIDATION_ERROR"] * 2


@pytest.mark.requirement("SOA-03")
async def test_one_template_over_two_sources_keeps_good_answers_alike() -> None:
    careful = ServiceTemplate(access="public", cache_ttl=60)
    asked: list[str] = []

    class Good(Failing):
        async def call(self, outgoing: Outgoing) -> Any:
            asked.append("far")
            return 7

    @careful
    async def near(a: int) -> int:
        asked.append("near")
        return 7

    @careful.using(source="did", did="did:wba:far.example")
    async def far(a: int) -> int: ...  # type: ignore[empty-body]

    async with serves(near, far, connectors=[Good()]) as where:
        for name in ("near", "far", "near", "far"):
            assert (await where.post(name, {"a": 1}, headers=of(ANNA))).json()["data"] == 7
    assert asked == ["near", "far"]


@pytest.mark.requirement("DEC-29")
async def test_a_rate_is_kept_for_each_caller() -> None:
    @capability(access="authenticated", rate_limit="2/minute")
    def limited() -> int:
        return 1

    async with serves(limited) as where:
        answers = [await where.post("limited", {}, headers=of(ANNA)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["Retry-After"]) > 0
        assert (await where.post("limited", {}, headers=of(BEN))).status_code == 200


@pytest.mark.requirement("DEC-31")
async def test_versions_are_reached_by_their_number_on_every_route() -> None:
    @capability(access="public", name="price", version="1.0.0")
    def old() -> str:
        return "old"

    @capability(access="public", name="price", version="1.10.0")
    def new() -> str:
        return "new"

    async with serves(new, old) as where:
        assert await local(where).call("local:price") == "new"
        assert await local(where).call("local:price@1.0.0") == "old"
        assert (await where.post("price", {})).json()["data"] == "new"
        assert (await where.post("price@1.0.0", {})).json()["data"] == "old"
        assert (await where.post("price@3.0.0", {})).status_code == 404


@pytest.mark.requirement("DEC-35")
async def test_synchronous_capabilities_leave_the_loop_free() -> None:
    import threading

    together = threading.Barrier(20)

    @capability(access="public")
    def meet() -> int:
        return together.wait(30)

    @capability(access="public")
    async def quick() -> str:
        return "here"

    async with serves(meet, quick) as where:
        meeting = [asyncio.ensure_future(local(where).call("local:meet")) for _ in range(19)]
        assert (await where.post("quick", {})).json()["data"] == "here"  # nineteen wait in threads, the loop does not
        meeting.append(asyncio.ensure_future(local(where).call("local:meet")))
        assert sorted(await asyncio.gather(*meeting)) == list(range(20))


@pytest.mark.requirement("DEC-41")
async def test_a_disabled_capability_is_gone_everywhere_at_once_and_a_removed_one_from_every_list() -> None:
    @capability(access="public")
    def service() -> int:
        return 1

    async with serves(service) as where:
        where.registry.disable("node.service")
        assert (await where.post("service", {})).status_code == 410
        with pytest.raises(Gone):
            await local(where).call("local:service")
        where.registry.enable("node.service")
        assert (await where.post("service", {})).status_code == 200
        where.registry.deprecate("node.service")
        assert (await where.post("service", {})).status_code == 200
        where.registry.remove("node.service")
        assert (await where.post("service", {})).status_code == 404
        with pytest.raises(ServiceNotFoundError):
            await local(where).call("local:service")
        listed = await where.client.get("/api/v1/capabilities", headers=OWNER)
        assert "node.service" not in listed.text


@pytest.mark.requirement("DEC-46", "TPL-47")
async def test_an_api_service_answers_at_its_address_to_its_verbs() -> None:
    @api_service(path="/calculate", methods=["POST"], access="public")
    def calculate_service(a: float, b: float, operation: str) -> float:
        return a + b if operation == "add" else a * b

    @api_service(path="/calculate", access="public")
    def another() -> int:
        return 1

    async with serves(calculate_service) as where:
        answer = await where.client.post("/calculate", json={"a": 2, "b": 3, "operation": "multiply"})
        assert (answer.status_code, answer.json()["data"]) == (200, 6.0)
        assert (await where.client.get("/calculate")).status_code == 405
        with pytest.raises(Conflict):
            Agent("b", another).join(where.registry)


@pytest.mark.requirement("DEC-48")
async def test_an_injected_error_handler_speaks_to_callers() -> None:
    class Polite(ErrorHandler):
        def handle(self, capability: str, error: Exception) -> MoothallError:
            return PermissionDeniedError(f"{capability} says no")

    @capability(access="public")
    async def fails() -> None:
        raise KeyError("SECRET")

    async with serves() as where:
        Agent("polite", fails, adapters=AdapterLayer(errors=Polite())).join(where.registry)
        Agent("plain", fails).join(where.registry)
        polite, plain = [await where.post(f"{name}.fails", {}) for name in ("polite", "plain")]
        assert (polite.status_code, plain.status_code) == (403, 500)
        assert "SECRET" not in polite.text + plain.text


@pytest.mark.requirement("DEC-53")
async def test_methods_of_an_agents_class_answer_on_every_route_with_their_own_state() -> None:
    class Counter(AutonomousAgent):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.count = 0

        @capability(access="public")
        def my_service(self) -> int:
            self.count += 1
            return self.count

    async with serves() as where:
        for name in ("one", "two"):
            Counter(name).join(where.registry)
        counted = [(await where.post(f"{name}.my_service", {})).json()["data"] for name in ("one", "one", "two")]
        assert counted == [1, 2, 1]
        assert (await where.post("one.my_service", {"self": 1})).status_code == 400
        with pytest.raises(ValidationError):
            await local(where).call("local:two.my_service", {"self": 1})


@pytest.mark.requirement("TPL-41")
async def test_results_are_formatted_by_their_annotation_on_the_routes() -> None:
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int

    @capability(access="public")
    def as_list() -> list:  # type: ignore[type-arg]
        return (1, 2)  # type: ignore[return-value]

    @capability(access="public")
    def as_dict() -> dict[str, Any]:
        return Point(x=1)  # type: ignore[return-value]

    @capability(access="public")
    def wrong() -> int:
        return "SECRET"  # type: ignore[return-value]

    async with serves(as_list, as_dict, wrong) as where:
        assert (await where.post("as_list", {})).json()["data"] == [1, 2]
        assert (await where.post("as_dict", {})).json()["data"] == {"x": 1}
        assert await local(where).call("local:as_list") == [1, 2]
        answer = await where.post("wrong", {})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
        assert "SECRET" not in answer.text
