"""Code of others through the real gate: good code is used after its tests here, wrong code never, whoever vouches for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moothall.codegen.fetching import Fetcher
from moothall.codegen.gate import Gate
from moothall.codegen.kept import document_digest
from moothall.codegen.module import Case, Module
from moothall.codegen.signing import sign_module
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CodingTask
from moothall.errors import CodeRefused
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.storage.store import Store
from tests.codegen.gate.modules import REQUESTER
from tests.support.clock import ManualClock

DOCUMENT = "# Requirements\nweather\n"
TASK = CodingTask(
    kind="requester",
    name="weather",
    functions=REQUESTER.manifest.functions,
    instruction="",
    hidden=REQUESTER.cases[:3],
    protocol=document_digest(DOCUMENT),
)


@dataclass
class Bob:
    """An agent who vouches for whatever it is given, and hands it out."""

    identity: AgentIdentity
    module: Module = REQUESTER

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        return self.identity.document

    def gives(self, source: str = REQUESTER.source, cases: tuple[Case, ...] = REQUESTER.cases) -> str:
        manifest = REQUESTER.manifest.model_copy(update={"protocol": TASK.protocol})
        self.module = Module(manifest=manifest, source=source, cases=cases, policy="gate-1")
        return self.module.hash

    async def ask(self, target: str, parameters: Mapping[str, Any]) -> Any:
        assert (target, parameters) == ("routines.get", {"digest": self.module.hash})
        token = sign_module(self.module.hash, self.identity.signer, ManualClock().now())
        return {"module": self.module.model_dump(mode="json"), "token": token, "document": DOCUMENT}


@pytest.fixture
def bob() -> Bob:
    return Bob(new_identity("bob", "far.example", ("agents", "bob"), created=ManualClock().now()).identity)


@pytest.fixture
async def routines(tmp_path: Path) -> AsyncIterator[RoutineStore]:
    store = await Store.open(tmp_path / "carol")
    yield RoutineStore(store, ManualClock())
    await store.close()


@pytest.fixture
def fetcher(bob: Bob, routines: RoutineStore, gate: Gate) -> Fetcher:
    return Fetcher(routines, gate, bob, lambda _: {})


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_good_code_of_another_is_used_once_it_passed_here(
    bob: Bob, fetcher: Fetcher, routines: RoutineStore
) -> None:
    digest = bob.gives()
    assert (await fetcher.fetch(bob.ask, digest)).tested_at is None
    ready = await fetcher.ready(digest, TASK)
    assert ready.tested_at is not None
    assert [each.hash for each in await routines.find(TASK.protocol, "requester")] == [digest]


OTHERWISE = '"low")', '"high")'


@pytest.mark.requirement("GEN-09", "GEN-10")
@pytest.mark.parametrize(
    ("right", "wrong", "cases", "stage"),
    [
        (*OTHERWISE, REQUESTER.cases, "tests"),
        (*OTHERWISE, (), "mutation"),
        ('"last": days', '"last": 1', (), "tests"),
        ("GOOD = 200", "GOOD = 404", REQUESTER.cases[:4], "properties"),
        ("    return {", '    print(open("/etc/passwd").read())\n    return {', REQUESTER.cases, "subset"),
    ],
    ids=["its_own_tests", "no_tests", "tests_of_the_task", "what_holds_for_all_code", "reads_files"],
)
async def test_wrong_code_is_never_used_whoever_vouches_for_it(
    right: str, wrong: str, cases: tuple[Case, ...], stage: str, bob: Bob, fetcher: Fetcher, routines: RoutineStore
) -> None:
    assert right in REQUESTER.source
    digest = bob.gives(REQUESTER.source.replace(right, wrong), cases)
    await fetcher.fetch(bob.ask, digest)
    with pytest.raises(CodeRefused) as refused:
        await fetcher.ready(digest, TASK)
    report: Any = refused.value.details["report"]
    assert report["stages"][-1]["stage"] == stage
    kept = await routines.get(digest)
    assert kept is not None
    assert kept.tested_at is None
