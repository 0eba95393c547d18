"""The rules of the access table, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moothall.capability.spec import Annotations, CapabilitySpec
from moothall.identity.apikeys import ADMIN
from moothall.identity.principal import ANONYMOUS, OWNER, OWNER_BY_TOKEN, Binding, Kind, Principal
from moothall.policy.decision import AccessRequest, PermissionResult
from moothall.policy.table import AccessTable

READS = Annotations(read_only=True)
BOB = Principal(id="did:wba:b.example:e1_b", kind="did", binding="request")


class Granted:
    def __init__(self, suspended: frozenset[str] = frozenset(), **granted: str) -> None:
        self.suspended = suspended
        self._granted = {BOB.id: frozenset(granted.get("bob", "").split())}

    def granted(self, identity: str) -> frozenset[str]:
        return self._granted.get(identity, frozenset())


def decide(
    principal: Principal, spec: CapabilitySpec, door: str = "http", grants: Granted | None = None
) -> PermissionResult:
    return AccessTable(grants).decide(AccessRequest(principal, "node", spec, door))


@pytest.mark.requirement("DEC-25")
@pytest.mark.parametrize(
    ("principal", "options", "allowed", "policy"),
    [
        (ANONYMOUS, {}, False, "unverified"),
        (BOB, {}, False, "access-owner"),
        (replace(BOB, owner=True), {}, True, "access-owner"),
        (OWNER, {}, True, "operator-key"),
        (BOB, {"access": "team"}, False, "access-owner"),
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
    decision = decide(principal, CapabilitySpec(**{"name": "f", **options}))
    assert (decision.allowed, decision.policy) == (allowed, policy)


@pytest.mark.requirement("DEC-09")
@pytest.mark.parametrize(
    ("held", "allowed"),
    [({"read"}, False), ({"write"}, False), (set(), False), ({"read", "write"}, True), ({"*"}, True)],
)
def test_all_listed_permissions_are_needed(held: set[str], allowed: bool) -> None:
    spec = CapabilitySpec(name="f", permissions=("read", "write"))
    assert decide(replace(BOB, permissions=frozenset(held)), spec).allowed is allowed


@pytest.mark.requirement("DEC-09")
def test_permissions_do_not_make_way_for_a_wider_access() -> None:
    spec = CapabilitySpec(name="f", permissions=("read",), access="authenticated")
    assert not decide(BOB, spec).allowed


def test_what_was_granted_in_the_file_counts_with_what_the_proof_brings() -> None:
    spec = CapabilitySpec(name="f", permissions=("read", "write"))
    reader = replace(BOB, permissions=frozenset({"read"}))
    assert decide(reader, spec, grants=Granted(bob="write")).allowed
    assert not decide(reader, spec, grants=Granted(bob="other")).allowed


@pytest.mark.requirement("AUT-06")
@pytest.mark.parametrize("door", ["local", "http", "anp"])
@pytest.mark.parametrize("kind", ["did", "owner", "admin", "user", "participant"])
def test_an_unverified_principal_gets_nothing_but_what_is_public(kind: Kind, door: str) -> None:
    forged = Principal(
        id=BOB.id, kind=kind, verified=False, owner=True, binding="request", permissions=frozenset({"*"})
    )
    grants = Granted(bob="pay *")
    for options in ({}, {"access": "team"}, {"access": "authenticated"}, {"permissions": ("pay",)}, {"approval": True}):
        decision = decide(forged, CapabilitySpec(**{"name": "f", **options}), door, grants)
        assert decision.effect == "deny", options
    assert decide(forged, CapabilitySpec(name="f", access="public"), door, grants).allowed


def test_a_caller_of_a_node_that_asks_nobody_has_what_the_node_grants_and_no_more() -> None:
    local = Principal(id="local", kind="local", verified=False, permissions=frozenset({"demand"}))
    assert decide(local, CapabilitySpec(name="f", permissions=("demand",)), "local").allowed
    assert not decide(local, CapabilitySpec(name="f", permissions=("agents",)), "local").allowed
    assert not decide(local, CapabilitySpec(name="f"), "local").allowed


@pytest.mark.parametrize("kind", ["participant", "stream"])
def test_a_token_for_one_thing_is_no_proof_for_all_others(kind: Kind) -> None:
    token = Principal(id="t", kind=kind, binding="token")
    assert not decide(token, CapabilitySpec(name="f", access="authenticated")).allowed


@pytest.mark.parametrize(
    ("binding", "allowed"), [("request", True), ("token", False), ("header", False), ("none", False)]
)
def test_a_capability_may_ask_for_a_proof_that_covers_the_request(binding: Binding, allowed: bool) -> None:
    spec = CapabilitySpec(name="f", access="authenticated", binding="request")
    decision = decide(replace(BOB, binding=binding), spec)
    assert decision.allowed is allowed
    assert decision.policy == ("access-authenticated" if allowed else "binding")


def test_the_owner_calls_everything_in_this_process() -> None:
    spec = CapabilitySpec(name="f", permissions=("pay",), binding="request", approval=True)
    assert decide(replace(OWNER, permissions=frozenset()), spec, "local").allowed


@pytest.mark.parametrize(
    ("binding", "policy"), [("none", "access-owner"), ("header", "binding-header"), ("token", "access-owner")]
)
def test_an_agent_of_this_node_gains_nothing_by_a_weaker_proof_that_comes_from_a_capability(
    binding: Binding, policy: str
) -> None:
    weaker = replace(BOB, owner=True, binding=binding)
    for door in ("local", "http"):
        assert decide(weaker, CapabilitySpec(name="f", binding="request"), door).policy == "binding"
        assert decide(weaker, CapabilitySpec(name="f"), door).policy == policy


@pytest.mark.parametrize("operator", [OWNER_BY_TOKEN, ADMIN])
@pytest.mark.parametrize("door", ["local", "http", "anp"])
def test_a_key_of_the_operator_is_asked_for_no_more(operator: Principal, door: str) -> None:
    for options in ({}, {"binding": "request"}, {"permissions": ("pay",)}, {"approval": True}):
        decision = decide(operator, CapabilitySpec(**{"name": "f", **options}), door)
        assert (decision.effect, decision.policy) == ("allow", "operator-key"), options


@pytest.mark.parametrize("kind", ["did", "user"])
def test_a_token_is_refused_where_the_proof_must_cover_the_request(kind: Kind) -> None:
    caller = replace(BOB, kind=kind, binding="token", permissions=frozenset({"pay"}), owner=kind == "did")
    decision = decide(caller, CapabilitySpec(name="f", permissions=("pay",), binding="request"))
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
    decision = decide(caller, CapabilitySpec(**{"name": "f", **options}), door)
    assert decision.allowed is allowed
    assert allowed or (decision.policy, decision.reason != "") == ("binding-header", True)


def test_the_suspended_are_refused_before_any_other_rule() -> None:
    grants = Granted(frozenset({BOB.id}))
    for options in ({"access": "public"}, {"access": "authenticated"}):
        decision = decide(BOB, CapabilitySpec(**{"name": "f", **options}), grants=grants)
        assert (decision.allowed, decision.policy) == (False, "suspended")


def test_what_asks_for_approval_waits_for_everybody_but_the_owner() -> None:
    spec = CapabilitySpec(name="f", access="authenticated", approval=True)
    assert decide(BOB, spec).effect == "approve"
    assert decide(OWNER, spec).effect == "allow"
    assert decide(ANONYMOUS, spec).effect == "deny"


@pytest.mark.requirement("ENV-08")
def test_a_decision_says_whether_and_why() -> None:
    yes, no = PermissionResult.ALLOWED("it is his"), PermissionResult.DENIED("it is not")
    assert (yes.allowed, yes.reason, no.allowed, no.reason) == (True, "it is his", False, "it is not")
