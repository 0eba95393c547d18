"""Delegations as they are shown to those whom they concern."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from moothall.grants.chain import Refusal
from moothall.grants.model import Chain, Grant

Status = Literal["active", "revoked", "expired"]


class Delegation(BaseModel):
    """One delegation."""

    id: str
    parent: str | None = Field(description="The delegation that it stands on; none: the delegator's own right")
    delegator: str
    delegate: str
    actions: list[str]
    capabilities: list[str]
    classification: int = Field(description="The highest class of data that it opens: 0 public to 3 restricted")
    depth: int = Field(description="How many further links the delegate may add")
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    status: Status = Field(description="As it is now; what ends a delegation ends all that stand on it")


class DelegationPage(BaseModel):
    """Delegations, the newest first."""

    delegations: list[Delegation]
    next_cursor: str = Field(description="For the next page; empty: this is the last one")


def shown(grant: Grant, created_at: datetime, fits: Chain | Refusal) -> Delegation:
    """A delegation and whether it counts."""
    return Delegation(
        id=grant.id,
        parent=grant.parent or None,
        delegator=grant.delegator,
        delegate=grant.delegate,
        actions=sorted(grant.actions),
        capabilities=sorted(grant.capabilities),
        classification=grant.classification,
        depth=grant.depth,
        created_at=created_at,
        not_before=datetime.fromtimestamp(grant.not_before, UTC),
        expires_at=datetime.fromtimestamp(grant.expires, UTC),
        status=_status(fits),
    )


def _status(fits: Chain | Refusal) -> Status:
    if isinstance(fits, Chain):
        return "active"
    return "expired" if fits.why == "expired" else "revoked"
