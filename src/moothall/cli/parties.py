"""Agents of the node by their names, where a command wants a DID."""

from __future__ import annotations

from moothall.cli.invocation import Invocation
from moothall.errors import AgentNotFound, UsageError
from moothall.identity.keystore import Keystore

_OTHERS = frozenset({"owner", "admin", "anonymous"})
"""Callers who are no agents."""


def did_of(call: Invocation, name: str) -> str:
    """The DID of an agent of this node; what is a DID already stays as it is.

    Raises:
        AgentNotFound: no agent of that name has an identity here.
        UsageError: it has several, one for each domain that the node has had.
    """
    if name.startswith("did:"):
        return name
    found = [one.did.text for one in Keystore.open(call.settings().data).all() if one.agent == name]
    if not found:
        raise AgentNotFound(call.text("identity.absent", agent=name), hint=call.text("identity.absent_try"))
    if len(found) > 1:
        raise UsageError(call.text("party.several", agent=name), hint=call.text("join").join(found))
    return found[0]


def party_of(call: Invocation, name: str) -> str:
    """The same for a caller of any kind: ``user:NAME``, and who is no agent, stay as they are, too."""
    return name if name.startswith("user:") or name in _OTHERS else did_of(call, name)
