"""Rules: which calls have to be approved, and by whom."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.approvals.matching import Rule
from moothall.approvals.plan import DAY, USUAL
from moothall.approvals.rules import ApprovalConfig, Rules, manages, read
from moothall.calls.terms import agent_of_this_node
from moothall.errors import InternalError, SettingsError
from moothall.identity.principal import OWNER

FILE = """
[[approvals.rule]]
name = "everything about salaries"
capability = "hr.salaries*"

[[approvals.rule]]
name = "whatever deletes"
action = "del*"
workflow = "two-eyes"

[[approvals.rule]]
name = "large payments"
capability = "bank.*"
argument = "order.amount"
operator = ">"
value = 1000
workflow = "two-eyes"

[approvals.workflow.two-eyes]
expires = 3600
webhook = "https://chat.example.com/hooks/1"
[[approvals.workflow.two-eyes.step]]
type = "quorum"
quorum = 2
approvers = ["user:anna", "user:ben", "unit:acme#treasurer"]
escalation = { after = 600, approver = "owner" }
"""


def rules(text: str = FILE) -> Rules:
    return Rules(read(tomllib.loads(text).get("approvals", {})))


def named(rules: Rules, capability: str, action: str, **arguments: Any) -> str | None:
    return rules.rule(capability, action, lambda: arguments)


@pytest.mark.requirement("SEC-04")
@pytest.mark.parametrize(
    ("capability", "action", "amount", "workflow"),
    [
        ("hr.salaries", "read", 1, "default"),
        ("hr.salaries.list", "write", 1, "default"),
        ("hr.holidays", "read", 1, None),
        ("hr.holidays", "delete", 1, "two-eyes"),
        ("bank.transfer", "write", 1000, None),
        ("bank.transfer", "write", 1000.01, "two-eyes"),
        ("bank.transfer", "write", 5000, "two-eyes"),
        ("shop.transfer", "write", 5000, None),
    ],
    ids=["capability", "pattern", "other", "action", "equal", "more", "much-more", "other-bank"],
)
def test_a_rule_of_each_kind_asks_exactly_where_it_fits(
    capability: str, action: str, amount: float, workflow: str | None
) -> None:
    assert named(rules(), capability, action, order={"amount": amount}) == workflow
    asks = rules().requires_approval(action, capability, {"order": {"amount": amount}})
    assert asks is (workflow is not None)


@pytest.mark.requirement("SEC-04")
@pytest.mark.parametrize(
    "order",
    [{}, {"amount": "1"}, {"amount": None}, {"amount": True}, {"amount": {"value": 1}}, "1", None, 7],
    ids=["missing", "text", "null", "truth", "object", "no-object", "nothing", "number"],
)
def test_a_value_of_another_type_asks_and_never_passes(order: object) -> None:
    assert named(rules(), "bank.transfer", "write", order=order) == "two-eyes"


def test_lists_on_the_way_ask_when_any_element_fits() -> None:
    assert named(rules(), "bank.transfer", "write", order=[{"amount": 1}, {"amount": 1001}]) == "two-eyes"
    assert named(rules(), "bank.transfer", "write", order=[{"amount": 1}, {"amount": 2}]) is None
    assert named(rules(), "bank.transfer", "write", order=[{"amount": 1}, {}]) == "two-eyes"


@pytest.mark.parametrize(
    ("operator", "value", "asks", "passes"),
    [
        (">", 10, [11, 10.5], [10, 9]),
        (">=", 10, [10, 11], [9]),
        ("<", 10, [9, -1], [10]),
        ("<=", 10, [10, 9], [10.5]),
        ("==", "EUR", ["EUR", 1, None], ["USD"]),
        ("!=", "EUR", ["USD", 1], ["EUR"]),
        ("in", ["root", "admin"], ["root", 5], ["guest"]),
        ("in", [1, 2], [1, 2.0, True], [3]),
        ("==", False, [False, 0], [True]),
    ],
    ids=["gt", "ge", "lt", "le", "eq", "ne", "in-texts", "in-numbers", "truth"],
)
def test_operators(operator: str, value: object, asks: list[object], passes: list[object]) -> None:
    rule = {"name": "r", "argument": "x", "operator": operator, "value": value}
    held = Rules(read({"rule": [rule]}))
    assert [named(held, "a.b", "write", x=given_) for given_ in asks] == ["default"] * len(asks)
    assert [named(held, "a.b", "write", x=given_) for given_ in passes] == [None] * len(passes)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists) | st.just({}))
def test_only_a_number_up_to_the_limit_passes(value: object) -> None:
    passed = named(rules(), "bank.transfer", "write", order={"amount": value}) is None
    flat = [value]
    while any(isinstance(one, list) for one in flat):
        flat = [item for one in flat for item in ((one or [None]) if isinstance(one, list) else [one])]
    assert passed == all(isinstance(one, int | float) and not isinstance(one, bool) and not one > 1000 for one in flat)


def test_arguments_are_looked_at_only_where_a_rule_needs_them() -> None:
    def unwanted() -> dict[str, Any]:
        raise AssertionError

    assert rules().rule("hr.salaries", "read", unwanted) == "default"
    assert rules().rule("shop.list", "read", unwanted) is None


def test_deciding_needs_no_approval_whatever_the_rules_say() -> None:
    held = Rules(read({"rule": [{"name": "all"}]}))
    assert held.requires_approval("write", "node.demand.submit")
    assert not held.requires_approval("write", "node.approvals.decide")
    assert held.requires_approval("write", "nodes.approvals.decide")
    assert not held.requires_approval("write", "node.relay.call")  # what it calls is looked at by itself
    assert held.requires_approval("manage", "node.policy.reload")


def test_a_rule_for_everything_does_not_keep_the_operator_from_looking_after_its_node() -> None:
    for name in ("policy.reload", "people.remove", "teams.add", "grants.revoke", "audit.list", "tokens.revoke"):
        assert manages(OWNER, f"node.{name}")
        assert not manages(agent_of_this_node("clerk"), f"node.{name}")
        assert not manages(replace(OWNER, verified=False), f"node.{name}")
    assert not manages(OWNER, "node.pay")
    assert not manages(OWNER, "bank.policy.reload")


def test_what_nobody_wrote_down_is_asked_of_the_operator_within_a_day() -> None:
    held = Rules()
    assert held.workflow("default") == USUAL
    assert (USUAL.expires, USUAL.steps[0].approvers) == (DAY, ("owner",))
    with pytest.raises(InternalError):
        held.workflow("two-eyes")
    own = rules('[[approvals.workflow.default.step]]\napprovers = ["user:anna"]')
    assert own.workflow("default").steps[0].approvers == ("user:anna",)


def test_all_rules_are_exchanged_at_once() -> None:
    held = rules()
    held.use(ApprovalConfig())
    assert not held.requires_approval("delete", "hr.salaries")


WORKFLOW = '[[approvals.workflow.w.step]]\napprovers = ["user:anna"]\n'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[approvals]\nrules = 1", "approvals.rules"),
        ('[[approvals.rule]]\ncapability = "a"', "approvals.rule.0.name"),
        ('[[approvals.rule]]\nname = "r"\nargument = "x"', "approvals.rule.0"),
        ('[[approvals.rule]]\nname = "r"\nargument = "x"\noperator = "~"\nvalue = 1', "approvals.rule.0.operator"),
        ('[[approvals.rule]]\nname = "r"\nargument = "x"\noperator = ">"\nvalue = [1]', "approvals.rule.0"),
        ('[[approvals.rule]]\nname = "r"\nargument = "x"\noperator = ">"\nvalue = true', "approvals.rule.0"),
        ('[[approvals.rule]]\nname = "r"\nargument = "x"\noperator = ">"\nvalue = nan', "approvals.rule.0"),
        ('[[approvals.rule]]\nname = "r"\nworkflow = "absent"', "approvals"),
        ("[approvals.workflow.w]\nexpires = 60", "approvals.workflow.w.steps"),
        ("[approvals.workflow]\nw = 1", "approvals.workflow.w"),
        (f"{WORKFLOW}type = 'most'", "approvals.workflow.w.steps.0.type"),
        (f"{WORKFLOW}type = 'quorum'", "approvals.workflow.w.steps.0"),
        (f"{WORKFLOW}type = 'quorum'\nquorum = 2", "approvals.workflow.w.steps.0"),
        (f"{WORKFLOW}quorum = 1", "approvals.workflow.w.steps.0"),
        ("[[approvals.workflow.w.step]]\napprovers = []", "approvals.workflow.w.steps.0.approvers"),
        ("[[approvals.workflow.w.step]]\napprovers = ['anna']", "approvals.workflow.w.steps.0.approvers.0"),
        ("[[approvals.workflow.w.step]]\napprovers = ['user:']", "approvals.workflow.w.steps.0.approvers.0"),
        ("[[approvals.workflow.w.step]]\napprovers = ['owner', 'owner']", "approvals.workflow.w.steps.0"),
        (f"{WORKFLOW}[approvals.workflow.w]\nexpires = 0", "approvals.workflow.w.expires"),
        (f"{WORKFLOW}[approvals.workflow.w]\nexpires = '1h'", "approvals.workflow.w.expires"),
        (f"{WORKFLOW}[approvals.workflow.w]\nwebhook = 'file:///etc'", "approvals.workflow.w.webhook"),
        (
            f"{WORKFLOW}escalation = {{ after = 0, approver = 'owner' }}",
            "approvals.workflow.w.steps.0.escalation.after",
        ),
    ],
    ids=lambda value: value if value.startswith("approvals") else "",
)
def test_what_is_unknown_or_makes_no_sense_is_refused_with_its_place(text: str, where: str) -> None:
    if "[approvals.workflow.w]" in text and text.startswith(WORKFLOW):
        text = text.removeprefix(WORKFLOW) + "\n" + WORKFLOW
    with pytest.raises(SettingsError) as refused:
        rules(text)
    assert f"policy.toml: {where}" in str(refused.value)


def test_whoever_loads_the_file_validates_it_first_and_exchanges_it_then() -> None:
    held = Rules()
    use = held.validated(FILE)
    assert not held.requires_approval("delete", "hr.holidays")
    use()
    assert held.requires_approval("delete", "hr.holidays")
    for broken in ("[approvals", "approvals = 1", "[approvals]\nrules = 1"):
        with pytest.raises(SettingsError):
            held.validated(broken)
    assert held.requires_approval("delete", "hr.holidays")
    held.validated("[roles]\n")()
    assert not held.requires_approval("delete", "hr.holidays")


@pytest.mark.requirement("SEC-04")
@pytest.mark.parametrize("orders", [[], [{"amount": []}], [{"amount": [[]]}], [{"amount": 1}, {"amount": []}]])
def test_a_list_without_values_is_a_missing_argument(orders: list[object]) -> None:
    rule = Rule(name="large", argument="orders.amount", operator=">", value=1000)
    assert rule.fits("node.bank", "write", lambda: {"orders": orders})
    assert not rule.fits("node.bank", "write", lambda: {"orders": [{"amount": 1}, {"amount": [2, 3]}]})
