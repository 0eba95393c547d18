"""The owner has code proved, here or elsewhere, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.codegen.proof import RoutineProofs, proved
from moothall.codegen.sharing import RoutineCapabilities
from moothall.codegen.signing import sign_module
from moothall.codegen.store import RoutineStore
from moothall.errors import IntegrityError, PermissionDeniedError, ServiceNotFoundError, UpstreamError, UpstreamInvalid
from moothall.identity.principal import OWNER, Principal
from moothall.policy.engine import PolicyEngine
from moothall.storage.store import Store
from tests.codegen.test_sharing import CAROL, DOCUMENT, PROTOCOL, World, module
from tests.support.clock import ManualClock


class Node:
    """What one node keeps, and its door."""

    def __init__(self, store: Store, world: World) -> None:
        self.routines = RoutineStore(store, ManualClock())
        registry = Registry()
        for capabilities in (RoutineCapabilities(self.routines), RoutineProofs(world)):
            registry.add("node", members_of(capabilities))
        self._path = CallPath(registry, PolicyEngine.usual())

    async def call(self, name: str, who: Principal = OWNER, **given: str) -> Any:
        reply = await self._path.call(Target.parse(f"local:node.{name}"), given, CallFacts(door="local", principal=who))
        if reply.error is not None:
            raise reply.error
        value: Any = reply.data
        return value.model_dump(mode="json")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[tuple[Node, World]]:
    store, world = await Store.open(tmp_path), World()
    try:
        yield Node(store, world), world
    finally:
        await store.close()


async def kept(node: Node, world: World) -> tuple[str, str]:
    """The hash of code that is kept, and who vouches for it."""
    made, bob = module(), world.agent("bob")
    await node.routines.put_protocol(DOCUMENT, {})
    await node.routines.put(made, sign_module(made.hash, bob.signer, ManualClock().now()), tested=True)
    return made.hash, bob.did.text


async def test_proof_says_what_the_code_is_and_who_vouches_for_it(node: tuple[Node, World]) -> None:
    here, world = node
    digest, by = await kept(here, world)
    proof = await here.call("routines.verify", digest=digest)
    assert proof == {"hash": digest, "protocol": PROTOCOL, "kind": "requester", "by": by}


async def test_proof_is_the_owners_and_fails_where_there_is_no_code_or_no_key(node: tuple[Node, World]) -> None:
    here, world = node
    digest, _ = await kept(here, world)
    with pytest.raises(PermissionDeniedError):
        await here.call("routines.verify", CAROL, digest=digest)
    with pytest.raises(ServiceNotFoundError):
        await here.call("routines.verify", digest="sha256:" + "0" * 64)
    world.silent = True
    with pytest.raises(UpstreamError):
        await here.call("routines.verify", digest=digest)


async def test_what_is_changed_on_the_way_is_not_proved(node: tuple[Node, World]) -> None:
    here, world = node
    digest, _ = await kept(here, world)
    shared = await here.call("routines.get", digest=digest)
    assert (await proved(shared, digest, world)).module == module()
    mallory = sign_module("sha256:" + "1" * 64, world.agent("mallory").signer, ManualClock().now())
    changes: tuple[Mapping[str, Any], ...] = (
        {"module": {**shared["module"], "source": shared["module"]["source"] + "\n"}},
        {"document": shared["document"] + "\n"},
        {"token": mallory},
        {"token": "none"},
    )
    for change in changes:
        with pytest.raises(IntegrityError):
            await proved({**shared, **change}, digest, world)
    others: tuple[object, ...] = (None, [], {"module": {}}, {**shared, "module": {"source": 1}})
    for junk in others:
        with pytest.raises(UpstreamInvalid):
            await proved(junk, digest, world)
