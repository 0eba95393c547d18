"""Functions whose work an A2A agent or a plain JSON service does, on the call path of a node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from moothall.capability import a2a_service, capability
from moothall.capability.options import OptionError
from moothall.clock import SystemClock
from moothall.errors import A2AServiceError
from moothall.identity.principal import Principal
from moothall.identity.session import SignedSession
from moothall.messages import explain
from moothall.protocols.a2a.remote.connector import A2aConnector
from moothall.protocols.intake import read_body, received
from tests.calls.hall import OWNER, Hall, SleeplessClock, code
from tests.protocols.a2a.remote_town import ScriptedAgent, connecting, ground, listening, reply, task
from tests.protocols.anp.town import House, house
from tests.protocols.http.backend import Answer, Asked, Backend


@pytest.fixture
async def far() -> AsyncIterator[Backend]:
    made = Backend()
    async with listening(made) as url:
        made.url = url
        yield made


@pytest.fixture
async def near() -> AsyncIterator[A2aConnector]:
    async with connecting() as made:
        yield made


def hall(near: A2aConnector, *functions: object, **path: Any) -> Hall:
    return Hall(*functions, remote=near, **path)  # type: ignore[arg-type]


def posted(far: Backend) -> list[Asked]:
    return [each for each in far.asked if each.method != "GET"]


def translating(endpoint: str, **options: Any) -> Callable[..., Any]:
    @a2a_service(endpoint=endpoint, access="public", **options)
    async def translate(text: str, target_lang: str = "zh") -> str:
        """Translate a text.

        Into any language.
        """

    return translate


@pytest.mark.requirement("DEC-44")
async def test_the_shortcut_calls_the_service_and_keeps_name_and_docstring(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": "你好"})
    translate = translating(far.url, method="PUT")
    there = hall(near, translate)
    assert (await there.call("translate", OWNER, "http", text="hello")).data == "你好"
    await there.registry.start(there.path.direct)
    assert await translate("hello") == "你好"
    await there.registry.stop()
    assert [sent.method for sent in posted(far)] == ["PUT", "PUT"]
    assert (translate.__name__, (translate.__doc__ or "").splitlines()[0]) == ("translate", "Translate a text.")
    entry = there.path.snapshot.newest[0]
    assert entry.spec.exposure == {"net"}
    assert entry.spec.description == "Translate a text."


@pytest.mark.requirement("DEC-44")
@pytest.mark.parametrize(
    "options",
    [{"scope": "local"}, {"expose_to": "both"}, {"source": "http"}, {"template": "api"}, {"method": "FETCH"}],
    ids=lambda options: next(iter(options)),
)
def test_what_the_shortcut_fixes_cannot_be_said_otherwise(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        translating("https://x.example", **options)


@pytest.mark.requirement("DEC-23")
def test_an_endpoint_is_required() -> None:
    with pytest.raises(OptionError, match="endpoint"):

        @capability(source="a2a")
        async def translate(text: str) -> str: ...


@pytest.mark.requirement("DEC-24")
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_method_that_is_a_verb_is_the_verb(far: Backend, near: A2aConnector, verb: str) -> None:
    far.answer({"result": "ok"})

    @capability(source="a2a", endpoint=f"{far.url}/w", method=verb, profile="legacy")
    async def translate(text: str) -> str: ...

    assert (await hall(near, translate).call("translate", text="a")).data == "ok"
    assert [sent.method for sent in far.asked] == [verb]


@pytest.mark.requirement("DEC-24")
@pytest.mark.parametrize(
    "options", [{"method": "HEAD"}, {"method": "TRACE"}, {"http_method": "FETCH"}, {"profile": "old"}], ids=str
)
def test_an_unknown_verb_or_profile_is_refused_where_it_is_written(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        capability(source="a2a", endpoint="https://x.example", **options)(translate_nothing)


async def translate_nothing(text: str) -> str: ...


@capability(access="public")
async def translate_nothing_at_home(text: str) -> str:
    """Give back a text."""
    return text


@pytest.mark.requirement("TPL-16")
async def test_arguments_are_bound_before_anything_is_sent(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": "ok"})
    there = hall(near, translating(far.url))
    assert code(await there.call("translate", OWNER, "http")) == "VALIDATION_ERROR"
    assert code(await there.call("translate", OWNER, "http", text=["no text"])) == "VALIDATION_ERROR"
    assert far.asked == []
    await there.call("translate", OWNER, "http", text="hello")
    assert posted(far)[0].json["params"] == {"text": "hello", "target_lang": "zh"}


@pytest.mark.requirement("TPL-27")
async def test_arguments_that_do_not_fit_are_no_crash(near: A2aConnector) -> None:
    reply = await hall(near, translating("https://x.example")).call(
        "translate", OWNER, "http", params=["a", "b", "c", "d"]
    )
    assert code(reply) == "VALIDATION_ERROR"


@pytest.mark.requirement("TPL-18")
@pytest.mark.parametrize("asked_for", [True, False])
async def test_metadata_goes_along_when_the_option_says_so(far: Backend, near: A2aConnector, asked_for: bool) -> None:
    far.answer({"result": "ok"})
    there = hall(near, translating(far.url, include_metadata=asked_for, version="3.1.0"))
    await there.call("translate", OWNER, "http", text="hello")
    body = posted(far)[0].json
    assert ("metadata" in body) is asked_for
    if asked_for:
        assert body["metadata"]["version"] == "3.1.0"
        assert 0 < body["metadata"]["timeout"] <= 30


@pytest.mark.requirement("TPL-24")
async def test_a_value_that_does_not_fit_the_annotation_is_refused(far: Backend, near: A2aConnector) -> None:
    @capability(source="a2a", endpoint=far.url)
    async def count(text: str) -> int: ...

    there = hall(near, count)
    far.answer({"result": "x"})
    assert code(await there.call("count", text="a")) == "UPSTREAM_INVALID"
    far.answer({"result": 5})
    assert (await there.call("count", text="a")).data == 5


@pytest.mark.requirement("TPL-25")
async def test_figures_tell_the_calls_of_each_endpoint(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": "ok"})
    there = hall(near, translating(f"{far.url}/w"))
    for _ in range(3):
        await there.call("translate", OWNER, "http", text="a")
    registry = CollectorRegistry()
    registry.register(there.path.meter)
    place = far.url.removeprefix("http://")
    assert f'outgoing_latency_seconds_count{{endpoint="{place}"}} 3.0' in generate_latest(registry).decode()


class TestRepetitions:
    async def repeated(
        self, far: Backend, near: A2aConnector, status: int, /, **options: Any
    ) -> tuple[Any, SleeplessClock]:
        far.answers = [Answer(status)]
        clock = SleeplessClock()
        function = translating(far.url, profile="legacy", idempotent=True, **options)
        there = hall(near, function, clock=clock, chance=lambda: 0.5)
        return (await there.call("translate", OWNER, "http", text="a")).error, clock

    @pytest.mark.requirement("TPL-28")
    @pytest.mark.parametrize("times", [0, 1, 3])
    async def test_a_failing_service_is_asked_so_often_and_no_more(
        self, far: Backend, near: A2aConnector, times: int
    ) -> None:
        error, clock = await self.repeated(far, near, 503, enable_retry=times > 0, max_retries=times)
        assert len(far.asked) == 1 + times
        assert len({sent.json["request_id"] for sent in far.asked}) == 1
        assert clock.pauses == [0.5 * 2**attempt for attempt in range(1, times + 1)]
        assert isinstance(error, A2AServiceError)
        assert error.status == 503
        if times:
            assert str(error).endswith("Max retries exceeded")
            assert explain(error, "en").why.endswith("Max retries exceeded")
            assert explain(error, "zh").why.endswith("Max retries exceeded")

    @pytest.mark.requirement("TPL-28")
    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    async def test_what_another_attempt_will_not_change_is_asked_once(
        self, far: Backend, near: A2aConnector, status: int
    ) -> None:
        error, _ = await self.repeated(far, near, status, retry=3)
        assert len(far.asked) == 1
        assert error.status == status
        assert "Max retries" not in str(error)

    @pytest.mark.requirement("TPL-28")
    async def test_all_attempts_together_take_no_longer_than_the_timeout(
        self, far: Backend, near: A2aConnector
    ) -> None:
        _, clock = await self.repeated(far, near, 503, retry=9, timeout=5.0)
        assert clock.pauses == [1.0, 2.0]
        assert clock.monotonic() < 5.0

    @pytest.mark.requirement("TPL-28")
    async def test_an_operation_that_may_have_happened_is_not_repeated(self, far: Backend, near: A2aConnector) -> None:
        far.answers = [Answer(503)]
        there = hall(near, translating(far.url, profile="legacy", retry=3), clock=SleeplessClock())
        assert code(await there.call("translate", OWNER, "http", text="a")) == "UPSTREAM_ERROR"
        assert len(far.asked) == 1


@pytest.mark.requirement("TPL-30", "CAL-06")
async def test_one_function_works_against_an_agent_and_a_plain_service(far: Backend, near: A2aConnector) -> None:
    agent = ScriptedAgent(answers={"SendMessage": {"task": task("COMPLETED", "by an agent")}})
    far.answer({"result": "by a service"})
    async with listening(agent) as url:
        agent.url = url
        for endpoint, value in ((url, "by an agent"), (far.url, "by a service")):
            there = hall(near, translating(endpoint))
            assert (await there.call("translate", OWNER, "http", text="a")).data == value
            assert (await there.call(f"a2a:{endpoint}#translate", text="a")).data == value


class Receiver:
    """A node with a plain service at ``/plain`` that tells who signed its requests, as the node itself sees it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.gate: House | None = None
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/plain":
            await self.app(scope, receive, send)
            return
        body = await read_body(receive, b"", 1_000_000)
        self.bodies.append(json.loads(body))
        assert self.gate is not None
        principal = await self.gate.path.authenticate(received(scope, body))
        await reply(send, 200, {"result": principal.id})


