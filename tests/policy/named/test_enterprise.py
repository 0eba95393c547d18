"""The five policies of an enterprise: isolation, roles, classification, audit, compliance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from moothall.errors import SettingsError
from moothall.people.facts import PartyFacts
from moothall.policy.named.auditing import AuditPolicy
from moothall.policy.named.classification import DataClassificationPolicy, ResourceClassification
from moothall.policy.named.compliance import CompliancePolicy
from moothall.policy.named.enterprise import EnterpriseAuthorizationConfig
from moothall.policy.named.isolation import DepartmentIsolationPolicy
from moothall.policy.named.joining import joined
from moothall.policy.named.reader import read
from moothall.policy.named.role_hierarchy import RoleHierarchy
from moothall.policy.named.roles import RoleBasedAccessPolicy
from tests.policy.ground import chain
from tests.policy.named.hall import STRANGER, USUAL, Hall, entry, party, policies, principal

ACME = frozenset({"acme"})
ISOLATED = policies("[isolation]")


def employee(department: str, name: str = "", *above: str, **facts: Any) -> PartyFacts:
    return party(
        name or department,
        departments=frozenset({department}),
        organisations=ACME,
        above=ACME | frozenset(above),
        **facts,
    )


FINANCE = employee("finance")
HR = employee("hr")


@pytest.mark.requirement("POL-05")
@pytest.mark.parametrize("access", ["owner", "team", "department", "enterprise", "authenticated"])
def test_an_agent_of_hr_reaches_nothing_of_finance(access: str) -> None:
    refused = Hall(ISOLATED, FINANCE).call(HR, entry(access=access))
    assert (refused.effect, refused.policy) == ("deny", "isolation")
    assert Hall(ISOLATED, FINANCE).on_agent(HR, "read").policy == "isolation:agent"
    assert Hall(ISOLATED, FINANCE).call(STRANGER, entry(access=access)).effect == "deny"


@pytest.mark.requirement("POL-05")
def test_no_other_right_opens_another_department() -> None:
    by_name = principal(HR)
    hall = Hall(policies('[isolation]\n[[roles.may]]\nrole="boss"\nactions=["read"]\ncapabilities=["*"]'), FINANCE)
    boss = employee("hr", duties=frozenset({"boss"}), duties_in={"acme": frozenset({"boss"})})
    assert hall.call(boss, by=by_name).policy == "isolation"
    assert Hall(USUAL, FINANCE).call(HR, entry(access="enterprise")).allowed


@pytest.mark.requirement("POL-05")
def test_the_own_department_and_its_sub_departments_are_let_in() -> None:
    hall = Hall(ISOLATED, FINANCE)
    assert hall.call(employee("finance", "other"), entry(access="department")).allowed
    assert hall.call(employee("payroll", "p", "finance"), entry(access="department")).allowed
    assert hall.call(HR, entry(access="public")).allowed


@pytest.mark.requirement("POL-05")
def test_what_is_shared_is_read_in_the_whole_organisation_and_not_written() -> None:
    hall = Hall(policies('[isolation]\n[[resource]]\ncapabilities=["bank.holidays"]\nshared=true'), FINANCE)
    assert hall.call(HR, entry("bank.holidays")).policy == "shared"
    assert not hall.call(HR, entry("bank.holidays", action="write")).allowed
    assert not hall.call(HR, entry("bank.balance")).allowed
    assert not hall.call(STRANGER, entry("bank.holidays")).allowed


@pytest.mark.requirement("POL-05")
@pytest.mark.parametrize("access", ["authenticated", "enterprise"])
def test_what_is_shared_stays_isolated_from_strangers_and_against_whatever_changes_it(access: str) -> None:
    hall = Hall(policies('[isolation]\n[[resource]]\ncapabilities=["bank.*"]\nshared=true'), FINANCE)
    elsewhere = party("other", departments=frozenset({"hr"}), organisations=frozenset({"rival"}))
    for action in ("read", "query"):
        assert hall.call(HR, entry(access=access, action=action)).allowed
        for stranger in (STRANGER, elsewhere):
            assert hall.call(stranger, entry(access=access, action=action)).policy == "isolation"
    for action in ("write", "notify", "schedule", "delete", "manage"):
        assert hall.call(HR, entry(access=access, action=action)).policy == "isolation"


@pytest.mark.requirement("POL-05")
def test_a_parent_department_reaches_its_sub_departments_only_when_the_policy_says_so() -> None:
    payroll = employee("payroll", "p", "finance")
    offered = entry(access="department")
    assert Hall(ISOLATED, payroll).call(FINANCE, offered).effect == "deny"
    assert Hall(policies("[isolation]\nparents = true"), payroll).call(FINANCE, offered).allowed
    assert Hall(policies('[isolation]\nparents = ["finance"]'), payroll).call(FINANCE, offered).allowed
    assert Hall(policies('[isolation]\nparents = ["hr"]'), payroll).call(FINANCE, offered).effect == "deny"
    assert Hall(policies("[isolation]\nparents = true"), payroll).call(HR, offered).effect == "deny"
    assert Hall(policies("[isolation]\nparents = true"), payroll).call(FINANCE, entry(access="team")).effect == "deny"


@pytest.mark.requirement("SEC-03")
@pytest.mark.requirement("POL-05")
@pytest.mark.parametrize(
    ("table", "options", "policy"),
    [("[isolation]", {}, "isolation"), ("", {"classification": 2}, "classification"), ("", {}, "")],
)
def test_a_delegation_opens_neither_another_department_nor_a_class_of_data(
    table: str, options: dict[str, Any], policy: str
) -> None:
    owner = employee("finance", "root", clearance=3)
    link = chain(owner.id, HR.id, actions={"read"}, capabilities={"bank.balance"})
    now = datetime.fromtimestamp(link.not_before + 1, UTC)
    hall = Hall(policies(table), FINANCE, owner, HR)
    offered = entry(access="department", **options)
    assert hall.call(owner, offered, now=now).allowed
    decision = hall.call(HR, offered, now=now, chains=(link,))
    assert (decision.policy == policy) if policy else (decision.on_behalf_of == owner.id)
    assert decision.allowed is not bool(policy)


@pytest.mark.requirement("POL-05")
def test_data_below_the_class_is_not_isolated() -> None:
    hall = Hall(policies('[isolation]\nfrom_class = "internal"'), FINANCE)
    cleared = employee("hr", clearance=1)
    assert hall.call(cleared, entry(access="enterprise", classification=0)).allowed
    assert not hall.call(cleared, entry(access="enterprise", classification=1)).allowed


STAFF = """
[roles.inherits]
chief = ["manager"]
manager = ["staff"]
[[roles.may]]
role = "staff"
actions = ["read"]
capabilities = ["bank.b*"]
[[roles.may]]
role = "manager"
actions = ["write"]
capabilities = ["bank.balance"]
"""


@pytest.mark.requirement("POL-06")
@pytest.mark.parametrize(
    ("duty", "action", "allowed"),
    [
        ("staff", "read", True), ("staff", "write", False), ("manager", "read", True), ("manager", "write", True),
        ("chief", "read", True), ("chief", "write", True), ("chief", "delete", False), ("guest", "read", False),
    ],
)  # fmt: skip
def test_a_role_has_the_rights_of_those_it_inherits(duty: str, action: str, allowed: bool) -> None:
    caller = employee("hr", duties=frozenset({duty}), duties_in={"acme": frozenset({duty})})
    decision = Hall(policies(STAFF), FINANCE).call(caller, entry(action=action))
    assert decision.allowed is allowed
    assert not allowed or decision.policy.startswith("role:")


@pytest.mark.requirement("POL-06")
def test_rights_of_two_sources_never_lend_each_other_their_capabilities() -> None:
    right = {"actions": {"read"}, "capabilities": ["bank.balance"]}
    one = RoleBasedAccessPolicy.model_validate({"may": [{"role": "staff", **right}]})
    other = RoleBasedAccessPolicy.model_validate({"may": [{"role": "guest", **right, "capabilities": ["bank.hours"]}]})
    hall = Hall(joined([one.config(), other.config()]), FINANCE)
    guest = employee("hr", duties=frozenset({"guest"}), duties_in={"acme": frozenset({"guest"})})
    assert hall.call(guest, entry("bank.hours")).allowed
    assert not hall.call(guest, entry("bank.balance")).allowed
    with pytest.raises(SettingsError, match="role:staff:1"):
        policies(joined([one.config(), RoleBasedAccessPolicy(may=(*one.may, *other.may)).config()]))


@pytest.mark.requirement("POL-06")
def test_a_role_of_another_organisation_opens_nothing() -> None:
    caller = party(
        "x", organisations=frozenset({"other"}), duties=frozenset({"staff"}), duties_in={"other": frozenset({"staff"})}
    )
    assert not Hall(policies(STAFF), FINANCE).call(caller).allowed


@pytest.mark.requirement("POL-06")
@pytest.mark.parametrize("table", ['a = ["a"]', 'a = ["b"]\nb = ["a"]', 'a = ["b"]\nb = ["c"]\nc = ["a"]\nd = ["a"]'])
def test_a_circle_of_roles_is_refused_when_it_is_read(table: str) -> None:
    with pytest.raises(SettingsError, match=r"\[roles\] inherits: these roles inherit each other in a circle: . < "):
        read(f"[roles.inherits]\n{table}")
    with pytest.raises(ValidationError, match="circle"):
        RoleHierarchy(inherits={"a": ("b",), "b": ("a",)})


def test_a_hierarchy_tells_what_a_role_holds() -> None:
    roles = RoleHierarchy.of({"chief": ["manager"], "manager": ["staff", "buyer"]})
    assert roles.held("chief") == {"chief", "manager", "staff", "buyer"}
    assert roles.held("guest") == {"guest"}


@pytest.mark.requirement("POL-07")
@pytest.mark.parametrize("clearance", range(4))
@pytest.mark.parametrize("classification", range(4))
def test_who_is_not_cleared_for_a_class_is_refused(clearance: int, classification: int) -> None:
    decision = Hall(USUAL, FINANCE).call(
        employee("hr", clearance=clearance), entry(access="enterprise", classification=classification)
    )
    assert decision.allowed is (clearance >= classification)
    assert decision.allowed or decision.policy == "classification"


@pytest.mark.requirement("POL-07")
def test_where_fields_are_named_they_are_taken_out_instead() -> None:
    told = policies(
        '[classification.classes]\n"bank.*" = "confidential"\n[classification.redact]\n"bank.bal*" = ["salary"]'
    )
    hall, offered = Hall(told, FINANCE), {"access": "enterprise"}
    low = hall.call(employee("hr", clearance=1), entry(**offered))
    assert (low.allowed, low.redact) == (True, {"salary"})
    assert hall.call(employee("hr", clearance=2), entry(**offered)).redact == frozenset()
    assert hall.call(employee("hr", clearance=1), entry("bank.other", **offered)).policy == "classification"


@pytest.mark.requirement("POL-07")
def test_agents_of_one_person_are_cleared_each_for_itself() -> None:
    mine = party("work", person="ann", role="work", clearance=2)
    hall = Hall(policies('[classification.redact]\n"bank.cut" = ["salary"]'), mine)
    low, high = (party(name, person="ann", role="admin", clearance=n) for name, n in (("low", 1), ("high", 2)))
    assert hall.call(low, entry(classification=2)).policy == "classification"
    assert hall.call(low, entry("bank.cut", classification=2)).redact == {"salary"}
    assert hall.call(high, entry("bank.cut", classification=2)).redact == frozenset()
    itself = PartyFacts(id="user:ann", person="ann")
    assert hall.call(itself, entry("bank.cut", classification=3)).allowed


@pytest.mark.requirement("POL-07")
def test_the_higher_of_two_classes_holds() -> None:
    hall = Hall(policies('[classification.classes]\n"*" = 1\n"bank.*" = "internal"'), FINANCE)
    assert not hall.call(employee("hr", clearance=1), entry(access="enterprise", classification=2)).allowed
    assert not hall.call(employee("hr"), entry(access="enterprise")).allowed


@pytest.mark.requirement("POL-08")
@pytest.mark.parametrize(
    ("table", "options", "sensitive"),
    [
        ("", {}, False), ("", {"classification": 1}, False), ("", {"classification": 2}, True),
        ("from_class = 'internal'", {"classification": 1}, True), ("from_class = 3", {"classification": 2}, False),
        ("", {"personal_data": True}, True), ("personal_data = false", {"personal_data": True}, False),
        ("actions = ['delete']", {"action": "delete"}, True), ("actions = ['delete']", {"action": "write"}, False),
        ("capabilities = ['bank.*']", {}, True), ("capabilities = ['shop.*']", {}, False),
    ],
)  # fmt: skip
def test_the_policy_says_which_calls_must_be_on_record_first(
    table: str, options: dict[str, Any], sensitive: bool
) -> None:
    caller = party("ann-admin", person="ann", role="admin", clearance=3)
    decision = Hall(policies(f"[audit]\n{table}"), party("b", person="ann", role="work")).call(caller, entry(**options))
    assert (decision.allowed, decision.sensitive) == (True, sensitive)


@pytest.mark.requirement("POL-04")
def test_a_file_makes_the_five_policies_active() -> None:
    told = policies(
        '[enterprise]\n[[roles.may]]\nrole="staff"\nactions=["read"]\ncapabilities=["bank.*"]\n'
        '[classification.classes]\n"bank.secret" = 3\n[audit]\ncapabilities=["bank.*"]\n'
    )
    hall = Hall(told, FINANCE)
    staff = {"duties": frozenset({"staff"}), "duties_in": {"acme": frozenset({"staff"})}}
    assert hall.call(HR, entry(access="enterprise")).policy == "isolation"
    inside = hall.call(employee("finance", "x", **staff))
    assert (inside.policy, inside.sensitive) == ("role:staff:1", True)
    assert hall.call(employee("finance", "x", **staff), entry("bank.secret")).policy == "classification"
    assert hall.call(employee("finance", "x", **staff), entry(region="eu")).policy == "compliance:region"


@pytest.mark.requirement("POL-04")
def test_an_enterprise_is_set_up_in_code() -> None:
    config = EnterpriseAuthorizationConfig(
        role_hierarchy=RoleHierarchy.of({"manager": ["staff"]}),
        resource_classification=ResourceClassification(classes={"bank.*": "internal"}),
    )
    made = config.setup_enterprise_policies()
    assert [type(policy) for policy in made] == [
        DepartmentIsolationPolicy, RoleBasedAccessPolicy, DataClassificationPolicy, AuditPolicy, CompliancePolicy,
    ]  # fmt: skip
    hall = Hall(config.config(), FINANCE)
    assert hall.call(HR, entry(access="enterprise")).policy in {"isolation", "classification"}
    assert hall.policies.inherits["manager"] == {"manager", "staff"}


def test_only_the_policies_that_the_table_names_are_active() -> None:
    hall = Hall(policies('[enterprise]\npolicies = ["compliance"]'), FINANCE)
    assert hall.call(HR, entry(access="enterprise")).allowed
    assert not hall.call(HR, entry(access="enterprise", region="eu")).allowed
