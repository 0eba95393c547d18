"""What the audit trail says of delegations. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from moothall.audit.record import AuditRecord
from moothall.grants.model import Chain
from moothall.grants.rows import Row
from moothall.identity.principal import Principal


def gave(principal: Principal, verb: str, chain: Chain) -> AuditRecord:
    """Somebody delegated: ``create`` with a key of this node, ``add`` by a token of its own."""
    grant = chain.links[-1]
    return AuditRecord(
        kind="grant",
        action=verb,
        actor=principal.id,
        subject=chain.root,
        resource=grant.id,
        grants=tuple(link.id for link in chain.links),
        details={
            "delegator": grant.delegator,
            "delegate": grant.delegate,
            "actions": sorted(grant.actions),
            "capabilities": sorted(grant.capabilities),
            "classification": grant.classification,
            "depth": grant.depth,
            "expires": grant.expires,
        },
    )


def revoked(principal: Principal, links: Sequence[Row], holders: int) -> AuditRecord:
    """Somebody took a delegation back; ``holders`` is how many lost a right by it."""
    last = links[-1]
    return AuditRecord(
        kind="grant",
        action="revoke",
        actor=principal.id,
        subject=links[0].delegator,
        resource=last.id,
        grants=tuple(link.id for link in links),
        details={"delegator": last.delegator, "delegate": last.delegate, "holders": holders},
    )
