"""The names of the specification decide as the engine does, and never more."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.snapshot import Snapshot
from moothall.identity.principal import OWNER, Principal
from moothall.people.facts import PartyFacts
from moothall.policy.decision import PermissionResult
from moothall.policy.named.agent_router import AgentRouter, APIRegistry
from moothall.policy.named.authorization_engine import AuthorizationEngine, ContextAnalyzer, RuleEngine
from moothall.policy.named.checks import PermissionManager
from moothall.policy.named.hierarchy import AuthorizationHierarchy, DepartmentLevel, EnterpriseLevel, TeamLevel
from moothall.policy.named.reader import read
from moothall.policy.store import FixedPolicies, PolicyStore
from tests.policy.ground import Town
from tests.policy.named.hall import entry, party, principal
from tests.policy.named.test_plugins import NightShift

BO = principal(party("bo"))
OPEN = entry("node.open", access="authenticated")
OWNED = entry("node.owned")
ALLOW, DENY, ASK = (PermissionResult(effect) for effect in ("allow", "deny", "approve"))  # type: ignore[arg-type]


def three_checks(town: Town, policies: Any) -> AuthorizationEngine:
    engine = town.engine(policies=policies)
    return AuthorizationEngine(policies, RuleEngine(engine), ContextAnalyzer())


PURPOSE = '[[compliance.purposes]]\ncapabilities=["node.open"]\nallowed=["billing"]'


@pytest.mark.requirement("POL-02")
@pytest.mark.requirement("POL-03")
@pytest.mark.parametrize(
    ("config", "called", "context", "expected"),
    [
        ("", OPEN, {}, ("allow", "access-authenticated")),
        ("", OWNED, {}, ("deny", "no_policy_matched")),
        (PURPOSE, OPEN, {}, ("deny", "compliance:purpose:1")),
        (PURPOSE, OPEN, {"purpose": "ads"}, ("deny", "compliance:purpose:1")),
        (PURPOSE, OPEN, {"purpose": "billing", "caller": "owner"}, ("allow", "access-authenticated")),
        (PURPOSE, OPEN, {"purpose": 7}, ("deny", "evaluation_failed")),
        ("[trust]\nthreshold=9", OPEN, {}, ("deny", "trust")),
        ("[trust]\nthreshold=9\nbelow='approve'", OPEN, {}, ("approve", "trust")),
    ],
)
async def test_three_checks_decide_as_the_engine_and_name_policy_and_reason(
    config: str, called: Any, context: dict[str, Any], expected: tuple[str, str]
) -> None:
    policies = FixedPolicies.of(read(config))
    decision = await three_checks(Town(), policies).authorize(BO, called, called.spec.acts, context)
    if expected[1] != "evaluation_failed":
        assert (decision.effect, decision.policy) == expected
    assert decision.effect == expected[0]
    assert decision.reason
    assert decision.revision == policies.policies.revision


@pytest.mark.requirement("POL-03")
async def test_each_check_tells_its_own_part() -> None:
    config = replace(read(PURPOSE), narrowing=(NightShift(),))
    engine = three_checks(Town(), FixedPolicies.of(config))
    day = entry("bank.day", access="authenticated", tags=("day",))
    for called, context, parts in (
        (OPEN, {}, (False, True, False)),
        (OPEN, {"purpose": "billing"}, (True, False, False)),
        (OWNED, {}, (False, False, False)),
        (day, {}, (False, False, True)),
    ):
        asked = (BO, called, "read", context)
        basic = await engine.check_basic_permissions(*asked)
        volatile = await engine.check_context_permissions(*asked)
        dynamic = await engine.check_dynamic_policies(*asked)
        assert (basic is not None, volatile is not None, dynamic is not None) == parts
        assert (await engine.authorize(*asked)).allowed == parts[0]


@pytest.mark.requirement("POL-03")
async def test_authorize_decides_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three decisions could be of three moments, and would cost three times as much."""
    engine, asked = three_checks(Town(), FixedPolicies.of()), list[Any]()
    evaluate = engine.rule_engine.evaluate

    async def counted(*request: Any) -> Any:
        asked.append(request)
        return await evaluate(*request)

    monkeypatch.setattr(engine.rule_engine, "evaluate", counted)
    await engine.authorize(BO, OPEN, "read")
    assert len(asked) == 1


@pytest.mark.requirement("POL-03")
def test_any_denial_wins_and_silence_is_a_denial() -> None:
    engine = three_checks(Town(), FixedPolicies.of())
    for results in product([None, ALLOW, ASK, DENY], repeat=3):
        combined = engine.combine_results(results).effect
        spoken = {result.effect for result in results if result}
        assert combined == next((effect for effect in ("deny", "approve", "allow") if effect in spoken), "deny")


