"""What members ask the permission group for, as events, and what they are told (row MCA-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from moothall.canonical import digest
from moothall.groups.master.ground import MasterGround
from moothall.groups.model import MEMBER, Member

PERMISSION_REQUEST: Final = "permission_request"
PERMISSION_DECISION: Final = "permission_decision"


@dataclass(frozen=True, slots=True)
class Asked:
    """A right that a member asks for itself; the decision has the same correlation id."""

    service: str
    action: str
    correlation_id: str

    @classmethod
    def of(cls, event_data: Mapping[str, Any]) -> Self:
        """What stands in the content of an event, or beside it."""
        content = event_data.get("content")
        said = {**event_data, **(content if isinstance(content, Mapping) else {})}
        correlation = said.get("correlation_id") or event_data.get("id", "")
        return cls(str(said.get("service", "")), str(said.get("action", "")), str(correlation))

    def decided(self, *, allowed: bool) -> dict[str, Any]:
        """The decision."""
        return {**asdict(self), "allowed": allowed}


async def tell(ground: MasterGround, group: str, master: str, member: str, decision: Mapping[str, Any]) -> None:
    """Tell a member alone what was decided; the same decision again is no second event.

    Raises:
        StorageError: the store failed.
    """
    speaker = Member(member=master, role=MEMBER, joined_at=ground.clock.now())
    told = digest([master, member, dict(decision)])[-32:]
    await ground.channel(group).say(speaker, dict(decision), told, to=[member], kind=PERMISSION_DECISION)
