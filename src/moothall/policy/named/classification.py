"""Classes of data, and the clearance that each asks for (row POL-07). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from moothall.policy.named.cedar import NOT_OPERATOR, policy
from moothall.policy.named.named_policy import DataClass, NamedPolicy, Pattern, Table
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule

FieldName = Annotated[str, Field(min_length=1)]
"""A name of a field at any depth, or a dotted path from the top of an answer."""


class ResourceClassification(Table):
    """Which capabilities hold data of which class, in addition to their own option ``classification``.

    Attributes:
        classes: by patterns of ids; of all that fit, and of the capability's own option, the highest holds.
        redact: by patterns of ids: fields that are taken out of an answer for callers whose clearance is too low, who
            are let in then; where none are named they are refused.
    """

    classes: Mapping[Pattern, DataClass] = Field(default_factory=dict)
    redact: Mapping[Pattern, Annotated[tuple[FieldName, ...], Field(min_length=1)]] = Field(default_factory=dict)

    def rules(self) -> tuple[ResourceRule, ...]:
        """The same as rules about capabilities."""
        classes = (ResourceRule(capabilities=ids, set={"classification": n}) for ids, n in self.classes.items())
        return (*classes, *(ResourceRule(capabilities=ids, redact=names) for ids, names in self.redact.items()))


class DataClassificationPolicy(ResourceClassification, NamedPolicy):
    """Who is not cleared for a class of data is refused, or is not shown the fields that are named.

    The clearance of an agent is set by the node's operator; an agent that is not registered has none, and sees what is
    public. It holds among the agents of one person, too: each has its own clearance. A person itself is cleared for
    what its own agents have, and so is the operator.

    Example::

        [classification.classes]
        "hr.*" = "confidential"
        "hr.salaries" = "restricted"

        [classification.redact]
        "hr.people" = ["salary", "home.address"]
    """

    def config(self) -> PolicyConfig:
        """The forbid, and the rules about capabilities."""
        return PolicyConfig(sources=(PolicySource("enterprise", "classification", _CLEARED),), resources=self.rules())


_CLEARED = policy(
    "classification",
    "forbid",
    "principal, action, resource is Moothall::Capability",
    "principal.clearance < resource.classification && !resource.redactable"
    ' && !(context.self || context.own && (principal.acts || principal.kind == "user"))'
    f" && {NOT_OPERATOR}",
    reason="the caller is not cleared for this class of data",
    needs="clearance",
)
