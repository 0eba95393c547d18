"""What counts against a service: what its code does, never what its callers may not, or have no time for (row GEN-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from moothall import Agent, capability
from moothall.codegen.module import Function, Manifest, Module, Provenance
from moothall.codegen.sandbox.port import FaultKind, Image, fault
from moothall.codegen.services.health import USUAL
from moothall.codegen.services.records import ServiceRecord, VersionRecord
from moothall.codegen.services.running import RunTerms, ServiceRunner
from moothall.errors import MoothallError, SandboxFault
from moothall.identity.principal import OWNER
from tests.codegen.services.hall import DOUBLE, STRANGER, Passing, Site, forged

ASKING = "def peek(value: int) -> int:\n    return call('local:vault.secret', {'value': value})\n"
OTHER = replace(STRANGER, id="did:wba:elsewhere.example:agents:bob:e1_y")


@capability(access="owner")
def secret(value: int) -> int:
    """What only the owner may have; nobody may ask for less than nothing."""
    return value + 1


async def open_to_all(site: Site, name: str, code: str, *may_call: str) -> None:
    """Publish a service."""
    made = await site.forge.code.publish_to_network(await site.registered(code, name=name, may_call=may_call))
    await site.approve(made.approval_id)


@pytest.mark.requirement("GEN-12")
async def test_callers_who_may_not_call_what_a_service_calls_do_not_switch_it_off(tmp_path: Path) -> None:
    async with forged(tmp_path, Agent("vault", secret), judge=Passing()) as site:
        await open_to_all(site, "peek", ASKING, "local:vault.secret")
        for _ in range(2 * USUAL.least):
            with pytest.raises(SandboxFault):
                await site.call("local:forge.peek", STRANGER, value=1)
        assert await site.call("local:forge.peek", value=1) == 2


@pytest.mark.requirement("GEN-12")
async def test_code_that_calls_wrongly_is_ill(tmp_path: Path) -> None:
    wrong = ASKING.replace("{'value': value}", "{'number': value}")
    async with forged(tmp_path, Agent("vault", secret), judge=Passing()) as site:
        await open_to_all(site, "peek", wrong, "local:vault.secret")
        for _ in range(USUAL.least):
            with pytest.raises(MoothallError):
                await site.call("local:forge.peek", value=1)
        [view] = await site.call("local:node.services.list")
        assert (view.state, view.reason) == ("disabled", "error_rate")


@pytest.mark.requirement("GEN-12")
async def test_one_hostile_caller_does_not_switch_off_what_others_call(tmp_path: Path) -> None:
    fragile = DOUBLE.replace("value * 2", "[20][value]")
    async with forged(tmp_path, judge=Passing()) as site:
        await open_to_all(site, "double", fragile)
        assert await site.call("local:forge.double", OTHER, value=0) == 20
        for _ in range(2 * USUAL.least):
            with pytest.raises(SandboxFault):
                await site.call("local:forge.double", STRANGER, value=9)
        assert await site.call("local:forge.double", OTHER, value=0) == 20


class Standing:
    """A service with one version."""

    async def get(self, name: str) -> ServiceRecord:
        return ServiceRecord(name=name, live="1.0.0")

    async def versions(self, name: str) -> Sequence[VersionRecord]:
        return [VersionRecord(service=name, version="1.0.0", hash="sha256:a")]


class Failing:
    """A sandbox in which every run ends in the same way."""

    def __init__(self, kind: FaultKind) -> None:
        self._kind: FaultKind = kind

    async def load(self, source: str, *_: object) -> Image:
        return Image("sha256:b", source, b"")

    async def run(self, *_: object, **__: object) -> Any:
        raise fault(self._kind)


class Kept:
    """The code."""

    async def get(self, _key: str) -> Any:
        function = Function(name="double", parameters={"type": "object"})
        manifest = Manifest(
            kind="service", name="forge.double", functions=(function,), provenance=Provenance(writer="person")
        )
        return SimpleNamespace(module=Module(manifest=manifest, source=DOUBLE), tested_at="now")


@pytest.mark.requirement("GEN-12")
@pytest.mark.parametrize(
    ("kind", "deadline", "told"),
    [
        pytest.param("time", 60.0, True, id="endless"),
        pytest.param("time", 0.0, False, id="no-time-of-the-caller"),
        pytest.param("memory", 0.0, True, id="too-large"),
        pytest.param("busy", 60.0, False, id="no-process-free"),
    ],
)
async def test_only_what_the_code_does_counts(kind: FaultKind, deadline: float, told: bool) -> None:
    ill: list[str] = []

    async def note(_name: str, _version: str, why: str) -> None:
        ill.append(why)

    context = SimpleNamespace(principal=OWNER, deadline=deadline, call=None, calling=None)
    parts: Mapping[str, Any] = {"services": Standing(), "routines": Kept(), "sandbox": Failing(kind)}
    runner = ServiceRunner(**parts, monotonic=lambda: 0.0, terms=RunTerms(), ill=note)
    for _ in range(USUAL.least):
        with pytest.raises(SandboxFault):
            await runner.run("forge.double", {}, cast("Any", context))
    assert ill == (["error_rate"] if told else [])
