"""Who has to agree, in which order, until when: what the operator writes, and what a workflow begins with. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from moothall.approvals.asking import DEFAULT_WORKFLOW
from moothall.canonical import digest

StepType = Literal["any", "all", "quorum"]

STEP_TYPES: Final[tuple[StepType, ...]] = get_args(StepType)

OPERATOR: Final = "owner"
"""The approver that everybody is who holds a key of the node's operator."""

GROUP: Final = "unit:"
"""The beginning of approvers that stand for many: the members of a unit, or those who have a role in it."""

DAY: Final = 86_400
_LONGEST: Final = 366 * DAY
_MOST_STEPS: Final = 20
_MOST_APPROVERS: Final = 100
_BEGINNINGS: Final = ("did:", "user:", GROUP)


def _approver(text: str) -> str:
    named = text.startswith(_BEGINNINGS) and not text.endswith(":") and text.isprintable()
    if text != OPERATOR and not named:
        message = f"an approver is {OPERATOR}, did:…, user:NAME, unit:ID or unit:ID#ROLE"
        raise ValueError(message)
    return text


Approver = Annotated[str, Field(max_length=2_000), AfterValidator(_approver)]
"""``owner``, a DID, ``user:NAME``; ``unit:ID`` and ``unit:ID#ROLE`` stand for all who belong there when it is asked."""


class Plain(BaseModel):
    """What is read strictly and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Escalation(Plain):
    """Whom a step is shown to as well when it has waited ``after`` seconds."""

    after: Annotated[int, Field(ge=1, le=_LONGEST)]
    approver: Approver


class StepPlan(Plain):
    """One step: ``any`` one of its approvers agrees, ``all`` of them do, or ``quorum`` of them."""

    type: StepType = "any"
    approvers: Annotated[tuple[Approver, ...], Field(strict=False, min_length=1, max_length=_MOST_APPROVERS)]
    quorum: Annotated[int, Field(ge=1, le=_MOST_APPROVERS)] | None = None
    escalation: Escalation | None = None

    @model_validator(mode="after")
    def _fits(self) -> StepPlan:
        if (self.type == "quorum") != (self.quorum is not None):
            raise ValueError("a step of type quorum says how many (`quorum`), and no other does")
        if len(set(self.approvers)) < len(self.approvers):
            raise ValueError("an approver stands twice in one step")
        named = [one for one in self.approvers if not one.startswith(GROUP)]
        if self.quorum is not None and len(named) == len(self.approvers) < self.quorum:
            raise ValueError("the quorum is larger than the number of approvers")
        return self


class WorkflowPlan(Plain):
    """The steps that a call has to pass, and when it is too late.

    Attributes:
        steps: one after the other; the approvers of a step are told when the one before it is done (SEC-09).
        expires: seconds after which a call that waits still is refused.
        webhook: where each step is told of; empty: nowhere.
        webhook_arguments: whether the arguments of the call are told there.
    """

    steps: Annotated[tuple[StepPlan, ...], Field(strict=False, min_length=1, max_length=_MOST_STEPS)]
    expires: Annotated[int, Field(ge=1, le=_LONGEST)] = DAY
    webhook: Annotated[str, Field(max_length=2_000, pattern=r"^https?://\S+$")] | Literal[""] = ""
    webhook_arguments: bool = False

    @property
    def steps_digest(self) -> str:
        """What tells these steps from others, whoever is told of them and however long they may take."""
        return digest([step.model_dump(mode="json", exclude_defaults=True) for step in self.steps])


USUAL: Final = WorkflowPlan(steps=(StepPlan(approvers=(OPERATOR,)),))
"""What is done where the operator has said nothing (`DEFAULT_WORKFLOW`): the operator is asked."""

USUAL_WORKFLOWS: Final = {DEFAULT_WORKFLOW: USUAL}
