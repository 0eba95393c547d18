"""What Cedar lets fail open, and does not here (`notes/policy-and-sandbox.md`, section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import cedarpy
import pytest

from moothall.errors import SettingsError
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.people.facts import PartyFacts
from moothall.policy import builtin
from moothall.policy.decision import ACTIONS, AccessRequest
from moothall.policy.evaluation import action_groups
from moothall.policy.named.reader import configured
from moothall.policy.ports import FixedRules
from moothall.policy.resources import AgentResource
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from moothall.policy.store import FixedPolicies
from tests.policy.ground import READS, Town, Wall, decided, did, entry

ANN, BOB, HOST = did("ann"), did("bob"), did("host")
OPEN = '@id("open") permit (principal, action, resource);'


def custom(*texts: str, **given: object) -> PolicyConfig:
    sources = tuple(PolicySource("custom", f"{place}.cedar", text) for place, text in enumerate(texts))
    return PolicyConfig(sources=sources, **given)


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_refusal_over_a_group_of_actions_meets_all_that_are_in_it(action: str) -> None:
    config = custom(OPEN, '@id("no") forbid (principal, action in Moothall::Action::"any", resource);')
    decision = await decided(Town().engine(config), BOB, entry(action=action))
    assert (decision.policy == "no") is (action != "audit"), "audit is in no group, on purpose"


def test_groups_of_actions_are_those_of_the_schema() -> None:
    found: dict[str, set[str]] = {}
    for names, groups in re.findall(r"action ([^;{]*?)(?: in \[([^\]]*)\])?\s*appliesTo", builtin.schema()):
        for name in re.findall(r'"(\w+)"', names):
            found[name] = set(re.findall(r'"(\w+)"', groups))
    assert set(found) == set(ACTIONS)
    assert found == {action: {uid[1] for uid in action_groups(action)} for action in ACTIONS}


@pytest.mark.requirement("POL-03")
async def test_a_policy_that_cannot_be_evaluated_is_a_denial(caplog: pytest.LogCaptureFixture) -> None:
    failing = '@id("fails") forbid (principal, action, resource) when { principal.trust * 9223372036854775807 > 1 };'
    town = Town(PartyFacts(id=BOB.id, trust=5))
    decision = await decided(town.engine(custom(OPEN, failing)), BOB, entry(access="public"))
    assert (decision.effect, decision.policy) == ("deny", "evaluation-failed")
    assert "could not be evaluated" in caplog.text
    assert (await decided(town.engine(custom(OPEN)), BOB, entry(access="public"))).allowed


@pytest.mark.requirement("POL-03")
async def test_facts_that_do_not_fit_the_schema_are_a_denial(caplog: pytest.LogCaptureFixture) -> None:
    broken = Town(PartyFacts(id=BOB.id, trust="much"))  # type: ignore[arg-type]
    decision = await decided(broken.engine(), BOB, entry(access="public"))
    assert (decision.effect, decision.policy) == ("deny", "evaluation-failed")
    assert caplog.records


@pytest.mark.requirement("POL-03")
@pytest.mark.parametrize("where", ["narrow", "concerns"])
async def test_a_policy_in_python_that_raises_is_a_denial(where: str) -> None:
    class Raises:
        name, volatile = "raises", True

        def concerns(self, capability: object) -> bool:
            return self.fail("concerns") or True

        def narrow(self, request: AccessRequest, action: str) -> str:
            self.fail("narrow")
            return ""

        def fail(self, here: str) -> None:
            if here == where:
                raise RuntimeError("secret")

    decision = await decided(Town().engine(custom(narrowing=(Raises(),))), BOB, entry(access="public"))
    assert (decision.effect, decision.policy) == ("deny", "evaluation-failed")
    assert "secret" not in decision.reason


@pytest.mark.parametrize(
    ("facts", "when"),
    [
        ({"teams": frozenset({"secret"})}, 'resource.provider in Moothall::Unit::"secret"'),
        ({"person": "hal"}, "resource.provider has person"),
        ({"role": "bank"}, 'resource.provider.role == "bank"'),
        ({"duties": frozenset({"boss"})}, 'resource.provider in Moothall::Role::"staff"'),
        ({"status": "suspended"}, 'resource.provider.status == "suspended"'),
        ({}, 'resource.provider in Moothall::Group::"g"'),
    ],
    ids=["unit", "person", "role", "duty", "status", "group"],
)
async def test_a_refusal_by_what_the_called_agent_is_meets_it_and_no_other(facts: dict[str, Any], when: str) -> None:
    refusal = f'@id("no") forbid (principal, action, resource is Moothall::Capability) when {{ {when} }};'
    town = Town(PartyFacts(id=HOST.id, **facts), PartyFacts(id="did:wba:other"))
    town.agents = {"host": HOST.id, "other": "did:wba:other"}
    town.in_groups = {HOST.id: frozenset({"g"})}
    engine = town.engine(custom(OPEN, refusal, roles={"boss": ("staff",)}))
    for caller in (BOB, HOST, ANONYMOUS):
        assert (await decided(engine, caller, entry("host", access="public"))).policies[0] == "no"
    assert (await decided(engine, BOB, entry("other", access="public"))).allowed


@pytest.mark.requirement("SEC-03")
@pytest.mark.parametrize("status", ["suspended", "revoked"])
async def test_a_suspended_agent_is_not_called_either(status: str) -> None:
    town = Town(PartyFacts(id=HOST.id, person="hal", status=status), PartyFacts(id=ANN.id, person="hal"))  # type: ignore[arg-type]
    town.agents = {"host": HOST.id}
    engine = town.engine(custom(OPEN))
    for access in ("public", "authenticated", "personal"):
        for caller in (ANN, BOB, ANONYMOUS):
            assert (await decided(engine, caller, entry("host", access=access))).effect == "deny"
    assert (await decided(engine, BOB, entry("host", access="public"))).policy == "suspended-agent"
    assert (await decided(engine, OWNER, entry("host"))).allowed
    assert (await engine.check(ANN.id, "read", AgentResource(id=HOST.id))).policy == "suspended-agent"


@pytest.mark.parametrize("suspended", [HOST.id, "user:hal"], ids=["agent", "person"])
async def test_nor_one_that_the_settings_suspend(suspended: str) -> None:
    town = Town(PartyFacts(id=HOST.id, person="hal"))
    town.agents = {"host": HOST.id}
    engine = town.engine(rules=FixedRules({}, [suspended]))
    assert (await decided(engine, BOB, entry("host", access="public"))).policy == "suspended-agent"


async def test_nobody_calls_an_agent_of_which_the_store_cannot_be_read() -> None:
    class Broken(Town):
        async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
            wanted = tuple(ids)
            if HOST.id in wanted:
                raise ValueError("a row makes no sense")
            return await super().facts(wanted)

    town = Broken()
    town.agents = {"host": HOST.id}
    config = configured({"isolation": {}})
    for access in ("authenticated", "public"):
        decision = await decided(town.engine(config), BOB, entry("host", access=access))
        assert decision.policy == "suspended-agent", "its department is not known, and who is blocked by its person"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("permit (principal, action, resource) when {", "unexpected end"),
        ("permit (principal, action, resource);", "needs an @id"),
        ('@id("a b") permit (principal, action, resource);', "needs an @id"),
        ('@id("public") permit (principal, action, resource);', "is taken by built-in public.cedar"),
        ('@id("x") @note("y") permit (principal, action, resource);', "no annotation @note"),
        ('@id("x") @layer("cellar") permit (principal, action, resource);', "no layer 'cellar'"),
        ('@id("x") @after("lunch") permit (principal, action, resource);', "@after"),
        ('@id("x") permit (principal, action, resource in ?resource);', "slot"),
        ('@id("x") permit (principal, action, resource) when { principal.rank > 3 };', "x: "),
        ('@id("x") permit (principal, action, resource) when { principal.person == Moothall::Person::"a" };', "x: "),
        ('@id("x") permit (principal, action, resource is Moothall::Capability) when { context.now > 3 };', "x: "),
        ('@id("x") forbid (principal, action == Moothall::Action::"raed", resource);', "x: "),
    ],
    ids=range(12),
)
def test_what_would_be_left_out_later_is_refused_when_it_is_read(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)) as raised:
        FixedPolicies.of(custom(text))
    assert "0.cedar" in str(raised.value)


def test_a_layer_has_to_be_that_of_its_file() -> None:
    text = '@id("x") @layer("team") permit (principal, action, resource);'
    FixedPolicies.of(custom(text))
    with pytest.raises(SettingsError, match="not that of its file"):
        FixedPolicies.of(PolicyConfig(sources=(PolicySource("house", "house.cedar", text),)))


@pytest.mark.parametrize(
    "wrong", [{"clasification": 2}, {"classification": 4}, {"classification": True}, {"private": "name"}]
)
def test_a_rule_sets_only_what_there_is(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        FixedPolicies.of(PolicyConfig(resources=(ResourceRule(capabilities="*", set=wrong),)))


def test_a_duty_that_inherits_itself_is_refused() -> None:
    with pytest.raises(SettingsError, match="inherits itself"):
        FixedPolicies.of(PolicyConfig(roles={"a": ("b",), "b": ("c",), "c": ("a",)}))


async def test_a_policy_that_reads_the_time_is_never_skipped_for_want_of_it() -> None:
    text = '@id("night") forbid (principal, action, resource) when { context.call.minute >= 1320 };'
    clock = Wall(datetime(2026, 1, 5, 21, 59, tzinfo=UTC))
    engine, capability = Town().engine(custom(text), clock=clock), entry(access="public")
    assert (await decided(engine, ANONYMOUS, capability)).allowed
    clock.at = datetime(2026, 1, 5, 22, 0, tzinfo=UTC)
    assert (await decided(engine, ANONYMOUS, capability)).policy == "night"
    india = Town().engine(custom(text, zone="Asia/Kolkata"), clock=Wall(datetime(2026, 1, 5, 16, 30, tzinfo=UTC)))
    assert (await decided(india, ANONYMOUS, capability)).policy == "night"


async def test_names_from_outside_are_only_names() -> None:
    evil = 'x" || true //\n'
    town = Town(PartyFacts(id=BOB.id, person=evil, teams=frozenset({evil}), role=evil))
    engine = town.engine(custom('@id("t") permit (principal in Moothall::Unit::"t", action, resource);'))
    assert not (await decided(engine, BOB, entry("node", annotations=READS))).allowed
    strange = Principal(id=evil, kind="did", binding="request")
    assert not (await decided(engine, strange, entry())).allowed


def test_the_built_in_policies_fit_the_schema_and_stand_in_their_layers() -> None:
    policies = FixedPolicies.of().policies
    assert {one.layer for one in policies.policies.values()} >= {"house", "public", "personal", "team", "department"}
    assert all(one.reason for one in policies.policies.values())
    schema = cedarpy.Schema.from_str(builtin.schema())
    assert all(cedarpy.validate_policies(source.text, schema).validation_passed for source in builtin.sources())