@asynccontextmanager
async def alice(data: Path, endpoint: str) -> AsyncIterator[House]:
    """A node whose agent alice has a proxy of an endpoint, and signs its calls."""
    async with house(data, {"alice": [translating(endpoint, include_metadata=True)]}) as near:
        session = SignedSession(near.egress, near.agents["alice"].identity, SystemClock())
        principal = Principal(id=near.did("alice"), kind="did", binding="request", owner=True)
        stood = ground(near.egress, sessions=lambda _agent: session, principals=lambda _agent: principal)
        connector = A2aConnector(stood)
        near.path.connect(connector)
        yield near
        await connector.aclose()


@pytest.mark.requirement("TPL-18", "TPL-19", "TPL-29")
async def test_a_proxy_is_called_through_the_did_of_its_agent_which_signs(tmp_path: Path) -> None:
    receivers: list[Receiver] = []

    def wrap(app: Any) -> Receiver:
        receivers.append(Receiver(app))
        return receivers[0]

    async with (
        house(tmp_path / "far", {"bob": [translate_nothing_at_home]}, wrap=wrap) as far,
        alice(tmp_path / "near", f"{far.base}/plain") as near,
    ):
        receivers[0].gate = far
        value = await far.call(f"{near.did('alice')}#translate", {"text": "a"})
        assert value == near.did("alice") == receivers[0].bodies[0]["metadata"]["caller"]


@pytest.mark.requirement("TPL-29", "TPL-30")
async def test_a_proxy_of_an_agent_is_called_through_a_did_as_well(tmp_path: Path) -> None:
    agent = ScriptedAgent(answers={"SendMessage": {"task": task("COMPLETED", "by an agent")}})
    async with listening(agent) as loopback:
        agent.url = loopback.replace("127.0.0.1", "localhost")
        async with (
            house(tmp_path / "far", {"bob": [translate_nothing_at_home]}) as far,
            alice(tmp_path / "near", agent.url) as near,
        ):
            assert await far.call(f"{near.did('alice')}#translate", {"text": "a"}) == "by an agent"
            assert near.did("alice") in agent.calls("SendMessage")[0].headers["signature-input"]
