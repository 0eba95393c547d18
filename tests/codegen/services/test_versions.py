"""Versions: another one answers a share of the calls or all of them, an earlier one at once again, and none is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall import Agent, CallContext, capability
from moothall.capability.options import OptionError
from moothall.codegen.services.health import USUAL
from moothall.codegen.services.records import VersionRecord
from moothall.codegen.services.store import ServiceStore
from moothall.errors import Conflict, Gone, MoothallError, ServiceNotFoundError
from moothall.storage.agreed import routine, service, service_version
from moothall.storage.store import Store
from tests.codegen.services.hall import DOUBLE, STRANGER, Passing, Site, forged
from tests.support.clock import ManualClock

TRIPLE = DOUBLE.replace("* 2", "* 3")
BROKEN = DOUBLE.replace("value * 2", "[][value]")


async def answer(site: Site, value: int = 10) -> int:
    result: int = await site.call("local:forge.double", STRANGER, value=value)
    return result


async def audited(site: Site) -> list[Mapping[str, Any]]:
    """What the audit trail says of services."""
    await site.node.host.authority.trail.flush()
    page = await site.call("local:node.audit.list", limit=100)
    return [record for record in page.records if record.get("resource", "").startswith("forge.")]


@pytest.mark.requirement("GEN-11")
async def test_a_roll_back_lets_the_first_version_answer_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE, version="1.0.0")
        assert await answer(site) == 20
        await site.published(TRIPLE, version="2.0.0")
        assert await answer(site) == 30
        view = await site.call("local:node.services.rollback", service="forge.double", version="1.0.0")
        assert view.live == "1.0.0"
        assert await answer(site) == 20
        assert site.node.host.capabilities.snapshot.resolve("forge.double").spec.version == "1.0.0"
    async with forged(tmp_path, judge=Passing()) as site:
        assert await answer(site) == 20
        assert await site.seen_by() == {"forge.double"}
        view = await site.call("local:node.services.rollback", service="forge.double", version="2.0.0")
        assert await answer(site) == 30
        assert [each.version for each in view.versions] == ["1.0.0", "2.0.0"]


@pytest.mark.requirement("GEN-11")
async def test_a_roll_back_by_another_process_holds_here_within_a_second(tmp_path: Path) -> None:
    clock = ManualClock()
    async with forged(tmp_path, judge=Passing(), clock=clock) as site:
        await site.registered(DOUBLE, version="1.0.0")
        await site.registered(TRIPLE, version="2.0.0")
        assert await site.call("local:forge.double", value=10) == 30
        other = site.forge.desk.services
        await other.change(await other.get("forge.double"), live="1.0.0")
        assert await site.call("local:forge.double", value=10) == 30
        await clock.advance(timedelta(seconds=0.6))
        assert await site.call("local:forge.double", value=10) == 20


@pytest.mark.requirement("GEN-11")
async def test_versions_are_added_and_never_replaced(tmp_path: Path, database_url: str) -> None:
    store = await Store.open(tmp_path, database_url)
    try:
        services = ServiceStore(store, ManualClock())
        first = VersionRecord(service="forge.x", version="1.0.0", hash="sha256:a", requirement="sha256:r")
        await services.add(first)
        await services.add(first)
        with pytest.raises(Conflict):
            await services.add(VersionRecord(service="forge.x", version="1.0.0", hash="sha256:b"))
        await services.asked("forge.x", "1.0.0", "ap-1")
        await services.approved("forge.x", "1.0.0")
        await services.asked("forge.x", "1.0.0", "ap-2")
        [kept] = await services.versions("forge.x")
        assert (kept.hash, kept.approval) == ("sha256:a", "granted ap-1")
        record = await services.get("forge.x")
        await services.change(record, live="1.0.0", published=True)
        with pytest.raises(Conflict):
            await services.change(record, live="2.0.0")
        with pytest.raises(ServiceNotFoundError):
            await services.get("forge.y")
        with pytest.raises(ServiceNotFoundError):
            await services.version("forge.x", "9.0.0")
    finally:
        await store.close()


@pytest.mark.requirement("GEN-07", "GEN-11")
async def test_nobody_goes_to_a_version_that_no_person_approved(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE, version="1.0.0")
        await site.registered(TRIPLE, version="2.0.0")
        assert await answer(site) == 20
        with pytest.raises(Conflict):
            await site.call("local:node.services.rollback", service="forge.double", version="2.0.0")
        assert await answer(site) == 20


async def test_a_canary_answers_its_share_until_it_is_published_whole(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE, version="1.0.0")
        await site.published(TRIPLE, version="2.0.0", share=0.25)
        answers = [await answer(site, 1) for _ in range(8)]
        assert sorted(answers) == [2, 2, 2, 2, 2, 2, 3, 3]
        view = await site.call("local:node.services.publish", service="forge.double", version="2.0.0")
        assert (view.live, view.canary, view.approval_id) == ("2.0.0", "", "")
        assert {await answer(site, 1) for _ in range(4)} == {3}


@pytest.mark.requirement("GEN-12")
async def test_a_version_that_fails_too_often_is_rolled_back_and_that_is_on_record(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE, version="1.0.0")
        await site.published(BROKEN, version="2.0.0")
        for _ in range(USUAL.least):
            with pytest.raises(MoothallError):
                await answer(site)
        assert await answer(site) == 20
        [view] = await site.call("local:node.services.list")
        assert (view.live, view.state, view.reason) == ("1.0.0", "live", "error_rate")
        [record] = [each for each in await audited(site) if each["action"] == "service.rollback"]
        assert (record["actor"], record["reason"]) == ("system:services", "error_rate")
        assert (record["details"]["from"], record["details"]["to"]) == ("2.0.0", "1.0.0")


@pytest.mark.requirement("GEN-12")
async def test_without_an_earlier_version_it_is_switched_off_and_seen_by_nobody(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(BROKEN)
        for _ in range(USUAL.least):
            with pytest.raises(MoothallError):
                await answer(site)
        with pytest.raises(Gone):
            await answer(site)
        assert await site.seen_by() == set()
        assert [each["action"] for each in await audited(site)].count("service.disable") == 1
    async with forged(tmp_path, judge=Passing()) as site:
        with pytest.raises(Gone):
            await answer(site)


@pytest.mark.requirement("GEN-12")
async def test_a_version_that_answers_too_slowly_is_switched_off(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing(), service_latency=0.000_001) as site:
        await site.published(DOUBLE)
        for _ in range(USUAL.least):
            assert await answer(site) == 20
        [view] = await site.call("local:node.services.list")
        assert (view.state, view.reason) == ("disabled", "latency")


@pytest.mark.requirement("GEN-12")
async def test_an_ill_canary_is_withdrawn_and_the_live_version_stays(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE, version="1.0.0")
        await site.published(BROKEN, version="2.0.0", share=0.5)
        failures = 0
        for _ in range(2 * USUAL.least):
            try:
                assert await answer(site) == 20
            except MoothallError:
                failures += 1
        assert failures == USUAL.least
        assert [await answer(site) for _ in range(4)] == [20] * 4
        [view] = await site.call("local:node.services.list")
        assert (view.live, view.canary, view.state) == ("1.0.0", "", "live")
        assert "service.canary_withdrawn" in [each["action"] for each in await audited(site)]


@pytest.mark.requirement("GEN-12")
async def test_callers_who_give_wrong_arguments_do_not_switch_a_service_off(tmp_path: Path) -> None:
    picky = "def double(value: int) -> int:\n    if value < 0:\n        raise ValueError('negative')\n    return value * 2\n"
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(picky)
        for _ in range(2 * USUAL.least):
            with pytest.raises(MoothallError):
                await answer(site, -1)
        assert await answer(site) == 20


async def test_a_service_can_be_switched_off_and_published_again(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.published(DOUBLE)
        await site.call("local:node.services.disable", service="forge.double", reason="not now")
        with pytest.raises(Gone):
            await answer(site)
        await site.call("local:node.services.publish", service="forge.double")
        assert await answer(site) == 20


@pytest.mark.requirement("GEN-11")
async def test_code_that_somebody_changed_in_the_store_is_not_run(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        await site.registered(DOUBLE)
    async with forged(tmp_path, judge=Passing()) as site:
        store = site.node._store
        assert store is not None
        changed = sa.update(service_version).values(hash="sha256:" + "0" * 64)
        await store.write(lambda connection: connection.execute(changed))
        site.forge.desk.forget("forge.double")
        with pytest.raises(MoothallError):
            await site.call("local:forge.double", value=10)


async def test_what_was_changed_in_the_store_can_be_switched_off_and_takes_no_other_service_away(
    tmp_path: Path,
) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        for name in ("double", "lost", "odd"):
            await site.published(DOUBLE, name=name)
        store = site.node._store
        assert store is not None
        hashes = {
            each: (await site.forge.desk.services.version(f"forge.{each}", "1.0.0")).hash for each in ("lost", "odd")
        }
        for change in (
            sa.update(routine).where(routine.c.hash == hashes["lost"]).values(bundle="{}"),
            sa.update(service).where(service.c.name == "forge.odd").values(state="anything"),
        ):
            await store.write(lambda connection, change=change: connection.execute(change))
        await site.call("local:node.services.disable", service="forge.lost")
        with pytest.raises(Gone):
            await site.call("local:forge.lost", STRANGER, value=1)
    async with forged(tmp_path, judge=Passing()) as site:
        assert await answer(site) == 20
        assert await site.seen_by() == {"forge.double"}
        views = await site.call("local:node.services.list")
        assert [each.name for each in views] == ["forge.double", "forge.lost"]


async def test_no_capability_publishes_in_the_name_of_its_caller(tmp_path: Path) -> None:
    @capability
    async def eager(ctx: CallContext) -> str:
        """Publish what is not its own."""
        await ctx.call("local:node.services.publish", service="forge.double")
        return "done"

    async with forged(tmp_path, Agent("clerk", eager), judge=Passing()) as site:
        await site.published(DOUBLE)
        await site.call("local:node.services.disable", service="forge.double")
        with pytest.raises(MoothallError):
            await site.call("local:clerk.eager")
        with pytest.raises(Gone):
            await answer(site)


@pytest.mark.parametrize(("name", "version"), [("double", "newest"), ("a b", "1.0.0"), ("", "1.0")], ids=str)
async def test_what_no_capability_can_be_called_is_not_kept(tmp_path: Path, name: str, version: str) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        with pytest.raises(OptionError):
            await site.registered(DOUBLE, name=name, version=version)
        assert await site.call("local:node.services.list") == []
        await site.registered(DOUBLE)
        assert await site.call("local:forge.double", value=10) == 20
