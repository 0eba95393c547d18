"""The log of one channel for its node's owner: every message, every transition, in order (row NEG-API-27). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from moothall.events.model import Event, JsonObject
from moothall.negotiation.demand.machine import ChannelStatus
from moothall.negotiation.demand.models import Model

LOG_TYPES = frozenset({"message", "transition"})
"""The rows of which the log is made."""


class LoggedMessage(Model):
    """A message of the channel, as the transport knows it."""

    seq: int
    at: str
    from_: str = Field(alias="from")
    to: str
    body: JsonObject


class LoggedTransition(Model):
    """A move of the channel's state machine."""

    seq: int
    at: str
    from_state: ChannelStatus
    to_state: ChannelStatus
    trigger: str
    round: int


class ChannelLog(Model):
    """Every message and every transition of a channel, in order (row NEG-API-27)."""

    messages: tuple[LoggedMessage, ...]
    transitions: tuple[LoggedTransition, ...]


def channel_log(rows: Iterable[Event]) -> ChannelLog:
    """The log of a channel, from rows of `LOG_TYPES`."""
    messages, transitions = [], []
    for row in rows:
        place = {"seq": row.seq, "at": row.ts}
        if row.type == "message":
            kept = {key: row.payload[key] for key in ("from", "to", "body")}
            messages.append(LoggedMessage.model_validate({**place, **kept}))
        else:
            transitions.append(LoggedTransition.model_validate({**place, **row.payload}))
    return ChannelLog(messages=tuple(messages), transitions=tuple(transitions))
