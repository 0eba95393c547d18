"""Why a decision is as it is, and what the operator can ask (`policy.*`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from moothall.errors import InvalidInput, ServiceNotFoundError
from moothall.people.facts import PartyFacts
from moothall.policy.capabilities import PolicyCapabilities
from moothall.policy.engine import PolicyEngine
from moothall.policy.holdings import Holdings
from moothall.policy.named.reader import read
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from moothall.policy.store import FixedPolicies, PolicyStore
from tests.capability.shop import context
from tests.policy.ground import READS, Town, chain, decided, did, entry

HOST, ANN, BOB = did("host"), did("ann"), did("bob")
PAY = entry("host", "pay", approval=True)
LIST = entry("host", "list", access="public", annotations=READS)
WHY = '@id("why") @reason("say what for") @needs("purpose") forbid (principal, action, resource) when { context.call.purpose == "" };'


def town() -> Town:
    made = Town(PartyFacts(id=HOST.id, person="hal"), PartyFacts(id=ANN.id, person="ann"))
    made.agents = {"host": HOST.id}
    made.chains[BOB.id] = (chain(HOST.id, BOB.id, actions={"write"}, capabilities={"host.pay"}),)
    return made


def desk(engine: PolicyEngine, folder: Path) -> PolicyCapabilities:
    return PolicyCapabilities(engine, PolicyStore(folder, read), lambda: (PAY, LIST))


async def test_an_explanation_names_everybody_who_was_asked_about(tmp_path: Path) -> None:
    engine = town().engine()
    told = await desk(engine, tmp_path).explain(BOB.id, "host.pay")
    assert (told["effect"], told["lacking"], told["on_behalf_of"]) == ("approve", ["needs_approval"], HOST.id)
    assert told["grants"] == [f"{HOST.id}>{BOB.id}"]
    assert told["revision"] == engine.policies.revision
    asked = [(step["party"], step["step"], step["approved"]) for step in told["steps"]]
    assert asked == [
        (BOB.id, "direct", False),
        (HOST.id, "root", False),
        (BOB.id, "direct", True),
        (HOST.id, "root", True),
        (BOB.id, "link", True),
    ]
    assert all(step["slice"].startswith("sha-256:") for step in told["steps"])
    assert {one["id"] for one in told["policies"]} == {"approval", "self"}


@pytest.mark.parametrize("who", ["bob", "OWNER", "User:bob", " did:wba:bob.example"])
async def test_a_name_that_nobody_has_is_no_stranger(tmp_path: Path, who: str) -> None:
    with pytest.raises(InvalidInput):
        await desk(town().engine(), tmp_path).check(who, "host.list")


@pytest.mark.parametrize("who", ["owner", "admin"])
async def test_both_keys_of_the_operator_are_known_by_their_names(tmp_path: Path, who: str) -> None:
    assert (await desk(town().engine(), tmp_path).check(who, "host.pay"))["effect"] == "allow"


async def test_what_is_asked_says_the_same_as_a_call_hears(tmp_path: Path) -> None:
    engine = town().engine()
    for who, capability in ((BOB, PAY), (ANN, PAY), (ANN, LIST)):
        decision = await decided(engine, who, capability)
        told = await desk(engine, tmp_path).check(who.id, capability.id)
        assert told["effect"] == decision.effect
        assert told["decision"] == decision.key(who.id, capability.spec.acts, capability.id)


async def test_a_denial_says_what_is_lacking(tmp_path: Path) -> None:
    config = PolicyConfig(sources=(PolicySource("custom", "own", WHY),))
    told = desk(town().engine(config), tmp_path)
    assert (await told.check(ANN.id, "local:host.list"))["lacking"] == ["needs_purpose"]
    assert (await told.check(ANN.id, "host.list", purpose="billing"))["effect"] == "allow"
    assert (await told.check(ANN.id, HOST.id, "read", "billing"))["policies"] == ["no_policy_matched"]
    assert (await told.check(ANN.id, "log:audit", None, "billing"))["effect"] == "deny"
    with pytest.raises(ServiceNotFoundError):
        await told.check(ANN.id, "host.other")


async def test_the_operator_sees_the_policies_and_reads_them_anew(tmp_path: Path) -> None:
    engine = PolicyEngine.usual()
    told, owner = desk(engine, tmp_path), context(entry(name="policy.reload"))
    assert "operator-key" in {one["id"] for one in (await told.show())["policies"]}
    before = (await told.reload(owner))["revision"]
    (tmp_path / "own.cedar").write_text(WHY)
    after = await told.reload(owner)
    assert after["revision"] != before
    assert after["policies"][-1] == {
        "id": "why",
        "layer": "custom",
        "effect": "forbid",
        "reason": "say what for",
        "source": str(tmp_path / "own.cedar"),
    }
    (tmp_path / "own.cedar").write_text("forbid")
    with pytest.raises(InvalidInput):
        await told.reload(owner)


async def test_somebody_can_give_away_what_it_may_do_itself_and_without_asking() -> None:
    engine = town().engine()
    held = Holdings(engine, lambda: (PAY, LIST, entry("host", "own")))
    actions = frozenset({"read", "write"})
    assert await held(HOST.id, actions) == {
        "read": {"host.list", "host.own"},
        "write": {"host.list", "host.own"},
    }
    assert await held(BOB.id, actions) == {"read": {"host.list"}, "write": {"host.list"}}


@pytest.mark.requirement("AUT-04")
async def test_policies_know_nothing_of_how_somebody_proves_who_it_is() -> None:
    """Another method of authentication makes the same principal; another policy needs no other proof."""
    policies = FixedPolicies.of()
    engine = town().engine(policies=policies)
    capability = entry("host", "any", access="authenticated")
    by_signature, by_token = ANN, replace(ANN, binding="token")
    by_key = replace(ANN, binding="token", key="did:wba:other#key")
    before = [await decided(engine, one, capability) for one in (by_signature, by_token, by_key)]
    assert len(set(before)) == 1
    assert before[0].allowed
    no = PolicyConfig(sources=(PolicySource("custom", "own", '@id("no") forbid (principal, action, resource);'),))
    policies.policies = FixedPolicies.of(no).policies
    after = [await decided(engine, one, capability) for one in (by_signature, by_token, by_key)]
    assert {one.policy for one in after} == {"no"}


@pytest.mark.requirement("POL-02")
async def test_a_decision_names_policy_and_reason_among_a_thousand_others() -> None:
    others = "\n".join(
        f'@id("other-{n}") permit (principal, action, resource is Moothall::Capability) when {{ resource.name == "x{n}" }};'
        for n in range(1000)
    )
    one = '@id("this") @reason("because") permit (principal, action, resource is Moothall::Capability) when { resource.name == "any" };'
    config = PolicyConfig(sources=(PolicySource("custom", "own", others + one),))
    decision = await decided(town().engine(config), ANN, entry("host", "any"))
    assert (decision.effect, decision.policy, decision.reason) == ("allow", "this", "because")


async def test_rules_of_the_operator_are_held_against_options_and_the_stricter_one_counts() -> None:
    rules = (
        ResourceRule(capabilities="host.*", set={"quota": 10, "approval": True, "workflow": "board"}),
        ResourceRule(
            capabilities="host.l*", set={"quota": 3, "private": ("phone",), "classification": 2}, redact=("pay",)
        ),
    )
    made = town()
    made.know(PartyFacts(id=HOST.id, person="ann", clearance=2))
    engine = made.engine(PolicyConfig(resources=rules))
    capability = entry("host", "list", access="public", quota=5, private=("mail",))
    decision = await decided(engine, BOB, capability)
    assert (decision.effect, decision.quota, decision.workflow, decision.sensitive) == ("approve", 3, "board", True)
    assert decision.redact == {"phone", "mail", "pay"}
    assert (await decided(engine, HOST, capability)).redact == frozenset()
    assert (await decided(engine, ANN, capability)).redact == {"pay"}, "its own, but above its clearance"
