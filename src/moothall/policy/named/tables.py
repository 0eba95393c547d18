"""All tables of ``policy.toml``, and the configuration that follows from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from moothall.policy.named.agent_trust import AgentTrustPolicy
from moothall.policy.named.auditing import AuditPolicy
from moothall.policy.named.classification import DataClassificationPolicy, FieldName
from moothall.policy.named.compliance import CompliancePolicy
from moothall.policy.named.isolation import SHARED, DepartmentIsolationPolicy
from moothall.policy.named.joining import joined
from moothall.policy.named.named_policy import DataClass, Flag, Id, Name, NamedPolicy, Pattern, Table, Whole
from moothall.policy.named.personal import PersonalTable
from moothall.policy.named.privacy import PersonalDataProtectionPolicy, PrivacyControlPolicy, PrivacySettings
from moothall.policy.named.role_matrix import USUAL, RoleMatrix
from moothall.policy.named.roles import RoleBasedAccessPolicy
from moothall.policy.named.usage import UsageLimitPolicy
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule

Enterprise = Literal["isolation", "roles", "classification", "audit", "compliance"]
_FIVE: Final[frozenset[Enterprise]] = frozenset({"isolation", "roles", "classification", "audit", "compliance"})


class EnterpriseTable(Table):
    """The policies of an enterprise; with this table they are active even where a policy has no table of its own.

    Isolation and compliance refuse what was open before: they are active only with this table or one of their own.

    Example::

        [enterprise]
        policies = ["isolation", "roles", "classification", "audit", "compliance"]   # all five, unless said otherwise
    """

    policies: frozenset[Enterprise] = _FIVE


class ResourceTable(Table):
    """What is said of capabilities by patterns of their ids, in addition to their own options; the stricter one holds.

    Example::

        [[resource]]
        capabilities = ["hr.*", "payroll.*"]
        classification = "confidential"
        redact = ["salary"]           # not shown to who is not cleared, instead of refusing it
        private = ["home.address"]    # not shown to others than the person
        personal_data = true
        min_trust = 5
        region = "eu"
        quota = 100                   # calls of one caller in a day
        approval = true
        workflow = "two-of-three"     # a table of [approvals]
        shared = true                 # other departments may read it
        traits = ["payroll"]          # for own policies: resource in Moothall::Trait::"payroll"
    """

    capabilities: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    classification: DataClass | None = None
    personal_data: Flag | None = None
    private: tuple[FieldName, ...] | None = None
    min_trust: Annotated[Whole, Field(ge=0, le=10)] | None = None
    region: Name | None = None
    quota: Annotated[Whole, Field(ge=1)] | None = None
    approval: Flag | None = None
    workflow: Name | None = None
    traits: frozenset[Name] = frozenset()
    redact: tuple[FieldName, ...] = ()
    shared: Flag = False

    def rules(self) -> Iterator[ResourceRule]:
        """One rule for each pattern."""
        settable = self.model_dump(exclude={"capabilities", "traits", "redact", "shared"}, exclude_none=True)
        for ids in self.capabilities:
            yield ResourceRule(
                capabilities=ids, set=settable, traits=self.traits, redact=self.redact, shared=self.shared
            )


class Tables(Table):
    """``policy.toml``, whole. ``approvals`` is read by the approvals."""

    roles: RoleBasedAccessPolicy = Field(default_factory=RoleBasedAccessPolicy)
    matrix: RoleMatrix = Field(default_factory=RoleMatrix)
    isolation: DepartmentIsolationPolicy | None = None
    classification: DataClassificationPolicy = Field(default_factory=DataClassificationPolicy)
    audit: AuditPolicy = Field(default_factory=AuditPolicy)
    compliance: CompliancePolicy | None = None
    usage: UsageLimitPolicy = Field(default_factory=UsageLimitPolicy)
    trust: AgentTrustPolicy = Field(default_factory=AgentTrustPolicy)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    resource: tuple[ResourceTable, ...] = ()
    enterprise: EnterpriseTable | None = None
    personal: Mapping[Id, PersonalTable] = Field(default_factory=dict)
    approvals: Mapping[str, Any] = Field(default_factory=dict)

    def config(self) -> PolicyConfig:
        """Everything that the engine is told."""
        resources = tuple(rule for table in self.resource for rule in table.rules())
        shared = PolicyConfig(sources=(PolicySource("enterprise", "shared", SHARED),), resources=resources)
        return joined(
            [
                *(policy.config() for policy in self.policies()),
                *(table.of(person).config() for person, table in sorted(self.personal.items())),
                shared,
            ]
        )

    def policies(self) -> Iterator[NamedPolicy]:
        """The policies that are active, by what the tables say."""
        active = self.enterprise.policies if self.enterprise else frozenset[Enterprise]()
        yield self.matrix
        yield self.trust
        yield PersonalDataProtectionPolicy(personal_data=self.privacy.personal_data)
        yield PrivacyControlPolicy(private=self.privacy.private)
        yield self.usage
        yield self.roles
        yield self.classification
        yield self.audit
        if self.isolation or "isolation" in active:
            yield self.isolation or DepartmentIsolationPolicy()
        if self.compliance or "compliance" in active:
            yield self.compliance or CompliancePolicy()


def with_usual_rows(matrix: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table ``[matrix]`` as settings of a `RoleMatrix`: its rows take the place of the usual ones."""
    return {"rows": {**USUAL, **matrix}}
