"""What negotiators say to each other and remember (rows META-NEG-05 to 07). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from moothall.canonical import sha256


class NegotiationStatus(StrEnum):
    """Where a proposal stands."""

    NEGOTIATING = "negotiating"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class NegotiationResult:
    """What one side makes of the other's proposal.

    Attributes:
        status: accepted, rejected, or negotiating with a proposal of one's own.
        candidate_protocols: the whole text: the one that was accepted, or the new proposal.
        modification_summary: what was changed, and why.
        reason: why it is rejected.
    """

    status: NegotiationStatus
    candidate_protocols: str = ""
    modification_summary: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NegotiationHistoryEntry:
    """One proposal that was made, by either side; ``at`` is when, ``own`` whether it was this side's."""

    round: int
    candidate_protocols: str = field(repr=False)
    modification_summary: str = ""
    own: bool = False
    at: datetime | None = None

    @property
    def digest(self) -> str:
        """``sha256:…`` of the text."""
        return protocol_hash(self.candidate_protocols)


def protocol_hash(text: str) -> str:
    """``sha256:…`` of a protocol's text, byte for byte as it travels (`protocolHash`)."""
    return sha256(text.encode("utf-8", "surrogatepass"))