@pytest.mark.requirement("POL-03")
async def test_a_check_that_fails_is_a_denial() -> None:
    town = Town()
    engine = three_checks(town, FixedPolicies.of())
    assert (await engine.authorize(BO, OPEN, "read")).allowed
    town.locked = True
    town.alone = False
    assert (await engine.authorize(principal(party("eve")), OPEN, "read")).effect == "deny"


@pytest.mark.requirement("AUT-03")
async def test_a_policy_changed_at_run_time_decides_the_next_call_in_the_router(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path, read)
    town = Town()
    engine = town.engine(policies=store)
    snapshot = Snapshot.of([OPEN, entry("node.page", access="public", path="/page", methods=("GET",))], {}, 1, "node")
    router = AgentRouter(
        AuthorizationEngine(store, RuleEngine(engine), ContextAnalyzer()),
        APIRegistry(lambda: snapshot),
        engine,
        lambda: {"purpose": "ads"},
    )
    address = "/api/v1/capabilities/node.open"
    assert (await router.check_authorization(BO, address, "POST")).allowed
    (tmp_path / "policy.toml").write_text(PURPOSE, encoding="utf-8")
    await store.reload()
    assert (await router.check_authorization(BO, address, "POST")).policy == "compliance:purpose:1"
    assert (await router.check_authorization(BO, "/page", "GET")).allowed
    missing = await router.check_authorization(BO, "/api/v1/capabilities/node.none", "POST")
    assert missing == await router.check_authorization(BO, "/page", "POST")
    assert (missing.effect, missing.policy, missing.revision) == ("deny", "no_policy_matched", store.policies.revision)


@pytest.mark.requirement("AUT-06")
async def test_the_router_believes_no_unproved_caller() -> None:
    policies = FixedPolicies.of(read(""))
    town = Town(PartyFacts(id="did:wba:ann.example:e1_x", person="ann", role="admin"))
    engine = town.engine(policies=policies)
    snapshot = Snapshot.of([OPEN], {}, 1, "node")
    router = AgentRouter(
        AuthorizationEngine(policies, RuleEngine(engine), ContextAnalyzer()), APIRegistry(lambda: snapshot), engine
    )
    claimed = Principal(id="did:wba:ann.example:e1_x", kind="did", verified=False, owner=True)
    assert not (await router.check_authorization(claimed, "/api/v1/capabilities/node.open", "POST")).allowed


async def test_the_permission_manager_denies_what_is_not_there_as_what_nobody_allows() -> None:
    engine = Town().engine(policies=FixedPolicies.of(read("")))
    manager = PermissionManager(engine, Snapshot.of([OPEN, OWNED], {}, 1, "node").find)
    assert (await manager.check_permission(BO, "node.open")).allowed
    assert (await manager.check_permission(BO, "node.open", "read")).allowed
    assert (await manager.check_permission(OWNER, "node.owned")).allowed
    refused = await manager.check_permission(BO, "node.owned")
    assert refused == await manager.check_permission(BO, "node.none")
    assert refused == await manager.check_permission(BO, "node.open", "delete"), "it does something else"


@pytest.mark.requirement("POL-01")
def test_the_hierarchy_tells_the_policies_of_each_level() -> None:
    hierarchy = AuthorizationHierarchy.of(FixedPolicies.of(read("[enterprise]")).policies)
    assert isinstance(hierarchy.enterprise, EnterpriseLevel)
    assert isinstance(hierarchy.enterprise.department, DepartmentLevel)
    assert isinstance(hierarchy.enterprise.team, TeamLevel)
    assert "access-personal" in {policy.id for policy in hierarchy.personal.policies}
    assert "public" in {policy.id for policy in hierarchy.public.policies}
    assert "isolation" in {policy.id for policy in hierarchy.enterprise.department.policies}
    assert {policy.layer for policy in hierarchy.enterprise.policies} == {"enterprise"}


@pytest.mark.requirement("POL-04")
def test_the_five_policies_are_active_when_they_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(
        '[enterprise]\n[[roles.may]]\nrole="staff"\nactions=["read"]\ncapabilities=["*"]\n[audit]\nactions=["write"]\n',
        encoding="utf-8",
    )
    policies = PolicyStore(tmp_path, read).policies
    assert {"isolation", "role:staff:1", "classification", "compliance:region"} <= policies.policies.keys()
    assert policies.config.sensitive.actions == {"write"}
