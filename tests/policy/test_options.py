"""What options of capabilities and proofs of identity open, one by one (layers house and public)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moothall.capability.spec import Annotations
from moothall.identity.apikeys import ADMIN
from moothall.identity.principal import ANONYMOUS, OWNER, OWNER_BY_TOKEN, Binding, Kind, Principal
from moothall.policy.decision import PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.policy.ports import FixedRules
from tests.policy.ground import asked, entry

READS = Annotations(read_only=True)
BOB = Principal(id="did:wba:b.example:e1_b", kind="did", binding="request")


NOBODY = "no_policy_matched"


def decide(
    principal: Principal, options: dict[str, object], door: str = "http", rules: FixedRules | None = None
) -> PermissionResult:
    return asked(PolicyEngine.usual(rules), principal, entry(**options), door)


def granted(*permissions: str, suspended: tuple[str, ...] = ()) -> FixedRules:
    return FixedRules({BOB.id: permissions}, suspended)


@pytest.mark.requirement("DEC-25")
@pytest.mark.parametrize(
    ("principal", "options", "allowed", "policy"),
    [
        (ANONYMOUS, {}, False, "unverified"),
        (BOB, {}, False, NOBODY),
        (replace(BOB, owner=True), {}, True, "access-owner"),
        (OWNER, {}, True, "operator-key"),
        (BOB, {"access": "team"}, False, NOBODY),
        (BOB, {"access": "authenticated"}, True, "access-authenticated"),
        (ANONYMOUS, {"access": "authenticated"}, False, "unverified"),
        (ANONYMOUS, {"access": "public"}, True, "public"),
        (ANONYMOUS, {"auth": False}, True, "public"),
        (ANONYMOUS, {"name": "public_private_admin"}, False, "unverified"),
        (replace(BOB, permissions=frozenset({"pay"})), {"permissions": ("pay",)}, True, "permissions"),
    ],
)
def test_access_is_decided_by_options_and_never_by_a_name(
    principal: Principal, options: dict[str, object], allowed: bool, policy: str
) -> None:
    decision = decide(principal, options)
    assert (decision.allowed, decision.policy) == (allowed, policy)


@pytest.mark.requirement("DEC-09")
@pytest.mark.parametrize(
    ("held", "allowed"),
    [({"read"}, False), ({"write"}, False), (set(), False), ({"read", "write"}, True), ({"*"}, True)],
)
def test_all_listed_permissions_are_needed(held: set[str], allowed: bool) -> None:
    caller = replace(BOB, permissions=frozenset(held))
    assert decide(caller, {"permissions": ("read", "write")}).allowed is allowed


@pytest.mark.requirement("DEC-09")
def test_permissions_do_not_make_way_for_a_wider_access() -> None:
    assert not decide(BOB, {"permissions": ("read",), "access": "authenticated"}).allowed


def test_what_was_granted_in_the_file_counts_with_what_the_proof_brings() -> None:
    options: dict[str, object] = {"permissions": ("read", "write")}
    reader = replace(BOB, permissions=frozenset({"read"}))
    assert decide(reader, options, rules=granted("write")).allowed
    assert not decide(reader, options, rules=granted("other")).allowed


@pytest.mark.requirement("AUT-06")
@pytest.mark.parametrize("door", ["local", "http", "anp"])
@pytest.mark.parametrize("kind", ["did", "owner", "admin", "user", "participant"])
def test_an_unverified_principal_gets_nothing_but_what_is_public(kind: Kind, door: str) -> None:
    forged = Principal(
        id=BOB.id, kind=kind, verified=False, owner=True, binding="request", permissions=frozenset({"*"})
    )
    rules = granted("pay", "*")
    for options in ({}, {"access": "team"}, {"access": "authenticated"}, {"permissions": ("pay",)}, {"approval": True}):
        decision = decide(forged, options, door, rules)
        assert decision.effect == "deny", options
    assert decide(forged, {"access": "public"}, door, rules).allowed


def test_a_caller_of_a_node_that_asks_nobody_has_what_the_node_grants_and_no_more() -> None:
    local = Principal(id="local", kind="local", verified=False, permissions=frozenset({"demand"}))
    assert decide(local, {"permissions": ("demand",)}, "local").allowed
    assert not decide(local, {"permissions": ("agents",)}, "local").allowed
    assert not decide(local, {}, "local").allowed


@pytest.mark.parametrize("kind", ["participant", "stream"])
def test_a_token_for_one_thing_is_no_proof_for_all_others(kind: Kind) -> None:
    token = Principal(id="t", kind=kind, binding="token")
    assert not decide(token, {"access": "authenticated"}).allowed


@pytest.mark.parametrize(
    ("binding", "allowed"), [("request", True), ("token", False), ("header", False), ("none", False)]
)
def test_a_capability_may_ask_for_a_proof_that_covers_the_request(binding: Binding, allowed: bool) -> None:
    decision = decide(replace(BOB, binding=binding), {"access": "authenticated", "binding": "request"})
    assert decision.allowed is allowed
    assert decision.policy == ("access-authenticated" if allowed else "binding")


def test_the_owner_calls_everything_in_this_process() -> None:
    options: dict[str, object] = {"permissions": ("pay",), "binding": "request", "approval": True}
    assert decide(replace(OWNER, permissions=frozenset()), options, "local").allowed
    assert decide(replace(BOB, owner=True), options, "local").allowed


@pytest.mark.parametrize(
    ("binding", "policy"), [("none", "access-owner"), ("header", "binding-header"), ("token", "access-owner")]
)
def test_an_agent_of_this_node_gains_nothing_by_a_weaker_proof_that_comes_from_a_capability(
    binding: Binding, policy: str
) -> None:
    weaker = replace(BOB, owner=True, binding=binding)
    for door in ("local", "http"):
        assert decide(weaker, {"binding": "request"}, door).policy == "binding"
        assert decide(weaker, {}, door).policy == policy


@pytest.mark.parametrize("operator", [OWNER_BY_TOKEN, ADMIN])
@pytest.mark.parametrize("door", ["local", "http", "anp"])
def test_a_key_of_the_operator_is_asked_for_no_more(operator: Principal, door: str) -> None:
    for options in ({}, {"binding": "request"}, {"permissions": ("pay",)}, {"approval": True}):
        decision = decide(operator, options, door)
        assert (decision.effect, decision.policy) == ("allow", "operator-key"), options


@pytest.mark.parametrize("kind", ["did", "user"])
def test_a_token_is_refused_where_the_proof_must_cover_the_request(kind: Kind) -> None:
    caller = replace(BOB, kind=kind, binding="token", permissions=frozenset({"pay"}), owner=kind == "did")
    decision = decide(caller, {"permissions": ("pay",), "binding": "request"})
    assert (decision.allowed, decision.policy) == (False, "binding")


@pytest.mark.requirement("WIRE-LEGACY-03")
@pytest.mark.parametrize("door", ["local", "http", "anp"])
@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({"access": "authenticated"}, False),
        ({"permissions": ("pay",)}, False),
        ({}, False),
        ({"access": "authenticated", "annotations": READS}, True),
        ({"permissions": ("pay",), "annotations": READS}, True),
        ({"annotations": READS}, True),
        ({"access": "public"}, True),
    ],
)
def test_the_older_header_opens_only_what_reads(options: dict[str, object], allowed: bool, door: str) -> None:
    caller = replace(BOB, binding="header", owner=True, permissions=frozenset({"pay"}))
    decision = decide(caller, options, door)
    assert decision.allowed is allowed
    assert allowed or (decision.policy, decision.reason != "") == ("binding-header", True)


def test_the_suspended_are_refused_before_any_other_rule() -> None:
    for options in ({"access": "public"}, {"access": "authenticated"}):
        decision = decide(BOB, options, rules=granted(suspended=(BOB.id,)))
        assert (decision.allowed, decision.policy) == (False, "suspended")


def test_what_asks_for_approval_waits_for_everybody_but_the_owner() -> None:
    options: dict[str, object] = {"access": "authenticated", "approval": True}
    assert decide(BOB, options).effect == "approve"
    assert decide(OWNER, options).effect == "allow"
    assert decide(ANONYMOUS, options).effect == "deny"


@pytest.mark.parametrize("door", ["http", "mcp", "a2a", "anp"])
def test_a_decision_is_the_same_at_every_door(door: str) -> None:
    for caller in (ANONYMOUS, BOB, replace(BOB, owner=True), OWNER):
        for options in ({}, {"access": "authenticated"}, {"binding": "request"}, {"approval": True}):
            assert decide(caller, options, door) == decide(caller, options, "local")


def test_what_no_policy_allows_says_so() -> None:
    decision = decide(BOB, {})
    assert (decision.effect, decision.reason) == ("deny", "No sufficient authorization")
    assert decision.policies == (NOBODY,)


@pytest.mark.requirement("ENV-08")
def test_a_decision_says_whether_and_why() -> None:
    yes, no = PermissionResult.ALLOWED("it is his"), PermissionResult.DENIED("it is not")
    assert (yes.allowed, yes.reason, no.allowed, no.reason) == (True, "it is his", False, "it is not")
