"""How much real time there is for each, and for all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a node.

    Attributes:
        per_identity: connections that one identity may have open.
        connections: that may be open in all.
        unproved: of these, those that have not proved yet who they are.
        unproved_per_address: of these, those from one address (of IPv6: one network of 64 bits).
        subscriptions: frames ``subscribe`` that one identity may send in a minute; 0: no limit.
        heartbeat: seconds between signs of life, and between two looks at the rights of a connection.
        lifetime: seconds until a connection ends whose proof cannot be looked at again; its client proves itself anew.
        proof_seconds: that a WebSocket has for its first frame, where it came without a proof.
        writing_seconds: after which a client that takes nothing in is disconnected; it goes on with its token.
        message_bytes: of one frame that a client sends.
        calls: that one WebSocket may have under way.
    """

    per_identity: int = 16
    connections: int = 4_096
    unproved: int = 64
    unproved_per_address: int = 8
    subscriptions: int = 60
    heartbeat: float = 15.0
    lifetime: float = 3_600.0
    proof_seconds: float = 10.0
    writing_seconds: float = 30.0
    message_bytes: int = 256 * 1024
    calls: int = 32
