"""The policies of an enterprise (row POL-04)."""

from __future__ import annotations

from dataclasses import dataclass, field

from moothall.people.structure import OrganizationStructure
from moothall.policy.named.auditing import AuditPolicy
from moothall.policy.named.classification import DataClassificationPolicy, ResourceClassification
from moothall.policy.named.compliance import CompliancePolicy
from moothall.policy.named.isolation import DepartmentIsolationPolicy
from moothall.policy.named.joining import joined
from moothall.policy.named.named_policy import NamedPolicy
from moothall.policy.named.role_hierarchy import RoleHierarchy
from moothall.policy.named.roles import RoleBasedAccessPolicy, RoleRight
from moothall.policy.sources import PolicyConfig


@dataclass(frozen=True, kw_only=True)
class EnterpriseAuthorizationConfig:
    """What an enterprise sets up: its roles, the classes of its data, and its rules.

    Attributes:
        org_structure: where organisations, departments and teams are kept and changed. Policies see what it holds in
            the facts of every caller, as it is at each call; nothing of it is copied into them.
        role_hierarchy: roles and what each inherits.
        resource_classification: classes of data.
        rights: what roles may do.
        isolation, audit, compliance: the other policies' settings.
    """

    org_structure: OrganizationStructure | None = None
    role_hierarchy: RoleHierarchy = field(default_factory=RoleHierarchy)
    resource_classification: ResourceClassification = field(default_factory=ResourceClassification)
    rights: tuple[RoleRight, ...] = ()
    isolation: DepartmentIsolationPolicy = field(default_factory=DepartmentIsolationPolicy)
    audit: AuditPolicy = field(default_factory=AuditPolicy)
    compliance: CompliancePolicy = field(default_factory=CompliancePolicy)

    def setup_enterprise_policies(self) -> tuple[NamedPolicy, ...]:
        """The five: isolation, roles, classification, audit, compliance."""
        classes = self.resource_classification
        return (
            self.isolation,
            RoleBasedAccessPolicy(inherits=self.role_hierarchy.inherits, may=self.rights),
            DataClassificationPolicy(classes=classes.classes, redact=classes.redact),
            self.audit,
            self.compliance,
        )

    def config(self) -> PolicyConfig:
        """All five for the engine."""
        return joined(policy.config() for policy in self.setup_enterprise_policies())
