"""The two tokens that a demand hands out, as callers: who holds one is somebody for that demand only. Pure.

A stream token opens the events of its demand, a participant's token speaks for one person in one channel. Both are
compared in constant time with what the run keeps, a participant's as a hash.
"""

from __future__ import annotations

import hashlib
import hmac

from moothall.events.model import RunRecord
from moothall.identity.principal import Principal
from moothall.negotiation.demand.people import people_of, who_holds

TAKE_PART = "demand.take_part"
"""The permission to be asked and to answer; nobody but a person of the channel holds it."""


def stream_holder(record: RunRecord, token: str) -> Principal | None:
    """Who shows the stream token of this demand; None for another token."""
    expected = str(record.meta.get("stream_token") or "")
    if not (token and expected and hmac.compare_digest(_hash(token), _hash(expected))):
        return None
    return Principal(id=_stream(record), kind="stream", binding="token")


def opens(caller: Principal, record: RunRecord) -> bool:
    """Whether the caller was found to hold the stream token of this very demand."""
    return caller.kind == "stream" and caller.verified and caller.id == _stream(record)


def participant(record: RunRecord, token: str) -> Principal | None:
    """The person of this channel whose token it is; None for a token of nobody's here."""
    person = who_holds(token, people_of(record)) if token else None
    if person is None:
        return None
    return Principal(
        id=f"{_people(record)}{person.agent_id}",
        kind="participant",
        binding="token",
        permissions=frozenset({TAKE_PART}),
    )


def person_id(caller: Principal, record: RunRecord) -> str | None:
    """The id of the person for whom the caller speaks in this channel; None where it speaks for nobody."""
    own = caller.kind == "participant" and caller.verified and caller.id.startswith(_people(record))
    return caller.id.removeprefix(_people(record)) if own else None


def _stream(record: RunRecord) -> str:
    return f"stream:{record.id}"


def _people(record: RunRecord) -> str:
    return f"participant:{record.id}:"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
