"""What a person decides with: capabilities of the node itself that change who may do what, approve, or publish.

A model that works for somebody reads what strangers wrote, and may be talked into using them. Where one is used in the
name of somebody else (`CallContext.firsthand`) it refuses; for a model that is the client itself (``moot mcp``) they
are left out.
"""

from __future__ import annotations

from typing import Final

from moothall.capability.entry import Entry
from moothall.identity.keystore import DEFAULT_AGENT

_OF: Final = {
    "approvals": "cancel decide",
    "grants": "add create revoke",
    "groups": "add consent create dissolve join leave link policy remove transfer unlink",
    "listings": "approve refuse",
    "participants": "add remove",
    "people": "change_agent policy prove rate register relate remove unregister unrelate update verify",
    "policy": "reload",
    "relay": "call stream",
    "services": "disable publish rollback",
    "teams": "add agree create create_unit dissolve join move propose remove rules withdraw",
    "tokens": "revoke",
}
DECIDING: Final = frozenset(f"{DEFAULT_AGENT}.{area}.{name}" for area, names in _OF.items() for name in names.split())
"""Their ids. ``relay.*`` is among them because a call that it passes on counts as its caller's own."""


def decides(entry: Entry) -> bool:
    """Whether it is one of them."""
    return entry.id in DECIDING
