"""How an approved call went, as it is kept until its caller asks: sealed, and read back as a value or an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from moothall.calls import kept_reply
from moothall.calls.seal import Seal, not_kept
from moothall.canonical import dumps, loads
from moothall.errors import MoothallError

MOST: Final = 128 * 1024
"""Bytes of a value that is kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value as JSON, whole; or an error.

    ``redact`` are the fields that its caller was not to be shown when the call was made.
    """

    data: Any = None
    error: MoothallError | None = None
    redact: frozenset[str] = frozenset()


def seal(sealing: Seal, approval: str, outcome: Outcome) -> str:
    """The text to be kept; of a value that is too large, that it is not there."""
    if outcome.error is not None:
        text = kept_reply.write_error(outcome.error)
    else:
        text = kept_reply.write_value(outcome.data, MOST) or kept_reply.write_error(not_kept())
    whole = {**loads(text), "redact": sorted(outcome.redact)}
    return sealing.close(dumps(whole).decode(), _place(approval))


def unseal(sealing: Seal, approval: str, text: str) -> Outcome:
    """What was sealed.

    Raises:
        Conflict: it was not kept, or by another secret, or for another approval.
    """
    if not text:
        raise not_kept()
    whole = sealing.open(text, _place(approval))
    kept = kept_reply.read(whole)
    return Outcome(kept.data, kept.error, frozenset(loads(whole)["redact"]))


def _place(approval: str) -> str:
    return f"approval\n{approval}"
