"""Which calls must be on record before they happen (row POL-08). Pure."""

from __future__ import annotations

from moothall.capability.spec import Action
from moothall.policy.named.named_policy import DataClass, Flag, NamedPolicy, Pattern
from moothall.policy.sensitive import CONFIDENTIAL, Sensitive
from moothall.policy.sources import PolicyConfig


class AuditPolicy(NamedPolicy):
    """Every call leaves a record; a sensitive one is refused while it cannot be recorded, others are held back.

    Calls that somebody approved are always sensitive.

    Example::

        [audit]
        from_class = "internal"
        actions = ["delete", "manage"]
        capabilities = ["bank.*"]

    Attributes:
        from_class: the lowest class of data whose calls are sensitive.
        personal_data: whether those are that concern data of one person only.
        actions: whatever does one of these.
        capabilities: patterns of ids.
    """

    from_class: DataClass = CONFIDENTIAL
    personal_data: Flag = True
    actions: frozenset[Action] = frozenset()
    capabilities: tuple[Pattern, ...] = ()

    def config(self) -> PolicyConfig:
        """What the engine marks as sensitive."""
        return PolicyConfig(
            sensitive=Sensitive(
                from_class=self.from_class,
                personal_data=self.personal_data,
                actions=frozenset(self.actions),
                capabilities=self.capabilities,
            )
        )
