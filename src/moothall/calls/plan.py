"""What a capability's calls go through, compiled once: only the stages that its options ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from moothall.approvals.asking import Ruling
from moothall.calls.call import LOCAL, Call, Stage, no_rule
from moothall.calls.form import Form
from moothall.calls.hooks import OnError
from moothall.calls.ports import Admitted
from moothall.capability.entry import Entry
from moothall.capability.spec import Action
from moothall.policy.decision import PermissionResult

Check = Callable[[Call], None]
"""What a call must pass once its arguments are known; raises where it does not."""

FOR_MODELS: Final = "mcp"
"""The door at which models find their tools."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """A capability, ready to be called.

    Attributes:
        entry: the capability.
        name: its id.
        timeout: seconds that a call may take.
        patient: whether a caller may give it more than that.
        local, net, llm: whether it is exposed in this process, at the doors of the network, and as a tool for models.
        action: what it does, for policies.
        form: how its value changes its form.
        check: the limit of the capability, if it has one.
        work: everything from there to the value in the form of the door.
        keyed: the same for a call that must not be made twice.
        pour: the same for values one by one; None where it does not yield any.
        on_error: what sees the errors of its calls.
    """

    entry: Entry
    name: str
    timeout: float
    patient: bool = False
    local: bool
    net: bool
    llm: bool = False
    action: Action
    form: Form
    check: Check | None = None
    work: Stage
    keyed: Stage
    pour: Stage | None
    on_error: tuple[OnError, ...] = ()

    def exposed(self, door: str) -> bool:
        """Whether it can be called at a door."""
        if door == LOCAL:
            return self.local
        return self.net or (self.llm and door == FOR_MODELS)


@dataclass(slots=True)
class Ready(Admitted):
    """A call that was admitted, as the call path hands it to itself through the door."""

    plan: Plan = field(kw_only=True)
    decision: PermissionResult = field(kw_only=True)
    ruling: Ruling = field(default=no_rule, kw_only=True)
    execution: str = field(default="", kw_only=True)
