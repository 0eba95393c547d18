"""People who agree before an agent does (row WIRE-NEGO-14): an approval of the very conclusion, by the usual desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from moothall.approvals.asking import Approvals, Standing, digest_of
from moothall.approvals.kept import workflow_id
from moothall.calls.call import LOCAL
from moothall.calls.fingerprint import fingerprint
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.errors import ApprovalPending, AuthorizationRequired, InternalError, MoothallError, Told
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.needs import JsonObject

CONCLUDE: Final = "anp.conclude"
"""The capability that makes an agreement; it waits for an approval, whoever calls it."""

_REFUSED: Final = frozenset({"rejected", "expired", "cancelled"})


class Authorizing:
    """Asks for an approval once for each negotiation; who was refused begins another one.

    Args:
        gateway: the call path.
        approvals: the desk; None: nobody can be asked, so that everything waits without end.
        agent: the node's own agent, whose capability concludes.
    """

    def __init__(self, gateway: Callable[[], Gateway], approvals: Approvals | None, agent: str) -> None:
        self._gateway = gateway
        self._approvals = approvals
        self._agent = agent

    async def granted(self, sender: Principal, concluding: JsonObject) -> bool:
        """Whether the agreement was made; False: a person has refused it.

        Raises:
            AuthorizationRequired: somebody is asked; ``details`` have the ``approval_id``.
            MoothallError: nobody can be asked now, or what was approved failed.
        """
        standing = await self._known(sender, concluding)
        if standing is None:
            standing = await self._asked(sender, concluding)
        if standing.status in _REFUSED:
            return False
        if standing.status == "pending" or standing.waits:
            raise _required({"approval_id": standing.id, "expires": standing.expires})
        return True

    async def _asked(self, sender: Principal, concluding: JsonObject) -> Standing:
        facts = CallFacts(door=LOCAL, principal=sender, request_id=fresh(), inside=True)
        reply = await self._gateway().call(self._target, concluding, facts)
        if isinstance(reply.error, ApprovalPending):
            raise _required(reply.error.details) from reply.error
        if reply.error is not None:
            raise reply.error
        standing = await self._known(sender, concluding)
        if standing is None:
            raise InternalError("an agreement was concluded without the approval that it needs")
        return standing

    async def _known(self, sender: Principal, concluding: JsonObject) -> Standing | None:
        """The approval of this very conclusion, where it was asked for before."""
        entry = self._gateway().snapshot.find(self._target.address)
        if entry is None or self._approvals is None:
            return None
        try:
            told = fingerprint(entry, entry.bind(concluding))
        except MoothallError:
            return None
        return await self._approvals.standing(workflow_id(sender.id, digest_of(sender.id, entry.key, told), 0))

    @property
    def _target(self) -> Target:
        return Target(LOCAL, f"{self._agent}.{CONCLUDE}")


def _required(details: object) -> AuthorizationRequired:
    kept = {name: details[name] for name in ("approval_id", "expires") if isinstance(details, dict) and name in details}
    return AuthorizationRequired("a person has to approve it", told=Told("agreeing.front_approval"), details=kept)
