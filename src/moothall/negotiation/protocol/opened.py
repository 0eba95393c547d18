"""What the run of a drafted negotiation begins with, on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from moothall.errors import InternalError
from moothall.events.run import Run
from moothall.negotiation.protocol.needs import Need

OPENED: Final = "protocol.opened"
"""The type of the first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a run began with: the agent of this node, the other side, and of a requester what it needs.

    ``need_digest`` is that of the need, where the other side says it: whoever has the same need is offered the outcome.
    ``model``: whether a language model may be asked.
    """

    agent: str
    did: str
    peer: str
    negotiation: str
    security: str
    need: Need | None = None
    need_digest: str = ""
    model: bool = True

    @classmethod
    def of(cls, run: Run) -> Self:
        """Read it from the run's first event."""
        event = run.recorded("opened")
        if event is None or event.type != OPENED:
            raise InternalError(f"the run {run.id} did not begin as a negotiation")
        said = event.payload
        need = Need.model_validate(said["need"]) if "need" in said else None
        peer = said["peer"] if need is not None else said["sender"]
        return cls(
            agent=said["agent"],
            did=said["did"],
            peer=peer,
            negotiation=said["negotiation"],
            security=said["security"],
            need=need,
            need_digest=said.get("need_digest", ""),
            model=said.get("model", True),
        )
