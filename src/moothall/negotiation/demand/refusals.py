"""Who did answer an invitation, but with more than a plan has room for, as the log tells it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from moothall.events.model import Event


def too_long_answers(rows: Iterable[Event]) -> frozenset[str]:
    """The agents whose offers were refused as too large; so they were not silent."""
    payloads = (row.payload for row in rows if row.type == "refused")
    return frozenset(
        str(one["from"])
        for one in payloads
        if one.get("reason") == "too_large" and str(one.get("phase", "")).startswith("offer_response")
    )
