"""The rules and workflows of the operator, as they hold now: table ``[approvals]`` of ``policy.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from moothall.approvals.asking import DEFAULT_WORKFLOW, Ask, Ruling
from moothall.approvals.matching import Rule
from moothall.approvals.plan import USUAL, Plain, WorkflowPlan
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, SettingsError, Told
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal

TABLE: Final = "approvals"

_EXEMPT: Final = tuple(f"{DEFAULT_AGENT}.{room}." for room in ("approvals", "relay"))
"""Deciding needs no approval: a rule for everything would lock everybody out. What is relayed is a call of its own."""

_MANAGED: Final = tuple(
    f"{DEFAULT_AGENT}.{room}." for room in ("audit", "grants", "people", "policy", "teams", "tokens")
)
"""By which the operator looks after the node, and mends the rules themselves."""


def manages(principal: Principal, capability: str) -> bool:
    """Whether this is the operator looking after its node, which no rule of its own file keeps it from."""
    return principal.operator and capability.startswith(_MANAGED)


class ApprovalConfig(Plain):
    """What the file says.

    ::

        [[approvals.rule]]
        name = "large payments"
        capability = "bank.*"
        argument = "amount"
        operator = ">"
        value = 1000
        workflow = "two-eyes"

        [approvals.workflow.two-eyes]
        expires = 3600
        webhook = "https://chat.example.com/hooks/payments"
        [[approvals.workflow.two-eyes.step]]
        type = "any"
        approvers = ["user:zhang", "unit:acme#treasurer"]
        escalation = { after = 600, approver = "owner" }
    """

    rule: Annotated[tuple[Rule, ...], Field(strict=False)] = ()
    workflow: Mapping[str, WorkflowPlan] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for rule in self.rule:
            if rule.workflow != DEFAULT_WORKFLOW and rule.workflow not in self.workflow:
                message = f"rule {rule.name!r} names the workflow {rule.workflow!r}, which is not there"
                raise ValueError(message)
        if odd := [name for name in self.workflow if not name or not name.isprintable() or len(name) > 200]:  # noqa: PLR2004
            message = f"{odd[0]!r} cannot be the name of a workflow"
            raise ValueError(message)
        return self


def read(table: Mapping[str, Any], place: str = "policy.toml") -> ApprovalConfig:
    """Read the table; all of it fits, or none is taken.

    Raises:
        SettingsError: something in it is unknown or makes no sense; the text says what and where.
    """
    try:
        return ApprovalConfig.model_validate(_steps_named(table))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in (TABLE, *first["loc"]))
        raise SettingsError(f"{place}: {where}", why=first["msg"]) from error


def _steps_named(table: Mapping[str, Any]) -> Any:  # noqa: ANN401 - checked by the model
    """The same with ``step``, as one table of many is called in TOML, named for what it becomes."""
    workflows = table.get("workflow")
    if not isinstance(workflows, Mapping):
        return dict(table)
    named = {
        name: {"steps" if key == "step" else key: value for key, value in plan.items()}
        if isinstance(plan, Mapping) and "steps" not in plan
        else plan
        for name, plan in workflows.items()
    }
    return {**table, "workflow": named}


class Rules:
    """The rules that hold; `use` exchanges all of them at once.

    Attributes:
        ruling: `rule` by those that hold now, whatever is used later.
    """

    def __init__(self, config: ApprovalConfig | None = None) -> None:
        self.use(config or ApprovalConfig())

    @property
    def config(self) -> ApprovalConfig:
        """What holds now."""
        return self._config

    def use(self, config: ApprovalConfig) -> None:
        """From now on these hold; workflows that have begun keep the steps they began with."""
        self._config = config
        self.ruling: Ruling = partial(_workflow_of, config.rule)

    def validated(self, text: str, place: str = "policy.toml") -> Callable[[], None]:
        """Read the whole file for whoever loads it; calling what comes back lets its rules hold.

        Raises:
            SettingsError: it is no TOML, or its table is not as it has to be.
        """
        try:
            table = tomllib.loads(text).get(TABLE, {})
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{place}: no TOML", why=str(error)) from error
        if not isinstance(table, Mapping):
            raise SettingsError(f"{place}: {TABLE}", why="it must be a table")
        return partial(self.use, read(table, place))

    def rule(self, capability: str, action: str, arguments: Callable[[], JsonObject]) -> str | None:
        """The workflow of the first rule that fits such a call; None where none does."""
        return self.ruling(capability, action, arguments)

    def requires_approval(self, action: str, capability: str = "*", arguments: JsonObject | None = None) -> bool:
        """Whether such a call has to be approved (row SEC-04)."""
        return self.rule(capability, action, lambda: arguments or {}) is not None

    def still_demand(self, capability: str, ask: Ask, steps: str) -> bool:
        """Whether what was approved by these steps (their `steps_digest`) needs no other ones by now."""
        approved = ask.workflow or DEFAULT_WORKFLOW
        demanded = self.rule(capability, ask.action, lambda: ask.arguments) or approved
        plan = self._config.workflow.get(demanded, USUAL if demanded == DEFAULT_WORKFLOW else None)
        return demanded == approved and plan is not None and plan.steps_digest == steps

    def workflow(self, name: str) -> WorkflowPlan:
        """The steps of a workflow.

        Raises:
            InternalError: a capability names one that the operator has not written down.
        """
        plan = self._config.workflow.get(name, USUAL if name == DEFAULT_WORKFLOW else None)
        if plan is None:
            raise InternalError(f"there is no workflow {name}", told=Told("approvals.no_workflow", {"name": name}))
        return plan


def _workflow_of(
    rules: Sequence[Rule], capability: str, action: str, arguments: Callable[[], JsonObject]
) -> str | None:
    if capability.startswith(_EXEMPT):
        return None
    found = next((rule for rule in rules if rule.fits(capability, action, arguments)), None)
    return None if found is None else found.workflow
