"""The options of a capability that policies read: what they mean, what is said of them, and which cannot be meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.capability import lint
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.capability.documents import page
from moothall.capability.registry import Registry
from moothall.capability.snapshot import describe
from tests.capability.shop import entry_of


class Owner(BaseModel):
    name: str
    email: str


class Account(BaseModel):
    number: int
    email: str
    owner: Owner


def account() -> Callable[[], Account]:
    """A function that nobody has decorated before."""

    def read() -> Account:
        return Account(number=1, email="a@x", owner=Owner(name="A", email="b@x"))

    return read


def linted(**options: Any) -> str:
    registry = Registry()
    Agent("a", capability(name="x", **options)(account())).join(registry)
    return "\n".join(lint.warnings(registry.snapshot))


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"classification": "confidential"}, "classification", 2),
        ({"classification": 3}, "classification", 3),
        ({"quota": "20/day"}, "quota", 20),
        ({"quota": 7}, "quota", 7),
        ({"approval": True}, "workflow", ""),
        ({"approval": "payments"}, "workflow", "payments"),
        ({"approval": "payments"}, "approval", True),
        ({"private": ["email", "owner.email"]}, "private", ("email", "owner.email")),
        ({"min_trust": 6}, "min_trust", 6),
        ({"region": "eu"}, "region", "eu"),
        ({"personal_data": True}, "personal_data", True),
        ({"access": "department"}, "access", "department"),
        ({"access": "personal"}, "access", "personal"),
        ({"access": "enterprise"}, "access", "enterprise"),
    ],
)
def test_an_option_for_policies_is_kept_as_they_read_it(options: Any, field: str, value: object) -> None:
    assert getattr(entry_of(capability(**options)(account())).spec, field) == value


@pytest.mark.parametrize(
    ("options", "acts"),
    [
        ({}, "write"),
        ({"read_only": True}, "read"),
        ({"destructive": True}, "delete"),
        ({"action": "schedule", "read_only": True}, "schedule"),
    ],
)
def test_the_action_is_what_is_said_or_what_the_effects_tell(options: Any, acts: str) -> None:
    assert entry_of(capability(**options)(account())).spec.acts == acts


def test_a_later_place_takes_a_workflow_back() -> None:
    registry = Registry(options={"x": {"approval": True}})
    (entry,) = registry.add("a", Agent("a", capability(name="x", approval="payments")(account())).members)
    assert (entry.spec.approval, entry.spec.workflow) == (True, "")
    registry.configure("a.x", approval=False)
    assert registry.snapshot.resolve("a.x").spec.approval is False


def test_nobody_is_promised_a_field_that_only_some_are_shown() -> None:
    def required(**options: Any) -> tuple[Any, Any]:
        schema: Any = entry_of(capability(**options)(account())).output_schema
        return schema["required"], schema["$defs"]["Owner"]["required"]

    assert required() == (["number", "email", "owner"], ["name", "email"])
    assert required(private=["email"]) == (["number", "owner"], ["name"])
    assert required(private=["owner.name"]) == (["number", "email", "owner"], ["email"])
    schema: Any = entry_of(capability(private=["email"])(account())).output_schema
    assert "email" in schema["properties"]


def test_what_is_told_of_a_capability_is_what_it_does_and_never_by_which_rules_it_is_protected() -> None:
    entry = entry_of(
        capability(
            name="x",
            action="schedule",
            approval="payments",
            quota=5,
            classification="restricted",
            personal_data=True,
            min_trust=7,
            region="mars",
        )(account())
    )
    told = describe(entry)
    assert (told["action"], told["approval"]) == ("schedule", True)
    shown = page(entry)
    assert "what it does: schedule" in shown
    assert "at most 5 calls in a day" in shown
    assert "approved" in shown
    for text in (str(told), shown):
        assert not any(word in text for word in ("restricted", "mars", "personal_data", "min_trust", "payments"))


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ({"access": "public", "personal_data": True}, "personal_data"),
        ({"auth": False, "classification": "internal"}, "classification"),
        ({"access": "public", "min_trust": 3}, "min_trust"),
        ({"read_only": True, "action": "write"}, "says read_only"),
        ({"destructive": True, "action": "read"}, "says destructive"),
        ({"private": ["mail", "email"]}, "has not: mail"),
    ],
)
def test_options_that_cannot_all_be_meant_are_warned_about(options: Any, warning: str) -> None:
    assert warning in linted(**options)


def test_options_that_fit_are_not_warned_about() -> None:
    assert linted(access="team", personal_data=True, classification=2, min_trust=4, private=["owner.email"]) == ""


@pytest.mark.parametrize("access", ["owner", "personal", "team", "department", "enterprise", "authenticated"])
def test_whom_a_level_lets_in_is_told_when_the_node_starts(access: str) -> None:
    registry = Registry()
    Agent("a", capability(name="x", access=access)(account())).join(registry)
    assert lint.exposed(registry.snapshot.newest[0]).startswith("a.x@1.0.0 on the network for ")
