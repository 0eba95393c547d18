"""Tested code between nodes: what is handed out, what is believed of what comes, and what has to happen before its use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.codegen.fetching import Fetcher
from moothall.codegen.kept import Agreement, document_digest
from moothall.codegen.module import Case, Function, Kind, Manifest, Module, Provenance
from moothall.codegen.report import Problem, Report, StageReport
from moothall.codegen.sharing import RoutineCapabilities
from moothall.codegen.signing import sign_module, verify
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import Callee, CodingTask
from moothall.errors import (
    CodeRefused,
    IntegrityError,
    InvalidInput,
    MoothallError,
    ServiceNotFoundError,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.policy.engine import PolicyEngine
from moothall.storage.store import Store
from tests.support.clock import ManualClock

DOCUMENT = "# Requirements\nweather by city\n"
PROTOCOL = document_digest(DOCUMENT)
NEED = document_digest("need")
CAROL = Principal(id="did:wba:far.example:agents:carol", kind="did", binding="request")
SHAPE = {"type": "object", "properties": {"arguments": {"type": "object"}}, "required": ["arguments"]}
BUILD = Function(name="build", parameters=SHAPE, returns={"type": "object"})
SOURCE = "def build(arguments: dict) -> dict:\n    return arguments\n"
CASE = Case(name="one", function="build", arguments={"arguments": {}}, expected={})
TASK = CodingTask(
    kind="requester", name="weather", functions=(BUILD,), instruction="", protocol=PROTOCOL, hidden=(CASE,)
)

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


def module(kind: Kind = "requester", *, may_call: tuple[str, ...] = (), protocol: str = PROTOCOL) -> Module:
    manifest = Manifest(
        kind=kind,
        name="weather",
        functions=(BUILD,),
        may_call=may_call,
        protocol=protocol,
        provenance=Provenance(writer="template"),
    )
    return Module(manifest=manifest, source=SOURCE, policy="gate-1")


def nested(depth: int) -> dict[str, Any]:
    """An object within an object, so often."""
    made: dict[str, Any] = {}
    for _ in range(depth):
        made = {"a": made}
    return made


@dataclass
class World:
    """Agents and their documents; a judge who says what it is told to and remembers what it was asked."""

    agents: dict[str, AgentIdentity] = field(default_factory=dict)
    silent: bool = False
    passes: bool = True
    judged: list[tuple[Module, Sequence[Callee], Sequence[Case]]] = field(default_factory=list)
    revision: str = "gate-1"

    def agent(self, name: str) -> AgentIdentity:
        made = new_identity(name, "hall.example", ("agents", name), created=ManualClock().now()).identity
        self.agents[made.did.text] = made
        return made

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        if self.silent or did not in self.agents:
            raise UpstreamError("its host does not answer")
        return self.agents[did].document

    async def judge(
        self,
        judged: Module,
        callees: Sequence[Callee] = (),
        hidden: Sequence[Case] = (),
        *,
        counterparts: Sequence[Module] = (),
    ) -> Report:
        self.judged.append((judged, callees, hidden))
        wrong = () if self.passes else (Problem(stage="tests", code="failed", message="wrong"),)
        return Report(stages=(StageReport(stage="tests", passed=self.passes, problems=wrong),))


@dataclass
class Side:
    """One node: what it keeps, what it hands out, and how it gets what others have."""

    routines: RoutineStore
    fetcher: Fetcher
    who: Principal = CAROL

    def door(self) -> Ask:
        """Calls its capabilities from outside, as ``who``; what goes through is JSON."""
        registry = Registry()
        registry.add("node", members_of(RoutineCapabilities(self.routines)))
        path = CallPath(registry, PolicyEngine.usual())

        async def ask(target: str, parameters: Mapping[str, Any]) -> Any:
            facts = CallFacts(door="http", principal=self.who)
            reply = await path.call(Target.parse(f"local:node.{target}"), dict(parameters), facts)
            if reply.error is not None:
                raise reply.error
            return reply.data

        return ask

    async def holds(self, made: Module, by: AgentIdentity, *, tested: bool = True, document: str = DOCUMENT) -> str:
        token = sign_module(made.hash, by.signer, ManualClock().now())
        await self.routines.put_protocol(document, {})
        return (await self.routines.put(made, token, tested=tested)).hash


def derived(document: str) -> Mapping[str, Any]:
    if "Requirements" not in document:
        raise InvalidInput("no document")
    return {"read": True}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def sides(tmp_path: Path, world: World) -> AsyncIterator[tuple[Side, Side]]:
    """The provider's node, and Carol's."""
    async with AsyncExitStack() as stack:
        made = []
        for name in ("bob", "carol"):
            store = await Store.open(tmp_path / name)
            stack.push_async_callback(store.close)
            routines = RoutineStore(store, ManualClock())
            made.append(Side(routines, Fetcher(routines, world, world, derived)))
        yield made[0], made[1]


def answering(**answers: Any) -> Ask:
    async def ask(target: str, parameters: Mapping[str, Any]) -> Any:
        return answers[target.partition(".")[2]]

    return ask


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_a_third_agent_finds_tested_code_by_need_gets_it_and_tests_it_again(
    sides: tuple[Side, Side], world: World
) -> None:
    bob, carol = sides
    digest = await bob.holds(module(), world.agent("bob"))
    await bob.routines.put_agreement(Agreement(NEED, CAROL.id, "provider", "did:wba:hall.example", PROTOCOL))
    (by_need,) = await carol.fetcher.find(bob.door(), need=NEED)
    (by_protocol,) = await carol.fetcher.find(bob.door(), protocol=PROTOCOL)
    assert by_need == by_protocol
    assert (by_need.hash, by_need.protocol, by_need.kind) == (digest, PROTOCOL, "requester")
    got = await carol.fetcher.fetch(bob.door(), digest)
    assert (got.module, got.tested_at, [got.origin]) == (module(), None, list(world.agents))
    kept = await carol.routines.protocol(PROTOCOL)
    assert kept is not None
    assert (kept.document, kept.artifact) == (DOCUMENT, {"read": True})
    assert world.judged == []
    ready = await carol.fetcher.ready(digest, TASK)
    assert ready.tested_at is not None
    assert [(each.hash, list(hidden)) for each, _, hidden in world.judged] == [(digest, [CASE])]
    await carol.fetcher.ready(digest, TASK)
    assert len(world.judged) == 1, "it is tested before its first use, and then used"


async def test_what_is_here_is_not_asked_for(sides: tuple[Side, Side], world: World) -> None:
    bob, _ = sides
    digest = await bob.holds(module(), world.agent("bob"))
    assert (await bob.fetcher.fetch(answering(), digest)).hash == digest


@pytest.mark.parametrize("hidden", ["untested", "service", "names_of_ours", "unknown", "no_document"])
async def test_others_do_not_get_what_is_untested_no_half_or_says_what_this_node_has(
    hidden: str, sides: tuple[Side, Side], world: World
) -> None:
    bob, carol = sides
    ann = world.agent("bob")
    digest = {
        "untested": lambda: bob.holds(module(), ann, tested=False),
        "service": lambda: bob.holds(module("service", protocol=""), ann),
        "names_of_ours": lambda: bob.holds(module("provider", may_call=("local:salaries.list",)), ann),
        "unknown": lambda: bob.routines.put_protocol(DOCUMENT, {}),
        "no_document": lambda: bob.holds(module(protocol=document_digest("gone")), ann),
    }
    asked = await digest[hidden]()
    with pytest.raises(ServiceNotFoundError):
        await carol.fetcher.fetch(bob.door(), asked)
    if hidden != "no_document":
        for kind in ("requester", "provider"):
            assert await carol.fetcher.find(bob.door(), protocol=PROTOCOL, kind=kind) == []


async def test_a_provider_half_that_only_calls_back_is_shared(sides: tuple[Side, Side], world: World) -> None:
    bob, carol = sides
    digest = await bob.holds(module("provider", may_call=("callback",)), world.agent("bob"))
    (offer,) = await carol.fetcher.find(bob.door(), protocol=PROTOCOL, kind="provider")
    assert (await carol.fetcher.fetch(bob.door(), offer.hash)).hash == digest


async def test_only_proved_callers_ask_and_only_by_digests(sides: tuple[Side, Side], world: World) -> None:
    bob, _ = sides
    digest = await bob.holds(module(), world.agent("bob"))
    with pytest.raises(ValidationError):
        await bob.door()("routines.get", {"digest": "../../etc"})
    bob.who = ANONYMOUS
    for target, said in (("routines.get", {"digest": digest}), ("routines.find", {"protocol": PROTOCOL})):
        with pytest.raises(MoothallError):
            await bob.door()(target, said)


@pytest.mark.requirement("GEN-09")
@pytest.mark.parametrize(
    "lie",
    ["other_module", "other_source", "other_token", "no_token", "forged_token", "other_document", "protocol_of_none"],
)
async def test_a_liar_about_hashes_leaves_nothing_behind(lie: str, sides: tuple[Side, Side], world: World) -> None:
    _, carol = sides
    bob, eve = world.agent("bob"), world.agent("eve")
    right = module(protocol="" if lie == "protocol_of_none" else PROTOCOL)
    other = module("provider")
    at = ManualClock().now()
    answer = {
        "module": right.model_dump(mode="json"),
        "token": sign_module(right.hash, bob.signer, at),
        "document": DOCUMENT,
    }
    stranger = replace(bob.signer, key=eve.signer.key)
    answer |= {
        "other_module": {"module": other.model_dump(mode="json")},
        "other_source": {"module": {**answer["module"], "source": SOURCE.replace("return arguments", "return {}")}},
        "other_token": {"token": sign_module(other.hash, bob.signer, at)},
        "no_token": {"token": "a.b.c"},
        "forged_token": {"token": sign_module(right.hash, stranger, at)},
        "other_document": {"document": DOCUMENT + "and more\n"},
        "protocol_of_none": {},
    }[lie]
    with pytest.raises(IntegrityError):
        await carol.fetcher.fetch(answering(get=answer), right.hash)
    assert await carol.routines.get(right.hash) is None
    assert await carol.routines.find(PROTOCOL) == []


@pytest.mark.parametrize("parameters", [nested(3_000), {"a": 10**5_000}], ids=["too-deep", "too-many-digits"])
async def test_code_that_cannot_be_written_down_is_the_other_sides_fault(
    parameters: Any, sides: tuple[Side, Side]
) -> None:
    _, carol = sides
    body = module().model_dump(mode="json")
    body["manifest"]["functions"][0]["parameters"] = parameters
    ask = answering(get={"module": body, "token": "", "document": DOCUMENT})
    with pytest.raises(UpstreamInvalid):
        await carol.fetcher.fetch(ask, module().hash)


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"module": {}, "token": "", "document": DOCUMENT}, {"module": 1, "token": "", "document": ""}],
    ids=["nothing", "list", "empty", "no_module", "number"],
)
async def test_answers_of_another_form_are_the_other_sides_fault(answer: Any, sides: tuple[Side, Side]) -> None:
    _, carol = sides
    ask = answering(get=answer, find=answer)
    with pytest.raises(UpstreamInvalid):
        await carol.fetcher.fetch(ask, module().hash)
    if answer != []:
        with pytest.raises(UpstreamInvalid):
            await carol.fetcher.find(ask, protocol=PROTOCOL)


async def test_a_document_that_cannot_be_read_is_not_kept(sides: tuple[Side, Side], world: World) -> None:
    bob, carol = sides
    other = module(protocol=document_digest("nothing"))
    digest = await bob.holds(other, world.agent("bob"), document="nothing")
    with pytest.raises(UpstreamInvalid):
        await carol.fetcher.fetch(bob.door(), digest)
    assert await carol.routines.get(digest) is None


async def test_offers_for_something_else_are_left_out(sides: tuple[Side, Side]) -> None:
    _, carol = sides
    offers = [
        {"hash": module().hash, "protocol": NEED, "kind": "requester"},
        {"hash": module().hash, "protocol": PROTOCOL, "kind": "provider"},
        {"hash": module().hash, "protocol": PROTOCOL, "kind": "requester"},
    ]
    (left,) = await carol.fetcher.find(answering(find=offers), protocol=PROTOCOL)
    assert (left.protocol, left.kind) == (PROTOCOL, "requester")


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_code_that_fails_the_gate_here_is_never_ready(sides: tuple[Side, Side], world: World) -> None:
    bob, carol = sides
    digest = await bob.holds(module(), world.agent("bob"))
    await carol.fetcher.fetch(bob.door(), digest)
    world.passes = False
    for _ in range(2):
        with pytest.raises(CodeRefused) as refused:
            await carol.fetcher.ready(digest, TASK)
        assert refused.value.details["report"]["stages"][0]["problems"][0]["code"] == "failed"  # type: ignore[index]
    assert (await carol.routines.find(PROTOCOL))[0].tested_at is None


@pytest.mark.parametrize(
    "task",
    [
        replace(TASK, kind="provider"),
        replace(TASK, protocol=NEED),
        replace(TASK, functions=(BUILD, Function(name="parse", parameters=SHAPE))),
        replace(TASK, functions=(Function(name="build", parameters=SHAPE, returns={"type": "string"}),)),
    ],
    ids=["kind", "protocol", "functions", "schema"],
)
async def test_what_code_is_for_is_said_by_the_task_not_by_the_code(
    task: CodingTask, sides: tuple[Side, Side], world: World
) -> None:
    bob, _ = sides
    digest = await bob.holds(module(), world.agent("bob"))
    with pytest.raises(CodeRefused):
        await bob.fetcher.ready(digest, task)
    assert world.judged == []


async def test_code_that_calls_more_than_the_task_allows_is_refused(sides: tuple[Side, Side], world: World) -> None:
    bob, _ = sides
    digest = await bob.holds(module("provider", may_call=("callback",)), world.agent("bob"))
    task = replace(TASK, kind="provider")
    with pytest.raises(CodeRefused):
        await bob.fetcher.ready(digest, task)
    assert (await bob.fetcher.ready(digest, replace(task, callees=(Callee("callback", {}),)))).hash == digest
    with pytest.raises(ServiceNotFoundError):
        await bob.fetcher.ready(NEED, task)


async def test_an_agent_vouches_with_a_key_of_its_document(world: World) -> None:
    bob = world.agent("bob")
    token = sign_module(module().hash, bob.signer, ManualClock().now())
    assert await verify(token, module().hash, world) == bob.did.text
    with pytest.raises(IntegrityError):
        await verify(token, module("provider").hash, world)
    world.silent = True
    with pytest.raises(UpstreamError):
        await verify(token, module().hash, world)
