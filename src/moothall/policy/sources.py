"""What a policy engine is made of: texts, and tables that say what they mean here. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, Self, get_args, runtime_checkable

from moothall.capability.entry import Entry
from moothall.policy.decision import AccessRequest, Subject
from moothall.policy.sensitive import Sensitive
from moothall.policy.trust import TrustNetwork

Layer = Literal["house", "public", "personal", "team", "department", "enterprise", "group", "compliance", "custom"]

LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
"""``house``: options of capabilities, and what nobody may pass; ``custom``: the operator's files without a layer."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Policies in Cedar's language; each has an ``@id``, and ``@layer`` is added where it is missing."""

    layer: Layer
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """What the operator's file says about capabilities, in addition to their own options (the stricter one holds).

    Attributes:
        capabilities: a pattern of ids (``hr.*``).
        set: fields of `CapabilitySpec` that policies read: ``classification``, ``personal_data``, ``private``,
            ``min_trust``, ``region``, ``quota``, ``approval``, ``workflow``.
        traits: names that policies can ask for: ``resource in Moothall::Trait::"office-hours"``.
        redact: fields that callers whose clearance is too low are not shown, instead of being refused (POL-07).
        shared: whether other departments of the organisation may read it (POL-05).
    """

    capabilities: str
    set: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    traits: frozenset[str] = frozenset()
    redact: tuple[str, ...] = ()
    shared: bool = False

    def fits(self, capability: str) -> bool:
        """Whether it speaks of this one."""
        return fnmatchcase(capability, self.capabilities)


class Narrowing(Protocol):
    """A policy in Python: it may refuse or ask for approval what Cedar allows, and never allow anything (POL-15).

    It is asked about the caller and, where the call uses a delegation, about everybody in that as if the call were
    theirs. Of agents as a whole, whatever is called of them, one with `NarrowingAgents.narrow_agent` is asked.

    Attributes:
        name: in decisions; it has no dots, like ``night-shift``.
        volatile: whether it looks at anything but who calls what: the time, the purpose, the door, a counter. Decisions
            about what such a policy concerns are made anew each time.
    """

    name: str
    volatile: bool

    def concerns(self, entry: Entry) -> bool:
        """Whether it may have something to say about calls of a capability. An exception is a denial."""
        ...

    def narrow(self, request: AccessRequest, action: str) -> Literal["", "deny", "approve"]:
        """Refuse (``deny``), ask for approval, or say nothing. An exception is a denial.

        Only about what it concerns.
        """
        ...


@runtime_checkable
class NarrowingAgents(Protocol):
    """What a `Narrowing` may have in addition (rows PRM-02 to PRM-07)."""

    def narrow_agent(self, subject: Subject, agent: str, action: str) -> Literal["", "deny", "approve"]:
        """The same about an agent as a whole, by its DID."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """Everything that a set of policies is built from; made of files, or in code.

    Attributes:
        sources: the policies' texts; the built-in ones are in addition to these.
        builtin: the built-in layers that take part.
        resources: rules about capabilities; all that fit hold.
        roles: the hierarchy of duties: which ones each inherits (``{"manager": ("staff",)}``); without cycles.
        narrowing: policies in Python.
        zone: an IANA name: in which zone ``context.call.minute`` and ``.weekday`` are told.
        sensitive: which calls must be on record before they happen.
        trust: who trusts whom, for ``context.trust``.
    """

    sources: tuple[PolicySource, ...] = ()
    builtin: tuple[Layer, ...] = LAYERS
    resources: tuple[ResourceRule, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    narrowing: tuple[Narrowing, ...] = ()
    zone: str = "UTC"
    sensitive: Sensitive = field(default_factory=Sensitive)
    trust: TrustNetwork = field(default_factory=TrustNetwork)

    @classmethod
    def usual(cls) -> Self:
        """The built-in policies, and nothing else."""
        return cls()
